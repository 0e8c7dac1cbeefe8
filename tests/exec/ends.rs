//! Six ways in which a conversation ends, against a server that hears neither end of input nor SIGTERM and
//! has a helper that left its tree and hears as little: bare something is left, under `exec` nothing.

use std::process::{Command, Stdio};

use crate::parts::part;
use crate::runner::Scene;
use crate::stage::{Client, Stage, guardians, until};

/// Within so many seconds nothing is left: a grace to leave, a linger, a grace after SIGTERM and the looks.
const WITHIN: u64 = 40;

pub(crate) fn scenes() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = vec![
        ("ends::nothing_is_left_ten_seconds_after_the_kill_of_the_client".into(), ten_seconds),
        ("ends::two_hundred_whose_clients_die_together".into(), two_hundred),
        ("ends::a_root_that_is_killed_leaves_nothing_without_a_wire_either".into(), silent_helper),
        ("ends::a_client_that_shut_its_socket_both_ways_has_its_linger".into(), shut_both_ways),
        ("ends::an_obedient_server_takes_its_guardian_with_it_at_once".into(), obedient),
        ("ends::a_server_that_nobody_seems_to_own_is_left_to_itself".into(), gone_before),
    ];
    macro_rules! endings {
        ($($name:ident),*) => { $(
            scenes.push((concat!("ends::pipe::", stringify!($name)).into(), |stage| play(stage, "pipe", $name)));
            scenes.push((concat!("ends::socket::", stringify!($name)).into(), |stage| play(stage, "socket", $name)));
        )* };
    }
    endings!(client_killed, wire_closed, int_term_kill, child_killed, stdin_closed, terminal_gone);
    scenes
}

type Ending = fn(&Stage, &str, &[String]) -> Client;

/// Bare first: what an ending leaves there is what exec has to end.
fn play(stage: &Stage, wire: &str, ending: Ending) {
    let _bare = ending(stage, wire, &stage.bare(&["deaf", "helper", "stay"]));
    until(20, "bare, somebody is there", || !stage.left().is_empty());
    std::thread::sleep(std::time::Duration::from_secs(2));
    let left = stage.left();
    assert!(!left.is_empty(), "bare, nothing was left: this ending shows nothing");
    let _guarded = ending(stage, wire, &stage.guarded(&["deaf", "helper", "stay"]));
    until(WITHIN, "under exec, nothing is left", || stage.left() == left && guardians().is_empty());
    assert!(stage.audit().contains("\"started_by\":\"exec\""));
    assert!(stage.audit().contains("\"event\":\"run-finished\""));
}

fn with_two(stage: &Stage, wire: &str, server: &[String], mut client: Command) -> Client {
    client.stderr(Stdio::inherit());
    let before = stage.left().len();
    let client = stage.client_with(wire, server, 1, client);
    stage.wait_for(before + 2);
    client
}

fn client_killed(stage: &Stage, wire: &str, server: &[String]) -> Client {
    let mut client = with_two(stage, wire, server, part("client"));
    client.kill();
    client
}

fn order(stage: &Stage, wire: &str, server: &[String], order: &str) -> Client {
    let mut client = with_two(stage, wire, server, part("client"));
    assert_eq!(client.order(order), "done");
    client
}

fn wire_closed(stage: &Stage, wire: &str, server: &[String]) -> Client {
    order(stage, wire, server, "close")
}

fn int_term_kill(stage: &Stage, wire: &str, server: &[String]) -> Client {
    order(stage, wire, server, "int-term-kill")
}

fn child_killed(stage: &Stage, wire: &str, server: &[String]) -> Client {
    let mut client = order(stage, wire, server, "kill-child");
    assert_eq!(client.order("close"), "done");
    client
}

fn stdin_closed(stage: &Stage, wire: &str, server: &[String]) -> Client {
    order(stage, wire, server, "close-in")
}

