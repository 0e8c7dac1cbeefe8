//! launchd: finds the processes that are jobs or below a job.

use std::collections::{BTreeMap, BTreeSet};

use super::query;
use crate::process::{Pid, Service, Snapshot, Uid};
use crate::tree::Tree;

/// A query that `launchctl` answers without root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// `launchctl list`: the jobs of the domain we run in.
    List,
    /// `launchctl print DOMAIN`: the jobs of `system`, `user/501` or `gui/501`.
    Print(String),
}

/// The answer of `launchctl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its output, if it succeeded.
    Output(String),
    /// There is no such domain, because nobody is logged in there. The exit code was one of [`NO_DOMAIN`].
    NoDomain,
    /// It failed, so the jobs are not known.
    Unknown,
}

/// Exit codes of `launchctl print` for a missing domain: "Could not find domain for" (112, xpc: ENODOMAIN) and "Domain
/// does not support specified action" (125).
pub const NO_DOMAIN: [i32; 2] = [112, 125];

/// The prefix of launchd's labels for programs that a person opened. Such a program is a job, but the processes that it
/// starts are not managed.
const APPLICATION: &str = "application.";

/// Queries launchd: the bare output of `launchctl`.
pub type Query<'a> = &'a mut dyn FnMut(&Question) -> Answer;

/// Running jobs by process number.
type Jobs = BTreeMap<Pid, String>;

/// Fills in the jobs of `pids`. A process below a job belongs to that job. A child of launchd itself is either a job or
/// adopted: its unique numbers show which ([`crate::process::Details::adopted`]), and launchd's lists have the names of
/// its jobs.
pub fn fill(snapshot: &mut Snapshot, pids: &[Pid], query: Query<'_>) {
    let lines = lines_up_to_launchd(snapshot, pids);
    if lines.is_empty() {
        return;
    }
    let listed = match query(&Question::List) {
        Answer::Output(output) => parse_list(&output),
        Answer::NoDomain | Answer::Unknown => None,
    };
    let mut complete = listed.is_some();
    let mut jobs = listed.unwrap_or_default();
    // A system daemon that runs as this user, or a desktop agent seen from an ssh login, is in another domain than
    // ours. These domains are queried only if a process may be in one.
    let in_doubt = |line: &Ancestry, jobs: &Jobs| line.may_be_job && !jobs.contains_key(&line.top());
    let doubtful: BTreeSet<Uid> =
        lines.iter().filter(|line| in_doubt(line, &jobs)).filter_map(|line| line.uid).collect();
    let unknown_user = lines.iter().any(|line| in_doubt(line, &jobs) && line.uid.is_none());
    if complete && (unknown_user || !doubtful.is_empty()) {
        complete &= !unknown_user;
        // Root sees the processes of all users, and each user has own domains.
        let domains = doubtful.iter().flat_map(|uid| [format!("user/{}", uid.0), format!("gui/{}", uid.0)]);
        for domain in std::iter::once("system".to_owned()).chain(domains) {
            match query(&Question::Print(domain)) {
                Answer::Output(output) => match parse_print(&output) {
                    Some(more) => jobs.extend(more),
                    None => complete = false,
                },
                Answer::NoDomain => {}
                Answer::Unknown => complete = false,
            }
        }
    }
    let mut services: BTreeMap<Pid, Option<Service>> =
        lines.iter().map(|line| (line.pids[0], line.service(&jobs, complete))).collect();
    for record in &mut snapshot.processes {
        if let Some(service) = services.remove(&record.pid()) {
            record.details.service = service;
        }
    }
}

/// A process and its ancestors, without launchd.
struct Ancestry {
    pids: Vec<Pid>,
    /// The process itself is launchd's child, and nothing proves that launchd only adopted it.
    may_be_job: bool,
    /// Its unique number shows that launchd forked it.
    is_launchds: bool,
    uid: Option<Uid>,
}

