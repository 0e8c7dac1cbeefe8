//! A settings text as a client reads it: `hooks` has events, each with a list of groups, each with a list of entries
//! (with Cursor each event has a list of entries). Finds our entries, inserts them and removes them.

use std::ops::Range;

use serde_json::{Value, json};

use super::client::HookClient;
use super::error::SettingsError;
use super::json::{Document, Member, Raw, elements, member, members, string};
use super::layout::{self, Fate, Style};

/// The text and the positions of its values.
pub(super) struct Settings<'a> {
    document: Document<'a>,
    client: HookClient,
}

impl<'a> Settings<'a> {
    pub(super) fn parse(client: HookClient, text: &'a str) -> Result<Settings<'a>, SettingsError> {
        Ok(Settings { document: Document::parse(text)?, client })
    }

    pub(super) fn root(&self) -> Result<Option<Raw<'a>>, SettingsError> {
        self.document.root.map(|root| self.expect(root, '{', "the value")).transpose()
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
        let (line, column) = self.document.position(value);
        let expected = if bracket == '{' { "an object" } else { "an array" };
        Err(SettingsError::Shape { what: what.to_owned(), expected, line, column })
    }

    /// Our entries of an event: the bytes of the `command`, and the program's path.
    pub(super) fn entries(&self, event: &str) -> Result<Vec<(Range<usize>, String)>, SettingsError> {
        let ours = self.event(event)?.map(|items| self.ours_below(items)).unwrap_or_default();
        Ok(ours.into_iter().map(|(command, program)| (self.document.span(command), program)).collect())
    }

    /// The text with a group added as the last of an event. Missing containers are created.
    pub(super) fn with(&self, event: &str, group: Value) -> Result<String, SettingsError> {
        let text = match (self.root()?, self.hooks()?, self.event(event)?) {
            (_, _, Some(groups)) => self.put(groups, None, &group),
            (_, Some(hooks), None) => self.put(hooks, Some(event), &json!([group])),
            (Some(root), None, None) => self.put(root, Some("hooks"), &json!({event: [group]})),
            (None, None, None) => {
                let blank = self.document.text.trim_start_matches('\u{feff}');
                let mark = &self.document.text[..self.document.text.len() - blank.len()];
                let mut whole = serde_json::Map::from_iter(
                    self.client.required().map(|(key, value)| (key.to_owned(), value)),
                );
                whole.insert("hooks".to_owned(), json!({event: [group]}));
                return Ok(format!("{mark}{}{blank}", Style::of(&self.document).alone(&whole.into())));
            }
        };
        let settings = Settings::parse(self.client, &text)?;
        Ok(match (self.client.required(), settings.root()?) {
            (Some((key, value)), Some(root)) if member(root, key).is_none() => {
                settings.put(root, Some(key), &value)
            }
            _ => text,
        })
    }

    /// The text with a value added as the last of a container.
    fn put(&self, container: Raw<'_>, key: Option<&str>, value: &Value) -> String {
        let below: Vec<Range<usize>> = match key {
            Some(_) => members(container).iter().map(|member| self.document.span_of_member(member)).collect(),
            None => elements(container).into_iter().map(|element| self.document.span(element)).collect(),
        };
        Style::of(&self.document).put_last(self.document.span(container), &below, key, value)
    }

    /// Every event that has entries of ours, once, in the order of the text. Duplicate keys, which the client ignores,
    /// are searched too.
    pub(super) fn events_of_ours(&self) -> Vec<String> {
        let root = self.document.root.map(members).unwrap_or_default();
        let hooks = root.into_iter().filter(|member| member.is("hooks"));
        let mut found = Vec::new();
        for event in hooks.flat_map(|hooks| members(hooks.value)) {
            let Some(key) = event.key().filter(|key| !found.contains(key)) else { continue };
            if !self.ours_below(event.value).is_empty() {
                found.push(key);
            }
        }
        found
    }

    /// The text without our entries, and without the containers that an install makes for them.
    pub(super) fn without(&self) -> String {
        let Some(root) = self.document.root else { return self.document.text.to_owned() };
        let members_of_root = members(root);
        // If there is a second `hooks`, the client would read that one when this one is removed.
        let only = members_of_root.iter().filter(|member| member.is("hooks")).count() == 1;
        let fates = members_of_root.iter().map(|member| {
            let fate = if member.is("hooks") { self.fate_of_hooks(member.value, only) } else { stays() };
            (self.document.span_of_member(member), fate)
        });
        match layout::container(self.document.span(root), fates.collect(), false) {
            Fate::Stays(cuts) => layout::without(self.document.text, &cuts),
            Fate::Gone => String::new(),
        }
    }

