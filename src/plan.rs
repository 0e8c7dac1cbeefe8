//! The plan of a run: which instances to end, and which are left alone against their verdict and why.

mod choice;
mod why;

use std::collections::{HashMap, HashSet};

pub use choice::Choice;
pub use why::Why;

use crate::bytes::Argv;
use crate::classify::{ClientRef, Evidence, Finding, Verdict};
use crate::instance::{Instance, Part};
use crate::look::Look;
use crate::policy::Policy;
use crate::process::{Pid, ProcessId, ProcessRecord, ProcessState, Snapshot, Uid};
use crate::roles::{Roles, is_tool_job};

/// The instances to end, and those withheld.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Instances to end, each as a whole or not at all.
    pub targets: Vec<Target>,
    /// Instances that their verdict or a person would end, and that are left alone.
    pub withheld: Vec<Withheld>,
    /// Which instances the plan is about. The second look plans for the same choice.
    pub choice: Choice,
}

/// One instance to end. It owns its data, because the snapshot it came from is gone when signals are sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The server's short name.
    pub server: String,
    /// Why it is ended.
    pub verdict: Verdict,
    /// The verdict in a few words.
    pub reason: String,
    /// The client it belonged to, where one is known.
    pub client: Option<ClientRef>,
    /// The evidence for and against the verdict.
    pub evidence: Vec<Evidence>,
    /// All members, the root first.
    pub members: Vec<TargetMember>,
    /// The members on which two looks must agree: launchers, and servers with a role of their own. A member that is a
    /// server only by its place below a launcher may change: a script that is a server may start a `sleep` each second.
    pub must_agree: HashSet<ProcessId>,
}

/// One process to end.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetMember {
    /// Pid and start time.
    pub id: ProcessId,
    /// Its parent's pid.
    pub parent: Pid,
    /// Its effective user; `None` where it could not be read.
    pub uid: Option<Uid>,
    /// Its part in the instance.
    pub part: Part,
    /// Stopped: it needs SIGCONT to handle SIGTERM.
    pub stopped: bool,
    /// Start in seconds since the epoch, for the record.
    pub started_at: f64,
    /// Resident bytes.
    pub rss: u64,
    /// argv as it was, not yet redacted.
    pub argv: Argv,
}

/// An instance that would be ended but is left alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Withheld {
    /// The instance's root.
    pub root: ProcessId,
    /// The root's start in seconds since the epoch, for the record.
    pub started_at: f64,
    /// The server's short name.
    pub server: String,
    /// All its members.
    pub pids: Vec<Pid>,
    /// The verdict on it.
    pub verdict: Verdict,
    /// Why not.
    pub why: Why,
}

impl Plan {
    /// Is this instance to be ended?
    pub fn ends(&self, root: ProcessId) -> bool {
        self.targets.iter().any(|target| target.root() == root)
    }

    /// Why an instance with an ending verdict is withheld.
    pub fn withheld_because(&self, root: ProcessId) -> Option<Why> {
        self.withheld.iter().find(|withheld| withheld.root == root).map(|withheld| withheld.why)
    }

    /// Keeps only the targets that a second look planned as well, with the same root, verdict, launchers and servers. Their
    /// helpers are those of the second look: a browser starts and ends processes all the time, and must not save its
    /// instance by that.
    pub fn confirmed_by(self, second: &Plan) -> Plan {
        let again: HashMap<ProcessId, &Target> =
            second.targets.iter().map(|target| (target.root(), target)).collect();
        let mut confirmed = Plan { targets: Vec::new(), withheld: self.withheld, choice: self.choice };
        for target in self.targets {
            let agreed = again
                .get(&target.root())
                .filter(|other| other.verdict == target.verdict && other.must_agree == target.must_agree);
            match agreed {
                Some(other) => confirmed.targets.push((*other).clone()),
                None => {
                    let why = second.withheld_because(target.root()).unwrap_or(Why::Changed);
                    confirmed.withheld.push(target.withheld(why));
                }
            }
        }
        confirmed
    }

    /// Marks withheld instances as ended by themselves where the second look (this snapshot) found none of their members.
    pub fn with_those_that_left(mut self, second: &Snapshot) -> Plan {
        let there = |pid: &Pid| second.processes.iter().any(|record| record.pid() == *pid);
        for gone in self.withheld.iter_mut().filter(|withheld| withheld.why == Why::Changed) {
            if !gone.pids.iter().any(there) {
                gone.why = Why::Left;
            }
        }
        self
    }

    /// Withholds all targets for the same reason.
    #[must_use]
    pub fn left_alone(mut self, why: Why) -> Plan {
        self.withheld
            .extend(std::mem::take(&mut self.targets).into_iter().map(|target| target.withheld(why)));
        self
    }

    /// Keeps only the instances for which `keep` is true, and drops the others silently.
    pub fn only(mut self, keep: impl Fn(&Target) -> bool) -> Plan {
        self.targets.retain(keep);
        self
    }

    /// Resident bytes of all targets.
    pub fn rss(&self) -> u64 {
        let members = self.targets.iter().flat_map(|target| &target.members);
        members.fold(0, |sum, member| sum.saturating_add(member.rss))
    }
}

