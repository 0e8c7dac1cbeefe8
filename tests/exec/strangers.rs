//! What only looks like a part of the server, and a server whose wire does not look like one.

use std::fs;
use std::io::pipe;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::parts::PART;
use crate::runner::Scene;
use crate::stage::{Client, Stage, command, guardians, is_alive, parent, processes, stat, throughout, until};

pub(crate) fn scenes() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = vec![
        ("strangers::a_process_with_the_dead_roots_number_stays".into(), number),
        ("strangers::a_wire_that_python_moved_ends_after_linger_under_a_living_client".into(), moved),
        ("strangers::a_wire_that_python_moved_is_held_by_a_living_client".into(), moved_and_held),
    ];
    if Path::new("/usr/bin/tmux").exists() {
        scenes.push(("strangers::a_tmux_server_and_its_pane_stay".into(), tmux));
        scenes.push(("strangers::jobs_of_a_pane_stay_and_are_in_nobodys_way".into(), jobs));
        scenes.push(("strangers::jobs_of_a_pane_outlive_tmux_and_the_server".into(), jobs_without_tmux));
        scenes.push(("strangers::jobs_of_a_pane_outlive_a_server_that_leaves".into(), jobs_of_an_obedient));
    }
    scenes
}

/// The root ends and is collected, a worker goes on with its wire, and another process gets the root's number: an MCP
/// server by name, with a dead wire and pid 1 above it, which an ordinary run would end.
fn number(stage: &Stage) {
    let mut client = stage.client("pipe", &stage.guarded(&["deaf-worker-takes-over"]));
    let root = client.servers[0];
    let worker = stage.wait_for(1)[0].0;
    until(10, "the root has ended", || !is_alive(root));
    assert_eq!(client.order("collect"), "done");
    until(10, "its number is free", || stat(root, 0).is_none());
    let stranger = stage.dir.join("bin/mcp-server-notes");
    fs::hard_link(std::env::current_exe().unwrap(), &stranger).unwrap();
    // The next number that is free is given to the next process, which the shell forks and leaves to pid 1.
    let line =
        format!("echo {} >/proc/sys/kernel/ns_last_pid; {} stay <&3 3<&- &", root - 1, stranger.display());
    let (stdin, stdout) = (pipe().unwrap(), pipe().unwrap());
    let mut shell = Command::new("sh");
    // A job in the background of a shell without job control has /dev/null on 0, unless it is told otherwise.
    shell.args(["-c", &format!("exec 3<&0; {line}")]).env(PART, "server").stdin(stdin.0).stdout(stdout.1);
    assert!(shell.status().unwrap().success());
    drop(shell);
    drop((stdin.1, stdout.0));
    stage.wait_for(2);
    assert!(command(root)[0].ends_with("mcp-server-notes"), "the number was given away: {:?}", command(root));
    until(10, "pid 1 has it", || parent(root) == Some(1));
    client.kill();
    until(30, "the worker and the guardian are gone", || !is_alive(worker) && guardians().is_empty());
    assert!(
        stage.audit().contains(&format!("\"pid\":{worker}"))
            && !stage.audit().contains(&format!("\"pid\":{root},"))
    );
    throughout(3, "the stranger stays", || is_alive(root));
    // The twin: it would have been ended by whoever is asked to.
    let run = Command::new(stage.mcp_reap()).args(["--yes", "--min-age", "0s"]).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    assert!(!is_alive(root), "{run:?}");
}

/// As the Python SDK does: the wire on 6 and 7, nothing on 0 and 1.
fn python(stage: &Stage) -> Vec<String> {
    let program = stage.dir.join("bin/python3");
    fs::hard_link(std::env::current_exe().unwrap(), &program).unwrap();
    let line = format!("exec 6<&0 7>&1 0</dev/null 1>/dev/null; exec {} stay", program.display());
    [stage.mcp_reap(), "exec", "--linger", "2s", "--", "sh", "-c", &line].map(str::to_owned).into()
}

fn moved(stage: &Stage) {
    let mut client = stage.client("pipe", &python(stage));
    stage.wait_for(1);
    let server = client.servers[0];
    assert_eq!(client.order("close-in"), "done");
    until(30, "it is ended after linger", || !is_alive(server));
    until(30, "the guardian has left", || guardians().is_empty());
    assert!(is_alive(client.child.id()), "its client lives");
    assert!(stage.audit().contains("only its client still reads"), "{}", stage.audit());
}

fn moved_and_held(stage: &Stage) {
    let mut client = stage.client("pipe", &python(stage));
    stage.wait_for(1);
    let server = client.servers[0];
    assert_eq!(client.order("close-out"), "done");
    throughout(8, "whoever can still ask keeps it", || is_alive(server) && guardians().len() == 1);
    client.kill();
    until(30, "and then it goes", || !is_alive(server) && guardians().is_empty());
}

