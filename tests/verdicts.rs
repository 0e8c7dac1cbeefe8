//! Situations and their verdicts: one line of life each.

#![allow(clippy::unwrap_used)]

mod scene;

use std::time::Duration;

use mcp_reap::classify::Verdict;
use mcp_reap::pattern::Pattern;
use mcp_reap::plan::Why;
use mcp_reap::policy::{AllowRule, CountPer, Limits, Policy, ServerRule};
use mcp_reap::process::{Pid, Stdio, StdioKind};
use scene::{ME, Table, Wire};

const SERVER: &str = "node /home/u/.npm-global/bin/mcp-server-memory";

fn now() -> Policy {
    Policy { min_age: Duration::ZERO, ..Policy::default() }
}

/// A table with one bare server, pid 500, under this parent and on this wire.
fn one(parent: u32, wire: Wire) -> Table {
    let mut table = Table::new();
    table.add(500, parent, SERVER).wire(wire);
    table
}

/// The same with a live client, pid 400, in a terminal.
fn with_client(wire: Wire) -> Table {
    let mut table = one(400, wire);
    table.add(400, 800, "claude").tty("pts/9").age(7200.0);
    table
}

#[test]
fn an_orphaned_npx_tree_goes_as_a_whole() {
    let mut table = Table::new();
    table.npx(500, 1, Wire::Closed);
    table.add(
        510,
        502,
        "/opt/google/chrome/chrome --user-data-dir=/home/u/.cache/ms-playwright/mcp-chrome-1",
    );
    table.add(511, 510, "/opt/google/chrome/chrome --type=renderer");
    assert_eq!(table.verdict(&now(), 511), Some(Verdict::Orphaned));
    assert_eq!(table.ended(&now()), [500, 501, 502, 510, 511]);
}

#[test]
fn a_live_clients_tree_stays() {
    let mut table = Table::new();
    table.add(400, 800, "claude").tty("pts/9").age(7200.0);
    table.npx(500, 400, Wire::Held(400));
    assert_eq!(table.verdict(&now(), 502), Some(Verdict::InUse));
    assert_eq!(table.judge(&now()).findings[0].client.as_ref().unwrap().name, "claude-code");
    assert!(table.ended(&now()).is_empty());
}

#[test]
fn a_server_whose_wrapper_died_still_serves_its_client() {
    let mut table = with_client(Wire::Null);
    table.row(500).wire(Wire::Held(400)).change(|r| r.parent = mcp_reap::process::Pid(1));
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::InUse));
}

#[test]
fn a_client_that_reconnected_keeps_only_stdout_of_the_old_copy() {
    let mut table = with_client(Wire::Null);
    table.row(500).wire(Wire::HalfClosed(400)).change(|r| r.parent = mcp_reap::process::Pid(1));
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Orphaned));
}

#[test]
fn a_client_that_reads_a_server_as_its_own_stdin_ends_a_pipeline_and_did_not_reconnect() {
    // server | claude -p summarize
    let pipeline = |kind: StdioKind, peers: Option<Vec<Pid>>, id: Option<u64>| {
        let mut table = with_client(Wire::Null);
        table.row(500).wire(Wire::HalfClosed(400)).change(|r| r.parent = Pid(1));
        table.row(400).change(|r| {
            r.details.stdio = Some(Stdio { stdin_peers: peers, stdin_id: id, ..Stdio::of_kind(kind) });
        });
        table
    };
    let verdict = |kind, peers, id| pipeline(kind, peers, id).verdict(&now(), 500);
    let (socket, pipe) = (StdioKind::Socket, StdioKind::Pipe);
    assert_eq!(verdict(socket, Some(vec![Pid(500)]), Some(7)), Some(Verdict::InUse));
    assert_eq!(verdict(pipe, Some(vec![Pid(800), Pid(500)]), None), Some(Verdict::InUse));
    // Its stdin is another's, or none.
    assert_eq!(verdict(socket, Some(vec![Pid(800)]), Some(7)), Some(Verdict::Orphaned));
    assert_eq!(verdict(socket, Some(vec![]), Some(7)), Some(Verdict::Orphaned));
    assert_eq!(verdict(StdioKind::Tty, None, None), Some(Verdict::Orphaned));
    assert_eq!(verdict(StdioKind::Null, None, None), Some(Verdict::Orphaned));
    // Who writes to it was not read: no pipe is one end of a pair, and another pair may be this one.
    assert_eq!(verdict(pipe, None, Some(7)), Some(Verdict::Orphaned));
    assert_eq!(verdict(socket, None, Some(7)), Some(Verdict::InUse));
    assert_eq!(verdict(StdioKind::Unknown, None, None), Some(Verdict::InUse));
    let mut unread = pipeline(pipe, None, None);
    unread.row(400).change(|r| r.details.stdio = None);
    assert_eq!(unread.verdict(&now(), 500), Some(Verdict::InUse));
}

