//! What all runs together brought, by day and by server.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{NaiveDate, TimeZone};
use unicode_width::UnicodeWidthStr;

use super::Run;
use crate::render::clean::{clean, fit};
use crate::render::style::{self, Screen};
use crate::units::show_size;

/// A sum.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    instances: u64,
    processes: u64,
    rss: u64,
}

impl Sum {
    fn add(&mut self, instances: u64, processes: u64, rss: u64) {
        self.instances += instances;
        self.processes += processes;
        self.rss = self.rss.saturating_add(rss);
    }
}

/// Two tables, by day and by server; nothing where nothing was ended.
#[must_use]
pub fn totals<Z: TimeZone>(runs: &[Run], screen: Screen, zone: &Z) -> String {
    let mut days: BTreeMap<NaiveDate, Sum> = BTreeMap::new();
    let mut servers: BTreeMap<String, Sum> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.processes_ended > 0) {
        let day = run.at.with_timezone(zone).date_naive();
        let (instances, processes) = (run.instances_ended.into(), run.processes_ended.into());
        days.entry(day).or_default().add(instances, processes, run.rss_reclaimed);
        for instance in &run.instances {
            let gone = instance.processes.iter().filter(|process| process.is_gone()).count();
            let whole = u64::from(gone == instance.processes.len());
            let name = fit(&clean(&instance.server), 40);
            servers.entry(name).or_default().add(whole, gone as u64, instance.rss_reclaimed);
        }
    }
    if days.is_empty() {
        return String::new();
    }
    let mut servers: Vec<(String, Sum)> = servers.into_iter().collect();
    servers.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.rss));
    let days = days.into_iter().map(|(day, sum)| (day.to_string(), sum)).collect::<Vec<_>>();
    format!("\n{}\n{}", table("DAY", &days, screen), table("SERVER", &servers, screen))
}

fn table(title: &str, rows: &[(String, Sum)], screen: Screen) -> String {
    let width = rows.iter().map(|(name, _)| name.width()).chain([title.width()]).max().unwrap_or(0);
    let mut out = String::new();
    let pad = |name: &str| format!("{name}{}", " ".repeat(width - name.width()));
    let titles = format!("{}  INSTANCES  PROCESSES  RECLAIMED", pad(title));
    let _ = writeln!(out, "{}", screen.paint(style::TITLE, &titles));
    for (name, sum) in rows {
        let Sum { instances, processes, rss } = sum;
        let _ = writeln!(out, "{}  {instances:>9}  {processes:>9}  {:>9}", pad(name), show_size(*rss));
    }
    out
}
