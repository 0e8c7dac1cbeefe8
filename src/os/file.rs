//! Reads a file that may be anything (missing, huge, a FIFO, a device), and replaces one whole or not
//! at all.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, RenameFlags};
use rustix::io::Errno;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// A folder, a FIFO, a device, a socket; or a link, where none is followed.
    #[error("not a regular file")]
    NotRegular,
    /// More than is read.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: u64,
    },
    /// What the operating system reports.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a link at the end of a path means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// It stands for what it leads to: people keep their configuration in a repository.
    Follow,
    /// It is no regular file.
    Refuse,
}

/// A regular file that is open for reading.
#[derive(Debug)]
pub(crate) struct Opened {
    file: File,
    /// Of the open file, so it stays true whatever happens to the path.
    pub(crate) metadata: Metadata,
}

/// Opens a regular file; `None` if there is none. A file where a folder should be counts as none.
///
/// Never waits for the other end of a FIFO, and takes no terminal for our own.
///
/// # Errors
/// [`ReadError::NotRegular`], and what the operating system reports.
pub(crate) fn open(path: &Path, links: Links) -> Result<Option<Opened>, ReadError> {
    let looked = match links {
        Links::Follow => fs::metadata(path),
        Links::Refuse => fs::symlink_metadata(path),
    };
    // Before the open, since to open some devices is to do something (a tape rewinds).
    match looked {
        Ok(found) if !found.is_file() => return Err(ReadError::NotRegular),
        Ok(_) => {}
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    if links == Links::Refuse {
        flags |= OFlags::NOFOLLOW;
    }
    // The bits of these fit any C int.
    let file = match OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path) {
        Ok(file) => file,
        Err(error) if is_absent(&error) => return Ok(None),
        // A link or a socket that came meanwhile.
        Err(_) if links == Links::Refuse && fs::symlink_metadata(path).is_ok_and(|now| !now.is_file()) => {
            return Err(ReadError::NotRegular);
        }
        Err(error) => return Err(error.into()),
    };
    // And again, now that it cannot be exchanged any more.
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok(Some(Opened { file, metadata })) } else { Err(ReadError::NotRegular) }
}

impl Opened {
    /// All of its content, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`], also for a file whose size is smaller (one that grows, or one of
    /// `/proc`), and what the operating system reports.
    pub(crate) fn read(self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let length = self.metadata.len();
        if length > limit {
            return Err(ReadError::TooLarge { limit });
        }
        read_all(self.file, usize::try_from(length).unwrap_or(0), limit)
    }
}

/// The content of a regular file of at most `limit` bytes, links followed; `None` if there is none.
///
/// # Errors
/// As [`open`] and [`Opened::read`].
pub(crate) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    open(path, Links::Follow)?.map(|opened| opened.read(limit)).transpose()
}

/// The content of whatever a person named, of at most `limit` bytes: a pipe will do, and is waited for.
///
/// # Errors
/// When it cannot be opened or read, or [`ReadError::TooLarge`].
pub(crate) fn read_named(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    read_all(File::open(path)?, 0, limit)
}

fn read_all(from: impl Read, expected: usize, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::with_capacity(expected + 1);
    from.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(ReadError::TooLarge { limit }) } else { Ok(bytes) }
}

/// Is this how "there is no such file" looks? A file above it counts too.
#[must_use]
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Who may use a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody may read it, less what the umask takes.
    Usual,
    /// These permission bits, whatever the umask, and this group where it can be given.
    Exactly {
        /// The lowest twelve bits of the mode.
        mode: u32,
        /// The number of the group; `None` for the usual one.
        group: Option<u32>,
    },
}

/// New content on the disk, beside the file whose place it will take. Gone again when dropped.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
}

impl Draft {
    /// Writes a file into the folder of `target`, which exists, under a name that neither systemd nor
    /// launchd reads.
    ///
    /// # Errors
    /// What the operating system reports; nothing is left then.
    pub(crate) fn beside(target: &Path, content: &[u8], access: Access) -> io::Result<Draft> {
        let (folder, name) = parts(target)?;
        // Random, since a home may be shared by containers that have equal pids.
        let random = RandomState::new().build_hasher().finish();
        let path = folder.join(format!(".{}.mcp-reap-{random:016x}", name.to_string_lossy()));
        let mode = if access == Access::Usual { 0o666 } else { 0o600 };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        let draft = Draft { path };
        if let Access::Exactly { mode, group } = access {
            // Not every group can be given. The mode comes after, since a change of group may take
            // bits away.
            let _ = group.map(|group| std::os::unix::fs::fchown(&file, None, Some(group)));
            file.set_permissions(Permissions::from_mode(mode))?;
        }
        file.write_all(content)?;
        or_plainly(file.sync_all(), || Ok(rustix::fs::fsync(&file)?))?;
        Ok(draft)
    }

