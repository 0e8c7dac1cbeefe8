#!/usr/bin/env node
// Starts mcp-reap. npm has put the program for this machine beside this package, as an optional dependency; nothing is
// downloaded here, and nothing is run at an install.
"use strict";

const { spawn } = require("child_process");
const { constants } = require("os");
const { isatty } = require("tty");

const machine = `${process.platform}-${process.arch}`;
const name = `@mcp-reap/${machine}`;
const args = process.argv.slice(2);

// 2: nothing was ended. A client's hook takes 2 for a veto, so a hook that cannot run ends with 1.
function fail(...lines) {
  console.error(`mcp-reap: ${lines.join("\n")}`);
  process.exit(args[0] === "hook" && args[1] === "run" ? 1 : 2);
}

function program() {
  const known = require("../package.json").optionalDependencies;
  if (!(name in known)) {
    const there = Object.keys(known).map((one) => one.split("/")[1]);
    fail(
      `there is no program for ${machine}, only for ${there.join(", ")}`,
      process.platform === "win32" ? "Inside WSL it is a Linux program: run npx there." : "Other ways to install it: https://github.com/mcp-reap/mcp-reap/blob/main/docs/install.md",
    );
  }
  try {
    return require.resolve(`${name}/bin/mcp-reap`);
  } catch {
    return fail(
      `the package ${name}, which has the program for this machine, is not installed`,
      "npm leaves it out under --omit=optional, --no-optional and `omit=optional` in .npmrc, and when node_modules was",
      "copied from another kind of machine. Install mcp-reap again, here and without these.",
    );
  }
}

const file = program();
let child;
// Before the program is there, since it may be told to end in its first moment.
for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"]) {
  process.on(signal, () => {
    // A terminal sends these two to the program as well; a server behind `exec` may count how many come.
    const came = (signal === "SIGINT" || signal === "SIGQUIT") && isatty(0);
    if (!came) child.kill(signal);
  });
}
// Everything inherited: the program has this terminal, or these pipes.
child = spawn(file, args, { stdio: "inherit" });
child.on("error", (error) => fail(`${file} does not start: ${error.message}`));
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  // Dies of the same signal, so that whoever waits for this process sees it.
  process.removeAllListeners(signal);
  process.exitCode = 128 + constants.signals[signal];
  process.kill(process.pid, signal);
});
