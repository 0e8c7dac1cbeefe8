//! `[[allow]]` rules: instances that are left alone, whatever else is true.

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
    /// A pid file, and the pid that it contained; `None` if there is no such file.
    pub pid_file: Option<(PathBuf, Option<Pid>)>,
    /// systemd unit, with or without `.service`.
    pub unit: Option<Pattern>,
    /// launchd label.
    pub label: Option<Pattern>,
    /// Working directory.
    pub cwd: Option<Pattern>,
    /// The person's reason, shown with the verdict.
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
enum FieldMatch {
    Matches,
    Differs,
    /// The value of the process could not be read.
    Unknown,
}

impl From<bool> for FieldMatch {
    fn from(matches: bool) -> FieldMatch {
        if matches { FieldMatch::Matches } else { FieldMatch::Differs }
    }
}

impl AllowRule {
    /// Does every field that is given match this process?
    ///
    /// A rule without any field matches nothing; the reader of the file refuses it. Some values of the process may be
    /// unreadable (its executable, working directory, ports, unit or label). Then the other fields decide: the rule
    /// matches if at least one of them does and none differs, because an unknown value is a reason to leave the process
    /// alone. If all values are unreadable, the rule does not match. Otherwise `port = 80` would protect every
    /// process whose sockets cannot be read, and no orphan would ever be ended.
    pub(crate) fn matches(&self, candidate: Candidate<'_>) -> bool {
        let matches = self.field_matches(candidate);
        let given = || matches.iter().flatten();
        given().any(|field| *field == FieldMatch::Matches)
            && given().all(|field| *field != FieldMatch::Differs)
    }

    /// How each field matches; `None` for a field that is not given.
    fn field_matches(
        &self,
        Candidate { record, server, entries, program }: Candidate<'_>,
    ) -> [Option<FieldMatch>; 8] {
        [
            self.name.as_ref().map(|pattern| {
                let mut names = entries.iter().map(String::as_str).chain([server]).chain(program);
                names.any(|name| pattern.matches(name)).into()
            }),
            // A command line that could not be read does not match, and is not unknown: the program is known from exe or
            // comm, and this is the field that most rules have.
            self.command.as_ref().map(|pattern| {
                let line = record.argv.as_ref().map(joined);
                (program.is_some_and(|name| pattern.matches(name))
                    || line.is_some_and(|line| pattern.matches(&line)))
                .into()
            }),
            self.exe.as_ref().map(|pattern| match_path(pattern, record.details.exe.as_ref())),
            self.port.map(|port| match &record.details.listening {
                Some(ports) => ports.contains(&Listener::Tcp(port)).into(),
                None => FieldMatch::Unknown,
            }),
            self.pid_file.as_ref().map(|(_, pid)| (*pid == Some(record.pid())).into()),
            self.unit.as_ref().map(|pattern| match_unit(pattern, record)),
            self.label.as_ref().map(|pattern| match &record.details.service {
                Some(service) => (service.manager == "launchd" && pattern.matches(&service.name)).into(),
                // A process with a control group runs on Linux, where there are no labels.
                None if record.details.cgroup.is_some() => FieldMatch::Differs,
                None => FieldMatch::Unknown,
            }),
            self.cwd.as_ref().map(|pattern| match_path(pattern, record.details.cwd.as_ref())),
        ]
    }

    /// Is at least one field given that can match? A rule without one is a mistake.
    pub fn has_condition(&self) -> bool {
        let AllowRule { name, command, exe, port, pid_file, unit, label, cwd, reason: _, origin: _ } = self;
        let patterns = [name, command, exe, unit, label, cwd];
        patterns.into_iter().any(Option::is_some) || port.is_some() || pid_file.is_some()
    }
}

/// The command line as one text. A program that writes a title over its argv leaves empty arguments behind, which are
/// left out.
fn joined(argv: &Argv) -> String {
    argv.written().into_iter().map(to_text).collect::<Vec<_>>().join(" ")
}

/// Matches a path. Linux appends ` (deleted)` to the path of a file that was replaced, as an update of a running program
/// does; the rule still means that program.
fn match_path(pattern: &Pattern, path: Option<&RawText>) -> FieldMatch {
    let Some(path) = path else { return FieldMatch::Unknown };
    let text: Cow<'_, str> = path.to_text();
    let bare = text.strip_suffix(" (deleted)").unwrap_or(&text);
    (pattern.matches(&text) || pattern.matches(bare)).into()
}

/// Matches the systemd unit of a process: the unit that its manager reports, or else the innermost one in its control
/// group's path, as `/user.slice/user-1000.slice/user@1000.service/app.slice/notes.service`. The path alone would not be
/// enough to end a process, but it is enough to leave one alone.
fn match_unit(pattern: &Pattern, record: &ProcessRecord) -> FieldMatch {
    let named = |name: &str| {
        pattern.matches(name) || name.strip_suffix(".service").is_some_and(|bare| pattern.matches(bare))
    };
    match (&record.details.service, &record.details.cgroup) {
        (Some(service), _) if service.manager == "systemd" && named(&service.name) => FieldMatch::Matches,
        (_, Some(cgroup)) => innermost_unit(cgroup).is_some_and(named).into(),
        (Some(_), None) => FieldMatch::Differs,
        (None, None) => FieldMatch::Unknown,
    }
}

/// The innermost unit of a control group's path. An outer one (`user@1000.service`) contains a whole login, and a rule
/// for it would match every process of the user.
fn innermost_unit(cgroup: &str) -> Option<&str> {
    cgroup.rsplit('/').find(|part| part.ends_with(".service") || part.ends_with(".scope"))
}

#[cfg(test)]
mod tests;
