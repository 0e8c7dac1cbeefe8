//! Reads a file that decides what may be ended: only a regular file that no other user can write.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::error::ConfigError;
use crate::os::file::{Links, ReadError, open};

/// The largest configuration file in bytes.
const MAX_SIZE: u64 = 1 << 20;

/// The text of a configuration file, or `None` if it does not exist.
///
/// A symbolic link is followed, because people keep their files in a repository. Its target is checked, not the link.
///
/// # Errors
/// When it cannot be read, is not a regular file, belongs to neither `euid` nor root, can be
/// written by others, is larger than 1 MiB or is not UTF-8.
pub(super) fn read(path: &Path, euid: u32) -> Result<Option<String>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let not_trusted = |problem| ConfigError::NotTrusted { path: path.to_owned(), problem };
    let unread = |error| match error {
        ReadError::NotRegular => not_trusted("not a regular file".to_owned()),
        ReadError::TooLarge { limit } => {
            not_trusted(format!("larger than {limit} bytes, so it is hardly a configuration"))
        }
        ReadError::Io(source) => unreadable(source),
    };
    let Some(opened) = open(path, Links::Follow).map_err(unread)? else {
        // A link without a target is an error, because there should be a configuration.
        return match (path.symlink_metadata(), path.metadata()) {
            (Ok(_), Err(error)) => Err(unreadable(error)),
            // The file was created just now and was not read. That is an error, unlike a missing file.
            (Ok(_), Ok(_)) => Err(unreadable(ErrorKind::NotFound.into())),
            (Err(_), _) => Ok(None),
        };
    };
    if let Some(problem) = problem_of(&opened.metadata, euid) {
        return Err(not_trusted(problem));
    }
    // Both the directory in the path and that of a link's target are checked.
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
    let bytes = opened.read(MAX_SIZE).map_err(unread)?;
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        not_trusted(format!("not UTF-8 in line {line}"))
    })
}

/// What is wrong with the owner or the mode of a file; `None` if nothing is.
fn problem_of(metadata: &Metadata, euid: u32) -> Option<String> {
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    if owner != euid && owner != 0 {
        Some(format!("belongs to user {owner}, who is neither root nor user {euid}, as which this runs"))
    } else if mode & 0o022 != 0 {
        Some(format!("others can write it (mode {mode:04o}): chmod go-w"))
    } else {
        None
    }
}