/// The client's terminal closes: its session hears SIGHUP, which ends the client.
fn terminal_gone(stage: &Stage, wire: &str, server: &[String]) -> Client {
    let terminal = nix::pty::openpty(None, None).unwrap();
    for end in [&terminal.master, &terminal.slave] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC).unwrap();
    }
    // The leader of a session without a terminal gets the one that it opens.
    let mut client = Command::new("setsid");
    let inner = part("client");
    client.args(["sh", "-c", &format!("exec \"$@\" <{}", tty_name(&terminal.slave)), "sh"]);
    client.arg(inner.get_program()).envs(inner.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let client = with_two(stage, wire, server, client);
    drop(terminal);
    let pid = client.child.id();
    until(20, "the client ends with its terminal", || !crate::stage::is_alive(pid));
    client
}

fn tty_name(slave: &std::os::fd::OwnedFd) -> String {
    nix::unistd::ttyname(slave).unwrap().to_str().unwrap().to_owned()
}

fn ten_seconds(stage: &Stage) {
    let mut client = with_two(stage, "pipe", &stage.guarded(&["deaf", "helper", "stay"]), part("client"));
    // What nobody configured: a grace of 5 s.
    std::fs::remove_file(stage.dir.join("home/.config/mcp-reap/config.toml")).unwrap();
    client.kill();
    until(10, "nothing is left", || stage.left().is_empty());
    until(2, "the guardian has left", || guardians().is_empty());
}

fn two_hundred(stage: &Stage) {
    let server = stage.guarded(&["deaf", "stay"]);
    let mut client = stage.client_with("pipe", &server, 200, part("client"));
    until(60, "all are there", || stage.left().len() == 200);
    assert_eq!(guardians().len(), 200);
    client.kill();
    let took = until(240, "nothing is left", || stage.left().is_empty());
    until(20, "the guardians have left", || guardians().is_empty());
    println!("200 after {took:?}");
    assert_eq!(stage.audit().matches("\"event\":\"run-started\"").count(), 200);
    assert!(stage.audit().lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

fn silent_helper(stage: &Stage) {
    let mut client =
        with_two(stage, "pipe", &stage.guarded(&["deaf", "silent-helper", "stay"]), part("client"));
    assert_eq!(client.order("kill-child"), "done");
    until(WITHIN, "nothing is left", || stage.left().is_empty() && guardians().is_empty());
}

/// It lives and keeps the descriptor, and nobody can say anything any more.
fn shut_both_ways(stage: &Stage) {
    let mut client =
        with_two(stage, "one-socket", &stage.guarded(&["deaf", "silent-helper", "stay"]), part("client"));
    assert_eq!(client.order("shut-both"), "done");
    crate::stage::throughout(1, "for linger nothing happens", || stage.left().len() == 2);
    until(WITHIN, "nothing is left", || stage.left().is_empty() && guardians().is_empty());
    assert!(crate::stage::is_alive(client.child.id()), "its client lives");
    assert!(stage.audit().contains("\"disconnected\""), "{}", stage.audit());
}

fn obedient(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["obedient"]));
    stage.wait_for(1);
    assert_eq!(guardians().len(), 1);
    client.kill();
    until(3, "both have left", || stage.left().is_empty() && guardians().is_empty());
    assert_eq!(stage.audit(), "", "nobody was ended");
}

/// Its parent ended before exec looked: that is the adopter now, which never ends.
fn gone_before(stage: &Stage) {
    stage.configure("1s");
    let line =
        format!("{} <{} >/dev/null & exec true", stage.guarded(&["deaf", "stay"]).join(" "), "/dev/zero");
    let mut shell = Command::new("sh");
    assert!(shell.args(["-c", &line]).env(crate::parts::PART, "server").status().unwrap().success());
    let server = stage.wait_for(1)[0].0;
    crate::stage::throughout(5, "nothing proves that nobody wants it", || stage.left().len() == 1);
    crate::stage::send(server, nix::sys::signal::Signal::SIGKILL);
    until(20, "its guardian leaves with it", || guardians().is_empty());
}
