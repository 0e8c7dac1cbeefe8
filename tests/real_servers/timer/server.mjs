#!/usr/bin/env node
// The commonest leak: a healthy server that also does something now and then. The SDK ends nothing
// when stdin ends, and the timer keeps Node alive.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";

const server = new McpServer({ name: "timer", version: "0.0.0" });
server.registerTool("now", { description: "The time" }, async () => ({
  content: [{ type: "text", text: new Date().toISOString() }],
}));
await server.connect(new StdioServerTransport());
setInterval(() => {}, 60_000);
