//! For Nagios, Icinga, Checkmk and all that take their plugins: a line, performance data after
//! `|`, then details (<https://nagios-plugins.org/doc/guidelines.html>).

use super::sentence;
use crate::health::Health;
use crate::render::Scene;
use crate::render::clean::clean;

/// The states of a plugin; the number is its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginState {
    /// Nothing is wrong.
    Ok = 0,
    /// Memory is wasted, or a limit broken.
    Warning = 1,
    /// A server that should run does not.
    Critical = 2,
    /// The state could not be found out.
    Unknown = 3,
}

impl PluginState {
    /// The state for these findings.
    pub fn of(health: &Health) -> PluginState {
        match health {
            health if health.is_critical() => PluginState::Critical,
            health if health.is_fine() => PluginState::Ok,
            _ => PluginState::Warning,
        }
    }

    /// As the convention writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            PluginState::Ok => "OK",
            PluginState::Warning => "WARNING",
            PluginState::Critical => "CRITICAL",
            PluginState::Unknown => "UNKNOWN",
        }
    }
}

/// The plugin's output. `max_orphans` is the warning threshold in the performance data.
pub fn text(scene: &Scene<'_>, health: &Health, max_orphans: usize) -> String {
    let findings = &scene.judgement.findings;
    let rss = findings.iter().fold(0u64, |sum, finding| sum.saturating_add(finding.rss));
    let head = match health.problems.as_slice() {
        [] => super::headline(scene, health),
        [one] => sentence(one),
        [first, rest @ ..] => format!("{} and {} more", sentence(first), rest.len()),
    };
    // 'label'=value[unit];[warn];[crit];[min];[max]
    let data = [
        format!("instances={};;;0", findings.len()),
        format!("orphans={};{max_orphans};;0", health.orphans),
        format!("orphans_rss={}B;;;0", health.orphans_rss),
        format!("over_limits={};0;;0", health.over_limits),
        format!("orphaned_clients={};0;;0", health.orphaned_clients),
        format!("undetermined={};;;0", health.undetermined),
        format!("zombies={};;;0", scene.judgement.related_zombies().count()),
        format!("rss={rss}B;;;0"),
    ];
    let mut text =
        format!("MCP {} - {} | {}", PluginState::of(health).as_str(), plain(&head), data.join(" "));
    if health.problems.len() > 1 {
        for problem in &health.problems {
            text.push('\n');
            text.push_str(&plain(&sentence(problem)));
        }
    }
    text
}

/// The output when nothing could be judged: the reason.
pub fn unknown(why: &str) -> String {
    format!("MCP {} - {}", PluginState::Unknown.as_str(), plain(&clean(why)))
}

/// The text without `|`, which would begin the performance data.
fn plain(text: &str) -> String {
    text.replace('|', "/")
}
