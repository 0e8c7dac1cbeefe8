//! What goes together: a server, its tree and what left it with its mark; and what carries the mark and stays.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::runner::Scene;
use crate::stage::{Stage, command, guardians, is_alive, processes, send, throughout, until};

/// Long enough for a linger of 2 s, two graces of 1 s and the looks.
const LONG: u64 = 9;

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        ("whole::an_editor_that_a_server_opened_stays_and_its_helper_goes".into(), editor),
        ("whole::an_editor_that_a_leaving_server_opened_is_nobodys_helper".into(), editor_of_an_obedient),
        ("whole::below_a_server_that_is_withheld_every_helper_stays".into(), withheld),
        ("whole::jobs_of_a_line_or_a_script_outlive_it".into(), jobs),
        ("whole::a_client_that_looks_like_a_launcher_is_no_part_of_the_server".into(), like_a_launcher),
        ("whole::a_wrapper_above_exec_hides_no_client".into(), wrapper),
        ("whole::what_an_obedient_server_put_aside_is_its_helper_by_whatever_name".into(), put_aside),
        ("whole::another_server_that_it_put_into_the_background_stays".into(), another_server),
        ("whole::a_worker_whose_root_is_gone_ends_after_linger".into(), worker),
    ]
}

/// As xdg-open does it: in a session of its own, with nothing of the wire, and nobody's child.
fn editor(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["deaf", "silent-helper", "editor", "stay"]));
    let all = stage.wait_for(3);
    let editor = of_program(&all, "vim");
    let helper = all.iter().find(|(pid, _)| ![editor, client.servers[0]].contains(pid)).unwrap().0;
    client.kill();
    until(30, "server and helper are gone", || stage.left().len() == 1);
    until(30, "the guardian has left", || guardians().is_empty());
    assert!(is_alive(editor));
    let audit = stage.audit();
    let of = |pid: u32| move |line: &&str| line.contains(&format!("\"pid\":{pid},"));
    assert_eq!(audit.lines().filter(of(editor)).count(), 0);
    let intent = audit.lines().filter(of(helper)).find(|line| line.contains("\"intent\"")).unwrap();
    let intent: serde_json::Value = serde_json::from_str(intent).unwrap();
    assert_eq!(intent["verdict"], "orphaned", "that of its server");
    assert_eq!(intent["role"], "helper");
    assert!(intent["reason"].as_str().unwrap().starts_with("carries the mark of notes-tool"), "{intent}");
    let evidence = intent["evidence"].as_array().unwrap();
    assert!(evidence.iter().any(|seen| seen["kind"] == "marked"), "{intent}");
    assert!(evidence.iter().any(|seen| seen["by"] == "exec"), "{intent}");
}

fn editor_of_an_obedient(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["editor-below", "obedient"]));
    let all = stage.wait_for(2);
    client.kill();
    until(10, "server and guardian have left", || stage.left().len() == 1 && guardians().is_empty());
    throughout(3, "the editor stays", || is_alive(of_program(&all, "vim")));
    assert_eq!(stage.audit(), "");
}

fn withheld(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["deaf", "silent-helper", "editor-below", "stay"]));
    let all = stage.wait_for(3);
    client.kill();
    throughout(LONG, "the editor keeps all three", || stage.left().len() == 3);
    send(of_program(&all, "vim"), Signal::SIGKILL);
    until(30, "without it they go", || stage.left().is_empty() && guardians().is_empty());
}

fn of_program(all: &[(u32, String)], name: &str) -> u32 {
    let is = |pid: u32| command(pid).first().is_some_and(|word| word.ends_with(&format!("/{name}")));
    all.iter().find(|(pid, _)| is(*pid)).unwrap_or_else(|| panic!("no {name} in {all:?}")).0
}

