//! What stands between a client and a server: gateways, sandboxes, wrappers that no list knows.

use crate::look::{self, Who};
use crate::role::{Actor, Play};
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};
use crate::wire::Wire;

fn pids(some: &[Who]) -> Vec<u32> {
    let mut pids: Vec<u32> = some.iter().map(|who| who.pid).collect();
    pids.sort_unstable();
    pids
}

pub(crate) fn of_a_gateways_children_the_one_it_forgot_goes(stage: &Stage) {
    let argv = ["node", "/home/u/node_modules/.bin/mcp-proxy", "--config", "/home/u/proxy.json"];
    let (forgotten, held) = (shapes::python("forgotten"), shapes::node("held"));
    let gateway = Actor::new("gateway", "node", &argv, Play::ServeOn)
        .on(Wire::Socketpair)
        .above([forgotten, held])
        .but(|a| a.lets_go_of = vec!["forgotten".to_owned()]);
    let client = stage.client("claude", [gateway]);
    let (gateway, forgotten, held) = (stage.who("gateway"), stage.who("forgotten"), stage.who("held"));
    let plan = stage.plan();
    assert_eq!(plan.must_have(forgotten).verdict(), "disconnected");
    assert_eq!(plan.must_have(forgotten).pids(), [forgotten.pid], "an instance of its own");
    assert_eq!(plan.must_have(gateway).pids(), pids(&[gateway, held]));
    assert_eq!(plan.doomed(), [forgotten.pid]);
    stage.reap();
    all_dead(&[forgotten]);
    all_alive(&[gateway, held, client.who]);
    stage.ping(&client, "gateway");
}

/// `bwrap` with a namespace of its own, the process that it leaves in there as pid 1, and the server.
fn sandboxed(tag: &str) -> Actor {
    let server = "/home/u/node_modules/.bin/mcp-server-notes";
    let argv = ["bwrap", "--unshare-pid", "--ro-bind", "/", "/", "node", server];
    let inner = Actor::new(&format!("{tag}.inner"), "bwrap", &argv, Play::Launch).above([Actor::new(
        &format!("{tag}.node"),
        "node",
        &["node", server],
        Play::ServeOn,
    )]);
    Actor::new(tag, "bwrap", &argv, Play::Launch)
        .on(Wire::Socketpair)
        .above([inner])
        .but(|a| a.sandboxes = true)
}

pub(crate) fn a_sandboxed_server_goes_with_the_namespace_that_it_made(stage: &Stage) {
    let client = stage.client("claude", [sandboxed("used")]);
    let used = stage.cast(&sandboxed("used"));
    let cast = stage.orphan(&sandboxed("left"));
    let plan = stage.plan();
    let instance = plan.must_have(cast[2]);
    assert_eq!((instance.verdict().as_str(), instance.reap()), ("orphaned", true));
    assert_eq!(instance.pids(), pids(&cast));
    stage.reap();
    all_dead(&cast);
    all_alive(&used);
    stage.ping(&client, "used");
}

pub(crate) fn a_server_in_somebody_elses_namespace_stays(stage: &Stage) {
    // A container of somebody's, and a server that was put into it from outside.
    let room = Actor::new("room", "pause", &["/pause"], Play::Idle).on(Wire::Null);
    let runtime = Actor::new("runtime", "runc", &["runc", "run", "box"], Play::Launch).on(Wire::Null);
    stage.start(&runtime.above([room]).but(|a| a.sandboxes = true));
    let pid = stage.who("room").pid.to_string();
    let server = "/home/u/node_modules/.bin/mcp-server-notes";
    let guest = Actor::new("guest.node", "node", &["node", server], Play::ServeOn);
    let argv = ["nsenter", "-t", &pid, "-p", "node", server];
    let guest = Actor::new("guest", "nsenter", &argv, Play::Launch)
        .on(Wire::Socketpair)
        .above([guest])
        .but(|a| a.enters = Some("room".to_owned()));
    let cast = stage.orphan(&guest);
    let control = stage.orphan(&sandboxed("control"));
    let plan = stage.plan();
    assert!(!plan.doomed().contains(&cast[1].pid));
    stage.reap();
    all_dead(&control);
    all_alive(&cast[1..]);
    all_alive(&[stage.who("room")]);
    stage.audit().is_silent_about(&cast[1..]);
}

/// The server that the wrappers below run.
fn wrapped(tag: &str) -> Actor {
    let path = "/home/u/node_modules/.bin/mcp-server-notes";
    Actor::new(&format!("{tag}.node"), "node", &["node", path], Play::ServeOn)
}

fn wrapper(tag: &str, bin: &str, argv: &[&str]) -> Actor {
    let argv: Vec<&str> =
        argv.iter().copied().chain(["node", "/home/u/node_modules/.bin/mcp-server-notes"]).collect();
    Actor::new(tag, bin, &argv, Play::Launch)
}

