//! Runs the tool of a service manager.

use std::time::Duration;

use crate::os::command::{Call, Output};

/// How long a manager may take to answer. systemd answers in about 5 ms. A bus that hangs reports that only after 25 s.
const LIMIT: Duration = Duration::from_secs(2);

/// The largest answer in bytes: 20,000 units of 200 bytes.
const LARGEST: usize = 4 << 20;

/// The stdout of a program; `None` if it failed or exceeded the limit.
pub(super) fn output(program: &str, args: &[&str], environment: &[(String, String)]) -> Option<String> {
    run(program, args, environment).filter(Output::is_success).map(|output| output.stdout)
}

/// The output and exit code of a program; `None` if it exceeded the limit.
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