/// Nothing says that what they put into the background is a server's helper.
fn jobs(stage: &Stage) {
    stage.configure("1s");
    let script = stage.dir.join("bin/deploy");
    fs::write(&script, "#!/bin/sh\nnohup sleep 777 >/dev/null 2>&1 &\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.to_str().unwrap();
    let line = "nohup sleep 777 >/dev/null 2>&1 & exit 0";
    let mut held = Vec::new();
    for (words, stdin) in [
        (vec![script], Stdio::null()),
        (vec![script], Stdio::piped()),
        (vec!["sh", "-c", line], Stdio::null()),
        (vec!["sh", "-c", line], Stdio::piped()),
        // Twins: code on the command line is a server where exec is told so, but not this one without a wire.
        (vec!["env", script], Stdio::null()),
    ] {
        let mut exec = Command::new(stage.mcp_reap());
        exec.args(["exec", "--"]).args(&words).stdin(stdin).stdout(Stdio::null());
        let mut child = exec.spawn().unwrap();
        held.push(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
    let sleepers = || processes().into_iter().filter(|pid| command(*pid) == ["sleep", "777"]).count();
    until(10, "all jobs run", || sleepers() == 5);
    throughout(LONG, "all jobs run on", || sleepers() == 5);
    drop(held);
    throughout(LONG, "whoever had started them", || sleepers() == 5);
}

/// It is on pipes itself, and its command line ends in the server's: by that it is a launcher. exec says what the root is.
fn like_a_launcher(stage: &Stage) {
    let (starter, server) = (stage.dir.join("bin/start.js"), stage.dir.join("bin/mcp-server-notes"));
    for name in [&starter, &server] {
        fs::hard_link(std::env::current_exe().unwrap(), name).unwrap();
    }
    let mut line = stage.guarded(&["deaf", "silent-helper", "stay"]);
    server.to_str().unwrap().clone_into(line.get_mut(5).unwrap());
    line.insert(5, "env".into());
    let mut as_starter = Command::new(&starter);
    as_starter.env(crate::parts::PART, "client");
    let mut client = stage.client_with("pipe", &line, 1, as_starter);
    stage.wait_for(2);
    assert_eq!(client.order("close"), "done");
    until(30, "server and helper are gone", || stage.left().is_empty() && guardians().is_empty());
}

/// Its root is gone, the client has closed stdin only and reads on.
fn worker(stage: &Stage) {
    for wire in ["pipe", "socket"] {
        let mut client = stage.client(wire, &stage.guarded(&["deaf-worker-takes-over"]));
        let root = client.servers[0];
        stage.wait_for(1);
        until(10, "the root has ended", || !is_alive(root));
        assert_eq!(client.order("close-in"), "done");
        until(30, "the worker is gone", || stage.left().is_empty() && guardians().is_empty());
        assert!(is_alive(client.child.id()));
        client.kill();
    }
}

/// The client is the parent of a shell, and closes stdin only. Beside it the same with a pipeline behind stdout, which is
/// nobody's client.
fn wrapper(stage: &Stage) {
    for (wire, behind, ends) in [("pipe", "", true), ("socket", "", true), ("pipe", "| cat", false)] {
        let line = format!("{} {behind}; true", stage.guarded(&["deaf", "stay"]).join(" "));
        let before = stage.living().len();
        let mut client = stage.client(wire, &["sh".into(), "-c".into(), line]);
        stage.wait_for(before + 1);
        until(10, "the guardian is there", || guardians().len() == 1);
        assert_eq!(client.order("close-in"), "done");
        if ends {
            until(30, "the server is gone", || stage.living().is_empty() && guardians().is_empty());
            assert!(is_alive(client.child.id()), "its client lives");
            assert!(stage.audit().contains("only its client still reads"), "{}", stage.audit());
        } else {
            throughout(LONG, "a pipeline runs on", || stage.living().len() == 1);
        }
        client.kill();
    }
}

/// A server by its own name and on no wire is a daemon, as it is without exec.
fn another_server(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["deaf", "aside=mcp-server-git", "stay"]));
    stage.wait_for(2);
    let server = client.servers[0];
    client.kill();
    until(30, "the server is gone", || !is_alive(server) && guardians().is_empty());
    assert_eq!(stage.left().len(), 1, "the daemon stays: {}", stage.audit());
}

/// A transfer, a recording: what a server started and forked off is a helper of it as anything else is.
fn put_aside(stage: &Stage) {
    for name in ["rsync", "ffmpeg", "ssh"] {
        let mut client = stage.client("pipe", &stage.guarded(&[&format!("aside={name}"), "obedient"]));
        stage.wait_for(2);
        client.kill();
        until(30, "server and helper are gone", || stage.left().is_empty() && guardians().is_empty());
        let audit = stage.audit();
        assert!(
            audit.contains("carries the mark of notes-tool") && audit.contains(&format!("/bin/{name}\"")),
            "{audit}"
        );
    }
}
