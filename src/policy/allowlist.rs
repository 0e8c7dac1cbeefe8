//! `[[allow]]`: what is left alone, whatever else is true.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::bytes::RawText;
use crate::pattern::Pattern;
use crate::process::{Pid, ProcessRecord};

/// One `[[allow]]` entry: every field given must match the same process.
#[derive(Clone, Debug, Default)]
pub struct AllowRule {
    /// The server's name as mcp-reap shows it.
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
    /// The name of the program it really runs, where that could be told.
    pub program: Option<&'a str>,
}

/// What one field says of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Matches,
    Differs,
    /// What the field asks for could not be read.
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
    /// asks for something that could not be read of this process (its executable, working
    /// directory, ports, unit or label), the other fields decide: the rule matches if at least one
    /// of them does and none differs, because what is not known speaks for leaving alone. A rule
    /// with nothing but such fields does not match: otherwise `port = 80` alone would protect every
    /// process whose sockets cannot be seen, and no orphan would ever be ended.
    #[must_use]
    pub fn matches(&self, candidate: Candidate<'_>) -> bool {
        let answers = self.answers(candidate);
        let given = || answers.iter().flatten();
        given().any(|answer| *answer == Answer::Matches) && given().all(|answer| *answer != Answer::Differs)
    }

    /// What each field says; `None` for a field that is not given.
    fn answers(&self, Candidate { record, server, program }: Candidate<'_>) -> [Option<Answer>; 8] {
        [
            self.name.as_ref().map(|pattern| pattern.matches(server).into()),
            // A command line that could not be read is not a match: this field is the first thing
            // people write, and half of it (the program) is known from exe or comm.
            self.command.as_ref().map(|pattern| {
                let line = record.argv.as_ref().map(|argv| joined(argv));
                (program.is_some_and(|name| pattern.matches(name))
                    || line.is_some_and(|line| pattern.matches(&line)))
                .into()
            }),
            self.exe.as_ref().map(|pattern| path_answer(pattern, record.exe.as_ref())),
            self.port.map(|port| match &record.listening {
                Some(ports) => ports.contains(&port).into(),
                None => Answer::NotKnown,
            }),
            self.pid_file.as_ref().map(|(_, pid)| (*pid == Some(record.pid())).into()),
            self.unit.as_ref().map(|pattern| unit_answer(pattern, record)),
            self.label.as_ref().map(|pattern| match &record.service {
                Some(service) => (service.manager == "launchd" && pattern.matches(&service.name)).into(),
                // A process with a control group runs on Linux, where there are no labels.
                None if record.cgroup.is_some() => Answer::Differs,
                None => Answer::NotKnown,
            }),
            self.cwd.as_ref().map(|pattern| path_answer(pattern, record.cwd.as_ref())),
        ]
    }

    /// True when at least one field is given that can match; a rule without is a mistake.
    #[must_use]
    pub fn asks_something(&self) -> bool {
        self.name.is_some()
            || self.command.is_some()
            || self.exe.is_some()
            || self.port.is_some()
            || self.pid_file.is_some()
            || self.unit.is_some()
            || self.label.is_some()
            || self.cwd.is_some()
    }
}

/// The command line as one text. Titles that programs wrote over their argv leave empty arguments
/// behind; they are no part of it.
fn joined(argv: &[RawText]) -> String {
    let end = argv.iter().rposition(|argument| !argument.is_empty()).map_or(0, |last| last + 1);
    argv[..end].iter().map(RawText::to_text).collect::<Vec<_>>().join(" ")
}

/// A path against its pattern. Linux says ` (deleted)` behind the path of a file that was replaced,
/// as every update of a running program does; the rule means that program all the same.
fn path_answer(pattern: &Pattern, path: Option<&RawText>) -> Answer {
    let Some(path) = path else { return Answer::NotKnown };
    let text: Cow<'_, str> = path.to_text();
    let bare = text.strip_suffix(" (deleted)").unwrap_or(&text);
    (pattern.matches(&text) || pattern.matches(bare)).into()
}

