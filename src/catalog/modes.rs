//! Recognises servers by their arguments: known programs in their own mode, and any program in a usual mode.

use super::Rule;
use super::data::Data;
use super::words::says_mcp;
use crate::program::{Kind, Program, base, stem};
use crate::word_list::{WordList, list};

/// A server: the name under which it is shown, and the rule that matched.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub name: String,
    pub rule: Rule,
}

impl Data {
    /// A server by program and arguments from `server.modes`. These come before all other rules.
    pub(super) fn mode(&self, program: &Program) -> Option<Found> {
        let args = past_options(&program.args);
        for name in &program.names {
            for mode in self.server.modes_of.get(name.as_str()).into_iter().flatten() {
                let words = mode.split(' ');
                let begins =
                    args.len() >= words.clone().count() && words.zip(args).all(|(word, arg)| word == arg);
                let batch = begins && self.is_batch(args.get(mode.split(' ').count()..).unwrap_or_default());
                let option = mode.starts_with('-') && program.args.iter().any(|arg| arg == mode);
                if (begins && !batch) || option {
                    let short = self.short(program);
                    // A client that runs as a server has another name than the client.
                    let shown =
                        if self.clients.named(&short).is_some() { format!("{short}-mcp") } else { short };
                    return Some(Found { name: shown, rule: Rule::Mode(format!("{name} {mode}")) });
                }
            }
        }
        None
    }

    /// A developer's tool that runs as a server by its subcommand: `gopls mcp`.
    pub(super) fn subcommand(&self, program: &Program) -> Option<Found> {
        let server = &self.server;
        program.names.iter().find(|name| server.subcommands.contains(name.as_str()))?;
        let first = program.args.first().filter(|first| server.commands.contains(first.as_str()))?;
        let second = program.args.get(1).map(String::as_str);
        second
            .is_none_or(|word| word.starts_with('-') || server.verbs.contains(word))
            .then(|| Found { name: self.short(program), rule: Rule::Command(first.clone()) })
    }

    /// Is it a developer's tool? Other arguments do not make it a server.
    pub(super) fn is_tool(&self, program: &Program) -> bool {
        // A person's own script may have the name of a tool.
        let own = program.kind == Kind::Script
            && program.names.last() != program.names.first()
            && !program.text.contains("node_modules/");
        let named = !matches!(program.kind, Kind::Task | Kind::Inline);
        !own && named
            && program
                .names
                .iter()
                .any(|name| self.tool_names.contains(name.as_str()) || self.not.names.contains(name.as_str()))
    }

    /// A server by its arguments: `x mcp`, `x mcp serve`, `x --mcp`, `x boost:mcp`.
    pub(super) fn command(&self, program: &Program) -> Option<Found> {
        // A quick check: all of these forms contain mcp.
        let says = program.args.iter().any(|arg| says_mcp(arg.as_bytes()));
        if !says || matches!(program.kind, Kind::Task | Kind::Inline) || self.is_batch(&program.args) {
            return None;
        }
        let server = &self.server;
        let args = past_options(&program.args);
        let found = |rule: Rule| Some(Found { name: self.short(program), rule });
        let until = program.args.iter().position(|arg| arg == "--").unwrap_or(program.args.len());
        if let Some(flag) = program.args[..until].iter().find(|arg| server.flags.contains(arg.as_str())) {
            return found(Rule::Option(flag.clone()));
        }
        let first = args.first()?.as_str();
        let second = args.get(1).map(String::as_str);
        let verb = second.is_some_and(|word| server.verbs.contains(word));
        // Arguments of a system's program or of a project's own script may be any text.
        let system = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/lib/", "/usr/libexec/", "/System/"]
            .iter()
            .any(|dir| program.text.starts_with(dir));
        let file = base(&program.text);
        let own_script = program.kind == Kind::Script
            && stem(file) != file
            && !program.text.contains("node_modules/")
            && !matches!(stem(file), "cli" | "index" | "main");
        // The first word is known to be a command only for a program of a package. For others it may be any text.
        let packaged =
            matches!(program.kind, Kind::Package | Kind::Module) || program.text.contains("node_modules/");
        let window = program.text.contains(".app/Contents/MacOS/");
        let usual = packaged || (!system && !own_script && !window && server.bare_commands.contains(first));
        let ends = second.is_none_or(|word| word.starts_with('-'));
        // "mcp-serve state" is a server, "mcp list" may be a client's.
        let telling = packaged && first != "mcp" && !self.is_batch(args.get(1..).unwrap_or_default());
        if server.commands.contains(first) && (verb || (usual && ends) || telling) {
            return found(Rule::Command(first.to_owned()));
        }
        // artisan boost:mcp, x mcp:start
        if let Some((space, task)) = first.rsplit_once(':')
            && !own_script
            && ((task == "mcp" && !self.not.first.contains(space) && !matches!(space, "make" | "test"))
                || (space == "mcp" && server.verbs.contains(task)))
        {
            return found(Rule::Command(first.to_owned()));
        }
        None
    }
}

/// The arguments after the options. An unknown option counts as one with a value, so that data (`--name mcp`) is never
/// taken for a command.
pub(super) fn past_options(args: &[String]) -> &[String] {
    const FLAGS: WordList = list!("--debug --no-color --quiet --silent --verbose --yes -d -q -v -y");
    let mut at = 0;
    while let Some(arg) = args.get(at).filter(|arg| arg.starts_with('-')) {
        let own_value = arg.contains('=') || args.get(at + 1).is_none_or(|next| next.starts_with('-'));
        at += if own_value || FLAGS.contains(arg) { 1 } else { 2 };
    }
    args.get(at..).unwrap_or_default()
}
