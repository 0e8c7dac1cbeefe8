//! A settings text as Claude Code reads it: `hooks`, their events, each a list of groups, each with a
//! list of entries; which of those are ours, and the text with or without them.

use std::ops::Range;

use serde_json::{Value, json};

use super::entry::{EVENTS, is_ours};
use super::error::SettingsError;
use super::json::{Document, Member, Raw, elements, member, members, string};
use super::layout::{self, Fate, Style};

/// The text and where its values stand.
pub(super) struct Settings<'a>(Document<'a>);

impl<'a> Settings<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Settings<'a>, SettingsError> {
        Document::parse(text).map(Settings)
    }

    pub(super) fn root(&self) -> Result<Option<Raw<'a>>, SettingsError> {
        self.0.root.map(|root| self.expect(root, '{', "the value")).transpose()
    }

    fn hooks(&self) -> Result<Option<Raw<'a>>, SettingsError> {
        let hooks = self.root()?.and_then(|root| member(root, "hooks"));
        hooks.map(|hooks| self.expect(hooks, '{', "`hooks`")).transpose()
    }

    fn event(&self, event: &str) -> Result<Option<Raw<'a>>, SettingsError> {
        let groups = self.hooks()?.and_then(|hooks| member(hooks, event));
        groups.map(|groups| self.expect(groups, '[', &format!("`hooks.{event}`"))).transpose()
    }

    /// The value, if it begins with this bracket.
    fn expect(&self, value: Raw<'a>, bracket: char, what: &str) -> Result<Raw<'a>, SettingsError> {
        if value.get().starts_with(bracket) {
            return Ok(value);
        }
        let (line, column) = self.0.position(value);
        let expected = if bracket == '{' { "an object" } else { "an array" };
        Err(SettingsError::Shape { what: what.to_owned(), expected, line, column })
    }

    /// Our entries of an event: where the program's path stands, and the path.
    pub(super) fn entries(&self, event: &str) -> Result<Vec<(Range<usize>, String)>, SettingsError> {
        let ours = self.event(event)?.map(ours_below).unwrap_or_default();
        Ok(ours.into_iter().map(|(command, program)| (self.0.span(command), program)).collect())
    }

    /// The text with a group put last into an event, and what is missing on the way made.
    pub(super) fn with(&self, event: &str, group: Value) -> Result<String, SettingsError> {
        let style = Style::of(&self.0);
        let put = |container: Raw<'_>, key, value: &Value| {
            let below: Vec<Range<usize>> = match key {
                Some(_) => members(container).iter().map(|member| self.0.span_of_member(member)).collect(),
                None => elements(container).into_iter().map(|element| self.0.span(element)).collect(),
            };
            style.put_last(self.0.span(container), &below, key, value)
        };
        Ok(match (self.root()?, self.hooks()?, self.event(event)?) {
            (_, _, Some(groups)) => put(groups, None, &group),
            (_, Some(hooks), None) => put(hooks, Some(event), &json!([group])),
            (Some(root), None, None) => put(root, Some("hooks"), &json!({event: [group]})),
            (None, None, None) => {
                let blank = self.0.text.trim_start_matches('\u{feff}');
                let mark = &self.0.text[..self.0.text.len() - blank.len()];
                format!("{mark}{}{blank}", style.alone(&json!({"hooks": {event: [group]}})))
            }
        })
    }

    /// Every event that has entries of ours, once each, in the order of the text; duplicates that do
    /// not count are looked into as well.
    pub(super) fn events_of_ours(&self) -> Vec<String> {
        let root = self.0.root.map(members).unwrap_or_default();
        let hooks = root.into_iter().filter(|member| member.is("hooks"));
        let mut found = Vec::new();
        for event in hooks.flat_map(|hooks| members(hooks.value)) {
            let Some(key) = event.key().filter(|key| !found.contains(key)) else { continue };
            if !ours_below(event.value).is_empty() {
                found.push(key);
            }
        }
        found
    }

    /// The text without our entries, and without the containers that an install makes for them.
    pub(super) fn without(&self) -> String {
        let Some(root) = self.0.root else { return self.0.text.to_owned() };
        let members_of_root = members(root);
        // Were there a second one, then without this one that would begin to count.
        let only = members_of_root.iter().filter(|member| member.is("hooks")).count() == 1;
        let fates = members_of_root.iter().map(|member| {
            let fate = if member.is("hooks") { self.fate_of_hooks(member.value, only) } else { stays() };
            (self.0.span_of_member(member), fate)
        });
        match layout::container(self.0.span(root), fates.collect(), false) {
            Fate::Stays(cuts) => layout::without(self.0.text, &cuts),
            Fate::Gone => String::new(),
        }
    }

    fn fate_of_hooks(&self, hooks: Raw<'_>, made: bool) -> Fate {
        let events = members(hooks);
        let fates = events.iter().map(|event| {
            let twins = events.iter().filter(|other| other.key() == event.key()).count();
            let made = twins == 1 && EVENTS.iter().any(|ours| event.is(ours));
            let groups = elements(event.value).into_iter();
            let fates = groups.map(|group| (self.0.span(group), self.fate_of_group(group)));
            let fate = layout::container(self.0.span(event.value), fates.collect(), made);
            (self.0.span_of_member(event), fate)
        });
        layout::container(self.0.span(hooks), fates.collect(), made)
    }

    fn fate_of_group(&self, group: Raw<'_>) -> Fate {
        let members = members(group);
        let Some(hooks) = members.iter().rfind(|member| member.is("hooks")) else { return stays() };
        // An install writes nothing else into a group.
        let ours = |member: &Member<'_>| member.is("matcher") && member.value.get() == "\"\"";
        let bare = members.iter().all(|member| std::ptr::eq(member, hooks) || ours(member));
        let entries = elements(hooks.value).into_iter().map(|entry| {
            (self.0.span(entry), if our_program(entry).is_some() { Fate::Gone } else { stays() })
        });
        layout::container(self.0.span(hooks.value), entries.collect(), bare)
    }
}

fn stays() -> Fate {
    Fate::Stays(Vec::new())
}

/// Our entries in an event's array: the program's path as it stands, and what it means.
fn ours_below(groups: Raw<'_>) -> Vec<(Raw<'_>, String)> {
    let lists = elements(groups).into_iter().filter_map(|group| member(group, "hooks"));
    lists.flat_map(elements).filter_map(our_program).collect()
}

/// The program's path, if an entry is ours.
fn our_program(entry: Raw<'_>) -> Option<(Raw<'_>, String)> {
    let command = member(entry, "command")?;
    let (kind, program) = (string(member(entry, "type")?)?, string(command)?);
    let args: Option<Vec<String>> = elements(member(entry, "args")?).into_iter().map(string).collect();
    is_ours(&kind, &program, &args?).then_some((command, program))
}
