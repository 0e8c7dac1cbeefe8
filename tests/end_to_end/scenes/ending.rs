//! How a run ends what it ends: asks, waits once for all, insists; and how it ends itself.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde_json::json;

use crate::audit::at;
use crate::look::{self, Who};
use crate::puppet::Order;
use crate::role::{Actor, Play};
use crate::run::Report;
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

pub(crate) fn a_child_born_late_has_a_grace_of_its_own(stage: &Stage) {
    // Born 1.5 s into a grace of 2 s, it needs 1 s to end.
    let late =
        Actor::new("late", "node", &["node", "/home/u/saver.js"], Play::Idle).but(|a| a.takes = Some(1_000));
    let server = shapes::node("n").but(|a| {
        (a.born_late, a.born_after) = (Some(Box::new(late.clone())), 1_500);
    });
    let cast = stage.orphan(&server);
    stage.run(&["--yes", "--min-age", "0s", "--grace", "2s"]).exits(0);
    all_dead(&cast);
    let pid: u64 = std::fs::read_to_string(stage.dir.join("ready/late")).unwrap().parse().unwrap();
    let audit = stage.audit();
    audit.is_sound();
    let told = |event: &str| audit.of(event).iter().filter(|line| line["pid"].as_u64() == Some(pid)).count();
    assert_eq!((told("exited"), told("killed")), (1, 0), "it was let finish");
    assert_eq!(audit.about("killed", cast[0]).len(), 1);
}

/// What a server has saved.
fn saved(stage: &Stage, tag: &str) -> String {
    std::fs::read_to_string(stage.dir.join(format!("{tag}.saved"))).unwrap_or_default()
}

pub(crate) fn a_server_that_saves_at_the_end_of_its_input_is_let_finish(stage: &Stage) {
    let saver = shapes::node("saver").but(|a| a.play = Play::Save { portions: 30, every: 100 });
    let bursts = shapes::node("bursts").but(|a| a.play = Play::Save { portions: 3, every: 1_500 });
    let quiet = shapes::node("quiet");
    let client = stage.client("doomed", [saver.clone(), bursts.clone(), quiet.clone()]);
    let cast: Vec<Who> = [&saver, &bursts, &quiet].iter().flat_map(|actor| stage.cast(actor)).collect();
    stage.kill_client(&client);
    let begun = || saved(stage, "saver").len() > 2;
    look::until("it saves", begun);
    let run = stage.reap();
    all_dead(&cast);
    assert!(saved(stage, "saver").ends_with("END") && saved(stage, "bursts").ends_with("END"));
    let audit = stage.audit();
    assert!(audit.about("intent", cast[0]).is_empty() && audit.about("intent", cast[1]).is_empty());
    assert_eq!(audit.about("exited", cast[2]).len(), 1, "the one that was quiet was ended");
    assert!(run.complaint().contains("still at work"), "{}", run.complaint());
    assert!(run.took < Duration::from_secs(9), "took {:?}", run.took);
}

pub(crate) fn a_save_without_end_and_a_busy_loop_are_ended_after_settle(stage: &Stage) {
    let endless = shapes::node("endless").but(|a| a.play = Play::Save { portions: 9_999, every: 50 });
    let spin = shapes::node("spin").but(|a| a.play = Play::Spin);
    let cast: Vec<Who> = [&endless, &spin].iter().flat_map(|actor| stage.orphan(actor)).collect();
    look::until("it saves", || saved(stage, "endless").len() > 2);
    let run = stage.run(&["--yes", "--min-age", "0s", "--grace", "1s", "--settle", "3s"]).exits(0);
    all_dead(&cast);
    assert!(run.took >= Duration::from_secs(3) && run.took < Duration::from_secs(8), "took {:?}", run.took);
    assert!(!saved(stage, "endless").ends_with("END"));
    stage.audit().is_sound();
}

