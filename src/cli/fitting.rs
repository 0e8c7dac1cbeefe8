//! Decides which flags a command takes. A flag that the command would ignore is refused and is not in its help, because
//! a person who writes `log --snapshot table.json` or `--yes list` expects an effect that it does not have.

use clap::ArgMatches;
use clap::parser::ValueSource;

/// Flags that decide how instances are judged, but not how they are ended.
const JUDGING: [&str; 7] = ["min_age", "max_count", "max_age", "max_rss", "allow", "detached", "all_users"];

/// Flags that decide how instances are ended. People have them in aliases, so commands that end nothing take them too.
const ENDING: [&str; 2] = ["grace", "settle"];

/// Flags that decide what is printed.
const SPEAKING: [&str; 3] = ["quiet", "verbose", "color"];

/// The global flags that a command uses, by clap's names. `path` is the command as it is typed.
pub(super) fn takes(path: &str) -> Vec<&'static str> {
    let with = |parts: &[&[&'static str]]| parts.concat();
    match path {
        "list" | "explain" | "check" => with(&[&["config", "json", "snapshot"], &JUDGING, &SPEAKING]),
        "kill" => with(&[&["config", "json", "snapshot"], &JUDGING, &ENDING, &SPEAKING]),
        "doctor" => with(&[&["config", "json"], &JUDGING, &SPEAKING]),
        "record" => with(&[&["config"], &SPEAKING]),
        "log" | "test" | "schedule" | "schedule status" | "schedule uninstall" | "hook" | "hook install"
        | "hook status" | "hook uninstall" | "wrap" | "wrap install" | "wrap uninstall" => {
            with(&[&["json"], &SPEAKING])
        }
        // It shows the settings in force after the flags.
        "config show" => {
            let judging: Vec<_> = JUDGING.into_iter().filter(|flag| *flag != "all_users").collect();
            with(&[&["config", "json"], &judging, &ENDING, &SPEAKING])
        }
        "config" | "config init" | "config path" | "config check" | "config edit" | "schedule install" => {
            with(&[&["config", "json"], &SPEAKING])
        }
        // `exec` takes none either: its guardian reads the configuration when it needs it, perhaps months later.
        _ => Vec::new(),
    }
}

/// Flags of a run, which ends something.
const RUNNING: &str = "dry_run yes wait interactive";

/// Global flags that a command may have to refuse. If several were given, the first is named.
const REFUSABLE: &str =
    "snapshot min_age grace settle max_count max_age max_rss allow detached all_users config json";

/// The sentence that refuses a flag which the command does not take; `None` if it takes all that were given.
pub fn misfit(matches: &ArgMatches) -> Option<String> {
    let (command, args) = matches.subcommand()?;
    let action = args.subcommand();
    let name = match (command, action) {
        ("config", Some(("show", show))) if show.get_flag("catalog") => "config show --catalog".to_owned(),
        ("config", Some((action, _))) => format!("config {action}"),
        _ => command.to_owned(),
    };
    let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let first = |ids: &str, is_refused: &dyn Fn(&str) -> bool| {
        let id = ids.split(' ').find(|id| given(id) && is_refused(id))?;
        Some(format!("--{}", id.replace('_', "-")))
    };
    if let Some(flag) = first(RUNNING, &|_| true) {
        return match (command, flag.as_str()) {
            ("kill", "--interactive") => {
                Some(format!("{flag} does not go with `{name}`: it is told what to end"))
            }
            ("kill", _) => None,
            _ => Some(format!("{flag} does not go with `{name}`, which ends nothing")),
        };
    }
    match (command, action.map(|(action, _)| action)) {
        ("hook", Some("run")) => {
            given("snapshot").then(|| "--snapshot does not go with a call of the hook".to_owned())
        }
        // Installing a schedule or a hook judges nothing, and their later runs would not get the flag.
        ("schedule" | "hook", action) => {
            if let Some(flag) = first(REFUSABLE, &|id| !["config", "json"].contains(&id)) {
                let runs = if command == "hook" { "hooks" } else { "runs" };
                return Some(format!(
                    "{flag} does not go with `{command}`: write it into the configuration file, which {runs} go by"
                ));
            }
            let refusal = match (command, action) {
                ("schedule", Some("install")) => return None,
                ("schedule", _) => "--config goes with `schedule install` only",
                _ => "--config does not go with `hook`: hooks read $MCP_REAP_CONFIG or the usual file",
            };
            given("config").then(|| refusal.to_owned())
        }
        _ => {
            let taken = takes(&name);
            let judges = taken.contains(&"min_age");
            let goes = |id: &str| taken.contains(&id) || judges && ENDING.contains(&id);
            let flag = first(REFUSABLE, &|id| !goes(id))?;
            Some(format!("{flag} does not go with `{name}`: it would change nothing"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::CommandFactory as _;

    fn misfit(line: &str) -> Option<String> {
        super::misfit(&crate::cli::Cli::command().try_get_matches_from(line.split(' ')).unwrap())
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
