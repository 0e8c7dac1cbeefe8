//! Puts the past runs together from the lines of the audit log.

use std::collections::HashMap;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::AuditError;
use super::event::{AuditEvent, Record, RunId, Subject};
use super::read;
use crate::history::{PastInstance, PastProcess, PastWithheld, Run};

/// All runs that began at or after `since`, oldest first, and how many lines could not be read as events.
///
/// # Errors
/// When the log cannot be read.
pub fn runs(directory: &Path, since: Option<DateTime<Utc>>) -> Result<(Vec<Run>, usize), AuditError> {
    let mut history = History::default();
    let mut unreadable = 0;
    for line in read::lines(directory)? {
        match line? {
            read::Line::Record(record) => history.add(*record),
            read::Line::Unreadable(_) => unreadable += 1,
        }
    }
    let mut runs = history.finish();
    runs.retain(|run| since.is_none_or(|since| run.at >= since));
    Ok((runs, unreadable))
}

/// Puts runs together, line by line, in whatever state the log is.
#[derive(Debug, Default)]
struct History {
    /// In the order in which they began.
    runs: Vec<Run>,
    /// The index of each run in `runs`. A log of years has tens of thousands of runs, and an hourly check reads them.
    at: HashMap<RunId, usize>,
}

impl History {
    /// Adds the next line.
    fn add(&mut self, record: Record) {
        let index = *self.at.entry(record.run).or_insert_with_key(|run| {
            self.runs.push(Run { run: run.as_str().to_owned(), at: record.at, ..Run::default() });
            self.runs.len() - 1
        });
        note(&mut self.runs[index], record.event);
    }

    /// Returns the runs. If the last line of a run is missing, its totals are counted from the other lines.
    fn finish(mut self) -> Vec<Run> {
        for run in &mut self.runs {
            for instance in &mut run.instances {
                let failed = |p: &&PastProcess| matches!(p.outcome.as_deref(), Some("survived" | "denied"));
                let gone = || instance.processes.iter().filter(|p| p.is_gone());
                instance.rss_reclaimed = gone().fold(0, |sum, p| sum.saturating_add(p.rss));
                if !run.finished {
                    run.instances_ended += u32::from(gone().count() == instance.processes.len());
                    run.processes_ended += gone().count() as u32;
                    run.failed += instance.processes.iter().filter(failed).count() as u32;
                    run.rss_reclaimed = run.rss_reclaimed.saturating_add(instance.rss_reclaimed);
                }
            }
        }
        self.runs
    }
}

fn note(run: &mut Run, event: AuditEvent) {
    match event {
        AuditEvent::RunStarted { started_by, .. } => {
            run.started_by = Some(started_by.as_str().to_owned());
        }
        AuditEvent::Intent { subject, argv, rss, verdict, reason, .. } => {
            let instance = instance(run, &subject);
            if instance.verdict.is_empty() {
                (instance.verdict, instance.reason) = (verdict, reason);
            }
            let process = process(instance, &subject);
            // The intent of SIGKILL for a process that was started during the run may have no command line.
            if !argv.is_empty() {
                process.command = argv.join(" ");
            }
            process.rss = process.rss.max(rss);
        }
        AuditEvent::Exited { subject, after_ms } => outcome(run, &subject, "exited", Some(after_ms)),
        AuditEvent::Killed { subject, after_ms } => outcome(run, &subject, "killed", Some(after_ms)),
        AuditEvent::Survived { subject, after_ms } => outcome(run, &subject, "survived", Some(after_ms)),
        AuditEvent::Denied { subject, error } => {
            let instance = instance(run, &subject);
            if instance.reason.is_empty() {
                instance.reason = error;
            }
            outcome(run, &subject, "denied", None);
        }
        AuditEvent::Vanished { subject } => outcome(run, &subject, "vanished", None),
        // This is the event of a whole instance that got no signal.
        AuditEvent::Withheld { subject, verdict, reason, .. } if subject.role == "root" => {
            run.withheld.push(PastWithheld { server: subject.server, root: subject.root, verdict, reason });
        }
        AuditEvent::Withheld { subject, verdict, reason, .. } => {
            let instance = instance(run, &subject);
            if instance.verdict.is_empty() {
                (instance.verdict, instance.reason) = (verdict, reason);
            }
            outcome(run, &subject, "withheld", None);
        }
        AuditEvent::RunFinished {
            instances,
            processes,
            rss_reclaimed,
            duration_ms,
            failed,
            interrupted_by,
        } => {
            run.finished = true;
            (run.instances_ended, run.processes_ended) = (instances, processes);
            (run.rss_reclaimed, run.duration_ms, run.failed) = (rss_reclaimed, duration_ms, failed);
            run.interrupted_by = interrupted_by;
        }
        AuditEvent::Signalled { .. } | AuditEvent::Unknown => {}
    }
}

