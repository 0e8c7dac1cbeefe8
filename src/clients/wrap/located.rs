//! A configuration as a tree of values with their positions in the text, so that an edit changes no other bytes.

use std::ops::Range;

use jsonc_parser::common::Ranged as _;
use jsonc_parser::{ast, parse_to_ast};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::clients::syntax::Syntax;

/// A value and its bytes in the text.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

/// The kind of a value. Numbers and similar values are never changed, so their content is not kept.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    List(Vec<Located>),
    Map(Vec<Member>),
    Other,
}

/// One key of a map and its value.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Located,
}

impl Located {
    /// The tree of a text; `None` if it is not valid, or is in a language that is not edited.
    pub(super) fn parse(text: &str, syntax: Syntax) -> Option<Located> {
        let mark = text.len() - text.trim_start_matches('\u{feff}').len();
        let body = &text[mark..];
        match syntax {
            // Only a program writes such a file, so it must be strict JSON.
            Syntax::Json => {
                serde_json::from_str::<serde::de::IgnoredAny>(body).ok()?;
                json(body, mark)
            }
            Syntax::Jsonc => json(body, mark),
            Syntax::Toml => {
                let document = DeTable::parse(body).ok()?;
                Some(Located { span: mark..text.len(), value: table(document.get_ref(), mark) })
            }
            Syntax::Yaml => None,
        }
    }

    /// The members of a map; none for any other value.
    pub(super) fn members(&self) -> &[Member] {
        match &self.value {
            Value::Map(members) => members,
            _ => &[],
        }
    }

    /// The elements of a list; `None` for any other value.
    pub(super) fn elements(&self) -> Option<&[Located]> {
        match &self.value {
            Value::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// The content of a string; `None` for any other value.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The member with this key, if there is exactly one.
    pub(super) fn only(&self, key: &str) -> Option<&Member> {
        let mut found = self.members().iter().filter(|member| member.key == key);
        found.next().filter(|_| found.next().is_none())
    }
}

fn json(text: &str, offset: usize) -> Option<Located> {
    let parsed = parse_to_ast(text, &Default::default(), &Default::default()).ok()?;
    Some(json_value(&parsed.value?, offset))
}

fn json_value(value: &ast::Value<'_>, offset: usize) -> Located {
    let moved = |range: jsonc_parser::common::Range| range.start + offset..range.end + offset;
    let member = |property: &ast::ObjectProp<'_>| Member {
        key: property.name.as_str().to_owned(),
        key_span: moved(property.name.range()),
        value: json_value(&property.value, offset),
    };
    Located {
        span: moved(value.range()),
        value: match value {
            ast::Value::StringLit(text) => Value::Text(text.value.clone().into_owned()),
            ast::Value::Array(array) => {
                Value::List(array.elements.iter().map(|element| json_value(element, offset)).collect())
            }
            ast::Value::Object(object) => Value::Map(object.properties.iter().map(member).collect()),
            ast::Value::NumberLit(_) | ast::Value::BooleanLit(_) | ast::Value::NullKeyword(_) => Value::Other,
        },
    }
}

fn table(table: &DeTable<'_>, offset: usize) -> Value {
    let member = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| -> Member {
        let key: &Spanned<toml::de::DeString<'_>> = key;
        Member {
            key: key.get_ref().clone().into_owned(),
            key_span: moved(key.span(), offset),
            value: toml_value(value, offset),
        }
    };
    Value::Map(table.iter().map(member).collect())
}

fn toml_value(value: &Spanned<DeValue<'_>>, offset: usize) -> Located {
    let read = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Array(array) => {
            Value::List(array.iter().map(|element| toml_value(element, offset)).collect())
        }
        DeValue::Table(inner) => table(inner, offset),
        _ => Value::Other,
    };
    Located { span: moved(value.span(), offset), value: read }
}

fn moved(span: Range<usize>, offset: usize) -> Range<usize> {
    span.start + offset..span.end + offset
}
