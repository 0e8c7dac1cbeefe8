//! The settings file: found, read, edited, and replaced whole.
//!
//! A link stays a link and its target is what is written, the mode stays, and the bytes from before
//! the first change are kept beside the file until an uninstall has restored them.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

pub use super::disk::DiskError;
use super::disk::{self, Seen};
use super::settings::{self, Change, Deed, HookCommand, SettingsError, Status};

/// Whose settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The person's: `~/.claude/settings.json`, or in `$CLAUDE_CONFIG_DIR`.
    User,
    /// A project's: `.claude/settings.json` in this folder.
    Project(PathBuf),
}

impl Scope {
    /// The settings file, existing or not; `variable` reads the environment.
    ///
    /// # Errors
    /// When the folder is not known: no home, or a relative path, which would mean another folder
    /// to Claude Code.
    pub fn file(&self, variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, InstallError> {
        let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = match self {
            Scope::Project(folder) => folder.join(".claude"),
            Scope::User => match (path("CLAUDE_CONFIG_DIR"), path("HOME")) {
                (Some(folder), _) => folder,
                (None, Some(home)) => home.join(".claude"),
                (None, None) => return Err(InstallError::NoHome),
            },
        };
        if !folder.is_absolute() {
            return Err(InstallError::Relative { folder });
        }
        Ok(folder.join("settings.json"))
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The file itself, behind all links.
    pub file: PathBuf,
    /// What is different in it; empty when nothing was written.
    pub deeds: Vec<Deed>,
    /// The copy of the bytes from before, if there is one now.
    pub backup: Option<PathBuf>,
    /// The file held nothing but our entries and is gone.
    pub removed: bool,
}

/// Why nothing was changed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// Neither `HOME` nor `CLAUDE_CONFIG_DIR`.
    #[error("no home directory: HOME is not set")]
    NoHome,
    /// A folder that depends on where one stands.
    #[error("{folder} is not an absolute path")]
    Relative {
        /// The folder.
        folder: PathBuf,
    },
    /// The program would be gone some day, and every session would begin with an error.
    #[error("{program} {reason}; install the program elsewhere, or force it")]
    Vanishing {
        /// The program.
        program: PathBuf,
        /// Why.
        reason: Vanishing,
    },
    /// There is no such program.
    #[error("{program} is not an executable file")]
    NotExecutable {
        /// The program.
        program: PathBuf,
    },
    /// The file is not for us to change.
    #[error("{file}: {source}")]
    Disk {
        /// The file.
        file: PathBuf,
        /// Why.
        source: DiskError,
    },
    /// The file is not Unicode.
    #[error("{file}: not UTF-8 from byte {valid} on")]
    NotUnicode {
        /// The file.
        file: PathBuf,
        /// How many bytes are.
        valid: usize,
    },
    /// The content is not settings.
    #[error("{file}: {source}")]
    Settings {
        /// The file.
        file: PathBuf,
        /// Why.
        source: SettingsError,
    },
}

/// Why a program will not stay where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Vanishing {
    /// `target/debug`, `target/release`.
    #[error("is in a build folder, which `cargo clean` empties")]
    BuildFolder,
    /// `/tmp` and its like.
    #[error("is in a temporary folder")]
    Temporary,
    /// Homebrew's Cellar, the Nix store, a package runner's cache.
    #[error("is in a folder that goes with this version of it")]
    Versioned,
}

