//! Which path to the binary to write down: one that will still be there next month.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Places, ScheduleError};
use crate::stable_path::{danger, danger_behind};

/// The path to schedule: absolute, executable, and, unless forced, not about to vanish.
///
/// A package manager's versioned folder goes with the next upgrade, so a name for the same file on
/// the person's `PATH` (`/opt/homebrew/bin/mcp-reap`, `~/.nix-profile/bin/mcp-reap`) is preferred
/// to it. What lies in a build or temporary folder is refused under every name.
pub(super) fn settle(binary: &Path, places: &Places, force: bool) -> Result<PathBuf, ScheduleError> {
    let missing = |source| ScheduleError::Io { doing: "find", path: binary.to_owned(), source };
    let named = std::path::absolute(binary).map_err(missing)?;
    let real = named.canonicalize().map_err(missing)?;
    let metadata = real.metadata().map_err(missing)?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return Err(ScheduleError::NotExecutable { path: binary.to_owned() });
    }
    let same_file = |path: &PathBuf| path.canonicalize().is_ok_and(|other| other == real);
    let on_path = places
        .path
        .iter()
        .filter(|dir| dir.is_absolute())
        .filter_map(|dir| Some(dir.join(named.file_name()?)).filter(same_file));
    let names: Vec<PathBuf> = std::iter::once(named.clone()).chain(on_path).collect();
    let why_not = |name: &PathBuf| danger(name, &places.temporary, Path::exists);
    let stable = names.iter().find(|name| why_not(name).is_none());
    let why = danger_behind(&real, &places.temporary, Path::exists).or_else(|| match stable {
        Some(_) => None,
        None => names.iter().find_map(why_not),
    });
    match (why, stable) {
        (Some(why), _) if !force => Err(ScheduleError::WillVanish { path: named, why }),
        (_, Some(stable)) => Ok(stable.clone()),
        (_, None) => Ok(named),
    }
}
