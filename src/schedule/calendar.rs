//! When to run: once a week, a day or an hour, in the person's own time zone.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveTime, TimeDelta, TimeZone, Timelike, Utc, Weekday};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A repeating moment, in local time.
///
/// ```
/// use mcp_reap::schedule::Calendar;
/// assert_eq!(Calendar::weekly("sunday@3:00").unwrap(), Calendar::default());
/// assert_eq!(Calendar::default().to_string(), "weekly sun@03:00");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Never without an hour.
    weekday: Option<Weekday>,
    hour: Option<u8>,
    minute: u8,
}

/// Why a text is no calendar. The messages fit after "failed to read `--weekly`: ".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// No `@` between day and time.
    #[error("`{0}` is not a day and a time such as sun@03:00")]
    NoDay(String),
    /// Not a day of the week.
    #[error("`{0}` is not a day: use mon, tue, wed, thu, fri, sat or sun")]
    Day(String),
    /// Not a time of day.
    #[error("`{0}` is not a time of day from 00:00 to 23:59")]
    Time(String),
    /// Not a minute of an hour.
    #[error("`{0}` is not a minute from 0 to 59")]
    Minute(String),
    /// None of the three kinds.
    #[error("`{0}` begins with none of weekly, daily and hourly")]
    Kind(String),
}

impl Default for Calendar {
    /// Sunday at three in the morning.
    fn default() -> Self {
        Calendar { weekday: Some(Weekday::Sun), hour: Some(3), minute: 0 }
    }
}

impl Calendar {
    /// Once a week: `sun@03:00`, `Friday@18:30`.
    ///
    /// # Errors
    /// When it is no day or no time.
    pub fn weekly(text: &str) -> Result<Calendar, CalendarError> {
        let (day, time) = text.split_once('@').ok_or_else(|| CalendarError::NoDay(text.to_owned()))?;
        let weekday = day.trim().parse().map_err(|_| CalendarError::Day(day.trim().to_owned()))?;
        Ok(Calendar { weekday: Some(weekday), ..Calendar::daily(time)? })
    }

    /// Once a day: `03:00`.
    ///
    /// # Errors
    /// When this is no time between 00:00 and 23:59.
    pub fn daily(text: &str) -> Result<Calendar, CalendarError> {
        let time = text.trim();
        let (hour, minute) = time
            .split_once(':')
            .filter(|(_, minute)| minute.len() == 2)
            .and_then(|(hour, minute)| Some((below(hour, 24)?, below(minute, 60)?)))
            .ok_or_else(|| CalendarError::Time(time.to_owned()))?;
        Ok(Calendar { weekday: None, hour: Some(hour), minute })
    }

    /// Once an hour, at a minute: `0`, `15`, `:45`.
    ///
    /// # Errors
    /// When this is no minute between 0 and 59.
    pub fn hourly(text: &str) -> Result<Calendar, CalendarError> {
        let text = text.trim();
        let minute = below(text.strip_prefix(':').unwrap_or(text), 60);
        let minute = minute.ok_or_else(|| CalendarError::Minute(text.to_owned()))?;
        Ok(Calendar { weekday: None, hour: None, minute })
    }

    /// The keys of a launchd `StartCalendarInterval` (launchd.plist(5): a missing key is any value,
    /// Sunday is 0).
    pub fn launchd(&self) -> Vec<(&'static str, u32)> {
        let weekday = self.weekday.map(|day| ("Weekday", day.num_days_from_sunday()));
        let hour = self.hour.map(|hour| ("Hour", u32::from(hour)));
        weekday.into_iter().chain(hour).chain([("Minute", u32::from(self.minute))]).collect()
    }

    /// The value of `OnCalendar=` in the normal form that systemd itself prints (systemd.time(7)).
    pub fn systemd(&self) -> String {
        let minute = self.minute;
        match (self.weekday, self.hour) {
            (Some(day), Some(hour)) => format!("{day} *-*-* {hour:02}:{minute:02}:00"),
            (_, Some(hour)) => format!("*-*-* {hour:02}:{minute:02}:00"),
            (_, None) => format!("*-*-* *:{minute:02}:00"),
        }
    }

    /// The five fields of a line in crontab(5).
    pub fn cron(&self) -> String {
        let hour = self.hour.map_or_else(|| "*".to_owned(), |hour| hour.to_string());
        let day = self.weekday.map_or_else(|| "*".to_owned(), |day| day.num_days_from_sunday().to_string());
        format!("{} {hour} * * {day}", self.minute)
    }

    /// The most by which a run may be delayed, in seconds: a small part of the interval. So the runs of all users of a
    /// machine, or of all machines of a host, do not start in the same second.
    pub fn spread_seconds(&self) -> u32 {
        if self.hour.is_some() { 300 } else { 60 }
    }

    /// The next time after `now`, on the clock of `now`'s time zone. A time that the clock skips in spring becomes the
    /// end of the skipped hour. Of a time that occurs twice in autumn it is the first.
    pub fn next_after<Z: TimeZone>(&self, now: &DateTime<Z>) -> DateTime<Utc> {
        // These are all hours from midnight on. Nine days cover a week with a change of clocks.
        let first = now.date_naive().and_time(NaiveTime::MIN) + TimeDelta::minutes(self.minute.into());
        let zone = now.timezone();
        (0..9 * 24)
            .map(|hours| first + TimeDelta::hours(hours))
            .filter(|moment| self.hour.is_none_or(|hour| moment.hour() == u32::from(hour)))
            .filter(|moment| self.weekday.is_none_or(|day| moment.weekday() == day))
            .filter_map(|moment| {
                // A change of clocks skips at most an hour, in half hours.
                [0, 30, 60].iter().find_map(|late| {
                    zone.from_local_datetime(&(moment + TimeDelta::minutes(*late))).earliest()
                })
            })
            .map(|moment| moment.to_utc())
            .find(|moment| *moment > now.to_utc())
            .unwrap_or_else(|| now.to_utc())
    }
}

