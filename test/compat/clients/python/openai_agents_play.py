"""What the agents on the OpenAI Agents SDK have in common: all but how they are connected."""

import asyncio

from agents import Agent, Runner

from common import give_up_after, play_all, prompt


async def play_with(desk):
    """Plays the cases with an agent that has this server."""
    async with desk:
        agent = Agent(name="my-agent", model="my-model", mcp_servers=[desk])

        async def play(case):
            listed = [tool.name for tool in await desk.list_tools()]
            run = Runner.run(agent, prompt(case))
            result = await asyncio.wait_for(run, give_up_after(case))
            text = result.final_output
            # It goes on after a call that it gave up, and tells the model this.
            return {"listed": listed, "text": text, "error": "An error occurred while running the tool" in text}

        await play_all(play)
