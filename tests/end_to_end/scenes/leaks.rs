//! What nobody uses any more goes, and goes as a whole.

use nix::sys::signal::Signal;

use crate::look;
use crate::puppet::Order;
use crate::role::{Actor, Play};
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};
use crate::wire::Wire;

pub(crate) fn an_orphaned_npx_tree_goes_as_a_whole(stage: &Stage) {
    let cast = stage.orphan(&shapes::devtools("d"));
    let plan = stage.plan();
    let instance = plan.must_have(cast[2]);
    assert_eq!(instance.verdict(), "orphaned");
    assert!(instance.reap());
    assert_eq!(instance.root(), cast[0].pid);
    assert_eq!(instance.pids(), sorted(&cast), "npm, sh, node and the browser are one instance");
    assert_eq!(plan.instances().len(), 1);
    stage.reap();
    all_dead(&cast);
}

pub(crate) fn every_launch_style_is_found(stage: &Stage) {
    let trees =
        [shapes::memory("memory"), shapes::node("node"), shapes::uvx("uvx"), shapes::python("python")];
    let casts: Vec<_> = trees.iter().map(|tree| stage.orphan(tree)).collect();
    let plan = stage.plan();
    for cast in &casts {
        let instance = plan.must_have(cast[0]);
        assert_eq!((instance.verdict().as_str(), instance.pids()), ("orphaned", sorted(cast)));
    }
    assert_eq!(plan.doomed(), sorted(&casts.concat()));
    stage.reap();
    all_dead(&casts.concat());
}

pub(crate) fn a_stopped_orphan_handles_sigterm(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    for who in &cast {
        stage.signal(*who, Signal::SIGSTOP);
    }
    look::until("all are stopped", || cast.iter().all(|w| look::stat(w.pid).unwrap().state == 'T'));
    stage.reap();
    all_dead(&cast);
    let audit = stage.audit();
    for who in &cast {
        assert!(audit.about("killed", *who).is_empty(), "{who:?} could have ended by itself");
        assert_eq!(audit.about("exited", *who).len(), 1);
    }
}

pub(crate) fn a_subreaper_adopts_and_is_no_owner(stage: &Stage) {
    let server = shapes::memory("m");
    // The launcher in between leaves at once, and the user manager adopts what it started.
    let manager = Actor::new("manager", "systemd", &["/usr/lib/systemd/systemd", "--user"], Play::Idle)
        .on(Wire::Null)
        .but(|a| a.subreaper = true)
        .above([Actor::new("gone", "claude", &["claude"], Play::Leave)
            .above([server.clone().on(Wire::Socketpair)])]);
    stage.start(&manager);
    let cast = stage.cast(&server);
    let manager = stage.who("manager");
    look::until("the user manager has adopted", || cast[0].parent() == manager.pid);
    assert_eq!(stage.plan().must_have(cast[2]).verdict(), "orphaned");
    stage.reap();
    all_dead(&cast);
    all_alive(&[manager]);
}

pub(crate) fn the_wire_is_found_on_other_descriptors(stage: &Stage) {
    let moved = |a: &mut Actor| a.moves_wire = true;
    let pipes = stage.orphan(&shapes::python("p").but(moved));
    let sockets = stage.orphan(&shapes::python("s").on(Wire::Socketpair).but(moved));
    // In another program these may be the pipes of a child that ended.
    let other = stage.orphan(&shapes::node("n").but(moved));
    let plan = stage.plan();
    for who in [pipes[0], sockets[0]] {
        let dead_on_6_and_7 = "/dev/null on 0 and 1, the dead wire on 6 and 7";
        assert_eq!(plan.must_have(who).verdict(), "orphaned", "{dead_on_6_and_7}");
    }
    assert_eq!(plan.must_have(other[0]).verdict(), "detached");
    stage.reap();
    all_dead(&[pipes, sockets].concat());
    all_alive(&other);
}

pub(crate) fn hung_up_in_both_directions_is_disconnected(stage: &Stage) {
    let client = stage.client("claude", [shapes::node("old"), shapes::node("new")]);
    let (old, new) = (stage.who("old"), stage.who("new"));
    stage.tell(&client, &Order::HangUp("old".to_owned()));
    let plan = stage.plan();
    assert_eq!(plan.must_have(old).verdict(), "disconnected");
    assert!(plan.must_have(old).reap());
    assert_eq!(plan.must_have(new).verdict(), "in-use");
    // Not before it is old enough: a client may be about to end it.
    stage.run(&["--yes"]).exits(0);
    all_alive(&[old]);
    stage.reap();
    all_dead(&[old]);
    all_alive(&[new, client.who]);
    stage.ping(&client, "new");
}

pub(crate) fn a_closed_input_is_enough_once_the_owner_is_gone(stage: &Stage) {
    // After a reconnect: npm's parent ended, the client closed the old copy's stdin and still reads its stdout.
    let server = shapes::memory("m").on(Wire::Inherit);
    let wrapper = Actor::new("wrapper", "bash", &["bash", "/home/u/bin/run-mcp.sh"], Play::Leave);
    let client =
        stage.client("claude", [wrapper.on(Wire::Socketpair).above([server.clone()]), shapes::node("new")]);
    let cast = stage.cast(&server);
    look::until("the wrapper's child has been adopted", || cast[0].parent() == 1);
    assert_eq!(stage.plan().must_have(cast[2]).verdict(), "in-use", "the client still talks to it");
    stage.tell(&client, &Order::CloseInput("wrapper".to_owned()));
    assert_eq!(stage.plan().must_have(cast[2]).verdict(), "orphaned");
    stage.reap();
    all_dead(&cast);
    stage.ping(&client, "new");
}

