//! `[[allow]]`: what is left alone, whatever else is true.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::bytes::{Argv, RawText, to_text};
use crate::pattern::Pattern;
use crate::process::{Listener, Pid, ProcessRecord};

/// One `[[allow]]` entry: every field given must match the same process.
#[derive(Clone, Debug, Default)]
pub struct AllowRule {
    /// The server's name as mcp-reap shows it, its name in a client's configuration, or the name of a member's program.
    pub name: Option<Pattern>,
    /// The resolved program, or its whole command line.
    pub command: Option<Pattern>,
    /// The executable's path.
    pub exe: Option<Pattern>,
    /// A port it listens on.
    pub port: Option<u16>,
    /// The process a pid file names: the file, and the pid that stood in it (none if there is no file).
    pub pid_file: Option<(PathBuf, Option<Pid>)>,
    /// systemd unit, with or without `.service`.
    pub unit: Option<Pattern>,
    /// launchd label.
    pub label: Option<Pattern>,
    /// Working directory.
    pub cwd: Option<Pattern>,
    /// Why, in the person's words; shown with the verdict.
    pub reason: Option<String>,
    /// Where the rule stands (`config.toml:12`, `--allow`), for explanations.
    pub origin: String,
}

/// One member of an instance, as a rule sees it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The process.
    pub record: &'a ProcessRecord,
    /// The name of the server its instance runs.
    pub server: &'a str,
    /// The names that the person's client configurations have for it.
    pub entries: &'a [String],
    /// The name of the program it really runs, where that is known.
    pub program: Option<&'a str>,
}

/// How one field matches one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Matches,
    Differs,
    /// What the field is about could not be read.
    NotKnown,
}

impl From<bool> for Answer {
    fn from(matches: bool) -> Answer {
        if matches { Answer::Matches } else { Answer::Differs }
    }
}

impl AllowRule {
    /// Does every field that is given match this process?
    ///
    /// A rule without any field matches nothing (the reader of the file refuses it). Where a field
    /// is about something that could not be read of this process (its executable, working
    /// directory, ports, unit or label), the other fields decide: the rule matches if at least one
    /// of them does and none differs, because what is not known is a reason to leave it alone. A rule
    /// with nothing but such fields does not match: otherwise `port = 80` alone would protect every
    /// process whose sockets cannot be seen, and no orphan would ever be ended.
    pub(crate) fn matches(&self, candidate: Candidate<'_>) -> bool {
        let answers = self.answers(candidate);
        let given = || answers.iter().flatten();
        given().any(|answer| *answer == Answer::Matches) && given().all(|answer| *answer != Answer::Differs)
    }

    /// How each field matches; `None` for a field that is not given.
    fn answers(&self, Candidate { record, server, entries, program }: Candidate<'_>) -> [Option<Answer>; 8] {
        [
            self.name.as_ref().map(|pattern| {
                let mut names = entries.iter().map(String::as_str).chain([server]).chain(program);
                names.any(|name| pattern.matches(name)).into()
            }),
            // A command line that could not be read is not a match: this field is the first thing
            // people write, and half of it (the program) is known from exe or comm.
            self.command.as_ref().map(|pattern| {
                let line = record.argv.as_ref().map(joined);
                (program.is_some_and(|name| pattern.matches(name))
                    || line.is_some_and(|line| pattern.matches(&line)))
                .into()
            }),
            self.exe.as_ref().map(|pattern| path_answer(pattern, record.details.exe.as_ref())),
            self.port.map(|port| match &record.details.listening {
                Some(ports) => ports.contains(&Listener::Tcp(port)).into(),
                None => Answer::NotKnown,
            }),
            self.pid_file.as_ref().map(|(_, pid)| (*pid == Some(record.pid())).into()),
            self.unit.as_ref().map(|pattern| unit_answer(pattern, record)),
            self.label.as_ref().map(|pattern| match &record.details.service {
                Some(service) => (service.manager == "launchd" && pattern.matches(&service.name)).into(),
                // A process with a control group runs on Linux, where there are no labels.
                None if record.details.cgroup.is_some() => Answer::Differs,
                None => Answer::NotKnown,
            }),
            self.cwd.as_ref().map(|pattern| path_answer(pattern, record.details.cwd.as_ref())),
        ]
    }

    /// True when at least one field is given that can match; a rule without is a mistake.
    pub fn asks_something(&self) -> bool {
        let AllowRule { name, command, exe, port, pid_file, unit, label, cwd, reason: _, origin: _ } = self;
        let patterns = [name, command, exe, unit, label, cwd];
        patterns.into_iter().any(Option::is_some) || port.is_some() || pid_file.is_some()
    }
}

/// The command line as one text. Titles that programs wrote over their argv leave empty arguments
/// behind; they are no part of it.
fn joined(argv: &Argv) -> String {
    argv.written().into_iter().map(to_text).collect::<Vec<_>>().join(" ")
}

/// A path against its pattern. Linux writes ` (deleted)` behind the path of a file that was replaced,
/// as every update of a running program does; the rule means that program all the same.
fn path_answer(pattern: &Pattern, path: Option<&RawText>) -> Answer {
    let Some(path) = path else { return Answer::NotKnown };
    let text: Cow<'_, str> = path.to_text();
    let bare = text.strip_suffix(" (deleted)").unwrap_or(&text);
    (pattern.matches(&text) || pattern.matches(bare)).into()
}

/// The systemd unit of a process: the one that its manager reports, else any in its control group's
/// path, as `/user.slice/user-1000.slice/user@1000.service/app.slice/notes.service`. For ending,
/// being somewhere in a unit's group proves nothing; for leaving alone it is enough.
fn unit_answer(pattern: &Pattern, record: &ProcessRecord) -> Answer {
    let named = |name: &str| {
        pattern.matches(name) || name.strip_suffix(".service").is_some_and(|bare| pattern.matches(bare))
    };
    match (&record.details.service, &record.details.cgroup) {
        (Some(service), _) if service.manager == "systemd" && named(&service.name) => Answer::Matches,
        (_, Some(cgroup)) => innermost_unit(cgroup).is_some_and(named).into(),
        (Some(_), None) => Answer::Differs,
        (None, None) => Answer::NotKnown,
    }
}

/// The innermost unit of a control group's path. The outer ones (`user@1000.service`) hold a whole
/// login: a rule for one of those would be met by every process of the user.
fn innermost_unit(cgroup: &str) -> Option<&str> {
    cgroup.rsplit('/').find(|part| part.ends_with(".service") || part.ends_with(".scope"))
}

#[cfg(test)]
mod tests;
