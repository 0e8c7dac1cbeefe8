//! The program a hook runs, months after it was installed: by which name will it still be there?

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The path to write into a hook: the program itself, or, where that vanishes, the
/// name in `PATH` (its value, or empty) that leads to it and stays.
#[must_use]
pub fn lasting(program: &Path, path: &OsStr, vanishes: impl Fn(&Path) -> bool) -> PathBuf {
    let Some((name, real)) = program.file_name().zip(fs::canonicalize(program).ok()) else {
        return program.to_owned();
    };
    let leads_here = |candidate: &PathBuf| {
        candidate.is_absolute()
            && !vanishes(candidate)
            && fs::canonicalize(candidate).is_ok_and(|other| other == real)
    };
    let mut candidates = std::env::split_paths(path).map(|folder| folder.join(name));
    let other = if vanishes(program) { candidates.find(leads_here) } else { None };
    other.unwrap_or_else(|| program.to_owned())
}

#[cfg(test)]
mod tests;
