//! For Prometheus: the text format as node_exporter's textfile collector reads it
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use crate::health::{Health, Problem};
use crate::history::Run;
use crate::render::Scene;
use crate::render::clean::clean;

/// All metrics. `last` is the last run that ended, where one is recorded.
#[must_use]
pub fn text(scene: &Scene<'_>, health: &Health, last: Option<&Run>) -> String {
    let mut out = Metrics::default();
    let build = [("version", env!("CARGO_PKG_VERSION"))];
    out.gauge("build_info", "Version of mcp-reap.").add(&build, 1);
    out.gauge("healthy", "Whether nothing is wrong (1) or something is (0).")
        .add(&[], u8::from(health.is_fine()));
    instances(&mut out, scene);
    out.gauge("orphans", "Instances that nobody uses and a run would end.").add(&[], health.orphans);
    out.gauge("orphans_rss_bytes", "Resident memory of orphans.").add(&[], health.orphans_rss);
    out.gauge("over_limits", "Instances that break a limit and a run would end.")
        .add(&[], health.over_limits);
    out.gauge("orphaned_clients", "Clients that nobody can talk to any more.")
        .add(&[], health.orphaned_clients);
    out.gauge("zombies", "Dead processes of clients and servers that their parents have not collected.")
        .add(&[], scene.judgement.related_zombies().count());
    out.gauge("processes_seen", "Rows of the process table.").add(&[], scene.judgement.processes_seen);
    problems(&mut out, health);
    if let Some(run) = last {
        let at = run.at.timestamp_millis() as f64 / 1e3;
        out.gauge("last_run_timestamp_seconds", "When the last run began.").add(&[], at);
        out.gauge("last_run_duration_seconds", "How long the last run took.")
            .add(&[], run.duration_ms as f64 / 1e3);
        out.gauge("last_run_instances_ended", "Instances that the last run ended in full.")
            .add(&[], run.instances_ended);
        out.gauge("last_run_processes_ended", "Processes that the last run ended.")
            .add(&[], run.processes_ended);
        out.gauge(
            "last_run_reclaimed_bytes",
            "Resident memory that the processes ended by the last run had.",
        )
        .add(&[], run.rss_reclaimed);
        out.gauge("last_run_failed", "Processes that survived the last run or were denied to it.")
            .add(&[], run.failed);
    }
    out.0
}

/// Copies of one server under one client with one verdict are one series, so none stands there
/// twice; clients by name and not by pid, so that series do not come and go with each session.
fn instances(out: &mut Metrics, scene: &Scene<'_>) {
    let others = scene.has_other_users();
    let mut series: BTreeMap<[String; 4], (u64, u64, u64)> = BTreeMap::new();
    for finding in &scene.judgement.findings {
        let client = finding.client.as_ref().map_or("", |client| client.name.as_str());
        let uid = finding.instance.root.uid.map(|uid| uid.0.to_string()).unwrap_or_default();
        let (server, verdict) = (clean(&finding.instance.server), finding.verdict.as_str().to_owned());
        let labels = [server, clean(client), verdict, if others { uid } else { String::new() }];
        let sum = series.entry(labels).or_default();
        sum.0 += 1;
        sum.1 += finding.rss;
        sum.2 = sum.2.max(finding.age as u64);
    }
    // The user is a label only where there are several.
    let labels = |[server, client, verdict, uid]: &[String; 4]| {
        let mut labels =
            vec![("server", server.clone()), ("client", client.clone()), ("verdict", verdict.clone())];
        labels.extend(others.then(|| ("uid", uid.clone())));
        labels
    };
    let mut of = |name, help, value: fn(&(u64, u64, u64)) -> u64| {
        let mut family = out.gauge(name, help);
        for (key, sum) in &series {
            let labels = labels(key);
            let labels: Vec<(&str, &str)> =
                labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            family.add(&labels, value(sum));
        }
    };
    of("instances", "Running instances of MCP servers.", |sum| sum.0);
    of("instances_rss_bytes", "Resident memory of instances with all their processes.", |sum| sum.1);
    of("instances_oldest_seconds", "Age of the oldest instance.", |sum| sum.2);
}

/// Always all kinds, so that zero and absent are different for an alert.
fn problems(out: &mut Metrics, health: &Health) {
    let kind = |problem: &Problem| match problem {
        Problem::Orphan { .. } => "orphan",
        Problem::Limit { .. } => "limit",
        Problem::OrphanedClient { .. } => "orphaned-client",
        Problem::Container { .. } => "container",
        Problem::Missing { .. } => "missing",
        Problem::TooMany { .. } => "too-many",
    };
    let mut family = out.gauge("findings", "What is wrong, by kind.");
    for name in ["orphan", "limit", "orphaned-client", "container", "missing", "too-many"] {
        family.add(&[("kind", name)], health.problems.iter().filter(|problem| kind(problem) == name).count());
    }
}

/// The text as it grows.
#[derive(Default)]
struct Metrics(String);

/// One metric and its series.
struct Family<'a> {
    out: &'a mut String,
    name: String,
}

impl Metrics {
    fn gauge(&mut self, name: &str, help: &str) -> Family<'_> {
        let name = format!("mcp_reap_{name}");
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
        Family { out: &mut self.0, name }
    }
}

impl Family<'_> {
    fn add(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.out, "{}{labels} {value}", self.name);
    }
}
