"""An agent on Pydantic AI."""

import asyncio
import os

# docs:begin
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset

desk = MCPToolset(os.environ["REMIT_MCP_DESK"], tool_error_behavior="failed")
agent = Agent("openai-chat:my-model", toolsets=[desk])
# docs:end

from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel

from common import give_up_after, play_all, prompt


def scripted(case):
    """Calls the tool of the case, then says what it said."""

    def next_turn(messages, _info):
        if len(messages) == 1:
            return ModelResponse([ToolCallPart(case["tool"], case["arguments"])])
        said = " ".join(str(part.content) for part in messages[-1].parts)
        return ModelResponse([TextPart(f"The tool said: {said}")])

    return FunctionModel(next_turn)


async def main():
    async with desk:

        async def play(case):
            listed = [tool.name for tool in await desk.list_tools()]
            model = None if "llm" in case else scripted(case)
            result = await asyncio.wait_for(agent.run(prompt(case), model=model), give_up_after(case))
            return {"listed": listed, "text": result.output, "error": False}

        await play_all(play)


asyncio.run(main())
