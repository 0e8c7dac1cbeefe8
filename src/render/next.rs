//! Next steps: what a person can do about the instances that are left after a run.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::Scene;
use super::clean::clean;
use super::figures::{count, it_or_them};
use super::wrap::shell_word;
use crate::classify::Verdict;
use crate::plan::{Choice, Why, Withheld};
use crate::policy::Policy;
use crate::process::Pid;
use crate::units::show_duration;

/// The source of the table that is shown. A further command needs it to show the same processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TableSource {
    /// This machine, now.
    Machine,
    /// A recorded table in a file. The text is the option that names it: `--snapshot table.json`. Nothing in it can be
    /// ended.
    File(String),
    /// A recorded table that came through a pipe and cannot be read again.
    Pipe,
}

impl TableSource {
    /// The source for the value of `--snapshot`.
    pub(crate) fn of(snapshot: Option<&Path>) -> TableSource {
        let Some(path) = snapshot else { return TableSource::Machine };
        // Paths like `/dev/stdin` and that of `<(record)` are valid only in this process.
        let own = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
        match path.to_str().filter(|text| !own && path.is_file() && !text.contains(char::is_control)) {
            Some(text) if text.starts_with('-') => {
                TableSource::File(format!("--snapshot={}", shell_word(text)))
            }
            Some(text) => TableSource::File(format!("--snapshot {}", shell_word(text))),
            None => TableSource::Pipe,
        }
    }

    /// A call of this program about this table, between backticks; `None` if none is possible.
    pub(crate) fn call(&self, words: &str) -> Option<String> {
        match self {
            TableSource::Machine => Some(format!("`mcp-reap {words}`")),
            TableSource::File(option) => Some(format!("`mcp-reap {words} {option}`")),
            TableSource::Pipe => None,
        }
    }

    /// A call and what it shows, as a further part of a sentence: "; `mcp-reap list` shows the instances".
    pub(crate) fn and_call(&self, words: &str, shows: &str) -> String {
        self.call(words).map(|call| format!("; {call} {shows}")).unwrap_or_default()
    }

    fn is_machine(&self) -> bool {
        *self == TableSource::Machine
    }
}

/// One line for each kind of instance that is left: what it means and what to do.
pub(crate) fn steps(scene: &Scene<'_>, policy: &Policy, source: &TableSource) -> Vec<String> {
    let mut lines: Vec<String> = young(scene, policy, source).into_iter().collect();
    let mut by_reason: BTreeMap<&str, Vec<&Withheld>> = BTreeMap::new();
    for one in scene.plan.withheld.iter().filter(|one| !matches!(one.why, Why::TooYoung | Why::Left)) {
        by_reason.entry(one.why.as_str()).or_default().push(one);
    }
    lines.extend(by_reason.values().map(|some| left_alone(some, source)));
    if scene.plan.choice != Choice::Unused {
        return lines;
    }
    let left = |verdict| {
        let mut findings = scene.left_by(verdict).peekable();
        let first = findings.peek()?.instance.root.pid();
        Some((first, findings.count()))
    };
    if let Some((pid, n)) = left(Verdict::Detached) {
        let explain = source.call(&format!("explain {pid}")).map(|call| format!("{call}, or "));
        let explain = explain.unwrap_or_default();
        let it = it_or_them(n);
        let end = if source.is_machine() { format!("end {it}") } else { format!("have {it} in the plan") };
        lines.push(format!("{n} detached: {explain}--detached to {end}"));
    }
    if let Some((pid, n)) = left(Verdict::Undetermined) {
        let (it, stay) = (it_or_them(n), if n == 1 { "it stays" } else { "they stay" });
        lines.push(format!(
            "{n} undetermined: whether anybody uses {it} is not known, so {stay}{}",
            source.and_call(&format!("explain {pid}"), "says why")
        ));
    }
    lines
}

/// `2 orphaned, younger than 1m: run again in 40s or with --min-age 0s`
fn young(scene: &Scene<'_>, policy: &Policy, source: &TableSource) -> Option<String> {
    let young: Vec<&Withheld> = scene.plan.withheld.iter().filter(|one| one.why == Why::TooYoung).collect();
    let first = young.first()?;
    let same = young.iter().all(|one| one.verdict == first.verdict);
    let word = if same { first.verdict.as_str() } else { "withheld" };
    let age = |one: &&Withheld| {
        let finding = scene.judgement.findings.iter().find(|finding| finding.instance.root.id == one.root)?;
        Some(finding.age)
    };
    let youngest = young.iter().filter_map(age).fold(f64::INFINITY, f64::min);
    let wait = (policy.min_age.as_secs_f64() - youngest).clamp(1.0, 1e9).ceil();
    // The processes of a recorded table get no older.
    let later = match source {
        TableSource::Machine => format!("in {} or ", show_duration(Duration::from_secs(wait as u64))),
        TableSource::File(_) | TableSource::Pipe => String::new(),
    };
    Some(format!(
        "{} {word}, younger than {}: run again {later}with --min-age 0s",
        young.len(),
        show_duration(policy.min_age),
    ))
}

