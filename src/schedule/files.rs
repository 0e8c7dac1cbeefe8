//! The files in the managers' folders. They are examined before they are changed, and written whole or not at all.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::ScheduleError;
use super::job::Job;
use super::seal::{Origin, origin};
use crate::os::draft::{Access, Draft};
use crate::os::file::{self, Links, ReadError};

/// The largest file that is read. Ours are much smaller.
const LARGEST: u64 = 64 * 1024;

/// A file as this version would write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Its path.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}

/// What was found at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// An unchanged file of ours.
    Ours {
        /// The job that it was made for; `None` if another version wrote it in a form that cannot be read.
        job: Option<Job>,
        /// The whole text.
        text: String,
    },
    /// A file that is not ours, and why.
    Theirs(&'static str),
}

/// A file that is to be written, and what is at its path.
pub(super) struct PlannedFile {
    pub(super) rendered: Rendered,
    pub(super) found: Found,
}

impl PlannedFile {
    pub(super) fn look(rendered: Rendered) -> Result<PlannedFile, ScheduleError> {
        let found = look(&rendered.path)?;
        Ok(PlannedFile { rendered, found })
    }

    pub(super) fn change(&self) -> FileChange {
        match &self.found {
            Found::Ours { text, .. } if *text == self.rendered.text => FileChange::Unchanged,
            Found::Ours { .. } => FileChange::Updated,
            Found::Theirs(_) | Found::Nothing => FileChange::Created,
        }
    }
}

/// What an install did to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileChange {
    /// It was created.
    Created,
    /// It had another content.
    Updated,
    /// It already had this content.
    Unchanged,
}

/// The error of an operation on a path.
pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ScheduleError {
    let path = path.to_owned();
    move |source| ScheduleError::Io { doing, path, source }
}

/// Reads the file at a path. A link is not followed, because the program that made it (a dotfiles manager, `systemctl
/// mask`) keeps the file elsewhere.
pub(super) fn look(path: &Path) -> Result<Found, ScheduleError> {
    if path.is_symlink() {
        return Ok(Found::Theirs("it is a symbolic link"));
    }
    let bytes = file::open(path, Links::Refuse).and_then(|opened| match opened {
        Some(opened) => opened.read(LARGEST).map(Some),
        None => Ok(None),
    });
    let bytes = match bytes {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Found::Nothing),
        Err(ReadError::NotRegular | ReadError::TooLarge { .. }) => {
            return Ok(Found::Theirs("mcp-reap did not write it"));
        }
        Err(ReadError::Io(error)) => return Err(io("read", path)(error)),
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Found::Theirs("mcp-reap did not write it"));
    };
    Ok(match origin(&text) {
        Origin::Sealed(job) => Found::Ours { job, text },
        Origin::Edited => Found::Theirs("it was changed after mcp-reap wrote it"),
        Origin::Foreign => Found::Theirs("mcp-reap did not write it"),
    })
}

/// Writes a file whole or not at all. Missing folders are created.
pub(super) fn write(path: &Path, text: &str) -> Result<(), ScheduleError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(io("create", folder))?;
    // The mode does not depend on the umask, because launchd refuses files that others may write.
    let access = Access::Exactly { mode: 0o644, group: None };
    let written = Draft::beside(path, text.as_bytes(), access).and_then(|draft| draft.replace(path));
    written.map_err(io("write", path))
}

/// Renames a file that is not ours, in the same folder. Returns its new path.
pub(super) fn move_aside(path: &Path) -> Result<PathBuf, ScheduleError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = (1..).map(|at: u32| match at {
        1 => format!("{name}.before-mcp-reap"),
        at => format!("{name}.before-mcp-reap-{at}"),
    });
    let free = names.map(|name| path.with_file_name(name)).find(|path| fs::symlink_metadata(path).is_err());
    let aside = free.unwrap_or_else(|| path.with_extension("before-mcp-reap"));
    fs::rename(path, &aside).map_err(io("move", path))?;
    Ok(aside)
}

/// Removes a file. Returns whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool, ScheduleError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io("remove", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_file_is_written_whole_with_its_folders_and_for_everyone_to_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/x.service");
        for text in ["one", "two"] {
            write(&path, text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o644);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
        assert!(remove(&path).unwrap());
        assert!(!remove(&path).unwrap());
    }

    #[test]
    fn a_failed_write_leaves_what_was_there_and_nothing_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.service");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("kept"), "").unwrap();
        let error = write(&path, "").unwrap_err();
        assert!(error.to_string().starts_with("failed to write "), "{error}");
        assert!(path.join("kept").exists());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_folders_and_strangers_files_are_not_ours() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::write(path("strange"), "[Timer]\n").unwrap();
        fs::write(path("bytes"), b"\xff").unwrap();
        fs::write(path("large"), vec![b' '; 70_000]).unwrap();
        fs::create_dir(path("folder")).unwrap();
        symlink("/dev/null", path("masked")).unwrap();
        for name in ["strange", "bytes", "large", "folder"] {
            assert_eq!(look(&path(name)).unwrap(), Found::Theirs("mcp-reap did not write it"), "{name}");
        }
        assert_eq!(look(&path("masked")).unwrap(), Found::Theirs("it is a symbolic link"));
        assert_eq!(look(&path("none")).unwrap(), Found::Nothing);
    }
}
