//! Reads one table of the file key by key. Every key must be known, and every value must have the right type.

use std::fmt::Display;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Source};
use crate::units::parse_size;

/// A table that is being read. [`Section::finish`] refuses the keys that were not read.
#[derive(Debug)]
pub(super) struct Section<'a> {
    source: Source<'a>,
    /// Its name: `reap`, `allow`, `server.limits`; empty for the top of the file.
    name: String,
    table: &'a DeTable<'a>,
    /// The keys that were read, which are the known ones.
    known: Vec<&'static str>,
    /// The bytes of the table in the file.
    span: Range<usize>,
}

impl<'a> Section<'a> {
    pub(super) fn new(source: Source<'a>, name: &str, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Section { source, name: name.to_owned(), table, known: Vec::new(), span }
    }

    /// The key with its section, such as `reap.grace`.
    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// A mistake in the value of a key.
    fn mistake(&self, key: &str, span: Range<usize>, problem: impl Display) -> ConfigError {
        let key = self.path(key);
        let message = format!("{key}: {problem}");
        self.source.mistake(span, key, message, "")
    }

    /// A mistake in the table as a whole.
    pub(super) fn mistake_here(&self, problem: impl Display) -> ConfigError {
        self.source.mistake(self.span.clone(), self.name.clone(), problem, "")
    }

    /// The place of this table, such as `config.toml:12`.
    pub(super) fn origin(&self) -> String {
        let file = self.source.file;
        let name = file.file_name().unwrap_or(file.as_os_str());
        format!("{}:{}", name.display(), self.source.line_of(self.span.start))
    }

    /// A value of the expected type, and its bytes in the file.
    fn get<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Result<Option<(T, Range<usize>)>, ConfigError> {
        self.known.push(key);
        let Some(value) = self.table.get(key) else { return Ok(None) };
        match read(value.get_ref()) {
            Some(read) => Ok(Some((read, value.span()))),
            None => Err(self.wrong_kind(key, value, expected)),
        }
    }

    /// The mistake that a value has the wrong type.
    fn wrong_kind(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) -> ConfigError {
        let found = kind(value.get_ref());
        self.mistake(key, value.span(), format!("expected {expected}, found {found}"))
    }

    /// A string, parsed by `parse`.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((text, span)) = self.get(key, expected, DeValue::as_str)? else { return Ok(None) };
        parse(text).map(Some).map_err(|error| self.mistake(key, span, error))
    }

    /// A boolean.
    pub(super) fn switch(&mut self, key: &'static str) -> Result<Option<bool>, ConfigError> {
        Ok(self.get(key, "true or false", DeValue::as_bool)?.map(|(switch, _)| switch))
    }

    /// A whole number within bounds.
    pub(super) fn number<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        bounds: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<T>, ConfigError> {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let Some((integer, span)) = self.get(key, &expected, DeValue::as_integer)? else { return Ok(None) };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        match number.filter(|number| bounds.contains(number)).and_then(|number| T::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.mistake(key, span, format!("expected {expected}, found {}", integer.as_str()))),
        }
    }

    /// A size in bytes, from a string such as `"500MB"`. A number is refused, because 500 may mean bytes or megabytes.
    /// 0 is refused, too, with the message `zero`.
    pub(super) fn size(&mut self, key: &'static str, zero: &str) -> Result<Option<u64>, ConfigError> {
        let read = |value: &DeValue<'_>| match value {
            DeValue::String(text) => Some(parse_size(text).map_err(|error| error.to_string())),
            DeValue::Integer(number) => {
                Some(parse_size(number.as_str()).map_err(|error| format!("{error}, in quotes")))
            }
            _ => None,
        };
        let expected = "a size such as \"500MB\" or \"1GiB\"";
        let Some((size, span)) = self.get(key, expected, read)? else { return Ok(None) };
        let size = size.and_then(|size| if size == 0 { Err(zero.to_owned()) } else { Ok(size) });
        size.map(Some).map_err(|problem| self.mistake(key, span, problem))
    }

    /// A table within this one.
    pub(super) fn section(&mut self, key: &'static str) -> Result<Option<Section<'a>>, ConfigError> {
        let path = self.path(key);
        let found = self.get(key, &format!("a table: [{path}]"), DeValue::as_table)?;
        Ok(found.map(|(table, span)| Section::new(self.source, &path, table, span)))
    }

    /// A list of tables: `[[key]]`.
    pub(super) fn sections(&mut self, key: &'static str) -> Result<Vec<Section<'a>>, ConfigError> {
        let path = self.path(key);
        let expected = format!("entries that begin with [[{path}]]");
        let Some((entries, _)) = self.get(key, &expected, DeValue::as_array)? else { return Ok(Vec::new()) };
        let section = |entry: &'a Spanned<DeValue<'a>>| match entry.get_ref().as_table() {
            Some(table) => Ok(Section::new(self.source, &path, table, entry.span())),
            None => Err(self.wrong_kind(key, entry, &expected)),
        };
        entries.iter().map(section).collect()
    }

    /// Refuses the first key that was not read.
    pub(super) fn finish(&self) -> Result<(), ConfigError> {
        let unknown = self.table.keys().filter(|key| !self.known.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else { return Ok(()) };
        let name = key.get_ref().as_ref();
        let place = if self.name.is_empty() { String::new() } else { format!(" in [{}]", self.name) };
        let help = match nearest(name, &self.known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("known here: {}", self.known.join(", ")),
        };
        let message = format!("unknown key `{name}`{place}");
        Err(self.source.mistake(key.span(), self.path(name), message, help))
    }
}

/// The type of a value, in words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a switch (true or false)",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The known key that was probably meant: at most a third of its letters away.
fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let name = name.to_lowercase().replace(['-', ' '], "_");
    known
        .iter()
        .map(|key| (strsim::osa_distance(&name, key), *key))
        .filter(|(distance, key)| *distance <= (key.len() / 3).max(1))
        .min()
        .map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood_and_a_wild_guess_is_not() {
        let known = ["grace", "min_age", "max_age", "port", "unit"];
        for (name, meant) in [
            ("grase", Some("grace")),
            ("min-age", Some("min_age")),
            ("Min Age", Some("min_age")),
            ("mx_age", Some("max_age")),
            ("prot", Some("port")),
            ("units", Some("unit")),
            ("timeout", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
    }
}
