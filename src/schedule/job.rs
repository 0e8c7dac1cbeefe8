//! What is to be run, as the files in the managers' folders remember it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::error::ScheduleError;
use crate::policy::Policy;

/// The arguments of a scheduled run. No person is there to answer, and what was ended is in the audit
/// log, which also names what started the run. It waits for another run: one that left at once because a
/// hook was running would be missed until next week, and a hook ends only what its session left.
pub const ARGUMENTS: [&str; 5] = ["--yes", "--quiet", "--wait", "--started-by", "schedule"];

/// A week: no grace is longer, and no manager mistakes the number for something else.
const LONGEST_GRACE: u64 = 7 * 24 * 3600;

/// A run that repeats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// mcp-reap, absolute.
    pub binary: PathBuf,
    /// When.
    pub calendar: Calendar,
    /// Variables that decide which configuration is read and where the audit log lies. A manager
    /// starts its jobs without the person's shell, and a run that does not find the allowlist
    /// would end what the person wanted to keep.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Seconds between SIGTERM and SIGKILL as configured when this was installed: the manager must
    /// be more patient than that.
    pub grace: u64,
}

impl Job {
    /// A job whose every word can be written into a unit file, a property list and a crontab.
    ///
    /// # Errors
    /// [`ScheduleError::Unwritable`] for what is not UTF-8 or has control characters in it.
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

    /// The binary as text, which [`Job::new`] has made sure it is.
    pub(super) fn binary(&self) -> String {
        self.binary.to_string_lossy().into_owned()
    }

    /// Seconds a run may take before it is taken to hang: what it waits for another run, the grace,
    /// and a minute for two looks at a machine that is out of memory and for what SIGKILL does not
    /// end at once.
    pub(super) fn longest_run(&self) -> u64 {
        let waits = Policy::run_lock_wait(Duration::from_secs(self.grace)).as_secs();
        waits.saturating_add(self.grace.saturating_mul(2)).saturating_add(60)
    }

    /// Seconds between the manager's SIGTERM and its SIGKILL: the grace, and time to write down
    /// what became of the last process.
    pub(super) fn longest_stop(&self) -> u64 {
        self.grace.saturating_add(15)
    }

    /// One line that a later version reads back. Two hyphens would end the comment it is in
    /// when that is an XML one.
    pub(super) fn to_line(&self) -> String {
        // A map of strings and numbers cannot fail to be written.
        serde_json::to_string(self).unwrap_or_default().replace("--", r"\u002d\u002d")
    }
}

/// XML 1.0 forbids most control characters and the two non-characters; unit files and crontabs end
/// a line at a newline.
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
