//! Claude Code's settings, as text in and text out: our two entries are put in and taken out, and
//! every other byte stays as it is.
//!
//! An entry is ours if it runs a program called `mcp-reap` with the arguments `hook run`, and nothing
//! else is. The form is that of <https://code.claude.com/docs/en/hooks>: with `args` no shell is
//! involved, so no path needs quoting.
//!
//! ```
//! use std::path::Path;
//! use mcp_reap::hook::settings::{HookCommand, install, uninstall};
//!
//! let command = HookCommand::new(Path::new("/usr/local/bin/mcp-reap"))?;
//! let before = "{\n  \"model\": \"opus\"\n}\n";
//! let installed = install(before, &command)?.text;
//! assert!(installed.contains("SessionEnd"));
//! assert_eq!(uninstall(&installed)?.text, before);
//! # Ok::<(), mcp_reap::hook::settings::SettingsError>(())
//! ```

use std::path::Path;

use serde_json::{Value, json};
use thiserror::Error;

use super::json::{Document, Member, Span};
use super::layout::{self, Fate, Style};

/// The events an install listens to: the end of a session leaves servers behind, and at its start
/// those are found that a crash left (no hook runs then).
pub const EVENTS: [&str; 2] = ["SessionEnd", "SessionStart"];

/// What makes an entry ours, besides the arguments.
const PROGRAM: &str = "mcp-reap";
const ARGS: [&str; 2] = ["hook", "run"];

/// In seconds. All SessionEnd hooks together have 1.5 s unless an entry asks for more.
const TIMEOUT: u32 = 10;

/// The program a hook runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCommand {
    program: String,
}

impl HookCommand {
    /// The program at this path, with the arguments `hook run`.
    ///
    /// # Errors
    /// When the path is not absolute, is not Unicode (JSON cannot say it), or ends in another name
    /// than `mcp-reap` (then the entry would not be found again).
    pub fn new(program: &Path) -> Result<HookCommand, SettingsError> {
        let text = program.to_str().filter(|_| program.is_absolute());
        match text {
            Some(text) if is_our_program(text) => Ok(HookCommand { program: text.to_owned() }),
            _ => Err(SettingsError::Program { program: program.to_string_lossy().into_owned() }),
        }
    }

    /// The path.
    #[must_use]
    pub fn program(&self) -> &Path {
        Path::new(&self.program)
    }

    /// The group of one entry that an event's array gets.
    fn group(&self) -> Value {
        json!({
            "matcher": "",
            "hooks": [{"type": "command", "command": self.program, "args": ARGS, "timeout": TIMEOUT}],
        })
    }
}

/// A text after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// All of it.
    pub text: String,
    /// What is different; empty when nothing is.
    pub deeds: Vec<Deed>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The entry of an event was put in.
    Added {
        /// The event.
        event: &'static str,
    },
    /// An entry ran the program from another place, and runs it from here now.
    Moved {
        /// The event.
        event: &'static str,
        /// The other place.
        from: String,
    },
    /// The entries of an event were taken out.
    Removed {
        /// The event, which may be any: an entry is ours wherever the person moved it.
        event: String,
    },
}

/// What a settings text says of us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// At the end of a session.
    pub session_end: Presence,
    /// At its start.
    pub session_start: Presence,
    /// `disableAllHooks` is true: nothing runs, whatever is installed.
    pub hooks_disabled: bool,
}

/// Whether an event has our entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// No.
    Absent,
    /// Yes, and it runs this program.
    Installed,
    /// Yes, but it runs the program that stands here.
    OtherBinary(String),
}

/// Why a text is not touched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// Not JSON. Comments are none; Claude Code ignores a settings file that has one.
    #[error("not valid JSON at line {line}, column {column}: {reason}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// JSON, but not of the shape Claude Code reads.
    #[error("{what} at line {line}, column {column} is not {expected}")]
    Shape {
        /// What was looked at.
        what: String,
        /// What it should be.
        expected: &'static str,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// The program's path cannot stand in a hook.
    #[error("hook program `{program}` is not an absolute Unicode path to a file named {PROGRAM}")]
    Program {
        /// The path.
        program: String,
    },
}

/// Puts our entries in, or brings their path up to date. A second time changes nothing.
///
/// # Errors
/// When the text is not JSON or not of the shape of settings. Nothing is guessed or repaired.
pub fn install(text: &str, command: &HookCommand) -> Result<Change, SettingsError> {
    let mut change = Change { text: text.to_owned(), deeds: Vec::new() };
    for event in EVENTS {
        // One after the other, so that each can be undone on its own: see `layout`.
        let next = install_event(&change.text, event, command)?;
        change.deeds.extend(next.deeds);
        change.text = next.text;
    }
    Ok(change)
}

