//! Reads a file that may be missing, huge, a FIFO or a device.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// It is a folder, a FIFO, a device or a socket; or a link that is not followed.
    #[error("not a regular file")]
    NotRegular,
    /// It is larger than the limit.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// What the operating system reports.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whether a link at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// It is followed, because people keep their configuration in a repository.
    Follow,
    /// It is an error: a link is no regular file.
    Refuse,
}

/// A regular file that is open for reading.
#[derive(Debug)]
pub(crate) struct Opened {
    file: File,
    /// The metadata of the open file, which does not depend on the path any more.
    pub(crate) metadata: Metadata,
}

/// Opens a regular file; `None` if it does not exist, also if a folder of its path is a file.
///
/// This never waits for the other end of a FIFO, and never makes a terminal the controlling one.
///
/// # Errors
/// [`ReadError::NotRegular`], and what the operating system reports.
pub(crate) fn open(path: &Path, links: Links) -> Result<Option<Opened>, ReadError> {
    let looked = match links {
        Links::Follow => fs::metadata(path),
        Links::Refuse => fs::symlink_metadata(path),
    };
    // The kind is checked before the open, because opening some devices has an effect (a tape rewinds).
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
        // The path has become a link or a socket meanwhile.
        Err(_) if links == Links::Refuse && fs::symlink_metadata(path).is_ok_and(|now| !now.is_file()) => {
            return Err(ReadError::NotRegular);
        }
        Err(error) => return Err(error.into()),
    };
    // The kind is checked again, now that the file cannot be exchanged any more.
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok(Some(Opened { file, metadata })) } else { Err(ReadError::NotRegular) }
}

impl Opened {
    /// The whole content, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`ReadError::TooLarge`], also for a file that reports a smaller size (because it grows, or is one of `/proc`), and
    /// what the operating system reports.
    pub(crate) fn read(self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let length = self.metadata.len();
        if length > limit {
            return Err(ReadError::TooLarge { limit });
        }
        read_all(self.file, usize::try_from(length).unwrap_or(0), limit)
    }
}

/// The content of a regular file of at most `limit` bytes, links followed; `None` if it does not exist.
///
/// # Errors
/// As [`open`] and [`Opened::read`].
pub(crate) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    open(path, Links::Follow)?.map(|opened| opened.read(limit)).transpose()
}

/// The content of a file or pipe that a person named, of at most `limit` bytes. It waits for a pipe.
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

/// Does this error mean that there is no such file? It also does if a folder of the path is a file.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;

    use super::*;

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
}
