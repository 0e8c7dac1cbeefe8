//! Sessions that begin and end, and what the hook makes of it.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::look::{self, Who};
use crate::puppet::Order;
use crate::role::{Actor, Play};
use crate::shapes;
use crate::stage::{Client, Stage, all_alive, all_dead};
use crate::wire::Wire;

/// What a call may take. A tenth of it is usual; a machine that runs all scenes at once may take longer
/// than the 200 ms that a client is promised.
const SOON: Duration = Duration::from_secs(1);

/// A session as the client tells of it.
fn event(name: &str, session: &str, why: (&str, &str)) -> String {
    let (key, value) = why;
    json!({
        "session_id": session, "transcript_path": "/home/u/t.jsonl", "cwd": "/home/u/p",
        "hook_event_name": name, key: value,
    })
    .to_string()
}

/// The client calls its hook, which is there for a moment and silent.
fn call(stage: &Stage, client: Option<&Client>, input: &str) {
    let mut command = stage.command(&["hook", "run"]);
    command.envs(client.map(|client| ("CLAUDE_PID", client.who.pid.to_string())));
    command.env("CLAUDE_CODE_CHILD_SESSION", "1");
    // Hooks lead a session of their own; here, their process group.
    command.process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let begun = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    to.write_all(input.as_bytes()).unwrap();
    // The client keeps the pipe open. What the hook started must not hold the others, or this waits for it.
    let output = child.wait_with_output().unwrap();
    drop(to);
    let took = begun.elapsed();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"", "it would go into the model's context");
    // One line to a person who called it by hand; nothing to a client.
    let is_event = serde_json::from_str::<serde_json::Value>(input)
        .is_ok_and(|event| event["hook_event_name"].is_string());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().count(), usize::from(!is_event), "{input}: {said}");
    assert!(took < SOON, "the client waited {took:?}");
    eprintln!("a call took {took:?}");
}

fn ends(stage: &Stage, client: &Client, session: &str) {
    call(stage, Some(client), &event("SessionEnd", session, ("reason", "other")));
}

/// Ages count from a server's start, and the scenes have no minute.
fn impatient(stage: &Stage) {
    stage.configure("[reap]\nmin_age = \"0s\"\ngrace = \"1s\"\n");
}

/// What stays of calls.
fn watchers() -> Vec<Who> {
    look::everyone().into_iter().filter(|s| s.comm == "mcp-reap" && s.state != 'Z').map(|s| s.who).collect()
}

/// Waits until nothing of mcp-reap runs any more.
fn all_quiet() {
    assert!(look::within(Duration::from_secs(30), || watchers().is_empty()), "still there: {:?}", watchers());
}

/// A client and its servers in the process group of the client, as Claude Code has them.
fn session(stage: &Stage, name: &str) -> (Client, Vec<Who>) {
    session_of(stage, name, "claude", &["claude"])
}

/// The same of any client.
fn session_of(stage: &Stage, name: &str, exe: &str, argv: &[&str]) -> (Client, Vec<Who>) {
    let tree = shapes::memory(&format!("{name}.m"));
    let lone = shapes::node(&format!("{name}.n"));
    let actor = Actor::new(name, exe, argv, Play::Client).on(Wire::Pipe);
    let client = stage.start_client(actor.above([tree.clone(), lone.clone()]));
    (client, [stage.cast(&tree), stage.cast(&lone)].concat())
}

pub(crate) fn what_a_session_left_goes_after_its_client_and_nothing_else(stage: &Stage) {
    impatient(stage);
    let (client, left) = session(stage, "ended");
    let (other, others) = session(stage, "other");
    // No business of this session's: an orphan that was there before.
    let older = stage.orphan(&shapes::memory("older"));
    ends(stage, &client, "s-1");
    assert_eq!(watchers().len(), 1);
    all_alive(&left);
    assert!(stage.audit().0.is_empty(), "the client lives");
    stage.kill_client(&client);
    all_quiet();
    all_dead(&left);
    all_alive(&[others, older, vec![other.who]].concat());
    stage.ping(&other, "other.n");
    let audit = stage.audit();
    audit.is_sound();
    assert!(audit.of("run-started").iter().all(|line| line["started_by"] == "hook"));
    assert_eq!(audit.of("run-started").len(), 1, "a look that finds nothing is no run");
    audit.is_silent_about(&stage.cast(&shapes::memory("older")));
}

pub(crate) fn a_client_that_lives_on_keeps_everything(stage: &Stage) {
    impatient(stage);
    let (client, servers) = session(stage, "claude");
    let orphan = stage.orphan(&shapes::memory("older"));
    ends(stage, &client, "s-1");
    // Longer than the time after which it would look.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(watchers().len(), 1, "it waits for the client");
    all_alive(&[servers, orphan].concat());
    stage.ping(&client, "claude.n");
    assert!(stage.audit().0.is_empty());
}

