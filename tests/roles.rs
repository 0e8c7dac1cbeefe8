//! What part a process plays when its argv alone does not say: a wire, an environment or a
//! configuration beside it decides, and only together.

#![allow(clippy::unwrap_used)]

mod scene;

use mcp_reap::catalog::{Basis, Catalog, Configured, Role};
use mcp_reap::classify::{self, Scout, Verdict};
use mcp_reap::look::Look;
use mcp_reap::policy::Policy;
use mcp_reap::process::{Pid, ProcessRecord};
use mcp_reap::roles::Roles;
use scene::{Table, Wire};

const SESSION: [(&str, &str); 2] = [("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", "x")];
const JOB: [(&str, &str); 3] = [SESSION[0], SESSION[1], ("CLAUDE_CODE_CHILD_SESSION", "1")];

/// A browser with a profile that a library makes, for a server or for somebody's own tests.
const SHARED: &str =
    "/opt/google/chrome/chrome --remote-debugging-pipe --user-data-dir=/tmp/puppeteer_dev_chrome_profile-x1";
const SERVER: &str = "node /home/u/.npm-global/bin/mcp-server-memory";

fn roles(table: &Table, catalog: &Catalog) -> Roles {
    Look::new(&table.snapshot, catalog).roles
}

fn role(table: &Table, pid: u32) -> Option<Role> {
    roles(table, &Catalog::builtin()).role(Pid(pid))
}

/// A catalog that knows from a client's configuration what `node server.js` is.
fn configured() -> Catalog {
    let argv = ["node", "/home/u/notes/server.js"].map(str::to_owned).to_vec();
    let entry = Configured { client: "cursor".to_owned(), entry: "notes".to_owned(), argv, cwd: None };
    Catalog::builtin().with_configured(vec![entry])
}

#[test]
fn a_configured_command_line_is_that_server_only_on_a_wire() {
    let catalog = configured();
    let mut table = Table::new();
    table.add(500, 1, "node /home/u/notes/server.js").wire(Wire::Closed);
    let verdict = |table: &Table| {
        let judgement = classify::judge(&Look::new(&table.snapshot, &catalog), &Policy::default());
        judgement.findings.first().map(|finding| finding.verdict)
    };
    assert_eq!(verdict(&table), Some(Verdict::Orphaned));
    assert!(!roles(&table, &catalog).is_unproven(Pid(500)));
    for other in [Wire::Null, Wire::Held(800)] {
        table.row(500).wire(other).change(|r| {
            // What the person started by hand stands in a terminal, a daemon has none.
            r.details.stdio = r.details.stdio.clone().filter(|_| matches!(other, Wire::Null));
        });
        assert_eq!(verdict(&table), None, "the same words without a wire are anybody's");
        assert!(roles(&table, &catalog).is_unproven(Pid(500)), "and worth a closer look");
    }
    assert!(!roles(&table, &catalog).is_unproven(Pid(800)), "unlike a shell");
}

#[test]
fn an_entry_takes_nothing_from_what_a_command_line_says_by_itself() {
    let line = "node /srv/notes-mcp/server.js --port 38471";
    let mut table = Table::new();
    table.add(500, 1, line).wire(Wire::Null).listens(38471, 0);
    let argv = line.split(' ').map(str::to_owned).collect();
    let entry = Configured { client: "cursor".to_owned(), entry: "notes".to_owned(), argv, cwd: None };
    let catalog = Catalog::builtin().with_configured(vec![entry]);
    let verdict = |catalog: &Catalog| {
        let judgement = classify::judge(&Look::new(&table.snapshot, catalog), &Policy::default());
        judgement.findings.first().map(|finding| finding.verdict)
    };
    assert_eq!(verdict(&Catalog::builtin()), Some(Verdict::Detached));
    assert_eq!(verdict(&catalog), Some(Verdict::Detached), "it has no wire to bear the entry out");
    assert!(matches!(roles(&table, &catalog).get(Pid(500)).unwrap().basis, Basis::Catalog { .. }));
}

#[test]
fn a_librarys_browser_is_a_servers_only_below_a_clients_server() {
    let mut table = Table::new();
    table.add(500, 1, SHARED).wire(Wire::Closed);
    assert_eq!(role(&table, 500), None, "somebody's own tests");
    table.row(500).env(&SESSION);
    assert_eq!(role(&table, 500), Some(Role::Helper));
    table.row(500).env(&SESSION[..1]);
    assert_eq!(role(&table, 500), None, "half an environment says nothing");
    table.row(500).env(&SESSION[1..]);
    assert_eq!(role(&table, 500), None);
    table.row(500).env(&JOB);
    assert_eq!(role(&table, 500), None, "tests that a shell tool runs");
}

