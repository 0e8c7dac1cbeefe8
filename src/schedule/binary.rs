//! Which path to the binary to write down: one that will still be there next month.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use super::{Places, ScheduleError};

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
    let stable = names.iter().find(|name| versioned(name).is_none() && transient(name, places).is_none());
    let danger = transient(&real, places).or_else(|| match stable {
        Some(_) => None,
        None => names.iter().find_map(|name| transient(name, places).or_else(|| versioned(name))),
    });
    match (danger, stable) {
        (Some(why), _) if !force => Err(ScheduleError::WillVanish { path: named, why }),
        (_, Some(stable)) => Ok(stable.clone()),
        (_, None) => Ok(named),
    }
}

/// Why nothing at this path stays for long.
fn transient(path: &Path, places: &Places) -> Option<&'static str> {
    let temporary = [
        "/tmp",
        "/var/tmp",
        "/private/tmp",
        "/private/var/tmp",
        "/var/folders",
        "/private/var/folders",
        "/dev/shm",
        "/run/user",
    ];
    if temporary.iter().any(|dir| path.starts_with(dir))
        || places.temporary.iter().any(|dir| path.starts_with(dir))
    {
        return Some("it lies in a temporary folder");
    }
    if ["/Volumes", "/media", "/run/media"].iter().any(|dir| path.starts_with(dir)) {
        return Some("it lies on a disk that can be taken away");
    }
    let names: Vec<&OsStr> = path.parent()?.components().filter_map(plain).collect();
    let has = |name: &str| names.iter().any(|component| *component == name);
    let profile = names.last().is_some_and(|name| *name == "debug" || *name == "release");
    // Cargo keeps its lock beside what it builds, also where the folder is not called `target`.
    if profile && (has("target") || path.with_file_name(".cargo-lock").exists()) {
        return Some("it lies in cargo's build folder");
    }
    if has("_npx") || has(".cache") || has("Caches") {
        return Some("it lies in a cache");
    }
    if has(".Trash") || has("AppTranslocation") {
        return Some("it lies where it was not meant to stay");
    }
    None
}

/// Why an upgrade takes this path away.
fn versioned(path: &Path) -> Option<&'static str> {
    let names: Vec<&OsStr> = path.components().filter_map(plain).collect();
    let pair = |first: &str, second: &str| names.windows(2).any(|two| two[0] == first && two[1] == second);
    let has = |name: &str| names.iter().any(|component| *component == name);
    if path.starts_with("/nix/store") || path.starts_with("/gnu/store") {
        return Some("it lies in a store that is swept, and no name on PATH leads to it");
    }
    if has("Cellar")
        || has("Caskroom")
        || pair("mise", "installs")
        || pair(".asdf", "installs")
        || pair(".nvm", "versions")
    {
        return Some("it lies in a folder that goes with the next upgrade, and no name on PATH leads to it");
    }
    None
}

fn plain(component: Component<'_>) -> Option<&OsStr> {
    match component {
        Component::Normal(name) => Some(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn danger(path: &str) -> Option<&'static str> {
        let places = Places { temporary: vec!["/big/scratch".into()], ..Places::new("/home/u") };
        transient(Path::new(path), &places).or_else(|| versioned(Path::new(path)))
    }

    #[test]
    fn what_vanishes_is_known_by_where_it_lies() {
        for path in [
            "/tmp/mcp-reap",
            "/private/var/folders/xy/T/mcp-reap",
            "/big/scratch/cargo-installAbC/release/mcp-reap",
            "/home/u/src/mcp-reap/target/release/mcp-reap",
            "/home/u/src/mcp-reap/target/aarch64-apple-darwin/debug/mcp-reap",
            "/home/u/.npm/_npx/0123456789abcdef/node_modules/.bin/mcp-reap",
            "/home/u/.cache/uv/archive-v0/x/bin/mcp-reap",
            "/Users/u/Library/Caches/x/mcp-reap",
            "/Volumes/mcp-reap 0.1/mcp-reap",
            "/nix/store/0abc-mcp-reap-0.1.0/bin/mcp-reap",
            "/opt/homebrew/Cellar/mcp-reap/0.1.0/bin/mcp-reap",
            "/home/u/.local/share/mise/installs/mcp-reap/0.1.0/bin/mcp-reap",
        ] {
            assert!(danger(path).is_some(), "{path}");
        }
        for path in [
            "/usr/bin/mcp-reap",
            "/usr/local/bin/mcp-reap",
            "/opt/homebrew/bin/mcp-reap",
            "/home/u/.cargo/bin/mcp-reap",
            "/home/u/.local/bin/mcp-reap",
            "/home/u/.nix-profile/bin/mcp-reap",
            "/run/current-system/sw/bin/mcp-reap",
            "/home/u/target/mcp-reap",
            "/home/u/release/mcp-reap",
            "/tmpfiles/mcp-reap",
        ] {
            assert_eq!(danger(path), None, "{path}");
        }
    }
}
