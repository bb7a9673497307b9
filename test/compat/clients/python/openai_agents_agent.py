"""An agent on the OpenAI Agents SDK."""

import asyncio
import os

# docs:begin
from agents import Agent, Runner, set_tracing_disabled
from agents.mcp import MCPServerStreamableHttp

set_tracing_disabled(True)  # else it sends its traces to its vendor
desk = MCPServerStreamableHttp(
    params={"url": os.environ["REMIT_MCP_DESK"]},
    cache_tools_list=True,  # else a server that ends takes the run with it, before the model hears of it
    client_session_timeout_seconds=60,  # else a call that takes more than 5 seconds is given up
)
# docs:end

from common import give_up_after, play_all, prompt


async def main():
    async with desk:
        agent = Agent(name="my-agent", model="my-model", mcp_servers=[desk])

        async def play(case):
            listed = [tool.name for tool in await desk.list_tools()]
            run = Runner.run(agent, prompt(case))
            result = await asyncio.wait_for(run, give_up_after(case))
            return {"listed": listed, "text": result.final_output, "error": False}

        await play_all(play)


asyncio.run(main())
