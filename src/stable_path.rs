//! Will a program stay where it is? A schedule or a hook writes its path down and runs it months later.

use std::path::{Component, Path, PathBuf};

/// Why a program will not stay where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Vanishing {
    /// `target/debug`, `target/release`.
    #[error("is in a build folder, which `cargo clean` empties")]
    BuildFolder,
    /// `/tmp` and its like, and caches.
    #[error("is in a folder that may be emptied at any time")]
    Temporary,
    /// A disk image, a stick.
    #[error("is on a disk that can be taken away")]
    Removable,
    /// The waste basket, or where macOS runs what was only just downloaded.
    #[error("is where it was not meant to stay")]
    Misplaced,
    /// Homebrew's Cellar, the Nix store, a version manager's installs.
    #[error("is in a folder that goes with this version of it")]
    Versioned,
}

/// Temporary folders that systems have. macOS: `/private/...` is what `/tmp` and `$TMPDIR` lead to.
const TEMPORARY: [&str; 8] = [
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/run/user",
    "/var/folders",
    "/private/tmp",
    "/private/var/tmp",
    "/private/var/folders",
];

/// Will a program at this path be gone soon, and why? `temporary` are the temporary folders of this
/// person, besides those that all systems have. Looks at the path alone.
///
/// ```
/// use mcp_reap::stable_path::{Vanishing, vanishing};
/// use std::path::Path;
/// assert_eq!(vanishing(Path::new("/tmp/mcp-reap"), &[]), Some(Vanishing::Temporary));
/// assert_eq!(vanishing(Path::new("/usr/local/bin/mcp-reap"), &[]), None);
/// ```
#[must_use]
pub fn vanishing(program: &Path, temporary: &[PathBuf]) -> Option<Vanishing> {
    let folders: Vec<&str> = program
        .parent()?
        .components()
        .filter_map(|part| if let Component::Normal(name) = part { name.to_str() } else { None })
        .collect();
    let within = |names: &[&str]| folders.iter().any(|folder| names.contains(folder));
    let pair = |first: &str, second: &str| folders.windows(2).any(|two| two == [first, second]);
    // TMPDIR=/ does not make everything temporary.
    let own = temporary.iter().filter(|folder| folder.components().count() > 1);
    let begins = |folders: &[&str]| folders.iter().any(|folder| program.starts_with(folder));
    // `target/debug`, and `target/<triple>/debug` of a cross build.
    let is_profile = |name: Option<&&str>| name.is_some_and(|name| matches!(*name, "debug" | "release"));
    let is_build = |at: usize| is_profile(folders.get(at + 1)) || is_profile(folders.get(at + 2));
    if folders.iter().enumerate().any(|(at, name)| *name == "target" && is_build(at)) {
        Some(Vanishing::BuildFolder)
    } else if begins(&TEMPORARY)
        || own.into_iter().any(|folder| program.starts_with(folder))
        || within(&[".cache", "Caches", "_npx"])
    {
        Some(Vanishing::Temporary)
    } else if begins(&["/Volumes", "/media", "/run/media"]) {
        Some(Vanishing::Removable)
    } else if within(&[".Trash", "AppTranslocation"]) {
        Some(Vanishing::Misplaced)
    } else if begins(&["/nix/store", "/gnu/store"])
        || within(&["Cellar", "Caskroom"])
        || pair("mise", "installs")
        || pair(".asdf", "installs")
        || pair(".nvm", "versions")
    {
        Some(Vanishing::Versioned)
    } else {
        None
    }
}

/// Why a program will be gone soon, where its folder can be looked into: cargo keeps its lock beside
/// what it builds, also where the folder is not called `target`. `exists` tells whether a file is there.
#[must_use]
pub fn danger(program: &Path, temporary: &[PathBuf], exists: impl Fn(&Path) -> bool) -> Option<Vanishing> {
    let built = || exists(&program.with_file_name(".cargo-lock")).then_some(Vanishing::BuildFolder);
    vanishing(program, temporary).or_else(built)
}

