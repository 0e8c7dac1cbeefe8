//! Checks whether a run could write its log here, and changes nothing.

use std::io;
use std::path::Path;

use rustix::fs::{Access, access};

use super::directory::{Directory, PROBE};
use super::{AuditError, CURRENT, lock};

/// The state that a run would find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usable {
    /// The log can be written to the folder.
    Ready,
    /// There is no folder yet. The first run creates it.
    ToBeMade,
}

/// Checks what a run checks before it ends anything: only this user can write the folder and its files, and a record fits on
/// the disk. A run creates missing folders and removes permissions of others; this function does neither.
///
/// # Errors
/// The error that a run would end with.
pub fn usable(folder: &Path) -> Result<Usable, AuditError> {
    let there = folder.ancestors().find(|path| path.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
    if there != folder {
        let failed = AuditError::io("create", folder);
        if !there.metadata().map_err(&failed)?.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        access(there, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| failed(error.into()))?;
        return room_in(there).map(|()| Usable::ToBeMade).map_err(failed);
    }
    let directory = Directory::open(folder)?;
    directory.refusal()?;
    for name in [lock::NAME, CURRENT] {
        directory.refusal_of(name)?;
    }
    directory.probe()?;
    Ok(Usable::Ready)
}

/// Writes as much as a record can take into a file that never has a name, so that the folder does not visibly change.
#[cfg(target_os = "linux")]
fn room_in(folder: &Path) -> io::Result<()> {
    use std::io::Write as _;

    use rustix::fs::{Mode, OFlags};
    use rustix::io::Errno;
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => std::fs::File::from(file).write_all(&[b'\n'; PROBE]),
        // The file system has no such files (open(2)). Whether there is room is then seen by the first run.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Files without a name exist only on Linux. Elsewhere the file system says how much room it has.
#[cfg(not(target_os = "linux"))]
fn room_in(folder: &Path) -> io::Result<()> {
    let file_system = rustix::fs::statvfs(folder)?;
    if file_system.f_bavail.saturating_mul(file_system.f_frsize) < PROBE as u64 {
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
    use std::path::PathBuf;

    use super::*;
    use crate::audit::RunLock;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("mcp-reap");
        (state, folder)
    }

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// Both the check and a run refuse, with the same words.
    fn refused(folder: &Path, words: &str) {
        let error = usable(folder).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        let run = RunLock::try_acquire(folder)
            .and_then(|lock| lock.unwrap().directory.append_to(CURRENT).map(|_| ()))
            .unwrap_err();
        assert_eq!(run.to_string(), error);
    }

    #[test]
    fn asking_makes_and_changes_nothing() {
        let (state, folder) = folder();
        assert_eq!(usable(&folder).unwrap(), Usable::ToBeMade);
        assert!(!folder.exists());
        fs::create_dir(&folder).unwrap();
        mode(&folder, 0o755);
        assert_eq!(usable(&folder).unwrap(), Usable::Ready);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o755);
        drop(state);
    }

    #[test]
    fn a_folder_that_others_can_write_is_refused_as_by_a_run() {
        let (_state, folder) = folder();
        fs::create_dir(&folder).unwrap();
        mode(&folder, 0o777);
        refused(&folder, "chmod 700");
    }

    #[test]
    fn a_folder_of_another_user_is_refused_as_by_a_run() {
        let (_state, folder) = folder();
        if nix::unistd::geteuid().is_root() {
            fs::create_dir(&folder).unwrap();
            std::os::unix::fs::chown(&folder, Some(4712), None).unwrap();
            refused(&folder, "belongs to user 4712, not to user 0");
        } else {
            // Only root can give a folder away; one of root's is at hand for everyone else.
            refused(Path::new("/usr"), "belongs to user 0, not to user ");
        }
    }

    #[test]
    fn a_log_that_is_no_file_of_this_user_alone_is_refused_as_by_a_run() {
        let (_state, folder) = folder();
        fs::create_dir(&folder).unwrap();
        mode(&folder, 0o700);
        let log = folder.join(CURRENT);
        fs::write(&log, "").unwrap();
        assert_eq!(usable(&folder).unwrap(), Usable::Ready);
        mode(&log, 0o666);
        refused(&folder, "chmod 600");
        fs::remove_file(&log).unwrap();
        symlink("elsewhere", &log).unwrap();
        refused(&folder, "a symbolic link");
        fs::remove_file(&log).unwrap();
        fs::create_dir(&log).unwrap();
        refused(&folder, "failed to open");
    }

    #[test]
    fn a_file_where_the_folder_or_one_above_it_should_be_is_refused() {
        let (_state, folder) = folder();
        fs::write(&folder, "").unwrap();
        assert!(usable(&folder).is_err());
        assert!(usable(&folder.join("deeper")).is_err());
        fs::remove_file(&folder).unwrap();
        symlink("/nowhere/at/all", &folder).unwrap();
        assert!(usable(&folder).is_err(), "a link to nothing");
    }
}