impl Target {
    /// The topmost process, which is sent SIGTERM first.
    pub fn root(&self) -> ProcessId {
        self.members[0].id
    }

    fn withheld(self, why: Why) -> Withheld {
        Withheld {
            root: self.root(),
            started_at: self.members[0].started_at,
            pids: self.members.iter().map(|member| member.id.pid).collect(),
            server: self.server,
            verdict: self.verdict,
            why,
        }
    }
}

/// mcp-reap itself and its ancestors.
fn ours(look: &Look<'_>) -> HashSet<Pid> {
    let viewer = look.snapshot.viewer.pid;
    let above = look.tree.get(viewer).map(|record| look.tree.ancestors(record)).unwrap_or_default();
    above.into_iter().map(ProcessRecord::pid).chain([viewer]).collect()
}

/// The first reason why this instance must never be a target.
fn forbidden(finding: &Finding<'_>, ours: &HashSet<Pid>, look: &Look<'_>, policy: &Policy) -> Option<Why> {
    let members = || finding.instance.members.iter().map(|member| member.record);
    let viewer = look.snapshot.viewer.uid;
    let others_too = policy.all_users && viewer.0 == 0;
    // kthreadd is pid 2 and the parent of all kernel threads. In a container pid 2 is an ordinary process; it is left
    // alone too.
    let kernel =
        look.tree.get(Pid(2)).filter(|second| second.comm.as_bytes() == b"kthreadd").map(ProcessRecord::pid);
    if members().any(|r| r.pid() <= Pid(2) || Some(r.parent) == kernel) {
        Some(Why::System)
    } else if members().any(|r| ours.contains(&r.pid())) {
        Some(Why::Ourselves)
    } else if !others_too && members().any(|r| r.uid != Some(viewer)) {
        Some(Why::OtherUser)
    } else if !namespaces_are_its_own(&finding.instance) {
        Some(Why::OtherNamespace)
    } else if !finding.instance.clients_below.is_empty() {
        Some(Why::Client)
    } else if members().any(is_tool_job) || finding.instance.launchers_and_servers().all(hides_environment) {
        Some(Why::ToolJob)
    } else if members().any(|r| is_traced_from_outside(r, &finding.instance)) {
        Some(Why::Traced)
    } else if !finding.persons.is_empty() {
        Some(Why::Person)
    } else if finding.awaited {
        Some(Why::Awaited)
    } else if finding.age < policy.min_age.as_secs_f64() {
        Some(Why::TooYoung)
    } else {
        None
    }
}

/// A hidden environment may contain the variable that marks a job of a shell tool. It is inherited, so one launcher or
/// server with a readable environment is enough to exclude it.
fn hides_environment(record: &ProcessRecord) -> bool {
    record.details.env.is_none()
}

/// A tracer outside of our PID namespace has no pid here; only the state of a process that it stopped shows it.
fn is_traced_from_outside(record: &ProcessRecord, instance: &Instance<'_>) -> bool {
    match record.details.tracer.filter(|tracer| *tracer != Pid(0)) {
        Some(tracer) => !instance.contains(tracer),
        None => record.state == ProcessState::Traced,
    }
}

/// Members in another PID namespace may be ended when the instance made that namespace itself (`bwrap --unshare-pid`).
/// Then the topmost member in it has pid 1 there, and its parent is a member outside. Neither holds for a process that
/// was put into an existing namespace (`docker exec`, `nsenter`).
fn namespaces_are_its_own(instance: &Instance<'_>) -> bool {
    let member = |pid: Pid| instance.members.iter().map(|m| m.record).find(|record| record.pid() == pid);
    let foreign = |record: &&ProcessRecord| record.details.foreign_namespace;
    instance.members.iter().map(|m| m.record).filter(foreign).all(|record| {
        let mut top = record;
        // The limit ends a loop in the table.
        for _ in 0..instance.members.len() {
            match member(top.parent) {
                None => return false,
                Some(above) if above.details.foreign_namespace => top = above,
                Some(_) => return top.details.namespace_pid.is_none_or(|pid| pid == Pid::INIT),
            }
        }
        false
    })
}

fn target(finding: &Finding<'_>, roles: &Roles) -> Target {
    let members = finding.instance.members.iter().map(|member| TargetMember {
        id: member.record.id,
        parent: member.record.parent,
        uid: member.record.uid,
        part: member.part,
        stopped: member.record.state.is_stopped(),
        started_at: member.record.started_at,
        rss: member.record.rss,
        argv: member.record.argv.clone().unwrap_or_else(|| Argv::from([&member.record.comm])),
    });
    Target {
        server: finding.instance.server.clone(),
        verdict: finding.verdict,
        reason: finding.reason.clone(),
        client: finding.client.clone(),
        evidence: finding.evidence.clone(),
        members: members.collect(),
        must_agree: must_agree(finding, roles),
    }
}

/// See [`Target::must_agree`].
fn must_agree(finding: &Finding<'_>, roles: &Roles) -> HashSet<ProcessId> {
    let members = finding.instance.members.iter();
    let counts = members.filter(|member| match member.part {
        Part::Launcher => true,
        Part::Server => roles.role(member.record.pid()).is_some(),
        Part::Helper => false,
    });
    counts.map(|member| member.record.id).collect()
}
