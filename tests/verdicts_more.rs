//! What a plan tells of itself, reason by reason.

#![allow(clippy::unwrap_used)]

mod scene;

use std::collections::HashSet;
use std::time::Duration;

use mcp_reap::catalog::Catalog;
use mcp_reap::classify::{self, Evidence, Verdict};
use mcp_reap::look::Look;
use mcp_reap::pattern::Pattern;
use mcp_reap::plan::{Choice, Plan, Why};
use mcp_reap::policy::{AllowRule, CountPer, Limits, Policy};
use mcp_reap::process::{Pid, Uid};
use mcp_reap::tree::Tree;
use scene::{Table, Wire};

fn now() -> Policy {
    Policy { min_age: Duration::ZERO, ..Policy::default() }
}

/// Two orphans: an npx tree at 1000 and a single server at 2000.
fn two_orphans() -> Table {
    let mut table = Table::new();
    table.npx(1000, 1, Wire::Closed);
    table.add(2000, 1, "node /x/node_modules/.bin/mcp-server-git").wire(Wire::Closed).rss(7 << 20);
    table
}

fn roots(plan: &Plan) -> Vec<u32> {
    let mut roots: Vec<u32> = plan.targets.iter().map(|target| target.root().pid.0).collect();
    roots.sort_unstable();
    roots
}

#[test]
fn every_reason_to_withhold_has_words_of_its_own() {
    let all = [
        Why::System,
        Why::Ourselves,
        Why::OtherUser,
        Why::Client,
        Why::TooYoung,
        Why::OtherNamespace,
        Why::ToolJob,
        Why::Changed,
        Why::Left,
        Why::Allowed,
        Why::Managed,
        Why::InUse,
        Why::MayBeInUse,
        Why::OtherRun,
    ];
    let words: HashSet<&str> = all.iter().map(|why| why.as_str()).collect();
    assert_eq!(words.len(), all.len());
    assert!(words.iter().all(|text| text.contains(' ') && !text.ends_with('.')), "{words:?}");
}

#[test]
fn a_plan_knows_what_it_ends_and_why_it_leaves_the_rest() {
    let mut table = two_orphans();
    table.row(2000).age(10.0);
    let plan = table.plan(&Policy { min_age: Duration::from_mins(1), ..Policy::default() });
    let id = |pid: u32| table.snapshot.processes.iter().find(|r| r.pid() == Pid(pid)).unwrap().id;
    assert_eq!(roots(&plan), [1000]);
    assert!(plan.ends(id(1000)));
    assert!(!plan.ends(id(2000)) && !plan.ends(id(1001)) && !plan.ends(id(1)));
    assert_eq!(plan.withheld_because(id(2000)), Some(Why::TooYoung));
    assert_eq!(plan.withheld_because(id(1000)), None);
    assert_eq!(plan.withheld[0].pids, [Pid(2000)]);
}

#[test]
fn an_age_of_exactly_min_age_is_old_enough() {
    let mut table = two_orphans();
    table.row(2000).age(60.0);
    let policy = |seconds| Policy { min_age: Duration::from_secs(seconds), ..Policy::default() };
    assert_eq!(roots(&table.plan(&policy(60))), [1000, 2000]);
    assert_eq!(roots(&table.plan(&policy(61))), [1000]);
}

#[test]
fn a_plan_can_be_cut_down_and_says_what_it_frees() {
    let plan = two_orphans().plan(&now());
    assert_eq!(plan.rss(), (3 * 50 + 7) << 20);
    let only = plan.only(|target| target.root().pid == Pid(2000));
    assert_eq!((roots(&only), only.rss()), (vec![2000], 7 << 20));
}

#[test]
fn what_the_second_look_does_not_repeat_is_left_alone_with_its_reason() {
    let first = two_orphans();
    let confirmed = |second: &Table| first.plan(&now()).confirmed_by(&second.plan(&now()));
    assert_eq!(roots(&confirmed(&first)), [1000, 2000]);

    // Gone: nothing is left to be told but that it changed.
    let gone = confirmed(&first.clone().without(2000));
    assert_eq!(roots(&gone), [1000]);
    assert_eq!(gone.withheld[0].why, Why::Changed);

    // In use again.
    let mut again = first.clone();
    again.row(2000).wire(Wire::Held(800));
    assert_eq!(roots(&confirmed(&again)), [1000]);

    // Still an orphan, but now something forbids it, and that is the reason to tell.
    let mut foreign = first.clone();
    foreign.row(2000).uid(4242);
    let confirmed = confirmed(&foreign);
    assert_eq!(roots(&confirmed), [1000]);
    assert!(matches!(confirmed.withheld[0].why, Why::OtherUser | Why::Changed));
}