/// Will a program at this path be gone soon, and why? `temporary` is the system's own temporary
/// folder ([`std::env::temp_dir`]), besides those that all systems have.
#[must_use]
pub fn vanishing(program: &Path, temporary: &Path) -> Option<Vanishing> {
    let names: Vec<&str> = program
        .components()
        .filter_map(|part| if let Component::Normal(name) = part { name.to_str() } else { None })
        .collect();
    // `target/debug`, and `target/<triple>/debug` of a cross build.
    let is_profile = |name: Option<&&str>| name.is_some_and(|name| matches!(*name, "debug" | "release"));
    let build = names
        .iter()
        .enumerate()
        .any(|(at, name)| *name == "target" && (is_profile(names.get(at + 1)) || is_profile(names.get(at + 2))));
    if build {
        return Some(Vanishing::BuildFolder);
    }
    // macOS: /private/... is what /tmp and $TMPDIR lead to.
    let usual = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/private/tmp", "/private/var/folders", "/var/folders"];
    if usual.iter().map(Path::new).chain([temporary]).any(|folder| {
        folder.components().count() > 1 && program.starts_with(folder)
    }) {
        return Some(Vanishing::Temporary);
    }
    let versioned = program.starts_with("/nix/store") || names.iter().any(|name| matches!(*name, "Cellar" | "_npx"));
    versioned.then_some(Vanishing::Versioned)
}

/// The path to write into a hook: the program itself, or, where it will vanish with the next
/// version, the name in `PATH` (its value, or empty) that leads to it.
#[must_use]
pub fn lasting(program: &Path, path: &std::ffi::OsStr, temporary: &Path) -> PathBuf {
    let same = |candidate: &PathBuf| {
        vanishing(candidate, temporary).is_none()
            && fs::canonicalize(candidate).is_ok_and(|real| fs::canonicalize(program).is_ok_and(|ours| ours == real))
    };
    let name = program.file_name().unwrap_or_default();
    let found = || std::env::split_paths(path).filter(|folder| folder.is_absolute()).map(|f| f.join(name)).find(same);
    match vanishing(program, temporary) {
        Some(_) => found().unwrap_or_else(|| program.to_owned()),
        None => program.to_owned(),
    }
}

/// Puts our entries into a settings file, which is made if it is missing.
///
/// # Errors
/// When the program would be gone soon or is none (unless `force`), when the file is not ours to
/// change or changes meanwhile, when it holds no settings. Nothing was changed then.
pub fn install(file: &Path, command: &HookCommand, force: bool) -> Result<Report, InstallError> {
    if !force {
        check_program(command.program())?;
    }
    let held = Held::open(file)?;
    let change = held.edit(|text| settings::install(text, command))?;
    if change.deeds.is_empty() {
        return held.report(Vec::new(), false);
    }
    held.back_up(&change)?;
    held.write(&change.text)?;
    held.report(change.deeds, false)
}

/// Takes our entries out of a settings file. If that restores the bytes from before the install,
/// the copy of them has served and goes; if nothing at all is left and there was no file before, the
/// file goes.
///
/// # Errors
/// When the file is not ours to change, changes meanwhile, or is not JSON. Nothing was changed then.
pub fn uninstall(file: &Path) -> Result<Report, InstallError> {
    // Looking must not make a folder.
    if fs::symlink_metadata(file).is_err() {
        return Ok(Report { file: file.to_owned(), deeds: Vec::new(), backup: None, removed: false });
    }
    let held = Held::open(file)?;
    let change = held.edit(settings::uninstall)?;
    if change.deeds.is_empty() {
        return held.report(Vec::new(), false);
    }
    match (&held.backup, &held.seen) {
        (Some(backup), _) if backup.bytes == change.text.as_bytes() => {
            held.write(&change.text)?;
            held.on(&held.backup_path, disk::remove(&held.backup_path, backup))?;
            held.report(change.deeds, false)
        }
        (None, Some(seen)) if change.text.is_empty() => {
            held.on(&held.file, disk::remove(&held.file, seen))?;
            held.report(change.deeds, true)
        }
        _ => {
            held.back_up(&change)?;
            held.write(&change.text)?;
            held.report(change.deeds, false)
        }
    }
}

