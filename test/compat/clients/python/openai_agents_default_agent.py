"""An agent on the OpenAI Agents SDK that gives its servers as long as the SDK does when nobody says otherwise."""

import asyncio
import os

# docs:begin
from agents import set_tracing_disabled
from agents.mcp import MCPServerStreamableHttp

set_tracing_disabled(True)
desk = MCPServerStreamableHttp(params={"url": os.environ["REMIT_MCP_DESK"]}, cache_tools_list=True)
# docs:end

from openai_agents_play import play_with

asyncio.run(play_with(desk))
