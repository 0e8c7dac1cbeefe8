//! The state directory. It is kept open, so that it cannot be exchanged after it was checked.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::AuditError;
use crate::os::home;

/// A directory that only this user can write. Its files are opened relative to it. Links are not followed, and an open
/// never waits for a FIFO.
#[derive(Debug)]
pub(super) struct Directory {
    file: File,
    path: PathBuf,
}

/// The size of a record with a long command line, in bytes.
pub(super) const PROBE: usize = 16 * 1024;

const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

impl Directory {
    /// Opens the directory. If it or a folder above it is missing, it is created for this user alone.
    ///
    /// # Errors
    /// When it cannot be created or opened, belongs to another user, is reached through another user's link, or can be
    /// written by others.
    pub(super) fn create(path: &Path) -> Result<Directory, AuditError> {
        let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
        created.map_err(AuditError::io("create", path))?;
        let directory = Directory::open(path)?;
        directory.check()?;
        Ok(directory)
    }

    /// Opens the directory for reading.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(path: &Path) -> Result<Directory, AuditError> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::DIRECTORY | OFlags::NONBLOCK).bits().cast_signed())
            .open(path)
            .map_err(AuditError::io("open", path))?;
        Ok(Directory { file, path: path.to_owned() })
    }

    fn check(&self) -> Result<(), AuditError> {
        let mode = self.refusal()?;
        // No other user could write it, so it suffices to remove the permissions of others.
        if mode & 0o077 != 0 {
            let closed = self.file.set_permissions(Permissions::from_mode(0o700));
            closed.map_err(AuditError::io("examine", &self.path))?;
        }
        Ok(())
    }

    /// Refuses a directory that cannot be trusted; otherwise returns its mode.
    pub(super) fn refusal(&self) -> Result<u32, AuditError> {
        let euid = home::user();
        let refuse = |problem| Err(AuditError::NotTrusted { path: self.path.clone(), problem });
        let failed = AuditError::io("examine", &self.path);
        let link = std::fs::symlink_metadata(&self.path).map_err(&failed)?;
        if link.is_symlink() && link.uid() != euid && link.uid() != 0 {
            return refuse(format!("a symbolic link of user {}", link.uid()));
        }
        let metadata = self.file.metadata().map_err(&failed)?;
        let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
        if owner != euid {
            return refuse(format!("belongs to user {owner}, not to user {euid}, as which this runs"));
        }
        if mode & 0o022 != 0 {
            return refuse(format!("others can write to this directory (mode {mode:04o}): chmod 700"));
        }
        Ok(mode)
    }

    /// Refuses a file as [`Directory::append_to`] would. A missing file is accepted.
    pub(super) fn refusal_of(&self, name: &str) -> Result<(), AuditError> {
        match rustix::fs::openat(&self.file, name, FILE | OFlags::RDWR | OFlags::APPEND, Mode::empty()) {
            Ok(fd) => self.mode_of_trusted(name, &File::from(fd)).map(|_| ()),
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.refused(name, error)),
        }
    }

    /// Writes as much as a record can take into a file whose name was already removed.
    pub(super) fn probe(&self) -> Result<(), AuditError> {
        let name = format!("probe.{}", std::process::id());
        let flags = FILE | OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let fd = rustix::fs::openat(&self.file, &name, flags, Mode::RUSR | Mode::WUSR);
        let mut file = File::from(fd.map_err(|error| self.failed("create", &name, error))?);
        self.remove(&name)?;
        file.write_all(&[b'\n'; PROBE]).map_err(|error| self.failed("write", &name, error))
    }

    /// The path of a file in it, for messages.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// An error about a file in it.
    pub(super) fn failed(&self, doing: &'static str, name: &str, source: impl Into<io::Error>) -> AuditError {
        AuditError::Io { doing, path: self.path_of(name), source: source.into() }
    }

    fn not_trusted<T>(&self, name: &str, problem: String) -> Result<T, AuditError> {
        Err(AuditError::NotTrusted { path: self.path_of(name), problem })
    }

    /// Opens one of our files for reading and appending, or creates it; returns whether it is new.
    ///
    /// # Errors
    /// When it is not a regular file of this user, has a second name, or can be written by others.
    pub(super) fn append_to(&self, name: &str) -> Result<(File, bool), AuditError> {
        let flags = FILE | OFlags::RDWR | OFlags::APPEND;
        let mode = Mode::RUSR | Mode::WUSR;
        let open = |flags| rustix::fs::openat(&self.file, name, flags, mode);
        let opened = match open(flags) {
            Err(Errno::NOENT) => match open(flags | OFlags::CREATE | OFlags::EXCL) {
                // Another process has created it meanwhile. It is checked like any other.
                Err(Errno::EXIST) => open(flags).map(|fd| (fd, false)),
                created => created.map(|fd| (fd, true)),
            },
            existing => existing.map(|fd| (fd, false)),
        };
        let (fd, new) = opened.map_err(|error| self.refused(name, error))?;
        let file = File::from(fd);
        self.trusted(name, &file)?;
        if new {
            self.sync()?;
        }
        Ok((file, new))
    }

    /// Opens a file for reading; `None` if it does not exist.
    ///
    /// # Errors
    /// When it cannot be opened or is no regular file.
    pub(super) fn read_from(&self, name: &str) -> Result<Option<File>, AuditError> {
        let fd = match rustix::fs::openat(&self.file, name, FILE | OFlags::RDONLY, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.refused(name, error)),
        };
        let file = File::from(fd);
        let metadata = file.metadata().map_err(|error| self.failed("examine", name, error))?;
        if metadata.is_file() { Ok(Some(file)) } else { self.not_trusted(name, "not a regular file".into()) }
    }

    fn refused(&self, name: &str, error: Errno) -> AuditError {
        // O_NOFOLLOW fails with ELOOP on Linux and macOS, EMLINK on FreeBSD.
        if matches!(error, Errno::LOOP | Errno::MLINK) {
            return AuditError::NotTrusted { path: self.path_of(name), problem: "a symbolic link".into() };
        }
        self.failed("open", name, error)
    }

    fn trusted(&self, name: &str, file: &File) -> Result<(), AuditError> {
        if self.mode_of_trusted(name, file)? & 0o077 != 0 {
            let closed = file.set_permissions(Permissions::from_mode(0o600));
            closed.map_err(|error| self.failed("examine", name, error))?;
        }
        Ok(())
    }

    fn mode_of_trusted(&self, name: &str, file: &File) -> Result<u32, AuditError> {
        let metadata = file.metadata().map_err(|error| self.failed("examine", name, error))?;
        match problem_of(&metadata, home::user()) {
            Some(problem) => self.not_trusted(name, problem),
            None => Ok(metadata.mode()),
        }
    }

    /// The names of all files in it.
    pub(super) fn names(&self) -> Result<Vec<String>, AuditError> {
        let failed = |error: Errno| AuditError::io("read", &self.path)(error.into());
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.file).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Our names are ASCII, so a name that is not UTF-8 is not ours.
            names.extend(entry.file_name().to_str().ok().map(str::to_owned));
        }
        Ok(names)
    }

    /// Renames a file in this directory, and writes that to the disk.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), AuditError> {
        let renamed = rustix::fs::renameat(&self.file, from, &self.file, to);
        renamed.map_err(|error| self.failed("rename", from, error))?;
        self.sync()
    }

    /// Deletes a file.
    pub(super) fn remove(&self, name: &str) -> Result<(), AuditError> {
        match rustix::fs::unlinkat(&self.file, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.failed("delete", name, error)),
        }
    }

    /// Is this open file still the one with this name?
    pub(super) fn still_names(&self, name: &str, file: &File) -> bool {
        match (rustix::fs::statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW), rustix::fs::fstat(file)) {
            (Ok(named), Ok(open)) => (named.st_dev, named.st_ino) == (open.st_dev, open.st_ino),
            _ => false,
        }
    }

    /// Writes creations and renames to the disk (fsync of the directory).
    fn sync(&self) -> Result<(), AuditError> {
        match rustix::fs::fsync(&self.file) {
            // Some network file systems have no fsync for directories, because their servers do it.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(error) => Err(AuditError::io("sync", &self.path)(error.into())),
        }
    }
}

