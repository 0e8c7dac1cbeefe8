// A client on the official TypeScript SDK. Its first argument names the servers:
// {"name": {"command": ..., "args": [...]}}. It connects to all, says "ready", and then answers
// lines on stdin: "list" (ask every connected server for its tools) and "close NAME".
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

// The SDK gives a server 60 s to start; a busy machine that starts twenty needs more.
const patience = { timeout: 300_000 };
const connected = new Map();

async function connect(name, server) {
  const client = new Client({ name: "real-servers", version: "0.0.0" });
  // Hosts that pass their whole environment on; the SDK alone would pass only a few variables.
  await client.connect(new StdioClientTransport({ ...server, env: process.env, stderr: "ignore" }), patience);
  connected.set(name, client);
}

async function list() {
  const counts = {};
  for (const [name, client] of connected) {
    counts[name] = (await client.listTools(undefined, patience)).tools.length;
  }
  return JSON.stringify(counts);
}

const servers = JSON.parse(process.argv[2]);
await Promise.all(Object.entries(servers).map(([name, server]) => connect(name, server)));
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [verb, name] = line.split(" ");
  if (verb === "list") {
    console.log(await list());
  } else {
    await connected.get(name).close();
    connected.delete(name);
    console.log("closed");
  }
}
