//! Limits: off until set, then they also end what is in use.

use crate::look::{self, Who};
use crate::puppet::Order;
use crate::role::Actor;
use crate::shapes;
use crate::stage::{Client, Stage, all_alive, all_dead};

/// Copies that start within ten seconds are one generation; this parts two.
const APART: std::time::Duration = std::time::Duration::from_millis(10_500);

/// Five copies of one server under one client in two generations, three and two; the oldest first, no two of the same
/// clock tick.
fn five_copies(stage: &Stage) -> (Client, Vec<Who>) {
    let client = stage.client("claude", []);
    let mut cast: Vec<Who> = Vec::new();
    for i in 0..5 {
        let actor = shapes::node(&format!("n{i}"));
        std::thread::sleep(if i == 3 { APART } else { std::time::Duration::from_millis(30) });
        stage.tell(&client, &Order::Start(Box::new(actor.clone())));
        stage.wait_for(&actor);
        cast.push(stage.who(&actor.tag));
    }
    assert!(cast.windows(2).all(|w| w[0].start < w[1].start));
    (client, cast)
}

pub(crate) fn of_five_copies_under_one_client_the_three_oldest_go(stage: &Stage) {
    let (client, cast) = five_copies(stage);
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
    let start =
        |i: usize| (stage.client(&format!("claude{i}"), [shapes::node(&format!("n{i}"))]), format!("n{i}"));
    let mut clients: Vec<(Client, String)> = (0..2).map(start).collect();
    std::thread::sleep(APART);
    clients.push(start(2));
    stage.run(&["--yes", "--min-age", "0s", "--grace", "1s", "--max-count", "1"]).exits(0);
    for (client, tag) in &clients {
        stage.ping(client, tag);
    }
    // Counted per user, two of the three are too many.
    stage.configure("[limits]\nmax_count = 1\ncount_per = \"user\"\n");
    let plan = stage.plan();
    assert_eq!(plan.doomed().len(), 2);
    let newest = clients.iter().map(|(_, tag)| stage.who(tag)).max_by_key(|w| (w.start, w.pid)).unwrap();
    assert!(!plan.doomed().contains(&newest.pid));
}

pub(crate) fn without_a_limit_five_copies_stay(stage: &Stage) {
    let (client, cast) = five_copies(stage);
    let text = stage.run(&["list"]).exits(0).text();
    assert!(!text.contains("--max-count"), "two generations are no crowd: {text}");
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

pub(crate) fn other_arguments_and_one_generation_are_no_copies(stage: &Stage) {
    let of_folder = |tag: &str, folder: &str| {
        shapes::node(tag).but(|a| *a.argv.last_mut().unwrap() = folder.as_bytes().to_vec())
    };
    let servers = [
        of_folder("a", "/home/u/a"),
        of_folder("b", "/home/u/b"),
        of_folder("c", "/home/u/c"),
        // Two entries with the same command: what differs stands in the environment.
        shapes::python("one").with_env("FETCH_PROXY", "1"),
        shapes::python("two").with_env("FETCH_PROXY", "2"),
    ];
    let tags: Vec<String> = servers.iter().map(|server| server.tag.clone()).collect();
    let client = stage.client("claude", servers);
    stage.run(&["--yes", "--min-age", "0s", "--grace", "1s", "--max-count", "1"]).exits(0);
    for tag in &tags {
        stage.ping(&client, tag);
    }
}

pub(crate) fn an_unknown_client_has_copies_too(stage: &Stage) {
    // A client that no catalog knows keeps the copies of every reconnect.
    let old = shapes::python("old");
    let actor = Actor::new("host", "acme-agent", &["/opt/acme/acme-agent"], crate::role::Play::Client);
    let client = stage.start_client(actor.on(crate::wire::Wire::Pipe).above([old.clone()]));
    std::thread::sleep(APART);
    let new = shapes::python("new");
    stage.tell(&client, &Order::Start(Box::new(new.clone())));
    stage.wait_for(&new);
    stage.run(&["--yes", "--min-age", "0s", "--grace", "1s", "--max-count", "1"]).exits(0);
    all_dead(&stage.cast(&old));
    stage.ping(&client, "new");
}
