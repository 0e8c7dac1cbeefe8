//! Finds the configuration file and the state directory, by the environment, the home directory and the user database.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use crate::os::home;

/// The variables and facts that decide where files are. They are read once, and tests set their own.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// `$MCP_REAP_CONFIG`.
    pub config: Option<OsString>,
    /// `$XDG_CONFIG_HOME`; ignored unless absolute, as the XDG base directory specification wants it.
    pub xdg_config_home: Option<OsString>,
    /// `$XDG_STATE_HOME`, likewise.
    pub xdg_state_home: Option<OsString>,
    /// `$HOME`.
    pub home: Option<OsString>,
    /// The effective user.
    pub euid: u32,
    /// Finds a home directory in the user database; only called when `$HOME` names none.
    pub home_of: fn(u32) -> Option<PathBuf>,
    /// Whether this is macOS, which has logs under `~/Library/Logs`.
    pub macos: bool,
}

/// The place where a configuration file is expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ConfigPlace {
    pub(super) path: PathBuf,
    /// The flag or variable that names it. Then the file must exist.
    pub(super) named_by: Option<&'static str>,
    /// The owner of the home directory, if that is another user. Then the file must not exist.
    pub(super) stranger: Option<u32>,
}

impl Surroundings {
    /// The surroundings of this process.
    pub fn current() -> Surroundings {
        Surroundings {
            config: std::env::var_os("MCP_REAP_CONFIG"),
            xdg_config_home: std::env::var_os("XDG_CONFIG_HOME"),
            xdg_state_home: std::env::var_os("XDG_STATE_HOME"),
            home: std::env::var_os("HOME"),
            euid: home::user(),
            home_of: home::of_user,
            macos: cfg!(target_os = "macos"),
        }
    }

    /// The home directory: `$HOME` if absolute, else the one in the user database.
    ///
    /// # Errors
    /// When neither knows one.
    pub fn home(&self) -> Result<PathBuf, ConfigError> {
        absolute(self.home.as_ref())
            .or_else(|| (self.home_of)(self.euid))
            .ok_or(ConfigError::NoHome(self.euid))
    }

    /// The place of the configuration file, the first of these that is set: `--config`, `$MCP_REAP_CONFIG`,
    /// `$XDG_CONFIG_HOME/mcp-reap/config.toml`, `~/.config/mcp-reap/config.toml`.
    pub(super) fn config_place(&self, cli: Option<&Path>) -> Result<ConfigPlace, ConfigError> {
        let variable = self.config.as_ref().filter(|path| !path.is_empty());
        let named = cli.map(|path| (path, "--config"));
        if let Some((path, by)) = named.or(variable.map(|path| (Path::new(path), "$MCP_REAP_CONFIG"))) {
            return Ok(ConfigPlace { path: path.to_owned(), named_by: Some(by), stranger: None });
        }
        if let Some(base) = absolute(self.xdg_config_home.as_ref()) {
            return Ok(ConfigPlace { path: base.join("mcp-reap/config.toml"), ..ConfigPlace::default() });
        }
        let home = self.home()?;
        let stranger = home::stranger(&home, self.euid);
        Ok(ConfigPlace { path: home.join(".config/mcp-reap/config.toml"), named_by: None, stranger })
    }

    /// The file that [`crate::config::load`] would read, whether it exists or not.
    ///
    /// # Errors
    /// When no home directory is known.
    pub fn config_path(&self, cli: Option<&Path>) -> Result<PathBuf, ConfigError> {
        Ok(self.config_place(cli)?.path)
    }

    /// The directory of the audit log: Linux `$XDG_STATE_HOME/mcp-reap` or
    /// `~/.local/state/mcp-reap`, macOS `~/Library/Logs/mcp-reap`.
    ///
    /// Under `sudo` with another user's `$HOME` it is in the home directory of the effective user, so that root leaves
    /// no files in other users' homes.
    ///
    /// # Errors
    /// When no home directory is known.
    pub fn state_dir(&self) -> Result<PathBuf, ConfigError> {
        if let Some(base) = absolute(self.xdg_state_home.as_ref()).filter(|_| !self.macos) {
            return Ok(base.join("mcp-reap"));
        }
        let mut home = self.home()?;
        if home::stranger(&home, self.euid).is_some() {
            home = (self.home_of)(self.euid).ok_or(ConfigError::NoHome(self.euid))?;
        }
        Ok(home.join(if self.macos { "Library/Logs/mcp-reap" } else { ".local/state/mcp-reap" }))
    }

