//! Who reads an error: a person, a client through its hook, or a monitoring system.

use std::ffi::OsString;

use super::{CheckArgs, Cli, Command, Format, HookAction};

/// Who reads an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// A person: stderr and exit code 2.
    Person,
    /// A client that called its hook: the log file and exit code 0, because 2 means "block" to Claude Code.
    Hook,
    /// A monitoring system: one line on stdout and exit code 3, because 2 means CRITICAL to Nagios.
    Monitoring,
}

impl Audience {
    /// The audience for a command line that could be parsed.
    pub fn of(cli: &Cli) -> Audience {
        match &cli.command {
            Some(Command::Hook { action: HookAction::Run { .. } }) => Audience::Hook,
            Some(Command::Check(CheckArgs { format: Format::Nagios, .. })) => Audience::Monitoring,
            _ => Audience::Person,
        }
    }

    /// The audience for a command line that could not be parsed, by the few words that decide it.
    pub fn of_args(args: impl Iterator<Item = OsString>) -> Audience {
        let args: Vec<OsString> = args.collect();
        let at = |word: &str| args.iter().position(|arg| arg == word);
        let nagios = |pair: &[OsString]| pair[0] == "--format" && pair[1] == "nagios";
        if at("hook").is_some_and(|hook| args[hook..].iter().any(|arg| arg == "run")) {
            Audience::Hook
        } else if at("check").is_some() && (at("--format=nagios").is_some() || args.windows(2).any(nagios)) {
            Audience::Monitoring
        } else {
            Audience::Person
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_call_of_the_hook_or_of_a_plugin_is_still_known_as_one() {
        for (line, audience) in [
            ("mcp-reap hook run", Audience::Hook),
            ("mcp-reap --config /x hook --oops run now", Audience::Hook),
            ("mcp-reap check --format nagios --oops", Audience::Monitoring),
            ("mcp-reap --oops check --format=nagios", Audience::Monitoring),
            ("mcp-reap", Audience::Person),
            ("mcp-reap hook install --oops", Audience::Person),
            ("mcp-reap run hook", Audience::Person),
            ("mcp-reap run", Audience::Person),
            ("mcp-reap check --format text", Audience::Person),
            ("mcp-reap list --format nagios", Audience::Person),
            ("mcp-reap check nagios", Audience::Person),
        ] {
            assert_eq!(Audience::of_args(line.split(' ').map(OsString::from)), audience, "{line}");
        }
    }
}