pub(crate) fn a_session_that_is_cleared_or_resumed_leaves_nothing(stage: &Stage) {
    impatient(stage);
    let (client, servers) = session(stage, "claude");
    let orphan = stage.orphan(&shapes::memory("older"));
    for reason in ["clear", "resume"] {
        call(stage, Some(&client), &event("SessionEnd", "s-1", ("reason", reason)));
    }
    for source in ["clear", "compact"] {
        call(stage, Some(&client), &event("SessionStart", "s-1", ("source", source)));
    }
    call(stage, Some(&client), &event("Stop", "s-1", ("reason", "other")));
    assert_eq!(watchers(), [], "nothing stays behind");
    all_alive(&[servers, orphan].concat());
    assert!(stage.audit().0.is_empty());
}

pub(crate) fn three_sessions_end_at_once(stage: &Stage) {
    impatient(stage);
    let ended: Vec<_> = ["one", "two", "three"].map(|name| (name, session(stage, name))).into();
    let (alive, servers) = session(stage, "alive");
    for (name, (client, _)) in &ended {
        ends(stage, client, name);
    }
    assert_eq!(watchers().len(), 3);
    for (_, (client, _)) in &ended {
        stage.kill_client(client);
    }
    all_quiet();
    for (_, (_, left)) in &ended {
        all_dead(left);
    }
    all_alive(&servers);
    stage.ping(&alive, "alive.n");
    let audit = stage.audit();
    audit.is_sound();
    assert_eq!(audit.of("run-started").len(), 3, "each for its own, one after the other");
}

pub(crate) fn a_session_shorter_than_min_age_leaves_nothing_either(stage: &Stage) {
    stage.configure("[reap]\nmin_age = \"7s\"\ngrace = \"1s\"\n");
    let begun = Instant::now();
    let (client, left) = session(stage, "short");
    ends(stage, &client, "s-1");
    stage.kill_client(&client);
    std::thread::sleep(Duration::from_millis(4500));
    if begun.elapsed() < Duration::from_secs(7) {
        all_alive(&left);
    }
    all_quiet();
    all_dead(&left);
    let audit = stage.audit();
    audit.is_sound();
    let first = audit.of("intent").into_iter().map(crate::audit::at).min().unwrap();
    let age = chrono::Utc::now().timestamp_millis() - first;
    assert!(
        begun.elapsed().checked_sub(Duration::from_millis(age.unsigned_abs())).unwrap()
            > Duration::from_millis(6500)
    );
}

pub(crate) fn servers_with_groups_of_their_own_are_known_from_before(stage: &Stage) {
    // As Codex and the Python SDK start them: once the client is gone, nothing but what was noted ties them to it.
    impatient(stage);
    let own = shapes::node("own").but(|a| a.own_group = true);
    let client = stage.client("codex", [shapes::python("py"), own]);
    let left = [stage.who("py"), stage.who("own")];
    ends(stage, &client, "s-1");
    stage.kill_client(&client);
    all_quiet();
    all_dead(&left);
    stage.audit().is_sound();
}

pub(crate) fn a_hook_that_was_installed_for_another_client_knows_its_caller(stage: &Stage) {
    // They run a line through a shell and do not say who they are.
    impatient(stage);
    let clients = [
        ("codex", ("codex", &["codex"][..]), ".codex/hooks.json", "/hooks/SessionEnd/0/hooks/0/command"),
        (
            "gemini",
            ("node", &["node", "/usr/bin/gemini"]),
            ".gemini/settings.json",
            "/hooks/SessionEnd/0/hooks/0/command",
        ),
        ("cursor", ("cursor-agent", &["cursor-agent"]), ".cursor/hooks.json", "/hooks/sessionEnd/0/command"),
    ];
    let (other, others) = session(stage, "other");
    let mut all = Vec::new();
    for (name, (exe, argv), file, place) in clients {
        stage.run(&["hook", "install", "--client", name, "--force"]).exits(0);
        let settings = std::fs::read_to_string(stage.home().join(file)).unwrap();
        let settings: serde_json::Value = serde_json::from_str(&settings).unwrap();
        let line = settings.pointer(place).unwrap().as_str().unwrap().to_owned();
        let (client, servers) = session_of(stage, name, exe, argv);
        let command = stage.command(&[]);
        let text = |value: &std::ffi::OsStr| value.to_str().unwrap().to_owned();
        let environment = command.get_envs().filter_map(|(key, value)| Some((text(key), text(value?))));
        let event = event(place.split('/').nth(2).unwrap(), name, ("reason", "other"));
        stage.tell(&client, &Order::Hook(line, event, environment.collect()));
        all.push((client, servers));
    }
    assert_eq!(watchers().len(), all.len(), "each waits for its own client");
    assert!(stage.audit().0.is_empty(), "the clients live");
    for (client, _) in &all {
        stage.kill_client(client);
    }
    all_quiet();
    all_dead(&all.into_iter().flat_map(|(_, servers)| servers).collect::<Vec<_>>());
    all_alive(&[others, vec![other.who]].concat());
    stage.audit().is_sound();
}

