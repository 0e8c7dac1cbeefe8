//! Limits: off until set, then they also end what is in use.

use crate::look::{self, Who};
use crate::puppet::Order;
use crate::role::Actor;
use crate::shapes;
use crate::stage::{Client, Stage, all_alive, all_dead};

/// Five copies of one server under one client, the oldest first, no two of the same clock tick.
fn five_copies(stage: &Stage) -> (Client, Vec<Who>) {
    copies(stage, std::time::Duration::ZERO)
}

/// The same, with a pause after the third: what starts within ten seconds is one generation.
fn copies(stage: &Stage, pause: std::time::Duration) -> (Client, Vec<Who>) {
    let client = stage.client("claude", []);
    let mut cast: Vec<Who> = Vec::new();
    for i in 0..5 {
        let actor = shapes::node(&format!("n{i}"));
        std::thread::sleep(std::time::Duration::from_millis(30));
        if i == 3 {
            std::thread::sleep(pause);
        }
        stage.tell(&client, &Order::Start(Box::new(actor.clone())));
        stage.wait_for(&actor);
        cast.push(stage.who(&actor.tag));
    }
    assert!(cast.windows(2).all(|w| w[0].start < w[1].start));
    (client, cast)
}

pub(crate) fn of_five_copies_under_one_client_the_three_oldest_go(stage: &Stage) {
    let (client, cast) = copies(stage, std::time::Duration::from_secs(11));
    let limits = ["--yes", "--min-age", "0s", "--grace", "1s", "--max-count", "2"];
    let plan = stage.run(&["--dry-run", "--json", "--min-age", "0s", "--max-count", "2"]).exits(0).json();
    for who in &cast[..3] {
        assert_eq!((plan.must_have(*who).verdict().as_str(), plan.must_have(*who).reap()), ("excess", true));
    }
    stage.run(&limits).exits(0);
    all_dead(&cast[..3]);
    all_alive(&cast[3..]);
    stage.ping(&client, "n3");
    stage.ping(&client, "n4");
    // Enough is enough: a second run finds nothing to do.
    stage.run(&limits).exits(0);
    all_alive(&cast[3..]);
    stage.audit().is_sound();
}

pub(crate) fn one_copy_each_under_three_clients_breaks_nothing(stage: &Stage) {
    let clients: Vec<(Client, String)> = (0..3)
        .map(|i| (stage.client(&format!("claude{i}"), [shapes::node(&format!("n{i}"))]), format!("n{i}")))
        .collect();
    stage.run(&["--yes", "--min-age", "0s", "--grace", "1s", "--max-count", "1"]).exits(0);
    for (client, tag) in &clients {
        stage.ping(client, tag);
    }
    // Counted per user they are copies, and one generation.
    stage.configure("[limits]\nmax_count = 1\ncount_per = \"user\"\n");
    assert!(stage.plan().doomed().is_empty());
}

pub(crate) fn without_a_limit_five_copies_stay(stage: &Stage) {
    let (client, cast) = five_copies(stage);
    let control = stage.orphan(&shapes::memory("control"));
    stage.reap();
    all_dead(&control);
    all_alive(&cast);
    stage.ping(&client, "n0");
}

pub(crate) fn too_old_and_too_large_are_ended_only_when_asked(stage: &Stage) {
    let large = |a: Actor| a.but(|a| a.uses = 64 << 20);
    let client = stage.client("claude", [large(shapes::node("large")), shapes::python("small")]);
    let (large, small) = (stage.who("large"), stage.who("small"));
    stage.reap();
    all_alive(&[large, small]);
    let plan = |flag: &str, value: &str| {
        stage.run(&["--dry-run", "--json", "--min-age", "0s", flag, value]).exits(0).json()
    };
    look::until("both are older than a second", || {
        plan("--max-age", "1s").instances().iter().all(|i| i["age_seconds"].as_f64().unwrap() > 1.0)
    });
    let old = plan("--max-age", "1s");
    for who in [large, small] {
        assert_eq!((old.must_have(who).verdict().as_str(), old.must_have(who).reap()), ("expired", true));
    }
    assert_eq!(plan("--max-age", "1h").doomed(), [0u32; 0]);
    let fat = plan("--max-rss", "60MB");
    assert_eq!(fat.must_have(large).verdict(), "oversized");
    assert_eq!(fat.doomed(), [large.pid]);
    stage.run(&["--yes", "--min-age", "0s", "--grace", "1s", "--max-rss", "60MB"]).exits(0);
    all_dead(&[large]);
    stage.ping(&client, "small");
}
