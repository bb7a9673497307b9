"""An agent on the Python SDK."""

import asyncio
import os

from mcp import Client

from common import give_up_after, play_all, told


async def main():
    # docs:begin
    async with Client(os.environ["REMIT_MCP_DESK"]) as client:
        # docs:end
        async def play(case):
            heard = 0

            async def on_progress(*_):
                nonlocal heard
                heard += 1

            listed = [tool.name for tool in (await client.list_tools()).tools]
            call = client.call_tool(case["tool"], case["arguments"], progress_callback=on_progress)
            try:
                result = await asyncio.wait_for(call, give_up_after(case))
            except Exception as error:
                return {"listed": listed, "text": told(error), "error": True, "progress": heard}
            text = "".join(part.text for part in result.content)
            return {"listed": listed, "text": text, "error": bool(result.is_error), "progress": heard}

        await play_all(play)


asyncio.run(main())
