//! A point in the past as people write it: `7d`, `2026-11-20`, `2026-11-20T14:00:00Z`.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};

use super::parse_duration;

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So long ago.
    Ago(Duration),
    /// From the beginning of this day, where the person is.
    Day(NaiveDate),
    /// From the beginning of today (0), yesterday (1) and so on, where the person is.
    DaysAgo(u64),
    /// From this moment.
    Moment(DateTime<Utc>),
}

/// Reads a duration (`7d`), a day (`2026-11-20`) or a moment (RFC 3339).
///
/// # Errors
/// When it has none of these forms; the fragment fits "invalid value: ...".
pub fn parse_since(text: &str) -> Result<Since, String> {
    match text {
        "today" => return Ok(Since::DaysAgo(0)),
        "yesterday" => return Ok(Since::DaysAgo(1)),
        _ => {}
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(Since::Day(day));
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Ok(Since::Moment(moment.to_utc()));
    }
    parse_duration(text).map(Since::Ago).map_err(|error| {
        format!("{error}; a duration such as 7d, a day such as yesterday or 2026-11-20, or an RFC 3339 time is taken")
    })
}

impl Since {
    /// The moment that is meant, seen from `now` in this time zone.
    pub fn from<Z: TimeZone>(self, now: DateTime<Utc>, zone: &Z) -> DateTime<Utc> {
        match self {
            Since::Moment(moment) => moment,
            // More than there are years in a calendar means: everything.
            Since::Ago(ago) => TimeDelta::from_std(ago)
                .ok()
                .and_then(|ago| now.checked_sub_signed(ago))
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
            Since::Day(day) => beginning(day, zone),
            Since::DaysAgo(days) => {
                let today = now.with_timezone(zone).date_naive();
                beginning(today.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN), zone)
            }
        }
    }
}

/// Of a midnight that a change of clocks leaves out or repeats, the earliest that exists.
fn beginning<Z: TimeZone>(day: NaiveDate, zone: &Z) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let local = zone.from_local_datetime(&midnight).earliest();
    local.map_or_else(|| midnight.and_utc(), |moment| moment.to_utc())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use chrono::FixedOffset;

    #[test]
    fn a_duration_a_day_and_a_moment_are_understood() {
        let now = "2026-11-20T14:00:00Z".parse::<DateTime<Utc>>().unwrap();
        let zone = FixedOffset::east_opt(2 * 3600).unwrap();
        for (text, moment) in [
            ("1h30m", "2026-11-20T12:30:00Z"),
            ("7d", "2026-11-13T14:00:00Z"),
            ("2026-11-19", "2026-11-18T22:00:00Z"),
            ("today", "2026-11-19T22:00:00Z"),
            ("yesterday", "2026-11-18T22:00:00Z"),
            ("2026-11-19T08:00:00+02:00", "2026-11-19T06:00:00Z"),
        ] {
            let since = parse_since(text).unwrap();
            assert_eq!(since.from(now, &zone), moment.parse::<DateTime<Utc>>().unwrap(), "{text}");
        }
    }

    #[test]
    fn longer_ago_than_the_calendar_goes_means_everything() {
        let since = Since::Ago(Duration::MAX);
        assert_eq!(since.from(DateTime::<Utc>::UNIX_EPOCH, &Utc), DateTime::<Utc>::MIN_UTC);
    }

    #[test]
    fn anything_else_is_refused_with_an_example() {
        for text in ["", "last week", "2026-13-01", "20.11.2026"] {
            let error = parse_since(text).unwrap_err();
            assert!(error.contains("2026-11-20"), "{text}: {error}");
        }
    }
}
