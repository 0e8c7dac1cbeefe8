//! Durations and sizes as people write and read them: `90s`, `1h30m`, `500MB`, `1GiB`.

pub mod since;

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serializer;

/// Why a text is no duration or no size. The fragments fit "`max_age`: ...".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Nothing there.
    #[error("empty, where {0} is expected")]
    Empty(&'static str),
    /// A part does not begin with a digit.
    #[error("`{0}` does not begin with a number")]
    NotANumber(String),
    /// A duration without its unit: seconds for some tools, minutes for others.
    #[error("`{0}` has no unit: write {0}s, {0}m, {0}h or {0}d")]
    NoUnit(String),
    /// A size without its unit: bytes for some tools, kilobytes or megabytes for others.
    #[error("`{0}` has no unit: write {0}MB, {0}MiB or {0}B")]
    NoSizeUnit(String),
    /// An unknown unit.
    #[error("`{unit}` is not a unit, use {expected}")]
    UnknownUnit {
        /// What stands there.
        unit: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// `5M` is 5,000,000 to some tools and 5,242,880 to others.
    #[error("`{0}` can mean two things: write {0}B (powers of 1000) or {0}iB (powers of 1024)")]
    Ambiguous(String),
    /// Units out of order or twice, as in `30m1h`: more often a slip than a wish.
    #[error("`{0}` comes after a unit that is not larger: write the largest first, each once")]
    OutOfOrder(String),
    /// More than can be counted.
    #[error("`{0}` is too large")]
    TooLarge(String),
}

const DURATION_UNITS: &str = "ms, s, m, h, d or w";
const SIZE_UNITS: &str = "B, kB, MB, GB, TB, KiB, MiB, GiB or TiB";
const TIME: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Splits off the digits a text begins with.
fn number(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// Reads a duration: numbers with units `ms`, `s`, `m`, `h`, `d`, `w`, the largest first, with or
/// without a space between them. `0` needs no unit.
///
/// ```
/// use std::time::Duration;
/// use mcp_reap::units::parse_duration;
/// assert_eq!(parse_duration("1h30m"), Ok(Duration::from_secs(5400)));
/// assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
/// assert!(parse_duration("90").is_err());
/// ```
///
/// # Errors
/// When a part has no number, no or an unknown unit, or units are repeated or out of order.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(UnitError::Empty("a duration such as 90s or 1h30m"));
    }
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let too_large = || UnitError::TooLarge(text.trim().to_owned());
    let mut total = 0u64;
    let mut below = u64::MAX;
    while !rest.is_empty() {
        let (digits, tail) = number(rest);
        if digits.is_empty() {
            return Err(UnitError::NotANumber(rest.to_owned()));
        }
        let end = tail.find(|c: char| c.is_ascii_digit() || c == ' ').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        if unit.is_empty() {
            return Err(UnitError::NoUnit(digits.to_owned()));
        }
        let Some(&(_, factor)) = TIME.iter().find(|(name, _)| *name == unit) else {
            return Err(UnitError::UnknownUnit { unit: unit.to_owned(), expected: DURATION_UNITS });
        };
        if factor >= below {
            return Err(UnitError::OutOfOrder(format!("{digits}{unit}")));
        }
        below = factor;
        let count: u64 = digits.parse().map_err(|_| too_large())?;
        let part = count.checked_mul(factor).ok_or_else(too_large)?;
        total = total.checked_add(part).ok_or_else(too_large)?;
        rest = tail.trim_start_matches(' ');
    }
    Ok(Duration::from_millis(total))
}