#[test]
fn a_projects_build_or_tests_are_no_server_whatever_their_environment_says() {
    for (line, role) in [
        ("npm run build", false),
        ("pnpm run test:unit", false),
        ("bash -c cargo~test", false),
        ("bash -c cd~/srv/x~&&~npm~test", false),
        ("python3 setup.py build", false),
        ("node /srv/x/test.js", false),
        ("node scripts/build.mjs", false),
        ("npm run dev", true),
        ("bash -c cd~/srv/x~&&~node~index.js", true),
        ("python3 /srv/notes/agent.py", true),
        ("node /srv/test/index.js", true),
        ("tee /srv/log", true),
    ] {
        let mut table = Table::new();
        table.add(400, 1, "claude").wire(Wire::Null);
        let argv = line.split(' ').map(|word| word.replace('~', " ").as_str().into()).collect();
        table.add_argv(500, 400, argv).wire(Wire::Held(400)).env(&SESSION).born_into(400);
        assert_eq!(self::role(&table, 500).is_some_and(|role| role != Role::Wrapper), role, "{line}");
    }
}

#[test]
fn a_script_that_claude_code_started_on_a_wire_is_a_server_and_counted_once() {
    let mut table = Table::new();
    table.add(500, 1, "bash /home/u/start.sh").wire(Wire::Closed);
    table.add(600, 1, SERVER).wire(Wire::Closed);
    table.add(700, 1, "claude -p hi").wire(Wire::Closed).env(&SESSION);
    assert_eq!(role(&table, 500), Some(Role::Wrapper));
    table.row(500).env(&SESSION).born_into(400);
    let roles = roles(&table, &Catalog::builtin());
    assert_eq!(roles.get(Pid(500)).unwrap().basis, Basis::Environment);
    assert_eq!(roles.all(Role::Server), [Pid(500), Pid(600)], "the other keeps its part");
    assert!(roles.all(Role::Wrapper).is_empty());
    assert_eq!(roles.role(Pid(700)), Some(Role::Client), "a name of its own says more");
}

#[test]
fn below_a_server_the_environment_makes_no_further_server() {
    let mut table = Table::new();
    table.add(500, 1, SERVER).wire(Wire::Closed);
    table.add(501, 500, "/opt/thing/worker").wire(Wire::Held(500)).env(&SESSION).born_into(400);
    assert_eq!(role(&table, 501), None, "a helper of the server that has a name");
    table.row(500).change(|r| r.argv = Some(["/opt/thing/run"].into()));
    assert_eq!(role(&table, 501), Some(Role::Server), "below anything else it is one");
    table.row(500).env(&SESSION).born_into(400);
    assert_eq!(role(&table, 500), Some(Role::Server));
    assert_eq!(role(&table, 501), None, "a helper of the server that has none");
}

#[test]
fn copies_of_one_line_are_told_apart_by_what_else_was_read() {
    let mut table = Table::new();
    table.add(500, 1, SHARED).env(&SESSION);
    table.add(501, 1, SHARED).env(&JOB);
    table.add(502, 1, SHARED).env(&SESSION);
    table.add(503, 1, SHARED).change(|r| r.details.env = None);
    let configured = configured();
    for (pid, wire) in [(600, Wire::Closed), (601, Wire::Null), (602, Wire::Closed)] {
        table.add(pid, 1, "node /home/u/notes/server.js").wire(wire);
    }
    for (pid, exe) in [(700, "/usr/bin/vim"), (701, "/usr/bin/mcp-server-time"), (702, "/usr/bin/vim")] {
        table.add_argv(pid, 1, vec!["".into()]).change(|r| r.details.exe = Some(exe.into()));
    }
    let roles = roles(&table, &configured);
    // Each as if it were the only one.
    for record in &table.snapshot.processes {
        let mut alone = table.clone();
        alone.snapshot.processes.retain(|other| other.pid() <= Pid(1) || other.pid() == record.pid());
        let alone = self::roles(&alone, &configured);
        assert_eq!(roles.get(record.pid()), alone.get(record.pid()), "{record:?}");
        assert_eq!(roles.is_unproven(record.pid()), alone.is_unproven(record.pid()), "{record:?}");
    }
    assert_eq!(
        [500, 501, 502].map(|pid| roles.role(Pid(pid))),
        [Some(Role::Helper), None, Some(Role::Helper)]
    );
    assert_eq!(
        [600, 601, 602].map(|pid| roles.role(Pid(pid))),
        [Some(Role::Server), None, Some(Role::Server)]
    );
}

