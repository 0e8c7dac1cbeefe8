//! The audit log as it lies on disk: what is trusted, what is rotated, what survives a crash.
#![allow(clippy::unwrap_used)]

mod schema;

mod limit;

use std::collections::HashSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use limit::Limited as _;
use mcp_reap::audit::read::{self, Line};
use mcp_reap::audit::{AuditError, AuditEvent, AuditLog, Holder, Record, RunId, RunLock, StartedBy, Subject};
use mcp_reap::bytes::Argv;
use mcp_reap::classify::{Adoption, ClientRef, Evidence, Verdict};
use mcp_reap::instance::Part;
use mcp_reap::plan::{Target, TargetMember};
use mcp_reap::policy::Retention;
use mcp_reap::process::{Pid, ProcessId, StartTime, Uid};
use mcp_reap::reap::Signal;

const KEEP: Retention = Retention { keep_days: 7, max_size: 1_000_000 };

struct State(tempfile::TempDir);

impl State {
    fn new() -> State {
        State(tempfile::tempdir().unwrap())
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("state/mcp-reap")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// A directory as a former run has left it.
    fn made(&self) -> PathBuf {
        drop(RunLock::try_acquire(&self.dir()).unwrap());
        self.dir()
    }

    fn open_at(&self, now: &str, retention: Retention) -> Result<AuditLog, AuditError> {
        let now = at(now);
        let lock = RunLock::try_acquire(&self.dir())?.expect("nobody else has the lock");
        AuditLog::open(lock, retention, RunId::new(now, Pid(1)), now)
    }

    fn open(&self) -> Result<AuditLog, AuditError> {
        self.open_at("2026-11-20T14:00:00Z", KEEP)
    }

    /// One run that ended `processes`.
    fn run(&self, now: &str, processes: u32) {
        self.open_at(now, KEEP).unwrap().append(at(now), &finished(processes)).unwrap();
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.dir())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// What all lines tell, oldest first; `None` for one that cannot be read.
    fn told(&self) -> Vec<Option<u32>> {
        read::lines(&self.dir())
            .unwrap()
            .map(|line| match line.unwrap() {
                Line::Record(record) => match *record {
                    Record { event: AuditEvent::RunFinished { processes, .. }, .. } => Some(processes),
                    other => panic!("{other:?}"),
                },
                Line::Unreadable(_) => None,
            })
            .collect()
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn finished(processes: u32) -> AuditEvent {
    AuditEvent::RunFinished {
        instances: 1,
        processes,
        rss_reclaimed: 0,
        duration_ms: 0,
        failed: 0,
        interrupted_by: None,
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_log_is_for_its_owner_alone() {
    let state = State::new();
    state.run("2026-11-20T14:00:00Z", 1);
    assert_eq!(mode(&state.dir()), 0o700);
    assert_eq!(mode(&state.file("audit.jsonl")), 0o600);
    assert_eq!(mode(&state.file("audit.lock")), 0o600);
    // What an older version or another tool left readable is closed.
    set_mode(&state.dir(), 0o755);
    set_mode(&state.file("audit.jsonl"), 0o644);
    state.run("2026-11-20T14:00:01Z", 2);
    assert_eq!((mode(&state.dir()), mode(&state.file("audit.jsonl"))), (0o700, 0o600));
    assert_eq!(state.told(), [Some(1), Some(2)]);
}

#[test]
fn what_others_could_have_written_is_refused() {
    let state = State::new();
    state.run("2026-11-20T14:00:00Z", 1);
    for mode in [0o620, 0o602] {
        set_mode(&state.file("audit.jsonl"), mode);
        let error = state.open().unwrap_err().to_string();
        assert!(error.contains("audit.jsonl: others can write it"), "{error}");
    }
    set_mode(&state.file("audit.jsonl"), 0o600);
    for mode in [0o770, 0o707, 0o1777] {
        set_mode(&state.dir(), mode);
        let error = state.open().unwrap_err().to_string();
        assert!(error.contains("others can write to this directory"), "{error}");
    }
    set_mode(&state.dir(), 0o700);
    fs::hard_link(state.file("audit.jsonl"), state.0.path().join("second")).unwrap();
    let error = state.open().unwrap_err().to_string();
    assert!(error.contains("audit.jsonl: has 2 names"), "{error}");
}

#[test]
fn a_link_in_place_of_a_file_is_refused_and_what_it_leads_to_is_untouched() {
    for name in ["audit.jsonl", "audit.lock"] {
        let state = State::new();
        state.made();
        let victim = state.0.path().join("victim");
        fs::write(&victim, "mine\n").unwrap();
        let _ = fs::remove_file(state.file(name));
        symlink(&victim, state.file(name)).unwrap();
        let error = state.open().unwrap_err().to_string();
        assert!(error.ends_with(&format!("{name}: a symbolic link")), "{error}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine\n");
        // One that leads nowhere must not create anything there.
        fs::remove_file(&victim).unwrap();
        assert!(state.open().is_err());
        assert!(!victim.exists());
    }
}

#[test]
fn a_fifo_or_a_directory_in_place_of_a_file_is_refused_at_once() {
    for name in ["audit.jsonl", "audit.lock"] {
        let state = State::new();
        state.made();
        let _ = fs::remove_file(state.file(name));
        nix::unistd::mkfifo(&state.file(name), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let error = state.open().unwrap_err().to_string();
        assert!(error.ends_with(&format!("{name}: not a regular file")), "{error}");
        fs::remove_file(state.file(name)).unwrap();
        fs::create_dir(state.file(name)).unwrap();
        let error = state.open().unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn a_state_directory_reached_over_a_link_is_judged_by_what_it_leads_to() {
    let state = State::new();
    let real = state.0.path().join("disk");
    fs::create_dir(&real).unwrap();
    set_mode(&real, 0o700);
    fs::create_dir(state.0.path().join("state")).unwrap();
    symlink(&real, state.dir()).unwrap();
    state.run("2026-11-20T14:00:00Z", 1);
    assert!(real.join("audit.jsonl").exists());
    set_mode(&real, 0o777);
    assert!(matches!(state.open(), Err(AuditError::NotTrusted { .. })));
}

#[test]
fn a_file_in_the_way_of_the_directory_is_an_error_with_its_path() {
    let state = State::new();
    fs::write(state.0.path().join("state"), "").unwrap();
    let error = state.open().unwrap_err().to_string();
    assert!(error.starts_with(&format!("failed to create {}", state.dir().display())), "{error}");
}

#[test]
fn a_directory_of_somebody_else_is_refused() {
    let state = State::new();
    state.made();
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(state.dir(), Some(4712), None).unwrap();
        let error = state.open().unwrap_err().to_string();
        assert!(error.contains("belongs to user 4712"), "{error}");
    } else {
        // Only root can give a directory away; a directory of root's is at hand for everyone else.
        let error = RunLock::try_acquire(Path::new("/usr")).unwrap_err().to_string();
        assert!(error.contains("belongs to user 0"), "{error}");
    }
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    // Only root can give a file away.
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    for name in ["audit.jsonl", "audit.lock"] {
        let state = State::new();
        state.run("2026-11-20T14:00:00Z", 1);
        std::os::unix::fs::chown(state.file(name), Some(4712), None).unwrap();
        let error = state.open().unwrap_err().to_string();
        assert!(error.contains(&format!("{name}: belongs to user 4712")), "{error}");
    }
}

#[test]
fn a_torn_last_line_is_closed_and_costs_only_itself() {
    let state = State::new();
    state.run("2026-11-20T14:00:00Z", 1);
    let file = state.file("audit.jsonl");
    let whole = fs::read(&file).unwrap();
    for cut in [1, whole.len() / 2, whole.len() - 1] {
        fs::write(&file, [&whole[..], &whole[..cut]].concat()).unwrap();
        state.run("2026-11-20T15:00:00Z", 2);
        // Cut just before its newline, the line is whole after all.
        let torn = if cut == whole.len() - 1 { Some(1) } else { None };
        assert_eq!(state.told(), [Some(1), torn, Some(2)], "cut at {cut}");
    }
}

#[test]
fn a_new_day_begins_a_new_file_and_old_ones_go_after_their_time() {
    let state = State::new();
    state.run("2026-11-10T09:00:00Z", 1);
    state.run("2026-11-10T23:59:59Z", 2);
    state.run("2026-11-11T00:00:00Z", 3);
    assert_eq!(state.names(), ["audit.2026-11-10.jsonl", "audit.jsonl", "audit.lock"]);
    // keep_days = 7: on the 17th the 10th is seven days old and stays, on the 18th it goes.
    state.run("2026-11-17T12:00:00Z", 4);
    assert_eq!(state.told(), [Some(1), Some(2), Some(3), Some(4)]);
    fs::write(state.file("audit.2026-01-01.jsonl.bak"), "").unwrap();
    fs::write(state.file("mcp-reap.2026-01-01.log"), "").unwrap();
    state.run("2026-11-18T12:00:00Z", 5);
    assert_eq!(state.told(), [Some(3), Some(4), Some(5)]);
    assert!(
        state.file("audit.2026-01-01.jsonl.bak").exists() && state.file("mcp-reap.2026-01-01.log").exists()
    );
}

#[test]
fn a_full_file_is_put_aside_under_a_number_of_its_own() {
    let state = State::new();
    let full = Retention { max_size: 1, ..KEEP };
    for processes in 1..=12 {
        let now = "2026-11-20T14:00:00Z";
        state.open_at(now, full).unwrap().append(at(now), &finished(processes)).unwrap();
    }
    assert_eq!(state.names().len(), 13, "{:?}", state.names());
    assert!(
        state.file("audit.2026-11-20.jsonl").exists() && state.file("audit.2026-11-20.10.jsonl").exists()
    );
    assert_eq!(state.told(), (1..=12).map(Some).collect::<Vec<_>>(), "and read in the order written");
    // A number that became free in the middle is not given again: the order would be lost.
    fs::remove_file(state.file("audit.2026-11-20.3.jsonl")).unwrap();
    drop(state.open_at("2026-11-20T14:00:00Z", full).unwrap());
    assert!(!state.file("audit.2026-11-20.3.jsonl").exists());
    assert!(state.file("audit.2026-11-20.11.jsonl").exists());
}

#[test]
fn a_clock_that_was_set_back_puts_nothing_aside() {
    let state = State::new();
    state.run("2026-11-20T14:00:00Z", 1);
    state.run("2026-11-19T14:00:00Z", 2);
    assert_eq!(state.names(), ["audit.jsonl", "audit.lock"]);
}

#[test]
fn a_second_run_gets_no_lock_until_the_first_has_ended() {
    let state = State::new();
    let log = state.open().unwrap();
    assert!(RunLock::try_acquire(&state.dir()).unwrap().is_none());
    let pid = Pid(std::process::id());
    assert_eq!(RunLock::holder(&state.dir()), Some(Holder { pid, by: None }));
    let mut asked = 0;
    let waited = RunLock::acquire_waiting(&state.dir(), || {
        asked += 1;
        asked < 3
    });
    assert!(waited.unwrap().is_none());
    assert_eq!(asked, 3);

    let dir = state.dir();
    let waiting = std::thread::spawn(move || RunLock::acquire_waiting(&dir, || true).unwrap().is_some());
    drop(log);
    assert!(waiting.join().unwrap());
}

#[test]
fn a_run_says_in_its_lock_what_started_it() {
    let state = State::new();
    let mut lock = RunLock::try_acquire(&state.dir()).unwrap().unwrap();
    let pid = Pid(std::process::id());
    for by in [StartedBy::Hand, StartedBy::Schedule, StartedBy::Hook] {
        lock.sign(by);
        assert_eq!(RunLock::holder(&state.dir()), Some(Holder { pid, by: Some(by) }));
    }
    // What another version, or nobody, wrote there is no reason to stumble.
    for (text, holder) in [("", None), ("12\n", Some(Pid(12))), ("12 moon\n", Some(Pid(12))), ("x\n", None)] {
        fs::write(state.file("audit.lock"), text).unwrap();
        assert_eq!(RunLock::holder(&state.dir()), holder.map(|pid| Holder { pid, by: None }), "{text:?}");
    }
}

#[test]
fn a_lock_file_that_was_deleted_locks_nobody_out_and_nobody_in() {
    let state = State::new();
    let first = RunLock::try_acquire(&state.dir()).unwrap().unwrap();
    fs::remove_file(state.file("audit.lock")).unwrap();
    // The second makes a file of its own: two runs at worst, which is why each process is held and
    // compared before it is signalled.
    let second = RunLock::try_acquire(&state.dir()).unwrap();
    assert!(second.is_some());
    drop(first);
    assert!(RunLock::try_acquire(&state.dir()).unwrap().is_none());
}

#[test]
fn a_log_that_is_not_there_has_no_lines() {
    let state = State::new();
    assert_eq!(state.told(), []);
    state.made();
    assert_eq!(state.told(), []);
    assert!(read::lines(Path::new("/dev/null")).is_err());
}

#[test]
fn lines_that_others_wrote_do_not_stop_the_reader() {
    let state = State::new();
    state.run("2026-11-20T14:00:00Z", 1);
    let file = state.file("audit.jsonl");
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(b"\n\nnot json\n\xff\xfe\n{}\n");
    bytes.extend(std::iter::repeat_n(b'x', 5 << 20));
    bytes.push(b'\n');
    fs::write(&file, &bytes).unwrap();
    state.run("2026-11-20T14:00:00Z", 2);
    // The 5 MB line makes the file full: it was put aside, and is read all the same.
    assert_eq!(state.told(), [Some(1), None, None, None, None, Some(2)]);
    let numbers: Vec<u64> = read::lines(&state.dir())
        .unwrap()
        .filter_map(|line| match line.unwrap() {
            Line::Unreadable(number) => Some(number),
            Line::Record(_) => None,
        })
        .collect();
    assert_eq!(numbers, [4, 5, 6, 7]);
}

#[test]
fn a_crash_leaves_every_durable_line_and_no_lock() {
    let state = State::new();
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_run_that_crashes", "--ignored", "--nocapture"])
        .env("STATE_OF_THE_CRASH", state.0.path())
        .output_soon()
        .status;
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(6), "{status}");
    assert_eq!(state.told(), (0..100).map(Some).collect::<Vec<_>>());
    state.run("2026-11-20T14:00:00Z", 100);
}

#[test]
#[ignore = "runs in a process of its own, started by a_crash_leaves_every_durable_line_and_no_lock"]
fn the_run_that_crashes() {
    let Some(state) = std::env::var_os("STATE_OF_THE_CRASH") else { return };
    let dir = Path::new(&state).join("state/mcp-reap");
    let now = at("2026-11-20T14:00:00Z");
    let lock = RunLock::try_acquire(&dir).unwrap().unwrap();
    let mut log = AuditLog::open(lock, KEEP, RunId::new(now, Pid(1)), now).unwrap();
    log.append_durably(now, &(0..100).map(finished).collect::<Vec<_>>()).unwrap();
    std::process::abort();
}

/// A new event or starter does not compile here until it is one of those below, in the schema and on the page.
fn is_known(event: &AuditEvent) -> bool {
    match event {
        AuditEvent::RunStarted { started_by, .. } => match started_by {
            StartedBy::Hand | StartedBy::Schedule | StartedBy::Hook | StartedBy::Exec => true,
        },
        AuditEvent::Intent { .. }
        | AuditEvent::Signalled { .. }
        | AuditEvent::Exited { .. }
        | AuditEvent::Killed { .. }
        | AuditEvent::Survived { .. }
        | AuditEvent::Denied { .. }
        | AuditEvent::Vanished { .. }
        | AuditEvent::Withheld { .. }
        | AuditEvent::RunFinished { .. } => true,
        // What a later version writes; nothing of ours.
        AuditEvent::Unknown => false,
    }
}

/// One of each event, as a run writes it.
fn one_of_each() -> Vec<AuditEvent> {
    let id = ProcessId { pid: Pid(42), start: StartTime(1234) };
    let member = TargetMember {
        id,
        parent: Pid(1),
        uid: None,
        part: Part::Server,
        stopped: false,
        started_at: 1.0,
        rss: 4096,
        argv: Argv::from(["node", "server.js"]),
    };
    let target = Target {
        server: "notes".to_owned(),
        verdict: Verdict::Orphaned,
        reason: "owner gone".to_owned(),
        client: Some(ClientRef { pid: Pid(30), name: "claude-code".to_owned() }),
        evidence: vec![Evidence::OwnerGone { pid: Pid(1), how: Adoption::Init }],
        members: vec![member.clone()],
        must_agree: HashSet::from([member.id]),
    };
    let nobody = Target { client: None, evidence: Vec::new(), ..target.clone() };
    let subject = || Subject::new(id, 1_790_000_000.5, "notes", Pid(40), "server");
    let (version, verdict, reason) =
        ("0".to_owned(), "orphaned".to_owned(), "younger than min_age".to_owned());
    let finished = |interrupted_by| AuditEvent::RunFinished {
        instances: 1,
        processes: 2,
        rss_reclaimed: 3,
        duration_ms: 4,
        failed: 5,
        interrupted_by,
    };
    let started = |started_by| {
        let version = version.clone();
        AuditEvent::RunStarted { started_by, version, pid: Pid(9), uid: Uid(1000), targets: 3 }
    };
    vec![
        started(StartedBy::Hand),
        started(StartedBy::Schedule),
        started(StartedBy::Hook),
        started(StartedBy::Exec),
        AuditEvent::intent(subject(), Signal::Term, &target, &member),
        AuditEvent::intent(subject(), Signal::Cont, &nobody, &member),
        AuditEvent::Signalled { subject: subject(), signal: Signal::Kill },
        AuditEvent::Exited { subject: subject(), after_ms: 5 },
        AuditEvent::Killed { subject: subject(), after_ms: 5 },
        AuditEvent::Survived { subject: subject(), after_ms: 5 },
        AuditEvent::Denied { subject: subject(), error: "no".to_owned() },
        AuditEvent::Vanished { subject: subject() },
        AuditEvent::Withheld { subject: subject(), pids: vec![Pid(1)], verdict, reason },
        finished(None),
        finished(Some(15)),
    ]
}

#[test]
fn every_event_is_as_the_schema_says_and_has_no_field_that_it_does_not_name() {
    let state = State::new();
    let events = one_of_each();
    assert!(events.iter().all(is_known));
    state
        .open_at("2026-11-20T14:00:00Z", KEEP)
        .unwrap()
        .append_durably(at("2026-11-20T14:00:00Z"), &events)
        .unwrap();
    let text = fs::read_to_string(state.file("audit.jsonl")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(schema::problems("audit-event", &value), [""; 0], "{line}");
        seen.insert(value["event"].as_str().unwrap().to_owned());
    }
    let named = schema::AUDIT_EVENT["oneOf"].as_array().unwrap().iter();
    assert_eq!(seen, named.map(|branch| branch["title"].as_str().unwrap().to_owned()).collect());
}

#[test]
fn the_schema_refuses_what_no_run_writes() {
    let event = serde_json::json!({
        "schema": 1, "at": "2026-11-20T14:00:00.000Z", "run": "r", "event": "exited", "pid": 1, "start": 2,
        "started_at": "2026-11-20T14:00:00.000Z", "server": "s", "root": 1, "role": "server", "after_ms": 3
    });
    let problems = |event: &serde_json::Value| schema::problems("audit-event", event);
    assert_eq!(problems(&event), [""; 0]);
    for (field, wrong) in [
        ("schema", serde_json::json!(2)),
        ("at", "2026-11-20T14:00:00Z".into()),
        ("event", "exploded".into()),
        ("pid", (-1).into()),
        ("start", "2".into()),
        ("role", "boss".into()),
        ("after_ms", serde_json::Value::Null),
    ] {
        let mut event = event.clone();
        event[field] = wrong;
        assert!(!problems(&event).is_empty(), "{field}");
    }
    for field in ["schema", "at", "run", "event", "pid", "server", "after_ms"] {
        let mut event = event.clone();
        event.as_object_mut().unwrap().shift_remove(field);
        assert!(!problems(&event).is_empty(), "without {field}");
    }
    let mut more = event.clone();
    more["mood"] = 2.into();
    assert!(problems(&more)[0].contains("mood"), "a field that no schema describes");
    assert_eq!(
        schema::problems_of_any_version("audit-event", &more),
        [""; 0],
        "but a later version may have it"
    );
}

#[test]
fn the_page_names_every_event_every_field_and_every_word() {
    let page = include_str!("../docs/audit-log.md");
    let branches = schema::AUDIT_EVENT["oneOf"].as_array().unwrap();
    let common = schema::AUDIT_EVENT["properties"].as_object().unwrap().iter();
    let fields = branches.iter().flat_map(|branch| branch["properties"].as_object().unwrap());
    for (name, field) in common.chain(fields) {
        assert!(page.contains(&format!("`{name}`")), "{name} is not on the page");
        for word in field["enum"].as_array().into_iter().flatten().filter_map(|word| word.as_str()) {
            // An instance that is allowed or managed is never chosen, so no event has it.
            let never = ["allowed", "managed"].contains(&word);
            assert!(never || page.contains(&format!("`{word}`")), "{word} ({name}) is not on the page");
        }
    }
    // And the other way: each event with its row, and no row without an event.
    let rows = page.split("## Events").nth(1).unwrap().split("###").next().unwrap();
    let rows: std::collections::BTreeSet<&str> =
        rows.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(rows, branches.iter().map(|branch| branch["title"].as_str().unwrap()).collect());
}
