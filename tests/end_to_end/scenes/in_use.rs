//! What is in use, or is no server, or is not ours, stays: after every run it still runs and answers.

use std::os::unix::fs::MetadataExt;

use crate::look::{self, Who};
use crate::puppet::Order;
use crate::role::{Actor, Play};
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};
use crate::wire::Wire;

/// A plan and a real run; neither may choose any of these. One orphan beside them has to go, so
/// that a program that ends nobody does not pass.
fn none_of(stage: &Stage, some: &[Who]) {
    let orphan = stage.orphan(&shapes::memory("control"));
    let plan = stage.plan();
    for who in some {
        assert!(!plan.doomed().contains(&who.pid), "{who:?} would be ended: {:?}", plan.instance(*who));
    }
    stage.reap();
    all_alive(some);
    stage.audit().is_silent_about(some);
    all_dead(&orphan);
}

pub(crate) fn a_live_clients_servers_stay_and_still_answer(stage: &Stage) {
    let trees = [shapes::devtools("d"), shapes::uvx("u"), shapes::python("p"), shapes::node("n")];
    let client = stage.client("claude", trees.clone());
    let cast: Vec<Who> = trees.iter().flat_map(|tree| stage.cast(tree)).collect();
    for tree in &trees {
        stage.ping(&client, &tree.tag);
    }
    none_of(stage, &cast);
    for tree in &trees {
        stage.ping(&client, &tree.tag);
    }
    let plan = stage.plan();
    assert!(cast.iter().all(|who| plan.must_have(*who).verdict() == "in-use"));
}

pub(crate) fn a_dead_launcher_does_not_orphan_a_connected_server(stage: &Stage) {
    for (tag, wire) in [("sockets", Wire::Socketpair), ("pipes", Wire::Pipe)] {
        let tree = shapes::memory(tag).on(wire);
        let client = stage.client(&format!("claude-{tag}"), [tree.clone()]);
        let cast = stage.cast(&tree);
        stage.kill(cast[0]);
        look::until("pid 1 has adopted", || cast[1].parent() == 1);
        assert_eq!(stage.plan().must_have(cast[2]).verdict(), "in-use");
        stage.reap();
        all_alive(&cast[1..]);
        stage.ping(&client, tag);
    }
}

pub(crate) fn half_a_hang_up_under_a_live_owner_is_not_enough(stage: &Stage) {
    let client = stage.client("claude", [shapes::node("n"), shapes::python("p")]);
    for tag in ["n", "p"] {
        stage.tell(&client, &Order::CloseInput(tag.to_owned()));
    }
    none_of(stage, &[stage.who("n"), stage.who("p")]);
}

pub(crate) fn a_wire_on_other_descriptors_is_still_a_wire(stage: &Stage) {
    let moved = |tag: &str, a: Actor| {
        let server = a.but(|a| a.moves_wire = true);
        // Without its launcher only the wire speaks for it.
        Actor::new(&format!("{tag}.gone"), "sh", &["sh", "-c", "run"], Play::Leave)
            .on(server.wire)
            .above([server.on(Wire::Inherit)])
    };
    let client = stage.client("claude", [moved("p", shapes::python("p")), moved("n", shapes::node("n"))]);
    let cast = [stage.who("p"), stage.who("n")];
    look::until("both have been adopted", || cast.iter().all(|w| w.parent() == 1));
    none_of(stage, &cast);
    stage.ping(&client, "p.gone");
    stage.ping(&client, "n.gone");
}

pub(crate) fn a_young_orphan_stays(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    stage.run(&["--yes"]).exits(0);
    all_alive(&cast);
    stage.run(&["--yes", "--min-age", "1h", "--grace", "1s"]).exits(0);
    all_alive(&cast);
    stage.audit().is_silent_about(&cast);
    stage.reap();
    all_dead(&cast);
}

pub(crate) fn a_job_of_the_bash_tool_stays(stage: &Stage) {
    // Started by the person's own `node dist/index.js &` in Claude Code's Bash tool, to try a server out.
    let job = |tag: &str, wire: Wire| {
        Actor::new(tag, "node", &["node", "/home/u/notes/dist/index.js"], Play::ServeOn)
            .on(wire)
            .with_env("CLAUDECODE", "1")
            .with_env("CLAUDE_CODE_SESSION_ID", "4be1f0c2-7a53-4d0e-9c55-1f2b6a7d8e90")
            .with_env("CLAUDE_CODE_CHILD_SESSION", "1")
    };
    let cast =
        [stage.orphan(&job("sockets", Wire::Socketpair)), stage.orphan(&job("null", Wire::Null))].concat();
    none_of(stage, &cast);
}

