//! Parses one entry of a list of servers, in the dialect of any client.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::places::Os;

/// The only keys of an entry that are read. The parser skips everything else, above all `env` and `headers`, so it
/// never becomes a value in this process.
const KEYS: [&str; 16] = [
    "name",
    "command",
    "cmd",
    "path",
    "args",
    "url",
    "httpUrl",
    "serverUrl",
    "uri",
    "disabled",
    "enabled",
    "type",
    "transport",
    "platform_overrides",
    "darwin",
    "linux",
];

/// A value of any shape. Of a map only the keys in [`KEYS`] are kept.
pub(super) enum Loose {
    Text(String),
    Flag(bool),
    List(Vec<Loose>),
    Map(Vec<(String, Loose)>),
    Nothing,
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Loose, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Loose, E> {
        Ok(Loose::Flag(flag))
    }

    // A port written without quotes is an argument like any other.
    fn visit_i64<E>(self, number: i64) -> Result<Loose, E> {
        Ok(Loose::Text(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
        Ok(Loose::Text(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
        Ok(Loose::Text(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Loose, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Loose::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Loose, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = pairs.next_key::<String>()? {
            if KEYS.contains(&key.as_str()) {
                map.push((key, pairs.next_value()?));
            } else {
                pairs.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Loose::Map(map))
    }
}

impl Loose {
    /// The value of a key; the last one if the key occurs twice, as in parsers of JSON.
    fn get(&self, key: &str) -> Option<&Loose> {
        match self {
            Loose::Map(map) => map.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Loose::Text(text) => Some(text),
            _ => None,
        }
    }

    fn flag(&self) -> Option<bool> {
        match self {
            Loose::Flag(flag) => Some(*flag),
            Loose::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A command or its arguments: one word, or a list of them.
    fn words(&self) -> Vec<String> {
        match self {
            Loose::List(items) => items.iter().filter_map(Loose::word).collect(),
            other => other.word().into_iter().collect(),
        }
    }

    fn word(&self) -> Option<String> {
        match self {
            Loose::Text(word) => Some(word.clone()),
            Loose::Flag(flag) => Some(flag.to_string()),
            Loose::List(_) | Loose::Map(_) | Loose::Nothing => None,
        }
    }
}

/// A parsed entry.
pub(super) struct Entry {
    /// Its own name, in lists whose entries have no key.
    pub(super) name: Option<String>,
    /// The command lines that it starts: one, or two if this system has its own. None is empty.
    pub(super) argvs: Vec<Vec<String>>,
    /// Its address, if it starts nothing.
    pub(super) url: Option<String>,
    /// Whether it is switched off.
    pub(super) disabled: bool,
}

impl Entry {
    /// Parses an entry; `None` if it has neither a command nor an address.
    pub(super) fn read(loose: &Loose, os: Os) -> Option<Entry> {
        // Continue's older form puts everything under `transport`, which elsewhere is a word.
        let body = loose.get("transport").filter(|inner| matches!(inner, Loose::Map(_))).unwrap_or(loose);
        let plain = argv(body, None);
        let platform = match os {
            Os::Linux => "linux",
            Os::MacOs => "darwin",
        };
        let special = body
            .get("platform_overrides")
            .and_then(|all| all.get(platform))
            .and_then(|over| argv(body, Some(over)))
            .filter(|argv| Some(argv) != plain.as_ref());
        let argvs: Vec<_> = plain.into_iter().chain(special).collect();
        let url = ["url", "httpUrl", "serverUrl", "uri"]
            .into_iter()
            .find_map(|key| body.get(key)?.text())
            .filter(|url| !url.is_empty())
            .map(str::to_owned);
        if argvs.is_empty() && url.is_none() {
            return None;
        }
        let off = |key, when| loose.get(key).and_then(Loose::flag) == Some(when);
        Some(Entry {
            name: loose.get("name").and_then(Loose::text).map(str::to_owned),
            argvs,
            url,
            disabled: off("disabled", true) || off("enabled", false),
        })
    }
}

/// The argv of an entry. `over` has the values that replace some of it on this system.
fn argv(body: &Loose, over: Option<&Loose>) -> Option<Vec<String>> {
    let pick = |key| over.and_then(|over| over.get(key)).or_else(|| body.get(key));
    let command = pick("command").or_else(|| pick("cmd"))?;
    let mut argv = match command {
        // Zed's older form: {"path": "...", "args": [...]}.
        Loose::Map(_) => {
            let mut words: Vec<_> = command.get("path").and_then(Loose::word).into_iter().collect();
            words.extend(command.get("args").map(Loose::words).unwrap_or_default());
            words
        }
        _ => command.words(),
    };
    argv.extend(pick("args").map(Loose::words).unwrap_or_default());
    argv.first().is_some_and(|program| !program.is_empty()).then_some(argv)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entry(json: &str, os: Os) -> Option<Entry> {
        Entry::read(&serde_json::from_str(json).unwrap(), os)
    }

    #[test]
    fn a_command_is_understood_in_every_dialect() {
        for (json, argv) in [
            (r#"{"command":"npx","args":["-y","a"]}"#, vec!["npx", "-y", "a"]),
            (r#"{"command":["bun","x","a"]}"#, vec!["bun", "x", "a"]),
            (r#"{"command":["bun","x"],"args":["a"]}"#, vec!["bun", "x", "a"]),
            (r#"{"cmd":"uvx","args":["a"],"type":"stdio"}"#, vec!["uvx", "a"]),
            (r#"{"command":{"path":"/a/b","args":["c"],"env":{"T":"s"}}}"#, vec!["/a/b", "c"]),
            (r#"{"transport":{"type":"stdio","command":"a","args":["b"]}}"#, vec!["a", "b"]),
            (r#"{"transport":"stdio","command":"a"}"#, vec!["a"]),
            (
                r#"{"command":"a","args":[8080,true,1.5,-1,"",null,{"x":1},["y"]]}"#,
                vec!["a", "8080", "true", "1.5", "-1", ""],
            ),
            (r#"{"command":"a","args":"b c"}"#, vec!["a", "b c"]),
            (r#"{"command":"a b","url":"http://x/"}"#, vec!["a b"]),
            (r#"{"command":"first","command":"last"}"#, vec!["last"]),
        ] {
            assert_eq!(entry(json, Os::Linux).unwrap().argvs, [argv], "{json}");
        }
    }

    #[test]
    fn an_entry_that_starts_nothing_and_is_nowhere_is_none() {
        for json in [
            "null",
            "7",
            "\"npx\"",
            "[]",
            "{}",
            r#"{"command":""}"#,
            r#"{"command":null,"url":""}"#,
            r#"{"command":[]}"#,
            r#"{"command":{}}"#,
            r#"{"args":["a"]}"#,
            r#"{"type":"builtin","name":"x"}"#,
            r#"{"settings":{"command":"x"}}"#,
        ] {
            assert!(entry(json, Os::Linux).is_none(), "{json}");
        }
    }

    #[test]
    fn every_spelling_of_an_address_is_known() {
        for key in ["url", "httpUrl", "serverUrl", "uri"] {
            let read = entry(&format!(r#"{{"{key}":"http://h/"}}"#), Os::Linux).unwrap();
            assert_eq!(read.url.as_deref(), Some("http://h/"), "{key}");
            assert!(read.argvs.is_empty());
        }
    }

    #[test]
    fn every_spelling_of_off_is_known() {
        for (flag, off) in [
            ("\"disabled\":true", true),
            ("\"disabled\":false", false),
            ("\"enabled\":false", true),
            ("\"enabled\":true", false),
            ("\"enabled\":\"false\"", true),
            ("\"disabled\":\"maybe\"", false),
            ("\"disabled\":1", false),
        ] {
            let read = entry(&format!(r#"{{"command":"a",{flag}}}"#), Os::Linux).unwrap();
            assert_eq!(read.disabled, off, "{flag}");
        }
    }

    #[test]
    fn one_system_may_have_a_command_of_its_own() {
        let json = r#"{"command":"node","args":["s.js"],
            "platform_overrides":{"darwin":{"command":"/opt/node"},"linux":{"args":["l.js"]}}}"#;
        assert_eq!(entry(json, Os::MacOs).unwrap().argvs, [["node", "s.js"], ["/opt/node", "s.js"]]);
        assert_eq!(entry(json, Os::Linux).unwrap().argvs, [["node", "s.js"], ["node", "l.js"]]);
    }
}
