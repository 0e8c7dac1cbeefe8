//! What of a server goes now: its tree and what carries its mark, by one proof, or nothing.

use crate::classify::{Evidence, Finding, Verdict, WireState};
use crate::process::ProcessId;

/// One server under `exec`, in one look.
pub(super) struct Whole<'w> {
    /// The process that `exec` became.
    pub(super) root: ProcessId,
    /// It was seen.
    pub(super) root_lives: bool,
    /// It was given a stdin that hangs up.
    pub(super) wired: bool,
    /// Was it a server? Asked where it is gone.
    pub(super) served: &'w dyn Fn() -> bool,
}

impl Whole<'_> {
    /// Of its findings those that go. What left the tree goes with the root whose wire is dead. Where the root is gone, a
    /// dead wire of its own speaks for each, and for all else that carries the mark the end of a server: it had a wire,
    /// and nobody has its side of that any more.
    pub(super) fn goes<'a>(&self, mut ours: Vec<Finding<'a>>, name: &dyn Fn() -> String) -> Vec<Finding<'a>> {
        // What is not known of one part speaks for all of it, and so does its use.
        if !self.wired || ours.iter().any(|finding| spares(finding.verdict)) {
            return Vec::new();
        }
        let root = ours.iter().find(|finding| finding.instance.root.id == self.root);
        let by_root = match root {
            Some(root) if ends(root.verdict) => Some(Told::of(root)),
            None if !self.root_lives => None,
            // It is no server, or its wire is not dead.
            _ => return Vec::new(),
        };
        let dead_worker = ours.iter().find(|finding| ends(finding.verdict));
        let of_worker = dead_worker.map(Told::of);
        let at_work = by_root.is_none() && ours.iter().any(goes_on_without_input);
        let helpers_too = by_root.is_some() || !at_work && (of_worker.is_some() || (self.served)());
        ours.retain(|finding| ends(finding.verdict) || helpers_too && finding.verdict == Verdict::Detached);
        let told = by_root.or(of_worker).unwrap_or_else(|| Told::gone(name()));
        for finding in ours.iter_mut().filter(|finding| finding.instance.root.id != self.root) {
            told.tell(finding, self.root);
        }
        ours
    }
}

/// Its input has ended, and its output is no wire that is dead as well: a batch that the root put into the background.
fn goes_on_without_input(finding: &Finding<'_>) -> bool {
    let ended = |evidence: &Evidence| {
        matches!(evidence, Evidence::Wire { direction: "stdin", state: WireState::Closed, .. })
    };
    !ends(finding.verdict) && finding.evidence.iter().any(ended)
}

/// Does this verdict end anything here? What is detached goes with its server, or not at all.
pub(super) fn ends(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Orphaned | Verdict::Disconnected)
}

fn spares(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Allowed | Verdict::Managed | Verdict::InUse | Verdict::Undetermined)
}

/// What is said of a process that goes with its server.
struct Told {
    server: String,
    verdict: Verdict,
    reason: String,
    evidence: Vec<Evidence>,
}

impl Told {
    fn of(root: &Finding<'_>) -> Told {
        let dead = |evidence: &&Evidence| matches!(evidence, Evidence::DeadWire { .. });
        Told {
            server: root.instance.server.clone(),
            verdict: root.verdict,
            reason: root.reason.clone(),
            evidence: root.evidence.iter().filter(dead).cloned().collect(),
        }
    }

    fn gone(server: String) -> Told {
        let reason = "it has ended, and nobody has its stdio any more".to_owned();
        Told { server, verdict: Verdict::Orphaned, reason, evidence: Vec::new() }
    }

    fn tell(&self, finding: &mut Finding<'_>, root: ProcessId) {
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