pub(crate) fn children_of_pid_2_in_a_container_are_no_kernel_threads(stage: &Stage) {
    assert_eq!(std::process::id(), 2);
    let cast = stage.orphan(&shapes::memory("m"));
    let client = stage.client("claude", [shapes::node("n")]);
    assert_eq!(client.who.parent(), 2);
    let plan = stage.plan();
    assert_eq!(plan.must_have(stage.who("n")).verdict(), "in-use");
    assert_eq!(plan.doomed(), sorted(&cast));
    stage.reap();
    all_dead(&cast);
    all_alive(&[client.who, stage.who("n")]);
}

pub(crate) fn a_careless_init_does_not_hide_success(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    let run = stage.run(&["--yes", "--min-age", "0s", "--grace", "5s"]).exits(0);
    assert!(run.took.as_secs() < 4, "a zombie has ended: nothing to wait for, took {:?}", run.took);
    all_dead(&cast);
    let audit = stage.audit();
    audit.is_sound();
    assert!(audit.of("survived").is_empty() && audit.of("killed").is_empty());
    assert_eq!(audit.of("exited").len(), cast.len());
}

pub(crate) fn the_environment_of_claude_code_names_a_server(stage: &Stage) {
    // Nothing in the command line says MCP: only what Claude Code puts into its servers' environment.
    let notes = Actor::new("notes", "node", &["node", "/home/u/notes/dist/index.js"], Play::ServeOn)
        .on(Wire::Socketpair)
        .with_env("CLAUDECODE", "1")
        .with_env("CLAUDE_CODE_SESSION_ID", "4be1f0c2-7a53-4d0e-9c55-1f2b6a7d8e90");
    let cast = stage.orphan(&notes);
    assert_eq!(stage.plan().must_have(cast[0]).verdict(), "orphaned");
    stage.reap();
    all_dead(&cast);
}

pub(crate) fn a_stray_holder_of_one_end_saves_as_long_as_it_is_there(stage: &Stage) {
    // A sibling that inherited the end which writes to the server: it could still write to it.
    for (tag, server) in [("n", shapes::node("n")), ("p", shapes::python("p"))] {
        let stray = shapes::bystander(&format!("stray-{tag}"));
        let client = stage.client(&format!("claude-{tag}"), [server.clone()]);
        stage.tell(&client, &Order::Share(tag.to_owned(), false, Box::new(stray.clone())));
        stage.wait_for(&stray);
        let cast = stage.cast(&server);
        stage.kill_client(&client);
        assert_eq!(stage.plan().must_have(cast[0]).verdict(), "in-use");
        stage.reap();
        all_alive(&cast);
        let holder = stage.cast(&stray)[0];
        stage.kill(holder);
        all_dead(&[holder]);
        assert_eq!(stage.plan().must_have(cast[0]).verdict(), "orphaned");
        stage.reap();
        all_dead(&cast);
    }
}

/// A browser on this wire, whose client, launchers and server are all dead.
fn a_browser_left_alone(stage: &Stage, wire: Wire) -> Vec<look::Who> {
    let mut tree = shapes::devtools("d");
    tree.below[0].below[0].below[0].wire = wire;
    let cast = stage.orphan(&tree);
    for who in &cast[..3] {
        stage.kill(*who);
    }
    look::until("pid 1 has the browser", || cast[3].parent() == 1);
    cast[3..].to_vec()
}

pub(crate) fn a_browser_that_outlived_its_server_goes(stage: &Stage) {
    let browser = a_browser_left_alone(stage, Wire::Socketpair);
    stage.reap();
    all_dead(&browser);
}

pub(crate) fn a_browser_whose_stdio_tells_nothing_stays(stage: &Stage) {
    // The person may have opened the server's profile by hand.
    let browser = a_browser_left_alone(stage, Wire::Null);
    assert_eq!(stage.plan().must_have(browser[0]).verdict(), "detached");
    stage.reap();
    all_alive(&browser);
}

pub(crate) fn a_launcher_that_respawns_is_asked_first(stage: &Stage) {
    let argv = ["node", "/home/u/node_modules/.bin/nodemon", "/home/u/node_modules/.bin/mcp-server-memory"];
    let nodemon = Actor::new("nodemon", "node", &argv, Play::Respawn).on(Wire::Socketpair);
    let argv = ["node", "/home/u/node_modules/.bin/mcp-server-memory"];
    let cast = stage.orphan(&nodemon.above([Actor::new("server", "node", &argv, Play::ServeOn)]));
    stage.reap();
    all_dead(&cast);
    let left: Vec<_> = look::everyone().into_iter().filter(|s| s.comm == "node" && s.state != 'Z').collect();
    assert!(left.is_empty(), "started again: {left:?}");
}

/// Their pids in order.
pub(crate) fn sorted(some: &[look::Who]) -> Vec<u32> {
    let mut pids: Vec<u32> = some.iter().map(|w| w.pid).collect();
    pids.sort_unstable();
    pids
}