pub(crate) fn a_server_that_obeys_is_left_to_end_by_itself(stage: &Stage) {
    impatient(stage);
    let obedient = shapes::memory("m").all(&|a| {
        if a.play == Play::ServeOn {
            a.play = Play::Serve;
        }
    });
    let client = stage.client("claude", [obedient.clone()]);
    let cast = stage.cast(&obedient);
    ends(stage, &client, "s-1");
    stage.kill_client(&client);
    all_quiet();
    all_dead(&cast);
    assert!(stage.audit().0.is_empty(), "it needed nobody");
}

pub(crate) fn a_session_that_begins_finds_what_a_crash_left(stage: &Stage) {
    impatient(stage);
    let crashed = stage.orphan(&shapes::memory("crashed"));
    let (client, servers) = session(stage, "claude");
    call(stage, Some(&client), &event("SessionStart", "s-2", ("source", "startup")));
    all_quiet();
    all_dead(&crashed);
    all_alive(&servers);
    stage.ping(&client, "claude.n");
    stage.audit().is_sound();
    assert_eq!(stage.audit().of("run-started")[0]["started_by"], "hook");
}

pub(crate) fn a_limit_is_not_for_hooks(stage: &Stage) {
    stage.configure("[reap]\nmin_age = \"0s\"\ngrace = \"1s\"\n[limits]\nmax_count = 1\n");
    let mut copies: Vec<Actor> = (0..2).map(|i| shapes::node(&format!("n{i}"))).collect();
    let client = stage.client("claude", copies.clone());
    // Not of their generation: what starts within ten seconds stands or falls together.
    std::thread::sleep(std::time::Duration::from_millis(10_500));
    let newest = shapes::node("n2");
    stage.tell(&client, &Order::Start(Box::new(newest.clone())));
    stage.wait_for(&newest);
    copies.push(newest);
    let cast: Vec<Who> = copies.iter().flat_map(|a| stage.cast(a)).collect();
    assert_eq!(stage.plan().doomed().len(), 2, "a person's own run would");
    call(stage, Some(&client), &event("SessionStart", "s-1", ("source", "startup")));
    all_quiet();
    all_alive(&cast);
    assert!(stage.audit().0.is_empty());
}

pub(crate) fn what_the_hook_started_holds_no_wire(stage: &Stage) {
    // A client that leaks the ends of its servers' wires into its hooks, and servers that end with their input:
    // as long as somebody holds the other end, it never does.
    impatient(stage);
    let server = shapes::node("n").but(|a| a.play = Play::Serve).on(Wire::Pipe);
    let client = stage.client("claude", [server]);
    let server = stage.who("n");
    let mut command = stage.command(&[]);
    let (fd, reap) = (5, command.get_program().to_owned());
    // Through /proc: the client's own end of the server's stdin, opened anew for writing, on fd 5.
    let end = format!("/proc/{}/fd/0", server.pid);
    let script = format!("exec {fd}>'{end}'; exec \"$0\" hook run");
    command = {
        let mut sh = std::process::Command::new("/bin/sh");
        sh.env_clear().envs(command.get_envs().filter_map(|(k, v)| Some((k.to_owned(), v?.to_owned()))));
        sh.current_dir(stage.home()).args(["-c", &script]).arg(reap);
        sh
    };
    command.env("CLAUDE_PID", client.who.pid.to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    to.write_all(event("SessionEnd", "s-1", ("reason", "other")).as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    assert_eq!(watchers().len(), 1);
    stage.kill_client(&client);
    look::until("the end of its input reaches the server", || !server.is_alive());
    all_quiet();
    assert!(stage.audit().0.is_empty(), "it ended by itself");
}

pub(crate) fn garbage_is_no_reason_to_stop_a_session(stage: &Stage) {
    let orphan = stage.orphan(&shapes::memory("m"));
    impatient(stage);
    for input in ["", "{", "null", "[]", "\u{0}\u{ff}", "{\"hook_event_name\": 7}", "SessionEnd"] {
        call(stage, None, input);
    }
    all_alive(&orphan);
    // A broken allowlist must not mean that nothing is allowed, and no error may reach the client.
    stage.configure("[[allow]]\nname = \"server-memory\",\n");
    call(stage, None, &event("SessionStart", "s-1", ("source", "startup")));
    call(stage, None, &event("SessionEnd", "s-1", ("reason", "other")));
    all_quiet();
    all_alive(&orphan);
    for args in [
        &["hook", "run", "--oops"][..],
        &["hook", "run", "now"],
        &["--dry-run", "hook", "run"],
        &["--min-age", "soon", "hook", "run"],
        &["--snapshot", "x", "hook", "run"],
        &["hook", "run", "--watch"],
    ] {
        let run = stage.run(args).exits(0);
        assert_eq!(run.stdout, b"");
    }
    all_quiet();
    all_alive(&orphan);
    assert!(stage.audit().0.is_empty());
    // It is told where a person can find it.
    let logs = std::fs::read_dir(stage.state_dir()).unwrap().map(|entry| entry.unwrap().path());
    let logs = logs.filter(|path| path.extension().is_some_and(|e| e == "log"));
    let told: String = logs.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for word in ["not an event", "--oops", "config.toml", "--min-age", "--dry-run"] {
        assert!(told.contains(word), "{word} is not in the log:\n{told}");
    }
}
