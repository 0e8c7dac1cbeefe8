//! Small files of the person's own: read as they are, replaced whole or not at all.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, RenameFlags};
use thiserror::Error;

/// Settings are written by hand; 4 MiB of them is something else.
pub(super) const LARGEST: u64 = 4 << 20;

/// Why a file is left alone.
#[derive(Debug, Error)]
pub enum DiskError {
    /// A link to what is not there.
    #[error("a link to a file that is missing")]
    Dangling,
    /// A folder, a FIFO, a device.
    #[error("not a regular file")]
    NotRegular,
    /// Of another user: of root's under sudo, or managed for the person.
    #[error("owned by user {0}")]
    NotOwner(u32),
    /// Its owner must not write it: somebody meant that.
    #[error("read-only")]
    ReadOnly,
    /// It has a second name (a hard link), which would keep the old content.
    #[error("hard-linked under another name")]
    HardLinked,
    /// Larger than settings are.
    #[error("larger than {LARGEST} bytes")]
    TooLarge,
    /// Somebody else wrote it meanwhile. Nothing was changed.
    #[error("changed by another program meanwhile")]
    Changed,
    /// What the operating system says.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A file as it was read; what it replaces is exactly this.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) bytes: Vec<u8>,
    identity: Identity,
    mode: u32,
    group: u32,
}

/// What changes when anybody writes or replaces a file: device, inode, size, and the times of
/// content and inode in nanoseconds.
type Identity = (u64, u64, u64, (i64, i64), (i64, i64));

fn identity(metadata: &Metadata) -> Identity {
    (
        metadata.dev(),
        metadata.ino(),
        metadata.size(),
        (metadata.mtime(), metadata.mtime_nsec()),
        (metadata.ctime(), metadata.ctime_nsec()),
    )
}

/// Where a path leads: dotfiles are often links into a repository, and the link is to stay one. The
/// folder is made if it is missing.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, DiskError> {
    match fs::canonicalize(path) {
        Ok(real) => Ok(real),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(DiskError::Dangling);
            }
            let (folder, name) = parts(path)?;
            fs::create_dir_all(folder)?;
            Ok(fs::canonicalize(folder)?.join(name))
        }
        Err(error) => Err(error.into()),
    }
}

/// A regular file of ours that may be replaced; `None` if there is none. Links are not followed.
pub(super) fn read(path: &Path) -> Result<Option<Seen>, DiskError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    // The bits of these fit any C int.
    let file = match OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // A socket, or a link that came meanwhile.
        Err(_) if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) => {
            return Err(DiskError::NotRegular);
        }
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    let us = rustix::process::geteuid().as_raw();
    match &metadata {
        found if !found.is_file() => return Err(DiskError::NotRegular),
        found if found.uid() != us => return Err(DiskError::NotOwner(found.uid())),
        found if found.mode() & 0o200 == 0 => return Err(DiskError::ReadOnly),
        found if found.nlink() > 1 => return Err(DiskError::HardLinked),
        found if found.size() > LARGEST => return Err(DiskError::TooLarge),
        _ => {}
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(DiskError::TooLarge);
    }
    Ok(Some(Seen {
        bytes,
        identity: identity(&metadata),
        mode: metadata.mode() & 0o7777,
        group: metadata.gid(),
    }))
}

/// Puts this content in the place of what was seen (nothing, or a file): all of it or none of it,
/// also when the power fails. Mode and group are those of `like`; without one the usual.
pub(super) fn replace(
    path: &Path,
    seen: Option<&Seen>,
    like: Option<&Seen>,
    content: &[u8],
) -> Result<(), DiskError> {
    let (folder, name) = parts(path)?;
    own_folder(folder, seen)?;
    let scratch = Scratch::create(folder, &name.to_string_lossy(), like)?;
    scratch.fill(content)?;
    match seen {
        Some(seen) => {
            check_unchanged(path, seen)?;
            fs::rename(&scratch.path, path)?;
        }
        None => put_new(&scratch.path, path)?,
    }
    // The name is in the folder: without this a power failure may bring back the old one, whole.
    // Where folders cannot be synced there is nothing better.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Removes a file if it is still what was seen.
pub(super) fn remove(path: &Path, seen: &Seen) -> Result<(), DiskError> {
    check_unchanged(path, seen)?;
    fs::remove_file(path)?;
    Ok(())
}

fn check_unchanged(path: &Path, seen: &Seen) -> Result<(), DiskError> {
    // The times of some file systems are coarse, so the content is compared as well.
    match read(path) {
        Ok(Some(now)) if now.identity == seen.identity && now.bytes == seen.bytes => Ok(()),
        Err(DiskError::Io(error)) => Err(error.into()),
        _ => Err(DiskError::Changed),
    }
}

/// Moves a file to a name that nobody has.
fn put_new(from: &Path, to: &Path) -> Result<(), DiskError> {
    use rustix::io::Errno;
    let cwd = rustix::fs::CWD;
    match rustix::fs::renameat_with(cwd, from, cwd, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => Err(DiskError::Changed),
        // File systems that do not know the flag: look, then move.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if fs::symlink_metadata(to).is_err() => {
            Ok(fs::rename(from, to)?)
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => Err(DiskError::Changed),
        Err(error) => Err(io::Error::from(error).into()),
    }
}

/// A new file in a folder of somebody else would not be the person's: `sudo` with their HOME.
fn own_folder(folder: &Path, seen: Option<&Seen>) -> Result<(), DiskError> {
    let owner = fs::metadata(folder)?.uid();
    if seen.is_none() && owner != rustix::process::geteuid().as_raw() {
        return Err(DiskError::NotOwner(owner));
    }
    Ok(())
}

fn parts(path: &Path) -> Result<(&Path, &std::ffi::OsStr), DiskError> {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) if !folder.as_os_str().is_empty() => Ok((folder, name)),
        _ => Err(io::Error::new(ErrorKind::InvalidInput, "no folder in the path").into()),
    }
}

/// A file that is gone again unless it was moved to its place.
struct Scratch {
    path: PathBuf,
    file: File,
}

impl Scratch {
    fn create(folder: &Path, name: &str, like: Option<&Seen>) -> io::Result<Scratch> {
        // Random, since a home may be shared by containers that have equal pids.
        let random = RandomState::new().build_hasher().finish();
        let path = folder.join(format!(".{name}.mcp-reap-{random:016x}"));
        let usual = 0o666; // less what the umask takes
        let mode = if like.is_some() { 0o600 } else { usual };
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        let scratch = Scratch { path, file };
        if let Some(like) = like {
            // Best effort: not every group can be given. The mode comes after, since a change of
            // group may take bits away.
            let _ = std::os::unix::fs::fchown(&scratch.file, None, Some(like.group));
            scratch.file.set_permissions(Permissions::from_mode(like.mode))?;
        }
        Ok(scratch)
    }

    fn fill(&self, content: &[u8]) -> io::Result<()> {
        (&self.file).write_all(content)?;
        self.file.sync_all()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // After the move there is nothing of this name any more.
        let _ = fs::remove_file(&self.path);
    }
}
