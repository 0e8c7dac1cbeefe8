//! Recorded tables, and what the judgement promises of them.

use mcp_reap::classify;
use mcp_reap::look::Look;
use mcp_reap::plan::Plan;
use mcp_reap::policy::Policy;
use mcp_reap::process::{Pid, ProcessRecord, Snapshot};
use std::collections::{BTreeSet, HashMap, HashSet};

use super::*;

pub(super) fn plan(snapshot: &Snapshot, policy: &Policy) -> Plan {
    let look = Look::new(snapshot, &CATALOG);
    Plan::of_unused(&classify::judge(&look, policy), &look, policy)
}

pub(super) fn ended(snapshot: &Snapshot, policy: &Policy) -> BTreeSet<Pid> {
    let targets = plan(snapshot, policy).targets;
    targets.iter().flat_map(|target| &target.members).map(|member| member.id.pid).collect()
}

pub(super) fn snapshot(bytes: &[u8]) {
    let Ok(snapshot) = Snapshot::from_json(bytes) else { return };
    let policy = Policy { min_age: std::time::Duration::ZERO, ..Policy::default() };
    let rows: HashMap<Pid, &ProcessRecord> = snapshot.processes.iter().map(|row| (row.pid(), row)).collect();
    let above: HashSet<Pid> = {
        let mut line = HashSet::from([snapshot.viewer.pid]);
        let mut at = snapshot.viewer.pid;
        while let Some(parent) = rows.get(&at).map(|row| row.parent).filter(|parent| line.insert(*parent)) {
            at = parent;
        }
        line
    };
    let before = plan(&snapshot, &policy);
    for member in before.targets.iter().flat_map(|target| &target.members) {
        let row = rows[&member.id.pid];
        assert!(member.id.pid > Pid(2), "a system process is a target");
        assert!(!above.contains(&member.id.pid), "mcp-reap or who runs it is a target");
        assert_eq!(row.uid, Some(snapshot.viewer.uid), "another user's process is a target");
        assert!(
            !row.details.foreign_namespace && !row.is_zombie(),
            "another namespace's or a dead process is a target"
        );
        assert!(row.env_var("CLAUDE_CODE_CHILD_SESSION").is_none(), "a job of a shell tool is a target");
        let main = row.details.service.as_ref().and_then(|service| service.main_pid);
        assert_ne!(main, Some(row.pid()), "a main process of a unit is a target");
    }
    for root in before.targets.iter().map(|target| target.root()) {
        let age = snapshot.age(rows[&root.pid]);
        // Longer ago than a duration goes is no age of anything.
        if age < 1e15 {
            let older = Policy { min_age: std::time::Duration::from_secs_f64(age + 1.0), ..policy.clone() };
            assert!(!ended(&snapshot, &older).contains(&root.pid), "too young an instance is a target");
        }
    }
    let before = ended(&snapshot, &policy);
    let written = serde_json::to_vec(&snapshot).expect("a table can be written");
    let again = Snapshot::from_json(&written).expect("and read back");
    // The last bit of an absurd number may be another; numbers that clocks give come back as they are.
    let mut other = snapshot.clone();
    for (row, other) in again.processes.iter().zip(&mut other.processes) {
        if (row.started_at - other.started_at).abs() <= other.started_at.abs() * 1e-15 {
            other.started_at = row.started_at;
        }
        other.cpu = other.cpu.and(row.cpu);
    }
    assert_eq!(other, again, "a table that was written down is another one");
    other.processes.reverse();
    assert_eq!(ended(&other, &policy), before, "the order of rows matters");
    // One thing less that could be read, of one process.
    let chance = digest(bytes);
    let count = other.processes.len().max(1) as u64;
    if let Some(row) = other.processes.get_mut((chance % count) as usize) {
        match chance / count % 6 {
            0 => row.details.stdio = None,
            1 => row.details.listening = None,
            2 => row.details.connected = None,
            3 => row.uid = None,
            4 => row.argv = None,
            _ => row.details.service.iter_mut().for_each(|service| service.main_pid = None),
        }
        let blind = row.pid();
        let now = ended(&other, &policy);
        assert!(now.is_subset(&before), "what cannot be read of {blind} ends {now:?}, not {before:?}");
    }
}

pub(super) fn snapshot_shape(bytes: &[u8]) -> u64 {
    digest(Snapshot::from_json(bytes).ok().map(|snapshot| {
        let judgement = classify::judge(&Look::new(&snapshot, &CATALOG), &Policy::default());
        let verdicts: Vec<&str> = judgement.findings.iter().map(|finding| finding.verdict.as_str()).collect();
        (snapshot.processes.len().min(64), verdicts)
    }))
}

