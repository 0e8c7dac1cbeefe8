//! The job that the schedule runs, as it is recorded in the managers' files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::error::ScheduleError;
use crate::policy::Policy;

/// The arguments of a scheduled run. No person can answer, and the audit log records what was ended and what started
/// the run. The run waits for another run. If it left the work to a hook, which ends only what its session left, the
/// next run would come a week later.
pub const ARGUMENTS: [&str; 5] = ["--yes", "--quiet", "--wait", "--started-by", "schedule"];

/// The longest grace in seconds: a week. Managers give such a number no special meaning.
const LONGEST_GRACE: u64 = 7 * 24 * 3600;

/// A repeated run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The absolute path of mcp-reap.
    pub binary: PathBuf,
    /// When it runs.
    pub calendar: Calendar,
    /// Variables that decide which configuration is read and where the audit log is. A manager starts its jobs without
    /// the person's shell. Without the right allowlist a run would end what the person wanted to keep.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The configured seconds between SIGTERM and SIGKILL at the time of the install. The manager must wait longer than
    /// that before it kills a run.
    pub grace: u64,
}

impl Job {
    /// A job whose every word can be written into a unit file, a property list and a crontab.
    ///
    /// # Errors
    /// [`ScheduleError::Unwritable`] for a value that is not UTF-8 or contains control characters.
    pub fn new(
        binary: &Path,
        calendar: Calendar,
        environment: BTreeMap<String, String>,
        grace: Duration,
    ) -> Result<Job, ScheduleError> {
        let unwritable = |what: String| Err(ScheduleError::Unwritable { what });
        if !binary.to_str().is_some_and(is_writable) {
            return unwritable(format!("the path {binary:?}"));
        }
        if let Some((name, value)) = environment.iter().find(|(_, value)| !is_writable(value)) {
            return unwritable(format!("{name}={value:?}"));
        }
        let grace = grace.as_secs().saturating_add(u64::from(grace.subsec_nanos() > 0)).min(LONGEST_GRACE);
        Ok(Job { binary: binary.to_owned(), calendar, environment, grace })
    }

    /// The binary as text. [`Job::new`] has checked that it is UTF-8.
    pub(super) fn binary(&self) -> String {
        self.binary.to_string_lossy().into_owned()
    }

    /// Seconds after which a run counts as hanging: the wait for another run, the grace, and a minute for two looks at
    /// a machine without free memory and for processes that SIGKILL does not end at once.
    pub(super) fn longest_run(&self) -> u64 {
        let waits = Policy::run_lock_wait(Duration::from_secs(self.grace)).as_secs();
        waits.saturating_add(self.grace.saturating_mul(2)).saturating_add(60)
    }

    /// Seconds between the manager's SIGTERM and its SIGKILL: the grace, and time to record the last outcome.
    pub(super) fn longest_stop(&self) -> u64 {
        self.grace.saturating_add(15)
    }

    /// The job as one line, which a later version reads again. Two hyphens are escaped, because they would end an XML
    /// comment.
    pub(super) fn to_line(&self) -> String {
        // Serializing strings and numbers cannot fail.
        serde_json::to_string(self).unwrap_or_default().replace("--", r"\u002d\u002d")
    }
}

/// Can this text be written into all files? XML 1.0 forbids most control characters and two non-characters, and in unit
/// files and crontabs a newline ends the line.
pub(super) fn is_writable(text: &str) -> bool {
    !text.chars().any(|letter| letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    fn job(binary: &OsStr) -> Result<Job, ScheduleError> {
        let environment = BTreeMap::from([("XDG_STATE_HOME".to_owned(), "/s".to_owned())]);
        Job::new(Path::new(binary), Calendar::default(), environment, Duration::from_millis(5001))
    }

    #[test]
    fn a_job_is_read_back_from_its_line_which_has_no_end_of_comment_in_it() {
        let job = job(OsStr::new("/o/a--->b ü\"\\/m")).unwrap();
        assert_eq!(job.grace, 6);
        let line = job.to_line();
        assert!(!line.contains("--"), "{line}");
        assert_eq!(serde_json::from_str::<Job>(&line).unwrap(), job);
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        for bad in
            [&b"/a\nb"[..], b"/a\tb", b"/a\x7fb", b"/a\xffb", "/a\u{85}b".as_bytes(), "/\u{ffff}".as_bytes()]
        {
            let error = job(OsStr::from_bytes(bad)).unwrap_err();
            assert!(matches!(error, ScheduleError::Unwritable { .. }), "{error}");
        }
        let environment = BTreeMap::from([("XDG_STATE_HOME".to_owned(), "/a\nb".to_owned())]);
        let bad = Job::new(Path::new("/m"), Calendar::default(), environment, Duration::ZERO);
        assert_eq!(
            bad.unwrap_err().to_string(),
            r#"XDG_STATE_HOME="/a\nb" cannot be written into a job's file"#
        );
    }
}
