//! The folders and variables of the person whose schedule it is.

use std::collections::BTreeMap;
use std::env;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::ScheduleError;
use crate::os::home;

/// The folders and variables that an install depends on. They are parameters, so that both managers are tested on any
/// machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserEnvironment {
    /// The person's home.
    pub home: PathBuf,
    /// `XDG_CONFIG_HOME`, by default `~/.config`.
    pub config_home: PathBuf,
    /// `XDG_DATA_HOME`, by default `~/.local/share`: systemd's timers leave stamps there.
    pub data_home: PathBuf,
    /// `XDG_RUNTIME_DIR`: where the user manager's sockets are. `None` without a login session.
    pub runtime_dir: Option<PathBuf>,
    /// `DBUS_SESSION_BUS_ADDRESS`, if set.
    pub bus: Option<String>,
    /// The user, whose number is part of the names in launchd.
    pub uid: u32,
    /// The person's `PATH`.
    pub path: Vec<PathBuf>,
    /// `TMPDIR`, as it is set and with links resolved.
    pub temporary: Vec<PathBuf>,
    /// The variables of a scheduled run; see [`super::Job::environment`].
    pub kept: BTreeMap<String, String>,
}

/// The variables for the folders of configuration and state, each with its default below the home. `MCP_REAP_CONFIG`
/// has no default.
const KEPT: [(&str, &str); 5] = [
    ("MCP_REAP_CONFIG", ""),
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_STATE_HOME", ".local/state"),
    ("CLAUDE_CONFIG_DIR", ".claude"),
    ("CODEX_HOME", ".codex"),
];

impl UserEnvironment {
    /// The environment of a person who has set none of the variables.
    pub fn new(home: impl Into<PathBuf>) -> UserEnvironment {
        let home = home.into();
        UserEnvironment {
            config_home: home.join(".config"),
            data_home: home.join(".local/share"),
            home,
            runtime_dir: None,
            bus: None,
            uid: 0,
            path: Vec::new(),
            temporary: Vec::new(),
            kept: BTreeMap::new(),
        }
    }

    /// The environment of the person who runs this process.
    ///
    /// # Errors
    /// [`ScheduleError::NoHome`], and [`ScheduleError::NotYourHome`] under a `sudo` that keeps `HOME`, because files of
    /// root in another user's home would have no effect.
    pub fn here() -> Result<UserEnvironment, ScheduleError> {
        let uid = home::user();
        let home = home::current().filter(|home| home.is_dir()).ok_or(ScheduleError::NoHome)?;
        if let Some(owner) = home::stranger(&home, uid) {
            return Err(ScheduleError::NotYourHome { home, owner });
        }
        let mut user = UserEnvironment::new(&home);
        user.uid = uid;
        user.config_home = home::folder("XDG_CONFIG_HOME").unwrap_or(user.config_home);
        user.data_home = home::folder("XDG_DATA_HOME").unwrap_or(user.data_home);
        // A shell of su or cron has no `XDG_RUNTIME_DIR`, but the manager may still be running.
        let usual = PathBuf::from(format!("/run/user/{uid}"));
        let mine = |path: &PathBuf| path.metadata().is_ok_and(|metadata| metadata.uid() == uid);
        user.runtime_dir = home::folder("XDG_RUNTIME_DIR").or_else(|| Some(usual).filter(mine));
        user.bus = env::var("DBUS_SESSION_BUS_ADDRESS").ok().filter(|address| !address.is_empty());
        user.path = home::search_path();
        user.temporary = home::temporary();
        user.kept = kept(&home, |name| env::var(name).ok());
        Ok(user)
    }

    /// The variables that `systemctl` and `launchctl` need to find their manager.
    pub fn for_managers(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut variables = vec![("HOME".to_owned(), text(&self.home))];
        variables.extend(self.runtime_dir.as_deref().map(|dir| ("XDG_RUNTIME_DIR".to_owned(), text(dir))));
        variables.extend(self.bus.clone().map(|bus| ("DBUS_SESSION_BUS_ADDRESS".to_owned(), bus)));
        variables
    }
}

/// The variables of a scheduled run: absolute paths that differ from the defaults.
fn kept(home: &Path, variable: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (name, usual) in KEPT {
        let Some(value) = variable(name).filter(|value| !value.is_empty()) else { continue };
        let path = Path::new(&value);
        if usual.is_empty() {
            // A relative path is resolved now, because the manager's jobs have another working folder.
            let absolute = std::path::absolute(path).ok().and_then(|path| path.to_str().map(str::to_owned));
            kept.insert(name.to_owned(), absolute.unwrap_or(value));
        } else if path.is_absolute() && path != home.join(usual) {
            kept.insert(name.to_owned(), value);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_scheduled_run_is_given_what_differs_from_the_usual() {
        let given = kept(Path::new("/home/u"), |name| {
            let value = match name {
                "MCP_REAP_CONFIG" => "my.toml",
                "XDG_CONFIG_HOME" => "/home/u/.config/",
                "XDG_STATE_HOME" => "/data/state",
                "CLAUDE_CONFIG_DIR" => "relative",
                _ => return None,
            };
            Some(value.to_owned())
        });
        let here = env::current_dir().unwrap().join("my.toml");
        let expected = [("MCP_REAP_CONFIG", here.to_str().unwrap()), ("XDG_STATE_HOME", "/data/state")];
        assert_eq!(given, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }
}
