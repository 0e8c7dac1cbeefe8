//! Which flags go with which command. One that would be ignored is refused: a person who writes
//! `log --snapshot table.json` or `--yes list` expects something that does not happen.

use super::{Cli, Command, ConfigAction, Global};

impl Cli {
    /// Why a flag that was given does not go with the command, in a sentence; `None` when all do.
    #[must_use]
    pub fn misfit(&self) -> Option<String> {
        let command = self.command.as_ref()?;
        let name = command.name();
        if let Some(flag) = self.of_a_run() {
            return Some(format!("{flag} does not go with `{name}`, which ends nothing"));
        }
        let flag = command.ignored(&self.global)?;
        Some(format!("{flag} does not go with `{name}`: it would change nothing"))
    }

    fn of_a_run(&self) -> Option<&'static str> {
        given(&[("--dry-run", self.dry_run), ("--yes", self.yes), ("--wait", self.wait)])
    }
}

impl Global {
    /// The first flag given that says how to judge or what to judge: there is none to be judged where
    /// a schedule or a hook is installed, and neither would remember it.
    #[must_use]
    pub fn of_judgement(&self) -> Option<&'static str> {
        given(&[("--snapshot", self.snapshot.is_some())]).or_else(|| self.of_policy())
    }

    /// The same without the table that is judged.
    fn of_policy(&self) -> Option<&'static str> {
        given(&[
            ("--min-age", self.min_age.is_some()),
            ("--grace", self.grace.is_some()),
            ("--settle", self.settle.is_some()),
            ("--max-count", self.max_count.is_some()),
            ("--max-age", self.max_age.is_some()),
            ("--max-rss", self.max_rss.is_some()),
            ("--allow", !self.allow.is_empty()),
            ("--all-users", self.all_users),
        ])
    }
}

impl Command {
    /// As it is typed.
    fn name(&self) -> &'static str {
        match self {
            Command::List(_) => "list",
            Command::Explain { .. } => "explain",
            Command::Check(_) => "check",
            Command::Log(_) => "log",
            Command::Exec { .. } => "exec",
            Command::Test(_) => "test",
            Command::Record { .. } => "record",
            Command::Schedule { .. } => "schedule",
            Command::Hook { .. } => "hook",
            Command::Config { action } => match action {
                ConfigAction::Init => "config init",
                ConfigAction::Path => "config path",
                ConfigAction::Show { catalog: true } => "config show --catalog",
                ConfigAction::Show { catalog: false } => "config show",
                ConfigAction::Check => "config check",
            },
            Command::Doctor => "doctor",
            Command::Completions { .. } => "completions",
            Command::Man { .. } => "man",
        }
    }

    /// The first flag given that this command would not look at.
    fn ignored(&self, global: &Global) -> Option<&'static str> {
        let config = given(&[("--config", global.config.is_some())]);
        let json = given(&[("--json", global.json)]);
        let snapshot = given(&[("--snapshot", global.snapshot.is_some())]);
        match self {
            Command::List(_) | Command::Explain { .. } | Command::Check(_) => None,
            // It looks at this machine, by the same rules as a run.
            Command::Doctor => snapshot,
            Command::Record { .. } => global.of_judgement(),
            Command::Log(_) => global.of_judgement().or(config),
            // What a guardian goes by months later stands in the configuration.
            Command::Exec { .. } | Command::Completions { .. } | Command::Man { .. } => {
                global.of_judgement().or(config).or(json)
            }
            Command::Test(_) => global.of_judgement().or(config),
            Command::Config { action } => match action {
                // What is in force after the flags is what it shows.
                ConfigAction::Show { catalog: false } => {
                    snapshot.or(given(&[("--all-users", global.all_users)]))
                }
                ConfigAction::Show { catalog: true } => global.of_judgement().or(config).or(json),
                ConfigAction::Init | ConfigAction::Path | ConfigAction::Check => global.of_judgement(),
            },
            // They say themselves what to do instead.
            Command::Schedule { .. } | Command::Hook { .. } => None,
        }
    }
}

fn given(flags: &[(&'static str, bool)]) -> Option<&'static str> {
    flags.iter().find_map(|(flag, given)| given.then_some(*flag))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser as _;

    fn misfit(line: &str) -> Option<String> {
        Cli::try_parse_from(line.split(' ')).unwrap().misfit()
    }

    #[test]
    fn a_flag_that_would_be_ignored_is_refused_by_its_name() {
        for (line, flag, command) in [
            ("mcp-reap --yes list", "--yes", "list"),
            ("mcp-reap --dry-run log", "--dry-run", "log"),
            ("mcp-reap --wait check", "--wait", "check"),
            ("mcp-reap log --snapshot t.json", "--snapshot", "log"),
            ("mcp-reap log --config c.toml", "--config", "log"),
            ("mcp-reap doctor --snapshot t.json", "--snapshot", "doctor"),
            ("mcp-reap config path --min-age 5s", "--min-age", "config path"),
            ("mcp-reap config show --snapshot t.json", "--snapshot", "config show"),
            ("mcp-reap config show --all-users", "--all-users", "config show"),
            ("mcp-reap config show --catalog --json", "--json", "config show --catalog"),
            ("mcp-reap completions bash --max-rss 5GB", "--max-rss", "completions"),
            ("mcp-reap man --json", "--json", "man"),
            ("mcp-reap record --allow x", "--allow", "record"),
            ("mcp-reap record --snapshot t.json", "--snapshot", "record"),
            ("mcp-reap --yes schedule status", "--yes", "schedule"),
        ] {
            let message = misfit(line).unwrap_or_else(|| panic!("taken: {line}"));
            assert!(
                message.starts_with(&format!("{flag} does not go with `{command}`")),
                "{line}: {message}"
            );
        }
    }

    #[test]
    fn a_flag_that_is_looked_at_is_taken() {
        for line in [
            "mcp-reap --dry-run --snapshot t.json",
            "mcp-reap list --snapshot t.json --min-age 5s --json",
            "mcp-reap check --max-rss 5GB --config c.toml",
            "mcp-reap doctor --json --config c.toml --allow x",
            "mcp-reap config show --grace 3s --json",
            "mcp-reap config path --json --config c.toml",
            "mcp-reap log --json --quiet --color never",
            "mcp-reap man --quiet --color always",
        ] {
            assert_eq!(misfit(line), None, "{line}");
        }
    }
}