#[test]
fn the_two_ends_of_a_pipe_have_one_number_whoever_else_holds_it() {
    let reads = |number| {
        let mut table = with_client(Wire::Null);
        let pipe = |id| Stdio { stdin_id: Some(id), stdout_id: Some(id), ..Stdio::of_kind(StdioKind::Pipe) };
        table.row(500).change(|r| {
            r.parent = Pid(1);
            r.details.stdio =
                Some(Stdio { stdin_peers: Some(vec![]), stdout_peers: Some(vec![Pid(400)]), ..pipe(70) });
        });
        table.row(400).change(|r| r.details.stdio = Some(pipe(number)));
        table.verdict(&now(), 500)
    };
    assert_eq!(reads(70), Some(Verdict::InUse));
    assert_eq!(reads(71), Some(Verdict::Orphaned));
}

#[test]
fn an_agent_that_reads_a_pipeline_and_has_a_server_of_its_own_did_not_reconnect() {
    let agent = |stdin: Option<Vec<Pid>>| {
        let mut table = Table::new();
        table.add(400, 800, "node /home/u/agent.js").wire(Wire::Null);
        table.row(400).change(|r| {
            r.details.stdio = Some(Stdio { stdin_peers: stdin, ..Stdio::of_kind(StdioKind::Socket) });
        });
        table.add(600, 400, "node /home/u/.npm-global/bin/mcp-server-time").wire(Wire::Held(400));
        table.add(500, 1, SERVER).wire(Wire::HalfClosed(400));
        table.verdict(&now(), 500)
    };
    assert_eq!(agent(Some(vec![Pid(500)])), Some(Verdict::InUse));
    assert_eq!(agent(Some(vec![Pid(800)])), Some(Verdict::Orphaned));
}

#[test]
fn under_a_living_client_both_ends_must_be_closed() {
    assert_eq!(with_client(Wire::Closed).verdict(&now(), 500), Some(Verdict::Disconnected));
    assert_eq!(with_client(Wire::HalfClosed(400)).verdict(&now(), 500), Some(Verdict::InUse));
    assert_eq!(with_client(Wire::Unknown).verdict(&now(), 500), Some(Verdict::InUse));
    assert_eq!(with_client(Wire::Null).verdict(&now(), 500), Some(Verdict::InUse));
}

#[test]
fn a_listening_server_is_never_disconnected() {
    let mut table = with_client(Wire::Closed);
    table.row(500).listens(3000, 0);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::InUse));
}

#[test]
fn what_cannot_be_read_is_left_alone() {
    assert_eq!(one(1, Wire::Unknown).verdict(&now(), 500), Some(Verdict::Undetermined));
    let mut unread = one(1, Wire::Closed);
    unread.row(500).change(|r| r.details.stdio = None);
    assert_eq!(unread.verdict(&now(), 500), Some(Verdict::Undetermined));
    let mut ports = one(1, Wire::Closed);
    ports.row(500).change(|r| r.details.listening = None);
    assert_eq!(ports.verdict(&now(), 500), Some(Verdict::Undetermined));
    let mut connections = one(1, Wire::Closed);
    connections.row(500).listens(3000, 0).change(|r| r.details.connected = None);
    assert_eq!(connections.verdict(&now(), 500), Some(Verdict::Undetermined));
}