/// Reads a size in bytes: `4096B`, `500MB` (10^6), `1GiB` (2^30), `1.5GB`. Case does not matter, and
/// a space may come before the unit. `0` needs no unit.
///
/// ```
/// use mcp_reap::units::parse_size;
/// assert_eq!(parse_size("500MB"), Ok(500_000_000));
/// assert_eq!(parse_size("1.5 GiB"), Ok(1_610_612_736));
/// assert!(parse_size("5M").is_err());
/// ```
///
/// # Errors
/// When there is no number, no unit, the unit is unknown or can mean two things, or it does not fit 64 bits.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(UnitError::Empty("a size such as 500MB or 1GiB"));
    }
    let (whole, rest) = number(text);
    if whole.is_empty() {
        return Err(UnitError::NotANumber(text.to_owned()));
    }
    let (fraction, unit) = match rest.strip_prefix('.') {
        Some(tail) => number(tail),
        None => ("", rest),
    };
    if rest.starts_with('.') && fraction.is_empty() {
        return Err(UnitError::NotANumber(rest.to_owned()));
    }
    let factor: u64 = match unit.trim_start_matches(' ').to_ascii_lowercase().as_str() {
        "" if text.bytes().any(|byte| matches!(byte, b'1'..=b'9')) => {
            return Err(UnitError::NoSizeUnit(text.to_owned()));
        }
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        "k" | "m" | "g" | "t" => return Err(UnitError::Ambiguous(text.to_owned())),
        _ => return Err(UnitError::UnknownUnit { unit: unit.trim().to_owned(), expected: SIZE_UNITS }),
    };
    let too_large = || UnitError::TooLarge(text.to_owned());
    let whole: u64 = whole.parse().map_err(|_| too_large())?;
    // Nine decimals are below a byte for every unit but TB, and a limit needs no more.
    let kept = &fraction[..fraction.len().min(9)];
    let parts: u128 = if kept.is_empty() { 0 } else { kept.parse().map_err(|_| too_large())? };
    let scale = 10u128.pow(u32::try_from(kept.len()).unwrap_or(0));
    let bytes = u128::from(whole) * u128::from(factor) + parts * u128::from(factor) / scale;
    u64::try_from(bytes).map_err(|_| too_large())
}

/// A duration for people: its two largest units, rounded down: `45s`, `3h`, `2d 4h`, `500ms`.
///
/// ```
/// use std::time::Duration;
/// use mcp_reap::units::show_duration;
/// assert_eq!(show_duration(Duration::from_secs(187_323)), "2d 4h");
/// assert_eq!(show_duration(Duration::from_secs(10_800)), "3h");
/// ```
pub fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    // Weeks are read but not shown: "17d 4h" is easier to compare than "2w 3d".
    let units = &TIME[1..];
    let Some(first) = units.iter().position(|(_, factor)| millis >= *factor) else {
        return "0s".to_owned();
    };
    let (name, factor) = units[first];
    let mut shown = format!("{}{name}", millis / factor);
    if let Some((name, smaller)) = units.get(first + 1) {
        let rest = millis % factor / smaller;
        // Milliseconds beside whole seconds are noise.
        if rest > 0 && *name != "ms" {
            shown.push_str(&format!(" {rest}{name}"));
        }
    }
    shown
}

/// A size for people, in powers of 1000 as [`parse_size`] reads them: `512 B`, `1.2 GB`, `88 MB`.
///
/// ```
/// use mcp_reap::units::show_size;
/// assert_eq!(show_size(88_100_000), "88 MB");
/// assert_eq!(show_size(1_250_000_000), "1.3 GB");
/// ```
pub fn show_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let bytes = u128::from(bytes);
    let mut factor = 1000u128;
    for unit in UNITS {
        let whole = (bytes + factor / 2) / factor;
        let tenths = (bytes * 10 + factor / 2) / factor;
        if tenths < 100 && !tenths.is_multiple_of(10) {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        // 999,500 rounds to "1000 kB", which is shown as "1 MB".
        if whole < 1000 {
            return format!("{whole} {unit}");
        }
        factor *= 1000;
    }
    format!("{bytes} B") // not reached: 2^64 bytes are 18 EB
}

/// RFC 3339 in UTC with milliseconds, as every time in our JSON.
pub fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// [`rfc3339`] for serde's `serialize_with`.
pub(crate) fn serialize_rfc3339<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&rfc3339(*at))
}

#[cfg(test)]
mod tests;
