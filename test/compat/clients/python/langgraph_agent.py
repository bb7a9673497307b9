"""An agent on LangChain and LangGraph."""

import asyncio
import os

from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_openai import ChatOpenAI

from common import give_up_after, play_all, prompt


class Scripted(GenericFakeChatModel):
    """Calls the tool of a case, then says what it said."""

    def bind_tools(self, tools, **_):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **_):
        last = messages[-1]
        if isinstance(last, ToolMessage):
            message = AIMessage(f"The tool said: {last.text}")
        else:
            message = next(self.messages)
        return ChatResult(generations=[ChatGeneration(message=message)])


def scripted(case):
    call = {"name": case["tool"], "args": case["arguments"], "id": "call_1"}
    return Scripted(messages=iter([AIMessage("", tool_calls=[call])]))


async def main():
    # docs:begin
    client = MultiServerMCPClient({"desk": {"transport": "streamable_http", "url": os.environ["REMIT_MCP_DESK"]}})
    tools = await client.get_tools()
    model = ChatOpenAI(model="my-model", base_url=os.environ["OPENAI_BASE_URL"])
    # docs:end

    async def play(case):
        listed = [tool.name for tool in await client.get_tools()]
        agent = create_agent(model if "llm" in case else scripted(case), tools)
        run = agent.ainvoke({"messages": [("user", prompt(case))]})
        result = await asyncio.wait_for(run, give_up_after(case))
        return {"listed": listed, "text": result["messages"][-1].text, "error": False}

    await play_all(play)


asyncio.run(main())
