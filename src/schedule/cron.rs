//! A line for crontab(5), for a machine without a manager.

use super::job::{ARGUMENTS, Job};

/// The whole line: five fields for the time, the variables, and the command.
pub(super) fn line(job: &Job) -> String {
    let variables = job.environment.iter().map(|(name, value)| format!("{name}={} ", quoted(value)));
    let command =
        format!("{}{} {}", variables.collect::<String>(), quoted(&job.binary()), ARGUMENTS.join(" "));
    // crontab(5): an unescaped % means a newline, also within quotes. cron removes the backslash.
    format!("{} {}", job.calendar.cron(), command.replace('%', r"\%"))
}

/// A text quoted as one word for sh(1).
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;
    use std::path::Path;
    use std::process::Command;
    use std::time::Duration;

    use super::*;
    use crate::schedule::Calendar;

    #[test]
    fn a_plain_path_needs_no_quotes() {
        let job = Job::new(
            Path::new("/usr/bin/mcp-reap"),
            Calendar::daily("04:05").unwrap(),
            BTreeMap::new(),
            Duration::from_secs(5),
        );
        assert_eq!(
            line(&job.unwrap()),
            "5 4 * * * /usr/bin/mcp-reap --yes --quiet --wait --started-by schedule"
        );
    }

    #[test]
    fn the_shell_of_cron_runs_what_was_meant() {
        for hostile in
            ["/o/my tools/m", "/o/it's", "/o/$HOME`id`", "/o/100%", "/o/a;b&c|d", "/o/\"q\"\\", "/o/ü"]
        {
            let environment = BTreeMap::from([("XDG_STATE_HOME".to_owned(), hostile.to_owned())]);
            let job = Job::new(Path::new(hostile), Calendar::default(), environment, Duration::ZERO).unwrap();
            let line = line(&job);
            let command = line.strip_prefix("0 3 * * 0 ").unwrap();
            assert!(!command.replace(r"\%", "").contains('%'), "{command}");
            // What cron hands to the shell; printf stands in for the binary, and sees its words.
            let command = command.replace(r"\%", "%");
            let (variable, words) = command.split_once(' ').unwrap();
            let (variable, words) = match command.strip_prefix("XDG_STATE_HOME='") {
                Some(_) => command.split_at(command.rfind(&format!(" {}", quoted(hostile))).unwrap()),
                None => (variable, words),
            };
            let script = format!("{variable}; printf '%s\\n' \"$XDG_STATE_HOME\" {words}");
            let output = Command::new("/bin/sh").args(["-c", &script]).env_clear().output().unwrap();
            assert_eq!(
                String::from_utf8(output.stdout).unwrap(),
                format!("{hostile}\n{hostile}\n--yes\n--quiet\n--wait\n--started-by\nschedule\n"),
                "{script}"
            );
        }
    }
}