impl Ancestry {
    fn top(&self) -> Pid {
        self.pids[self.pids.len() - 1]
    }

    /// The job of the process, with its main process; [`Service::UNNAMED`] if its name is not known.
    fn service(&self, jobs: &Jobs, complete: bool) -> Option<Service> {
        let named = self.pids.iter().enumerate().find_map(|(steps, pid)| {
            let label = jobs.get(pid)?;
            if label.starts_with(APPLICATION) {
                // A job without a main process manages no process.
                (steps == 0).then(|| (label.clone(), Some(Pid(0))))
            } else {
                Some((label.clone(), Some(*pid)))
            }
        });
        // XPC services and app extensions are in domains of single processes and in no list. A list that could not be
        // read may contain any job.
        let unnamed = self.may_be_job && (self.is_launchds || !complete);
        let (name, main_pid) = named.or_else(|| unnamed.then(|| (Service::UNNAMED.to_owned(), None)))?;
        Some(Service { manager: "launchd".into(), name, main_pid, active: false })
    }
}

/// The ancestry of each of `pids` that descends from launchd.
fn lines_up_to_launchd(snapshot: &Snapshot, pids: &[Pid]) -> Vec<Ancestry> {
    let tree = Tree::new(snapshot);
    let line = |pid: &Pid| {
        let record = tree.get(*pid).filter(|record| record.pid() != Pid::INIT)?;
        let mut line = vec![record];
        line.extend(tree.ancestors(record).into_iter().take_while(|above| above.pid() != Pid::INIT));
        let top = line.last()?;
        let is_child = line.len() == 1;
        (top.parent == Pid::INIT).then(|| Ancestry {
            pids: line.iter().map(|record| record.pid()).collect(),
            may_be_job: is_child && record.details.adopted != Some(true),
            is_launchds: record.details.adopted == Some(false),
            uid: record.uid,
        })
    };
    pids.iter().filter_map(line).collect()
}

/// Parses `launchctl list`: one job a line, separated by tabs, with `-` for a job that does not run:
/// ```text
/// PID    Status    Label
/// -    0    com.apple.SafariHistoryServiceAgent
/// 312    0    com.example.notes
/// ```
fn parse_list(output: &str) -> Option<Jobs> {
    let mut lines = output.lines();
    if !lines.next()?.starts_with("PID") {
        return None;
    }
    Some(lines.filter_map(|line| job(line.splitn(3, '\t'))).collect())
}

/// Parses the services of `launchctl print DOMAIN`. Apple does not guarantee its form, so an output without this block
/// is no answer:
/// ```text
///     services = {
///                0      -     com.apple.lskdd
///              101      -     com.example.notes
///     }
/// ```
fn parse_print(output: &str) -> Option<Jobs> {
    let mut lines = output.lines().map(str::trim).skip_while(|line| *line != "services = {");
    lines.next()?;
    let mut jobs = Jobs::new();
    for line in lines {
        if line == "}" {
            return Some(jobs);
        }
        jobs.extend(job(line.split_whitespace()));
    }
    None
}

/// Number, status and label; `None` for a job that does not run.
fn job<'a>(mut fields: impl Iterator<Item = &'a str>) -> Option<(Pid, String)> {
    let pid: u32 = fields.next()?.trim().parse().ok().filter(|pid| *pid > 1)?;
    let label = fields.nth(1)?.trim();
    (!label.is_empty()).then(|| (Pid(pid), label.to_owned()))
}

/// Queries the real launchd.
pub(super) fn query(question: &Question) -> Answer {
    let args: &[&str] = match question {
        Question::List => &["list"],
        Question::Print(domain) => &["print", domain],
    };
    match query::run("launchctl", args, &[]) {
        Some(output) if output.is_success() => Answer::Output(output.stdout),
        Some(output) if output.code.is_some_and(|code| NO_DOMAIN.contains(&code)) => Answer::NoDomain,
        _ => Answer::Unknown,
    }
}

#[cfg(test)]
mod tests;