/// What a settings file says of us; a missing one says nothing.
///
/// # Errors
/// When the file cannot be read or holds no settings.
pub fn status(file: &Path, command: &HookCommand) -> Result<Status, InstallError> {
    let bytes = match fs::metadata(file) {
        Ok(found) if !found.is_file() => return Err(disk_error(file, DiskError::NotRegular)),
        Ok(found) if found.len() > disk::LARGEST => return Err(disk_error(file, DiskError::TooLarge)),
        Ok(_) => fs::read(file).map_err(|error| disk_error(file, error.into()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(disk_error(file, error.into())),
    };
    let text = unicode(file, &bytes)?;
    settings::status(text, command).map_err(|source| InstallError::Settings { file: file.to_owned(), source })
}

fn check_program(program: &Path) -> Result<(), InstallError> {
    let owned = || program.to_owned();
    if let Some(reason) = vanishing(program, &std::env::temp_dir()) {
        return Err(InstallError::Vanishing { program: owned(), reason });
    }
    match fs::metadata(program) {
        Ok(found) if found.is_file() && found.permissions().mode() & 0o111 != 0 => Ok(()),
        _ => Err(InstallError::NotExecutable { program: owned() }),
    }
}

/// A settings file and its backup, as they were when the work began.
struct Held {
    file: PathBuf,
    seen: Option<Seen>,
    backup_path: PathBuf,
    backup: Option<Seen>,
}

impl Held {
    fn open(path: &Path) -> Result<Held, InstallError> {
        let file = disk::resolve(path).map_err(|source| disk_error(path, source))?;
        let seen = disk::read(&file).map_err(|source| disk_error(&file, source))?;
        // Beside the name that was asked for: behind a link there may be a repository.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".mcp-reap-backup");
        let backup_path = path.with_file_name(name);
        let backup = disk::read(&backup_path).map_err(|source| disk_error(&backup_path, source))?;
        Ok(Held { file, seen, backup_path, backup })
    }

    fn edit(
        &self,
        edit: impl FnOnce(&str) -> Result<Change, SettingsError>,
    ) -> Result<Change, InstallError> {
        let bytes = self.seen.as_ref().map(|seen| seen.bytes.as_slice()).unwrap_or_default();
        edit(unicode(&self.file, bytes)?)
            .map_err(|source| InstallError::Settings { file: self.file.clone(), source })
    }

    /// Keeps the bytes from before the first change. An older copy is replaced only by bytes that
    /// say as much: settings, not blank, and without our entries. So neither a half-installed file
    /// nor one that something emptied takes the place of a good one.
    fn back_up(&self, change: &Change) -> Result<(), InstallError> {
        let Some(seen) = &self.seen else { return Ok(()) };
        let untouched = change.deeds.iter().filter(|deed| matches!(deed, Deed::Added { .. })).count();
        let good = untouched == settings::EVENTS.len() && !seen.bytes.trim_ascii().is_empty();
        match &self.backup {
            Some(old) if !good || old.bytes == seen.bytes => Ok(()),
            old => {
                let done = disk::replace_like(&self.backup_path, old.as_ref(), seen);
                self.on(&self.backup_path, done)
            }
        }
    }

    fn write(&self, text: &str) -> Result<(), InstallError> {
        self.on(&self.file, disk::replace(&self.file, self.seen.as_ref(), text.as_bytes()))
    }

    fn on(&self, file: &Path, done: Result<(), DiskError>) -> Result<(), InstallError> {
        done.map_err(|source| disk_error(file, source))
    }

    fn report(self, deeds: Vec<Deed>, removed: bool) -> Result<Report, InstallError> {
        let backup = fs::symlink_metadata(&self.backup_path).is_ok().then_some(self.backup_path);
        Ok(Report { file: self.file, deeds, backup, removed })
    }
}

fn unicode<'a>(file: &Path, bytes: &'a [u8]) -> Result<&'a str, InstallError> {
    str::from_utf8(bytes)
        .map_err(|error| InstallError::NotUnicode { file: file.to_owned(), valid: error.valid_up_to() })
}

fn disk_error(file: &Path, source: DiskError) -> InstallError {
    InstallError::Disk { file: file.to_owned(), source }
}
