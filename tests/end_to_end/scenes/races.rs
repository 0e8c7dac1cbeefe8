//! The world does not stand still between a look and a signal.

use std::fs;
use std::time::{Duration, Instant};

use crate::look::{self, Who};
use crate::role::{Actor, Play};
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};
use crate::wire::Wire;

/// Starts an actor with the number of one who is gone: the kernel gives out the next free number
/// after the last, and a namespace's root may say which was last (pid_namespaces(7)).
pub(crate) fn take_number_of(stage: &Stage, gone: Who, actor: &Actor) -> Who {
    look::until("the number is free", || gone.is_collected());
    // A start is told in ticks of 10 ms, and a fast machine starts two processes within one.
    look::until("the tick is over", || look::ticks_since_boot() > gone.start);
    for attempt in 0..50 {
        fs::write("/proc/sys/kernel/ns_last_pid", (gone.pid - 1).to_string()).unwrap();
        let actor = actor.clone().but(|a| a.tag = format!("{}-{attempt}", a.tag));
        let (child, _) = actor.start(&stage.dir);
        let taken = look::who(child.id());
        // Not collected, not killed: it is a process of the scene from now on.
        if taken.pid == gone.pid {
            return taken;
        }
    }
    panic!("somebody else always took {}", gone.pid);
}

pub(crate) fn a_reused_number_is_never_touched(stage: &Stage) {
    // Orphans die one after another while mcp-reap looks, looks again, asks, waits and insists, and each time
    // an innocent process gets the number at once. Half of them would have been killed after the grace.
    let orphans: Vec<Who> = (0..24)
        .flat_map(|i| stage.orphan(&shapes::node(&format!("n{i}")).but(|a| a.ignores_term = i % 2 == 0)))
        .collect();
    let running = stage.begin(&["--yes", "--min-age", "0s", "--grace", "1s"]);
    let begun = Instant::now();
    let mut innocent = Vec::new();
    for (i, orphan) in (0u32..).zip(&orphans) {
        let due = Duration::from_millis(60) * i;
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        if orphan.is_alive() {
            stage.kill(*orphan);
        }
        innocent.push(take_number_of(stage, *orphan, &shapes::bystander(&format!("b{i}"))));
    }
    let run = running.finish();
    all_alive(&innocent);
    assert_eq!(run.code, 0, "what ended by itself is no failure");
    let audit = stage.audit();
    audit.is_sound();
    assert!(audit.of("survived").is_empty() && audit.of("denied").is_empty());
    assert!(!audit.of("signalled").is_empty(), "some lived long enough to be asked, or nothing was shown");
}

pub(crate) fn a_client_that_comes_back_between_the_looks_saves(stage: &Stage) {
    // What looked like an orphan at the first look is gone at the second, and somebody else is there in its place,
    // an MCP server too, and in use.
    let orphan = stage.orphan(&shapes::node("old"))[0];
    let control = stage.orphan(&shapes::memory("control"));
    let client = stage.client("claude", []);
    let running = stage.begin(&["--yes", "--min-age", "0s", "--grace", "1s"]);
    // Inside the 500 ms between the looks, as far as that can be hit from outside; wherever it hits, it must stay.
    std::thread::sleep(Duration::from_millis(200));
    if orphan.is_alive() {
        stage.kill(orphan);
    }
    look::until("the number is free", || orphan.is_collected());
    fs::write("/proc/sys/kernel/ns_last_pid", (orphan.pid - 1).to_string()).unwrap();
    stage.tell(&client, &crate::puppet::Order::Start(Box::new(shapes::node("new"))));
    stage.wait_for(&shapes::node("new"));
    running.finish().exits(0);
    all_dead(&control);
    all_alive(&[stage.who("new")]);
    stage.ping(&client, "new");
}

pub(crate) fn a_network_client_that_connects_between_the_looks_saves(stage: &Stage) {
    // The same process at both looks: only the second sees that somebody uses it.
    let argv = ["node", "/home/u/node_modules/.bin/mcp-server-everything", "sse"];
    let daemon =
        |tag: &str| Actor::new(tag, "node", &argv, Play::Idle).on(Wire::Null).but(|a| a.listens = true);
    let (wanted, control) = (stage.orphan(&daemon("wanted")), stage.orphan(&daemon("control")));
    stage.configure("[reap]\ndetached = true\n");
    let plan = stage.plan();
    assert!(plan.must_have(wanted[0]).reap() && plan.must_have(control[0]).reap());
    let evidence = plan.must_have(wanted[0]).0["evidence"].as_array().unwrap().clone();
    let port = evidence.iter().find_map(|seen| seen["ports"][0].as_u64()).unwrap();
    let running = stage.begin(&["--yes", "--min-age", "0s", "--grace", "1s"]);
    let looked = || fs::read_to_string(stage.audit_path()).is_ok_and(|text| text.contains("run-started"));
    look::until("the first look is over", || looked() || running.has_ended());
    let client = std::net::TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    running.finish().exits(0);
    drop(client);
    all_alive(&wanted);
    all_dead(&control);
    let audit = stage.audit();
    audit.is_sound();
    assert_eq!(audit.about("withheld", wanted[0]).len(), 1);
    assert!(audit.about("intent", wanted[0]).is_empty());
}

pub(crate) fn many_orphans_go_at_once(stage: &Stage) {
    let tag = |i: usize| format!("n{i:03}");
    let actors: Vec<Actor> =
        (0..150).map(|i| shapes::node(&tag(i)).but(|a| a.ignores_term = i % 10 == 0)).collect();
    let client = stage.client("doomed", actors.clone());
    let cast: Vec<Who> = actors.iter().flat_map(|a| stage.cast(a)).collect();
    stage.kill_client(&client);
    let innocent: Vec<Actor> = (0..20)
        .map(|i| {
            Actor::new(&format!("i{i}"), "node", &["node", "/srv/shop/server.js"], Play::Idle)
                .on(Wire::Socketpair)
        })
        .collect();
    let alive = stage.client("claude", innocent.clone());
    let run = stage.reap();
    all_dead(&cast);
    all_alive(&innocent.iter().flat_map(|a| stage.cast(a)).collect::<Vec<_>>());
    all_alive(&[alive.who]);
    assert!(run.took < Duration::from_secs(4), "two looks, one grace; took {:?}", run.took);
}
