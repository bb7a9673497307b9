"""An agent on the Claude Agent SDK."""

import asyncio
import os

# Nothing of what this machine's user has: neither settings nor credentials.
KEPT = {"PATH", "HOME", "REMIT_MCP_DESK", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"}
for name in set(os.environ) - KEPT:
    del os.environ[name]

# docs:begin
from claude_agent_sdk import ClaudeAgentOptions, query

options = ClaudeAgentOptions(
    mcp_servers={"desk": {"type": "http", "url": os.environ["REMIT_MCP_DESK"]}},
    allowed_tools=["mcp__desk"],  # nobody is there to be asked; who may do what is the gate's business
    strict_mcp_config=True,
    setting_sources=[],  # neither of the user nor of the folder
    tools=[],  # what it brings itself would not pass the gate
    model="my-model",
    env={"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
)
# docs:end

from claude_agent_sdk import AssistantMessage, ResultMessage, SystemMessage

from common import give_up_after, play_all, prompt

PREFIX = "mcp__desk__"


async def play(case):
    listed, text, error = [], "", True
    named = {**case, "tool": PREFIX + case["tool"]}
    patience = give_up_after(case)
    async with asyncio.timeout(None) as limit:
        async for message in query(prompt=prompt(named), options=options):
            if isinstance(message, SystemMessage) and message.subtype == "init":
                names = message.data["tools"]
                listed = [name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX)]
            elif isinstance(message, AssistantMessage) and patience:
                # From the call on: until then it starts a program of its own, which takes seconds.
                limit.reschedule(asyncio.get_running_loop().time() + patience)
            elif isinstance(message, ResultMessage):
                text, error = message.result or "", message.is_error
    return {"listed": listed, "text": text, "error": error}


asyncio.run(play_all(play))
