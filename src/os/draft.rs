//! Replaces a file whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::RenameFlags;
use rustix::io::Errno;

/// Who may use a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody may read it, as far as the umask allows.
    Usual,
    /// Exactly these permission bits, and this group if that is permitted.
    Exactly {
        /// The lowest twelve bits of the mode.
        mode: u32,
        /// The group id; `None` for the default group.
        group: Option<u32>,
    },
}

/// New content on the disk, in the folder of the file that it will replace. It is removed when this value is dropped.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Writes a file into the folder of `target`, which must exist. Neither systemd nor launchd reads a file with its name.
    ///
    /// # Errors
    /// What the operating system reports. No file is left then.
    pub(crate) fn beside(target: &Path, content: &[u8], access: Access) -> io::Result<Draft> {
        let (folder, name) = parts(target)?;
        // The name is random, because containers with equal pids may share a home.
        let random = RandomState::new().build_hasher().finish();
        let path = folder.join(format!(".{}.mcp-reap-{random:016x}", name.to_string_lossy()));
        let mode = if access == Access::Usual { 0o666 } else { 0o600 };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        let draft = Draft { path };
        if let Access::Exactly { mode, group } = access {
            // Not every group is permitted. The mode is set afterwards, because a change of the group may clear bits.
            let _ = group.map(|group| std::os::unix::fs::fchown(&file, None, Some(group)));
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        file.write_all(content)?;
        or_plainly(file.sync_all(), || Ok(rustix::fs::fsync(&file)?))?;
        Ok(draft)
    }

    /// Replaces the file at `target`, if there is one. A reader sees the old file or the new one, also after a power failure.
    ///
    /// # Errors
    /// What the operating system reports. The old file is still there then.
    pub(crate) fn replace(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        sync_folder(target);
        Ok(())
    }

    /// Becomes the file at `target`, if there is no file with that name.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], and what the operating system reports.
    pub(crate) fn create(self, target: &Path) -> io::Result<()> {
        let cwd = rustix::fs::CWD;
        match rustix::fs::renameat_with(cwd, &self.path, cwd, target, RenameFlags::NOREPLACE) {
            // The file system does not know the flag, so the name is checked before the move.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if fs::symlink_metadata(target).is_ok() => {
                return Err(ErrorKind::AlreadyExists.into());
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(&self.path, target)?,
            moved => moved?,
        }
        sync_folder(target);
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After the move there is no file with this name.
        let _ = fs::remove_file(&self.path);
    }
}

/// The folder and the name of a file.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for a path without a folder or without a name.
pub(crate) fn parts(path: &Path) -> io::Result<(&Path, &std::ffi::OsStr)> {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if folder.as_os_str().is_empty() => Ok((Path::new("."), name)),
        (Some(folder), Some(name)) => Ok((folder, name)),
        _ => Err(io::Error::new(ErrorKind::InvalidInput, "not the path of a file")),
    }
}

/// Writes the folder of a file to the disk. Without this a power failure may restore the old file. An error is ignored,
/// because some file systems cannot do it.
fn sync_folder(of: &Path) {
    let _ = parts(of).and_then(|(folder, _)| File::open(folder)?.sync_all());
}

/// Returns when the content is on the disk. fdatasync suffices, because it includes the length. On macOS std uses
/// F_FULLFSYNC, which also empties the disk's own cache. Some volumes (network shares, some FAT drivers) refuse that, and
/// fsync is used there.
///
/// # Errors
/// As fsync(2).
pub(crate) fn sync(file: &File) -> io::Result<()> {
    or_plainly(file.sync_data(), || Ok(rustix::fs::fsync(file)?))
}

/// Calls `plain` only if `full` was refused, which means that nothing was tried. Any other error is one of the disk, which
/// a second call might hide.
fn or_plainly(full: io::Result<()>, plain: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match full {
        Err(error)
            if matches!(
                Errno::from_io_error(&error),
                Some(Errno::INVAL | Errno::NOTTY | Errno::NOTSUP | Errno::NODEV)
            ) =>
        {
            plain()
        }
        full => full,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_volume_that_refuses_a_full_sync_gets_a_plain_one_and_a_failing_disk_does_not() {
        let refused = [Errno::INVAL, Errno::NOTTY, Errno::NOTSUP, Errno::NODEV];
        let failed = [Errno::IO, Errno::NOSPC, Errno::BADF, Errno::INTR];
        for (errnos, plainly) in [(refused, true), (failed, false)] {
            for errno in errnos {
                let mut called = false;
                let result = or_plainly(Err(errno.into()), || {
                    called = true;
                    Ok(())
                });
                assert_eq!((called, result.is_ok()), (plainly, plainly), "{errno}");
            }
        }
        or_plainly(Ok(()), || Err(Errno::IO.into())).unwrap();
        let broken = or_plainly(Err(Errno::NOTSUP.into()), || Err(Errno::IO.into()));
        assert_eq!(broken.unwrap_err().raw_os_error(), Some(Errno::IO.raw_os_error()));
    }

    #[test]
    fn a_draft_takes_its_place_whole_with_the_access_that_was_asked_for() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.service");
        for (text, mode) in [("one", 0o644), ("two", 0o600), ("three", 0o666)] {
            let access = Access::Exactly { mode, group: None };
            Draft::beside(&path, text.as_bytes(), access).unwrap().replace(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
        }
        let taken = Draft::beside(&path, b"four", Access::Usual).unwrap().create(&path).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "three");
        let new = home.path().join("new");
        Draft::beside(&new, b"five", Access::Usual).unwrap().create(&new).unwrap();
        assert_eq!(fs::read_to_string(&new).unwrap(), "five");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2, "no draft is left");
    }

    #[test]
    fn a_draft_that_cannot_take_its_place_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.service");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("kept"), "").unwrap();
        let draft = Draft::beside(&path, b"", Access::Usual).unwrap();
        assert!(draft.replace(&path).is_err());
        assert!(path.join("kept").exists());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        assert!(Draft::beside(Path::new("/"), b"", Access::Usual).is_err());
    }
}
