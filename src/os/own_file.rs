//! Reads small files of the person, and replaces them whole or not at all.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::draft::{Access, Draft, parts};
use super::file::{Links, ReadError, open};
use super::home;

/// Why a file is left alone.
#[derive(Debug, Error)]
pub(crate) enum DiskError {
    /// It is a link whose target is missing.
    #[error("a link to a file that is missing")]
    Dangling,
    /// It is a folder, a FIFO or a device.
    #[error("not a regular file")]
    NotRegular,
    /// It belongs to another user: root wrote it under sudo, or manages it for the person.
    #[error("owned by user {0}")]
    NotOwner(u32),
    /// Its owner cannot write it, which is probably intended.
    #[error("read-only")]
    ReadOnly,
    /// It has a second name (a hard link), which would keep the old content.
    #[error("hard-linked under another name")]
    HardLinked,
    /// It is larger than the limit.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// Another program wrote it meanwhile. Nothing was changed.
    #[error("changed by another program meanwhile")]
    Changed,
    /// What the operating system reports.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<ReadError> for DiskError {
    fn from(error: ReadError) -> DiskError {
        match error {
            ReadError::NotRegular => DiskError::NotRegular,
            ReadError::TooLarge { limit } => DiskError::TooLarge(limit),
            ReadError::Io(error) => DiskError::Io(error),
        }
    }
}

/// A file as it was read. Only this file is replaced.
#[derive(Debug)]
pub(crate) struct SeenFile {
    pub(crate) bytes: Vec<u8>,
    metadata: Metadata,
}

/// The values that change when a file is written or replaced: device, inode, size, and the times of content and inode
/// in nanoseconds.
fn identity(of: &Metadata) -> impl PartialEq + use<> {
    (of.dev(), of.ino(), of.size(), of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec())
}

/// The path with links resolved. Dotfiles are often links into a repository, and the link must stay. A missing folder
/// is created.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, DiskError> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(DiskError::Dangling);
            }
            let (folder, name) = parts(path)?;
            fs::create_dir_all(folder)?;
            Ok(fs::canonicalize(folder)?.join(name))
        }
        real => Ok(real?),
    }
}

/// A regular file of ours, of at most `limit` bytes, that may be replaced; `None` if it does not exist. Links are not
/// followed.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Option<SeenFile>, DiskError> {
    let Some(opened) = open(path, Links::Refuse)? else { return Ok(None) };
    let metadata = opened.metadata.clone();
    match &metadata {
        found if found.uid() != home::user() => return Err(DiskError::NotOwner(found.uid())),
        found if found.mode() & 0o200 == 0 => return Err(DiskError::ReadOnly),
        found if found.nlink() > 1 => return Err(DiskError::HardLinked),
        _ => {}
    }
    Ok(Some(SeenFile { bytes: opened.read(limit)?, metadata }))
}

/// Replaces the file that was seen (or none) by this content, whole or not at all, also if the power fails. Mode and
/// group are those of `like`, or the defaults.
pub(crate) fn replace(
    path: &Path,
    seen: Option<&SeenFile>,
    like: Option<&SeenFile>,
    content: &[u8],
) -> Result<(), DiskError> {
    // A new file in another user's folder would not belong to that person (`sudo` with the HOME of a person).
    let owner = fs::metadata(parts(path)?.0)?.uid();
    if seen.is_none() && owner != home::user() {
        return Err(DiskError::NotOwner(owner));
    }
    let access = like.map_or(Access::Usual, |SeenFile { metadata, .. }| Access::Exactly {
        mode: metadata.mode() & 0o7777,
        group: Some(metadata.gid()),
    });
    let draft = Draft::beside(path, content, access)?;
    match seen {
        Some(seen) => {
            check_unchanged(path, seen)?;
            Ok(draft.replace(path)?)
        }
        None => draft.create(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => DiskError::Changed,
            _ => error.into(),
        }),
    }
}

/// Removes a file if it is still what was seen.
pub(crate) fn remove(path: &Path, seen: &SeenFile) -> Result<(), DiskError> {
    check_unchanged(path, seen)?;
    Ok(fs::remove_file(path)?)
}

fn check_unchanged(path: &Path, seen: &SeenFile) -> Result<(), DiskError> {
    // The times of some file systems are coarse, so the content is compared too. A file that is larger now has changed.
    match read(path, seen.bytes.len() as u64) {
        Ok(Some(now)) if identity(&now.metadata) == identity(&seen.metadata) && now.bytes == seen.bytes => {
            Ok(())
        }
        Err(DiskError::Io(error)) => Err(error.into()),
        _ => Err(DiskError::Changed),
    }
}