#[test]
fn the_same_number_with_another_start_is_not_the_same_target() {
    let first = two_orphans();
    let mut second = first.clone();
    second.row(2000).age(1800.0);
    let confirmed = first.plan(&now()).confirmed_by(&second.plan(&now()));
    assert_eq!(roots(&confirmed), [1000]);
}

#[test]
fn another_users_instance_goes_only_when_root_means_all_users() {
    let mut table = two_orphans();
    table.row(2000).uid(4242);
    let all = Policy { all_users: true, ..now() };
    assert_eq!(roots(&table.plan(&now())), [1000]);
    assert_eq!(roots(&table.plan(&all)), [1000], "who is not root cannot mean it");
    table.snapshot.viewer.uid = Uid(0);
    assert_eq!(roots(&table.plan(&all)), [1000, 2000]);
    assert!(roots(&table.plan(&now())).is_empty(), "and root has to say so");
}

#[test]
fn what_the_kernel_started_is_no_target_but_a_containers_pid_2_is_no_kernel() {
    let mut table = Table::new();
    table.add(2, 0, "").change(|r| r.comm = "kthreadd".into()).age(90_000.0);
    table.add(500, 2, "node /x/node_modules/.bin/mcp-server-git").wire(Wire::Closed);
    assert_eq!(table.plan(&now()).withheld[0].why, Why::System);
    table.row(2).change(|r| r.comm = "bash".into());
    assert_eq!(roots(&table.plan(&now())), [500]);
    // A missing parent is no kernel.
    assert_eq!(roots(&table.without(2).plan(&now())), [500]);
    assert_eq!(roots(&two_orphans().plan(&now())), [1000, 2000]);
}

#[test]
fn a_plan_says_who_is_stopped_and_what_each_ran() {
    let mut table = two_orphans();
    table.row(1001).state('T');
    table.row(2000).change(|r| r.argv = Some(["node", "/x/node_modules/.bin/mcp-server-git"].into()));
    let plan = table.plan(&now());
    let members: Vec<_> = plan.targets.iter().flat_map(|target| &target.members).collect();
    let stopped: Vec<u32> = members.iter().filter(|m| m.stopped).map(|m| m.id.pid.0).collect();
    assert_eq!(stopped, [1001]);
    let git = members.iter().find(|m| m.id.pid == Pid(2000)).unwrap();
    assert_eq!((git.argv.len(), git.rss), (2, 7 << 20));
}

/// A client with one server that is in use, of this age and size.
fn in_use(age: f64, rss: u64) -> Table {
    let mut table = Table::new();
    table.add(400, 800, "claude").tty("pts/9").age(90_000.0);
    table.add(500, 400, "node /x/node_modules/.bin/mcp-server-git").wire(Wire::Held(400)).age(age).rss(rss);
    table
}

fn limited(limits: Limits) -> Policy {
    Policy { limits, ..now() }
}

#[test]
fn a_limit_is_broken_only_beyond_its_bound_and_says_by_how_much() {
    let rss = limited(Limits { max_rss: Some(500_000_000), ..Limits::default() });
    let age = limited(Limits { max_age: Some(Duration::from_hours(1)), ..Limits::default() });
    let told = |table: &Table, policy: &Policy| {
        let judgement = table.judge(policy);
        let found = &judgement.findings[0];
        (found.verdict, found.reason.clone(), found.evidence.last().cloned())
    };
    for (table, policy) in [(in_use(60.0, 500_000_000), &rss), (in_use(3600.9, 1), &age)] {
        assert_eq!(told(&table, policy).0, Verdict::InUse);
    }
    let limit = |limit, value, bound| Some(Evidence::Limit { limit, value, bound });
    assert_eq!(
        told(&in_use(60.0, 700_000_000), &rss),
        (
            Verdict::Oversized,
            "700 MB resident, at most 500 MB allowed".to_owned(),
            limit("max_rss", 700_000_000, 500_000_000)
        )
    );
    assert_eq!(
        told(&in_use(7200.0, 1), &age),
        (Verdict::Expired, "2h old, at most 1h allowed".to_owned(), limit("max_age", 7200, 3600))
    );
    let count = limited(Limits { max_count: Some(0), ..Limits::default() });
    assert_eq!(
        told(&in_use(60.0, 1), &count),
        (Verdict::Excess, "one of 1 copies, none are allowed".to_owned(), limit("max_count", 1, 0))
    );
}

