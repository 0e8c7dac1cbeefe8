//! What people and scripts see.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use crate::person::Person;
use crate::role::{Actor, Play};
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};
use crate::wire::Wire;

pub(crate) fn check_is_healthy_again_after_a_run(stage: &Stage) {
    let client = stage.client("claude", [shapes::node("n")]);
    stage.run(&["check", "--min-age", "0s"]).exits(0);
    let cast = stage.orphan(&shapes::memory("m"));
    stage.run(&["check", "--min-age", "0s"]).exits(1);
    all_alive(&cast);
    stage.reap();
    stage.run(&["check", "--min-age", "0s"]).exits(0);
    stage.ping(&client, "n");
}

/// A look that has too few descriptors must fail. It may neither say that all is well, nor that what it could not read
/// has ended.
pub(crate) fn without_descriptors_nothing_is_said_to_have_ended(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    let with = |descriptors: u32, args: &str| {
        let line = format!("ulimit -n {descriptors}; exec \"$0\" {args} --min-age 0s");
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &line]).arg(env!("CARGO_BIN_EXE_mcp-reap")).env_clear().env("HOME", stage.home());
        crate::run::Running::start(command).finish()
    };
    // From too few for a look to enough for a look, but not for a run.
    let mut failures = [0; 3];
    for descriptors in 5..64 {
        let (check, list) = (with(descriptors, "check"), with(descriptors, "list --json"));
        assert!([1, 2].contains(&check.code), "{descriptors}: check exits with {}", check.code);
        match list.code {
            0 => drop(list.json().must_have(cast[0])),
            code => assert_eq!(code, 2, "{descriptors}: list"),
        }
        all_alive(&cast);
        let run = with(descriptors, "--yes --grace 1s --json");
        for (count, code) in failures.iter_mut().zip([check.code, list.code, run.code]) {
            *count += i32::from(code == 2);
        }
        if run.code == 0 {
            all_dead(&cast);
            break;
        }
        // 2: it could not look. 1: it could not hold every process of the instance, and ended none.
        assert!([1, 2].contains(&run.code), "{descriptors}: a run exits with {}", run.code);
        let text = run.text() + &run.complaint();
        assert!(run.code == 1 || text.contains("Too many open files"), "{descriptors}: {text}");
        assert!(!text.contains("vanished"), "{descriptors}: {text}");
        all_alive(&cast);
    }
    all_dead(&cast);
    assert!(failures.iter().all(|count| *count > 0) && failures[2] > failures[0], "{failures:?}");
    assert!(stage.audit().of("vanished").is_empty());
}

pub(crate) fn a_person_who_thinks_holds_nobody_up(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    let mut person = Person::types(stage, "xterm", "$reap --min-age 0s");
    person.reads("End them? [y/N] ");
    all_alive(&cast);
    let other = stage.reap();
    all_dead(&cast);
    assert!(!other.complaint().contains("at work"), "nobody was: {}", other.complaint());
    // What it was asked about is gone: it says so, and ends well.
    person.presses("y\n").reads("nothing to end");
    assert_eq!(person.leaves().0, 0);
    let intents = stage.audit().of("intent").len();
    assert_eq!(intents, cast.len(), "only the other run meant to end them");
}

pub(crate) fn explain_answers_for_everybody(stage: &Stage) {
    let orphan = stage.orphan(&shapes::memory("m"));
    let client = stage.client("claude", [shapes::node("n")]);
    let stranger = stage.client("shell", [shapes::bystander("b")]);
    let explain = |pid: u32| stage.run(&["explain", &pid.to_string(), "--min-age", "0s"]).exits(0).text();
    for who in &orphan {
        assert!(explain(who.pid).contains("orphaned"), "any member leads to its instance");
    }
    assert!(explain(stage.who("n").pid).contains("in-use"));
    for pid in [client.who.pid, stranger.who.pid, stage.who("b").pid, 1] {
        assert!(!explain(pid).trim().is_empty(), "an answer for {pid} as well");
    }
    let nobody = stage.run(&["explain", "4000000"]);
    assert_ne!(nobody.code, 0);
    assert!(!nobody.complaint().is_empty());
}

pub(crate) fn list_and_dry_run_agree(stage: &Stage) {
    stage.orphan(&shapes::memory("m"));
    let client = stage.client("claude", [shapes::node("n"), shapes::uvx("u")]);
    let (list, plan) = (stage.run(&["list", "--json", "--min-age", "0s"]).exits(0).json(), stage.plan());
    let essence = |report: &crate::run::Report| {
        let of = |i: &serde_json::Value| (i["root"].as_u64(), i["verdict"].to_string(), i["reap"].as_bool());
        let mut all: Vec<_> = report.instances().iter().map(of).collect();
        all.sort();
        all
    };
    assert_eq!(essence(&list), essence(&plan));
    assert_eq!(list.instances().len(), 3);
    assert_eq!(list.must_have(stage.who("n")).0["client"]["pid"], client.who.pid);
    let roles = |tag: &str| {
        let who = stage.who(tag);
        let instance = list.must_have(who);
        let members = instance.0["members"].as_array().unwrap();
        members.iter().find(|m| m["pid"] == who.pid).unwrap()["role"].as_str().unwrap().to_owned()
    };
    assert_eq!([roles("m"), roles("m.sh"), roles("m.node")], ["launcher", "launcher", "server"]);
    for args in [&["list"][..], &["list", "--tree"]] {
        let text = stage.run(args).exits(0).text();
        assert!(text.contains("server-memory"), "{text}");
    }
}

pub(crate) fn the_log_tells_people_what_was_ended(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    stage.run(&["log"]).exits(0);
    stage.reap();
    all_dead(&cast);
    let told = stage.run(&["log"]).exits(0).text();
    assert!(told.contains("server-memory"), "{told}");
}

