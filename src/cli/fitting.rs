//! Which flags go with which command. One that would be ignored is refused, and is not in the command's help: who
//! writes `log --snapshot table.json` or `--yes list` expects something that does not happen.

use super::{Cli, Command, ConfigAction, Global};

/// How to judge, without how to end.
const JUDGING: [&str; 7] = ["min_age", "max_count", "max_age", "max_rss", "allow", "detached", "all_users"];

/// How to end. They change nothing where nothing is ended, but stand in people's aliases, so they are taken.
const ENDING: [&str; 2] = ["grace", "settle"];

/// How to speak.
const SPEAKING: [&str; 3] = ["quiet", "verbose", "color"];

/// The global flags that a command looks at, by clap's names for them; `path` is as it is typed.
pub(super) fn takes(path: &str) -> Vec<&'static str> {
    let with = |parts: &[&[&'static str]]| parts.concat();
    match path {
        "list" | "explain" | "check" => with(&[&["config", "json", "snapshot"], &JUDGING, &SPEAKING]),
        "kill" => with(&[&["config", "json", "snapshot"], &JUDGING, &ENDING, &SPEAKING]),
        "doctor" => with(&[&["config", "json"], &JUDGING, &SPEAKING]),
        "record" => with(&[&["config"], &SPEAKING]),
        "log" | "test" => with(&[&["json"], &SPEAKING]),
        // What is in force after the flags is what it shows.
        "config show" => {
            let judging: Vec<_> = JUDGING.into_iter().filter(|flag| *flag != "all_users").collect();
            with(&[&["config", "json"], &judging, &ENDING, &SPEAKING])
        }
        "config" | "config init" | "config path" | "config check" | "config edit" | "schedule install" => {
            with(&[&["config", "json"], &SPEAKING])
        }
        "schedule" | "schedule status" | "schedule uninstall" => with(&[&["json"], &SPEAKING]),
        "hook" | "hook install" | "hook status" | "hook uninstall" => with(&[&["json"], &SPEAKING]),
        "wrap" | "wrap install" | "wrap uninstall" => with(&[&["json"], &SPEAKING]),
        // What a guardian goes by months later stands in the configuration.
        "exec" => Vec::new(),
        _ => Vec::new(),
    }
}

impl Cli {
    /// Why a flag that was given does not go with the command, in a sentence; `None` when all do.
    #[must_use]
    pub fn misfit(&self) -> Option<String> {
        let command = self.command.as_ref()?;
        let name = command.name();
        if let Some(flag) = self.of_a_run() {
            let ends = matches!(command, Command::Kill(_));
            return match (ends, flag) {
                (true, "--interactive") => {
                    Some(format!("{flag} does not go with `{name}`: it is told what to end"))
                }
                (true, _) => None,
                (false, _) => Some(format!("{flag} does not go with `{name}`, which ends nothing")),
            };
        }
        let flag = command.ignored(&self.global)?;
        Some(format!("{flag} does not go with `{name}`: it would change nothing"))
    }

    fn of_a_run(&self) -> Option<&'static str> {
        let flags = [
            ("--dry-run", self.dry_run),
            ("--yes", self.yes),
            ("--wait", self.wait),
            ("--interactive", self.interactive),
        ];
        flags.into_iter().find_map(|(flag, given)| given.then_some(flag))
    }
}

impl Global {
    /// The first flag given that says how to judge or what to judge: there is none to be judged where
    /// a schedule or a hook is installed, and neither would remember it.
    #[must_use]
    pub fn of_judgement(&self) -> Option<&'static str> {
        self.given().into_iter().find_map(|(id, flag)| (!["config", "json"].contains(&id)).then_some(flag))
    }

    /// Every flag given that a command may have to refuse: clap's name for it, and as it is typed.
    fn given(&self) -> Vec<(&'static str, &'static str)> {
        let flags = [
            ("snapshot", "--snapshot", self.snapshot.is_some()),
            ("min_age", "--min-age", self.min_age.is_some()),
            ("grace", "--grace", self.grace.is_some()),
            ("settle", "--settle", self.settle.is_some()),
            ("max_count", "--max-count", self.max_count.is_some()),
            ("max_age", "--max-age", self.max_age.is_some()),
            ("max_rss", "--max-rss", self.max_rss.is_some()),
            ("allow", "--allow", !self.allow.is_empty()),
            ("detached", "--detached", self.detached),
            ("all_users", "--all-users", self.all_users),
            ("config", "--config", self.config.is_some()),
            ("json", "--json", self.json),
        ];
        flags.into_iter().filter(|(.., given)| *given).map(|(id, flag, _)| (id, flag)).collect()
    }
}

impl Command {
    /// As it is typed.
    fn name(&self) -> &'static str {
        match self {
            Command::List(_) => "list",
            Command::Explain { .. } => "explain",
            Command::Kill(_) => "kill",
            Command::Check(_) => "check",
            Command::Log(_) => "log",
            Command::Exec { .. } => "exec",
            Command::Wrap { .. } => "wrap",
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
                ConfigAction::Edit => "config edit",
            },
            Command::Doctor => "doctor",
            Command::Completions { .. } => "completions",
            Command::Man { .. } => "man",
            Command::Version => "version",
        }
    }

    /// The first flag given that this command would not look at.
    fn ignored(&self, global: &Global) -> Option<&'static str> {
        // They say themselves what to do instead.
        if matches!(self, Command::Schedule { .. } | Command::Hook { .. }) {
            return None;
        }
        let taken = takes(self.name());
        let judges = taken.contains(&"min_age");
        let goes = |id: &str| taken.contains(&id) || judges && ENDING.contains(&id);
        global.given().into_iter().find_map(|(id, flag)| (!goes(id)).then_some(flag))
    }
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
            ("mcp-reap -i kill 77", "--interactive", "kill"),
            ("mcp-reap -i list", "--interactive", "list"),
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
            "mcp-reap list --grace 3s",
            "mcp-reap --yes kill 77",
            "mcp-reap kill 77 --yes --in-use --grace 3s",
        ] {
            assert_eq!(misfit(line), None, "{line}");
        }
    }
}