/// A server that opened a terminal session for the person: the multiplexer has the marker and pid 1 above it, and the
/// pane has the marker and a terminal of its own.
fn tmux(stage: &Stage) {
    let (mut client, server, [multiplexer, pane]) = beside_tmux(stage, "deaf stay");
    client.kill();
    until(30, "the server is gone", || !is_alive(server));
    throughout(3, "tmux and its pane stay", || is_alive(multiplexer) && is_alive(pane));
    end_tmux(stage);
}

/// The person puts two jobs into the background of a pane, each in a session of its own: one on nothing, one on the pane.
fn pane_jobs(stage: &Stage) -> [u32; 2] {
    let line = "(setsid sleep 777 </dev/null >/dev/null 2>&1 &); (setsid sleep 778 &); exec sleep 779";
    let mut window = Command::new("tmux");
    window.arg("-S").arg(stage.dir.join("tmux.sock")).args(["new-window", "bash", "-c", line]);
    assert!(window.stdin(Stdio::null()).status().unwrap().success());
    let job = |seconds: &str| processes().into_iter().find(|pid| command(*pid) == ["sleep", seconds]);
    let orphan = |seconds: &str| job(seconds).is_some_and(|pid| parent(pid) == Some(1));
    until(10, "the jobs are nobody's", || orphan("777") && orphan("778") && job("779").is_some());
    let jobs = ["777", "778"].map(|seconds| job(seconds).unwrap());
    for job in jobs {
        let environment = fs::read(format!("/proc/{job}/environ")).unwrap();
        assert!(environment.windows(14).any(|at| at == b"MCP_REAP_EXEC="), "it inherited the marker");
    }
    jobs
}

/// One of them has a terminal that somebody holds; that makes it no part of the server, and no reason to keep that.
fn jobs(stage: &Stage) {
    let (mut client, server, _) = beside_tmux(stage, "deaf stay");
    let jobs = pane_jobs(stage);
    client.kill();
    until(30, "the server goes alone", || !is_alive(server) && guardians().is_empty());
    throughout(1, "the jobs stay", || jobs.iter().all(|pid| is_alive(*pid)));
    assert!(stage.audit().contains("\"targets\":1}"), "{}", stage.audit());
    end_tmux(stage);
}

/// Nothing that they could have come from is left.
fn jobs_without_tmux(stage: &Stage) {
    let (mut client, server, [multiplexer, _]) = beside_tmux(stage, "deaf stay");
    let jobs = pane_jobs(stage);
    end_tmux(stage);
    until(10, "tmux has ended", || !is_alive(multiplexer));
    client.kill();
    until(30, "the server goes alone", || !is_alive(server) && guardians().is_empty());
    throughout(1, "the jobs stay", || jobs.iter().all(|pid| is_alive(*pid)));
}

fn jobs_of_an_obedient(stage: &Stage) {
    let (mut client, server, _) = beside_tmux(stage, "obedient");
    let jobs = pane_jobs(stage);
    assert_eq!(client.order("close"), "done");
    until(10, "the server leaves", || !is_alive(server));
    until(30, "and its guardian", || guardians().is_empty());
    throughout(1, "the jobs stay", || jobs.iter().all(|pid| is_alive(*pid)));
    assert_eq!(stage.audit(), "");
    end_tmux(stage);
}

/// A server, its client, the multiplexer that it started, and the process in the pane.
pub(crate) fn beside_tmux(stage: &Stage, does: &str) -> (Client, u32, [u32; 2]) {
    let socket = stage.dir.join("tmux.sock");
    let script = stage.dir.join("bin/notes.sh");
    let pane = stage.dir.join("bin/notes-tool");
    let text = format!(
        "tmux -S {} -f /dev/null new-session -d -x 80 -y 24 'exec {} stay' </dev/null >/dev/null 2>&1\nexec {} {does}\n",
        socket.display(),
        pane.display(),
        pane.display()
    );
    fs::write(&script, text).unwrap();
    let server = [stage.mcp_reap(), "exec", "--", "sh", script.to_str().unwrap()].map(str::to_owned);
    let client = stage.client("pipe", &server);
    let server = client.servers[0];
    let pane = stage.wait_for(2).into_iter().map(|(pid, _)| pid).find(|pid| *pid != server).unwrap();
    let multiplexer = parent(pane).unwrap();
    assert!(command(multiplexer)[0].contains("tmux"), "{:?}", command(multiplexer));
    until(10, "pid 1 has the multiplexer", || parent(multiplexer) == Some(1));
    (client, server, [multiplexer, pane])
}

pub(crate) fn end_tmux(stage: &Stage) {
    let mut kill = Command::new("tmux");
    kill.arg("-S").arg(stage.dir.join("tmux.sock")).arg("kill-server").stdin(Stdio::null()).status().unwrap();
}