    /// Replaces `~` and the beginning of `~/x` by the home directory. Any other text stays as it is.
    pub(super) fn expand(&self, text: &str) -> Result<String, ConfigError> {
        match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                // `HOME=/home/kim/` is no reason for two slashes, which no path of a process has.
                let home = self.home()?.display().to_string();
                let path = format!("{}{rest}", home.trim_end_matches('/'));
                Ok(if path.is_empty() { "/".to_owned() } else { path })
            }
            _ => Ok(text.to_owned()),
        }
    }
}

fn absolute(value: Option<&OsString>) -> Option<PathBuf> {
    home::absolute(value.cloned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn surroundings() -> Surroundings {
        Surroundings {
            config: None,
            xdg_config_home: None,
            xdg_state_home: None,
            home: Some("/nonexistent/u".into()),
            euid: 4711,
            home_of: |uid| Some(format!("/users/{uid}").into()),
            macos: false,
        }
    }

    #[test]
    fn the_flag_comes_before_the_variable_before_xdg_before_home() {
        let mut around = surroundings();
        let path = |around: &Surroundings, cli| around.config_path(cli).unwrap();
        assert_eq!(path(&around, None), Path::new("/nonexistent/u/.config/mcp-reap/config.toml"));
        around.xdg_config_home = Some("/xdg".into());
        assert_eq!(path(&around, None), Path::new("/xdg/mcp-reap/config.toml"));
        around.config = Some("mine.toml".into());
        assert_eq!(path(&around, None), Path::new("mine.toml"));
        assert_eq!(path(&around, Some(Path::new("/f"))), Path::new("/f"));
    }

    #[test]
    fn relative_and_empty_variables_are_as_good_as_unset() {
        let mut around = surroundings();
        around.xdg_config_home = Some("xdg".into());
        around.xdg_state_home = Some("".into());
        around.config = Some("".into());
        around.home = Some("u".into());
        assert_eq!(around.config_path(None).unwrap(), Path::new("/users/4711/.config/mcp-reap/config.toml"));
        assert_eq!(around.state_dir().unwrap(), Path::new("/users/4711/.local/state/mcp-reap"));
        around.home_of = |_| None;
        assert!(matches!(around.state_dir(), Err(ConfigError::NoHome(4711))));
    }

    #[test]
    fn the_state_lies_where_each_system_keeps_it() {
        let mut around = surroundings();
        around.xdg_state_home = Some("/state".into());
        assert_eq!(around.state_dir().unwrap(), Path::new("/state/mcp-reap"));
        around.macos = true;
        assert_eq!(around.state_dir().unwrap(), Path::new("/nonexistent/u/Library/Logs/mcp-reap"));
    }

    #[test]
    fn in_a_home_of_another_user_no_file_is_read_and_no_state_written() {
        let home = tempfile::tempdir().unwrap();
        let mut around = surroundings();
        around.home = Some(home.path().into());
        if std::fs::metadata(home.path()).unwrap().uid() == 0 {
            // A home of root is trusted.
            assert_eq!(around.config_place(None).unwrap().stranger, None);
            // In a namespace there may be no other user to give it to.
            if std::os::unix::fs::chown(home.path(), Some(4712), None).is_err() {
                return;
            }
        }
        let owner = std::fs::metadata(home.path()).unwrap().uid();
        assert_eq!(around.config_place(None).unwrap().stranger, Some(owner));
        assert_eq!(around.state_dir().unwrap(), Path::new("/users/4711/.local/state/mcp-reap"));
    }

    #[test]
    fn a_tilde_is_the_home_directory_at_the_start_only() {
        let mut around = surroundings();
        for (text, path) in [
            ("~/run/x.pid", "/nonexistent/u/run/x.pid"),
            ("~", "/nonexistent/u"),
            ("~other/x", "~other/x"),
            ("/a/~/b", "/a/~/b"),
        ] {
            assert_eq!(around.expand(text).unwrap(), path);
        }
        for (home, file) in [("/nonexistent/u/", "/nonexistent/u/x"), ("/", "/x")] {
            around.home = Some(home.into());
            assert_eq!(around.expand("~/x").unwrap(), file);
        }
        assert_eq!(around.expand("~").unwrap(), "/");
    }
}