/// The systemd unit of a process: the one it was said to be in, else any in its control group's
/// path, as `/user.slice/user-1000.slice/user@1000.service/app.slice/notes.service`. For ending,
/// being somewhere in a unit's group proves nothing; for leaving alone it is enough.
fn unit_answer(pattern: &Pattern, record: &ProcessRecord) -> Answer {
    let named = |name: &str| {
        pattern.matches(name) || name.strip_suffix(".service").is_some_and(|bare| pattern.matches(bare))
    };
    match (&record.service, &record.cgroup) {
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::process::{Service, StartTime};

    fn pattern(text: &str) -> Option<Pattern> {
        Some(Pattern::parse(text).unwrap())
    }

    /// `python3 /srv/notes/serve.py --port 7001`, with everything about it known.
    fn notes() -> ProcessRecord {
        let mut record = ProcessRecord::new(Pid(300), StartTime(9));
        record.argv = Some(["python3", "/srv/notes/serve.py", "--port", "7001"].map(RawText::from).to_vec());
        record.exe = Some("/usr/bin/python3.12".into());
        record.cwd = Some("/srv/notes".into());
        record.listening = Some(vec![7001]);
        record.cgroup = Some("/system.slice/notes.service".into());
        record
    }

    fn allows(rule: &AllowRule, record: &ProcessRecord) -> bool {
        rule.matches(Candidate { record, server: "notes", program: Some("serve.py") })
    }

    #[test]
    fn a_rule_without_fields_matches_nothing() {
        let rule = AllowRule { reason: Some("all of it".into()), ..AllowRule::default() };
        assert!(!rule.asks_something());
        assert!(!allows(&rule, &notes()));
    }

    #[test]
    fn each_field_alone_matches_what_it_names_and_nothing_else() {
        type Make = fn(&str) -> AllowRule;
        let fields: [(Make, &[&str], &[&str]); 6] = [
            (
                |text| AllowRule { name: pattern(text), ..AllowRule::default() },
                &["notes", "n*", "re:^no"],
                &["note", "serve.py"],
            ),
            (
                |text| AllowRule { command: pattern(text), ..AllowRule::default() },
                &[
                    "serve.py",
                    "*notes/serve.py*",
                    "python3 /srv/notes/serve.py --port 7001",
                    "re:--port 70+1",
                ],
                &["python3", "notes", "/srv/notes/serve.py"],
            ),
            (
                |text| AllowRule { exe: pattern(text), ..AllowRule::default() },
                &["/usr/bin/python3.12", "/usr/bin/*"],
                &["python3.12", "/usr/bin/python3"],
            ),
            (
                |text| AllowRule { unit: pattern(text), ..AllowRule::default() },
                &["notes.service", "notes", "note?"],
                &["notes.service.d", "system.slice"],
            ),
            (
                |text| AllowRule { cwd: pattern(text), ..AllowRule::default() },
                &["/srv/notes", "/srv/*"],
                &["/srv", "/srv/notes/"],
            ),
            (|text| AllowRule { label: pattern(text), ..AllowRule::default() }, &[], &["notes", "*"]),
        ];
        for (make, yes, no) in fields {
            for text in yes {
                assert!(allows(&make(text), &notes()), "{text} in {:?}", make(text));
                assert!(make(text).asks_something());
            }
            for text in no {
                assert!(!allows(&make(text), &notes()), "{text} in {:?}", make(text));
            }
        }
    }

    #[test]
    fn a_port_must_be_one_it_listens_on() {
        assert!(allows(&AllowRule { port: Some(7001), ..AllowRule::default() }, &notes()));
        assert!(!allows(&AllowRule { port: Some(7002), ..AllowRule::default() }, &notes()));
    }

    #[test]
    fn a_pid_file_names_one_process_and_no_file_names_none() {
        let rule = |pid| AllowRule { pid_file: Some(("/run/notes.pid".into(), pid)), ..AllowRule::default() };
        assert!(allows(&rule(Some(Pid(300))), &notes()));
        assert!(!allows(&rule(Some(Pid(301))), &notes()));
        assert!(!allows(&rule(None), &notes()));
    }

    #[test]
    fn every_field_given_must_match() {
        let rule = AllowRule { name: pattern("notes"), port: Some(7001), ..AllowRule::default() };
        assert!(allows(&rule, &notes()));
        assert!(!allows(&AllowRule { port: Some(80), ..rule.clone() }, &notes()));
        assert!(!allows(&AllowRule { name: pattern("other"), ..rule }, &notes()));
    }

    #[test]
    fn what_could_not_be_read_never_matches_on_its_own() {
        let record = ProcessRecord::new(Pid(300), StartTime(9));
        for rule in [
            AllowRule { port: Some(7001), ..AllowRule::default() },
            AllowRule { exe: pattern("*"), ..AllowRule::default() },
            AllowRule { cwd: pattern("*"), ..AllowRule::default() },
            AllowRule { unit: pattern("*"), ..AllowRule::default() },
            AllowRule { label: pattern("*"), ..AllowRule::default() },
            AllowRule { command: pattern("*python*"), ..AllowRule::default() },
            AllowRule { port: Some(7001), exe: pattern("*"), cwd: pattern("*"), ..AllowRule::default() },
        ] {
            assert!(!allows(&rule, &record), "{rule:?}");
        }
    }

    #[test]
    fn what_could_not_be_read_leaves_the_word_to_the_other_fields() {
        let record = ProcessRecord::new(Pid(300), StartTime(9));
        let rule = AllowRule { name: pattern("notes"), port: Some(7001), ..AllowRule::default() };
        assert!(allows(&rule, &record));
        assert!(!allows(&AllowRule { name: pattern("other"), ..rule.clone() }, &record));
        let two = AllowRule { pid_file: Some(("/run/x".into(), Some(Pid(1)))), ..rule };
        assert!(!allows(&two, &record));
    }

    #[test]
    fn a_command_line_that_could_not_be_read_still_has_its_program() {
        let record = ProcessRecord::new(Pid(300), StartTime(9));
        let rule = AllowRule { command: pattern("serve.py"), ..AllowRule::default() };
        assert!(allows(&rule, &record));
        assert!(!rule.matches(Candidate { record: &record, server: "notes", program: None }));
    }

    #[test]
    fn a_rewritten_title_is_matched_without_its_padding() {
        let mut record = notes();
        record.argv = Some(["npm exec notes-mcp /srv", "", "", ""].map(RawText::from).to_vec());
        assert!(allows(
            &AllowRule { command: pattern("npm exec notes-mcp /srv"), ..AllowRule::default() },
            &record
        ));
    }

    #[test]
    fn a_replaced_executable_is_still_the_one_that_was_named() {
        let mut record = notes();
        record.exe = Some("/usr/bin/python3.12 (deleted)".into());
        assert!(allows(&AllowRule { exe: pattern("/usr/bin/python3.12"), ..AllowRule::default() }, &record));
    }

    #[test]
    fn the_unit_is_the_one_told_or_the_innermost_of_the_control_group() {
        let rule = |text| AllowRule { unit: pattern(text), ..AllowRule::default() };
        let mut record = notes();
        record.cgroup = Some("/user.slice/user@1000.service/app.slice/notes.service/worker".into());
        assert!(allows(&rule("notes"), &record));
        assert!(!allows(&rule("user@1000.service"), &record));
        record.cgroup = None;
        record.service =
            Some(Service { manager: "systemd".into(), name: "gate.service".into(), main_pid: None });
        assert!(allows(&rule("gate"), &record));
        assert!(!allows(&rule("notes"), &record));
    }

    #[test]
    fn a_label_belongs_to_launchd_alone() {
        let rule = AllowRule { label: pattern("com.example.notes"), ..AllowRule::default() };
        let mut record = notes();
        record.cgroup = None;
        let service = |manager: &str| {
            Some(Service { manager: manager.into(), name: "com.example.notes".into(), main_pid: None })
        };
        record.service = service("launchd");
        assert!(allows(&rule, &record));
        assert!(!allows(&AllowRule { unit: pattern("*"), ..AllowRule::default() }, &record));
        record.service = service("systemd");
        assert!(!allows(&rule, &record));
    }
}
