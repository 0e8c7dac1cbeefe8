//! What must not be ended, each beside an ending that would be.

use std::process::Command;

use nix::sys::signal::Signal;

use crate::runner::Scene;
use crate::stage::{Stage, guardian, guardians, is_alive, send, throughout, until};

/// Long enough for a linger of 2 s, two graces of 1 s and the looks.
const LONG: u64 = 9;

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        ("twins::a_client_that_lives_keeps_its_server".into(), client_lives),
        ("twins::half_a_wire_is_a_wire".into(), half_a_wire),
        ("twins::a_stray_holder_of_stdin_keeps_the_server".into(), stray_holder),
        ("twins::two_holders_and_a_request_after_linger".into(), two_holders),
        ("twins::the_servers_own_half_close_is_no_event".into(), own_shutdown),
        ("twins::a_client_that_only_says_no_more_is_still_there".into(), half_close),
        ("twins::a_daemon_on_a_unix_socket_stays_with_its_worker".into(), daemon),
        ("twins::a_web_server_that_left_stays".into(), web),
        ("twins::a_worker_that_holds_the_wire_is_used_on".into(), worker),
        ("twins::a_batch_in_a_pipeline_runs_on".into(), pipeline),
        ("twins::a_batch_into_a_file_runs_on".into(), into_a_file),
        ("twins::a_killed_guardian_leaves_the_server_alone".into(), guardian_killed),
        ("twins::a_server_without_a_wire_is_left_to_itself".into(), nohup),
        ("twins::a_linger_of_the_configuration_is_waited_out".into(), configured_linger),
        ("twins::the_client_hears_that_its_server_died".into(), broken_pipe),
        ("twins::the_client_hears_that_its_server_closed_its_input".into(), closed_by_server),
    ]
}

fn client_lives(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["answer"]));
    until(10, "the guardian is there", || guardians().len() == 1);
    throughout(LONG, "the server lives", || is_alive(client.servers[0]));
    assert_eq!(client.order("ping"), "pong");
    assert_eq!(guardians().len(), 1);
    client.kill();
    until(30, "and with its client gone it goes", || !is_alive(client.servers[0]));
}

fn half_a_wire(stage: &Stage) {
    for wire in ["pipe", "socket"] {
        let mut client = stage.client(wire, &stage.guarded(&["deaf", "stay"]));
        assert_eq!(client.order("close-out"), "done");
        throughout(LONG, "its input is open", || is_alive(client.servers[0]));
        client.kill();
        until(30, "the twin ends", || !is_alive(client.servers[0]));
    }
}

fn stray_holder(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["deaf", "stay"]));
    let server = client.servers[0];
    stage.wait_for(1);
    assert_eq!(client.order("share-in"), "done");
    let stray = stage.wait_for(2).into_iter().find(|(pid, _)| *pid != server).unwrap().0;
    client.kill();
    throughout(LONG, "somebody can still write", || is_alive(server));
    send(stray, Signal::SIGKILL);
    until(30, "the last holder is gone", || !is_alive(server));
}

fn two_holders(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["answer"]));
    assert_eq!(client.order("share-in"), "done");
    throughout(LONG, "the server lives", || is_alive(client.servers[0]));
    assert_eq!(client.order("ping"), "pong");
}

fn own_shutdown(stage: &Stage) {
    let mut client = stage.client("socket", &stage.guarded(&["deaf", "shut", "stay"]));
    stage.wait_for(1);
    throughout(LONG, "its client is there", || is_alive(client.servers[0]));
    let before = crate::stage::stat(guardian(), 11).unwrap();
    client.kill();
    until(30, "its client is gone", || !is_alive(client.servers[0]));
    assert!(before.parse::<u32>().unwrap() < 20, "the guardian slept: {before} ticks");
}

/// Whether the client says no more or the server hears no more, the kernel shows the same. Neither ends anything while
/// the client is there and listens; that it is gone is seen at once.
fn half_close(stage: &Stage) {
    for server in [&["deaf", "tick", "stay"][..], &["deaf", "shut-in", "tick", "stay"]] {
        let mut client = stage.client("one-socket", &stage.guarded(server));
        stage.wait_for(1);
        if !server.contains(&"shut-in") {
            assert_eq!(client.order("shut-out"), "done");
        }
        throughout(LONG, "its client listens", || is_alive(client.servers[0]) && guardians().len() == 1);
        assert_eq!(client.order("listen"), "tick");
        client.kill();
        until(20, "its client is gone", || !is_alive(client.servers[0]) && guardians().is_empty());
    }
}