pub(crate) fn strangers_bytes_do_not_reach_the_terminal_raw(stage: &Stage) {
    let mut server = Actor::new("evil", "node", &["node"], Play::ServeOn).on(Wire::Socketpair);
    server.argv.push(b"/home/u/node_modules/.bin/mcp-server-memory".to_vec());
    // Clear the screen, set the title, ring, overwrite the line, not UTF-8, a C1 control, bidi and a fake row.
    server.argv.push(b"\x1b[2J\x1b]0;owned\x07\r\xff\xfe\xc2\x9b31m\xe2\x80\xaetxt\nroot 1 in-use".to_vec());
    server.comm = Some("n\u{1b}[31mode\n".to_owned());
    let cast = stage.orphan(&server);
    let pid = cast[0].pid.to_string();
    let verbs: [&[&str]; 5] = [
        &["list"],
        &["list", "--tree"],
        &["explain", &pid],
        &["--dry-run", "--verbose"],
        &["--yes", "--grace", "1s", "--verbose"],
    ];
    for args in verbs {
        let run = stage.run(&[args, &["--min-age", "0s", "--color", "never"]].concat()).exits(0);
        for text in [&run.stdout, &run.stderr] {
            let text = std::str::from_utf8(text).unwrap_or_else(|e| panic!("{args:?}: not UTF-8: {e}"));
            let bad = text
                .chars()
                .find(|c| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c));
            assert_eq!(bad, None, "{args:?} printed {text:?}");
            assert!(
                !text.lines().any(|l| l.starts_with("root 1 in-use")),
                "{args:?} printed a row of a stranger's"
            );
        }
    }
    all_dead(&cast);
    // The log is JSON: there everything is escaped, and every line is one event.
    stage.audit().is_sound();
    let told = stage.run(&["log", "--color", "never"]).exits(0).text();
    assert!(!told.contains('\u{1b}'), "{told:?}");
}

pub(crate) fn a_closed_pipe_is_not_an_error(stage: &Stage) {
    let actors: Vec<Actor> = (0..30).map(|i| shapes::node(&format!("n{i}"))).collect();
    stage.client("claude", actors);
    for args in [&["list"][..], &["list", "--json"], &["record"]] {
        let heard = stage.run(args).exits(0);
        assert!(!heard.stdout.is_empty(), "{args:?} has something to say");
        let mut command = stage.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut complaint = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(
            (status.code(), complaint),
            (Some(0), heard.complaint()),
            "{args:?} has nothing to complain of"
        );
    }
}

pub(crate) fn on_a_terminal_it_shows_the_plan_and_asks(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    for (answer, ends) in [("n\n", false), ("\n", false), ("\x04", false), ("y\n", true)] {
        let pty = nix::pty::openpty(None, None).unwrap();
        let mut ours = std::fs::File::from(pty.master);
        let theirs = || Stdio::from(pty.slave.try_clone().unwrap());
        let mut command = stage.command(&["--min-age", "0s", "--grace", "1s", "--color", "never"]);
        let mut child = command.stdin(theirs()).stdout(theirs()).stderr(theirs()).spawn().unwrap();
        drop((command, pty.slave));
        let mut said = Vec::new();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&said).contains('?') {
            let n = ours.read(&mut buffer).unwrap();
            said.extend_from_slice(&buffer[..n]);
        }
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains("server-memory"), "the plan before the question: {said}");
        all_alive(&cast);
        ours.write_all(answer.as_bytes()).unwrap();
        let mut said = Vec::new();
        // EIO is how a terminal says that nobody is at its other end any more.
        while let Ok(n @ 1..) = ours.read(&mut buffer) {
            said.extend_from_slice(&buffer[..n]);
        }
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(ends || said.contains("\nnothing was ended\r\n"), "a no on a line of its own: {said:?}");
        assert_eq!(child.wait().unwrap().code(), Some(0), "after {answer:?}");
        assert_eq!(cast.iter().any(|w| !w.is_alive()), ends, "after {answer:?}");
    }
    all_dead(&cast);
}

pub(crate) fn a_hook_never_blocks_its_client(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    stage.configure("[[allow]]\nname = \"server-memory\",\n");
    let run = stage.run(&["hook", "run"]);
    assert_ne!(run.code, 2, "Claude Code takes 2 as an order to stop");
    all_alive(&cast);
}

pub(crate) fn a_clients_conversation_is_named_and_a_stale_file_is_not_believed(stage: &Stage) {
    let client = stage.client("claude", [shapes::node("n"), shapes::python("p")]);
    let told = |start: u64| {
        let folder = stage.home().join(".claude/sessions");
        fs::create_dir_all(&folder).unwrap();
        let pid = client.who.pid;
        let text =
            format!(r#"{{"pid":{pid},"procStart":"{start}","sessionId":"3f2a77c1-5b1e","cwd":"/srv"}}"#);
        fs::write(folder.join(format!("{pid}.json")), text).unwrap();
        stage.run(&["list", "--json"]).exits(0).json()
    };
    let session = |report: &crate::run::Report| report.must_have(stage.who("n")).0["session"].clone();
    let named = told(client.who.start);
    assert_eq!(session(&named), serde_json::json!({"id": "3f2a77c1-5b1e", "newest": true}));
    let text = stage.run(&["explain", &stage.who("n").pid.to_string()]).exits(0).text();
    assert!(text.contains("conversation 3f2a77c1-5b1e, the newest of its client"), "{text}");
    assert!(text.contains(&format!("bash > claude-code ({}) > node", client.who.pid)), "{text}");
    // Left behind by one that was killed, whose number this one has now.
    assert_eq!(session(&told(client.who.start - 1)), serde_json::Value::Null);
}
