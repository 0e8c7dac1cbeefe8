//! Reads something of many processes, in chunks that two threads share.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::proc::Proc;
use crate::process::Pid;
use crate::sys::SysError;

/// From this many processes on a second thread is worth its start, which takes 0.1 ms; a process takes 10 to 20 us.
pub(super) const WORTH_TWO_THREADS: usize = 300;

/// The number of processes that a thread reads at a time. It is small enough that both threads end at about the same
/// time, and large enough that equal command lines, which are stored once per chunk, are often in one chunk.
fn chunk_size(processes: usize) -> usize {
    (processes / 100).clamp(16, 256)
}

/// Calls `read` for chunks of these processes, on two threads if there are many. Returns the values that were read. The
/// first error ends it.
pub(super) fn for_each_pid<T: Send>(
    proc: &mut Proc,
    pids: &[Pid],
    read: &(impl Fn(&mut Proc, &[Pid], &mut [Option<T>]) -> Result<(), SysError> + Sync),
) -> Result<Vec<T>, SysError> {
    // The vector has its full length from the start. Growing it, or joining two halves, would hold all rows twice for a
    // moment, which would be the peak of memory.
    let mut answers: Vec<Option<T>> = Vec::new();
    answers.resize_with(pids.len(), || None);
    let chunk = chunk_size(pids.len());
    let chunks = Mutex::new(pids.chunks(chunk).zip(answers.chunks_mut(chunk)));
    let next = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
    let failure = OnceLock::new();
    let work = |proc: &mut Proc| {
        while failure.get().is_none()
            && let Some((pids, answers)) = next()
        {
            if let Err(error) = read(proc, pids, answers) {
                // The other thread may have failed first. One error is enough.
                let _ = failure.set(error);
            }
        }
    };
    if pids.len() >= WORTH_TWO_THREADS
        && let Ok(mut second) = proc.second_handle()
    {
        std::thread::scope(|scope| {
            scope.spawn(|| work(&mut second));
            work(proc);
        });
    } else {
        work(proc);
    }
    if let Some(error) = failure.into_inner() {
        return Err(error);
    }
    // std collects the result of `filter_map` in place, in the same allocation, but not that of `flatten`.
    #[allow(clippy::filter_map_identity)]
    Ok(answers.into_iter().filter_map(|answer| answer).collect())
}
