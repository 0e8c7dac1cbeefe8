//! launchd: which processes are jobs, and who is below one.

use std::collections::{BTreeMap, BTreeSet};

use super::query::output;
use crate::process::{Pid, Service, Snapshot};
use crate::tree::Tree;

/// What `launchctl` answers without being root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// `launchctl list`: the jobs of the domain we run in.
    List,
    /// `launchctl print DOMAIN`: the jobs of `system`, `user/501` or `gui/501`.
    Print(String),
}

/// Queries launchd: the bare output of `launchctl`.
pub(super) type Query<'a> = &'a mut dyn FnMut(&Question) -> Option<String>;

/// Running jobs by process number.
type Jobs = BTreeMap<Pid, String>;

/// Fills in the jobs of `pids`. What lives below a job belongs to it; what has launchd itself
/// above it is either a job or adopted, and that has to be known for certain.
pub(super) fn fill(snapshot: &mut Snapshot, pids: &[Pid], query: Query<'_>) {
    let lines = lines_up_to_launchd(snapshot, pids);
    if lines.is_empty() {
        return;
    }
    let listed = query(&Question::List).and_then(|output| parse_list(&output));
    let mut jobs = listed.clone().unwrap_or_default();
    // A daemon of the system's that runs as this user, or an agent of the desktop seen from an ssh
    // login, is in another domain than ours. Queried only where a process could be in one.
    let in_doubt = |line: &Vec<Pid>, jobs: &Jobs| line.len() == 1 && !jobs.contains_key(&line[0]);
    let mut complete = listed.is_some();
    if complete && lines.iter().any(|line| in_doubt(line, &jobs)) {
        let uid = snapshot.viewer.uid.0;
        for (domain, needed) in
            [("system".to_owned(), true), (format!("user/{uid}"), true), (format!("gui/{uid}"), false)]
        {
            match query(&Question::Print(domain)).and_then(|output| parse_print(&output)) {
                Some(more) => jobs.extend(more),
                // No one has to be logged in at the screen.
                None => complete &= !needed,
            }
        }
    }
    let mut services: BTreeMap<Pid, Service> = BTreeMap::new();
    for line in &lines {
        let job = line.iter().find_map(|pid| Some((*pid, jobs.get(pid)?.clone())));
        let (name, main_pid) = match job {
            Some((pid, label)) => (label, Some(pid)),
            None if !complete && line.len() == 1 => ("?".to_owned(), None),
            None => continue,
        };
        services.insert(line[0], Service { manager: "launchd".into(), name, main_pid, active: false });
    }
    let heads: BTreeSet<Pid> = lines.iter().map(|line| line[0]).collect();
    for record in snapshot.processes.iter_mut().filter(|record| heads.contains(&record.pid())) {
        record.details.service = services.remove(&record.pid());
    }
}

/// For each of `pids` that descends from launchd: itself and all above it, without launchd.
fn lines_up_to_launchd(snapshot: &Snapshot, pids: &[Pid]) -> Vec<Vec<Pid>> {
    let tree = Tree::new(snapshot);
    let line = |pid: &Pid| {
        let record = tree.get(*pid).filter(|record| record.pid() != Pid::INIT)?;
        let mut line = vec![record];
        line.extend(tree.ancestors(record).into_iter().take_while(|above| above.pid() != Pid::INIT));
        let top = line.last()?;
        (top.parent == Pid::INIT).then(|| line.iter().map(|record| record.pid()).collect())
    };
    pids.iter().filter_map(line).collect()
}

/// `launchctl list`, one job a line, tabs between, `-` for one that does not run:
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

