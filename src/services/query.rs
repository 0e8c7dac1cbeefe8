//! Runs the tool of a service manager.

use std::time::Duration;

use crate::os::command::{Call, Output};

/// After this a manager is taken not to answer. systemd answers in about 5 ms; a bus that hangs
/// takes 25 s to say so, and a hook has 1.5 s to live.
const LIMIT: Duration = Duration::from_secs(2);

/// More than any answer: 20,000 units of 200 bytes.
const LARGEST: usize = 4 << 20;

/// The standard output of a program that ended well within the limit; else `None`.
pub(super) fn output(program: &str, args: &[&str], environment: &[(String, String)]) -> Option<String> {
    run(program, args, environment).filter(Output::is_success).map(|output| output.stdout)
}

/// What a program wrote and how it ended, within the limit; else `None`.
pub(super) fn run(program: &str, args: &[&str], environment: &[(String, String)]) -> Option<Output> {
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
