//! Tells which processes belong to the person at the machine, by all that was read of them.

use std::borrow::Cow;

use crate::catalog::Catalog;
use crate::process::{OtherEnd, Pid, ProcessRecord, StdioKind};
use crate::program::Resolution;

/// Does this process belong to the person, whatever started it? It does if it is a personal program or reads from a terminal.
/// A terminal that only members of the instance hold (`inside`) does not count. `runs` resolves what the process runs.
pub(crate) fn is_personal<'r>(
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
    is_personal_program(record, catalog, runs) || in_a_terminal()
}

/// Does it have a window, or is it an editor, a terminal multiplexer, or a browser that is not automated?
pub(crate) fn is_personal_program<'r>(
    record: &ProcessRecord,
    catalog: &Catalog,
    runs: impl FnOnce() -> Cow<'r, Resolution>,
) -> bool {
    record.details.display || catalog.is_persons_program_by(record, runs) || catalog.is_multiplexer(record)
}