#[test]
fn an_unknown_or_outside_parent_may_be_alive() {
    for parent in [77, 0] {
        assert_eq!(one(parent, Wire::Null).verdict(&now(), 500), Some(Verdict::Undetermined));
        assert_eq!(one(parent, Wire::Unknown).verdict(&now(), 500), Some(Verdict::Undetermined));
        // With a dead wire it does not matter whether it lives.
        assert_eq!(one(parent, Wire::Closed).verdict(&now(), 500), Some(Verdict::Orphaned));
    }
    let mut held = one(0, Wire::Held(400));
    held.add(400, 800, "some-client");
    assert_eq!(held.verdict(&now(), 500), Some(Verdict::InUse));
}

#[test]
fn a_daemon_on_a_port_is_detached_and_goes_only_when_asked() {
    let mut table = one(1, Wire::Null);
    table.row(500).listens(3911, 0);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Detached));
    assert!(table.ended(&now()).is_empty());
    assert_eq!(table.ended(&Policy { detached: true, ..now() }), [500]);
    table.row(500).listens(3911, 2);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::InUse));
    assert!(table.ended(&Policy { detached: true, ..now() }).is_empty());
}

#[test]
fn no_wire_is_no_dead_wire() {
    let table = one(1, Wire::Null);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Detached));
    assert!(table.ended(&now()).is_empty(), "that is what a daemon or a job in the background looks like");
    assert_eq!(table.ended(&Policy { detached: true, ..now() }), [500]);
}

#[test]
fn the_users_service_manager_adopts_but_another_users_does_not_count() {
    let mut table = one(700, Wire::Closed);
    table.add(700, 1, "/usr/lib/systemd/systemd --user").age(90_000.0);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Orphaned));
    table.row(700).uid(1001);
    assert_ne!(table.verdict(&now(), 500), Some(Verdict::Orphaned));
}

#[test]
fn a_parent_younger_than_its_child_has_adopted_it() {
    let mut table = one(700, Wire::Closed);
    table.row(500).age(3600.0);
    table.add(700, 1, "some-reaper").age(60.0);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Orphaned));
    table.row(700).age(7200.0);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Disconnected));
}

#[test]
fn a_parent_of_whom_neither_user_nor_command_could_be_read_may_be_a_launcher() {
    let mut table = one(600, Wire::Closed);
    table.add(600, 800, "python client.py").age(80_000.0);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Disconnected));
    table.row(600).change(|r| r.argv = None);
    let owner = |table: &Table, uid: Option<u32>| {
        let mut table = table.clone();
        table.row(500).wire(Wire::Null);
        table.row(600).change(|r| r.uid = uid.map(mcp_reap::process::Uid));
        table.verdict(&now(), 500)
    };
    assert_eq!(owner(&table, Some(ME)), Some(Verdict::Undetermined), "one of ours in disguise");
    assert_eq!(owner(&table, None), Some(Verdict::Undetermined), "perhaps one of ours");
    assert_eq!(owner(&table, Some(0)), Some(Verdict::InUse), "surely none of ours, and alive");
    // A launcher in disguise may have a living wire of its own.
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Undetermined));
}

#[test]
fn a_service_manager_of_whom_the_user_could_not_be_read_may_be_somebody_elses() {
    let mut table = one(700, Wire::Closed);
    table.add(700, 1, "/usr/lib/systemd/systemd --user").age(90_000.0);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Orphaned));
    table.row(500).wire(Wire::Null);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Detached));
    table.row(700).change(|r| r.uid = None);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Undetermined));
}

