//! What is printed with `--json` against docs/schema, both ways: real output is valid and has no field that no schema describes,
//! every field that a schema describes was seen in real output, and a broken document is refused. Nothing is ended here: the
//! reports of real runs, the audit log and `test` are held against their schemas by the scenes.
#![allow(clippy::unwrap_used)]

mod limit;
mod schema;
mod stable_path;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use limit::Limited as _;
use mcp_reap::catalog::Basis;
use mcp_reap::classify::{Adoption, Evidence, Proof, WireState};
use mcp_reap::health::Problem;
use mcp_reap::process::{Listener, Pid, Snapshot, StdioKind};
use serde_json::{Value, json};

/// One schema, and the properties that real output has had.
struct Contract {
    name: &'static str,
    seen: BTreeSet<String>,
}

impl Contract {
    fn new(name: &'static str) -> Contract {
        Contract { name, seen: BTreeSet::new() }
    }

    /// A document of the program's: it is valid to the last field.
    fn takes(&mut self, document: &Value) {
        assert_eq!(schema::problems(self.name, document), [""; 0], "{}: {document}", self.name);
        schema::seen(document, "", &mut self.seen);
    }

    /// Every property was seen but these, which other tests show or only another machine has.
    fn is_complete_but_for(&self, others: &[&str]) {
        let missing: Vec<String> = schema::described(self.name)
            .into_iter()
            // What is known of an evidence and a finding by its kind is shown one by one below.
            .filter(|path| !path.contains("evidence[].") && !path.contains("findings[]."))
            .filter(|path| !self.seen.contains(path))
            .collect();
        assert_eq!(missing, others, "described in {}, and never printed", self.name);
    }

    /// Whatever is broken in this document is found: a value of another type, a field too many, one too few.
    fn refuses_what_is_broken_in(&self, document: &Value) {
        let refused = |broken: &Value, what: &str| {
            assert!(!schema::problems_of_any_version(self.name, broken).is_empty(), "{}: {what}", self.name);
        };
        for pointer in pointers(document, String::new()) {
            let mut broken = document.clone();
            *broken.pointer_mut(&pointer).unwrap() = json!([[["nonsense"]]]);
            refused(&broken, &pointer);
        }
        let required = schema::SCHEMAS[self.name]["required"].as_array();
        for field in required.into_iter().flatten().filter_map(Value::as_str) {
            let mut broken = document.clone();
            broken.as_object_mut().unwrap().shift_remove(field);
            refused(&broken, field);
        }
        if document.is_object() {
            refused(&with(document, "schema", json!(2)), "another version");
            let later = with(document, "mood", json!("fine"));
            assert_eq!(
                schema::problems_of_any_version(self.name, &later),
                [""; 0],
                "a later version's field"
            );
            assert!(!schema::problems(self.name, &later).is_empty(), "a field that nobody described");
        }
        refused(&json!(7), "no object");
        refused(&json!({}), "nothing");
    }
}

fn with(document: &Value, field: &str, value: Value) -> Value {
    let mut document = document.clone();
    document[field] = value;
    document
}

/// Every place in a document below its root.
fn pointers(value: &Value, place: String) -> Vec<String> {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    let path = |name: &str| format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
    below
        .into_iter()
        .flat_map(|(name, value)| {
            let place = path(&name);
            let mut all = vec![place.clone()];
            all.extend(pointers(value, place));
            all
        })
        .collect()
}

/// A person with a home of their own, and the program in it where it stays.
struct Home {
    dir: tempfile::TempDir,
    program: PathBuf,
}

