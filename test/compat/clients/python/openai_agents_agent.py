"""An agent on the OpenAI Agents SDK."""

import asyncio
import os

# docs:begin
from agents import set_tracing_disabled
from agents.mcp import MCPServerStreamableHttp

set_tracing_disabled(True)  # else it sends its traces to its vendor
desk = MCPServerStreamableHttp(
    params={"url": os.environ["REMIT_MCP_DESK"]},
    cache_tools_list=True,  # else a server that ends takes the run with it, before the model hears of it
    client_session_timeout_seconds=60,  # else a call that takes more than 5 seconds is given up
)
# docs:end

from openai_agents_play import play_with

asyncio.run(play_with(desk))
