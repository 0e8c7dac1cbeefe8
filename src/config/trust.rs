//! Reads a file that decides what may be ended: only a regular file that nobody else can write.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::error::ConfigError;

/// Larger than any sane configuration, small enough to be read at once.
const MAX_SIZE: u64 = 1 << 20;

/// Opens for reading without ever waiting: a FIFO or a terminal in place of the file must not hang
/// an hourly job.
pub(super) fn open(path: &Path) -> std::io::Result<(File, Metadata)> {
    use nix::fcntl::OFlag;
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// The text of a configuration file, or `None` if there is none.
///
/// A symbolic link is followed (people keep their files in a repository); what it leads to must
/// check out, not the link.
///
/// # Errors
/// When it cannot be read, is not a regular file, belongs to neither `euid` nor root, can be
/// written by others, is larger than 1 MiB or is not UTF-8.
pub(super) fn read(path: &Path, euid: u32) -> Result<Option<String>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let (file, metadata) = match open(path) {
        Ok(opened) => opened,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            // A link that leads nowhere is not "no configuration": somebody meant one.
            return if path.symlink_metadata().is_ok() { Err(unreadable(error)) } else { Ok(None) };
        }
        Err(error) => return Err(unreadable(error)),
    };
    if let Some(problem) = problem_of(&metadata, euid) {
        return Err(ConfigError::NotTrusted { path: path.to_owned(), problem });
    }
    // The directory as it was named, and the one a link leads to.
    let real = path.canonicalize().map_err(unreadable)?;
    for directory in [path.parent(), real.parent()].into_iter().flatten() {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let mode = std::fs::metadata(directory).map_err(unreadable)?.mode();
        if mode & 0o002 != 0 && mode & 0o1000 == 0 {
            return Err(ConfigError::NotTrusted {
                path: directory.to_owned(),
                problem: "anybody can replace files in this directory (chmod o-w, or chmod +t)".into(),
            });
        }
    }
    let mut bytes = Vec::new();
    file.take(MAX_SIZE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(ConfigError::NotTrusted { path: path.to_owned(), problem: too_large() });
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::NotTrusted { path: path.to_owned(), problem: format!("not UTF-8 in line {line}") }
    })
}

fn too_large() -> String {
    format!("larger than {MAX_SIZE} bytes, so it is hardly a configuration")
}

/// What speaks against a file, from what the system says about it.
fn problem_of(metadata: &Metadata, euid: u32) -> Option<String> {
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    if !metadata.is_file() {
        Some("not a regular file".into())
    } else if owner != euid && owner != 0 {
        Some(format!("belongs to user {owner}, who is neither root nor user {euid}, as which this runs"))
    } else if mode & 0o022 != 0 {
        Some(format!("others can write it (mode {mode:04o}): chmod go-w"))
    } else if metadata.len() > MAX_SIZE {
        Some(too_large())
    } else {
        None
    }
}
