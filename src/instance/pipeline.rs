//! Processes beside a server that its wire passes through, as in `server | tee log`.

use std::collections::BTreeSet;

use crate::catalog::Role;
use crate::look::Look;
use crate::process::{OtherEnd, Pid, ProcessRecord, Stdio};

/// Does this child of a launcher, beside its server, only pass the wire on? It reads only from members (`| tee log`) or the
/// launcher itself (`exec > >(tee log)`), or it reads the launcher's own stdin and writes only to members (`tee log |`).
pub(super) fn passes_on(child: &ProcessRecord, launcher: &ProcessRecord, inside: &BTreeSet<Pid>) -> bool {
    let reads_members = is_fed_by(child, |pid| pid == launcher.pid() || inside.contains(&pid));
    reads_members || {
        let (Some(own), Some(above)) = (&child.details.stdio, &launcher.details.stdio) else { return false };
        held_only_by(own.stdout(), |pid| inside.contains(&pid)) && share_a_wire(own, above)
    }
}

/// Does this member read only from other members, or write only to them?
pub(super) fn is_part(record: &ProcessRecord, members: &[&ProcessRecord]) -> bool {
    let member = |pid: Pid| pid != record.pid() && members.iter().any(|member| member.pid() == pid);
    let writes_to_members =
        record.details.stdio.as_ref().is_some_and(|stdio| held_only_by(stdio.stdout(), member));
    is_fed_by(record, member) || writes_to_members
}

/// Processes that read only from these members and were started beside them by a launcher that is gone. They were adopted
/// like the root, are in its session and process group, and no process reads their output.
pub(super) fn adopted<'a>(look: &Look<'a>, members: &[&'a ProcessRecord]) -> Vec<&'a ProcessRecord> {
    let Some(root) = members.first() else { return Vec::new() };
    if look.roles.role(root.parent) != Some(Role::Init) || root.group == Pid(0) || root.group == root.pid() {
        return Vec::new();
    }
    let pids: BTreeSet<Pid> = members.iter().map(|record| record.pid()).collect();
    let beside = |record: &&ProcessRecord| {
        !pids.contains(&record.pid())
            && record.session == root.session
            && record.group == root.group
            && look.roles.role(record.pid()).is_none_or(|role| role == Role::Wrapper)
            && record.details.stdio.as_ref().is_some_and(|stdio| stdio.stdout() == OtherEnd::Closed)
            && is_fed_by(record, |pid| pids.contains(&pid))
    };
    look.tree.children(root.parent).filter(|record| !record.is_zombie()).filter(beside).collect()
}

fn is_fed_by(record: &ProcessRecord, source: impl Fn(Pid) -> bool) -> bool {
    record.details.stdio.as_ref().is_some_and(|stdio| held_only_by(stdio.stdin(), source))
}

/// Is the other end held, and only by such processes?
fn held_only_by(end: OtherEnd<'_>, is_such: impl Fn(Pid) -> bool) -> bool {
    matches!(end, OtherEnd::Held(pids) if pids.iter().all(|pid| is_such(*pid)))
}

/// Do two processes have the same end of the same wire on 0 or 1? Older recorded tables have no numbers for ends; in these
/// the holders of the other end are compared.
pub(super) fn share_a_wire(one: &Stdio, other: &Stdio) -> bool {
    let ids = |stdio: &Stdio| [stdio.stdin_id, stdio.stdout_id].into_iter().flatten().collect::<Vec<u64>>();
    let (ours, theirs) = (ids(one), ids(other));
    if !ours.is_empty() && !theirs.is_empty() {
        return ours.iter().any(|id| theirs.contains(id));
    }
    let same = |a: &Option<Vec<Pid>>, b: &Option<Vec<Pid>>| a.is_some() && a == b;
    one.is_wire()
        && other.is_wire()
        && (same(&one.stdin_peers, &other.stdin_peers) || same(&one.stdout_peers, &other.stdout_peers))
}
