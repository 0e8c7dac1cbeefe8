//! The configuration: found, checked, read and merged with the flags.
//!
//! A file that cannot be trusted or understood in full is an error, never a default: it may hold
//! the allowlist.

mod error;
mod file;
mod locate;
mod merge;
mod pidfile;
mod section;
mod trust;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use error::{ConfigError, Mistake};
pub use file::{AuditSettings, ExecSettings};
pub use locate::Surroundings;
pub use merge::Overrides;

use self::locate::ConfigPlace;
use crate::policy::Policy;

/// The configuration of one run.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What may be ended and what must stay.
    pub policy: Policy,
    /// How guardians go about their servers.
    pub exec: ExecSettings,
    /// What is written down.
    pub audit: AuditSettings,
    /// The file it came from; `None` where there is none and these are the defaults.
    pub origin: Option<PathBuf>,
    /// The line of each value that the file sets, as `reap.grace`.
    pub lines: BTreeMap<String, usize>,
}

/// Finds and reads the configuration: `cli` (`--config`), else `$MCP_REAP_CONFIG`, else
/// `$XDG_CONFIG_HOME/mcp-reap/config.toml`, else `~/.config/mcp-reap/config.toml`, else the defaults.
///
/// # Errors
/// When a file named by flag or variable is missing, or any file found cannot be read, could have
/// been written by others, belongs to another user's home, or holds a mistake.
pub fn load(cli: Option<&Path>) -> Result<Loaded, ConfigError> {
    load_in(&Surroundings::current(), cli)
}

/// [`load`] in given surroundings.
///
/// # Errors
/// As [`load`].
pub fn load_in(around: &Surroundings, cli: Option<&Path>) -> Result<Loaded, ConfigError> {
    let place = match around.config_place(cli) {
        Ok(place) => place,
        // A system user without a home has no configuration either.
        Err(ConfigError::NoHome(_)) => return Ok(defaults()),
        Err(error) => return Err(error),
    };
    let (path, text) = match place {
        ConfigPlace::Named(path, named_by) => match trust::read(&path, around.euid)? {
            Some(text) => (path, text),
            None => return Err(ConfigError::Missing { path, named_by }),
        },
        ConfigPlace::Usual(path) => match trust::read(&path, around.euid)? {
            Some(text) => (path, text),
            None => return Ok(defaults()),
        },
        ConfigPlace::Foreign(path, owner) => {
            return if path.symlink_metadata().is_ok() {
                Err(ConfigError::ForeignHome { path, owner, euid: around.euid })
            } else {
                Ok(defaults())
            };
        }
    };
    let (policy, exec, audit) = file::parse(&path, &text, around)?;
    Ok(Loaded { policy, exec, audit, lines: lines(&text), origin: Some(path) })
}

/// The line, from 1, of each key of each plain section, as `reap.grace`. Entries of lists
/// (`[[allow]]`) are not among them. A text that is no TOML has none.
fn lines(text: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let Ok(document) = DeTable::parse(text) else { return found };
    for (section, value) in document.get_ref() {
        let Some(table) = value.get_ref().as_table() else { continue };
        for key in table.keys() {
            let at = key.span().start.min(text.len());
            let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            found.insert(format!("{}.{}", section.get_ref(), key.get_ref()), line);
        }
    }
    found
}

fn defaults() -> Loaded {
    Loaded {
        policy: Policy::default(),
        exec: ExecSettings::default(),
        audit: AuditSettings::default(),
        origin: None,
        lines: BTreeMap::new(),
    }
}

/// The directory of the audit log: Linux `$XDG_STATE_HOME/mcp-reap` or `~/.local/state/mcp-reap`,
/// macOS `~/Library/Logs/mcp-reap`.
///
/// # Errors
/// When no home directory is known.
pub fn state_dir() -> Result<PathBuf, ConfigError> {
    Surroundings::current().state_dir()
}

/// The file that `config init` writes: every setting with its default and a short explanation.
#[must_use]
pub fn init_text() -> &'static str {
    include_str!("default.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_key_has_its_line() {
        let text = "limits.max_count = 2\n\n[reap] # so\ngrace = \"1s\"\n\"min_age\" = \"2s\"\n[[allow]]\nname = \"x\"\n";
        let lines = lines(text).into_iter().collect::<Vec<_>>();
        let expected = [("limits.max_count", 1), ("reap.grace", 4), ("reap.min_age", 5)];
        assert_eq!(lines, expected.map(|(key, line)| (key.to_owned(), line)));
    }
}