#[test]
fn no_limit_touches_what_is_allowed_managed_or_undetermined_and_orphans_stay_orphans() {
    let tight = Limits {
        max_rss: Some(1),
        max_age: Some(Duration::ZERO),
        max_count: Some(0),
        count_per: Some(CountPer::User),
    };
    let mut table = in_use(7200.0, 700_000_000);
    let verdict = |table: &Table, policy: &Policy| table.verdict(policy, 500).unwrap();
    assert_eq!(verdict(&table, &limited(tight)), Verdict::Oversized);
    let rule = AllowRule { name: Some(Pattern::parse("*git*").unwrap()), ..AllowRule::default() };
    assert_eq!(verdict(&table, &Policy { allow: vec![rule], ..limited(tight) }), Verdict::Allowed);
    table.row(500).unit("x.service", Some(500));
    assert_eq!(verdict(&table, &limited(tight)), Verdict::Managed);
    let mut table = in_use(7200.0, 700_000_000);
    table.row(500).change(|r| r.parent = Pid(1)).wire(Wire::Unknown);
    assert_eq!(verdict(&table, &limited(tight)), Verdict::Undetermined);
    table.row(500).wire(Wire::Closed);
    assert_eq!(verdict(&table, &limited(tight)), Verdict::Orphaned);
    table.row(500).wire(Wire::Null).listens(80, 0);
    assert_eq!(verdict(&table, &limited(tight)), Verdict::Oversized, "a daemon on a port may break one");
}

#[test]
fn copies_are_counted_by_command_and_owner_and_by_generation() {
    let mut table = Table::new();
    let git = "node /x/node_modules/.bin/mcp-server-git";
    table.add(700, 800, "agent-that-nobody-knows").age(50_000.0);
    for (pid, age) in [(500, 9000.0), (501, 6000.0), (502, 3000.0)] {
        table.add(pid, 700, git).wire(Wire::Held(700)).age(age);
    }
    let limits = Limits { max_count: Some(1), ..Limits::default() };
    assert_eq!(table.ended(&limited(limits)), [500, 501], "the owner need not be a known client");
    // With other arguments it is another server.
    table.row(500).change(|r| r.argv = Some(["node", "/x/node_modules/.bin/mcp-server-git", "/srv"].into()));
    assert_eq!(table.ended(&limited(limits)), [501]);
    // What started within seconds is one generation: entries that differ in their environment alone.
    table.row(502).age(6002.0);
    assert!(table.ended(&limited(limits)).is_empty());
    // Under another owner it is another count, unless all of a user's copies are counted.
    table.row(502).age(3000.0).change(|r| r.parent = Pid(701));
    table.add(701, 800, "another-agent").age(50_000.0);
    table.row(502).wire(Wire::Held(701));
    assert!(table.ended(&limited(limits)).is_empty());
    let per_user = Limits { count_per: Some(CountPer::User), ..limits };
    assert_eq!(table.ended(&limited(per_user)), [501]);
    table.row(502).uid(4242);
    assert!(table.ended(&limited(per_user)).is_empty(), "another user's copies are another count");
}

#[test]
fn stale_copies_of_a_server_that_was_started_by_hand_leave_the_newest() {
    let mut table = Table::new();
    for (pid, age) in [(500, 9000.0), (501, 6000.0), (502, 3000.0), (503, 2000.0)] {
        table.add(pid, 1, "node /x/node_modules/.bin/mcp-server-git --port 3000").listens(3000, 0).age(age);
        table.row(pid).change(|r| r.details.cwd = Some("/srv/a".into()));
    }
    table.row(503).change(|r| r.details.cwd = Some("/srv/b".into()));
    let limits = limited(Limits { max_count: Some(1), ..Limits::default() });
    assert_eq!(table.ended(&limits), [500, 501], "in another folder it is another server");
    table.row(500).listens(3000, 1);
    assert_eq!(table.ended(&limits), [501], "never one with a connected client");
}

#[test]
fn rows_that_name_each_other_as_parents_are_met_once() {
    let mut table = Table::new();
    table.add(50, 51, "a");
    table.add(51, 50, "b");
    table.add(52, 52, "c");
    let tree = Tree::new(&table.snapshot);
    let row = |pid| tree.get(Pid(pid)).unwrap();
    let pids =
        |rows: Vec<&mcp_reap::process::ProcessRecord>| rows.iter().map(|r| r.pid().0).collect::<Vec<_>>();
    assert_eq!(pids(tree.ancestors(row(50))), [51]);
    assert_eq!(pids(tree.descend(Pid(50), |_| false)), [50, 51]);
    assert!(tree.parent(row(52)).is_none(), "nobody is his own parent");
    assert_eq!(tree.children(Pid(52)).count(), 0);
    assert_eq!(pids(tree.descend(Pid(52), |_| false)), [52]);
    assert_eq!(pids(tree.descend(Pid(50), |r| r.pid() == Pid(50))), [50], "and nobody below where it stops");
}