/// The number, if the text is one or two digits and less than `end`.
fn below(text: &str, end: u8) -> Option<u8> {
    let plain = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && *number < end)
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minute = self.minute;
        match (self.weekday, self.hour) {
            (Some(day), Some(hour)) => {
                write!(f, "weekly {}@{hour:02}:{minute:02}", day.to_string().to_lowercase())
            }
            (_, Some(hour)) => write!(f, "daily {hour:02}:{minute:02}"),
            (_, None) => write!(f, "hourly :{minute:02}"),
        }
    }
}

impl FromStr for Calendar {
    type Err = CalendarError;

    /// Reads what `Display` writes, and `weekly`, `daily` and `hourly` alone for the usual times.
    fn from_str(text: &str) -> Result<Calendar, CalendarError> {
        let (kind, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        match (kind, rest.trim()) {
            ("weekly", "") => Ok(Calendar::default()),
            ("daily", "") => Calendar::daily("03:00"),
            ("hourly", "") => Calendar::hourly("0"),
            ("weekly", rest) => Calendar::weekly(rest),
            ("daily", rest) => Calendar::daily(rest),
            ("hourly", rest) => Calendar::hourly(rest),
            _ => Err(CalendarError::Kind(text.trim().to_owned())),
        }
    }
}

impl Serialize for Calendar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Calendar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::FixedOffset;

    use super::*;

    #[test]
    fn what_is_read_is_what_every_manager_is_given() {
        for (typed, shown, launchd, systemd, cron) in [
            (
                Calendar::weekly("sun@03:00"),
                "weekly sun@03:00",
                vec![("Weekday", 0), ("Hour", 3), ("Minute", 0)],
                "Sun *-*-* 03:00:00",
                "0 3 * * 0",
            ),
            (
                Calendar::weekly(" Saturday @ 23:59 "),
                "weekly sat@23:59",
                vec![("Weekday", 6), ("Hour", 23), ("Minute", 59)],
                "Sat *-*-* 23:59:00",
                "59 23 * * 6",
            ),
            (
                Calendar::daily("7:05"),
                "daily 07:05",
                vec![("Hour", 7), ("Minute", 5)],
                "*-*-* 07:05:00",
                "5 7 * * *",
            ),
            (Calendar::hourly(":45"), "hourly :45", vec![("Minute", 45)], "*-*-* *:45:00", "45 * * * *"),
            ("hourly".parse(), "hourly :00", vec![("Minute", 0)], "*-*-* *:00:00", "0 * * * *"),
            ("daily".parse(), "daily 03:00", vec![("Hour", 3), ("Minute", 0)], "*-*-* 03:00:00", "0 3 * * *"),
        ] {
            let calendar = typed.unwrap();
            assert_eq!(calendar.to_string(), shown);
            assert_eq!(shown.parse(), Ok(calendar));
            assert_eq!(
                (calendar.launchd(), calendar.systemd().as_str(), calendar.cron().as_str()),
                (launchd, systemd, cron)
            );
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_with_what_would_be_one() {
        for bad in ["", "sun", "03:00"] {
            assert_eq!(Calendar::weekly(bad), Err(CalendarError::NoDay(bad.to_owned())));
        }
        assert_eq!(Calendar::weekly("someday@03:00"), Err(CalendarError::Day("someday".to_owned())));
        assert_eq!(Calendar::weekly("sun@3"), Err(CalendarError::Time("3".to_owned())));
        for bad in ["24:00", "3am", "03:60", "-1:00", "+3:00", "3:5", "003:00", "03:00:00", ":30", "３:00"] {
            assert_eq!(Calendar::daily(bad), Err(CalendarError::Time(bad.to_owned())), "{bad}");
        }
        for bad in ["60", "x", "-1", "+1", "", "015"] {
            assert_eq!(Calendar::hourly(bad), Err(CalendarError::Minute(bad.to_owned())), "{bad}");
        }
        assert_eq!("monthly".parse::<Calendar>(), Err(CalendarError::Kind("monthly".to_owned())));
    }

    #[test]
    fn the_next_time_is_counted_on_the_local_clock() {
        let zone = FixedOffset::east_opt(2 * 3600).unwrap();
        // Friday.
        let now = zone.with_ymd_and_hms(2026, 11, 20, 14, 30, 0).unwrap();
        for (calendar, next) in [
            ("weekly sun@03:00", "2026-11-22T01:00:00Z"),
            ("weekly fri@14:30", "2026-11-27T12:30:00Z"),
            ("weekly fri@14:31", "2026-11-20T12:31:00Z"),
            ("daily 03:00", "2026-11-21T01:00:00Z"),
            ("daily 23:00", "2026-11-20T21:00:00Z"),
            ("hourly :30", "2026-11-20T13:30:00Z"),
            ("hourly :31", "2026-11-20T12:31:00Z"),
        ] {
            let calendar: Calendar = calendar.parse().unwrap();
            assert_eq!(calendar.next_after(&now), next.parse::<DateTime<Utc>>().unwrap(), "{calendar}");
        }
    }
}