/// Takes our entries out, and the containers that an install made for them. What an install put in
/// comes out to the byte.
///
/// # Errors
/// When the text is not JSON. A shape that Claude Code would not read has nothing of ours in it.
pub fn uninstall(text: &str) -> Result<Change, SettingsError> {
    let settings = Settings::parse(text)?;
    let mut change = Change { text: settings.without(|event| !EVENTS.contains(&event)), deeds: Vec::new() };
    if change.text != text {
        let events = settings.all_events();
        let ours = events.into_iter().filter(|(event, groups)| {
            !EVENTS.contains(&event.as_str()) && settings.ours_below(*groups).next().is_some()
        });
        change.deeds.extend(ours.map(|(event, _)| Deed::Removed { event }));
    }
    // In the opposite order to an install, one after the other.
    for event in EVENTS.into_iter().rev() {
        let left = Settings::parse(&change.text)?.without(|other| other == event);
        if left != change.text {
            change.text = left;
            change.deeds.push(Deed::Removed { event: event.to_owned() });
        }
    }
    Ok(change)
}

/// What the text says of us.
///
/// # Errors
/// When the text is not JSON or not of the shape of settings.
pub fn status(text: &str, command: &HookCommand) -> Result<Status, SettingsError> {
    let settings = Settings::parse(text)?;
    let presence = |event| {
        let ours = settings.entries(event)?;
        let other = ours.first().map(|(_, program)| Presence::OtherBinary(program.clone()));
        let here = ours.iter().any(|(_, program)| *program == command.program);
        Ok(if here { Presence::Installed } else { other.unwrap_or(Presence::Absent) })
    };
    let disabled = settings.root()?.and_then(|root| settings.document.member(root, "disableAllHooks"));
    Ok(Status {
        session_end: presence(EVENTS[0])?,
        session_start: presence(EVENTS[1])?,
        hooks_disabled: disabled.is_some_and(|member| settings.document.raw(member.value) == "true"),
    })
}

fn install_event(text: &str, event: &'static str, command: &HookCommand) -> Result<Change, SettingsError> {
    let settings = Settings::parse(text)?;
    let entries = settings.entries(event)?;
    if entries.is_empty() {
        let text = settings.with(event, command.group())?;
        return Ok(Change { text, deeds: vec![Deed::Added { event }] });
    }
    let mut change = Change { text: text.to_owned(), deeds: Vec::new() };
    // From the last to the first, so that the places of the others stay true.
    for (program, from) in entries.into_iter().rev().filter(|(_, program)| *program != command.program) {
        let value = Value::from(command.program.as_str()).to_string();
        change.text.replace_range(program.start..program.end, &value);
        change.deeds.push(Deed::Moved { event, from });
    }
    Ok(change)
}

/// A settings text, as Claude Code would read it.
struct Settings<'a> {
    text: &'a str,
    document: Document<'a>,
}

impl<'a> Settings<'a> {
    fn parse(text: &'a str) -> Result<Settings<'a>, SettingsError> {
        Ok(Settings { text, document: Document::parse(text)? })
    }

    fn root(&self) -> Result<Option<Span>, SettingsError> {
        let root = self.document.root;
        root.map(|root| self.expect(root, self.document.is_object(root), "the value", "an object"))
            .transpose()
    }

    fn hooks(&self) -> Result<Option<Span>, SettingsError> {
        let hooks = self.root()?.and_then(|root| self.document.member(root, "hooks"));
        hooks
            .map(|hooks| {
                self.expect(hooks.value, self.document.is_object(hooks.value), "`hooks`", "an object")
            })
            .transpose()
    }

    fn event(&self, event: &str) -> Result<Option<Span>, SettingsError> {
        let member = self.hooks()?.and_then(|hooks| self.document.member(hooks, event));
        member
            .map(|member| {
                let array = self.document.is_array(member.value);
                self.expect(member.value, array, &format!("`hooks.{event}`"), "an array")
            })
            .transpose()
    }

    fn expect(
        &self,
        span: Span,
        holds: bool,
        what: &str,
        expected: &'static str,
    ) -> Result<Span, SettingsError> {
        if holds {
            return Ok(span);
        }
        let (line, column) = self.document.position(span.start);
        Err(SettingsError::Shape { what: what.to_owned(), expected, line, column })
    }

    /// Our entries of an event: where the program's path stands, and the path.
    fn entries(&self, event: &str) -> Result<Vec<(Span, String)>, SettingsError> {
        Ok(self.event(event)?.into_iter().flat_map(|groups| self.ours_below(groups)).collect())
    }

    /// Our entries in an event's array.
    fn ours_below(&self, groups: Span) -> impl Iterator<Item = (Span, String)> + '_ {
        let groups = self.document.elements(groups).into_iter();
        let lists = groups.filter_map(|group| self.document.member(group, "hooks"));
        let entries = lists.flat_map(|hooks| self.document.elements(hooks.value));
        entries.filter_map(|entry| self.ours(entry))
    }

