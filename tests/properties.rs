//! What holds for every table: made-up machines of a few dozen processes, thousands of them.

#![allow(clippy::unwrap_used)]

mod scene;

use std::collections::HashSet;
use std::time::Duration;

use mcp_reap::catalog::{Catalog, Configured};
use mcp_reap::look::Look;
use mcp_reap::pattern::Pattern;
use mcp_reap::policy::{AllowRule, Policy};
use mcp_reap::process::{OtherEnd, Pid, Snapshot, Stdio, StdioKind};
use proptest::prelude::*;
use scene::{ME, NOW, Table, Wire};

const COMMANDS: [&str; 14] = [
    "node /home/u/.npm/_npx/15b07286cbcc3329/node_modules/.bin/mcp-server-memory",
    "npm exec @modelcontextprotocol/server-memory",
    "/home/u/.local/bin/uv tool uvx mcp-server-git",
    "/home/u/.cache/uv/archive-v0/x/bin/python /home/u/.cache/uv/archive-v0/x/bin/mcp-server-git",
    "bash /home/u/start.sh",
    "sh -c 'mcp-server-memory'",
    "claude",
    "codex exec hi",
    "/usr/lib/systemd/systemd --user",
    "/opt/google/chrome/chrome --user-data-dir=/home/u/.cache/ms-playwright/mcp-chrome-1",
    "vim mcp-server.ts",
    "node /home/u/web/node_modules/.bin/vite",
    "-bash",
    "python3 client.py",
];

#[derive(Clone, Debug)]
struct Seed {
    command: usize,
    parent: usize,
    wire: u8,
    holder: usize,
    port: bool,
    connected: u32,
    age: u32,
    mine: bool,
    zombie: bool,
    unit: u8,
    child_session: bool,
}

fn seed() -> impl Strategy<Value = Seed> {
    (
        (0..COMMANDS.len(), 0usize..40, 0u8..5, 0usize..40),
        (prop::bool::weighted(0.15), 0u32..2, 0u32..100_000),
        (prop::bool::weighted(0.9), prop::bool::weighted(0.05), 0u8..12, prop::bool::weighted(0.05)),
    )
        .prop_map(
            |((command, parent, wire, holder), (port, connected, age), (mine, zombie, unit, child))| Seed {
                command,
                parent,
                wire,
                holder,
                port,
                connected,
                age,
                mine,
                zombie,
                unit,
                child_session: child,
            },
        )
}

fn pid(index: usize) -> u32 {
    if index == 0 { 1 } else { 1000 + u32::try_from(index).unwrap() }
}

fn table(seeds: &[Seed]) -> Table {
    let mut table = Table::new();
    let mut ages = vec![900_000];
    for (i, seed) in seeds.iter().enumerate() {
        let index = i + 1;
        // Parents come earlier, or are pid 1; a service manager is never somebody's child.
        let manager = COMMANDS[seed.command].contains("systemd");
        let parent = if manager { 1 } else { pid(seed.parent % index) };
        let wire = match seed.wire {
            0 => Wire::Held(pid(seed.holder % (seeds.len() + 1))),
            1 => Wire::Closed,
            2 => Wire::HalfClosed(pid(seed.holder % (seeds.len() + 1))),
            3 => Wire::Unknown,
            _ => Wire::Null,
        };
        let command = COMMANDS[seed.command];
        let row = if command.starts_with("npm exec") {
            table.add_title(pid(index), parent, command)
        } else {
            table.add(pid(index), parent, command)
        };
        // No child is older than its parent, unless it was handed on, which the parent shows.
        ages.push(if parent == 1 { seed.age } else { seed.age.min(ages[parent as usize - 1000]) });
        let row = row.age(f64::from(ages[index])).uid(if seed.mine { ME } else { 4242 }).wire(wire);
        // Of other users' processes an ordinary user reads no argv in the first place.
        let row = if seed.mine { row } else { row.change(|r| r.argv = None) };
        let row = if seed.port { row.listens(8000, seed.connected) } else { row };
        let row = if seed.zombie { row.state('Z') } else { row };
        let row = match seed.unit {
            0 => row.unit("x.service", Some(pid(index))),
            1 => row.unit("x.service", Some(0)),
            2 => row.unit("x.service", None),
            _ => row,
        };
        if seed.child_session {
            row.env(&[
                ("CLAUDECODE", "1"),
                ("CLAUDE_CODE_SESSION_ID", "s"),
                ("CLAUDE_CODE_CHILD_SESSION", "1"),
            ]);
        }
    }
    table
}

fn tables() -> impl Strategy<Value = Table> {
    prop::collection::vec(seed(), 0..25).prop_map(|seeds| table(&seeds))
}

fn policy() -> Policy {
    Policy { min_age: Duration::from_mins(1), ..Policy::default() }
}

