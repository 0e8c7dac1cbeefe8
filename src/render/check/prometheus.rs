//! For Prometheus: the text format as node_exporter's textfile collector reads it
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

use crate::health::{Health, Problem};
use crate::history::Run;
use crate::render::Scene;
use crate::render::clean::clean;

/// All metrics. `last` is the last run that ended, where one is recorded.
pub fn text(scene: &Scene<'_>, health: &Health, last: Option<&Run>) -> String {
    let mut out = Metrics::default();
    let version = ("version", env!("CARGO_PKG_VERSION").to_owned());
    out.gauge("build_info", "Version of mcp-reap.").add(&[version], 1);
    out.set_gauge("healthy", "Whether nothing is wrong (1) or something is (0).", u8::from(health.is_fine()));
    instances(&mut out, scene);
    out.set_gauge("orphans", "Instances that nobody uses and a run would end.", health.orphans);
    out.set_gauge("orphans_rss_bytes", "Resident memory of orphans.", health.orphans_rss);
    out.set_gauge("over_limits", "Instances that break a limit and a run would end.", health.over_limits);
    out.set_gauge("orphaned_clients", "Clients that nobody can talk to any more.", health.orphaned_clients);
    let zombies = "Dead processes of clients and servers that their parents have not collected.";
    out.set_gauge("zombies", zombies, scene.judgement.related_zombies().count());
    out.set_gauge("processes_seen", "Rows of the process table.", scene.judgement.processes_seen);
    problems(&mut out, health);
    if let Some(run) = last {
        let (at, took) = (run.at.timestamp_millis() as f64 / 1e3, run.duration_ms as f64 / 1e3);
        out.set_gauge("last_run_timestamp_seconds", "When the last run began.", at);
        out.set_gauge("last_run_duration_seconds", "How long the last run took.", took);
        let instances = "Instances that the last run ended in full.";
        out.set_gauge("last_run_instances_ended", instances, run.instances_ended);
        out.set_gauge("last_run_processes_ended", "Processes that the last run ended.", run.processes_ended);
        let reclaimed = "Resident memory that the processes ended by the last run had.";
        out.set_gauge("last_run_reclaimed_bytes", reclaimed, run.rss_reclaimed);
        let failed = "Processes that survived the last run or were denied to it.";
        out.set_gauge("last_run_failed", failed, run.failed);
    }
    out.0
}

/// The labels of a series: names and values.
type Labels = Vec<(&'static str, String)>;

/// The instances by server, client and verdict. Copies with the same three are one series, because no series may occur
/// twice. Clients are named without their pids, so that series do not change with each session.
fn instances(out: &mut Metrics, scene: &Scene<'_>) {
    let others = scene.has_other_users();
    let mut series: BTreeMap<Labels, (u64, u64, u64)> = BTreeMap::new();
    for finding in &scene.judgement.findings {
        let client = finding.client.as_ref().map_or("", |client| client.name.as_str());
        let (server, verdict) = (clean(&finding.instance.server), finding.verdict.as_str().to_owned());
        let mut labels = vec![("server", server), ("client", clean(client)), ("verdict", verdict)];
        // The user is a label only if there are several.
        if others {
            let uid = finding.instance.root.uid.map(|uid| uid.0.to_string());
            labels.push(("uid", uid.unwrap_or_default()));
        }
        let sum = series.entry(labels).or_default();
        sum.0 += 1;
        sum.1 += finding.rss;
        sum.2 = sum.2.max(finding.age as u64);
    }
    let mut of = |name, help, value: fn(&(u64, u64, u64)) -> u64| {
        let mut family = out.gauge(name, help);
        series.iter().for_each(|(labels, sum)| family.add(labels, value(sum)));
    };
    of("instances", "Running instances of MCP servers.", |sum| sum.0);
    of("instances_rss_bytes", "Resident memory of instances with all their processes.", |sum| sum.1);
    of("instances_oldest_seconds", "Age of the oldest instance.", |sum| sum.2);
}

/// The problems by kind. All kinds are listed, so that an alert can tell zero from absent.
fn problems(out: &mut Metrics, health: &Health) {
    let mut family = out.gauge("findings", "What is wrong, by kind.");
    let mut add = |kind: &str, is: fn(&&Problem) -> bool| {
        family.add(&[("kind", kind.to_owned())], health.problems.iter().filter(is).count());
    };
    add("orphan", |problem| matches!(problem, Problem::Orphan { .. }));
    add("limit", |problem| matches!(problem, Problem::Limit { .. }));
    add("orphaned-client", |problem| matches!(problem, Problem::OrphanedClient { .. }));
    add("container", |problem| matches!(problem, Problem::Container { .. }));
    add("missing", |problem| matches!(problem, Problem::Missing { .. }));
    add("too-many", |problem| matches!(problem, Problem::TooMany { .. }));
}

/// The text that is being written.
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

    /// A metric with one value.
    fn set_gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.gauge(name, help).add(&[], value);
    }
}

impl Family<'_> {
    fn add(&mut self, labels: &[(&str, String)], value: impl Display) {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.out, "{}{labels} {value}", self.name);
    }
}