    /// Takes the place of the file at `target`, or of none: a reader sees the old one or the new one,
    /// also after a power failure.
    ///
    /// # Errors
    /// What the operating system reports; what was there is still there then.
    pub(crate) fn replace(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        sync_folder(target);
        Ok(())
    }

    /// Becomes the file at `target`, where nothing has that name.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`], and what the operating system reports.
    pub(crate) fn create(self, target: &Path) -> io::Result<()> {
        let cwd = rustix::fs::CWD;
        match rustix::fs::renameat_with(cwd, &self.path, cwd, target, RenameFlags::NOREPLACE) {
            // File systems that do not know the flag: look, then move.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if fs::symlink_metadata(target).is_err() => {
                fs::rename(&self.path, target)?;
            }
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return Err(ErrorKind::AlreadyExists.into()),
            moved => moved?,
        }
        sync_folder(target);
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After the move nothing has this name any more.
        let _ = fs::remove_file(&self.path);
    }
}

/// The folder and the name of a file.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for a path without one of the two.
pub(crate) fn parts(path: &Path) -> io::Result<(&Path, &std::ffi::OsStr)> {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if folder.as_os_str().is_empty() => Ok((Path::new("."), name)),
        (Some(folder), Some(name)) => Ok((folder, name)),
        _ => Err(io::Error::new(ErrorKind::InvalidInput, "not the path of a file")),
    }
}

/// A name is on the disk when its folder is: without this a power failure may bring back the old file,
/// whole. Where folders cannot be synced there is nothing better.
fn sync_folder(of: &Path) {
    let _ = parts(of).and_then(|(folder, _)| File::open(folder)?.sync_all());
}

/// Returns when the content is on the disk. fdatasync is enough: the length is data. On macOS std asks for F_FULLFSYNC,
/// which empties the disk's own cache too; some volumes (network shares, some FAT drivers) refuse it, and there fsync is
/// all that can be had.
///
/// # Errors
/// As fsync(2).
pub(crate) fn sync(file: &File) -> io::Result<()> {
    or_plainly(file.sync_data(), || Ok(rustix::fs::fsync(file)?))
}

/// A refusal says that nothing was tried. Any other error is the disk's own, and the next call might hide it.
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

    use std::os::unix::fs::symlink;

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

    /// Files of /proc have a size of 0 and some content, like a file that grows meanwhile.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_larger_than_its_size_is_refused() {
        let path = Path::new("/proc/self/stat");
        assert!(matches!(read(path, 3), Err(ReadError::TooLarge { limit: 3 })));
        assert!(matches!(read(path, 1 << 20), Ok(Some(bytes)) if bytes.len() > 3));
    }

    #[test]
    fn only_regular_files_are_read_and_nothing_is_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        fs::write(path("file"), "text").unwrap();
        fs::create_dir(path("folder")).unwrap();
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        symlink("file", path("link")).unwrap();
        symlink("fifo", path("link-to-fifo")).unwrap();
        symlink("nowhere", path("dangling")).unwrap();
        symlink("circle", path("circle")).unwrap();
        let outcome = |name: &str, links| match open(&path(name), links) {
            Ok(Some(opened)) => String::from_utf8(opened.read(100).unwrap()).unwrap(),
            Ok(None) => "none".to_owned(),
            Err(ReadError::Io(error)) => format!("{:?}", error.kind()),
            Err(error) => error.to_string(),
        };
        for (name, follow, refuse) in [
            ("file", "text", "text"),
            ("folder", "not a regular file", "not a regular file"),
            ("fifo", "not a regular file", "not a regular file"),
            ("socket", "not a regular file", "not a regular file"),
            ("link", "text", "not a regular file"),
            ("link-to-fifo", "not a regular file", "not a regular file"),
            ("dangling", "none", "not a regular file"),
            ("missing", "none", "none"),
            ("file/below", "none", "none"),
        ] {
            assert_eq!(
                (&*outcome(name, Links::Follow), &*outcome(name, Links::Refuse)),
                (follow, refuse),
                "{name}"
            );
        }
        assert!(matches!(read(&path("circle"), 9), Err(ReadError::Io(_))));
        assert!(matches!(read(Path::new("/dev/null"), 9), Err(ReadError::NotRegular)));
        assert!(matches!(read(&path("file"), 3), Err(ReadError::TooLarge { limit: 3 })));
        assert_eq!(read(&path("file"), 4).unwrap().unwrap(), b"text");
        assert_eq!(read_named(Path::new("/dev/null"), 0).unwrap(), b"");
        assert!(matches!(read_named(&path("file"), 3), Err(ReadError::TooLarge { limit: 3 })));
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
