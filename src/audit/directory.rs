//! The state directory, held open: what is checked once cannot be exchanged later.

use std::fs::{DirBuilder, File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::AuditError;

/// A directory that only this user can write. Its files are opened by name relative to it, never
/// through a link, and never waiting for a FIFO.
#[derive(Debug)]
pub(super) struct Directory {
    fd: OwnedFd,
    path: PathBuf,
}

const FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

impl Directory {
    /// Opens the directory; creates it, and what is missing above it, for this user alone.
    ///
    /// # Errors
    /// When it cannot be made or opened, is another user's, is reached over another user's link, or
    /// can be written by others.
    pub(super) fn create(path: &Path) -> Result<Directory, AuditError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| AuditError::Io {
            doing: "create",
            path: path.to_owned(),
            source,
        })?;
        let directory = Directory::open(path)?;
        let euid = rustix::process::geteuid().as_raw();
        directory.check(euid)?;
        Ok(directory)
    }

    /// Opens the directory for reading.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(path: &Path) -> Result<Directory, AuditError> {
        let file = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::DIRECTORY | OFlags::NONBLOCK).bits().cast_signed())
            .open(path)
            .map_err(|source| AuditError::Io { doing: "open", path: path.to_owned(), source })?;
        Ok(Directory { fd: file.into(), path: path.to_owned() })
    }

    fn check(&self, euid: u32) -> Result<(), AuditError> {
        let refuse = |problem| Err(AuditError::NotTrusted { path: self.path.clone(), problem });
        let failed = |source: io::Error| self.failed("examine", None, source);
        let link = std::fs::symlink_metadata(&self.path).map_err(failed)?;
        if link.is_symlink() && link.uid() != euid && link.uid() != 0 {
            return refuse(format!("a symbolic link of user {}", link.uid()));
        }
        let stat = rustix::fs::fstat(&self.fd).map_err(|error| failed(error.into()))?;
        let mode = Mode::from_raw_mode(stat.st_mode);
        if stat.st_uid != euid {
            return refuse(format!(
                "belongs to user {}, not to user {euid}, as which this runs",
                stat.st_uid
            ));
        }
        if mode.intersects(Mode::WGRP | Mode::WOTH) {
            return refuse(format!(
                "others can write to this directory (mode {:04o}): chmod 700",
                mode.bits()
            ));
        }
        // Nobody else could have changed anything in it, so closing it is enough.
        if mode.intersects(Mode::RWXG | Mode::RWXO) {
            rustix::fs::fchmod(&self.fd, Mode::RWXU).map_err(|error| failed(error.into()))?;
        }
        Ok(())
    }

    /// The path of a file in it, for messages.
    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// An error about a file in it, or about itself.
    pub(super) fn failed(&self, doing: &'static str, name: Option<&str>, source: io::Error) -> AuditError {
        let path = name.map_or_else(|| self.path.clone(), |name| self.path_of(name));
        AuditError::Io { doing, path, source }
    }

    /// Opens one of our files for reading and appending, or creates it; returns whether it is new.
    ///
    /// # Errors
    /// When it is anything but a regular file of this user with one name that only this user can write.
    pub(super) fn append_to(&self, name: &str) -> Result<(File, bool), AuditError> {
        let flags = FILE | OFlags::RDWR | OFlags::APPEND;
        let mode = Mode::RUSR | Mode::WUSR;
        let open = |flags| rustix::fs::openat(&self.fd, name, flags, mode);
        let opened = match open(flags) {
            Err(Errno::NOENT) => match open(flags | OFlags::CREATE | OFlags::EXCL) {
                // Somebody was quicker; theirs is checked like any other.
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

    /// Opens a file for reading; `None` if there is none.
    ///
    /// # Errors
    /// When it cannot be opened or is no regular file.
    pub(super) fn read_from(&self, name: &str) -> Result<Option<File>, AuditError> {
        let fd = match rustix::fs::openat(&self.fd, name, FILE | OFlags::RDONLY, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(self.refused(name, error)),
        };
        let file = File::from(fd);
        let metadata = file.metadata().map_err(|error| self.failed("examine", Some(name), error))?;
        if metadata.is_file() {
            Ok(Some(file))
        } else {
            Err(AuditError::NotTrusted { path: self.path_of(name), problem: "not a regular file".into() })
        }
    }

    fn refused(&self, name: &str, error: Errno) -> AuditError {
        // O_NOFOLLOW fails with ELOOP on Linux and macOS, EMLINK on FreeBSD.
        if matches!(error, Errno::LOOP | Errno::MLINK) {
            return AuditError::NotTrusted { path: self.path_of(name), problem: "a symbolic link".into() };
        }
        self.failed("open", Some(name), error.into())
    }

    fn trusted(&self, name: &str, file: &File) -> Result<(), AuditError> {
        let failed = |error| self.failed("examine", Some(name), error);
        let metadata = file.metadata().map_err(failed)?;
        let euid = rustix::process::geteuid().as_raw();
        if let Some(problem) = problem_of(&metadata, euid) {
            return Err(AuditError::NotTrusted { path: self.path_of(name), problem });
        }
        if metadata.mode() & 0o077 != 0 {
            rustix::fs::fchmod(file, Mode::RUSR | Mode::WUSR).map_err(|error| failed(error.into()))?;
        }
        Ok(())
    }

    /// The names of all files in it.
    pub(super) fn names(&self) -> Result<Vec<String>, AuditError> {
        let failed = |error: Errno| self.failed("read", None, error.into());
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Ours are ASCII; a name that is no text is not ours.
            names.extend(entry.file_name().to_str().ok().map(str::to_owned));
        }
        Ok(names)
    }

    /// Gives a file another name in the same directory, and makes that last.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), AuditError> {
        rustix::fs::renameat(&self.fd, from, &self.fd, to)
            .map_err(|error| self.failed("rename", Some(from), error.into()))?;
        self.sync()
    }

    /// Deletes a file.
    pub(super) fn remove(&self, name: &str) -> Result<(), AuditError> {
        match rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.failed("delete", Some(name), error.into())),
        }
    }

    /// Is this open file still the one with this name?
    pub(super) fn still_names(&self, name: &str, file: &File) -> bool {
        match (rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW), rustix::fs::fstat(file)) {
            (Ok(named), Ok(open)) => (named.st_dev, named.st_ino) == (open.st_dev, open.st_ino),
            _ => false,
        }
    }

    /// Makes creations and renames last (fsync of the directory).
    fn sync(&self) -> Result<(), AuditError> {
        match rustix::fs::fsync(&self.fd) {
            // Some network file systems have no fsync for directories; their servers do it.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(error) => Err(self.failed("sync", None, error.into())),
        }
    }
}

/// Why a file must not be written.
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
