//! Copies of one server under one owner, and the generations in which they were started. The limit on copies and the
//! hint of `list` and `check` count by this one rule.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::finding::{Copies, Finding};
use super::owner::Owner;
use super::verdict::Verdict;
use crate::look::Look;
use crate::policy::{CountPer, Policy};
use crate::process::{Pid, ProcessRecord};
use crate::program::{Kind, Program, is_tool_dir};

/// Copies that started within this many seconds are one generation and are kept or ended together. A client starts all its
/// servers within seconds, and may have three entries with the same command and different environments.
const GENERATION: f64 = 10.0;

/// How many copies of each server the hint proposes to keep: the one in use, and one that may be.
const PROPOSED: u32 = 2;

/// The hint appears from this many generations on. Fewer are usual with a few conversations.
const MANY_GENERATIONS: usize = 4;

/// Copies of one another, in the order in which they are kept.
pub(super) struct Group {
    pub(super) server: String,
    /// Indices into the list of findings, the newest first.
    pub(super) members: Vec<usize>,
    /// The start of each, in seconds since the epoch.
    starts: Vec<f64>,
    /// How many entries of the person's configurations start this command.
    entries: u64,
}

/// Two instances with the same key are copies of one another: the same server with the same arguments under the same
/// owner. Two filesystem servers of two folders are two servers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    server: String,
    command: Vec<String>,
    /// The working directory of a detached instance, which is started by hand, and of one whose program is found by its
    /// folder. In two folders these are two servers.
    folder: Option<String>,
    owner: Option<Pid>,
    user: Option<u32>,
}

/// `allowed`, `managed` and `undetermined` instances never break a limit, nor does one with a connected client;
/// `orphaned` and `disconnected` ones go anyway.
pub(super) fn may_break(finding: &Finding<'_>) -> bool {
    let limited = matches!(finding.verdict, Verdict::InUse | Verdict::Detached);
    limited && !finding.connected && !finding.unread_helper
}

