//! Limits on count, age and memory, for all servers or by a `[[server]]` entry for a single one.

use std::time::Duration;

use crate::pattern::Pattern;

/// Whose copies `max_count` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CountPer {
    /// Copies under one client. Three sessions with one copy each do not exceed `max_count = 1`.
    #[default]
    Client,
    /// All copies of one user.
    User,
}

/// The limits; `None` is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Limits {
    /// How many copies of one server are kept, the newest first.
    pub max_count: Option<u32>,
    /// Whose copies are counted together.
    pub count_per: Option<CountPer>,
    /// Oldest allowed age of an instance's root.
    pub max_age: Option<Duration>,
    /// Largest allowed resident memory of an instance, in bytes.
    pub max_rss: Option<u64>,
}

impl Limits {
    /// These limits where set, else the others'.
    pub(crate) fn or(self, other: Limits) -> Limits {
        Limits {
            max_count: self.max_count.or(other.max_count),
            count_per: self.count_per.or(other.count_per),
            max_age: self.max_age.or(other.max_age),
            max_rss: self.max_rss.or(other.max_rss),
        }
    }

    /// The limits of the server that is shown under this name. For each limit the first rule of that name that sets it
    /// wins; without one, these limits apply.
    pub(crate) fn for_server(self, name: &str, rules: &[ServerRule]) -> Limits {
        rules
            .iter()
            .filter(|rule| rule.name == name)
            .fold(Limits::default(), |limits, rule| limits.or(rule.limits))
            .or(self)
    }
}

/// One `[[server]]` entry.
#[derive(Clone, Debug)]
pub struct ServerRule {
    /// The name under which the server is shown, and by which limits and allow rules find it.
    pub name: String,
    /// Matched against the resolved program's names (package, module, script, bin, image); `None`
    /// when the entry only sets limits for a server that is known already.
    pub program: Option<Pattern>,
    /// Limits of this server, which override the global ones.
    pub limits: Limits,
    /// Where the entry stands, as `config.toml:12`.
    pub origin: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, limits: Limits) -> ServerRule {
        ServerRule { name: name.to_owned(), program: None, limits, origin: String::new() }
    }

    #[test]
    fn a_servers_own_limit_wins_and_the_others_stay() {
        let global = Limits { max_count: Some(2), max_rss: Some(500), ..Limits::default() };
        let rules = [
            rule("notes", Limits { max_rss: Some(2000), ..Limits::default() }),
            rule("maps", Limits { max_count: Some(9), ..Limits::default() }),
            rule(
                "notes",
                Limits { max_rss: Some(1), max_age: Some(Duration::from_secs(5)), ..Limits::default() },
            ),
        ];
        assert_eq!(
            global.for_server("notes", &rules),
            Limits {
                max_count: Some(2),
                max_rss: Some(2000),
                max_age: Some(Duration::from_secs(5)),
                count_per: None
            }
        );
        assert_eq!(global.for_server("mail", &rules), global);
    }
}
