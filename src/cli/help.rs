//! Builds the command line for clap: each command with the flags that it takes and two examples.

use clap::{Arg, Command, CommandFactory as _};

use super::Cli;
use super::fitting::takes;

/// The whole command line. A global flag that a command does not take is hidden in its help, but clap still parses it,
/// so that the refusal can name it.
pub fn command() -> Command {
    built(Cli::command(), true)
}

/// The command line in which each command has only the flags that it takes. Completions and man pages need it, because
/// they show hidden flags too.
pub(crate) fn documented() -> Command {
    built(Cli::command().mut_args(|arg| arg.global(false)), false)
}

fn built(command: Command, refusing: bool) -> Command {
    let globals: Vec<Arg> =
        Cli::command().get_arguments().filter(|arg| arg.is_global_set()).cloned().collect();
    let command = command.mut_subcommands(|sub| dressed(sub, "", &globals, refusing));
    command.after_help(format!("{}\n\n{EXIT_CODES}", examples("")))
}

/// The end of the help of the program itself.
const EXIT_CODES: &str = "Exit codes: 0 done (check: healthy), 1 not fine (check: findings; otherwise a target survived \
or was denied, or what was chosen stays), 2 usage, configuration or environment error, or a yes was missing, and nothing was ended, 128+n stopped \
by signal n.";

/// A command and its subcommands, each with its flags and examples. `above` is the text that is typed before it.
fn dressed(command: Command, above: &str, globals: &[Arg], refusing: bool) -> Command {
    let path = format!("{above} {}", command.get_name()).trim_start().to_owned();
    let mut command = command.mut_subcommands(|sub| dressed(sub, &path, globals, refusing));
    let taken = takes(&path);
    for arg in globals {
        let shown = !arg.is_hide_set() && taken.contains(&arg.get_id().as_str());
        if refusing {
            command = command.arg(arg.clone().hide(!shown));
        } else if shown {
            command = command.arg(arg.clone().global(false));
        }
    }
    match examples(&path) {
        text if text.is_empty() => command,
        text => command.after_help(text),
    }
}

/// Two examples of each command: the line to type, and what it does.
#[rustfmt::skip] // one example, one line
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("", "mcp-reap --dry-run", "what would be ended, and why"),
    ("", "mcp-reap -i", "choose from a list"),
    ("list", "mcp-reap list --tree", "with all processes"),
    ("list", "mcp-reap list --client codex --sort rss", "the servers of one client"),
    ("explain", "mcp-reap explain 4242", "why it would be ended, or not"),
    ("explain", "mcp-reap explain 4242 --json", "the same for a program"),
    ("kill", "mcp-reap kill 4242", "the instance of this process"),
    ("kill", "mcp-reap kill context7-mcp --dry-run", "what that would end"),
    ("exec", "mcp-reap exec -- npx -y some-server", "a server that cannot leak"),
    ("exec", "mcp-reap exec --linger 10s -- uvx x", "the client may read on for 10 s"),
    ("test", "mcp-reap test -- node server.js", "does it leave with its client?"),
    ("test", "mcp-reap test --json -- uvx x", "the same for a program"),
    ("check", "mcp-reap check --max-orphans 2", "tolerates two"),
    ("check", "mcp-reap check --format nagios", "for a monitoring system"),
    ("log", "mcp-reap log --since yesterday", "what was ended since then"),
    ("log", "mcp-reap log -n 5", "the last five runs"),
    ("record", "mcp-reap record -o table.json", "for a bug report"),
    ("record", "mcp-reap --dry-run --snapshot table.json", "judges it"),
    ("schedule install", "mcp-reap schedule install --daily 03:00", "every night"),
    ("schedule install", "mcp-reap schedule install --dry-run", "shows what would be written"),
    ("schedule", "mcp-reap schedule install", "every Sunday at 03:00"),
    ("schedule", "mcp-reap schedule status", "will it run, and what did it do?"),
    ("hook install", "mcp-reap hook install", "clean up when a session ends"),
    ("hook install", "mcp-reap hook install --client codex", "likewise gemini, cursor"),
    ("hook", "mcp-reap hook install", "clean up when a session ends"),
    ("hook", "mcp-reap hook status", "is it installed?"),
    ("config", "mcp-reap config edit", "opens it, and checks it afterwards"),
    ("config", "mcp-reap config show", "what is in force, and where it comes from"),
    ("config show", "mcp-reap config show --grace 9s", "what this flag would change"),
    ("config show", "mcp-reap config show --catalog", "the servers that are known"),
    ("doctor", "mcp-reap doctor", "what it can see here, and what is missing"),
    ("doctor", "mcp-reap doctor --json", "the same for a program"),
    ("completions", "mcp-reap completions bash > ~/.local/share/bash-completion/completions/mcp-reap", ""),
    ("completions", "mcp-reap completions fish > ~/.config/fish/completions/mcp-reap.fish", ""),
    ("man", "mcp-reap man | man -l -", "reads it"),
    ("man", "mcp-reap man --folder man1", "all pages"),
    ("wrap", "mcp-reap wrap", "shows the line for each server"),
    ("wrap", "mcp-reap wrap uninstall", "takes exec out again"),
    ("wrap install", "mcp-reap wrap install --client codex --server x", "writes this one"),
    ("wrap install", "mcp-reap wrap --json", "names clients and servers"),
    ("wrap uninstall", "mcp-reap wrap uninstall", "all of them"),
    ("wrap uninstall", "mcp-reap wrap uninstall --server x", "this one"),
];

