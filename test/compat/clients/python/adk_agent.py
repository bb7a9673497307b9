"""An agent on the Google ADK."""

import asyncio
import os

# docs:begin
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the internet for prices as it is imported
from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.tools.mcp_tool import McpToolset, StreamableHTTPConnectionParams

desk = McpToolset(
    connection_params=StreamableHTTPConnectionParams(url=os.environ["REMIT_MCP_DESK"], timeout=60)
)
model = LiteLlm(model="openai/my-model", api_base=os.environ["OPENAI_BASE_URL"])
# docs:end

from google.adk.models import BaseLlm, LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types

from common import give_up_after, play_all, prompt


class Scripted(BaseLlm):
    """Calls the tool of a case, then says what it said."""

    case: dict

    async def generate_content_async(self, llm_request, stream=False):
        last = llm_request.contents[-1].parts[0]
        if last.function_response:
            part = types.Part(text=f"The tool said: {last.function_response.response}")
        else:
            call = types.FunctionCall(name=self.case["tool"], args=self.case["arguments"])
            part = types.Part(function_call=call)
        yield LlmResponse(content=types.Content(role="model", parts=[part]))


async def run(case):
    thinks = model if "llm" in case else Scripted(model="scripted", case=case)
    agent = LlmAgent(name="my_agent", model=thinks, tools=[desk])
    runner = InMemoryRunner(agent=agent, app_name="my_app")
    session = await runner.session_service.create_session(app_name="my_app", user_id="me")
    said = types.Content(role="user", parts=[types.Part(text=prompt(case))])
    text = ""
    async for event in runner.run_async(user_id="me", session_id=session.id, new_message=said):
        if event.content:
            text = "".join(part.text or "" for part in event.content.parts) or text
    return text


async def main():
    async def play(case):
        listed = [tool.name for tool in await desk.get_tools()]
        text = await asyncio.wait_for(run(case), give_up_after(case))
        return {"listed": listed, "text": text, "error": False}

    await play_all(play)
    await desk.close()


asyncio.run(main())
