//! Parses the first document of a YAML text into JSON values. Every scalar becomes a string with its text.
//!
//! The parser yields events and keeps its state on the heap. The tree is built here, with bounds on its depth and on
//! the multiplication by aliases. A complete reader (serde-saphyr 2) has such bounds too, but it turns `1.0`, `08` and
//! `0x1F` into numbers and `yes` into a boolean, while an argument is compared with an argv as text. It also quotes the
//! file in its errors, and brings nine crates.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// The deepest nesting; no configuration is as deep.
const MAX_DEPTH: usize = 64;
/// The largest size of a document after aliases are expanded, in bytes ("billion laughs" takes 300 bytes of text). It
/// counts the text of all values and [`PER_VALUE`] for each. This is four times the largest file that is read.
const MAX_WEIGHT: usize = 16 << 20;
/// The size of a value besides its text, about as in memory.
const PER_VALUE: usize = 32;

/// The text is not YAML; with the line, from 1, if it is known.
pub(super) struct NotYaml(pub(super) Option<usize>);

/// A collection that is not closed yet.
enum Open {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<String>),
}

/// Reads the first document; null if there is none.
pub(super) fn parse(text: &str) -> Result<Value, NotYaml> {
    let mut open: Vec<(Open, usize)> = Vec::new();
    let mut anchors: HashMap<usize, (Value, usize)> = HashMap::new();
    let mut weight = 0usize;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| NotYaml(Some(error.marker().line())))?;
        let refuse = || NotYaml(Some(span.start.line()));
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                weight += PER_VALUE + text.len();
                (scalar(&text, style), anchor)
            }
            Event::Alias(anchor) => {
                let (value, size) = anchors.get(&anchor).ok_or_else(refuse)?;
                weight += size;
                if weight > MAX_WEIGHT || depth(value) + open.len() > MAX_DEPTH {
                    return Err(refuse());
                }
                (value.clone(), 0)
            }
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                let map = matches!(event, Event::MappingStart(..));
                open.push((if map { Open::Map(Map::new(), None) } else { Open::List(Vec::new()) }, anchor));
                weight += PER_VALUE;
                if open.len() > MAX_DEPTH {
                    return Err(refuse());
                }
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some((Open::List(list), anchor)) => (Value::Array(list), anchor),
                Some((Open::Map(map, _), anchor)) => (Value::Object(map), anchor),
                None => return Err(refuse()),
            },
            Event::DocumentEnd | Event::StreamEnd => return Ok(Value::Null),
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
        };
        if weight > MAX_WEIGHT {
            return Err(refuse());
        }
        if anchor != 0 {
            // The copy that is kept for aliases counts too.
            let size = weigh(&value);
            weight += size;
            anchors.insert(anchor, (value.clone(), size));
        }
        match open.last_mut() {
            None => return Ok(value),
            Some((Open::List(list), _)) => list.push(value),
            Some((Open::Map(map, key), _)) => match key.take() {
                None => *key = Some(as_key(value)),
                Some(key) => insert(map, key, value),
            },
        }
    }
    Ok(Value::Null)
}

/// Inserts a key. `<<` inserts the keys of another map that this one does not have.
fn insert(map: &mut Map<String, Value>, key: String, value: Value) {
    match value {
        Value::Object(other) if key == "<<" => {
            for (key, value) in other {
                map.entry(key).or_insert(value);
            }
        }
        value => {
            map.insert(key, value);
        }
    }
}

/// The value of a scalar: null, or a string, also for `8080` or `yes`.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
        _ => Value::String(text.to_owned()),
    }
}

/// The text of a key. A collection as a key names nothing here.
fn as_key(value: Value) -> String {
    match value {
        Value::String(text) => text,
        _ => String::new(),
    }
}

fn weigh(value: &Value) -> usize {
    PER_VALUE
        + match value {
            Value::Array(list) => list.iter().map(weigh).sum(),
            Value::Object(map) => map.iter().map(|(key, value)| key.len() + weigh(value)).sum(),
            Value::String(text) => text.len(),
            _ => 0,
        }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        parse(text).unwrap_or_else(|NotYaml(line)| panic!("line {line:?} of {text:?}"))
    }

    #[test]
    fn scalars_stay_the_text_they_are() {
        let value = read("a: 8080\nb: yes\nc: 1.0\nd: ~\ne: ''\nf: \"null\"\ng:\nh: |\n  x\n");
        assert_eq!(
            value.to_string(),
            r#"{"a":"8080","b":"yes","c":"1.0","d":null,"e":"","f":"null","g":null,"h":"x\n"}"#
        );
    }

    #[test]
    fn aliases_and_merged_maps_are_filled_in() {
        let text = "base: &b {command: npx, args: [a]}\none: *b\ntwo: {<<: *b, args: [c]}\nthree: {args: [d], <<: *b}\n";
        let value = read(text);
        assert_eq!(value["one"].to_string(), r#"{"command":"npx","args":["a"]}"#);
        assert_eq!(value["two"].to_string(), r#"{"command":"npx","args":["c"]}"#);
        assert_eq!(value["three"]["args"][0], "d");
        assert_eq!(value["three"]["command"], "npx");
    }

    #[test]
    fn only_the_first_document_is_read() {
        assert_eq!(read("a: b\n---\nc: d\n").to_string(), r#"{"a":"b"}"#);
        assert_eq!(read(""), Value::Null);
        assert_eq!(read("# nothing\n"), Value::Null);
    }

    #[test]
    fn a_document_that_multiplies_itself_is_refused() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..20 {
            let above = format!("*a{},", level - 1).repeat(10);
            text.push_str(&format!("a{level}: &a{level} [{above}]\n"));
        }
        assert!(parse(&text).is_err());
        let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a,".repeat(1000));
        assert!(parse(&long).is_err());
    }

    #[test]
    fn depth_has_a_bound_in_every_spelling_of_it() {
        for text in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000), "? ".repeat(100_000)]
        {
            assert!(parse(&text).is_err(), "{}", &text[..4]);
        }
        let mut deeper = String::from("a0: &a0 []\n");
        for level in 1..200 {
            deeper.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
        }
        assert!(parse(&deeper).is_err());
    }

    #[test]
    fn an_error_says_where() {
        let Err(NotYaml(line)) = parse("a: b\nc: [d\n") else { panic!("read") };
        assert!(line.is_some_and(|line| line >= 2), "{line:?}");
        assert!(parse("a: *nobody\n").is_err());
    }
}