/// Why what a name leads to will be gone soon. It may be another with every version, as the name stays.
#[must_use]
pub fn danger_behind(
    real: &Path,
    temporary: &[PathBuf],
    exists: impl Fn(&Path) -> bool,
) -> Option<Vanishing> {
    danger(real, temporary, exists).filter(|why| *why != Vanishing::Versioned)
}

#[cfg(test)]
mod tests {
    use super::Vanishing::{BuildFolder, Misplaced, Removable, Temporary, Versioned};
    use super::*;

    #[test]
    fn a_program_that_will_be_gone_is_known_by_its_place() {
        for (path, expected) in [
            ("/usr/bin/mcp-reap", None),
            ("/usr/local/bin/mcp-reap", None),
            ("/home/u/.cargo/bin/mcp-reap", None),
            ("/home/u/.local/bin/mcp-reap", None),
            ("/home/u/.nix-profile/bin/mcp-reap", None),
            ("/opt/homebrew/bin/mcp-reap", None),
            ("/run/current-system/sw/bin/mcp-reap", None),
            ("/home/u/release/mcp-reap", None),
            ("/home/u/target/mcp-reap", None),
            ("/home/u/bin/target", None),
            ("/tmpfiles/mcp-reap", None),
            ("/home/u/src/mcp-reap/target/debug/mcp-reap", Some(BuildFolder)),
            ("/home/u/src/mcp-reap/target/aarch64-apple-darwin/release/mcp-reap", Some(BuildFolder)),
            ("/tmp/mcp-reap", Some(Temporary)),
            ("/private/var/folders/xy/T/mcp-reap", Some(Temporary)),
            ("/big/scratch/cargo-installAbC/release/mcp-reap", Some(Temporary)),
            ("/home/u/.npm/_npx/0123456789abcdef/node_modules/.bin/mcp-reap", Some(Temporary)),
            ("/home/u/.cache/uv/archive-v0/x/bin/mcp-reap", Some(Temporary)),
            ("/Users/u/Library/Caches/x/mcp-reap", Some(Temporary)),
            ("/Volumes/mcp-reap 0.1/mcp-reap", Some(Removable)),
            ("/Users/u/.Trash/mcp-reap", Some(Misplaced)),
            ("/nix/store/0abc-mcp-reap-0.1.0/bin/mcp-reap", Some(Versioned)),
            ("/opt/homebrew/Cellar/mcp-reap/0.1.0/bin/mcp-reap", Some(Versioned)),
            ("/home/u/.local/share/mise/installs/mcp-reap/0.1.0/bin/mcp-reap", Some(Versioned)),
            ("/home/u/.asdf/installs/rust/1.95.0/bin/mcp-reap", Some(Versioned)),
            ("/home/u/.nvm/versions/node/v22.1.0/bin/mcp-reap", Some(Versioned)),
            ("/home/u/versions/.nvm/mise/bin/mcp-reap", None),
            ("/media/stick/mcp-reap", Some(Removable)),
            ("/usr/local/Caskroom/mcp-reap/0.1.0/mcp-reap", Some(Versioned)),
            ("/home/u/target/x/y/release/mcp-reap", None),
        ] {
            let scratch = ["/big/scratch".into(), "/".into()];
            assert_eq!(vanishing(Path::new(path), &scratch), expected, "{path}");
        }
    }

    #[test]
    fn a_build_folder_is_known_by_its_lock_and_a_version_may_stand_behind_a_name() {
        let locked = |path: &Path| path == Path::new("/big/out/.cargo-lock");
        for (path, itself, behind) in [
            ("/big/out/mcp-reap", Some(BuildFolder), Some(BuildFolder)),
            ("/big/bin/mcp-reap", None, None),
            ("/tmp/mcp-reap", Some(Temporary), Some(Temporary)),
            ("/opt/homebrew/Cellar/mcp-reap/0.1.0/bin/mcp-reap", Some(Versioned), None),
        ] {
            let path = Path::new(path);
            assert_eq!((danger(path, &[], locked), danger_behind(path, &[], locked)), (itself, behind));
        }
    }
}
