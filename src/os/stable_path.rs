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
    /// `/tmp`, similar folders, and caches.
    #[error("is in a folder that may be emptied at any time")]
    Temporary,
    /// A disk image, a stick.
    #[error("is on a disk that can be taken away")]
    Removable,
    /// The waste basket, or the folder from which macOS runs a program that was just downloaded.
    #[error("is where it was not meant to stay")]
    Misplaced,
    /// Homebrew's Cellar, the Nix store, a version manager's installs.
    #[error("is in a folder that the next upgrade removes")]
    Versioned,
    /// The cache of `npx` or a similar program, which downloads a program to run it once.
    #[error("is in the cache of {}, which may be emptied at any time", .0.name)]
    Runner(&'static Runner),
    /// A project's `node_modules`.
    #[error("is in a project's node_modules, which the next install there may empty")]
    Project,
}

impl Vanishing {
    /// The message of a command with `--force`: why this path is refused, and what to do.
    pub(crate) fn refusal(self, program: &Path) -> String {
        format!(
            "{} {self}, so it may be gone when it is to run; {}, or insist with --force",
            program.display(),
            self.advice()
        )
    }

    /// What to do first, as the beginning of a sentence.
    pub fn advice(&self) -> String {
        let good = match self {
            Vanishing::Runner(runner) => runner.install,
            Vanishing::Project => NPM,
            _ => return "install mcp-reap elsewhere first".to_owned(),
        };
        format!("install it for good with `{good}` and run this again as `mcp-reap`")
    }
}

/// A program that runs another from a cache, without installing it.
#[derive(Debug, PartialEq, Eq)]
pub struct Runner {
    /// Its name for people.
    pub(crate) name: &'static str,
    /// Sequences of folders in paths of its cache.
    folders: &'static [&'static [&'static str]],
    /// The command that installs a program permanently.
    install: &'static str,
}

/// Does the path contain one of these sequences of names? `*` at the end of a name matches anything.
fn has(folders: &[&str], runs: &[&[&str]]) -> bool {
    let is = |(folder, name): (&&str, &&str)| match name.strip_suffix('*') {
        Some(start) => folder.starts_with(start),
        None => folder == name,
    };
    runs.iter().any(|names| folders.windows(names.len()).any(|some| some.iter().zip(*names).all(is)))
}

const NPM: &str = "npm install --global mcp-reap";

/// The programs that run others from a cache. A cache may be in any folder, so the names of the folders in it count.
static RUNNERS: [Runner; 5] = [
    Runner { name: "npx", folders: &[&["_npx"]], install: NPM },
    Runner {
        name: "uvx",
        folders: &[&["archive-v0"], &["uv", "environments-v2"], &["uv", "builds-v0"]],
        install: "uv tool install mcp-reap",
    },
    Runner {
        name: "pipx run",
        folders: &[&["pipx", ".cache"], &[".cache", "pipx"]],
        install: "pipx install mcp-reap",
    },
    Runner { name: "pnpm dlx", folders: &[&["pnpm", "dlx"]], install: NPM },
    Runner { name: "bunx", folders: &[&["bunx-*"]], install: "bun add --global mcp-reap" },
];

/// The temporary folders of all systems. On macOS `/tmp` and `$TMPDIR` lead to `/private/...`.
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

/// The folders of cargo's builds. A build for another target has one more folder.
const BUILDS: [&[&str]; 4] =
    [&["target", "debug"], &["target", "release"], &["target", "*", "debug"], &["target", "*", "release"]];

/// Package and version managers that have a folder for each version.
const VERSIONED: [&[&str]; 7] = [
    &["Cellar"],
    &["Caskroom"],
    &["mise", "installs"],
    &[".asdf", "installs"],
    &[".nvm", "versions"],
    &["fnm", "node-versions"],
    &[".pnpm"],
];

/// Will a program at this path be gone soon, and why? Only the path is examined. `temporary` are the temporary folders of
/// this person, besides those of all systems.
///
/// ```text
/// /tmp/mcp-reap             Temporary
/// /usr/local/bin/mcp-reap   None
/// ```
fn vanishing(program: &Path, temporary: &[PathBuf]) -> Option<Vanishing> {
    let folders = folders(program);
    // With TMPDIR=/ not everything is temporary.
    let mut own = temporary.iter().filter(|folder| folder.components().count() > 1);
    let begins = |folders: &[&str]| folders.iter().any(|folder| program.starts_with(folder));
    if has(&folders, &BUILDS) {
        Some(Vanishing::BuildFolder)
    } else if let Some(runner) = runner(program) {
        Some(Vanishing::Runner(runner))
    } else if begins(&TEMPORARY)
        || own.any(|folder| program.starts_with(folder))
        || has(&folders, &[&[".cache"], &["Caches"]])
    {
        Some(Vanishing::Temporary)
    } else if begins(&["/Volumes", "/media", "/run/media"]) {
        Some(Vanishing::Removable)
    } else if has(&folders, &[&[".Trash"], &["AppTranslocation"]]) {
        Some(Vanishing::Misplaced)
    } else if begins(&["/nix/store", "/gnu/store"]) || has(&folders, &VERSIONED) {
        Some(Vanishing::Versioned)
    } else if is_of_project(&folders) {
        Some(Vanishing::Project)
    } else {
        None
    }
}

/// The names of the folders above a program, from the outermost.
fn folders(program: &Path) -> Vec<&str> {
    let parts = program.parent().into_iter().flat_map(Path::components);
    parts.filter_map(|part| if let Component::Normal(name) = part { name.to_str() } else { None }).collect()
}

/// The runner whose cache contains this path.
pub(crate) fn runner(program: &Path) -> Option<&'static Runner> {
    let folders = folders(program);
    RUNNERS.iter().find(|runner| has(&folders, runner.folders))
}

/// Is it in the `node_modules` of a project? npm, Volta and Homebrew's node install permanently below `lib/node_modules`,
/// and bun and yarn below `global/node_modules`.
fn is_of_project(folders: &[&str]) -> bool {
    let outermost = folders.iter().position(|folder| *folder == "node_modules");
    outermost.is_some_and(|at| at == 0 || !matches!(folders[at - 1], "lib" | "global"))
}

/// The path by which a program can be started months from now, and whether it will stay there.
#[derive(Debug)]
pub(crate) struct Settled {
    /// The path to write down.
    pub(crate) path: PathBuf,
    /// Why it will not stay there; `None` if it will.
    pub(crate) danger: Option<Vanishing>,
    /// Whether there is an executable file now.
    pub(crate) executable: io::Result<bool>,
}

/// Looks for the path at which a program stays.
///
/// The next upgrade removes a package manager's versioned folder. So another path of the same file in one of `folders`, the
/// person's `PATH` (`/opt/homebrew/bin/mcp-reap`, `~/.nix-profile/bin/mcp-reap`), is preferred. A file in a build or
/// temporary folder will be gone under every path.
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
        // The version behind this path may change, as long as the path stays.
        Some(name) => Settled { path: name, danger: behind, executable },
        None => Settled { danger: behind.or_else(|| danger(&named)), path: named, executable },
    }
}

/// Why a program will be gone soon, by its path and its folder: cargo keeps a lock file beside what it builds, also if the
/// folder is not called `target`. `exists` tests for a file.
fn danger(program: &Path, temporary: &[PathBuf], exists: impl Fn(&Path) -> bool) -> Option<Vanishing> {
    let built = || exists(&program.with_file_name(".cargo-lock")).then_some(Vanishing::BuildFolder);
    vanishing(program, temporary).or_else(built)
}

#[cfg(test)]
mod tests;
