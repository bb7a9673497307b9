"""An agent on the Microsoft Agent Framework."""

import asyncio
import os

# docs:begin
from agent_framework import Agent, MCPStreamableHTTPTool
from agent_framework.openai import OpenAIChatClient

desk = MCPStreamableHTTPTool(name="desk", url=os.environ["REMIT_MCP_DESK"], load_prompts=False)
model = OpenAIChatClient(
    model="my-model",
    base_url=os.environ["OPENAI_BASE_URL"],
    function_invocation_configuration={"include_detailed_errors": True},  # else the model never hears why it may not
)
# docs:end

from common import give_up_after, play_all, prompt


async def main():
    async with desk, Agent(client=model, tools=desk) as agent:

        async def play(case):
            listed = [tool.name for tool in desk.functions]
            result = await asyncio.wait_for(agent.run(prompt(case)), give_up_after(case))
            return {"listed": listed, "text": result.text, "error": False}

        await play_all(play)


asyncio.run(main())
