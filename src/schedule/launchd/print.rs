//! Parses the output of `launchctl print gui/501/LABEL`. Apple does not guarantee its form. So a value that is not
//! found is not known, and only a value that is found can differ.
//!
//! ```text
//! gui/501/com.mcp-reap = {
//!     path = /Users/u/Library/LaunchAgents/com.mcp-reap.plist
//!     state = not running
//!
//!     program = /opt/homebrew/bin/mcp-reap
//!     arguments = {
//!         /opt/homebrew/bin/mcp-reap
//!         --yes
//!     }
//!
//!     runs = 3
//!     last exit code = 0
//!
//!     event triggers = {
//!         com.mcp-reap.268435470 => {
//!             stream = com.apple.launchd.calendarinterval
//!             descriptor = {
//!                 "Minute" => 0
//!                 "Hour" => 3
//!             }
//!         }
//!     }
//! }
//! ```
//! Each level is indented by one tab (macOS 12 to 26). Arguments are not quoted, so only the indentation shows the end
//! of a block.

/// One printed job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Printed(pub(super) String);

impl Printed {
    /// The value of `key = value` of the job itself, not in one of its blocks.
    pub(super) fn field(&self, key: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix('\t')?.strip_prefix(key)?.strip_prefix(" = "))
    }

    /// The words of its command line.
    pub(super) fn arguments(&self) -> Option<Vec<&str>> {
        self.block("arguments")
    }

    /// The variables as `NAME => value`: those that the file sets, and some that launchd adds.
    pub(super) fn environment(&self) -> Option<Vec<&str>> {
        self.block("environment")
    }

    /// When it runs, sorted by key.
    pub(super) fn calendar(&self) -> Option<Vec<(&'static str, u32)>> {
        let lines = self.block("event triggers")?;
        let known = |name: &str| ["Hour", "Minute", "Weekday"].into_iter().find(|known| *known == name);
        let mut found: Vec<(&str, u32)> = lines
            .iter()
            .filter_map(|line| {
                let (name, number) = line.trim().split_once(" => ")?;
                Some((known(name.trim_matches('"'))?, number.parse().ok()?))
            })
            .collect();
        found.sort_unstable();
        (!found.is_empty()).then_some(found)
    }

    /// The lines of a block of the job itself, without their indentation.
    fn block(&self, name: &str) -> Option<Vec<&str>> {
        let begin = format!("\t{name} = {{");
        let mut lines = self.0.lines().skip_while(|line| *line != begin);
        lines.next()?;
        Some(lines.take_while(|line| *line != "\t}").map(|line| line.trim_start_matches('\t')).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const WEEKLY: &str = "gui/501/com.mcp-reap = {\n\tactive count = 0\n\tpath = /Users/u/L a/com.mcp-reap.plist\n\
        \ttype = LaunchAgent\n\tstate = not running\n\n\tprogram = /o/{\n\targuments = {\n\t\t/o/{\n\t\t}\n\t\t--yes\n\
        \t\t\n\t}\n\n\tenvironment = {\n\t\tstate = running\n\t\tpath => /x\n\t}\n\n\truns = 3\n\
        \tlast exit code = 0\n\n\tevent triggers = {\n\t\tcom.mcp-reap.268435470 => {\n\t\t\tkeepalive = 0\n\
        \t\t\tdescriptor = {\n\t\t\t\t\"Weekday\" => 0\n\t\t\t\t\"Minute\" => 5\n\t\t\t\t\"Hour\" => 3\n\t\t\t}\n\t\t}\n\
        \t}\n\n\tevent channels = {\n\t\t\"Hour\" => 9\n\t}\n}\n";

    #[test]
    fn hostile_arguments_do_not_end_a_block() {
        let printed = Printed(WEEKLY.to_owned());
        assert_eq!(printed.field("path"), Some("/Users/u/L a/com.mcp-reap.plist"));
        assert_eq!(printed.field("state"), Some("not running"));
        assert_eq!(printed.arguments().unwrap(), ["/o/{", "}", "--yes", ""]);
        assert_eq!(printed.calendar().unwrap(), [("Hour", 3), ("Minute", 5), ("Weekday", 0)]);
    }

    #[test]
    fn what_is_not_there_is_not_known() {
        let printed = Printed("gui/501/x = {\n\tevent triggers = {\n\t}\n}\n".to_owned());
        assert_eq!((printed.field("path"), printed.arguments(), printed.calendar()), (None, None, None));
        // Another version of macOS without quotes.
        let printed = Printed("x = {\n\tevent triggers = {\n\t\t\tMinute => 7\n\t}\n}\n".to_owned());
        assert_eq!(printed.calendar().unwrap(), [("Minute", 7)]);
    }
}