/// The examples of a command.
fn examples(path: &str) -> String {
    let of_command = || EXAMPLES.iter().filter(|(command, ..)| *command == path);
    let explained = of_command().filter(|(_, _, what)| !what.is_empty());
    let wide = explained.map(|(_, line, _)| line.len()).max().unwrap_or(0);
    let line =
        |(_, line, what): &(&str, &str, &str)| format!("\n  {line:wide$}  {what}").trim_end().to_owned();
    let lines: String = of_command().map(line).collect();
    if lines.is_empty() { lines } else { format!("Examples:{lines}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_two_examples_that_are_read_as_they_stand() {
        fn walk(command: &Command, path: &str) {
            for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
            {
                let below = format!("{path} {}", sub.get_name());
                let text = examples(below.trim());
                let nested = path.contains("config") || path.contains("hook") || path.contains("schedule");
                assert!(nested || text.lines().count() == 3, "{below}");
                for line in text.lines().skip(1) {
                    assert!(line.len() < 80 || line.contains("completions"), "breaks at 80 columns: {line}");
                    let typed = line.trim().split("  ").next().unwrap_or_default();
                    let typed = typed.split(['>', '|']).next().unwrap_or_default().trim();
                    let read = super::command().try_get_matches_from(typed.split_whitespace());
                    assert!(read.is_ok(), "{typed}: {read:?}");
                }
                walk(sub, &below);
            }
        }
        walk(&super::command(), "");
        super::command().debug_assert();
        super::documented().debug_assert();
    }

    #[test]
    fn a_command_shows_the_flags_that_it_takes_and_no_other() {
        let shown = |path: &[&str]| {
            let mut command = super::command();
            command.build();
            let sub = path.iter().fold(&command, |at, name| {
                at.find_subcommand(name).unwrap_or_else(|| panic!("no command {name}"))
            });
            let args = sub.get_arguments().filter(|arg| !arg.is_hide_set());
            args.map(|arg| arg.get_id().to_string()).collect::<Vec<_>>()
        };
        let has = |path: &[&str], flag: &str| shown(path).iter().any(|id| id == flag);
        for (path, flag, there) in [
            (&["list"][..], "snapshot", true),
            (&["list"], "grace", false),
            (&["log"], "json", true),
            (&["log"], "max_rss", false),
            (&["config", "show"], "grace", true),
            (&["config", "path"], "grace", false),
            (&["man"], "json", false),
            (&["kill"], "grace", true),
        ] {
            assert_eq!(has(path, flag), there, "{path:?} {flag}: {:?}", shown(path));
        }
    }
}
