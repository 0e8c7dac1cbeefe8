//! A settings text as Claude Code reads it: `hooks`, their events, each a list of groups, each with a
//! list of entries; which of those are ours, and the text with or without them.

use serde_json::{Value, json};

use super::json::{Document, Member, Span};
use super::layout::{self, Fate, Style};
use super::settings::{ARGS, EVENTS, SettingsError, is_our_program};

/// The text and where its values stand.
pub(super) struct Settings<'a> {
    pub(super) text: &'a str,
    pub(super) document: Document<'a>,
}

impl<'a> Settings<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Settings<'a>, SettingsError> {
        Ok(Settings { text, document: Document::parse(text)? })
    }

    pub(super) fn root(&self) -> Result<Option<Span>, SettingsError> {
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
    pub(super) fn entries(&self, event: &str) -> Result<Vec<(Span, String)>, SettingsError> {
        Ok(self.event(event)?.into_iter().flat_map(|groups| self.ours_below(groups)).collect())
    }

    /// Our entries in an event's array.
    pub(super) fn ours_below(&self, groups: Span) -> impl Iterator<Item = (Span, String)> + '_ {
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
    pub(super) fn with(&self, event: &str, group: Value) -> Result<String, SettingsError> {
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
    pub(super) fn all_events(&self) -> Vec<(String, Span)> {
        let root = self.document.root.map(|root| self.document.members(root)).unwrap_or_default();
        let hooks = root.into_iter().filter(|member| is(member, "hooks"));
        let events = hooks.flat_map(|hooks| self.document.members(hooks.value));
        events.filter_map(|event| Some((event.key?, event.value))).collect()
    }

    /// The text without our entries in these events.
    pub(super) fn without(&self, goes: impl Fn(&str) -> bool) -> String {
        let Some(root) = self.document.root else { return self.text.to_owned() };
        let members = self.document.members(root);
        // Were there a second one, then without this one that would begin to count.
        let only_hooks = members.iter().filter(|member| is(member, "hooks")).count() == 1;
        let fates = members.iter().map(|hooks| {
            if !is(hooks, "hooks") {
                return (hooks.whole, Fate::Stays(Vec::new()));
            }
            let events = self.document.members(hooks.value);
            let single: Vec<&str> = EVENTS
                .into_iter()
                .filter(|event| events.iter().filter(|member| is(member, event)).count() == 1)
                .collect();
            let fates = events.iter().map(|member| {
                let fate = match member.key.as_deref() {
                    Some(event) if goes(event) => self.fate_of_event(member.value, single.contains(&event)),
                    _ => Fate::Stays(Vec::new()),
                };
                (member.whole, fate)
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
