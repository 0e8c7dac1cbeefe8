//! The totals of all runs, by day and by server.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeZone};

use super::Run;
use crate::render::clean::{clean, fit};
use crate::render::grid::{Column, Grid, pad};
use crate::render::style::Screen;
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

/// Two tables, by day and by server; empty if nothing was ended.
pub(crate) fn totals<Z: TimeZone>(runs: &[Run], screen: Screen, zone: &Z) -> String {
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
    let days = days.into_iter().map(|(day, sum)| (day.to_string(), sum)).collect();
    format!("\n{}\n{}", table("DAY", days, screen), table("SERVER", servers, screen))
}

fn table(title: &'static str, rows: Vec<(String, Sum)>, screen: Screen) -> String {
    let right = ["INSTANCES", "PROCESSES", "RECLAIMED"].map(|title| Column { title, right: true });
    let columns = [[Column { title, right: false }].as_slice(), &right].concat();
    let row = |(name, sum): (String, Sum)| {
        // The grid pads all columns but the last.
        let reclaimed = pad(&show_size(sum.rss), "RECLAIMED".len(), true);
        vec![name, sum.instances.to_string(), sum.processes.to_string(), reclaimed]
    };
    let grid = Grid::new(columns, rows.into_iter().map(row).collect());
    grid.lines(0, Screen { width: None, ..screen }).join("\n") + "\n"
}
