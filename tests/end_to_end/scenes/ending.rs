//! How a run ends what it ends: asks, waits once for all, insists; and how it ends itself.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::audit::at;
use crate::look::{self, Who};
use crate::puppet::Order;
use crate::role::{Actor, Play};
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};

/// The same tree, deaf to SIGTERM in every member.
fn stubborn(tree: Actor) -> Actor {
    tree.all(&|a| a.ignores_term = true)
}

/// Starts a run and waits until it has asked this process to end.
fn until_asked(stage: &Stage, who: Who, grace: &str) -> crate::run::Running {
    let running = stage.begin(&["--yes", "--min-age", "0s", "--grace", grace]);
    let asked = || {
        std::fs::read_to_string(stage.audit_path()).is_ok_and(|text| {
            let told = |l: &str| l.contains("\"signalled\"") && l.contains(&format!("\"pid\":{}", who.pid));
            text.lines().any(told)
        })
    };
    look::until("it was asked to end", || asked() || running.has_ended());
    assert!(asked() && !running.has_ended(), "the run ended too early");
    running
}

pub(crate) fn a_server_that_ignores_sigterm_is_killed_after_the_grace(stage: &Stage) {
    let cast = stage.orphan(&stubborn(shapes::node("n")));
    let running = until_asked(stage, cast[0], "1s");
    let asked = Instant::now();
    look::until("it is dead", || !cast[0].is_alive());
    let held_out = asked.elapsed();
    running.finish().exits(0);
    let audit = stage.audit();
    audit.is_sound();
    let (intents, killed) = (audit.about("intent", cast[0]), audit.about("killed", cast[0]));
    assert_eq!(killed.len(), 1);
    let waited = at(killed[0]) - at(intents[0]);
    assert!((1000..1600).contains(&waited), "killed {waited} ms after the first intent, the grace is 1 s");
    // An eye of our own beside the log's: seen from after the request, so a little shorter.
    assert!(held_out > Duration::from_millis(900), "dead {held_out:?} after it was asked");
}

pub(crate) fn several_stubborn_ones_cost_one_grace(stage: &Stage) {
    let cast: Vec<Who> =
        (0..8).flat_map(|i| stage.orphan(&stubborn(shapes::node(&format!("n{i}"))))).collect();
    let run = stage.reap();
    all_dead(&cast);
    let most = Duration::from_millis(2500);
    assert!(run.took < most, "two looks and one grace of 1 s, took {:?}", run.took);
    assert_eq!(stage.audit().of("killed").len(), cast.len());
}

pub(crate) fn an_obedient_tree_costs_no_grace(stage: &Stage) {
    let cast = stage.orphan(&shapes::devtools("d"));
    let run = stage.run(&["--yes", "--min-age", "0s", "--grace", "20s"]).exits(0);
    all_dead(&cast);
    assert!(run.took < Duration::from_secs(3), "took {:?}", run.took);
}

pub(crate) fn a_child_born_after_sigterm_goes_too(stage: &Stage) {
    let late = Actor::new("late", "node", &["node", "/home/u/worker.js"], Play::Idle);
    let server = shapes::node("n").but(|a| a.born_late = Some(Box::new(late.clone())));
    let cast = stage.orphan(&server);
    stage.reap();
    stage.wait_for(&late);
    all_dead(&cast);
    let pid: u32 = std::fs::read_to_string(stage.dir.join("ready/late")).unwrap().parse().unwrap();
    assert!(look::stat(pid).is_none_or(|s| s.state == 'Z'), "the newborn {pid} is a new orphan");
}

/// A signal to mcp-reap in the middle of its grace.
fn stopped_by(stage: &Stage, signal: Signal) {
    let cast = stage.orphan(&stubborn(shapes::node("n")));
    let client = stage.client("claude", [shapes::node("used")]);
    let running = until_asked(stage, cast[0], "20s");
    kill(Pid::from_raw(running.pid().try_into().unwrap()), signal).unwrap();
    let run = running.finish().exits(128 + signal as i32);
    assert!(run.took < Duration::from_secs(5), "it was told to stop, took {:?}", run.took);
    let audit = stage.audit();
    audit.is_sound();
    assert_eq!(audit.0.last().unwrap()["event"], "run-finished");
    all_alive(&[client.who, stage.who("used")]);
    stage.ping(&client, "used");
    // Nothing is left locked: the next run ends what this one could not.
    stage.reap();
    all_dead(&cast);
}

pub(crate) fn an_interrupt_closes_the_log_first(stage: &Stage) {
    stopped_by(stage, Signal::SIGINT);
}

pub(crate) fn a_terminate_closes_the_log_first(stage: &Stage) {
    stopped_by(stage, Signal::SIGTERM);
}

pub(crate) fn a_second_run_finds_the_lock_taken(stage: &Stage) {
    let cast = stage.orphan(&stubborn(shapes::node("n")));
    let first = until_asked(stage, cast[0], "3s");
    let second = stage.run(&["--yes", "--min-age", "0s"]).exits(0);
    assert!(second.took < Duration::from_secs(2), "it does not wait, took {:?}", second.took);
    assert!(!first.has_ended());
    let said = second.complaint() + &second.text();
    assert!(said.contains("is at work; this run did nothing"), "it says why it did nothing: {said}");
    let report = stage.run(&["--yes", "--json", "--min-age", "0s"]).exits(0).json();
    let member = &report.must_have(cast[0]).0["members"][0];
    assert!(member["pid"].is_u64() && member.get("outcome").is_none(), "an object all the same: {member}");
    // With --wait it comes after the first, and finds nothing left.
    let third = stage.run(&["--yes", "--min-age", "0s", "--wait"]).exits(0);
    assert!(third.took > Duration::from_secs(1), "it waits, took {:?}", third.took);
    first.finish().exits(0);
    all_dead(&cast);
    let audit = stage.audit();
    audit.is_sound();
    let runs: std::collections::HashSet<_> =
        audit.about("intent", cast[0]).iter().map(|l| l["run"].to_string()).collect();
    assert_eq!(runs.len(), 1, "only the first run meant to end it");
}

pub(crate) fn zombies_are_reported_and_never_signalled(stage: &Stage) {
    let obedient = |tag: &str| shapes::node(tag).but(|a| a.play = Play::Serve);
    let client = stage.client("claude", [obedient("dead"), shapes::node("used")]);
    let dead = stage.who("dead");
    stage.tell(&client, &Order::CloseInput("dead".to_owned()));
    look::until("a zombie of its client", || look::stat(dead.pid).is_some_and(|s| s.state == 'Z'));
    let plan = stage.plan();
    let zombies = plan.0["zombies"].as_array().unwrap();
    let told =
        zombies.iter().find(|z| z["pid"] == dead.pid).unwrap_or_else(|| panic!("not among {zombies:?}"));
    assert_eq!(told["ppid"], client.who.pid, "with the parent that should collect it");
    assert!(plan.instance(dead).is_none());
    stage.reap();
    assert!(!dead.is_collected() && look::stat(dead.pid).unwrap().state == 'Z');
    assert!(
        stage.audit().0.iter().all(|l| l["pid"].as_u64() != Some(dead.pid.into())),
        "nothing to tell of it"
    );
    stage.ping(&client, "used");
}
