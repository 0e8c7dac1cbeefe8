//! The settings in force and the origin of each value, in the form of the configuration file.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::clean::clean;
use super::style::{self, Screen};

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Setting {
    /// Its name, such as `reap.grace`; `allow` and so on for entries of lists.
    pub(crate) key: String,
    /// Its value as the file would write it; `None` if it is off.
    pub(crate) value: Option<String>,
    /// Its origin: `default`, `config.toml:3` or `--grace`.
    pub(crate) origin: String,
}

/// The values as text that can be read as a configuration file, each with its origin.
pub(crate) fn text(source: &str, settings: &[Setting], screen: Screen) -> String {
    let mut out = format!("{}\n", screen.paint(style::FAINT, &format!("# {}", clean(source))));
    let lines: Vec<(String, String, &str)> = settings.iter().map(line).collect();
    let width = lines.iter().map(|(_, text, _)| text.chars().count()).max().unwrap_or(0).min(60);
    for (head, text, origin) in &lines {
        if !out.lines().any(|line| line == head) {
            let _ = writeln!(out, "\n{head}");
        }
        let origin = screen.paint(style::FAINT, &format!("# {}", clean(origin)));
        let _ = writeln!(out, "{text:<width$}  {origin}");
    }
    out
}

/// The section of a value, its line, and its origin.
fn line(setting: &Setting) -> (String, String, &str) {
    let Some((section, key)) = setting.key.split_once('.') else {
        // An entry of a list is written as a comment on one line, because `allow = [{...}]` would be a whole list.
        let value = clean(setting.value.as_deref().unwrap_or(""));
        return (format!("# [[{}]]", setting.key), format!("#   {value}"), &setting.origin);
    };
    let text = match &setting.value {
        Some(value) => format!("{key} = {}", clean(value)),
        None => format!("#{key} is off"),
    };
    (format!("[{section}]"), text, &setting.origin)
}

/// A duration in the largest unit in which it is a whole number: `5s`, `1500ms`, `2h`, `0s`.
pub(crate) fn exact_duration(duration: Duration) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    exact(duration.as_millis(), &units, "s")
}

/// A size in the largest unit in which it is a whole number: `50MB`, `1GiB`, `4095B`.
pub(crate) fn exact_size(bytes: u64) -> String {
    let units = [
        ("GiB", 1 << 30),
        ("GB", 1_000_000_000),
        ("MiB", 1 << 20),
        ("MB", 1_000_000),
        ("KiB", 1 << 10),
        ("kB", 1_000),
    ];
    exact(bytes.into(), &units, "B")
}

/// The number in the first unit that divides it exactly. 0, and a number that no unit divides, is in the unit `else_in`.
fn exact(number: u128, units: &[(&str, u128)], else_in: &str) -> String {
    match units.iter().find(|(_, factor)| number > 0 && number.is_multiple_of(*factor)) {
        Some((unit, factor)) => format!("{}{unit}", number / factor),
        None => format!("{number}{else_in}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::units::{parse_duration, parse_size};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_shown_means_the_same_when_it_is_read(millis in 0u64..10_000_000_000, bytes in any::<u64>()) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&exact_duration(duration)).unwrap(), duration);
            prop_assert_eq!(parse_size(&exact_size(bytes)).unwrap(), bytes);
        }
    }

    #[test]
    fn the_largest_unit_that_loses_nothing_is_taken() {
        let shown =
            [1_500, 60_000, 86_400_000, 0].map(|millis| exact_duration(Duration::from_millis(millis)));
        assert_eq!(shown, ["1500ms", "1m", "1d", "0s"]);
        assert_eq!([50_000_000, 1 << 30, 500, 0].map(exact_size), ["50MB", "1GiB", "500B", "0B"]);
    }
}
