//! Finds, reads, edits and replaces a client's settings file.
//!
//! If the file is a link, its target is written and the link stays. The mode stays. The bytes from before the first
//! change are kept beside the file until an uninstall has restored them.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::InstallError;
use super::settings::{self, Edit, Edited, HookClient, HookCommand, HookStatus, SettingsError};
use crate::os::own_file::{self as disk, DiskError, SeenFile};
use crate::os::stable_path::settle;
use crate::os::{self, home};

/// The largest file that is read. Settings are written by hand, and a larger file is something else.
const LARGEST: u64 = 4 << 20;

/// Which settings file of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SettingsScope {
    /// The person's, for all projects.
    User,
    /// Those of a project, in this folder.
    Project(PathBuf),
}

impl SettingsScope {
    /// The path of a client's settings file, which need not exist. `variable` reads the environment.
    ///
    /// # Errors
    /// When the folder is not known: there is no home, or the path is relative, which would mean another folder for the
    /// client.
    pub(crate) fn file(
        &self,
        client: HookClient,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<PathBuf, InstallError> {
        let path = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        // The folder below the home, the variable that names another folder, and the file below it.
        let (below_home, moved, name) = match client {
            HookClient::ClaudeCode => (".claude", path("CLAUDE_CONFIG_DIR"), "settings.json"),
            HookClient::Codex => (".codex", path("CODEX_HOME"), "hooks.json"),
            HookClient::GeminiCli => {
                (".gemini", path("GEMINI_CLI_HOME").map(|home| home.join(".gemini")), "settings.json")
            }
            HookClient::Cursor => (".cursor", None, "hooks.json"),
        };
        let folder = match self {
            SettingsScope::Project(folder) => folder.join(below_home),
            SettingsScope::User => match (moved, path("HOME")) {
                (Some(folder), _) => folder,
                (None, Some(home)) => home.join(below_home),
                (None, None) => return Err(InstallError::NoHome),
            },
        };
        if !folder.is_absolute() {
            return Err(InstallError::Relative { folder });
        }
        Ok(folder.join(name))
    }
}

/// What an install or uninstall did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingsReport {
    /// The file, with all links resolved.
    pub(crate) file: PathBuf,
    /// The changes in it; empty if nothing was written.
    pub(crate) edits: Vec<Edit>,
    /// The copy of the bytes from before, if one is kept.
    pub(crate) backup: Option<PathBuf>,
    /// Whether the file was removed, because it contained only our entries.
    pub(crate) removed: bool,
}

/// Puts our entries into a settings file. A missing file is created.
///
/// # Errors
/// When the program will not stay at its path or is no executable (unless `force`), when the file may not be changed or
/// changes meanwhile, or when it contains no settings. Nothing was changed then.
pub(crate) fn install(
    file: &Path,
    command: &HookCommand,
    force: bool,
) -> Result<SettingsReport, InstallError> {
    let (held, change) = plan(file, command, force)?;
    if !change.edits.is_empty() {
        held.back_up(command.client(), &change)?;
        held.write(&change.text)?;
    }
    Ok(held.report(change.edits, false))
}

/// What [`install`] would change in a settings file: the edits and the new text. Nothing is written.
///
/// # Errors
/// As [`install`].
pub(crate) fn preview(
    file: &Path,
    command: &HookCommand,
    force: bool,
) -> Result<(SettingsReport, String), InstallError> {
    let (held, change) = plan(file, command, force)?;
    Ok((held.report(change.edits, false), change.text))
}

fn plan(file: &Path, command: &HookCommand, force: bool) -> Result<(SettingsFile, Edited), InstallError> {
    if !force {
        check_program(command.program())?;
    }
    let held = SettingsFile::open(file)?;
    let change = held.edit(|text| settings::install(text, command))?;
    Ok((held, change))
}

/// Removes our entries from a settings file. If that restores the bytes from before the install, the copy of them is
/// removed. If nothing is left and there is no such copy, there was no file before, and the file is removed.
///
/// # Errors
/// When the file may not be changed, changes meanwhile, or is not JSON. Nothing was changed then.
pub(crate) fn uninstall(client: HookClient, file: &Path) -> Result<SettingsReport, InstallError> {
    // A missing file is checked first, because opening it would make its folder.
    if fs::symlink_metadata(file).is_err() {
        return Ok(SettingsReport { file: file.to_owned(), edits: Vec::new(), backup: None, removed: false });
    }
    let held = SettingsFile::open(file)?;
    let before = held.backup.as_ref().map(|backup| backup.bytes.as_slice()).unwrap_or_default();
    // A backup that is not UTF-8 contains no settings, and nothing is restored from it.
    let before = str::from_utf8(before).unwrap_or_default();
    let change = held.edit(|text| settings::uninstall(client, text, before))?;
    if change.edits.is_empty() {
        return Ok(held.report(Vec::new(), false));
    }
    if let (None, Some(seen), "") = (&held.backup, &held.seen, change.text.as_str()) {
        disk::remove(&held.file, seen).map_err(|why| disk_error(&held.file, why))?;
        return Ok(held.report(change.edits, true));
    }
    held.write(&change.text)?;
    if let Some(backup) = held.backup.as_ref().filter(|backup| backup.bytes == change.text.as_bytes()) {
        disk::remove(&held.backup_path, backup).map_err(|why| disk_error(&held.backup_path, why))?;
    }
    Ok(held.report(change.edits, false))
}

