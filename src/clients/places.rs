//! The folders to which all paths of the table are relative.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use crate::os::home;

/// The system whose paths are used. It is a parameter and not a `cfg`, so that each is tested on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Os {
    /// Linux and similar systems.
    Linux,
    /// macOS.
    MacOs,
}

impl Os {
    /// The system that this program runs on.
    pub const fn here() -> Os {
        if cfg!(target_os = "macos") { Os::MacOs } else { Os::Linux }
    }
}

/// The folders a person's configurations are relative to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// The folder above the machine-wide files; `/` except in tests.
    pub root: PathBuf,
    /// The person's home.
    pub home: PathBuf,
    /// Whose layout.
    pub os: Os,
    /// `CLAUDE_CONFIG_DIR`. It is read in addition to the default folder, because the client that started the servers
    /// may not have had it set.
    pub claude_config_dir: Option<PathBuf>,
    /// `CODEX_HOME`, likewise in addition.
    pub codex_home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`, likewise in addition.
    pub xdg_config_home: Option<PathBuf>,
    /// Project folders to read, besides those that clients remember.
    pub projects: Vec<PathBuf>,
    /// Whether there is no person at a terminal. Then no project is read for which macOS would ask a person.
    pub unattended: bool,
}

/// Folders of a home on macOS whose files a program can read only after the person has allowed it. A scheduled run at
/// three in the morning would leave that question on the screen, and again a week later.
const ASKED_FOR: [&str; 5] =
    ["Desktop", "Documents", "Downloads", "Library/CloudStorage", "Library/Mobile Documents"];

impl Places {
    /// The places of a person who has set none of the variables.
    pub fn new(home: impl Into<PathBuf>, os: Os) -> Places {
        Places {
            root: PathBuf::from("/"),
            home: home.into(),
            os,
            claude_config_dir: None,
            codex_home: None,
            xdg_config_home: None,
            projects: Vec::new(),
            unattended: false,
        }
    }

    /// The places of this person on this machine, with the working directory as a project. `None` if neither the
    /// environment nor the user database names a home.
    pub fn from_env() -> Option<Places> {
        let home = home::current()?;
        let unattended = !std::io::stdin().is_terminal() && !std::io::stderr().is_terminal();
        let working = std::env::current_dir().ok();
        Some(Places { unattended, ..Places::from_vars(home, |name| std::env::var_os(name), working) })
    }

    /// Would macOS ask a person about this project, although there is none? It asks for Desktop, Documents, Downloads
    /// and the folders of cloud services in the home, and for other volumes, which may be removable. Names are compared
    /// without case, as the file system of a Mac does.
    pub(super) fn would_ask(&self, project: &Path) -> bool {
        let names = |path: &Path| {
            path.components()
                .map(|part| part.as_os_str().to_string_lossy().to_lowercase())
                .collect::<Vec<_>>()
        };
        let (project, root) = (names(project), names(&self.root.join("Volumes")));
        let is_below = |folder: &[String]| project.starts_with(folder);
        let mut asked = ASKED_FOR.iter().map(|folder| names(&self.home.join(folder)));
        self.unattended && self.os == Os::MacOs && (is_below(&root) || asked.any(|folder| is_below(&folder)))
    }

    /// [`Places::from_env`] with given variables.
    fn from_vars(home: PathBuf, var: impl Fn(&str) -> Option<OsString>, working: Option<PathBuf>) -> Places {
        let absolute = |name| home::absolute(var(name));
        Places {
            claude_config_dir: absolute("CLAUDE_CONFIG_DIR"),
            codex_home: absolute("CODEX_HOME"),
            xdg_config_home: absolute("XDG_CONFIG_HOME"),
            projects: working.into_iter().collect(),
            ..Places::new(home, Os::here())
        }
    }
}

/// What a path of the table is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The home itself.
    Home,
    /// `XDG_CONFIG_HOME` and `~/.config`, on macOS too: terminal programs use it there as well.
    Config,
    /// The folder of desktop programs: `~/Library/Application Support` on macOS, otherwise as `Config`.
    AppData,
    /// The folder of VS Code or an editor that descends from it, above `User`.
    Editors,
    /// `CLAUDE_CONFIG_DIR` and the home, which contain `.claude.json`.
    ClaudeState,
    /// `CLAUDE_CONFIG_DIR` and `~/.claude`.
    ClaudeDir,
    /// `CODEX_HOME` and `~/.codex`.
    CodexDir,
    /// The machine's root.
    Root,
    /// The machine's root, Linux only.
    LinuxRoot,
    /// The machine's root, macOS only.
    MacRoot,
    /// The home, macOS only.
    MacHome,
    /// The folder of a project.
    Project,
}

/// VS Code, editors based on it, and the remote side of a remote session, relative to `AppData` or the home.
const EDITORS: [&str; 5] = ["Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf"];
const REMOTE_EDITORS: [&str; 3] = [".vscode-server/data", ".cursor-server/data", ".windsurf-server/data"];

impl Base {
    /// The folders, the most specific first. None for `Project`, which the caller knows.
    pub(super) fn folders(self, places: &Places) -> Vec<PathBuf> {
        let home = &places.home;
        let also = |special: &Option<PathBuf>, usual: PathBuf| -> Vec<PathBuf> {
            special.iter().filter(|path| **path != usual).cloned().chain([usual.clone()]).collect()
        };
        let only = |os: Os, folder: &Path| -> Vec<PathBuf> {
            if places.os == os { vec![folder.to_path_buf()] } else { Vec::new() }
        };
        match self {
            Base::Home => vec![home.clone()],
            Base::Config => also(&places.xdg_config_home, home.join(".config")),
            Base::AppData => match places.os {
                Os::MacOs => vec![home.join("Library/Application Support")],
                Os::Linux => Base::Config.folders(places),
            },
            Base::Editors => {
                let local = Base::AppData.folders(places).into_iter();
                let local = local.flat_map(|above| EDITORS.map(|name| above.join(name)));
                local.chain(REMOTE_EDITORS.map(|name| home.join(name))).collect()
            }
            Base::ClaudeState => also(&places.claude_config_dir, home.clone()),
            Base::ClaudeDir => also(&places.claude_config_dir, home.join(".claude")),
            Base::CodexDir => also(&places.codex_home, home.join(".codex")),
            Base::Root => vec![places.root.clone()],
            Base::LinuxRoot => only(Os::Linux, &places.root),
            Base::MacRoot => only(Os::MacOs, &places.root),
            Base::MacHome => only(Os::MacOs, home),
            Base::Project => Vec::new(),
        }
    }

    /// The path as people write it on a system; `None` if that system has none.
    pub(super) fn written(self, os: Os) -> Option<String> {
        match self {
            Base::Editors => Some(Base::AppData.written(os)? + "<editor>/"),
            Base::Project => Some("<project>/".to_owned()),
            _ => {
                self.folders(&Places::new("~", os)).pop().map(|folder| folder.join("").display().to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_folder_in_the_environment_is_ignored() {
        let vars = |name: &str| match name {
            "CLAUDE_CONFIG_DIR" => Some("/srv/claude".into()),
            "CODEX_HOME" => Some("codex".into()),
            "XDG_CONFIG_HOME" => Some("".into()),
            _ => None,
        };
        let places = Places::from_vars("/home/ada".into(), vars, Some("/work".into()));
        let expected = Places {
            claude_config_dir: Some("/srv/claude".into()),
            projects: vec!["/work".into()],
            ..Places::new("/home/ada", Os::here())
        };
        assert_eq!(places, expected);
    }

    #[test]
    fn a_folder_named_by_the_environment_comes_before_the_usual_one_and_not_twice() {
        let mut places = Places::new("/home/ada", Os::Linux);
        assert_eq!(Base::ClaudeDir.folders(&places), [Path::new("/home/ada/.claude")]);
        places.claude_config_dir = Some("/srv/claude".into());
        let both = [Path::new("/srv/claude"), Path::new("/home/ada/.claude")];
        assert_eq!(Base::ClaudeDir.folders(&places), both);
        places.claude_config_dir = Some("/home/ada/.claude".into());
        assert_eq!(Base::ClaudeDir.folders(&places), [Path::new("/home/ada/.claude")]);
        let state = [Path::new("/home/ada/.claude"), Path::new("/home/ada")];
        assert_eq!(Base::ClaudeState.folders(&places), state);
    }

    #[test]
    fn what_exists_on_one_system_only_is_looked_for_there_only() {
        let linux = Places::new("/home/ada", Os::Linux);
        let mac = Places::new("/Users/ada", Os::MacOs);
        assert!(Base::MacRoot.folders(&linux).is_empty() && Base::MacHome.folders(&linux).is_empty());
        assert!(Base::LinuxRoot.folders(&mac).is_empty());
        assert_eq!(Base::AppData.folders(&linux), [Path::new("/home/ada/.config")]);
        assert_eq!(Base::AppData.folders(&mac), [Path::new("/Users/ada/Library/Application Support")]);
    }
}
