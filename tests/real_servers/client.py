"""A client on the official Python SDK; speaks like client.mjs."""

import asyncio
import contextlib
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main() -> None:
    """Connects to all servers of the first argument, then answers lines on stdin."""
    async with contextlib.AsyncExitStack() as stack:
        null = stack.enter_context(open(os.devnull, "w"))
        sessions = {}
        for name, server in json.loads(sys.argv[1]).items():
            how = StdioServerParameters(**server, env=dict(os.environ))
            streams = await stack.enter_async_context(stdio_client(how, errlog=null))
            session = await stack.enter_async_context(ClientSession(*streams))
            await session.initialize()
            sessions[name] = session
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            assert line.strip() == "list", line
            counts = {name: len((await session.list_tools()).tools) for name, session in sessions.items()}
            print(json.dumps(counts), flush=True)


asyncio.run(main())
