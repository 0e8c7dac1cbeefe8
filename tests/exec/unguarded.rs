//! A server whose guardian was killed: an ordinary run finds its marker, and ends by it what left the tree and nothing
//! else.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::parts::part;
use crate::runner::Scene;
use crate::stage::{
    Client, Stage, command, guardian, guardians, is_alive, parent, send, stat, throughout, until,
};
use crate::strangers::{beside_tmux, end_tmux};

pub(crate) fn scenes() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = vec![
        ("unguarded::an_ordinary_run_ends_the_server_and_what_left_its_tree".into(), whole),
        ("unguarded::another_server_that_it_put_into_the_background_stays".into(), another_server),
        ("unguarded::what_leads_a_life_of_its_own_stays".into(), own_lives),
        ("unguarded::a_forged_marker_takes_nobody_along".into(), forged),
        ("unguarded::a_helper_of_a_server_in_use_stays".into(), in_use),
        ("unguarded::a_guardian_that_lives_keeps_what_left_the_tree_to_itself".into(), guardian_lives),
        ("unguarded::helpers_whose_server_is_gone_stay".into(), rootless),
        ("unguarded::a_worker_with_its_servers_dead_stdin_goes_with_the_helper".into(), worker),
        ("unguarded::another_process_with_the_roots_number_takes_nobody_along".into(), number),
    ];
    if Path::new("/usr/bin/tmux").exists() {
        scenes.push(("unguarded::a_terminal_session_that_the_server_opened_stays".into(), tmux));
    }
    scenes
}

/// A server that does these things, and its guardian is gone.
fn unguarded(stage: &Stage, does: &[&str], count: usize) -> Client {
    let client = stage.client("pipe", &stage.guarded(does));
    stage.wait_for(count);
    kill_guardian();
    client
}

fn kill_guardian() {
    until(10, "the guardian is there", || guardians().len() == 1);
    send(guardian(), Signal::SIGKILL);
    until(10, "it is gone", || guardians().is_empty());
}

fn mcp_reap(stage: &Stage, args: &[&str]) -> Output {
    Command::new(stage.mcp_reap()).args(args).args(["--min-age", "0s"]).output().unwrap()
}

fn json(stage: &Stage, args: &[&str]) -> Value {
    let out = mcp_reap(stage, args);
    serde_json::from_slice(&out.stdout).unwrap_or_else(|error| panic!("{error}: {out:?}"))
}

/// An ordinary run, as the schedule does it.
fn run(stage: &Stage) {
    let run = mcp_reap(stage, &["--yes"]);
    assert!(run.status.success(), "{run:?}");
}

/// Everything of the scene's servers that lives, but the server itself.
fn beside(stage: &Stage, server: u32) -> Vec<u32> {
    stage.living().into_iter().map(|(pid, _)| pid).filter(|pid| *pid != server).collect()
}

fn another_server(stage: &Stage) {
    let mut client = unguarded(stage, &["deaf", "aside=mcp-server-git", "stay"], 2);
    let server = client.servers[0];
    client.kill();
    run(stage);
    assert!(!is_alive(server));
    assert_eq!(stage.left().len(), 1, "the daemon stays: {}", stage.audit());
}

/// One server that no catalog knows, and one by its name.
fn whole(stage: &Stage) {
    for name in ["notes-tool", "mcp-server-notes"] {
        let program = stage.dir.join("bin").join(name);
        let _ = fs::hard_link(std::env::current_exe().unwrap(), &program);
        let mut line = stage.guarded(&["deaf", "silent-helper", "stay"]);
        program.to_str().unwrap().clone_into(&mut line[5]);
        let mut client = stage.client("pipe", &line);
        stage.wait_for(2);
        let server = client.servers[0];
        let [helper] = beside(stage, server)[..] else { panic!("{:?}", stage.living()) };
        until(10, "nobody has the helper", || parent(helper) == Some(1));
        kill_guardian();
        client.kill();
        // What is shown, and by what.
        let list = json(stage, &["list", "--json"]);
        let [instance] = &list["instances"].as_array().unwrap()[..] else { panic!("{list}") };
        assert_eq!((&instance["verdict"], &instance["reap"]), (&"orphaned".into(), &true.into()), "{list}");
        assert_eq!(instance["pids"], serde_json::json!([server, helper]), "{list}");
        let marked = serde_json::json!({"kind": "marked", "pid": helper, "root": server});
        assert!(instance["evidence"].as_array().unwrap().contains(&marked), "{list}");
        let about = mcp_reap(stage, &["explain", &helper.to_string()]);
        let about = String::from_utf8(about.stdout).unwrap();
        assert!(about.contains(&format!("Process {helper} carries the mark of process {server}")), "{about}");
        run(stage);
        assert!(!is_alive(server) && !is_alive(helper), "{name}");
        let audit = stage.audit();
        let intent = |pid: u32| {
            let of = |line: &&str| line.contains(&format!("\"event\":\"intent\",\"pid\":{pid},"));
            serde_json::from_str::<Value>(audit.lines().find(of).unwrap()).unwrap()
        };
        assert_eq!(intent(helper)["role"], "helper");
        assert_eq!(intent(helper)["verdict"], "orphaned");
        assert!(intent(helper)["evidence"].as_array().unwrap().contains(&marked));
    }
}

