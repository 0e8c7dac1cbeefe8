//! The shapes in which servers are started, with the command lines they have in real life.

use crate::role::{Actor, Play};
use crate::wire::Wire;

/// `npx -y PACKAGE`: npm, which rewrites its title to one NUL-padded string; a shell; the server.
/// Tags: `TAG`, `TAG.sh`, `TAG.node`.
pub(crate) fn npx(tag: &str, package: &str, bin: &str) -> Actor {
    let title = format!("npm exec {package}");
    // What is left of the longer argv that npm was started with.
    let npm = Actor::new(tag, "node", &[&title, "", "", "", "", ""], Play::Launch).on(Wire::Socketpair);
    let comm = title.get(..15).unwrap_or(&title).to_owned();
    let path = format!("/home/u/.npm/_npx/9f31c2ab70d5e846/node_modules/.bin/{bin}");
    npm.but(|a| a.comm = Some(comm.clone())).above([Actor::new(
        &format!("{tag}.sh"),
        "sh",
        &["sh", "-c", bin],
        Play::Launch,
    )
    .above([Actor::new(&format!("{tag}.node"), "node", &["node", &path], Play::ServeOn)])])
}

/// The npx tree of the memory server.
pub(crate) fn memory(tag: &str) -> Actor {
    npx(tag, "@modelcontextprotocol/server-memory", "mcp-server-memory")
}

/// `npx chrome-devtools-mcp` with its browser. Further tag: `TAG.chrome`.
pub(crate) fn devtools(tag: &str) -> Actor {
    let mut tree = npx(tag, "chrome-devtools-mcp@latest", "chrome-devtools-mcp");
    let profile = "--user-data-dir=/home/u/.cache/chrome-devtools-mcp/chrome-profile";
    let chrome = ["/opt/google/chrome/chrome", "--headless", profile, "about:blank"];
    let chrome = Actor::new(&format!("{tag}.chrome"), "chrome", &chrome, Play::Idle).on(Wire::Null);
    tree.below[0].below[0].below.push(chrome);
    tree
}

/// A server that is a child of its client, without a launcher: `node .../index.js`.
pub(crate) fn node(tag: &str) -> Actor {
    let script = "/home/u/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js";
    Actor::new(tag, "node", &["node", script, "/home/u/project"], Play::ServeOn).on(Wire::Socketpair)
}

/// `uvx mcp-server-time`: uv with its absolute path, and the environment's python. Further tag: `TAG.python`.
pub(crate) fn uvx(tag: &str) -> Actor {
    let python = "/home/u/.cache/uv/archive-v0/Xk2Qw9vTz7/bin/python";
    let script = "/home/u/.cache/uv/archive-v0/Xk2Qw9vTz7/bin/mcp-server-time";
    let uv =
        Actor::new(tag, "uv", &["/home/u/.local/bin/uv", "tool", "uvx", "mcp-server-time"], Play::Launch);
    uv.on(Wire::Pipe).above([Actor::new(
        &format!("{tag}.python"),
        "python3.12",
        &[python, script],
        Play::ServeOn,
    )])
}

/// `python -m mcp_server_fetch`, as a Python client starts it: pipes and a session of its own.
pub(crate) fn python(tag: &str) -> Actor {
    let argv = ["/usr/bin/python3", "-m", "mcp_server_fetch"];
    Actor::new(tag, "python3", &argv, Play::ServeOn).on(Wire::Pipe).but(|a| a.own_session = true)
}

/// A program of the person's that has nothing to do with MCP.
pub(crate) fn bystander(tag: &str) -> Actor {
    Actor::new(tag, "node", &["node", "/home/u/shop/server.js"], Play::Idle).on(Wire::Null)
}