#[test]
fn a_client_or_supervisor_as_pid_1_of_a_container_owns() {
    for program in ["claude -p hi", "/usr/bin/python3 /usr/bin/supervisord -n"] {
        let mut table = one(1, Wire::Null);
        table.row(1).change(|r| {
            r.argv = Some(program.split(' ').collect());
            r.comm = "x".into();
        });
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::InUse), "{program}");
    }
}

#[test]
fn a_containers_pid_1_that_does_not_tell_what_it_is_may_be_the_client() {
    let mut table = one(1, Wire::Null);
    for uid in [Some(ME), None, Some(0)] {
        table.row(1).change(|r| (r.argv, r.uid) = (None, uid.map(mcp_reap::process::Uid)));
        table.row(1).change(|r| r.comm = "x".into());
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::Undetermined), "{uid:?}");
        // Its name tells.
        table.row(1).change(|r| r.comm = "systemd".into());
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::Detached), "{uid:?}");
    }
    // A supervisor that nobody knows, started as a script.
    table.row(1).change(|r| r.argv = Some(["/usr/bin/python3", "/entry.py"].into()));
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Undetermined));
    // Where /proc hides pid 1, the machine itself may say that it is systemd.
    let mut hidden = table.without(1);
    assert_eq!(hidden.verdict(&now(), 500), Some(Verdict::Undetermined));
    hidden.snapshot.systemd = true;
    assert_eq!(hidden.verdict(&now(), 500), Some(Verdict::Detached));
}

#[test]
fn the_main_process_of_a_unit_is_managed_and_a_leaked_child_is_not() {
    let mut table = one(1, Wire::Null);
    table.row(500).unit("notes-mcp.service", Some(500));
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Managed));
    table.row(500).unit("agent.service", Some(0)).wire(Wire::Closed);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Orphaned));
    table.row(500).unit("agent.service", None);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Undetermined));
    table.row(500).change(|r| r.details.service = None);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Undetermined), "only the cgroup speaks");
}

#[test]
fn a_scope_or_a_slice_manages_nobody_whatever_is_said_of_a_main_process() {
    for unit in ["session-3.scope", "user-1000.slice"] {
        for main in [None, Some(0), Some(77), Some(500)] {
            let mut table = one(1, Wire::Closed);
            table.row(500).unit(unit, main);
            assert_eq!(table.verdict(&now(), 500), Some(Verdict::Orphaned), "{unit} {main:?}");
        }
    }
}

#[test]
fn below_a_unit_whose_main_process_could_not_be_asked_nothing_is_cut_off() {
    let mut table = one(600, Wire::Closed);
    table.add(600, 1, "/usr/bin/gateway --serve").unit("gateway.service", Some(600)).age(90_000.0);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Managed));
    table.row(600).unit("gateway.service", None);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Undetermined));
    table.row(600).unit("gateway.service", Some(0));
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Disconnected), "it has none left");
}

#[test]
fn the_unit_of_pid_1_says_nothing_of_what_runs_on_the_machine() {
    let mut table = one(600, Wire::Closed);
    table.add(600, 1, "/usr/bin/gateway --serve").age(90_000.0);
    for init in ["/sbin/init", "/entrypoint"] {
        table.row(1).unit("init.service", None).change(|r| r.argv = Some([init].into()));
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::Disconnected), "{init}");
    }
}

#[test]
fn systemd_says_in_the_environment_who_its_main_process_is() {
    let mut table = one(1, Wire::Null);
    table.row(500).env(&[("SYSTEMD_EXEC_PID", "500")]);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Managed));
    table.row(500).env(&[("SYSTEMD_EXEC_PID", "499")]);
    assert_eq!(
        table.verdict(&now(), 500),
        Some(Verdict::Detached),
        "children inherit the value, not the equality"
    );
}