fn own_lives(stage: &Stage) {
    let mut client = unguarded(stage, &["deaf", "silent-helper", "daemon", "editor", "not-ours", "stay"], 7);
    let server = client.servers[0];
    let helper = |(_, does): &(u32, String)| does == "deaf+stay";
    let helper = stage.living().into_iter().find(helper).unwrap().0;
    let others: Vec<u32> = beside(stage, server).into_iter().filter(|pid| *pid != helper).collect();
    assert_eq!(
        others.len(),
        5,
        "daemon, its worker, editor, a stranger and what it started: {:?}",
        stage.living()
    );
    client.kill();
    run(stage);
    assert!(!is_alive(server) && !is_alive(helper));
    assert!(others.iter().all(|pid| is_alive(*pid)), "{:?}", stage.living());
    run(stage);
    throughout(1, "they stay", || others.iter().all(|pid| is_alive(*pid)));
}

/// A person's own, each an orphan with the very marker of a server that will be ended.
fn forged(stage: &Stage) {
    let mut client = unguarded(stage, &["deaf", "silent-helper", "stay"], 2);
    let server = client.servers[0];
    let environment = fs::read(format!("/proc/{server}/environ")).unwrap();
    let entry =
        environment.split(|byte| *byte == 0).find(|entry| entry.starts_with(b"MCP_REAP_EXEC=")).unwrap();
    let marker = std::str::from_utf8(entry).unwrap().split_once('=').unwrap().1.to_owned();
    let mut persons = Vec::new();
    for name in ["vim", "firefox"] {
        let program = stage.dir.join("bin").join(name);
        fs::hard_link(std::env::current_exe().unwrap(), &program).unwrap();
        let mut fork = Command::new("setsid");
        fork.arg("--fork").arg(&program).arg("stay").env(crate::parts::PART, "server");
        fork.env("MCP_REAP_EXEC", &marker).stdin(Stdio::null()).stdout(Stdio::null());
        assert!(fork.status().unwrap().success());
    }
    // Job control, as in any shell that a person types into.
    let mut shell = Command::new("setsid");
    shell.args(["--wait", "bash", "-c", "set -m; nohup sleep 777 >/dev/null 2>&1 & exit 0"]);
    shell.env("MCP_REAP_EXEC", &marker).stdin(Stdio::null());
    assert!(shell.status().unwrap().success());
    let named = |pid: u32| {
        let line = command(pid);
        let program = line.first().map(|word| word.rsplit('/').next().unwrap().to_owned());
        ["vim", "firefox", "sleep"].contains(&program.unwrap_or_default().as_str()) && parent(pid) == Some(1)
    };
    until(10, "all three are orphans", || {
        crate::stage::processes().into_iter().filter(|pid| named(*pid)).count() == 3
    });
    persons.extend(crate::stage::processes().into_iter().filter(|pid| named(*pid)));
    client.kill();
    run(stage);
    assert!(!is_alive(server), "the twin: the server itself goes");
    assert!(persons.iter().all(|pid| is_alive(*pid)), "{persons:?}");
    let about = json(stage, &["explain", "--json", &persons[0].to_string()]);
    assert_eq!((&about["marked_by"], &about["instance"]), (&server.into(), &Value::Null), "{about}");
    let about = mcp_reap(stage, &["explain", &persons[0].to_string()]);
    assert!(String::from_utf8_lossy(&about.stdout).contains("the mark alone"), "{about:?}");
}