fn daemon(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["deaf", "daemon", "helper", "stay"]));
    let server = client.servers[0];
    stage.wait_for(4);
    client.kill();
    until(30, "the server and its helper are gone", || stage.left().len() == 2 && !is_alive(server));
    throughout(3, "the daemon and its worker stay", || stage.left().len() == 2);
    assert!(stage.left().iter().any(|(_, does)| does.contains("listen-unix")));
    until(30, "the guardian has left", || guardians().is_empty());
}

fn web(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["deaf", "web", "stay"]));
    let server = client.servers[0];
    stage.wait_for(2);
    client.kill();
    until(30, "the server is gone", || !is_alive(server));
    throughout(3, "what listens stays", || stage.left().len() == 1);
}

/// The root ends, and a worker goes on with its wire.
fn worker(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["worker-takes-over"]));
    let root = client.servers[0];
    stage.wait_for(1);
    until(10, "the root has ended", || !is_alive(root));
    throughout(LONG, "the worker serves", || stage.left().len() == 1);
    assert_eq!(client.order("ping"), "pong");
    assert_eq!(guardians().len(), 1);
    client.kill();
    until(30, "and ends with the wire", || stage.left().is_empty() && guardians().is_empty());
}

/// `printf ... | mcp-reap exec -- server | reader`: slower than linger.
fn pipeline(stage: &Stage) {
    batch(stage, "| cat");
}

fn into_a_file(stage: &Stage) {
    batch(stage, &format!("> {}", stage.dir.join("batch").display()));
}

fn batch(stage: &Stage, into: &str) {
    stage.configure("1s");
    let slow = "cat >/dev/null; trap '' TERM; sleep 8; echo done";
    let exec = format!("{} exec --linger 1s -- sh -c '{slow}'", stage.mcp_reap());
    let line = format!("printf 'request\\n' | {exec} {into}");
    let out = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    let written = match into.strip_prefix("> ") {
        Some(file) => std::fs::read_to_string(file).unwrap(),
        None => String::from_utf8(out.stdout).unwrap(),
    };
    assert_eq!(written, "done\n");
    until(10, "the guardian has left", || guardians().is_empty());
}

fn guardian_killed(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["answer"]));
    until(10, "the guardian is there", || guardians().len() == 1);
    send(guardian(), Signal::SIGKILL);
    until(10, "it is gone", || guardians().is_empty());
    throughout(2, "the server lives", || is_alive(client.servers[0]));
    assert_eq!(client.order("ping"), "pong");
}

/// `nohup mcp-reap exec -- http-server &`, and the terminal goes.
fn nohup(stage: &Stage) {
    let mut client = stage.client("null", &stage.guarded(&["deaf", "listen-tcp", "stay"]));
    stage.wait_for(1);
    client.kill();
    until(20, "the guardian has judged once and left", || guardians().is_empty());
    throughout(3, "the server stays", || is_alive(client.servers[0]));
}

/// A guardian has no end of the wire, so nobody reads where the server does not.
fn broken_pipe(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["stay"]));
    stage.wait_for(1);
    send(client.servers[0], Signal::SIGKILL);
    assert_eq!(client.order("broken"), "true");
}

fn closed_by_server(stage: &Stage) {
    for (wire, does) in [("pipe", "close-in"), ("pipe", "null-in"), ("socket", "close-in")] {
        let mut client = stage.client(wire, &stage.guarded(&["deaf", does, "stay"]));
        let server = client.servers[0];
        stage.wait_for(1);
        assert_eq!(client.order("broken"), "true", "{wire} {does}");
        throughout(1, "that is no event", || is_alive(server) && guardians().len() == 1);
        client.kill();
        throughout(4, "and proves nothing of the server", || is_alive(server) && guardians().len() == 1);
        send(server, Signal::SIGKILL);
        until(10, "the guardian has left", || guardians().is_empty());
    }
}

/// Without the flag the configuration says how long its client may read on.
fn configured_linger(stage: &Stage) {
    let mut server = stage.guarded(&["stay"]);
    server.drain(2..4);
    let mut client = stage.client("pipe", &server);
    let config = stage.dir.join("home/.config/mcp-reap/config.toml");
    std::fs::write(config, "[reap]\ngrace = \"1s\"\n[exec]\nlinger = \"6s\"\n").unwrap();
    stage.wait_for(1);
    assert_eq!(client.order("close-in"), "done");
    throughout(5, "its client still reads", || is_alive(client.servers[0]));
    until(30, "it goes long before the default of 60 s", || !is_alive(client.servers[0]));
}
