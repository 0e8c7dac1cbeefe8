"""A server on the official SDK with a thread of its own, which outlives the end of its input."""

import threading

from mcp.server.mcpserver import MCPServer

server = MCPServer("thread")


@server.tool()
def add(a: int, b: int) -> int:
    """The sum."""
    return a + b


threading.Thread(target=threading.Event().wait).start()
server.run("stdio")