/// The pane's own job outlives the pane, without a terminal, with the marker and with pid 1 above it.
fn tmux(stage: &Stage) {
    let (mut client, server, [multiplexer, pane]) = beside_tmux(stage, "deaf stay");
    let socket = stage.dir.join("tmux.sock");
    let line = "set -m; nohup sleep 777 >/dev/null 2>&1 </dev/null & sleep 0.2";
    let mut window = Command::new("tmux");
    window.arg("-S").arg(socket).args(["new-window", "bash", "-c", line]).stdin(Stdio::null());
    assert!(window.status().unwrap().success());
    let job = || crate::stage::processes().into_iter().find(|pid| command(*pid) == ["sleep", "777"]);
    until(10, "the window is closed, its job is left", || {
        job().is_some_and(|pid| parent(pid) == Some(1) && stat(pid, 4).as_deref() == Some("0"))
    });
    let job = job().unwrap();
    let environment = fs::read(format!("/proc/{job}/environ")).unwrap();
    assert!(environment.windows(14).any(|at| at == b"MCP_REAP_EXEC="), "it inherited the marker");
    kill_guardian();
    client.kill();
    run(stage);
    assert!(!is_alive(server), "the twin: the server itself goes");
    let all = [multiplexer, pane, job];
    throughout(1, "they stay", || all.iter().all(|pid| is_alive(*pid)));
    end_tmux(stage);
}

fn in_use(stage: &Stage) {
    let mut client = unguarded(stage, &["silent-helper", "answer"], 1);
    run(stage);
    throughout(1, "its client is there", || stage.living().len() == 1 && is_alive(client.servers[0]));
    assert_eq!(client.order("ping"), "pong");
}

/// It is stopped, so it does nothing, and the run still leaves it its business.
fn guardian_lives(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["deaf", "silent-helper", "stay"]));
    stage.wait_for(2);
    let server = client.servers[0];
    let [helper] = beside(stage, server)[..] else { panic!("{:?}", stage.living()) };
    until(10, "the guardian is there", || guardians().len() == 1);
    send(guardian(), Signal::SIGSTOP);
    client.kill();
    run(stage);
    throughout(1, "the helper is not an ordinary run's", || is_alive(helper));
    send(guardian(), Signal::SIGCONT);
    until(30, "its guardian ends it", || stage.living().is_empty() && guardians().is_empty());
}

/// Nothing is left by which the end of the conversation could be proven, or that they were a server's.
fn rootless(stage: &Stage) {
    let mut client = unguarded(stage, &["deaf", "silent-helper", "stay"], 2);
    let server = client.servers[0];
    let [helper] = beside(stage, server)[..] else { panic!("{:?}", stage.living()) };
    assert_eq!(client.order("kill-child"), "done");
    client.kill();
    until(10, "the server is gone", || !is_alive(server));
    run(stage);
    throughout(1, "the helper stays", || is_alive(helper));
    let about = json(stage, &["explain", "--json", &helper.to_string()]);
    assert_eq!(about["marked_by"], server, "{about}");
}

fn worker(stage: &Stage) {
    let mut client = unguarded(stage, &["silent-helper", "deaf-worker-takes-over"], 2);
    let root = client.servers[0];
    until(10, "the root has ended", || !is_alive(root));
    run(stage);
    throughout(1, "its client is there", || stage.living().len() == 2);
    client.kill();
    run(stage);
    until(5, "both are gone", || stage.living().is_empty());
}

/// Its number is given to another server, which has a dead wire of its own.
fn number(stage: &Stage) {
    let mut client = unguarded(stage, &["deaf", "silent-helper", "stay"], 2);
    let root = client.servers[0];
    let [helper] = beside(stage, root)[..] else { panic!("{:?}", stage.living()) };
    assert_eq!(client.order("kill-child"), "done");
    assert_eq!(client.order("collect"), "done");
    until(10, "its number is free", || stat(root, 0).is_none());
    let stranger = stage.dir.join("bin/mcp-server-notes");
    fs::hard_link(std::env::current_exe().unwrap(), &stranger).unwrap();
    let (stdin, stdout) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
    let line = format!(
        "exec 3<&0; echo {} >/proc/sys/kernel/ns_last_pid; {} stay <&3 3<&- &",
        root - 1,
        stranger.display()
    );
    let mut shell = Command::new("sh");
    let inner = part("server");
    shell.args(["-c", &line]).envs(inner.get_envs().filter_map(|(key, value)| Some((key, value?))));
    shell.stdin(stdin.0).stdout(stdout.1);
    assert!(shell.status().unwrap().success());
    drop(shell);
    drop((stdin.1, stdout.0));
    until(20, "it is there", || stage.living().contains(&(root, "stay".to_owned())));
    assert!(command(root)[0].ends_with("mcp-server-notes"), "{:?}", command(root));
    run(stage);
    assert!(!is_alive(root), "the stranger goes by its own wire");
    throughout(1, "and takes nobody along", || is_alive(helper));
}
