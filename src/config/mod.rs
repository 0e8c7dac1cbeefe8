//! Finds, checks and reads the configuration, and merges it with the flags.
//!
//! A file that cannot be trusted or has a mistake is an error. The defaults are not used instead, because the file may
//! contain the allowlist.

mod error;
mod file;
mod locate;
mod merge;
mod pidfile;
mod section;
mod trust;

use std::path::{Path, PathBuf};

pub use error::{ConfigError, Mistake};
pub use file::Loaded;
pub use locate::Surroundings;
pub use merge::Overrides;

use self::locate::ConfigPlace;

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
    let ConfigPlace { path, named_by, stranger } = match around.config_place(cli) {
        Ok(place) => place,
        // A system user without a home has no configuration either.
        Err(ConfigError::NoHome(_)) => return Ok(Loaded::default()),
        Err(error) => return Err(error),
    };
    if let Some(owner) = stranger {
        return match path.symlink_metadata() {
            Ok(_) => Err(ConfigError::ForeignHome { path, owner, euid: around.euid }),
            Err(_) => Ok(Loaded::default()),
        };
    }
    match (trust::read(&path, around.euid)?, named_by) {
        (Some(text), _) => file::parse(&path, &text, around),
        (None, Some(named_by)) => Err(ConfigError::Missing { path, named_by }),
        (None, None) => Ok(Loaded::default()),
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
pub fn init_text() -> &'static str {
    include_str!("default.toml")
}
