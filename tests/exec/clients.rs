//! `exec -- codex`: when a client ends, by any signal, what its session left is looked at.

use std::process::Command;

use nix::sys::signal::Signal;

use crate::parts::PART;
use crate::runner::Scene;
use crate::stage::{Client, Stage, guardians, is_alive, send, throughout, until};

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        ("clients::the_session_is_swept_after_a_client_that_was_killed".into(), killed),
        ("clients::a_client_that_lives_keeps_all_it_started".into(), lives),
    ]
}

/// A client under exec, with a bare server that is known by its name.
fn session(stage: &Stage) -> Client {
    let server = stage.dir.join("bin/mcp-server-notes");
    std::fs::hard_link(std::env::current_exe().unwrap(), &server).unwrap();
    let mut client = Command::new(stage.mcp_reap());
    client.args(["exec", "--"]).arg(stage.dir.join("bin/codex")).env(PART, "client");
    let line = [server.to_str().unwrap().to_owned(), "deaf".into(), "daemon".into(), "stay".into()];
    let client = stage.client_with("pipe", &line, 1, client);
    stage.wait_for(3);
    until(10, "it is guarded", || guardians().len() == 1);
    client
}

fn killed(stage: &Stage) {
    let client = session(stage);
    let server = client.servers[0];
    send(client.child.id(), Signal::SIGKILL);
    until(40, "its server is ended", || !is_alive(server));
    throughout(2, "the daemon and its worker stay", || stage.left().len() == 2);
    until(60, "the guardian has left", || guardians().is_empty());
}

fn lives(stage: &Stage) {
    let mut client = session(stage);
    // Its own parent, its stdin and its terminal are no business of this guardian.
    assert_eq!(client.order("close-out"), "done");
    throughout(8, "the session goes on", || is_alive(client.servers[0]) && guardians().len() == 1);
}