pub(crate) fn a_detached_daemon_stays(stage: &Stage) {
    let argv = ["node", "/home/u/node_modules/.bin/mcp-server-everything", "streamableHttp"];
    let daemon = Actor::new("http", "node", &argv, Play::Idle).on(Wire::Null).but(|a| {
        a.listens = true;
        a.own_session = true;
    });
    let cast = stage.orphan(&daemon);
    assert_eq!(stage.plan().must_have(cast[0]).verdict(), "detached");
    none_of(stage, &cast);
}

/// A server on /dev/null that pid 1 has above it.
fn a_silent_child_of_pid_1(stage: &Stage) -> Vec<Who> {
    let cast = stage.orphan(&shapes::node("silent").on(Wire::Null));
    assert_eq!(cast[0].parent(), 1);
    cast
}

pub(crate) fn a_client_at_pid_1_is_an_owner(stage: &Stage) {
    let cast = a_silent_child_of_pid_1(stage);
    assert!(!stage.plan().doomed().contains(&cast[0].pid));
    stage.reap();
    all_alive(&cast);
}

pub(crate) fn a_supervisor_at_pid_1_is_an_owner(stage: &Stage) {
    let cast = a_silent_child_of_pid_1(stage);
    assert!(!stage.plan().doomed().contains(&cast[0].pid));
    stage.reap();
    all_alive(&cast);
}

pub(crate) fn lookalikes_are_never_touched(stage: &Stage) {
    let argvs: &[&[&str]] = &[
        &["vim", "src/mcp-server.ts"],
        &["tail", "-f", "/var/log/mcp-server-memory.log"],
        &["grep", "-rn", "mcp-server", "."],
        &["tmux", "new", "-s", "mcp-server"],
        &["git", "clone", "https://example.org/mcp-server-memory.git"],
        &["docker", "build", "-t", "mcp-server-memory", "."],
        &["python3", "-m", "pytest", "tests/test_mcp_server.py"],
        &["node", "/home/u/mcp-server/node_modules/.bin/vite", "dev"],
        &["node", "/home/u/mcp-server/node_modules/.bin/tsc", "--watch"],
        &["sh", "-c", "sleep 1000 # npx mcp-server-memory"],
        &["ssh", "build-host", "npx", "-y", "mcp-server-memory"],
        &["rust-analyzer", "/home/u/mcp-reap"],
        &["mcp-reap", "list"],
    ];
    let actors: Vec<Actor> = (argvs.iter().enumerate())
        .map(|(i, argv)| Actor::new(&format!("l{i}"), argv[0], argv, Play::Idle).on(Wire::Socketpair))
        .collect();
    let client = stage.client("doomed", actors.clone());
    let cast: Vec<Who> = actors.iter().flat_map(|a| stage.cast(a)).collect();
    stage.kill_client(&client);
    look::until("all have been adopted", || cast.iter().all(|w| w.parent() == 1));
    none_of(stage, &cast);
}

