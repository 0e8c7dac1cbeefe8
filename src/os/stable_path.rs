//! Will a program stay where it is? A schedule or a hook writes its path down and runs it months later.

use std::io;
use std::os::unix::fs::PermissionsExt;
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
/// ```text
/// /tmp/mcp-reap             Temporary
/// /usr/local/bin/mcp-reap   None
/// ```
fn vanishing(program: &Path, temporary: &[PathBuf]) -> Option<Vanishing> {
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

/// By which path a program is to be started months from now, and whether it will be there.
#[derive(Debug)]
pub(crate) struct Settled {
    /// The name to write down.
    pub(crate) path: PathBuf,
    /// Why it will not stay there.
    pub(crate) danger: Option<Vanishing>,
    /// Whether an executable file is there now.
    pub(crate) executable: io::Result<bool>,
}

/// Looks for the name under which a program stays.
///
/// A package manager's versioned folder goes with the next upgrade, so a name for the same file in one
/// of `folders`, the person's `PATH` (`/opt/homebrew/bin/mcp-reap`, `~/.nix-profile/bin/mcp-reap`), is
/// preferred to it. What lies in a build or temporary folder is in danger under every name.
#[must_use]
pub(crate) fn settle(program: &Path, folders: &[PathBuf], temporary: &[PathBuf]) -> Settled {
    let named = std::path::absolute(program).unwrap_or_else(|_| program.to_owned());
    let danger = |path: &Path| danger(path, temporary, Path::exists);
    let real = match named.canonicalize() {
        Ok(real) => real,
        Err(error) => return Settled { danger: danger(&named), path: named, executable: Err(error) },
    };
    let executable = real.metadata().map(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    let leads_here = |path: &PathBuf| path.canonicalize().is_ok_and(|other| other == real);
    let candidates = folders.iter().filter(|folder| folder.is_absolute());
    let others = candidates.filter_map(|folder| Some(folder.join(named.file_name()?))).filter(leads_here);
    let stays = std::iter::once(named.clone()).chain(others).find(|name| danger(name).is_none());
    let behind = danger(&real).filter(|why| *why != Vanishing::Versioned);
    match stays {
        // The version behind a name may be another next month, as long as the name stays.
        Some(name) => Settled { path: name, danger: behind, executable },
        None => Settled { danger: behind.or_else(|| danger(&named)), path: named, executable },
    }
}

/// Why a program will be gone soon, where its folder can be looked into: cargo keeps its lock beside
/// what it builds, also where the folder is not called `target`. `exists` tests for a file.
fn danger(program: &Path, temporary: &[PathBuf], exists: impl Fn(&Path) -> bool) -> Option<Vanishing> {
    let built = || exists(&program.with_file_name(".cargo-lock")).then_some(Vanishing::BuildFolder);
    vanishing(program, temporary).or_else(built)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

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
    fn a_build_folder_is_known_by_its_lock() {
        let locked = |path: &Path| path == Path::new("/big/out/.cargo-lock");
        for (path, expected) in [("/big/out/mcp-reap", Some(BuildFolder)), ("/big/bin/mcp-reap", None)] {
            assert_eq!(danger(Path::new(path), &[], locked), expected);
        }
    }

    /// `settle` in a folder that is not temporary by its name: the tests' own is named as the only one.
    fn settled(home: &Path, program: &str, folders: &[&str]) -> (PathBuf, Option<Vanishing>) {
        let folders: Vec<PathBuf> = folders.iter().map(|folder| home.join(folder)).collect();
        let settled = settle(&home.join(program), &folders, &[]);
        assert!(settled.executable.unwrap());
        (settled.path.strip_prefix(home).unwrap().to_owned(), settled.danger)
    }

    #[test]
    fn the_name_that_stays_is_taken_and_not_the_version_behind_it() {
        // Not below a temporary folder, where nothing stays.
        let home = tempfile::TempDir::new_in(std::env::var_os("HOME").unwrap()).unwrap();
        let home = home.path().canonicalize().unwrap();
        let program = |path: &str| {
            std::fs::create_dir_all(home.join(path).parent().unwrap()).unwrap();
            std::fs::write(home.join(path), "").unwrap();
            std::fs::set_permissions(home.join(path), std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        for path in ["Cellar/1/mcp-reap", "other/mcp-reap", "target/debug/mcp-reap"] {
            program(path);
        }
        std::fs::create_dir(home.join("bin")).unwrap();
        std::os::unix::fs::symlink("../Cellar/1/mcp-reap", home.join("bin/mcp-reap")).unwrap();
        std::fs::create_dir(home.join("dev")).unwrap();
        std::os::unix::fs::symlink("../target/debug/mcp-reap", home.join("dev/mcp-reap")).unwrap();
        let all = ["Cellar/1", "other", "none", "bin"];
        for (program, folders, path, danger) in [
            ("Cellar/1/mcp-reap", &all[..], "bin/mcp-reap", None),
            ("Cellar/1/mcp-reap", &["other"], "Cellar/1/mcp-reap", Some(Versioned)),
            ("Cellar/1/mcp-reap", &[], "Cellar/1/mcp-reap", Some(Versioned)),
            // What stays is taken as it is.
            ("bin/mcp-reap", &["Cellar/1"], "bin/mcp-reap", None),
            ("other/mcp-reap", &all, "other/mcp-reap", None),
            // A build is one under every name.
            ("target/debug/mcp-reap", &["dev"], "dev/mcp-reap", Some(BuildFolder)),
            ("dev/mcp-reap", &[], "dev/mcp-reap", Some(BuildFolder)),
        ] {
            assert_eq!(settled(&home, program, folders), (path.into(), danger), "{program} {folders:?}");
        }
    }

    #[test]
    fn what_is_not_there_is_in_danger_by_its_place_only() {
        let gone = settle(Path::new("/tmp/no-such/mcp-reap"), &[], &[]);
        assert_eq!((gone.danger, gone.executable.is_err()), (Some(Temporary), true));
        let gone = settle(Path::new("/nowhere/mcp-reap"), &["/usr/bin".into()], &[]);
        assert_eq!((gone.danger, gone.executable.is_err()), (None, true));
        assert!(!settle(Path::new("/etc/passwd"), &[], &[]).executable.unwrap());
    }
}
