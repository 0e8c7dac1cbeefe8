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
    let out = command.args(["test", "--", "/no/such/server"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    let mut command = Command::new(stage.mcp_reap());
    assert_eq!(command.arg("test").stdin(Stdio::null()).output().unwrap().status.code(), Some(2));
    assert_eq!(stage.left(), []);
}