pub(crate) fn another_users_orphan_is_not_ours_to_end(stage: &Stage) {
    let cast = stage.orphan(&shapes::node("theirs").but(|a| a.uid = Some(65534)));
    let uid = || std::fs::metadata(format!("/proc/{}", cast[0].pid)).map(|m| m.uid());
    look::until("it is another user's", || uid().is_ok_and(|uid| uid == 65534));
    none_of(stage, &cast);
    let listed = stage.run(&["list", "--all-users", "--min-age", "0s"]).exits(0).text();
    assert!(listed.contains("USER") && (listed.contains("nobody") || listed.contains("65534")), "{listed}");
    let report = stage.run(&["list", "--json", "--all-users", "--min-age", "0s"]).exits(0).json();
    assert_eq!(report.must_have(cast[0]).0["uid"], 65534);
    let metrics = stage.run(&["check", "--format", "prometheus", "--all-users", "--min-age", "0s"]).exits(1);
    assert!(metrics.text().contains(r#",uid="65534"} 1"#), "{}", metrics.text());
    stage.run(&["--yes", "--min-age", "0s", "--grace", "1s", "--all-users"]).exits(0);
    assert_eq!(stage.audit().about("intent", cast[0])[0]["uid"], 65534);
    all_dead(&cast);
}

pub(crate) fn a_browser_of_the_persons_own_is_not_a_helper(stage: &Stage) {
    let argv = ["/opt/google/chrome/chrome", "--user-data-dir=/home/u/.config/google-chrome"];
    let chrome = stage.orphan(&Actor::new("chrome", "chrome", &argv, Play::Idle).on(Wire::Null));
    none_of(stage, &chrome);
}

pub(crate) fn an_orphaned_client_keeps_its_servers_until_the_person_says_otherwise(stage: &Stage) {
    // `claude -p` whose caller is gone: nobody can talk to it any more, and its servers serve nobody else.
    let argv = ["claude", "-p", "--output-format", "stream-json"];
    let client =
        Actor::new("lost", "claude", &argv, Play::Client).on(Wire::Socketpair).above([shapes::node("n")]);
    let caller = Actor::new("caller", "node", &["node", "/home/u/bot/index.js"], Play::Leave).above([client]);
    let caller = stage.client("terminal", [caller.on(Wire::Null)]);
    stage.wait_for(&shapes::node("n"));
    let cast = [stage.who("lost"), stage.who("n")];
    look::until("pid 1 has adopted the client", || cast[0].parent() == 1);
    let plan = stage.plan();
    let told = plan.0["clients"].as_array().unwrap().iter().find(|c| c["pid"] == cast[0].pid);
    assert_eq!(told.unwrap_or_else(|| panic!("the client is not reported"))["orphaned"], true);
    none_of(stage, &cast);
    stage.configure("[reap]\nclients = true\n");
    stage.reap();
    all_dead(&cast);
    all_alive(&[caller.who]);
}

pub(crate) fn a_worker_that_holds_both_ends_saves(stage: &Stage) {
    // The client that started the server is dead; a worker of its own goes on talking over the wire it inherited.
    let mut cast = Vec::new();
    for (tag, server) in [("n", shapes::node("n")), ("p", shapes::python("p"))] {
        let worker = Actor::new(&format!("worker-{tag}"), "claude", &["claude"], Play::Idle);
        let client = stage.client(&format!("claude-{tag}"), [server.clone()]);
        stage.tell(&client, &Order::Share(tag.to_owned(), true, Box::new(worker.clone())));
        stage.wait_for(&worker);
        cast.extend(stage.cast(&server));
        cast.extend(stage.cast(&worker));
        stage.kill_client(&client);
    }
    none_of(stage, &cast);
}

pub(crate) fn a_crash_handler_below_pid_1_stays_with_its_living_server(stage: &Stage) {
    // Chrome's crash handler double-forks: it is a child of pid 1 although browser, server and client are well.
    let argv = [
        "/opt/google/chrome/chrome_crashpad_handler",
        "--monitor-self",
        "--database=/home/u/.cache/chrome-devtools-mcp/chrome-profile/Crash Reports",
    ];
    let handler = Actor::new("handler", "chrome_crashpad", &argv, Play::Idle).on(Wire::Null);
    let mut tree = shapes::devtools("d");
    let chrome = &mut tree.below[0].below[0].below[0];
    chrome.below.push(Actor::new("fork", "chrome", &["chrome"], Play::Leave).above([handler]));
    let client = stage.client("claude", [tree.clone()]);
    let handler = stage.who("handler");
    look::until("pid 1 has the handler", || handler.parent() == 1);
    none_of(stage, &stage.cast(&tree));
    stage.ping(&client, "d");
}

pub(crate) fn mcp_reap_spares_the_processes_above_it(stage: &Stage) {
    // A server may offer to clean up: it runs mcp-reap, which finds its own ancestors orphaned.
    let mut tree = shapes::memory("m");
    tree.below[0].below[0]
        .below
        .push(Actor::new("self", "sh", &["sh", "-c", "mcp-reap --yes"], Play::Reap).on(Wire::Null));
    let orphan = stage.orphan(&shapes::uvx("control"));
    let cast = stage.orphan(&tree);
    let done = stage.dir.join("ready/self.reaped");
    look::until("its run is over", || done.exists());
    all_alive(&cast);
    all_dead(&orphan);
    stage.audit().is_silent_about(&cast);
}