impl Home {
    fn new() -> Home {
        let dir = stable_path::folder();
        let program = stable_path::install_in(dir.path());
        Home { dir, program }
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn script(&self, name: &str, content: &str) {
        let path = self.write(name, content);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What a command prints, whatever it thinks of it.
    fn text(&self, args: &[&str]) -> String {
        let mut command = Command::new(&self.program);
        command.env_clear().env("HOME", self.dir.path()).env("TZ", "UTC");
        command.env("PATH", format!("{}:/usr/bin:/bin", self.dir.path().join("bin").display()));
        let output = command.current_dir(self.dir.path()).args(args).output_soon();
        let code = output.status.code();
        assert!(
            matches!(code, Some(0 | 1)),
            "{args:?}: {code:?} {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let text = self.text(args);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"))
    }
}

fn table(name: &str) -> String {
    format!("{}/tests/cli/tables/{name}.json", env!("CARGO_MANIFEST_DIR"))
}

/// A recorded table with what a report shows only of some machines: swap, a conversation, another user's instance.
fn rich() -> Value {
    let mut table: Value = serde_json::from_str(&fs::read_to_string(table("crowd")).unwrap()).unwrap();
    for process in table["processes"].as_array_mut().unwrap() {
        process["swap"] = json!(4096);
        process["cpu"] = json!(0.5);
    }
    table
}

#[test]
fn every_schema_is_one_and_is_found_where_it_says() {
    assert!(schema::SCHEMAS.len() >= 14, "{:?}", schema::SCHEMAS.keys());
    for (name, schema) in schema::SCHEMAS.iter() {
        assert!(jsonschema::meta::is_valid(schema), "{name}");
        let place = format!("https://github.com/mcp-reap/mcp-reap/raw/HEAD/docs/schema/{name}.schema.json");
        assert_eq!(schema["$id"], place);
        for field in ["title", "description"] {
            assert!(schema[field].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {field}");
        }
        let page = include_str!("../docs/json.md");
        assert!(page.contains(&format!("(schema/{name}.schema.json)")), "docs/json.md does not name {name}");
    }
}

#[test]
fn reports_are_what_their_schema_says() {
    let home = Home::new();
    let limits = home.write(
        "limits.toml",
        "[limits]\nmax_count = 1\nmax_rss = \"1MB\"\n[[allow]]\nname = \"x\"\nreason = \"y\"\n",
    );
    let rich = home.write("rich.json", &rich().to_string());
    let mut report = Contract::new("report");
    for table in
        ["crowd", "mac", "machine", "quiet"].map(table).iter().map(String::as_str).chain(rich.to_str())
    {
        for args in [
            &["list", "--json", "--snapshot", table][..],
            &["list", "--wide", "--json", "--snapshot", table, "--config", limits.to_str().unwrap()],
            &["--dry-run", "--json", "--detached", "--snapshot", table],
            &["kill", "*", "--dry-run", "--json", "--snapshot", table],
        ] {
            report.takes(&home.json(args));
        }
    }
    // This machine, and containers as a fake docker tells of them.
    let line = r"4f5a\tmcp/fetch\tkind_euler\t2026-11-20 14:00:00 +0000 UTC\n";
    home.script(
        "bin/docker",
        &format!("#!/bin/sh\ncase $1 in ps) printf '{line}';; *) printf '4f5a\\ttrue\\n';; esac\n"),
    );
    report.takes(&home.json(&["list", "--json", "--containers"]));
    // What became of a process is in the report of a real run: the scenes hold each of theirs against this schema.
    report.is_complete_but_for(&[".instances[].members[].outcome"]);
    report.refuses_what_is_broken_in(&home.json(&["list", "--json", "--snapshot", &table("machine")]));
}

#[test]
fn checks_are_what_their_schema_says() {
    let home = Home::new();
    let config = home.write("c.toml", "[limits]\nmax_rss = \"1MB\"\n[[expect]]\nname = \"nothing-at-all\"\n");
    let mut check = Contract::new("check");
    for name in ["crowd", "mac", "machine", "quiet"] {
        check.takes(&home.json(&["check", "--json", "--snapshot", &table(name)]));
        check.takes(&home.json(&[
            "check",
            "--format",
            "json",
            "--snapshot",
            &table(name),
            "--config",
            config.to_str().unwrap(),
        ]));
    }
    check.refuses_what_is_broken_in(&home.json(&["check", "--json", "--snapshot", &table("machine")]));
    let bad = json!({"in-flight": 2});
    let document = home.json(&["check", "--json", "--snapshot", &table("machine")]);
    let mut odd = document.clone();
    odd["summary"]["by_verdict"] = bad;
    assert!(!schema::problems("check", &odd).is_empty(), "a verdict that there is not");
}

#[test]
fn explanations_are_what_their_schema_says() {
    let home = Home::new();
    let mut explain = Contract::new("explain");
    let one = home.json(&["explain", "2010", "--json", "--snapshot", &table("machine")]);
    explain.takes(&one);
    explain.takes(&home.json(&["explain", "2010", "2100", "1", "--json", "--snapshot", &table("machine")]));
    // One that works in a repository.
    fs::create_dir_all(home.dir.path().join("shop/.git")).unwrap();
    home.script("bin/mcp-server-notes", "#!/bin/sh\ncat >/dev/null\n");
    let mut server = Command::new(home.dir.path().join("bin/mcp-server-notes"));
    server.env("MCP_REAP_EXEC", "2,5,-.0000002a");
    server.current_dir(home.dir.path().join("shop")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut works = server.spawn().unwrap();
    let shown = home.json(&["explain", &works.id().to_string(), "--json"]);
    works.kill().unwrap();
    works.wait().unwrap();
    explain.takes(&shown);
    explain.refuses_what_is_broken_in(&one);
    let seen: Vec<&str> = explain.seen.iter().map(String::as_str).collect();
    for needed in [".ancestors", ".cwd", ".repository", ".marked_by", ".explanations[].instance"] {
        assert!(seen.contains(&needed), "{needed} was never printed");
    }
}

#[test]
fn recorded_tables_are_what_their_schema_says() {
    let home = Home::new();
    let mut recorded = Contract::new("recorded-table");
    let here = home.json(&["record"]);
    recorded.takes(&here);
    for name in ["crowd", "mac", "machine", "quiet"] {
        // As it was written once, and as it is written today.
        let text = fs::read_to_string(table(name)).unwrap();
        assert_eq!(
            schema::problems("recorded-table", &serde_json::from_str(&text).unwrap()),
            [""; 0],
            "{name}"
        );
        recorded.takes(&serde_json::to_value(Snapshot::from_json(text.as_bytes()).unwrap()).unwrap());
    }
    // With every field that there is, read and written again.
    let full = full_table();
    let written = serde_json::to_value(Snapshot::from_json(full.to_string().as_bytes()).unwrap()).unwrap();
    recorded.takes(&written);
    recorded.is_complete_but_for(&[]);
    recorded.refuses_what_is_broken_in(&full);
    for field in ["pid", "ppid", "start"] {
        let mut broken = full.clone();
        broken["processes"][0].as_object_mut().unwrap().remove(field);
        assert!(!schema::problems_of_any_version("recorded-table", &broken).is_empty(), "without {field}");
        assert!(
            Snapshot::from_json(broken.to_string().as_bytes()).is_err(),
            "the program reads it all the same"
        );
    }
}

/// One process of which everything was read.
fn full_table() -> Value {
    json!({
        "schema": 1, "os": "linux", "taken_at": "2026-11-20T14:00:00Z", "viewer": {"pid": 900, "uid": 1000},
        "systemd": true, "unreadable": [7],
        "processes": [{
            "pid": 4242, "ppid": 1, "pgid": 4100, "sid": 3900, "uid": 1000, "start": 1_763_636_400.5, "start_ticks": 5,
            "state": "S", "tty": "pts/3", "rss": 41_230_336, "swap": 4096, "cpu": 0.5, "comm": "node",
            "exe": "/usr/bin/node", "argv": ["node", "x"], "cwd": "/home/u/p", "env": {"CLAUDECODE": "1"},
            "cgroup": "/user.slice", "service": {"manager": "systemd", "name": "x.service", "main_pid": 123, "active": true},
            "stdio": {"kind": "socket", "stdout_kind": "pipe", "stdin_peers": [], "stdout_peers": [5], "other_peers": [6],
                "stdin_id": 10, "stdout_id": 11},
            "listening": [3000, "unix:/run/user/1000/x.sock"], "connected": 1, "connected_peers": [8],
            "outbound_peers": [9], "tracer": 3, "display": true, "adopted": true, "foreign_namespace": true,
            "namespace_pid": 1
        }]
    })
}

#[test]
fn past_runs_are_what_their_schema_says() {
    let home = Home::new();
    let at = |event: &str, rest: Value| {
        let mut line = json!({"schema": 1, "at": "2026-11-20T14:00:00.000Z", "run": "20261120T140000-1-0001", "event": event});
        line.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        assert_eq!(schema::problems("audit-event", &line), [""; 0]);
        line.to_string() + "\n"
    };
    let subject = json!({"pid": 42, "start": 5, "started_at": "2026-11-20T13:00:00.000Z", "server": "notes", "root": 42, "role": "server"});
    let about = |rest: Value| {
        let mut all = subject.clone();
        all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        all
    };
    let lines = [
        at(
            "run-started",
            json!({"started_by": "exec", "version": "0.1.0", "pid": 9, "uid": 1000, "targets": 1}),
        ),
        at(
            "intent",
            about(
                json!({"ppid": 1, "uid": 1000, "signal": "TERM", "argv": ["node"], "rss": 7, "client": null,
            "verdict": "orphaned", "reason": "owner gone", "evidence": [{"kind": "left-over"}]}),
            ),
        ),
        at("signalled", about(json!({"signal": "TERM"}))),
        at("exited", about(json!({"after_ms": 5}))),
        at(
            "withheld",
            about(
                json!({"role": "root", "pids": [1], "verdict": "orphaned", "reason": "younger than min_age"}),
            ),
        ),
        at(
            "run-finished",
            json!({"instances": 1, "processes": 1, "rss_reclaimed": 7, "duration_ms": 5, "failed": 0}),
        ),
    ];
    let folder = if cfg!(target_os = "macos") { "Library/Logs/mcp-reap" } else { ".local/state/mcp-reap" };
    let log = home.write(&format!("{folder}/audit.jsonl"), &lines.concat());
    fs::set_permissions(log.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    let mut runs = Contract::new("log");
    let all = home.json(&["log", "--json"]);
    runs.takes(&all);
    runs.takes(&all[0]);
    let described: BTreeSet<String> =
        schema::described("log").into_iter().filter(|path| path.starts_with("[]")).collect();
    assert_eq!(described.difference(&runs.seen).collect::<Vec<_>>(), Vec::<&String>::new());
    runs.refuses_what_is_broken_in(&all);
}

/// What a person's clients are configured to start.
fn configured(home: &Home) {
    let servers = json!({"mcpServers": {
        "notes": {"command": "npx", "args": ["-y", "mcp-server-notes"]},
        "far": {"type": "http", "url": "https://maps.example/mcp"}}});
    home.write(".claude.json", &servers.to_string());
    home.write(".cursor/mcp.json", &servers.to_string());
    home.write(".gemini/settings.json", &servers.to_string());
}

#[test]
fn configurations_are_shown_as_their_schemas_say() {
    let home = Home::new();
    configured(&home);
    let mut listed = Contract::new("configured");
    let all = home.json(&["list", "--configured", "--json"]);
    listed.takes(&all);
    // None of them runs in this home.
    let shown = |path: &String| !path.contains("unconfigured[]") && !path.contains("instances[]");
    let named: Vec<String> = schema::described("configured").into_iter().filter(shown).collect();
    assert_eq!(
        named.iter().filter(|path| !listed.seen.contains(*path)).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    listed.refuses_what_is_broken_in(&all);

    let mut wrap = Contract::new("wrap");
    let shown = home.json(&["wrap", "--json"]);
    wrap.takes(&shown);
    wrap.refuses_what_is_broken_in(&shown);
    // Clients that run would keep their files; none of these does in this home.
    let done = home.json(&["wrap", "install", "--client", "gemini-cli", "--server", "notes", "--json"]);
    wrap.takes(&done);
    wrap.takes(&home.json(&["wrap", "uninstall", "--json"]));
    wrap.refuses_what_is_broken_in(&done);
    wrap.is_complete_but_for(&[".left[].client", ".left[].file", ".left[].name", ".left[].why"]);
}

#[test]
fn settings_and_the_doctor_are_shown_as_their_schemas_say() {
    let home = Home::new();
    let mut config = Contract::new("config");
    for args in
        [&["config", "path", "--json"][..], &["config", "init", "--json"], &["config", "check", "--json"]]
    {
        config.takes(&home.json(args));
    }
    let shown = home.json(&["config", "show", "--json"]);
    config.takes(&shown);
    config.is_complete_but_for(&[]);
    config.refuses_what_is_broken_in(&shown);
    let mut doctor = Contract::new("doctor");
    let answer = home.json(&["doctor", "--json"]);
    doctor.takes(&answer);
    doctor.is_complete_but_for(&[]);
    doctor.refuses_what_is_broken_in(&answer);
}

#[test]
fn hooks_are_shown_as_their_schemas_say() {
    let home = Home::new();
    let mut change = Contract::new("hook-change");
    let mut status = Contract::new("hook-status");
    home.write(".codex/hooks.json", r#"{"hooks": {"SessionEnd": [{"hooks": [{"type": "command", "command": "/old/mcp-reap hook run"}]}]}}"#);
    for client in ["claude-code", "codex", "gemini", "cursor"] {
        status.takes(&home.json(&["hook", "status", "--client", client, "--json"]));
        change.takes(&home.json(&["hook", "install", "--client", client, "--dry-run", "--json"]));
        let done = home.json(&["hook", "install", "--client", client, "--json"]);
        change.takes(&done);
        change.refuses_what_is_broken_in(&done);
        let answer = home.json(&["hook", "status", "--client", client, "--json"]);
        status.takes(&answer);
        status.refuses_what_is_broken_in(&answer);
        change.takes(&home.json(&["hook", "uninstall", "--client", client, "--json"]));
    }
    home.write(".claude/settings.json", r#"{"enabledPlugins": {"mcp-reap@mcp-reap": true}}"#);
    status.takes(&home.json(&["hook", "status", "--json"]));
    status.is_complete_but_for(&[]);
    change.is_complete_but_for(&[]);
}

#[test]
#[cfg(target_os = "linux")]
fn the_schedule_is_shown_as_its_schema_says() {
    let home = Home::new();
    let mut status = Contract::new("schedule-status");
    let answer = home.json(&["schedule", "status", "--json"]);
    status.takes(&answer);
    status.refuses_what_is_broken_in(&answer);
}

/// One of each evidence. A new kind does not compile here until it is one of them.
fn evidence() -> Vec<Evidence> {
    use Evidence as E;
    let text = |text: &str| text.to_owned();
    let pid = Pid(7);
    let all = vec![
        E::Identified { pid, basis: Basis::Environment },
        E::OwnerAlive { pid, name: text("zsh") },
        E::OwnerGone { pid, how: Adoption::Init },
        E::OwnerGone { pid, how: Adoption::Subreaper },
        E::OwnerGone { pid, how: Adoption::StartedLater },
        E::OwnerUnknown { pid },
        E::Managed { manager: text("systemd"), unit: text("x.service"), main_pid: pid },
        E::MaybeManaged { unit: text("x.service") },
        E::Unmanaged { unit: text("x.service"), main_pid: pid },
        E::Wire { direction: "stdin", state: WireState::Held, holders: vec![pid] },
        E::Wire { direction: "stdout", state: WireState::Closed, holders: Vec::new() },
        E::Wire { direction: "other", state: WireState::Unknown, holders: Vec::new() },
        E::Wire { direction: "other", state: WireState::Absent, holders: Vec::new() },
        E::NoWire { stdin: StdioKind::Null },
        E::Listening { ports: vec![Listener::Tcp(80), Listener::Other(text("udp:5353"))] },
        E::Connected { count: 2, pids: Vec::new() },
        E::Connected { count: 2, pids: vec![pid] },
        E::NetworkUnknown,
        E::TalksTo { pid },
        E::Announced { transport: text("--port") },
        E::DeadWire { proof: Proof::Closed },
        E::DeadWire { proof: Proof::ClientMovedOn },
        E::DeadWire { proof: Proof::AmongTheDead },
        E::Hidden { pid },
        E::UnreadHelper { pid },
        E::Allowed { pid, rule: text("config.toml:3"), reason: None },
        E::Allowed { pid, rule: text("config.toml:3"), reason: Some(text("mine")) },
        E::Limit { limit: "max_rss", value: 2, bound: 1 },
        E::PersonBelow { pid },
        E::Awaited { pid },
        E::ClientBelow { pid },
        E::OrphanedClient { pid },
        E::Marked { pid, root: pid },
        E::LeftOver,
    ];
    let known = |seen: &Evidence| match seen {
        E::Identified { .. } | E::OwnerAlive { .. } | E::OwnerGone { .. } | E::OwnerUnknown { .. } => true,
        E::Managed { .. } | E::MaybeManaged { .. } | E::Unmanaged { .. } | E::Wire { .. } => true,
        E::NoWire { .. } | E::Listening { .. } | E::Connected { .. } | E::NetworkUnknown => true,
        E::TalksTo { .. } | E::Announced { .. } | E::DeadWire { .. } | E::Hidden { .. } => true,
        E::Allowed { .. } | E::Limit { .. } | E::PersonBelow { .. } | E::Awaited { .. } => true,
        E::UnreadHelper { .. }
        | E::ClientBelow { .. }
        | E::OrphanedClient { .. }
        | E::Marked { .. }
        | E::LeftOver => true,
    };
    assert!(all.iter().all(known));
    all
}

/// One of each finding of `check`, likewise.
fn findings() -> Vec<Problem> {
    use Problem as P;
    let text = |text: &str| text.to_owned();
    let (server, reason, rss) = (text("notes"), text("owner gone"), 7);
    let all = vec![
        P::Orphan { server: server.clone(), root: Pid(7), verdict: "orphaned", reason: reason.clone(), rss },
        P::Limit { server, root: Pid(7), verdict: "excess", reason, rss },
        P::OrphanedClient { pid: Pid(7), name: text("codex") },
        P::Container { engine: text("docker"), image: text("mcp/fetch"), name: text("x") },
        P::Missing { name: text("notes"), running: 0, min: 1 },
        P::TooMany { name: text("notes"), running: 3, max: 1 },
    ];
    let known = |problem: &Problem| match problem {
        P::Orphan { .. } | P::Limit { .. } | P::OrphanedClient { .. } | P::Container { .. } => true,
        P::Missing { .. } | P::TooMany { .. } => true,
    };
    assert!(all.iter().all(known));
    all
}

/// Every kind in its place in a whole document: each is valid to the last field, no other kind is described, and every field
/// that is described for a kind is one that it has.
fn each_kind_is_described(
    name: &str,
    document: &Value,
    pointer: &str,
    schema_of: &Value,
    one_of_each: Vec<Value>,
) {
    let mut kinds: std::collections::BTreeMap<String, BTreeSet<String>> = std::collections::BTreeMap::new();
    for one in one_of_each {
        let fields = one.as_object().unwrap().keys().cloned();
        kinds.entry(one["kind"].as_str().unwrap().to_owned()).or_default().extend(fields);
        let mut document = document.clone();
        *document.pointer_mut(pointer).unwrap() = json!([one.clone()]);
        assert_eq!(schema::problems(name, &document), [""; 0], "{one}");
        for field in one.as_object().unwrap().keys() {
            let mut broken = document.clone();
            broken.pointer_mut(pointer).unwrap()[0][field] = json!([[["nonsense"]]]);
            assert!(!schema::problems_of_any_version(name, &broken).is_empty(), "{one}: {field}");
        }
        document.pointer_mut(pointer).unwrap()[0]["mood"] = json!(1);
        assert!(!schema::problems(name, &document).is_empty(), "{one}");
    }
    let described = schema_of["oneOf"].as_array().unwrap().iter().map(|branch| {
        let fields = branch["properties"].as_object().unwrap().keys().cloned().collect();
        (branch["title"].as_str().unwrap().to_owned(), fields)
    });
    assert_eq!(kinds, described.collect());
}

#[test]
fn every_kind_of_evidence_and_of_finding_is_described() {
    let home = Home::new();
    let report = home.json(&["list", "--json", "--snapshot", &table("machine")]);
    let value = |seen: &Evidence| serde_json::to_value(seen).unwrap();
    let all = evidence().iter().map(value).collect();
    each_kind_is_described(
        "report",
        &report,
        "/instances/0/evidence",
        &schema::SCHEMAS["report"]["$defs"]["evidence"],
        all,
    );
    let check = home.json(&["check", "--json", "--snapshot", &table("machine")]);
    let all = findings().iter().map(|problem| serde_json::to_value(problem).unwrap()).collect();
    each_kind_is_described("check", &check, "/findings", &schema::SCHEMAS["check"]["$defs"]["finding"], all);
}

#[test]
fn every_field_that_the_skill_names_is_in_a_report() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let skill = fs::read_to_string(root.join("plugin/skills/clean-up-mcp-servers/SKILL.md")).unwrap();
    let fields = schema::described("report");
    let has = |name: &str| fields.iter().any(|path| path.ends_with(&format!(".{name}")));
    for name in [
        "instances",
        "reap",
        "server",
        "root",
        "verdict",
        "reason",
        "age_seconds",
        "rss",
        "client",
        "members",
        "withheld",
        "summary",
        "to_reap",
        "rss_to_reap",
        "outcome",
    ] {
        assert!(skill.contains(&format!("`{name}")) && has(name), "{name}");
    }
}

/// The metrics of a machine with everything on it, and of the pages.
#[test]
fn the_page_names_every_metric_every_label_and_every_word_of_one() {
    let home = Home::new();
    let mut table: Value = rich();
    table["processes"][0]["uid"] = json!(4711);
    let table = home.write("rich.json", &table.to_string());
    let printed = home.text(&["check", "--format", "prometheus", "--snapshot", table.to_str().unwrap()])
        + &home.text(&["check", "--format", "prometheus", "--snapshot", &self::table("machine")]);
    let source =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/render/check/prometheus.rs"))
            .unwrap();
    let named = |text: &str| -> BTreeSet<String> {
        text.lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
            .map(str::to_owned)
            .collect()
    };
    let printed_names = named(&printed);
    // Those of the last run are printed where there is one.
    let in_source: BTreeSet<String> = source
        .split("gauge(")
        .skip(1)
        .chain(source.split("of(\"").skip(1))
        .filter_map(|rest| rest.trim_start().trim_start_matches('"').split('"').next())
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .map(|name| format!("mcp_reap_{name}"))
        .collect();
    assert!(printed_names.is_subset(&in_source), "{:?}", printed_names.difference(&in_source));
    let page = include_str!("../docs/fleet.md");
    let rows = page.lines().filter(|line| line.starts_with("| `mcp_reap_"));
    let mut documented = BTreeSet::new();
    let mut labels = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').collect();
        let mut first = String::new();
        for name in cells[1].split('`').skip(1).step_by(2) {
            match name.strip_prefix("...") {
                // `..._failed` after `mcp_reap_last_run_timestamp_seconds`: the same beginning.
                Some(end) => documented.insert(format!("mcp_reap_last_run{end}")),
                None => documented.insert(name.to_owned()),
            };
            first = name.to_owned();
        }
        assert!(!first.is_empty());
        labels.extend(cells[2].split('`').skip(1).step_by(2).map(str::to_owned));
        labels.extend(cells[3].split('`').skip(1).step_by(2).map(str::to_owned));
    }
    assert_eq!(documented, in_source);
    for series in printed.lines().filter(|line| !line.starts_with('#')) {
        for label in series.split_once('{').into_iter().flat_map(|(_, rest)| rest.split("\",")) {
            let name = label.split('=').next().unwrap().trim_start_matches('{');
            assert!(labels.contains(name), "the label {name} is not on the page: {series}");
        }
        if let Some(kind) = series.strip_prefix("mcp_reap_findings{kind=\"") {
            assert!(labels.contains(kind.split('"').next().unwrap()), "{series}");
        }
    }
}