/// A copy in use at 3000, one of which too little is known at 4000, a unit at 5000, an allowed one at 6000, and a young
/// orphan at 7000.
fn of_every_kind() -> (Table, Policy) {
    let mut table = Table::new();
    table.add(2500, 800, "claude").tty("pts/9");
    table.add(3000, 2500, "node /x/node_modules/.bin/mcp-server-git").wire(Wire::Held(2500));
    table.add(4000, 1, "node /x/node_modules/.bin/mcp-server-time").wire(Wire::Unknown);
    table
        .add(5000, 1, "node /x/node_modules/.bin/mcp-server-diary")
        .wire(Wire::Closed)
        .unit("diary.service", Some(5000));
    table.add(6000, 1, "node /x/node_modules/.bin/mcp-server-maps").wire(Wire::Closed);
    table.add(7000, 1, "node /x/node_modules/.bin/mcp-server-notes").wire(Wire::Closed).age(10.0);
    let name = Pattern::parse("mcp-server-maps").ok();
    let allow = vec![AllowRule { name, origin: "x:1".into(), ..AllowRule::default() }];
    (table, Policy { allow, ..Policy::default() })
}

#[test]
fn what_a_person_chose_goes_but_for_what_is_allowed_managed_young_or_in_use_without_a_yes_to_that() {
    let (table, policy) = of_every_kind();
    let catalog = Catalog::builtin();
    let look = Look::new(&table.snapshot, &catalog);
    let judgement = classify::judge(&look, &policy);
    let all: HashSet<_> = judgement.findings.iter().map(|finding| finding.instance.root.id).collect();
    let plan = |in_use, roots: &HashSet<_>| {
        let choice = Choice::Chosen { roots: roots.clone(), in_use };
        Plan::of(&judgement, &look, &policy, &choice)
    };
    let whys = |plan: &Plan| {
        let mut whys: Vec<_> = plan.withheld.iter().map(|one| (one.root.pid.0, one.why)).collect();
        whys.sort_unstable_by_key(|(pid, _)| *pid);
        whys
    };
    let careful = plan(false, &all);
    assert!(roots(&careful).is_empty(), "{:?}", roots(&careful));
    let rest = [(5000, Why::Managed), (6000, Why::Allowed), (7000, Why::TooYoung)];
    assert_eq!(whys(&careful)[..2], [(3000, Why::InUse), (4000, Why::MayBeInUse)]);
    assert_eq!(whys(&careful)[2..], rest);
    let meant = plan(true, &all);
    assert_eq!((roots(&meant), whys(&meant)), (vec![3000, 4000], rest.to_vec()));
    assert!(meant.targets.iter().all(|target| target.reason.starts_with("chosen by a person; ")));
    let nothing = plan(true, &HashSet::new());
    assert!(nothing.targets.is_empty() && nothing.withheld.is_empty(), "what was not chosen is no target");
}

#[test]
fn what_the_second_look_does_not_see_at_all_has_left_and_what_changed_has_changed() {
    let table = two_orphans();
    let plan = table.plan(&now());
    let why = |second: &Table| {
        let confirmed =
            plan.clone().confirmed_by(&second.plan(&now())).with_those_that_left(&second.snapshot);
        confirmed.withheld.iter().map(|one| (one.root.pid.0, one.why)).collect::<Vec<_>>()
    };
    assert_eq!(why(&table.clone().without(2000)), [(2000, Why::Left)]);
    // The root has left, what is below it has not.
    assert_eq!(why(&table.clone().without(1000)), [(1000, Why::Changed)]);
    assert_eq!(why(&table), []);
}

#[test]
fn an_allow_rule_that_no_instance_meets_is_idle() {
    let (table, policy) = of_every_kind();
    let name = |text: &str| AllowRule { name: Pattern::parse(text).ok(), ..AllowRule::default() };
    let rules = [name("mcp-server-maps"), name("mcp-server-map"), name("mcp-*")];
    let catalog = Catalog::builtin();
    let look = Look::new(&table.snapshot, &catalog);
    let judgement = classify::judge(&look, &policy);
    let instances: Vec<_> = judgement.findings.iter().map(|finding| &finding.instance).collect();
    let idle = classify::idle_rules(&instances, &look, &rules);
    assert_eq!(idle.len(), 1);
    assert!(idle[0].name.as_ref().is_some_and(|name| name.matches("mcp-server-map")));
}