    /// The program's path, if an entry is ours.
    fn ours(&self, entry: Span) -> Option<(Span, String)> {
        let document = &self.document;
        let value = |key| document.member(entry, key).map(|member| member.value);
        let command = value("command")?;
        let program = document.string(command).filter(|program| is_our_program(program))?;
        let args: Option<Vec<String>> =
            document.elements(value("args")?).into_iter().map(|arg| document.string(arg)).collect();
        let ours = document.string(value("type")?).as_deref() == Some("command") && args? == ARGS;
        ours.then_some((command, program))
    }

    /// The text with a group put last into an event, and what is missing on the way made.
    fn with(&self, event: &str, group: Value) -> Result<String, SettingsError> {
        let style = Style::of(self.text, &self.document);
        let wholes = |object| -> Vec<Span> {
            self.document.members(object).into_iter().map(|member| member.whole).collect()
        };
        Ok(match (self.root()?, self.hooks()?, self.event(event)?) {
            (_, _, Some(groups)) => {
                style.put_last(groups, &self.document.elements(groups), false, None, &group)
            }
            (_, Some(hooks), None) => {
                style.put_last(hooks, &wholes(hooks), false, Some(event), &json!([group]))
            }
            (Some(root), None, None) => {
                style.put_last(root, &wholes(root), true, Some("hooks"), &json!({event: [group]}))
            }
            (None, None, None) => {
                let blank = self.text.trim_start_matches('\u{feff}');
                let mark = &self.text[..self.text.len() - blank.len()];
                format!("{mark}{}{blank}", style.alone(&json!({"hooks": {event: [group]}})))
            }
        })
    }

    /// Every event of every `hooks`, duplicates that do not count, too.
    fn all_events(&self) -> Vec<(String, Span)> {
        let root = self.document.root.map(|root| self.document.members(root)).unwrap_or_default();
        let hooks = root.into_iter().filter(|member| is(member, "hooks"));
        let events = hooks.flat_map(|hooks| self.document.members(hooks.value));
        events.filter_map(|event| Some((event.key?, event.value))).collect()
    }

    /// The text without our entries in these events.
    fn without(&self, goes: impl Fn(&str) -> bool) -> String {
        let Some(root) = self.document.root else { return self.text.to_owned() };
        let members = self.document.members(root);
        // Were there a second one, then without this one that would begin to count.
        let only_hooks = members.iter().filter(|member| is(member, "hooks")).count() == 1;
        let fates = members.iter().map(|hooks| {
            if !is(hooks, "hooks") {
                return (hooks.whole, Fate::Stays(Vec::new()));
            }
            let events = self.document.members(hooks.value);
            let fates = events.iter().map(|member| {
                let Some(event) = member.key.as_deref().filter(|event| goes(event)) else {
                    return (member.whole, Fate::Stays(Vec::new()));
                };
                let only = || events.iter().filter(|other| is(other, event)).count() == 1;
                (member.whole, self.fate_of_event(member.value, EVENTS.contains(&event) && only()))
            });
            (hooks.whole, layout::container(self.text, hooks.value, fates.collect(), only_hooks))
        });
        let cuts = layout::outermost(self.text, root, fates.collect());
        layout::without(self.text, &cuts)
    }

    fn fate_of_event(&self, groups: Span, made: bool) -> Fate {
        let fates =
            self.document.elements(groups).into_iter().map(|group| (group, self.fate_of_group(group)));
        layout::container(self.text, groups, fates.collect(), made)
    }

    fn fate_of_group(&self, group: Span) -> Fate {
        let document = &self.document;
        let members = document.members(group);
        let Some(hooks) = members.iter().rfind(|member| is(member, "hooks")) else {
            return Fate::Stays(Vec::new());
        };
        // Whatever else stands in a group was put there by somebody.
        let bare = members
            .iter()
            .all(|member| member == hooks || is(member, "matcher") && document.raw(member.value) == "\"\"");
        let entries = document.elements(hooks.value).into_iter().map(|entry| {
            let fate = if self.ours(entry).is_some() { Fate::Gone } else { Fate::Stays(Vec::new()) };
            (entry, fate)
        });
        layout::container(self.text, hooks.value, entries.collect(), bare)
    }
}

fn is(member: &Member, key: &str) -> bool {
    member.key.as_deref() == Some(key)
}

fn is_our_program(path: &str) -> bool {
    path.rsplit('/').next() == Some(PROGRAM)
}