    fn fate_of_hooks(&self, hooks: Raw<'_>, made: bool) -> Fate {
        let events = members(hooks);
        let fates = events.iter().map(|event| {
            let twins = events.iter().filter(|other| other.key() == event.key()).count();
            let made = twins == 1 && self.client.events().iter().any(|ours| event.is(ours));
            let groups = elements(event.value).into_iter();
            let key = event.key().unwrap_or_default();
            let fates = groups.map(|group| (self.document.span(group), self.fate_of_group(&key, group)));
            let fate = layout::container(self.document.span(event.value), fates.collect(), made);
            (self.document.span_of_member(event), fate)
        });
        layout::container(self.document.span(hooks), fates.collect(), made)
    }

    fn fate_of_group(&self, event: &str, group: Raw<'_>) -> Fate {
        if !self.client.has_groups() {
            return self.fate_of_entry(group);
        }
        let members = members(group);
        let Some(hooks) = members.iter().rfind(|member| member.is("hooks")) else { return stays() };
        // An install writes only this matcher beside the entries. A group with anything else stays, also without
        // entries.
        let matcher = self.client.matcher(event);
        let ours = |member: &Member<'_>| member.is("matcher") && string(member.value).as_deref() == matcher;
        let bare = members.iter().all(|member| std::ptr::eq(member, hooks) || ours(member));
        let entries = elements(hooks.value)
            .into_iter()
            .map(|entry| (self.document.span(entry), self.fate_of_entry(entry)));
        layout::container(self.document.span(hooks.value), entries.collect(), bare)
    }

    fn fate_of_entry(&self, entry: Raw<'_>) -> Fate {
        if self.our_program(entry).is_some() { Fate::Gone } else { stays() }
    }

    /// Our entries in the array of an event: the `command`, and the program in it.
    fn ours_below<'r>(&self, items: Raw<'r>) -> Vec<(Raw<'r>, String)> {
        self.entries_below(items).into_iter().flatten().filter_map(|entry| self.our_program(entry)).collect()
    }

    /// All entries in an event's array, by group.
    fn entries_below<'r>(&self, items: Raw<'r>) -> Vec<Vec<Raw<'r>>> {
        let items = elements(items).into_iter();
        if self.client.has_groups() {
            items.map(|group| member(group, "hooks").map(elements).unwrap_or_default()).collect()
        } else {
            items.map(|entry| vec![entry]).collect()
        }
    }

    /// The program, if an entry is ours.
    fn our_program<'r>(&self, entry: Raw<'r>) -> Option<(Raw<'r>, String)> {
        let command = member(entry, "command")?;
        let kind = match member(entry, "type") {
            Some(kind) => Some(string(kind)?),
            None => None,
        };
        let args = match member(entry, "args") {
            Some(args) if args.get().starts_with('[') => {
                Some(elements(args).into_iter().map(string).collect::<Option<Vec<String>>>()?)
            }
            Some(_) => return None,
            None => None,
        };
        let program = self.client.our_program(kind.as_deref(), &string(command)?, args.as_deref())?;
        Some((command, program))
    }

    /// The positions of our entries of an event: the index of the group and of the entry in it.
    pub(super) fn positions(&self, event: &str) -> Result<Vec<(usize, usize)>, SettingsError> {
        let groups = self.event(event)?.map(|items| self.entries_below(items)).unwrap_or_default();
        let ours = |(group, entries): (usize, Vec<Raw<'_>>)| {
            let ours = entries.into_iter().enumerate().filter(|(_, entry)| self.our_program(entry).is_some());
            ours.map(|(entry, _)| (group, entry)).collect::<Vec<_>>()
        };
        Ok(groups.into_iter().enumerate().flat_map(ours).collect())
    }

    /// Does this text switch off all hooks, or ours?
    pub(super) fn disabled(&self) -> Result<bool, SettingsError> {
        let Some(root) = self.root()? else { return Ok(false) };
        Ok(match self.client {
            HookClient::ClaudeCode => {
                member(root, "disableAllHooks").is_some_and(|value| value.get() == "true")
            }
            HookClient::GeminiCli => member(root, "hooksConfig").is_some_and(|config| {
                let off = member(config, "enabled").is_some_and(|value| value.get() == "false");
                let names = member(config, "disabled").map(elements).unwrap_or_default();
                off || names.into_iter().any(|name| string(name).as_deref() == Some("mcp-reap"))
            }),
            HookClient::Codex | HookClient::Cursor => false,
        })
    }
}

fn stays() -> Fate {
    Fate::Stays(Vec::new())
}
