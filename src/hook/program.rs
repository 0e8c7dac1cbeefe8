//! The program a hook runs, months after it was installed: will it still be there?

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

/// Why a program will not stay where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Vanishing {
    /// `target/debug`, `target/release`.
    #[error("is in a build folder, which `cargo clean` empties")]
    BuildFolder,
    /// `/tmp`, a cache, and their like.
    #[error("is in a folder that may be emptied at any time")]
    Temporary,
    /// Homebrew's Cellar, the Nix store, what npx unpacks.
    #[error("is in a folder that goes with this version of it")]
    Versioned,
}

/// Will a program at this path be gone soon, and why? `temporary` is the system's own temporary
/// folder ([`std::env::temp_dir`]), besides those that all systems have.
#[must_use]
pub fn vanishing(program: &Path, temporary: &Path) -> Option<Vanishing> {
    let names: Vec<&str> = program
        .components()
        .filter_map(|part| if let Component::Normal(name) = part { name.to_str() } else { None })
        .collect();
    // `target/debug`, and `target/<triple>/debug` of a cross build.
    let is_profile = |name: Option<&&str>| name.is_some_and(|name| matches!(*name, "debug" | "release"));
    let build = names.iter().enumerate().any(|(at, name)| {
        *name == "target" && (is_profile(names.get(at + 1)) || is_profile(names.get(at + 2)))
    });
    if build {
        return Some(Vanishing::BuildFolder);
    }
    // macOS: /private/... is what /tmp and $TMPDIR lead to.
    let usual =
        ["/tmp", "/var/tmp", "/dev/shm", "/run/user", "/private/tmp", "/private/var/folders", "/var/folders"];
    let within = |folder: &Path| folder.components().count() > 1 && program.starts_with(folder);
    let cached = names.iter().any(|name| matches!(*name, ".cache" | "Caches"));
    if cached || usual.iter().map(Path::new).chain([temporary]).any(within) {
        return Some(Vanishing::Temporary);
    }
    let versioned =
        program.starts_with("/nix/store") || names.iter().any(|name| matches!(*name, "Cellar" | "_npx"));
    versioned.then_some(Vanishing::Versioned)
}

/// The path to write into a hook: the program itself, or, where that [`vanishes`](vanishing), the
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