#[test]
fn a_server_under_a_units_main_process_is_managed_but_not_one_in_a_terminal() {
    let mut table = one(600, Wire::Closed);
    table.add(600, 1, "/usr/bin/gateway --serve").unit("gateway.service", Some(600)).age(90_000.0);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Managed));
    let mut terminal = one(602, Wire::Closed);
    terminal.add(600, 1, "/usr/libexec/gnome-terminal-server").unit("t.service", Some(600)).age(90_000.0);
    terminal.add(601, 600, "-bash").tty("pts/1").age(80_000.0);
    terminal.add(602, 601, "python client.py").tty("pts/1").age(70_000.0);
    assert_eq!(terminal.verdict(&now(), 500), Some(Verdict::Disconnected));
}

#[test]
fn a_shared_server_behind_a_bridge_that_a_unit_runs_is_managed() {
    let bridge = "/usr/bin/python3 /home/u/.local/bin/mcp-proxy --host=127.0.0.1 --port=8096 -- context7-mcp";
    for wire in [Wire::Closed, Wire::Held(600)] {
        let mut table = one(600, wire);
        table.row(500).unit("mcp-context7.service", Some(600));
        table.add(600, 1, bridge).unit("mcp-context7.service", Some(600)).listens(8096, 0).age(90_000.0);
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::Managed), "{wire:?}");
        // The same bridge in a terminal is a client like any other.
        table.row(500).unit("t.service", Some(7));
        table.row(600).unit("t.service", Some(7)).tty("pts/1");
        assert_ne!(table.verdict(&now(), 500), Some(Verdict::Managed), "{wire:?}");
    }
}

#[test]
fn a_job_of_the_bash_tool_is_never_a_target_on_its_own() {
    let session = [("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", "x")];
    let job = [session[0], session[1], ("CLAUDE_CODE_CHILD_SESSION", "1")];
    let mut table = Table::new();
    table.add(500, 1, "sleep 777").env(&job);
    assert_eq!(table.verdict(&now(), 500), None);
    let mut named = one(1, Wire::Closed);
    named.row(500).env(&job);
    assert_eq!(named.plan(&now()).withheld[0].why, Why::ToolJob);
}

#[test]
fn a_server_without_a_name_is_known_by_its_environment_and_its_wire() {
    let session = [("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", "x")];
    let mut table = Table::new();
    table.add(500, 1, "/opt/thing/run").env(&session).wire(Wire::Closed).born_into(400);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Orphaned));
    // A daemon that a server put into the background inherits the variables, but has no wire.
    table.row(500).wire(Wire::Null);
    assert_eq!(table.verdict(&now(), 500), None);
    // Nor is half a wire enough: `cat list | job > log &` in a pane of a tmux that a server once started.
    table.row(500).wire(Wire::Closed).change(|r| {
        r.details.stdio.as_mut().unwrap().stdout_kind = Some(mcp_reap::process::StdioKind::File);
    });
    assert_eq!(table.verdict(&now(), 500), None);
    // Nor a process that leads a group or session of its own.
    table.row(500).wire(Wire::Closed).born_into(500);
    assert_eq!(table.verdict(&now(), 500), None);
}

#[test]
fn the_young_the_foreign_and_our_own_are_never_targets() {
    let policy = Policy { min_age: Duration::from_mins(1), ..Policy::default() };
    let mut young = one(1, Wire::Closed);
    young.row(500).age(59.0);
    assert_eq!(young.plan(&policy).withheld[0].why, Why::TooYoung);

    let mut foreign = one(1, Wire::Closed);
    foreign.row(500).uid(1001);
    assert_eq!(foreign.plan(&now()).withheld[0].why, Why::OtherUser);
    foreign.row(500).change(|r| r.uid = None);
    assert_eq!(foreign.plan(&now()).withheld[0].why, Why::OtherUser);

    let mut container = one(1, Wire::Closed);
    container.row(500).change(|r| r.details.foreign_namespace = true);
    assert_eq!(container.plan(&now()).withheld[0].why, Why::OtherNamespace);

    let mut ours = one(1, Wire::Closed);
    ours.row(900).change(|r| r.parent = mcp_reap::process::Pid(500));
    assert_eq!(ours.plan(&now()).withheld[0].why, Why::Ourselves);

    let mut second = Table::new();
    second.add(2, 1, SERVER).wire(Wire::Closed);
    assert_eq!(second.plan(&now()).withheld[0].why, Why::System);
}