/// The instance that this process belonged to.
fn instance<'a>(run: &'a mut Run, subject: &Subject) -> &'a mut PastInstance {
    let same = |instance: &PastInstance| instance.root == subject.root && instance.server == subject.server;
    let index = run.instances.iter().position(same).unwrap_or_else(|| {
        run.instances.push(PastInstance {
            server: subject.server.clone(),
            root: subject.root,
            verdict: String::new(),
            reason: String::new(),
            rss_reclaimed: 0,
            processes: Vec::new(),
        });
        run.instances.len() - 1
    });
    &mut run.instances[index]
}

fn process<'a>(instance: &'a mut PastInstance, subject: &Subject) -> &'a mut PastProcess {
    let same = |process: &PastProcess| process.pid == subject.pid;
    let index = instance.processes.iter().position(same).unwrap_or_else(|| {
        instance.processes.push(PastProcess {
            pid: subject.pid,
            role: subject.role.clone(),
            command: String::new(),
            rss: 0,
            outcome: None,
            after_ms: None,
        });
        instance.processes.len() - 1
    });
    &mut instance.processes[index]
}

fn outcome(run: &mut Run, subject: &Subject, outcome: &str, after_ms: Option<u64>) {
    let process = process(instance(run, subject), subject);
    process.outcome = Some(outcome.to_owned());
    process.after_ms = after_ms;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ONE: &str = r#""run":"20261120T140000Z-9-beef""#;

    fn history(lines: &[String]) -> Vec<Run> {
        let mut history = History::default();
        for line in lines {
            history.add(serde_json::from_str(line).unwrap());
        }
        history.finish()
    }

    fn line(second: u32, run: &str, rest: &str) -> String {
        format!(r#"{{"schema":1,"at":"2026-11-20T14:00:{second:02}.000Z",{run},{rest}}}"#)
    }

    fn of(event: &str, pid: u32, role: &str, more: &str) -> String {
        line(
            1,
            ONE,
            &format!(
                r#""event":"{event}","pid":{pid},"start":1,"started_at":"2026-11-20T09:00:00.000Z","server":"notes","root":70,"role":"{role}"{more}"#
            ),
        )
    }

    fn intent(pid: u32, signal: &str, rss: u64) -> String {
        let more = format!(
            r#","signal":"{signal}","argv":["node","notes.js"],"rss":{rss},"verdict":"orphaned","reason":"owner gone""#
        );
        of("intent", pid, "server", &more)
    }

    #[test]
    fn a_process_that_needed_both_signals_stands_there_once() {
        let runs = history(&[
            line(
                0,
                ONE,
                r#""event":"run-started","started_by":"schedule","version":"0","pid":9,"uid":1,"targets":1"#,
            ),
            intent(70, "TERM", 500),
            of("signalled", 70, "server", r#","signal":"TERM""#),
            intent(70, "KILL", 0),
            of("killed", 70, "server", r#","after_ms":5003"#),
            line(
                7,
                ONE,
                r#""event":"run-finished","instances":1,"processes":1,"rss_reclaimed":500,"duration_ms":5600"#,
            ),
        ]);
        let [run] = runs.as_slice() else { panic!("{runs:?}") };
        assert_eq!(
            (run.started_by.as_deref(), run.finished, run.rss_reclaimed),
            (Some("schedule"), true, 500)
        );
        let [instance] = run.instances.as_slice() else { panic!("{run:?}") };
        assert_eq!((instance.verdict.as_str(), instance.rss_reclaimed), ("orphaned", 500));
        let [process] = instance.processes.as_slice() else { panic!("{instance:?}") };
        assert_eq!((process.outcome.as_deref(), process.after_ms), (Some("killed"), Some(5003)));
        assert_eq!(process.command, "node notes.js");
    }

    #[test]
    fn a_run_that_broke_off_is_counted_from_what_there_is() {
        let runs = history(&[
            intent(70, "TERM", 500),
            intent(71, "TERM", 300),
            of("exited", 70, "server", r#","after_ms":1"#),
        ]);
        let run = &runs[0];
        assert!(!run.finished && run.started_by.is_none());
        // One of its two processes is not known to be gone, so the instance is not.
        assert_eq!((run.instances_ended, run.processes_ended, run.rss_reclaimed), (0, 1, 500));
    }

    #[test]
    fn what_was_left_alone_whole_is_distinguished_from_a_member_that_was() {
        let whole =
            of("withheld", 70, "root", r#","pids":[70,71],"verdict":"orphaned","reason":"too young""#);
        let member = of("withheld", 70, "server", r#","pids":[70],"verdict":"orphaned","reason":"another""#);
        let runs = history(&[whole]);
        assert_eq!((runs[0].withheld.len(), runs[0].instances.len()), (1, 0));
        let runs = history(&[member, of("denied", 71, "helper", r#","error":"no""#)]);
        assert_eq!((runs[0].withheld.len(), runs[0].failed), (0, 1));
        let outcomes: Vec<_> = runs[0].instances[0].processes.iter().map(|p| p.outcome.as_deref()).collect();
        assert_eq!(outcomes, [Some("withheld"), Some("denied")]);
    }

    #[test]
    fn lines_of_two_runs_that_stand_mixed_are_put_where_they_belong() {
        let run = |name: &str| format!(r#""run":"{name}""#);
        let start = r#""event":"run-started","started_by":"hand","version":"0","pid":9,"uid":1,"targets":1"#;
        let end = |n: u32| {
            format!(
                r#""event":"run-finished","instances":{n},"processes":1,"rss_reclaimed":0,"duration_ms":1"#
            )
        };
        let runs = history(&[
            line(0, &run("a"), start),
            line(1, &run("b"), start),
            line(2, &run("a"), &end(3)),
            line(3, &run("b"), &end(4)),
        ]);
        let totals: Vec<_> = runs.iter().map(|run| (run.run.as_str(), run.instances_ended)).collect();
        assert_eq!(totals, [("a", 3), ("b", 4)]);
    }

    #[test]
    fn a_log_of_years_is_read_in_a_moment() {
        let began = std::time::Instant::now();
        let record: Record = serde_json::from_str(&intent(70, "TERM", 500)).unwrap();
        let mut history = History::default();
        for i in 0..40_000 {
            let run = serde_json::from_str(&format!(r#""run-{i}""#)).unwrap();
            history.add(Record { run, ..record.clone() });
        }
        assert_eq!(history.finish().len(), 40_000);
        // Looking for each among all the others takes a minute here; a slow machine has five seconds.
        assert!(began.elapsed().as_secs() < 5, "took {:?}", began.elapsed());
    }

    #[test]
    fn events_of_later_versions_are_passed_over() {
        let runs = history(&[line(0, ONE, r#""event":"sang-a-song","verses":3"#)]);
        assert_eq!((runs.len(), runs[0].instances.len()), (1, 0));
    }
}