pub(super) fn snapshot_seeds() -> Vec<Vec<u8>> {
    let full = |pid: u32, ppid: u32, argv: &str, stdio: &str| {
        format!(
            "{{\"pid\":{pid},\"ppid\":{ppid},\"pgid\":{pid},\"sid\":{pid},\"uid\":1000,\"start\":1763636400.12,\"state\":\"S\",\"tty\":null,\"rss\":41230336,\"comm\":\"node\",\"exe\":\"/usr/bin/node\",\"argv\":[\"{argv}\"],\"cwd\":\"/\",\"env\":{{}},\"cgroup\":\"/x\",\"service\":null,\"stdio\":{stdio},\"listening\":[],\"connected\":0}}"
        )
    };
    // Only what matters, so that several rows are within the length of an input.
    let row = |pid: u32, ppid: u32, start: u32, argv: &str, more: &str| {
        let argv = serde_json::to_string(&argv.split(' ').collect::<Vec<_>>()).expect("words");
        format!(
            "{{\"pid\":{pid},\"ppid\":{ppid},\"uid\":1000,\"start\":{start},\"state\":\"S\",\"argv\":{argv},\"cgroup\":\"/s.scope\",\"listening\":[],\"connected\":0{more}}}"
        )
    };
    let dead = "{\"kind\":\"socket\",\"stdin_peers\":[],\"stdout_peers\":[]}";
    let live = "{\"kind\":\"pipe\",\"stdin_peers\":[50],\"stdout_peers\":[50]}";
    let wire = |kind: &str, stdin: &str, stdout: &str| {
        format!(",\"stdio\":{{\"kind\":\"{kind}\",\"stdin_peers\":{stdin},\"stdout_peers\":{stdout}}}")
    };
    let (closed, null) = (wire("pipe", "[]", "[]"), wire("null", "null", "null"));
    let held = wire("socket", "[50]", "[50]");
    let table = |rows: &[String]| {
        let viewer = row(900, 800, 1763630000, "mcp-reap list", "");
        format!("{{\"schema\":1,\"os\":\"linux\",\"taken_at\":\"2026-11-20T14:00:00Z\",\"viewer\":{{\"pid\":900,\"uid\":1000}},\"processes\":[{},{viewer}]}}", rows.join(",")).into_bytes()
    };
    let init = || row(1, 0, 1763000000, "/sbin/init", "");
    let server = "node /h/.npm/_npx/15b07286cbcc3329/node_modules/.bin/mcp-server-memory";
    let chrome = "/opt/google/chrome/chrome --user-data-dir=/h/.cache/ms-playwright/mcp-chrome-1";
    let (s, n) = (1763636400, 1763636500);
    vec![
        table(&[
            full(1, 0, "/sbin/init", "null"),
            full(4242, 1, "npm exec @modelcontextprotocol/server-memory", dead),
            full(4243, 4242, "mcp-server-memory", dead),
        ]),
        table(&[
            full(1, 0, "/sbin/init", "null"),
            full(50, 1, "claude", "null"),
            full(60, 50, "mcp-server-git", live),
        ]),
        table(&[]),
        // An npx tree with its browser; then a browser that is left alone.
        table(&[
            init(),
            row(500, 1, s, "npm exec @modelcontextprotocol/server-memory", &closed),
            row(501, 500, s, "sh -c mcp-server-memory", &closed),
            row(502, 501, n, server, &closed),
            row(503, 502, n, chrome, &wire("pipe", "[502]", "[502]")),
            row(504, 1, n, chrome, &closed),
        ]),
        // Two clients: one with copies, one that is an orphan itself.
        table(&[
            init(),
            row(50, 1, s, "claude", ",\"tty\":\"pts/3\""),
            row(60, 50, n, server, &held),
            row(61, 50, n, server, &wire("socket", "[]", "[50]")),
            row(62, 50, n, server, &closed),
            row(70, 1, s, "claude -p hi", &closed),
            row(71, 70, n, server, &wire("pipe", "[70]", "[70]")),
        ]),
        // Daemons: on a port, with a connection, main process of a unit, below it, said by the environment.
        table(&[
            init(),
            row(500, 1, s, server, &null).replacen("\"listening\":[]", "\"listening\":[8080]", 1),
            row(
                501,
                1,
                s,
                server,
                &format!(
                    "{null},\"service\":{{\"manager\":\"systemd\",\"name\":\"x.service\",\"main_pid\":501}}"
                ),
            ),
            row(502, 501, n, server, &closed),
            row(
                503,
                1,
                s,
                server,
                &format!("{closed},\"service\":{{\"manager\":\"launchd\",\"name\":\"y\",\"main_pid\":0}}"),
            ),
            row(504, 1, s, server, &format!("{closed},\"env\":{{\"SYSTEMD_EXEC_PID\":\"504\"}}")),
        ]),
        // Adopted by the user's manager; a job of a shell tool; a server known by its environment; a wrapper; a zombie.
        table(&[
            init(),
            row(300, 1, 1763000001, "/usr/lib/systemd/systemd --user", ""),
            row(500, 300, s, server, &closed),
            row(
                501,
                1,
                s,
                "sleep 9",
                &format!(
                    "{closed},\"env\":{{\"CLAUDECODE\":\"1\",\"CLAUDE_CODE_SESSION_ID\":\"a\",\"CLAUDE_CODE_CHILD_SESSION\":\"1\"}}"
                ),
            ),
            row(
                502,
                1,
                s,
                "/opt/x/run",
                &format!("{closed},\"env\":{{\"CLAUDECODE\":\"1\",\"CLAUDE_CODE_SESSION_ID\":\"a\"}}"),
            ),
            row(503, 1, s, "bash start.sh", &closed),
            row(504, 503, n, server, &closed),
            row(505, 504, n, "node x", "").replacen("\"S\"", "\"Z\"", 1),
            row(506, 1, s, server, &format!("{closed},\"foreign_namespace\":true")).replacen(
                "\"uid\":1000",
                "\"uid\":7",
                1,
            ),
        ]),
    ]
}