#[test]
fn an_instance_with_a_client_below_is_withheld_and_the_clients_servers_are_its_own() {
    let mut table = one(1, Wire::Closed);
    table.add(600, 500, "claude -p hi");
    table.add(601, 600, SERVER).wire(Wire::Held(600));
    assert_eq!(table.plan(&now()).withheld[0].why, Why::Client);
    assert!(table.ended(&now()).is_empty());
    assert_eq!(table.verdict(&now(), 601), Some(Verdict::InUse));
}

#[test]
fn a_script_that_also_runs_something_else_is_an_owner_and_no_launcher() {
    let mut table = Table::new();
    table.add(500, 1, "/bin/bash /home/u/dev.sh").wire(Wire::Closed);
    table.add(501, 500, SERVER).wire(Wire::Closed);
    assert_eq!(table.ended(&now()), [500, 501], "a wrapper goes with all it runs");
    table.add(502, 500, "node /home/u/web/node_modules/.bin/vite");
    assert!(!table.ended(&now()).contains(&500));
    assert!(!table.ended(&now()).contains(&502));
}

#[test]
fn a_browser_that_outlived_its_server_goes_only_with_a_closed_wire() {
    let chrome = "/opt/google/chrome/chrome --remote-debugging-pipe \
                  --user-data-dir=/home/u/.cache/ms-playwright/mcp-chrome-1";
    let mut table = Table::new();
    table.add(500, 1, chrome).wire(Wire::Closed);
    assert_eq!(table.ended(&now()), [500]);
    table.row(500).wire(Wire::Held(400));
    assert!(table.ended(&now()).is_empty());
    table.row(500).wire(Wire::Null);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Detached));
}

#[test]
fn memory_of_any_size_that_a_table_claims_is_added_up() {
    let mut table = Table::new();
    for pid in [500, 501, 502] {
        table.add(pid, 1, SERVER).wire(Wire::Closed).change(|r| r.rss = u64::MAX - 9);
    }
    table.add(503, 500, "worker").change(|r| r.rss = u64::MAX);
    assert_eq!(table.judge(&now()).findings[0].rss, u64::MAX);
    assert_eq!(table.plan(&now()).rss(), u64::MAX);
}

#[test]
fn zombies_are_reported_with_their_parent_and_are_never_targets() {
    let mut table = Table::new();
    table.add(500, 400, SERVER).state('Z');
    table.add(400, 800, "claude").tty("pts/9");
    let judgement = table.judge(&now());
    assert!(judgement.findings.is_empty());
    assert_eq!(judgement.zombies[0].pid.0, 500);
    assert_eq!(judgement.zombies[0].parent.0, 400);
}

#[test]
fn the_allowlist_saves_the_whole_instance_by_any_member() {
    let allow = |rule: AllowRule| Policy { allow: vec![rule], ..now() };
    let pattern = |text: &str| Some(Pattern::parse(text).unwrap());
    let mut table = Table::new();
    table.npx(500, 1, Wire::Closed);
    for rule in [
        AllowRule { name: pattern("server-memory"), ..AllowRule::default() },
        AllowRule { command: pattern("*mcp-server-memory*"), ..AllowRule::default() },
    ] {
        assert_eq!(table.verdict(&allow(rule), 500), Some(Verdict::Allowed));
    }
    let other = AllowRule { name: pattern("server-git"), ..AllowRule::default() };
    assert_eq!(table.verdict(&allow(other), 500), Some(Verdict::Orphaned));
}

