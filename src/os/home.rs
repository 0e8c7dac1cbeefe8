//! The person's folders: environment, user database, and the owners of the folders they name.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A value that is an absolute path. Empty and relative ones are as good as unset: a relative one
/// would mean another folder in every directory, and the XDG base directory specification wants it
/// ignored.
pub(crate) fn absolute(value: Option<OsString>) -> Option<PathBuf> {
    value.map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The folder that an environment variable names by an absolute path.
pub(crate) fn folder(variable: &str) -> Option<PathBuf> {
    absolute(std::env::var_os(variable))
}

/// The user as which this runs (the effective one).
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Is this root, by the effective user?
pub(crate) fn is_root() -> bool {
    user() == 0
}

/// The name of a user in the user database.
pub(crate) fn name_of_user(uid: u32) -> Option<String> {
    nix::unistd::User::from_uid(uid.into()).ok().flatten().map(|user| user.name)
}

/// The home directory of a user in the user database.
pub(crate) fn of_user(uid: u32) -> Option<PathBuf> {
    let user = nix::unistd::User::from_uid(uid.into()).ok().flatten()?;
    Some(user.dir).filter(|home| home.is_absolute())
}

/// The home directory: `$HOME` if absolute, else the one in the user database.
pub(crate) fn current() -> Option<PathBuf> {
    folder("HOME").or_else(|| of_user(user()))
}

/// The owner of a folder, when that is neither this user nor root: `$HOME` under `sudo` without `-H`.
pub(crate) fn stranger(folder: &Path, user: u32) -> Option<u32> {
    let owner = std::fs::metadata(folder).ok()?.uid();
    (owner != user && owner != 0).then_some(owner)
}

/// Where temporary files go, as named and as it really is.
pub(crate) fn temporary() -> Vec<PathBuf> {
    let named = std::env::temp_dir();
    let real = named.canonicalize().ok().filter(|real| *real != named);
    std::iter::once(named).chain(real).collect()
}

/// The folders of `PATH`; relative ones are left out.
pub(crate) fn search_path() -> Vec<PathBuf> {
    let value = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&value).filter(|folder| folder.is_absolute()).collect()
}
