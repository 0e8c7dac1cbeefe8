//! The person's folders, by the environment and the user database, and the owners of these folders.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The value, if it is an absolute path. An empty or relative value counts as unset: a relative one would mean another
/// folder in every directory, and the XDG base directory specification says to ignore it.
pub(crate) fn absolute(value: Option<OsString>) -> Option<PathBuf> {
    value.map(PathBuf::from).filter(|path| path.is_absolute())
}

/// The folder that an environment variable names by an absolute path.
pub(crate) fn folder(variable: &str) -> Option<PathBuf> {
    absolute(std::env::var_os(variable))
}

/// The effective user of this process.
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

/// The owner of a folder, if that is neither this user nor root, as for `$HOME` under `sudo` without `-H`.
pub(crate) fn stranger(folder: &Path, user: u32) -> Option<u32> {
    let owner = std::fs::metadata(folder).ok()?.uid();
    (owner != user && owner != 0).then_some(owner)
}

/// The folder of temporary files, as it is set and with links resolved.
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
