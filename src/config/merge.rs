//! The flags of one run, which override the file.

use std::time::Duration;

use clap::Args;

use super::error::ConfigError;
use super::file::{MAX_GRACE, MAX_SETTLE};
use crate::pattern::Pattern;
use crate::policy::{AllowRule, Policy};
use crate::units::{parse_duration, parse_size, show_duration};

/// The flags that change the policy for one run; a flag that is not given leaves the value of the file.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Leave alone what is younger, such as 90s or 15m (default 60s).
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub min_age: Option<Duration>,

    /// How long to wait between SIGTERM and SIGKILL (default 5s).
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub grace: Option<Duration>,

    /// How long a server that is still at work may go on before it is ended (default 10s, at most 30s).
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub settle: Option<Duration>,

    /// Keep only the newest N copies of each server (with the same arguments) under each client.
    #[arg(long, value_name = "N", value_parser = at_least_one, global = true)]
    pub max_count: Option<u32>,

    /// Also end what is older, in use or not, such as 24h or 7d.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, global = true)]
    pub max_age: Option<Duration>,

    /// Also end what is larger, in use or not, such as 500MB or 1GiB.
    #[arg(long, value_name = "SIZE", value_parser = parse_size, global = true)]
    pub max_rss: Option<u64>,

    /// Leave alone what matches by server name or command; `*` and `?` match, `re:` begins a
    /// regular expression. May be given again.
    #[arg(long, value_name = "PATTERN", global = true)]
    pub allow: Vec<String>,

    /// Also end what is detached: its owner is gone and nobody is seen to use it, but nothing proves that.
    #[arg(long, global = true)]
    pub detached: bool,

    /// As root: judge and end the instances of all users.
    #[arg(long, global = true)]
    pub all_users: bool,
}

/// Parses a number that must be at least one.
fn at_least_one(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("`{text}` is not a whole number above 0"))
}

impl Overrides {
    /// Applies the flags to a policy. Flags replace the general limits. A limit that the file sets for one server
    /// stays, because it is more specific.
    ///
    /// # Errors
    /// When a value is out of bounds or not a pattern.
    pub fn apply(&self, policy: &mut Policy) -> Result<(), ConfigError> {
        let too_long = |given: Option<Duration>, most: Duration| {
            given.filter(|given| *given > most).map(|_| format!("at most {} is taken", show_duration(most)))
        };
        let zero = |is_zero: bool| is_zero.then(|| "0 would end every instance".to_owned());
        let problems = [
            ("--grace", too_long(self.grace, MAX_GRACE)),
            ("--settle", too_long(self.settle, MAX_SETTLE)),
            ("--max-count", zero(self.max_count == Some(0))),
            ("--max-age", zero(self.max_age == Some(Duration::ZERO))),
            ("--max-rss", zero(self.max_rss == Some(0))),
        ];
        let error = |(flag, problem): (_, Option<_>)| Some(ConfigError::Flag { flag, problem: problem? });
        if let Some(error) = problems.into_iter().find_map(error) {
            return Err(error);
        }
        let mut allow = Vec::new();
        for text in &self.allow {
            let pattern = Pattern::parse(text).map_err(|error| ConfigError::Flag {
                flag: "--allow",
                problem: format!("`{text}`: {error}"),
            })?;
            // Two rules are needed, because all fields of one rule must match: one for the name, one for the command.
            let rule = AllowRule { origin: "--allow".to_owned(), ..AllowRule::default() };
            allow.push(AllowRule { name: Some(pattern.clone()), ..rule.clone() });
            allow.push(AllowRule { command: Some(pattern), ..rule });
        }
        policy.allow.extend(allow);
        policy.grace = self.grace.unwrap_or(policy.grace);
        policy.settle = self.settle.unwrap_or(policy.settle);
        policy.min_age = self.min_age.unwrap_or(policy.min_age);
        policy.limits.max_count = self.max_count.or(policy.limits.max_count);
        policy.limits.max_age = self.max_age.or(policy.limits.max_age);
        policy.limits.max_rss = self.max_rss.or(policy.limits.max_rss);
        policy.detached |= self.detached;
        policy.all_users |= self.all_users;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_flag_that_is_not_given_leaves_the_value_of_the_file() {
        let mut policy = Policy { grace: Duration::from_secs(9), ..Policy::default() };
        policy.limits.max_rss = Some(7);
        let flags = Overrides { max_count: Some(3), min_age: Some(Duration::ZERO), ..Overrides::default() };
        flags.apply(&mut policy).unwrap();
        assert_eq!(policy.grace, Duration::from_secs(9));
        assert_eq!(policy.min_age, Duration::ZERO);
        assert_eq!((policy.limits.max_rss, policy.limits.max_count), (Some(7), Some(3)));
        assert!(!policy.all_users && policy.allow.is_empty());
    }

    #[test]
    fn an_allow_flag_adds_to_the_files_rules() {
        let mut policy = Policy { allow: vec![AllowRule::default()], ..Policy::default() };
        Overrides { allow: vec!["notes*".into()], ..Overrides::default() }.apply(&mut policy).unwrap();
        assert_eq!(policy.allow.len(), 3);
        assert!(policy.allow[1].name.is_some() && policy.allow[2].command.is_some());
        assert!(policy.allow[1..].iter().all(|rule| rule.origin == "--allow" && rule.has_condition()));
    }

    #[test]
    fn values_out_of_bounds_change_nothing_and_name_their_flag() {
        let zero = Some(Duration::ZERO);
        for (flags, message) in [
            (
                Overrides { grace: Some(Duration::from_secs(601)), ..Overrides::default() },
                "--grace: at most 10m is taken",
            ),
            (
                Overrides { settle: Some(Duration::from_secs(31)), ..Overrides::default() },
                "--settle: at most 30s is taken",
            ),
            (
                Overrides { max_count: Some(0), ..Overrides::default() },
                "--max-count: 0 would end every instance",
            ),
            (Overrides { max_age: zero, ..Overrides::default() }, "--max-age: 0 would end every instance"),
            (Overrides { max_rss: Some(0), ..Overrides::default() }, "--max-rss: 0 would end every instance"),
            (
                Overrides { allow: vec!["a".into(), String::new()], ..Overrides::default() },
                "--allow: ``: an empty pattern",
            ),
        ] {
            let mut policy = Policy::default();
            assert_eq!(flags.apply(&mut policy).unwrap_err().to_string(), message);
            assert_eq!(format!("{policy:?}"), format!("{:?}", Policy::default()));
        }
    }
}
