//! Decides which processes of a server are ended: its tree and the processes that carry its marker, all by one proof,
//! or none.

use crate::classify::{Evidence, Finding, Verdict, WireState};
use crate::process::ProcessId;

/// One server under `exec`, in one look.
pub(super) struct WholeServer<'w> {
    /// The process that `exec` became.
    pub(super) root: ProcessId,
    /// Whether the root is in the table.
    pub(super) root_lives: bool,
    /// Whether the root was given a stdin that can hang up.
    pub(super) wired: bool,
    /// Was the root a server? Needed when it is gone.
    pub(super) served: &'w dyn Fn() -> bool,
}

impl WholeServer<'_> {
    /// The findings of this server that are ended. If the root lives and its wire is dead, the processes that left the
    /// tree are ended with it. If the root is gone, a process is ended when its own wire is dead. The others that carry
    /// the marker are ended when one of them has a dead wire or the root was a server: then that server had a wire, and
    /// no process holds its end any more.
    pub(super) fn findings_to_end<'a>(
        &self,
        mut ours: Vec<Finding<'a>>,
        name: &dyn Fn() -> String,
    ) -> Vec<Finding<'a>> {
        // If one part is in use or not known, nothing is ended.
        if !self.wired || ours.iter().any(|finding| spares(finding.verdict)) {
            return Vec::new();
        }
        let root = ours.iter().find(|finding| finding.instance.root.id == self.root);
        let by_root = match root {
            Some(root) if ends(root.verdict) => Some(SharedVerdict::of(root)),
            None if !self.root_lives => None,
            // The root is no server, or its wire is not dead.
            _ => return Vec::new(),
        };
        let dead_worker = ours.iter().find(|finding| ends(finding.verdict));
        let of_worker = dead_worker.map(SharedVerdict::of);
        let at_work = by_root.is_none() && ours.iter().any(goes_on_without_input);
        let helpers_too = by_root.is_some() || !at_work && (of_worker.is_some() || (self.served)());
        ours.retain(|finding| ends(finding.verdict) || helpers_too && finding.verdict == Verdict::Detached);
        let shared = by_root.or(of_worker).unwrap_or_else(|| SharedVerdict::of_ended_server(name()));
        for finding in ours.iter_mut().filter(|finding| finding.instance.root.id != self.root) {
            shared.apply_to(finding, self.root);
        }
        ours
    }
}

/// Is its stdin closed and its wire not dead? Then it may be a batch job that the root put into the background.
fn goes_on_without_input(finding: &Finding<'_>) -> bool {
    let ended = |evidence: &Evidence| {
        matches!(evidence, Evidence::Wire { direction: "stdin", state: WireState::Closed, .. })
    };
    !ends(finding.verdict) && finding.evidence.iter().any(ended)
}

/// Does this verdict end an instance here? A detached one is ended only together with its server.
pub(super) fn ends(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Orphaned | Verdict::Disconnected)
}

fn spares(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Allowed | Verdict::Managed | Verdict::InUse | Verdict::Undetermined)
}

/// The verdict of a server, for the processes that are ended with it.
struct SharedVerdict {
    server: String,
    verdict: Verdict,
    reason: String,
    evidence: Vec<Evidence>,
}

impl SharedVerdict {
    fn of(root: &Finding<'_>) -> SharedVerdict {
        let dead = |evidence: &&Evidence| matches!(evidence, Evidence::DeadWire { .. });
        SharedVerdict {
            server: root.instance.server.clone(),
            verdict: root.verdict,
            reason: root.reason.clone(),
            evidence: root.evidence.iter().filter(dead).cloned().collect(),
        }
    }

    fn of_ended_server(server: String) -> SharedVerdict {
        let reason = "it has ended, and nobody has its stdio any more".to_owned();
        SharedVerdict { server, verdict: Verdict::Orphaned, reason, evidence: Vec::new() }
    }

    fn apply_to(&self, finding: &mut Finding<'_>, root: ProcessId) {
        let marked = Evidence::Marked { pid: finding.instance.root.pid(), root: root.pid };
        if !finding.evidence.contains(&marked) {
            finding.evidence.push(marked);
        }
        if ends(finding.verdict) {
            return;
        }
        finding.verdict = self.verdict;
        let alone = if finding.instance.root.is_wired() {
            "nobody is at the other end of its stdin"
        } else {
            "nothing of it is on a connection"
        };
        finding.reason =
            format!("carries the mark of {} ({}), {alone}; of that: {}", self.server, root.pid, self.reason);
        finding.evidence.extend(self.evidence.iter().cloned());
        finding.instance.server.clone_from(&self.server);
    }
}