pub(crate) fn wrappers_that_no_list_knows_go_with_their_server(stage: &Stage) {
    let wrappers = [
        wrapper("time", "time", &["/usr/bin/time", "-v"]),
        wrapper("acme", "passalong", &["/opt/acme/passalong", "--quiet", "--"]),
        wrapper("box", "sandbox-of-mine", &["/opt/acme/sandbox-of-mine", "--no-network"]),
    ];
    let trees: Vec<Actor> = wrappers
        .into_iter()
        .zip([Wire::Socketpair, Wire::Pipe, Wire::Socketpair])
        .map(|(wrapper, wire)| {
            let server = wrapped(&wrapper.tag);
            wrapper.on(wire).above([server])
        })
        .collect();
    let living: Vec<Actor> = trees.iter().map(|tree| tree.clone().all(&|a| a.tag.insert(0, 'x'))).collect();
    let client = stage.client("claude", living.clone());
    let casts: Vec<Vec<Who>> = trees.iter().map(|tree| stage.orphan(tree)).collect();
    let plan = stage.plan();
    for cast in &casts {
        let instance = plan.must_have(cast[1]);
        assert_eq!((instance.verdict().as_str(), instance.pids()), ("orphaned", pids(cast)));
        assert_eq!(instance.root(), cast[0].pid);
    }
    stage.reap();
    all_dead(&casts.concat());
    for tree in &living {
        all_alive(&stage.cast(tree));
        stage.ping(&client, &tree.tag);
    }
}

pub(crate) fn a_wrapper_with_a_terminal_of_its_own_goes_with_its_server(stage: &Stage) {
    let script = |tag: &str| {
        let argv = ["script", "-qec", "node /home/u/node_modules/.bin/mcp-server-notes", "/dev/null"];
        let script = Actor::new(tag, "script", &argv, Play::Launch).on(Wire::Socketpair);
        script.above([wrapped(tag).on(Wire::Pty)])
    };
    let (used, left) = (script("used"), script("left"));
    let client = stage.client("claude", [used.clone()]);
    let cast = stage.orphan(&left);
    let plan = stage.plan();
    let instance = plan.must_have(cast[1]);
    assert_eq!((instance.verdict().as_str(), instance.pids()), ("orphaned", pids(&cast)));
    stage.reap();
    all_dead(&cast);
    all_alive(&stage.cast(&used));
    all_alive(&[client.who]);
}

pub(crate) fn a_wrapper_that_runs_something_else_too_is_an_owner_and_stays(stage: &Stage) {
    let shop = Actor::new("shop", "node", &["node", "/home/u/shop/server.js"], Play::Idle).on(Wire::Null);
    let tree = wrapper("acme", "passalong", &["/opt/acme/passalong", "--"]).on(Wire::Socketpair);
    let tree = tree.above([wrapped("acme"), shop]);
    let cast = stage.orphan(&tree);
    let (wrapper, server, shop) = (cast[0], cast[1], cast[2]);
    let control = stage.orphan(&shapes::memory("control"));
    assert_eq!(stage.plan().must_have(server).pids(), [server.pid]);
    stage.reap();
    all_dead(&control);
    all_dead(&[server]);
    look::until("the others are as they were", || wrapper.is_alive() && shop.is_alive());
    stage.audit().is_silent_about(&[wrapper, shop]);
}

pub(crate) fn a_client_behind_an_adapter_is_lost_with_it_and_goes_only_when_asked_for(stage: &Stage) {
    let tree = |tag: &str| {
        let claude = ["claude", "--output-format", "stream-json"];
        let claude = Actor::new(&format!("{tag}.claude"), "claude", &claude, Play::ServeOn)
            .on(Wire::Socketpair)
            .above([shapes::node(&format!("{tag}.n"))]);
        let argv = ["node", "/home/u/.npm-global/bin/claude-agent-acp"];
        Actor::new(tag, "node", &argv, Play::ServeOn).on(Wire::Socketpair).above([claude])
    };
    let (used, lost) = (tree("used"), tree("lost"));
    let editor = Actor::new("editor", "zed", &["zed"], Play::Client).on(Wire::Pipe);
    let editor = stage.start_client(editor.above([used.clone()]));
    let cast = stage.orphan(&lost);
    let plan = stage.plan();
    let orphaned = |who: Who| {
        let clients = plan.0["clients"].as_array().unwrap();
        clients.iter().any(|client| client["pid"] == who.pid && client["orphaned"] == true)
    };
    assert_eq!([orphaned(cast[0]), orphaned(cast[1])], [true, true]);
    assert!(stage.cast(&used)[..2].iter().all(|who| !orphaned(*who)));
    stage.reap();
    all_alive(&cast);
    stage.configure("[reap]\nclients = true\n");
    stage.reap();
    all_dead(&cast);
    all_alive(&stage.cast(&used));
    stage.ping(&editor, "used");
}

pub(crate) fn a_language_server_that_outlived_its_server_goes(stage: &Stage) {
    let lsp = |tag: &str| {
        let path = "/home/u/.serena/language_servers/static/RustAnalyzer/RustAnalyzer/rust-analyzer";
        Actor::new(&format!("{tag}.lsp"), "rust-analyzer", &[path], Play::ServeOn).on(Wire::Pipe)
    };
    let serena = |tag: &str| {
        let argv = ["/home/u/.venv/bin/python", "/home/u/.venv/bin/serena-mcp-server"];
        Actor::new(tag, "python3", &argv, Play::ServeOn).on(Wire::Pipe).above([lsp(tag)])
    };
    let client = stage.client("claude", [serena("used")]);
    let cast = stage.orphan(&serena("dead"));
    stage.kill(cast[0]);
    look::until("pid 1 has the language server", || cast[1].parent() == 1);
    assert_eq!(stage.plan().must_have(cast[1]).verdict(), "orphaned");
    stage.reap();
    all_dead(&cast);
    all_alive(&stage.cast(&serena("used")));
    stage.ping(&client, "used");
}