#[test]
fn a_closer_look_at_one_thing_alone_is_enough() {
    let catalog = configured();
    let mut late = Table::new();
    late.add(500, 1, "node /home/u/notes/server.js").wire(Wire::Closed).change(|r| r.details.env = None);
    late.add(600, 1, SHARED).env(&SESSION).change(|r| r.details.stdio = None);
    late.add_argv(700, 1, vec!["mcp-x".into()]).change(|r| {
        (r.details.exe, r.details.env, r.details.stdio) = (Some("/usr/bin/vim".into()), None, None);
    });
    late.add(701, 1, SERVER).change(|r| (r.details.exe, r.details.env, r.details.stdio) = (None, None, None));
    let mut early = late.clone();
    for row in &mut early.snapshot.processes {
        (row.details.exe, row.details.env, row.details.stdio) = (None, None, None);
    }
    let gone = early.clone();
    early
        .add(800_000, 1, SERVER)
        .change(|r| (r.details.exe, r.details.env, r.details.stdio) = (None, None, None));
    let first = roles(&early, &catalog);
    assert_eq!((first.role(Pid(500)), first.role(Pid(600))), (None, None));
    let second = Look::after_details(&late.snapshot, &catalog, first.clone()).roles;
    assert_eq!(second, roles(&late, &catalog));
    assert_eq!((second.role(Pid(500)), second.role(Pid(600))), (Some(Role::Server), Some(Role::Helper)));
    // Nothing was read of anybody: who has vanished is forgotten, the others stay.
    let second = Look::after_details(&gone.snapshot, &catalog, first).roles;
    assert_eq!(second, roles(&gone, &catalog));
}

#[test]
fn details_are_read_of_what_could_be_a_server_of_ours_and_of_nothing_else() {
    let bare = |record: &mut ProcessRecord| (record.details.env, record.details.stdio) = (None, None);
    let mut table = Table::new();
    table.add(400, 800, "claude").tty("pts/9");
    table.add(401, 400, "/opt/thing/run").change(bare);
    table.add(402, 400, SERVER).change(bare);
    table.add(403, 402, "node worker.js").change(bare);
    table.add(500, 1, "/opt/other/run").change(bare);
    table.add(501, 800, "vim notes.txt").change(bare);
    table.add(502, 1, "/opt/other/run").uid(4242).change(bare);
    table.add(503, 1, "/opt/other/run").state('Z').change(bare);
    table
        .add(504, 1, "")
        .change(|r| (r.argv, r.details.env, r.details.stdio) = (Some([""; 0].into()), None, None));
    table.add(505, 1, "bash start.sh").change(bare);
    for (pid, parent) in [(506, 1), (507, 400)] {
        table
            .add(pid, parent, "/usr/bin/mcp-reap hook run")
            .change(|r| r.comm = "mcp-reap".into())
            .change(bare);
    }
    let catalog = Catalog::builtin();
    let interest = Scout::new(&catalog).interest(&table.snapshot);
    assert_eq!(interest.surely, [400, 401, 402, 403].map(Pid), "clients, members, and a client's children");
    assert_eq!(interest.above, [1, 400, 800].map(Pid), "whoever may own one");
    assert_eq!(interest.if_wired, [500, 505, 800].map(Pid), "adopted, ours, alive, and without a name");
}

#[test]
fn configurations_are_read_as_soon_as_there_is_anything_to_judge() {
    let mut table = Table::new();
    let has_candidates = |table: &Table| {
        let catalog = Catalog::builtin();
        let mut scout = Scout::new(&catalog);
        let _ = scout.interest(&table.snapshot);
        scout.has_candidates()
    };
    table.add(501, 1, "node /home/u/notes/server.js").wire(Wire::Null);
    assert!(!has_candidates(&table), "it has no wire");
    table.row(501).wire(Wire::Closed);
    assert!(has_candidates(&table), "a configuration may tell what it is");
    table.row(501).change(|r| r.parent = Pid(800));
    assert!(!has_candidates(&table), "a person's shell runs it");
    table.add(500, 1, SERVER).wire(Wire::Closed);
    assert!(has_candidates(&table), "its name tells");
}
