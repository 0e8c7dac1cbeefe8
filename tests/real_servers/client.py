"""A client on the official Python SDK; speaks like client.mjs, without "close"."""

import asyncio
import json
import os
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

sessions: dict[str, ClientSession] = {}


async def hold(name: str, server: dict, connected: asyncio.Event) -> None:
    """One server's connection, from its start on: the SDK wants it opened and closed in one task."""
    how = StdioServerParameters(**server, env=dict(os.environ))
    with open(os.devnull, "w") as null:
        async with stdio_client(how, errlog=null) as streams, ClientSession(*streams) as session:
            await session.initialize()
            sessions[name] = session
            connected.set()
            await asyncio.Event().wait()


async def main() -> None:
    """Connects to all servers of the first argument, then answers lines on stdin."""
    servers = json.loads(sys.argv[1])
    async with asyncio.TaskGroup() as tasks:
        connected = {name: asyncio.Event() for name in servers}
        for name, server in servers.items():
            tasks.create_task(hold(name, server, connected[name]))
        for event in connected.values():
            await event.wait()
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            assert line.strip() == "list", line
            counts = {name: len((await session.list_tools()).tools) for name, session in sessions.items()}
            print(json.dumps(counts), flush=True)


asyncio.run(main())