#[test]
fn a_clients_oldest_copies_go_when_there_are_too_many() {
    let mut table = Table::new();
    table.add(400, 800, "claude").tty("pts/9").age(90_000.0);
    for (pid, age) in [(500, 5000.0), (501, 4000.0), (502, 3000.0), (503, 2000.0), (504, 1000.0)] {
        table.add(pid, 400, SERVER).wire(Wire::Held(400)).age(age);
    }
    let two = Limits { max_count: Some(2), ..Limits::default() };
    assert_eq!(table.ended(&Policy { limits: two, ..now() }), [500, 501, 502]);
    assert_eq!(table.verdict(&Policy { limits: two, ..now() }, 500), Some(Verdict::Excess));
    // Another session with one copy breaks nothing, unless copies are counted per user.
    table.add(410, 800, "claude").tty("pts/8").age(90_000.0);
    table.add(510, 410, SERVER).wire(Wire::Held(410)).age(6000.0);
    assert_eq!(table.ended(&Policy { limits: two, ..now() }), [500, 501, 502]);
    let per_user = Limits { count_per: Some(CountPer::User), ..two };
    assert_eq!(table.ended(&Policy { limits: per_user, ..now() }), [500, 501, 502, 510]);
}

#[test]
fn limits_end_what_is_in_use_and_a_servers_own_limits_come_first() {
    let mut table = with_client(Wire::Held(400));
    table.row(500).age(7000.0).rss(700 << 20);
    let old = Limits { max_age: Some(Duration::from_hours(1)), ..Limits::default() };
    let large = Limits { max_rss: Some(500 << 20), ..Limits::default() };
    assert_eq!(table.verdict(&Policy { limits: old, ..now() }, 500), Some(Verdict::Expired));
    assert_eq!(table.verdict(&Policy { limits: large, ..now() }, 500), Some(Verdict::Oversized));
    let own = ServerRule {
        name: "server-memory".to_owned(),
        program: None,
        limits: Limits { max_rss: Some(2 << 30), ..Limits::default() },
        origin: String::new(),
    };
    let policy = Policy { limits: large, servers: vec![own], ..now() };
    assert_eq!(table.verdict(&policy, 500), Some(Verdict::InUse));
}

#[test]
fn an_orphaned_client_is_reported_and_its_servers_stay_with_it() {
    let mut table = Table::new();
    table.add(400, 1, "claude -p hi").wire(Wire::Closed);
    table.add(500, 400, SERVER).wire(Wire::Held(400));
    let judgement = table.judge(&now());
    assert!(judgement.clients[0].orphaned);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::InUse));
    // Put into the background on purpose: /dev/null says nothing.
    table.row(400).wire(Wire::Null);
    assert!(!table.judge(&now()).clients[0].orphaned);
}

#[test]
fn two_looks_must_agree_on_launchers_and_servers_but_helpers_come_and_go() {
    let mut table = Table::new();
    table.npx(500, 1, Wire::Closed);
    let first = table.plan(&now());
    // A helper was born between the looks: it goes with the rest.
    table.add(510, 502, "/opt/google/chrome/chrome --type=renderer");
    let confirmed = first.clone().confirmed_by(&table.plan(&now()));
    assert_eq!(confirmed.targets[0].members.len(), 4);
    // Another server took the place of the first.
    let mut other = Table::new();
    other.npx(500, 1, Wire::Closed);
    other.row(502).age(10.0);
    let withheld = first.clone().confirmed_by(&other.plan(&now())).withheld;
    assert_eq!(withheld[0].why, Why::Changed);
    // What a script that is a server itself runs at the moment is no other server.
    let script = |sleep: u32| {
        let mut table = Table::new();
        table.add(600, 1, "bash /srv/notes-mcp-server.sh").wire(Wire::Closed);
        table.add(sleep, 600, "sleep 1").wire(Wire::Closed);
        table.plan(&now())
    };
    assert_eq!(script(601).confirmed_by(&script(602)).targets[0].members[1].id.pid.0, 602);
    // Somebody holds it now.
    let mut held = Table::new();
    held.add(400, 800, "claude").tty("pts/9");
    held.npx(500, 1, Wire::Held(400));
    assert!(first.confirmed_by(&held.plan(&now())).targets.is_empty());
}