/// Groups the instances that may break a limit. `per` returns whose copies of a server are counted together, or `None` for a
/// server that is not counted.
pub(super) fn groups(
    findings: &[Finding<'_>],
    look: &Look<'_>,
    per: impl Fn(&str) -> Option<CountPer>,
) -> Vec<Group> {
    let mut copies: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (index, finding) in findings.iter().enumerate().filter(|(_, finding)| may_break(finding)) {
        if let Some(key) = per(&finding.instance.server).and_then(|per| key(finding, look, per)) {
            copies.entry(key).or_default().push(index);
        }
    }
    let root = |index: &usize| findings[*index].instance.root;
    let group = |(key, mut members): (Key, Vec<usize>)| {
        members.sort_by_key(|index| Reverse((root(index).id.start, root(index).pid())));
        let starts = members.iter().map(|index| root(index).started_at).collect();
        let entries_for = |record| look.catalog.entries_for(record, &look.resolution(record)).max(1);
        let entries = members.first().map_or(1, |newest| entries_for(root(newest))) as u64;
        Group { server: key.server, members, starts, entries }
    };
    copies.into_iter().map(group).collect()
}

impl Group {
    /// How many copies the limit allows: `max_count` for each configuration entry that starts them.
    pub(super) fn allowed(&self, max_count: u32) -> u64 {
        u64::from(max_count).saturating_mul(self.entries)
    }

    /// How many copies, the newest first, are kept: those that are allowed, and the rest of their last generation.
    pub(super) fn kept(&self, max_count: u32) -> usize {
        let allowed = usize::try_from(self.allowed(max_count)).unwrap_or(usize::MAX);
        if allowed == 0 {
            return 0;
        }
        let begins = generations(&self.starts);
        begins.into_iter().find(|begin| *begin >= allowed).unwrap_or(self.starts.len())
    }
}

/// The indices at which generations begin, among copies with these starts, the newest first.
fn generations(starts: &[f64]) -> Vec<usize> {
    let mut begins: Vec<usize> = Vec::new();
    for (at, start) in starts.iter().enumerate() {
        if begins.last().is_none_or(|newest| starts[*newest] - start > GENERATION) {
            begins.push(at);
        }
    }
    begins
}

/// The servers with enough copies that the person may want a limit, the most memory first.
pub(super) fn unlimited(findings: &[Finding<'_>], look: &Look<'_>, policy: &Policy) -> Vec<Copies> {
    let per = |server: &str| {
        let limits = policy.limits.for_server(server, &policy.servers);
        limits.max_count.is_none().then(|| limits.count_per.unwrap_or_default())
    };
    let hint = |group: Group| {
        let generations = generations(&group.starts).len();
        let excess = group.members.get(group.kept(PROPOSED)..).unwrap_or_default();
        let newest = findings.get(*group.members.first()?)?;
        (generations >= MANY_GENERATIONS && !excess.is_empty()).then(|| Copies {
            server: group.server,
            client: newest.client.clone(),
            roots: group.members.iter().map(|index| findings[*index].instance.root.pid()).collect(),
            generations,
            max_count: PROPOSED,
            would_end: excess.len(),
            would_free: excess.iter().fold(0, |sum, index| sum.saturating_add(findings[*index].rss)),
        })
    };
    let mut hints: Vec<Copies> = groups(findings, look, per).into_iter().filter_map(hint).collect();
    hints.sort_by_key(|copies| Reverse(copies.would_free));
    hints
}

/// The key under which an instance is counted; `None` where its owner, or the folder of its program, is not known.
fn key(finding: &Finding<'_>, look: &Look<'_>, per: CountPer) -> Option<Key> {
    let root = finding.instance.root;
    let owner = match (per, &finding.client, &finding.owner) {
        (CountPer::User, ..) => None,
        (CountPer::Client, Some(client), _) => Some(client.pid),
        (CountPer::Client, None, Owner::Alive { pid, .. }) => Some(*pid),
        // Instances without an owner count together, so that five that were started by hand leave the newest.
        (CountPer::Client, None, Owner::Gone { .. }) => None,
        (CountPer::Client, None, Owner::Unknown { .. }) => return None,
    };
    let runs = look.resolution(root);
    let cwd = root.details.cwd.as_ref().map(ToString::to_string);
    let folder = if runs.program.as_ref().is_some_and(is_found_by_folder) {
        Some(cwd?)
    } else {
        (finding.verdict == Verdict::Detached).then(|| cwd.unwrap_or_default())
    };
    let (server, user) = (finding.instance.server.clone(), root.uid.map(|uid| uid.0));
    Some(Key { server, command: command(root, runs.program.as_ref()), folder, owner, user })
}

/// Does the command mean another program in every folder, as a relative path or a task of a project does?
fn is_found_by_folder(program: &Program) -> bool {
    match program.kind {
        Kind::Task => true,
        Kind::Script => !program.text.starts_with('/'),
        Kind::Binary => program.text.contains('/') && !program.text.starts_with('/'),
        Kind::Package => program.text.starts_with('.'),
        Kind::Module | Kind::Image | Kind::Inline => false,
    }
}

/// The program of the root with its arguments, without the layers before it; or the root's whole command line. A script of
/// a project is named by its whole path, because two projects may have a `server.py`. An installed program is named by its
/// name, which is the same in a launcher and in the process it starts.
fn command(root: &ProcessRecord, program: Option<&Program>) -> Vec<String> {
    let Some(program) = program else { return vec![root.command()] };
    let installed = program.text.contains("node_modules/") || is_tool_dir(&program.text);
    let own = program.kind == Kind::Script && !installed;
    let name = if own { &program.text } else { program.names.first().unwrap_or(&program.text) };
    std::iter::once(name).chain(&program.args).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_stands_or_falls_together() {
        let hour = 3600.0;
        for (starts, bound, stay) in [
            (&[hour, hour - 1.0, hour - 2.0][..], 2, 3),
            (&[hour, hour - 1.0, hour - 2.0], 0, 0),
            (&[hour, 2.0, 1.0, 0.0], 1, 1),
            (&[hour, 2.0, 1.0, 0.0], 2, 4),
            (&[3.0 * hour, 2.0 * hour, hour], 1, 1),
            (&[3.0 * hour, 2.0 * hour, hour], 2, 2),
            (&[3.0 * hour, 2.0 * hour, hour], 9, 3),
            // Each within ten seconds of the one before, but not of the newest: no endless generation.
            (&[20.0, 12.0, 4.0], 1, 2),
        ] {
            let members = (0..starts.len()).collect();
            let group = Group { server: "x".to_owned(), members, starts: starts.to_vec(), entries: 1 };
            assert_eq!(group.kept(bound), stay, "{starts:?} with {bound}");
        }
    }

    #[test]
    fn three_entries_with_one_command_keep_three_times_as_many() {
        let starts = vec![900.0, 800.0, 700.0, 600.0, 500.0];
        let group = Group { server: "x".to_owned(), members: vec![0, 1, 2, 3, 4], starts, entries: 3 };
        assert_eq!((group.allowed(1), group.kept(1), group.kept(2)), (3, 3, 5));
    }
}