/// The services of `launchctl print DOMAIN`. Its form is not promised to anyone, so an output
/// without that block is no answer:
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
pub(super) fn query(question: &Question) -> Option<String> {
    match question {
        Question::List => output("launchctl", &["list"], &[]),
        Question::Print(domain) => output("launchctl", &["print", domain], &[]),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::process::{ProcessRecord, SCHEMA, StartTime, Uid, Viewer};

    fn process(pid: u32, parent: u32) -> ProcessRecord {
        ProcessRecord { parent: Pid(parent), ..ProcessRecord::new(Pid(pid), StartTime(0)) }
    }

    /// launchd, an agent 20 with a child and a grandchild, an app 30 with a child, an adopted 40.
    fn table() -> Snapshot {
        Snapshot {
            schema: SCHEMA,
            os: "macos".into(),
            taken_at: chrono::DateTime::UNIX_EPOCH,
            viewer: Viewer { pid: Pid(9), uid: Uid(501) },
            systemd: false,
            unreadable: Vec::new(),
            processes: [(1, 0), (20, 1), (21, 20), (22, 21), (30, 1), (31, 30), (40, 1), (41, 40)]
                .map(|(pid, parent)| process(pid, parent))
                .to_vec(),
        }
    }

    const LIST: &str = "PID\tStatus\tLabel\n-\t0\tcom.apple.idle\n20\t0\torg.example.agent\n-\t-9\tx\n";
    const NONE: &str = "d = {\n\tservices = {\n\t}\n}\n";

    fn filled(answer: impl Fn(&Question) -> Option<&'static str>) -> (Vec<(u32, String)>, usize) {
        let mut snapshot = table();
        let mut queries = 0;
        fill(&mut snapshot, &[Pid(20), Pid(22), Pid(31), Pid(40), Pid(404), Pid(1)], &mut |question| {
            queries += 1;
            answer(question).map(str::to_owned)
        });
        let seen = snapshot.processes.iter().filter_map(|record| {
            let service = record.details.service.as_ref()?;
            Some((record.pid().0, format!("{} {:?}", service.name, service.main_pid)))
        });
        (seen.collect(), queries)
    }

    fn seen(pid: u32, text: &str) -> (u32, String) {
        (pid, text.to_owned())
    }

    #[test]
    fn a_job_and_what_is_below_it_belong_to_it_and_an_adopted_process_to_none() {
        let (services, queries) =
            filled(|question| Some(if *question == Question::List { LIST } else { NONE }));
        let agent = "org.example.agent Some(20)";
        assert_eq!(services, [seen(20, agent), seen(22, agent)]);
        assert_eq!(queries, 4, "list, system, user and gui");
    }

    #[test]
    fn a_daemon_of_another_domain_is_found_there() {
        let (services, _) = filled(|question| match question {
            Question::List => Some(LIST),
            Question::Print(domain) if domain == "system" => Some(
                "system = {\n\ttype = system\n\tservices = {\n\t\t 0 - com.idle\n\t\t 40 - \tcom.d\n\t}\n}\n",
            ),
            Question::Print(_) => Some(NONE),
        });
        assert!(services.contains(&seen(40, "com.d Some(40)")), "{services:?}");
    }

    #[test]
    fn what_gives_no_answer_leaves_everything_under_launchd_in_doubt() {
        let doubt = seen(40, "? None");
        assert_eq!(filled(|_| None), (vec![seen(20, "? None"), doubt.clone()], 1));
        for dead in ["system", "user/501"] {
            let (services, _) = filled(|question| match question {
                Question::List => Some(LIST),
                Question::Print(domain) if domain == dead => None,
                Question::Print(_) => Some(NONE),
            });
            assert!(services.contains(&doubt), "{dead}: {services:?}");
        }
    }

    #[test]
    fn no_one_has_to_be_logged_in_at_the_screen() {
        let (services, _) = filled(|question| match question {
            Question::List => Some(LIST),
            Question::Print(domain) if domain == "gui/501" => None,
            Question::Print(_) => Some(NONE),
        });
        assert!(services.iter().all(|(pid, _)| *pid != 40), "{services:?}");
    }

    #[test]
    fn other_domains_are_queried_only_where_a_process_could_be_in_one() {
        let mut snapshot = table();
        let mut queries = Vec::new();
        fill(&mut snapshot, &[Pid(22), Pid(31), Pid(20)], &mut |question| {
            queries.push(question.clone());
            Some(LIST.to_owned())
        });
        assert_eq!(queries, [Question::List]);
    }

    #[test]
    fn an_output_of_another_form_is_no_answer() {
        for noise in ["", "Could not find domain", "20\t0\tno.header", "services = {\n 5 - a\n"] {
            assert_eq!((parse_list(noise), parse_print(noise)), (None, None), "{noise}");
        }
        let jobs =
            parse_list("PID\tStatus\tLabel\n1\t0\tlaunchd\n7\t0\n8\t0\t\n9\t-15\ta b\nx\ty\tz\n").unwrap();
        assert_eq!(jobs, Jobs::from([(Pid(9), "a b".to_owned())]));
    }
}