/// The most names that are shown of one kind.
const NAMES: usize = 3;

/// `notes (77), maps (78) and 2 more left alone, in use: --in-use ends it all the same`. All are withheld for one reason.
fn left_alone(some: &[&Withheld], source: &TableSource) -> String {
    let (first, why) = (some[0].root.pid, some[0].why);
    let named = |one: &&Withheld| format!("{} ({})", clean(&one.server), one.root.pid);
    let names: Vec<String> = some.iter().take(NAMES).map(named).collect();
    let more = match some.len().saturating_sub(NAMES) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let way_out = way_out(why, first, source).map(|way_out| format!(": {way_out}")).unwrap_or_default();
    format!("{}{more} left alone, {}{way_out}", names.join(", "), why.as_str())
}

/// What a person can do about a withheld instance with this root; `None` if that is only to wait. For a recorded table,
/// whose processes cannot be ended, it names only what would change the judgement.
fn way_out(why: Why, root: Pid, source: &TableSource) -> Option<String> {
    let here = |text: &str| source.is_machine().then(|| text.to_owned());
    let explain = |shows: &str| source.call(&format!("explain {root}")).map(|call| format!("{call} {shows}"));
    let in_use = || match source {
        TableSource::Machine => "--in-use ends it all the same".to_owned(),
        TableSource::File(_) | TableSource::Pipe => "--in-use has it in the plan".to_owned(),
    };
    match why {
        Why::Ourselves => here("run mcp-reap from another terminal"),
        Why::OtherUser => here("run mcp-reap as that user, or as root with --all-users"),
        Why::TooYoung => Some("--min-age 0s takes young ones too".to_owned()),
        Why::OtherNamespace => here("run mcp-reap inside that container"),
        Why::Traced => here("detach the debugger first"),
        Why::Left => here("nothing is left to do"),
        Why::Allowed => Some("take the rule out of the allowlist first".to_owned()),
        Why::Managed => here("stop its unit with the service manager"),
        Why::InUse => Some(in_use()),
        Why::MayBeInUse => Some(explain("says why; ").unwrap_or_default() + &in_use()),
        Why::Changed => here("run again"),
        Why::OtherRun => here("--wait waits for it"),
        Why::System | Why::Client | Why::ToolJob | Why::Person | Why::Awaited => explain("says more"),
    }
}

/// The next step after a run in which processes survived their signals.
pub(crate) fn after_failures(failed: usize) -> String {
    let them = it_or_them(failed);
    format!(
        "{} still there: `mcp-reap list` shows {them}, `mcp-reap log` what became of each",
        count(failed, "process")
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_call_about_a_recorded_table_names_its_file_as_a_shell_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let call = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "{}").unwrap();
            TableSource::of(Some(&path)).call("explain 7").unwrap()
        };
        let at = folder.path().display();
        assert_eq!(call("t.json"), format!("`mcp-reap explain 7 --snapshot {at}/t.json`"));
        assert_eq!(
            call("it's my table"),
            format!(r"`mcp-reap explain 7 --snapshot '{at}/it'\''s my table'`")
        );
        assert_eq!(TableSource::of(None).call("list").unwrap(), "`mcp-reap list`");
        for path in ["/dev/stdin", "/dev/fd/63", "/proc/self/fd/0", "/no/such/table.json"] {
            let source = TableSource::of(Some(Path::new(path)));
            assert_eq!(
                (source.call("list"), source.and_call("list", "shows it")),
                (None, String::new()),
                "{path}"
            );
        }
    }

    #[test]
    fn about_a_recorded_table_no_hint_is_given_that_needs_the_machine() {
        let file = TableSource::File("--snapshot t.json".to_owned());
        for (why, here, recorded, pipe) in [
            (
                Why::System,
                Some("`mcp-reap explain 7` says more"),
                Some("`mcp-reap explain 7 --snapshot t.json` says more"),
                None,
            ),
            (
                Why::InUse,
                Some("--in-use ends it all the same"),
                Some("--in-use has it in the plan"),
                Some("--in-use has it in the plan"),
            ),
            (
                Why::MayBeInUse,
                Some("`mcp-reap explain 7` says why; --in-use ends it all the same"),
                Some("`mcp-reap explain 7 --snapshot t.json` says why; --in-use has it in the plan"),
                Some("--in-use has it in the plan"),
            ),
            (Why::OtherRun, Some("--wait waits for it"), None, None),
            (Why::Managed, Some("stop its unit with the service manager"), None, None),
            (Why::Ourselves, Some("run mcp-reap from another terminal"), None, None),
            (Why::OtherNamespace, Some("run mcp-reap inside that container"), None, None),
        ] {
            let said =
                [&TableSource::Machine, &file, &TableSource::Pipe].map(|source| way_out(why, Pid(7), source));
            assert_eq!(said.each_ref().map(Option::as_deref), [here, recorded, pipe]);
        }
    }
}
