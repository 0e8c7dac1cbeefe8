//! What the parts of a look cost: `cargo bench --bench parts [NAME]`. Whole runs, beside `pgrep -f`, are
//! measured by `benches/scan.sh`.
//!
//! The last group looks at this machine and starts a hundred `cat` of its own to look at; it ends none but those.

#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::process::{Child, Command, Stdio as Fds};
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use mcp_reap::bytes::{Argv, RawText};
use mcp_reap::catalog::Catalog;
use mcp_reap::classify::{self, Scout};
use mcp_reap::look::Look;
use mcp_reap::plan::Plan;
use mcp_reap::policy::Policy;
use mcp_reap::process::{
    Interest, Pid, ProcessRecord, SCHEMA, Snapshot, StartTime, Stdio, StdioKind, Uid, Viewer,
};
use mcp_reap::sys::procfs;
use mcp_reap::{program, redact, sys};
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

const STAT: &[u8] =
    b"815 (npm exec @model) S 77 810 800 34819 810 4194560 5 0 0 0 120 30 0 0 20 0 11 0 6543210 99 4321 \
    18446744073709551615 1 1 0 0 0 0 0 4096 134234626 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n";
const CMDLINE: &[u8] =
    b"node\0/home/u/.npm/_npx/15b07286cbcc3329/node_modules/.bin/mcp-server-memory\0--flag\0";

/// Real command lines, servers and others.
fn lines() -> Vec<Argv> {
    let line = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        serde_json::from_value(line["argv"].clone()).unwrap()
    };
    include_str!("../tests/corpus/command-lines.jsonl").lines().map(line).collect()
}

fn row(pid: u32, parent: u32, argv: Argv) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(pid), StartTime(u64::from(pid)));
    record.parent = Pid(parent);
    record.uid = Some(Uid(1000));
    record.started_at = 1_700_000_000.0;
    record.comm = RawText::from(argv.first().unwrap_or_default());
    record.argv = Some(argv);
    record
}

/// A machine with this many processes, of which this many are orphaned `npx` trees of three.
fn table(processes: u32, instances: u32) -> Snapshot {
    let mut rows = vec![row(1, 0, Argv::from(["/sbin/init"])), row(2, 1, Argv::from(["bash"]))];
    for root in (0..instances).map(|i| 10 + 3 * i) {
        rows.push(row(root, 1, Argv::from(["npm exec @modelcontextprotocol/server-memory"])));
        rows.push(row(root + 1, root, Argv::from(["sh", "-c", "mcp-server-memory"])));
        rows.push(row(root + 2, root + 1, Argv::from_terminated(CMDLINE)));
    }
    for record in rows.iter_mut().skip(2) {
        let wire = Stdio {
            stdin_peers: Some(vec![]),
            stdout_peers: Some(vec![]),
            ..Stdio::of_kind(StdioKind::Pipe)
        };
        record.details.stdio = Some(wire);
        record.details.listening = Some(vec![]);
        record.details.connected = Some(0);
        record.details.env = Some([].into());
    }
    let left = processes.saturating_sub(u32::try_from(rows.len()).unwrap());
    rows.extend((0..left).map(|i| row(100_000 + i, 2, Argv::from(["sleep", "100000"]))));
    Snapshot {
        schema: SCHEMA,
        os: "linux".to_owned(),
        taken_at: "2026-03-01T10:00:00Z".parse().unwrap(),
        viewer: Viewer { pid: Pid(2), uid: Uid(1000) },
        systemd: false,
        unreadable: Vec::new(),
        processes: rows,
    }
}

fn parsers(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse");
    group.bench_function("stat", |b| b.iter(|| procfs::stat(black_box(STAT))));
    group.bench_function("cmdline", |b| b.iter(|| procfs::argv(black_box(CMDLINE))));
    group.finish();
}

fn knowledge(c: &mut Criterion) {
    let mut group = c.benchmark_group("catalog");
    group.bench_function("start", |b| b.iter(Catalog::builtin));
    let (catalog, lines) = (Catalog::builtin(), lines());
    let rows: Vec<ProcessRecord> = lines.iter().map(|line| row(7, 1, line.clone())).collect();
    group.throughput(Throughput::Elements(rows.len() as u64));
    group.bench_function("identify each of the corpus", |b| {
        b.iter(|| rows.iter().filter(|row| catalog.identify(row).is_some()).count());
    });
    group.bench_function("resolve each of the corpus", |b| {
        let name = RawText::from("node");
        b.iter(|| lines.iter().filter(|line| program::resolve(Some(line), None, &name).opaque).count());
    });
    group.bench_function("redact each of the corpus", |b| {
        b.iter(|| lines.iter().map(|line| redact::argv(line).len()).sum::<usize>());
    });
    group.finish();
}

fn judgement(c: &mut Criterion) {
    let mut group = c.benchmark_group("judge");
    let (catalog, policy) = (Catalog::builtin(), Policy::default());
    for (processes, instances) in [(400, 10), (5_000, 0), (5_000, 100), (20_000, 0), (20_000, 100)] {
        let snapshot = table(processes, instances);
        let judgement = classify::judge(&Look::new(&snapshot, &catalog), &policy);
        assert_eq!(judgement.findings.len(), instances as usize, "the machine is as it should be");
        group.throughput(Throughput::Elements(u64::from(processes)));
        group.bench_function(format!("{processes} processes, {instances} instances"), |b| {
            b.iter(|| {
                // As a run does it: what is worth a closer look, then the verdicts.
                let mut scout = Scout::new(&catalog);
                let wanted = scout.interest(&snapshot);
                let look = scout.into_look(&snapshot);
                (wanted, Plan::of_unused(&classify::judge(&look, &policy), &look, &policy))
            });
        });
    }
    group.finish();
}

/// A hundred processes of ours, each on pipes that this process holds.
struct Cats(Vec<Child>);

impl Cats {
    fn start() -> Cats {
        let cat = || Command::new("cat").stdin(Fds::piped()).stdout(Fds::piped()).spawn().unwrap();
        Cats((0..100).map(|_| cat()).collect())
    }

    fn pids(&self) -> Vec<Pid> {
        self.0.iter().map(|cat| Pid(cat.id())).collect()
    }
}

impl Drop for Cats {
    fn drop(&mut self) {
        for mut cat in self.0.drain(..) {
            drop(cat.stdin.take());
            let _ = cat.wait();
        }
    }
}

fn machine(c: &mut Criterion) {
    let cats = Cats::start();
    let mut group = c.benchmark_group("look at this machine");
    group
        .bench_function("and nobody closely", |b| b.iter(|| sys::snapshot(|_| Interest::default()).unwrap()));
    // What decided against it for the table on Linux: the same answers, as cheap as it can give them.
    group.bench_function("and with sysinfo", |b| {
        let what = ProcessRefreshKind::nothing()
            .with_cmd(UpdateKind::Always)
            .with_memory()
            .with_user(UpdateKind::Always)
            .without_tasks();
        b.iter(|| {
            let mut system = System::new().unwrap();
            system.refresh_processes_specifics(ProcessesToUpdate::All, true, what)
        });
    });
    let closely = || {
        let mut wanted = Some(Interest { surely: cats.pids(), ..Interest::default() });
        move |_: &Snapshot| wanted.take().unwrap_or_default()
    };
    group.bench_function("and a hundred on pipes closely", |b| {
        b.iter_batched(closely, |wanted| sys::snapshot(wanted).unwrap(), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group! {
    name = parts;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1));
    targets = parsers, knowledge, judgement, machine
}
criterion_main!(parts);
