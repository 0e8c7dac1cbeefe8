//! What belongs to the person at the machine, as far as everything that was read of it shows.

use crate::catalog::Catalog;
use crate::process::{OtherEnd, Pid, ProcessRecord, StdioKind};

/// Does this process belong to the person, whatever started it? `inside`: a member, for a terminal that only members
/// hold is no person's.
#[must_use]
pub fn is_persons(record: &ProcessRecord, catalog: &Catalog, inside: impl Fn(Pid) -> bool) -> bool {
    let in_a_terminal = || {
        let stdio = record.details.stdio.as_ref().filter(|stdio| stdio.kind == StdioKind::Tty);
        let all_inside = |pids: &[Pid]| pids.iter().all(|pid| inside(*pid));
        stdio.is_some_and(|stdio| !matches!(stdio.stdin(), OtherEnd::Held(pids) if all_inside(pids)))
    };
    is_known_as_persons(record, catalog) || in_a_terminal()
}

/// The same without its terminal: a window, an editor, a multiplexer, a browser that is not automated.
#[must_use]
pub fn is_known_as_persons(record: &ProcessRecord, catalog: &Catalog) -> bool {
    record.details.display || catalog.is_persons_program(record) || catalog.is_multiplexer(record)
}
