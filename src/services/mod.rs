//! Which processes are meant to run on their own: the main ones of systemd's units and launchd's jobs.
//! Being somewhere in a unit's cgroup proves nothing: all that an agent run as a service ever starts is
//! in it. Beside them the engines of containers, whose programs no service manager knows.

mod engines;
pub mod launchd;
mod systemd;

pub(crate) use engines::{EngineAnswer, containers};

use std::time::Duration;

use crate::os::command::{Call, Output};
use crate::process::{Pid, Snapshot};

/// After this a manager is taken not to answer. systemd answers in about 5 ms; a bus that hangs
/// takes 25 s to say so, and a hook has 1.5 s to live.
const LIMIT: Duration = Duration::from_secs(2);

/// More than any answer: 20,000 units or containers of 200 bytes.
const LARGEST: usize = 4 << 20;

/// Writes into the records of `pids` which service each is in, and that service's main process.
///
/// Where the manager does not answer (none in this container, no bus, two seconds gone), a process
/// that seems to be in a service gets one whose main process is not known. No manager is queried when
/// no process is in a service, so on most machines this costs nothing.
pub(crate) fn fill(snapshot: &mut Snapshot, pids: &[Pid]) {
    match snapshot.os.as_str() {
        "linux" => systemd::fill(snapshot, pids, &mut systemd::query),
        "macos" => launchd::fill(snapshot, pids, &mut launchd::query),
        _ => {}
    }
}

/// The standard output of a program that ended well within the limit; else `None`.
fn output(program: &str, args: &[&str], environment: &[(String, String)]) -> Option<String> {
    run(program, args, environment).filter(Output::is_success).map(|output| output.stdout)
}

/// What a program wrote and how it ended, within the limit; else `None`.
fn run(program: &str, args: &[&str], environment: &[(String, String)]) -> Option<Output> {
    Call { program, args, environment, limit: LIMIT, largest: LARGEST }.run().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_output_of_a_program_that_ended_well_is_an_answer() {
        let sh = |script| output("sh", &["-c", script], &[]);
        assert_eq!(sh("printf answer; echo noise >&2").as_deref(), Some("answer"));
        for script in ["printf half; exit 1", "printf half; kill -9 $$"] {
            assert_eq!(sh(script), None, "{script}");
        }
        assert_eq!(output("no-such-manager", &[], &[]), None);
    }
}