/// Why a file must not be written; `None` if it may.
fn problem_of(metadata: &Metadata, euid: u32) -> Option<String> {
    let mode = metadata.mode() & 0o7777;
    if !metadata.is_file() {
        Some("not a regular file".into())
    } else if metadata.uid() != euid {
        Some(format!("belongs to user {}, not to user {euid}, as which this runs", metadata.uid()))
    } else if metadata.nlink() != 1 {
        Some(format!("has {} names (hard links)", metadata.nlink()))
    } else if mode & 0o022 != 0 {
        Some(format!("others can write it (mode {mode:04o}): chmod 600"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_open_file_that_was_deleted_or_replaced_no_longer_goes_by_its_name() {
        let state = tempfile::tempdir().unwrap();
        let directory = Directory::create(&state.path().join("mcp-reap")).unwrap();
        let (file, new) = directory.append_to("x").unwrap();
        assert!(new && directory.still_names("x", &file));
        directory.remove("x").unwrap();
        assert!(!directory.still_names("x", &file), "deleted");
        let (other, _) = directory.append_to("x").unwrap();
        assert!(!directory.still_names("x", &file), "replaced");
        assert!(directory.still_names("x", &other));
        directory.rename("x", "y").unwrap();
        std::os::unix::fs::symlink("y", state.path().join("mcp-reap/x")).unwrap();
        assert!(!directory.still_names("x", &other), "a link is another name");
    }
}