fn set(pids: Vec<u32>) -> HashSet<u32> {
    pids.into_iter().collect()
}

fn changed(table: &Table, change: impl FnOnce(&mut Snapshot)) -> Table {
    let mut table = table.clone();
    change(&mut table.snapshot);
    table
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_order_of_rows_changes_nothing(table in tables(), seed in any::<u64>()) {
        let before = set(table.ended(&policy()));
        let shuffled = changed(&table, |s| {
            s.processes.sort_by_key(|r| u64::from(r.pid().0).wrapping_mul(seed | 1).rotate_left(17));
        });
        prop_assert_eq!(before, set(shuffled.ended(&policy())));
    }

    #[test]
    fn identifying_in_two_stages_is_identifying(table in tables()) {
        let cheap = changed(&table, |snapshot| for row in &mut snapshot.processes {
            (row.details.exe, row.details.env, row.details.stdio) = (None, None, None);
        });
        let catalog = Catalog::builtin();
        let early = Look::new(&cheap.snapshot, &catalog).roles;
        let late = Look::new(&table.snapshot, &catalog).roles;
        prop_assert_eq!(Look::after_details(&table.snapshot, &catalog, early).roles, late);
    }

    #[test]
    fn a_table_that_was_written_down_gives_the_same_answer(table in tables()) {
        let text = serde_json::to_vec(&table.snapshot).unwrap();
        let read = Table { snapshot: Snapshot::from_json(&text).unwrap() };
        prop_assert_eq!(set(table.ended(&policy())), set(read.ended(&policy())));
    }

    #[test]
    fn strangers_change_nothing(table in tables()) {
        let before = table.ended(&policy());
        let mut more = table.clone();
        more.add(5000, 1, "sleep 1000");
        more.add(5001, 5000, "grep mcp-server-memory");
        prop_assert_eq!(before, more.ended(&policy()));
    }

    #[test]
    fn never_targets_are_never_targets(table in tables()) {
        let plan = table.plan(&policy());
        let judgement = table.judge(&policy());
        for target in &plan.targets {
            let finding = judgement.findings.iter().find(|f| f.instance.root.id == target.root()).unwrap();
            prop_assert!(finding.age >= 60.0);
            for member in &target.members {
                let record = table.snapshot.processes.iter().find(|r| r.id == member.id).unwrap();
                prop_assert!(record.pid() > Pid(2));
                prop_assert!(record.uid.unwrap().0 == ME);
                prop_assert!(!record.is_zombie());
                prop_assert!(!judgement.clients.iter().any(|c| c.pid == record.pid()));
                prop_assert!(record.details.service.as_ref().is_none_or(|s| s.main_pid != Some(record.pid())));
            }
        }
    }

    #[test]
    fn no_process_is_in_two_instances(table in tables()) {
        let judgement = table.judge(&policy());
        let mut seen = HashSet::new();
        for finding in &judgement.findings {
            for member in &finding.instance.members {
                prop_assert!(seen.insert(member.record.pid()), "{} is in two", member.record.pid());
            }
        }
    }

    #[test]
    fn an_entry_of_a_configuration_hides_no_member(table in tables(), entry in 0usize..4) {
        // The first four are servers and launchers by name already.
        let argv = COMMANDS[entry].split(' ').map(str::to_owned).collect();
        let entry = Configured { client: "cursor".to_owned(), entry: "x".to_owned(), argv, cwd: None };
        let catalog = Catalog::builtin().with_configured(vec![entry]);
        let members = |catalog: &Catalog| -> HashSet<Pid> {
            let (judgement, _) = table.judge_by(catalog, &policy());
            let members = judgement.findings.iter().flat_map(|finding| &finding.instance.members);
            members.map(|member| member.record.pid()).collect()
        };
        prop_assert!(members(&Catalog::builtin()).is_subset(&members(&catalog)));
    }

    #[test]
    fn the_less_it_can_read_the_less_it_ends(
        table in tables(),
        blanks in prop::collection::vec((0usize..30, 0u8..8), 1..5),
    ) {
        let before = set(table.ended(&policy()));
        let blind = changed(&table, |s| for (index, field) in blanks {
            let n = s.processes.len();
            // A process that is seen to hold both ends of a wire is a client. To see it, its own descriptors are read, so
            // it does not become unseen without becoming unreadable itself. Nor do the holders of what a helper was given:
            // they can save, but a helper that cannot be read (a browser's sandbox) does not.
            let ends = s.processes[index % n].details.stdio.iter();
            let holders = ends.flat_map(|stdio| [stdio.stdin_peers.clone(), stdio.stdout_peers.clone()]);
            let shows_a_client = holders.flatten().flatten().any(|pid| s.processes.iter().any(|row| row.pid() == pid));
            let record = &mut s.processes[index % n];
            match field {
                0 | 5 | 6 if shows_a_client => {}
                0 => record.details.stdio = None,
                1 => record.details.listening = None,
                2 => record.details.connected = None,
                3 => record.uid = None,
                4 => if let Some(service) = &mut record.details.service { service.main_pid = None },
                5 => if let Some(stdio) = &mut record.details.stdio { stdio.stdin_peers = None; stdio.stdout_peers = None },
                6 => if let Some(stdio) = &mut record.details.stdio { stdio.stdin_kind = StdioKind::Unknown },
                _ => record.argv = None,
            }
        });
        // Without its argv a process may fall out of one instance and leave a smaller one: what is
        // ended then was ended before, or hung below what can no longer be named.
        prop_assert!(set(blind.ended(&policy())).is_subset(&before));
    }

    #[test]
    fn a_live_holder_can_only_save(table in tables(), index in 0usize..30) {
        let before = set(table.ended(&policy()));
        let mut held = changed(&table, |s| {
            let n = s.processes.len();
            let pid = s.processes[index % n].pid();
            let has_children = s.processes.iter().any(|row| row.parent == pid);
            let stdio = &mut s.processes[index % n].details.stdio;
            // What was not read speaks for leaving alone already, and is no longer unread then.
            // A gateway that is in use leaves the servers that it no longer uses.
            if stdio.as_ref().is_none_or(|before| before.stdin() == OtherEnd::Unread) || has_children {
                return;
            }
            let before = stdio.take().filter(Stdio::is_wire).unwrap_or(Stdio::of_kind(StdioKind::Socket));
            let with = |peers: Option<Vec<Pid>>| Some([peers.unwrap_or_default(), vec![Pid(5000)]].concat());
            *stdio = Some(Stdio {
                stdin_peers: with(before.stdin_peers.clone()),
                stdout_peers: with(before.stdout_peers.clone()),
                ..before
            });
        });
        held.add(5000, 800, "python3 some-client.py");
        prop_assert!(set(held.ended(&policy())).is_subset(&before));
    }

    #[test]
    fn an_allow_rule_can_only_save_and_taking_it_away_restores(table in tables()) {
        let before = set(table.ended(&policy()));
        let rule = AllowRule { name: Some(Pattern::parse("*memory*").unwrap()), ..AllowRule::default() };
        let allowing = Policy { allow: vec![rule], ..policy() };
        prop_assert!(set(table.ended(&allowing)).is_subset(&before));
        prop_assert_eq!(set(table.ended(&policy())), before);
    }

    #[test]
    fn a_unit_can_only_save(table in tables(), index in 0usize..30) {
        let before = set(table.ended(&policy()));
        let n = table.snapshot.processes.len();
        let pid = table.snapshot.processes[index % n].pid().0;
        let mut managed = table.clone();
        managed.row(pid).unit("y.service", Some(pid));
        prop_assert!(set(managed.ended(&policy())).is_subset(&before));
    }

    #[test]
    fn being_younger_can_only_save(table in tables(), index in 0usize..30) {
        let before = set(table.ended(&policy()));
        let young = changed(&table, |s| {
            let n = s.processes.len();
            // Only the age: the order of starts, which shows adoption, stays as it is.
            s.processes[index % n].started_at = NOW;
        });
        prop_assert!(set(young.ended(&policy())).is_subset(&before));
    }

    #[test]
    fn ending_the_plan_leaves_an_empty_plan(table in tables()) {
        let mut at = table;
        for _ in 0..30 {
            let ended = at.ended(&policy());
            if ended.is_empty() {
                break;
            }
            let gone: HashSet<Pid> = ended.into_iter().map(Pid).collect();
            at = changed(&at, |s| {
                s.processes.retain(|r| !gone.contains(&r.pid()));
                // Their ends of pipes are closed with them, and their children are handed on.
                for record in &mut s.processes {
                    if gone.contains(&record.parent) {
                        record.parent = Pid(1);
                    }
                    if let Some(stdio) = &mut record.details.stdio {
                        for peers in [&mut stdio.stdin_peers, &mut stdio.stdout_peers].into_iter().flatten() {
                            peers.retain(|peer| !gone.contains(peer));
                        }
                    }
                }
            });
        }
        prop_assert!(at.ended(&policy()).is_empty());
    }

    #[test]
    fn a_plan_confirmed_by_itself_is_the_same_and_by_nothing_is_empty(table in tables()) {
        let plan = table.plan(&policy());
        prop_assert_eq!(plan.clone().confirmed_by(&plan).targets, plan.targets.clone());
        prop_assert!(plan.confirmed_by(&mcp_reap::plan::Plan::default()).targets.is_empty());
    }
}