pub(crate) fn a_server_under_a_debugger_stays_until_it_is_let_go(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    let others = stage.orphan(&shapes::node("n"));
    let traced = Pid::from_raw(cast[2].pid.try_into().unwrap());
    nix::sys::ptrace::seize(traced, nix::sys::ptrace::Options::empty()).unwrap();
    // Denied, so not everything that was planned is done; or the plan has withheld it.
    let run = stage.run(&["--yes", "--min-age", "0s", "--grace", "1s"]);
    assert!(run.code <= 1);
    all_alive(&cast);
    all_dead(&others);
    let audit = stage.audit();
    audit.is_sound();
    assert!(cast.iter().all(|who| audit.about("signalled", *who).is_empty()));
    nix::sys::ptrace::interrupt(traced).unwrap();
    nix::sys::wait::waitpid(traced, Some(nix::sys::wait::WaitPidFlag::__WALL)).unwrap();
    nix::sys::ptrace::detach(traced, None).unwrap();
    stage.reap();
    all_dead(&cast);
}

/// A signal to mcp-reap in the middle of its grace.
fn stopped_by(stage: &Stage, number: i32) {
    let cast = stage.orphan(&stubborn(shapes::node(&format!("n{number}"))));
    let client = stage.client(&format!("claude{number}"), [shapes::node(&format!("used{number}"))]);
    let running = until_asked(stage, cast[0], "20s");
    // By the shell: real-time signals have no name here.
    let kill = format!("kill -{number} {}", running.pid());
    assert!(std::process::Command::new("bash").args(["-c", &kill]).status().unwrap().success());
    let run = running.finish().exits(128 + number);
    assert!(run.took < Duration::from_secs(5), "it was told to stop, took {:?}", run.took);
    let audit = stage.audit();
    audit.is_sound();
    assert_eq!(audit.0.last().unwrap()["event"], "run-finished");
    assert_eq!(audit.0.last().unwrap()["interrupted_by"], number);
    assert_eq!(audit.about("survived", cast[0]).len(), 1);
    let used = format!("used{number}");
    all_alive(&[client.who, stage.who(&used)]);
    stage.ping(&client, &used);
    // Nothing is left locked: the next run ends what this one could not.
    stage.reap();
    all_dead(&cast);
}

pub(crate) fn an_interrupt_closes_the_log_first(stage: &Stage) {
    stopped_by(stage, Signal::SIGINT as i32);
}

pub(crate) fn a_terminate_closes_the_log_first(stage: &Stage) {
    stopped_by(stage, Signal::SIGTERM as i32);
}

pub(crate) fn a_terminal_that_goes_away_closes_the_log_first(stage: &Stage) {
    stopped_by(stage, Signal::SIGHUP as i32);
    stopped_by(stage, Signal::SIGQUIT as i32);
}

pub(crate) fn any_other_signal_that_would_end_it_closes_the_log_first(stage: &Stage) {
    for signal in [Signal::SIGXFSZ, Signal::SIGXCPU, Signal::SIGALRM, Signal::SIGUSR1] {
        stopped_by(stage, signal as i32);
    }
}

pub(crate) fn even_a_signal_that_nobody_sends_closes_the_log_first(stage: &Stage) {
    for signal in [Signal::SIGUSR2, Signal::SIGPROF, Signal::SIGIO, Signal::SIGABRT] {
        stopped_by(stage, signal as i32);
    }
    // SIGRTMIN+6.
    stopped_by(stage, 40);
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
    let left_alone = |report: &Report, who: Who| {
        let instance = &report.must_have(who).0;
        let about = (&instance["withheld"], &instance["reap"], &instance["members"][0]["outcome"]);
        assert_eq!(
            about,
            (&json!("another run is at work"), &json!(false), &json!("withheld")),
            "{instance}"
        );
    };
    left_alone(&report, cast[0]);
    // What a person chose stays, so that is not fine, also where nothing is said.
    stage.client("claude", [shapes::node("used")]);
    let used = stage.who("used");
    let pid = used.pid.to_string();
    let chosen = ["kill", &pid, "--in-use", "--yes", "--min-age", "0s"];
    let run = stage.run(&chosen).exits(1);
    assert!(run.complaint().contains("this run did nothing"), "{}", run.complaint());
    assert_eq!(stage.run(&[&chosen[..], &["-q"]].concat()).exits(1).complaint(), "");
    left_alone(&stage.run(&[&chosen[..], &["--json"]].concat()).exits(1).json(), used);
    all_alive(&[used]);
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
