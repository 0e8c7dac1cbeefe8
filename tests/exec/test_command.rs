//! `mcp-reap test`: tells a server that leaks from one that does not, and leaves nothing behind itself.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::parts::PART;
use crate::runner::Scene;
use crate::schema;
use crate::stage::{Stage, guardians, until};

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        ("test_command::a_server_that_ends_with_its_input_leaves_nothing".into(), obedient),
        ("test_command::a_deaf_server_leaks_bare_and_not_under_exec".into(), deaf),
        ("test_command::what_cannot_be_started_is_no_answer".into(), refused),
        ("test_command::it_says_what_it_does_and_which_lines_are_the_servers".into(), progress),
        ("test_command::a_server_that_does_not_speak_over_stdio_gets_a_hint".into(), no_stdio),
    ]
}

fn test(stage: &Stage, options: &[&str], does: &[&str]) -> Output {
    stage.configure("1s");
    let mut command = Command::new(stage.mcp_reap());
    command.arg("test").args(options).arg("--").args(stage.bare(does)).env(PART, "server");
    command.stdin(Stdio::null()).output().unwrap()
}

fn obedient(stage: &Stage) {
    let out = test(stage, &["--under-exec"], &["mcp", "obedient"]);
    let said = String::from_utf8(out.stdout.clone()).unwrap();
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert_eq!(said.lines().count(), 6, "{said}");
    assert!(said.lines().all(|line| line.matches("nothing left").count() == 2), "{said}");
    // The words that `--ending` takes.
    let words: Vec<_> = said.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(
        words,
        ["client-killed", "wire-closed", "signals", "server-killed", "stdin-closed", "terminal-gone"]
    );
    assert_eq!(stage.left(), []);
}

fn deaf(stage: &Stage) {
    // Where its client ends the root itself, the helper is what leaks.
    let out =
        test(stage, &["--json", "--under-exec", "--wait", "1s"], &["helper", "mcp", "deaf-without-mcp"]);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(schema::problems("test", &report), [""; 0], "{report}");
    let mut seen = std::collections::BTreeSet::new();
    schema::seen(&report, "", &mut seen);
    let never: Vec<String> = schema::described("test").difference(&seen).cloned().collect();
    assert_eq!(
        never,
        [".endings[].under_exec[].command", ".endings[].under_exec[].pid"],
        "nothing leaked there"
    );
    let endings = report["endings"].as_array().unwrap();
    assert_eq!(endings.len(), 6);
    for ending in endings {
        assert!(!ending["bare"].as_array().unwrap().is_empty(), "{ending}");
        assert_eq!(ending["under_exec"].as_array().unwrap().len(), 0, "{ending}");
    }
    assert_eq!(stage.left(), [], "it has ended what was left");
    until(10, "no guardian stays", || guardians().is_empty());
    let one =
        test(stage, &["--ending", "client-killed", "--wait", "1s"], &["helper", "mcp", "deaf-without-mcp"]);
    assert_eq!(one.status.code(), Some(1), "bare alone is an answer too");
    assert_eq!(String::from_utf8(one.stdout).unwrap().lines().next().unwrap().matches("left").count(), 1);
}

fn refused(stage: &Stage) {
    for does in [&["refuse", "stay"][..], &["worker-takes-over-nothing"]] {
        let out = test(stage, &[], does);
        assert_eq!(out.status.code(), Some(2), "{out:?}");
        assert!(out.stdout.is_empty());
    }
    let mut command = Command::new(stage.mcp_reap());
    let out = command.args(["test", "-q", "--", "/no/such/server"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let said = "mcp-reap: failed to start /no/such/server: No such file or directory (os error 2)\n";
    assert_eq!(String::from_utf8(out.stderr).unwrap(), said, "one error, and not one for each ending");
    let mut command = Command::new(stage.mcp_reap());
    assert_eq!(command.arg("test").stdin(Stdio::null()).output().unwrap().status.code(), Some(2));
    assert_eq!(stage.left(), []);
}

fn progress(stage: &Stage) {
    let options = ["--ending", "signals", "--ending", "client-killed", "--under-exec", "--wait", "2s"];
    let out = test(stage, &options, &["complain", "mcp", "obedient"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert_eq!(
        String::from_utf8(out.stderr).unwrap().lines().collect::<Vec<_>>(),
        [
            "starting the server 4 times, with and without exec, to see what each ending leaves of it; takes up to 44s, \
             plus the time that the server needs to start",
            "1 of 2: signals",
            "server: listening \\x1b[31mhere",
            "1 of 2: signals, under exec",
            "server: listening \\x1b[31mhere",
            "2 of 2: client-killed",
            "server: listening \\x1b[31mhere",
            "2 of 2: client-killed, under exec",
            "server: listening \\x1b[31mhere",
        ]
    );
    let one = ["--ending", "client-killed", "--wait", "1s", "--quiet"];
    let out = test(stage, &one, &["complain", "helper", "mcp", "deaf-without-mcp"]);
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert_eq!(String::from_utf8(out.stderr).unwrap(), "", "--quiet prints only what was asked for");
}

fn no_stdio(stage: &Stage) {
    let mut command = Command::new(stage.mcp_reap());
    command.args(["test", "--", "sh", "-c", "echo no such option >&2; exit 3"]).stdin(Stdio::null());
    let out = command.output().unwrap();
    assert_eq!((out.status.code(), out.stdout.as_slice()), (Some(2), &b""[..]), "{out:?}");
    let said = String::from_utf8(out.stderr).unwrap();
    let [.., servers, error] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
    assert_eq!(servers, "server: no such option");
    assert!(error.starts_with("mcp-reap: client-killed: the server closed its std"), "{said}");
    assert!(error.contains("speaks MCP over stdin and stdout"), "{said}");
    assert_eq!(said.matches("mcp-reap:").count(), 1, "one error: {said}");
    assert_eq!(stage.left(), []);
}
