//! What the person decided counts: the allowlist, their own servers, detached ones.

use std::fs;

use serde_json::json;

use crate::role::{Actor, Play};
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};
use crate::wire::Wire;

pub(crate) fn the_allowlist_of_the_file_protects_the_whole_instance(stage: &Stage) {
    let named = stage.orphan(&shapes::memory("m"));
    let by_helper = stage.orphan(&shapes::devtools("d"));
    let other = stage.orphan(&shapes::uvx("u"));
    stage.configure(
        "[[allow]]\nname = \"*server-memory\"\nreason = \"kept on purpose\"\n\n[[allow]]\nexe = \"*/bin/chrome\"\n",
    );
    let plan = stage.plan();
    for who in named.iter().chain(&by_helper) {
        assert_eq!(plan.must_have(*who).verdict(), "allowed");
        assert!(!plan.must_have(*who).reap());
    }
    stage.reap();
    all_alive(&[named, by_helper].concat());
    all_dead(&other);
}

pub(crate) fn the_allowlist_of_the_command_line_protects(stage: &Stage) {
    let kept = stage.orphan(&shapes::memory("m"));
    let other = stage.orphan(&shapes::uvx("u"));
    stage.run(&["--yes", "--min-age", "0s", "--grace", "1s", "--allow", "*server-memory*"]).exits(0);
    all_alive(&kept);
    all_dead(&other);
    stage.reap();
    all_dead(&kept);
}

/// A server whose command line says nothing of MCP.
fn notes(tag: &str) -> Actor {
    Actor::new(tag, "node", &["node", "/home/u/notes/dist/index.js", "--stdio"], Play::ServeOn)
        .on(Wire::Socketpair)
}

pub(crate) fn a_server_of_the_persons_own_is_found_by_its_client_config(stage: &Stage) {
    let cast = stage.orphan(&notes("n"));
    assert!(stage.plan().instance(cast[0]).is_none(), "nothing says yet that it is a server");
    let servers = json!({"mcpServers": {"notes": {"command": "node", "args": ["/home/u/notes/dist/index.js", "--stdio"]}}});
    fs::write(stage.home().join(".claude.json"), servers.to_string()).unwrap();
    assert_eq!(stage.plan().must_have(cast[0]).verdict(), "orphaned");
    stage.reap();
    all_dead(&cast);
}

pub(crate) fn a_server_of_the_persons_own_is_found_by_a_rule(stage: &Stage) {
    let argv = ["/usr/bin/python3", "/home/u/bin/notes-server.py"];
    let actor = Actor::new("n", "python3", &argv, Play::ServeOn).on(Wire::Pipe);
    let cast = stage.orphan(&actor);
    stage.configure("[[server]]\nname = \"my-notes\"\nprogram = \"notes-server.py\"\n");
    let plan = stage.plan();
    assert_eq!(plan.must_have(cast[0]).0["server"], "my-notes");
    stage.reap();
    all_dead(&cast);
}

pub(crate) fn detached_servers_go_only_when_asked(stage: &Stage) {
    let argv = ["node", "/home/u/node_modules/.bin/mcp-server-everything", "sse"];
    let cast =
        stage.orphan(&Actor::new("http", "node", &argv, Play::Idle).on(Wire::Null).but(|a| a.listens = true));
    stage.reap();
    all_alive(&cast);
    stage.configure("[reap]\ndetached = true\n");
    stage.reap();
    all_dead(&cast);
}
