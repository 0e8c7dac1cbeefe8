//! What belongs to the person at the machine, as far as everything that was read of it shows.

use std::borrow::Cow;

use crate::catalog::Catalog;
use crate::process::{OtherEnd, Pid, ProcessRecord, StdioKind};
use crate::program::Resolution;

/// Does this process belong to the person, whatever started it? `runs` tells what it really runs, `inside` whether a process
/// is a member, for a terminal that only members hold is no person's.
pub(crate) fn is_persons<'r>(
    record: &ProcessRecord,
    catalog: &Catalog,
    runs: impl FnOnce() -> Cow<'r, Resolution>,
    inside: impl Fn(Pid) -> bool,
) -> bool {
    let in_a_terminal = || {
        let stdio = record.details.stdio.as_ref().filter(|stdio| stdio.stdin_kind == StdioKind::Tty);
        let all_inside = |pids: &[Pid]| pids.iter().all(|pid| inside(*pid));
        stdio.is_some_and(|stdio| !matches!(stdio.stdin(), OtherEnd::Held(pids) if all_inside(pids)))
    };
    is_known_as_persons(record, catalog, runs) || in_a_terminal()
}

/// The same without its terminal: a window, an editor, a multiplexer, a browser that is not automated.
pub(crate) fn is_known_as_persons<'r>(
    record: &ProcessRecord,
    catalog: &Catalog,
    runs: impl FnOnce() -> Cow<'r, Resolution>,
) -> bool {
    record.details.display || catalog.is_persons(record, runs) || catalog.is_multiplexer(record)
}