/// Finds our entries in a settings file. A missing file has none.
///
/// # Errors
/// When the file cannot be read or contains no settings.
pub(crate) fn status(file: &Path, command: &HookCommand) -> Result<HookStatus, InstallError> {
    let text = text(file)?;
    settings::status(&text, command).map_err(|why| InstallError::Settings { file: file.to_owned(), why })
}

/// The text of a client's file; empty if there is none.
pub(super) fn text(file: &Path) -> Result<String, InstallError> {
    let read = os::file::read(file, LARGEST).map_err(|error| disk_error(file, error.into()))?;
    Ok(unicode(file, &read.unwrap_or_default())?.to_owned())
}

fn check_program(program: &Path) -> Result<(), InstallError> {
    let owned = || program.to_owned();
    let settled = settle(program, &[], &home::temporary());
    match (settled.danger, settled.executable) {
        (Some(reason), _) => Err(InstallError::Vanishing { program: owned(), reason }),
        (None, Ok(true)) => Ok(()),
        (None, _) => Err(InstallError::NotExecutable { program: owned() }),
    }
}

/// A settings file and its backup, as they were read.
struct SettingsFile {
    file: PathBuf,
    seen: Option<SeenFile>,
    backup_path: PathBuf,
    backup: Option<SeenFile>,
}

impl SettingsFile {
    fn open(path: &Path) -> Result<SettingsFile, InstallError> {
        let file = disk::resolve(path).map_err(|why| disk_error(path, why))?;
        let seen = disk::read(&file, LARGEST).map_err(|why| disk_error(&file, why))?;
        // The backup is beside the given path, not beside the target of a link, which may be in a repository.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".mcp-reap-backup");
        let backup_path = path.with_file_name(name);
        let backup = disk::read(&backup_path, LARGEST).map_err(|why| disk_error(&backup_path, why))?;
        Ok(SettingsFile { file, seen, backup_path, backup })
    }

    fn edit(&self, edit: impl FnOnce(&str) -> Result<Edited, SettingsError>) -> Result<Edited, InstallError> {
        let bytes = self.seen.as_ref().map(|seen| seen.bytes.as_slice()).unwrap_or_default();
        edit(unicode(&self.file, bytes)?)
            .map_err(|why| InstallError::Settings { file: self.file.clone(), why })
    }

    /// Keeps the bytes from before the first change. An older copy is replaced only by settings that are not blank and
    /// have none of our entries. So a good copy is replaced neither by a half-installed file nor by an empty one.
    fn back_up(&self, client: HookClient, change: &Edited) -> Result<(), InstallError> {
        let Some(seen) = &self.seen else { return Ok(()) };
        let untouched = change.edits.iter().filter(|edit| matches!(edit, Edit::Added { .. })).count();
        let good = untouched == client.events().len() && !seen.bytes.trim_ascii().is_empty();
        match &self.backup {
            Some(old) if !good || old.bytes == seen.bytes => Ok(()),
            old => disk::replace(&self.backup_path, old.as_ref(), Some(seen), &seen.bytes)
                .map_err(|why| disk_error(&self.backup_path, why)),
        }
    }

    fn write(&self, text: &str) -> Result<(), InstallError> {
        let seen = self.seen.as_ref();
        disk::replace(&self.file, seen, seen, text.as_bytes()).map_err(|why| disk_error(&self.file, why))
    }

    fn report(self, edits: Vec<Edit>, removed: bool) -> SettingsReport {
        let backup = fs::symlink_metadata(&self.backup_path).is_ok().then_some(self.backup_path);
        SettingsReport { file: self.file, edits, backup, removed }
    }
}

fn unicode<'a>(file: &Path, bytes: &'a [u8]) -> Result<&'a str, InstallError> {
    str::from_utf8(bytes)
        .map_err(|error| InstallError::NotUnicode { file: file.to_owned(), valid: error.valid_up_to() })
}

fn disk_error(file: &Path, why: DiskError) -> InstallError {
    InstallError::Disk { file: file.to_owned(), why }
}

#[cfg(test)]
mod tests;
