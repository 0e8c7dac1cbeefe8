//! A guardian ends nothing while the person's configuration cannot be read, because it may contain the allowlist. It
//! records once in the audit log what it left alone for that reason.

use std::time::Duration;

use super::end::TO_LEAVE;
use super::host::Host;
use super::look::Guarded;
use super::record::ShortLocks;
use crate::audit::{AuditEvent, Subject};
use crate::classify::Verdict;
use crate::guard::watch::Grace;
use crate::policy::{Policy, Retention};

/// No record is deleted: how long records are kept is in the configuration, too.
const KEEP_ALL: Retention = Retention { keep_days: u32::MAX, max_size: u64::MAX };

/// Configurations that could not be read, as far as that was recorded.
#[derive(Debug, Default)]
pub(super) struct UnreadRules {
    recorded: Option<String>,
}

impl UnreadRules {
    /// Gives the server the time to leave by itself, and records that the rest was left alone. The same reason is
    /// recorded once.
    ///
    /// # Errors
    /// When the table cannot be read or the record fails.
    pub(super) fn leave_alone<H: Host>(
        &mut self,
        guarded: &Guarded<H>,
        why: &str,
        grace: Grace,
        pause: &mut dyn FnMut(Duration) -> bool,
    ) -> anyhow::Result<()> {
        // Without a grace the server had no wire, and normally no rules would end it.
        let Grace::Ahead { waited, .. } = grace else { return Ok(()) };
        if !pause(TO_LEAVE.saturating_sub(waited)) {
            return Ok(());
        }
        // The further lines of the message show the line of the file.
        let why = why.lines().next().unwrap_or_default();
        let reason = format!("the configuration could not be read, so nothing was judged: {why}");
        let (snapshot, pids) = guarded.read_members()?;
        let root = guarded.marker.root.pid;
        let top = if pids.contains(&root) { Some(root) } else { pids.first().copied() };
        let top = top.and_then(|top| snapshot.processes.iter().find(|record| record.pid() == top));
        let Some(top) = top.filter(|_| self.recorded.as_ref() != Some(&reason)) else { return Ok(()) };
        let wait = Policy::run_lock_wait(Policy::default().grace);
        let recorder = ShortLocks::take(guarded.host.directory()?, KEEP_ALL, wait)?;
        recorder.left_alone(AuditEvent::Withheld {
            subject: Subject::new(top.id, top.started_at, &guarded.name(), top.pid(), "root"),
            pids,
            verdict: Verdict::Undetermined.as_str().to_owned(),
            reason: reason.clone(),
        })?;
        self.recorded = Some(reason);
        Ok(())
    }
}
