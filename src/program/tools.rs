//! The programs that stand before a program: which they are, and how their options read.

use super::names::{base, stem};
use super::options::Grammar;

/// A program that passes on to the words behind its own.
#[derive(Debug)]
pub(super) struct Passer {
    /// Options that take the next word.
    pub grammar: Grammar,
    /// One of these must come first: `exec` in `direnv exec DIR CMD`. None at all: nothing must; an
    /// empty one among them: it may be left out.
    pub verbs: &'static [&'static str],
    /// Words between the options and the command (`timeout 5 cmd` has one).
    pub skip: usize,
    /// The command comes only after `--`; without it nothing is known to run.
    pub dashes: bool,
    /// Words such as `A=b` may stand before the command.
    pub assigns: bool,
    /// Options whose value is a whole command line for a shell.
    pub command: &'static [&'static str],
}

const PLAIN: Passer = Passer {
    grammar: Grammar::clustered(&[]),
    verbs: &[],
    skip: 0,
    dashes: false,
    assigns: false,
    command: &[],
};

/// What a known program does with the words behind it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tool {
    Node,
    Python,
    Bun,
    Bunx,
    Deno,
    Java,
    Dotnet,
    /// Runs a script file; the string is the option that takes code, the rest options with values.
    Plain(&'static [&'static str], &'static [&'static str]),
    /// tsx, ts-node and the like: a script, run by a child.
    TsRunner,
    Nodemon,
    /// uvicorn and the like: `module:app`.
    Asgi,
    Npx,
    Npm,
    Pnpm,
    Yarn,
    Uv,
    Uvx,
    Pipx,
    Container,
    Shell,
    Go,
    Cargo,
    Dart,
    Swift,
    Make,
    Nix,
    Cmd,
    Passer(&'static Passer),
}

macro_rules! passer {
    ($($field:ident: $value:expr),* $(,)?) => {{
        const PASSER: &Passer = &Passer { $($field: $value,)* ..PLAIN };
        Tool::Passer(PASSER)
    }};
}

/// Sorted by name, for the binary search; a test holds it to that.
static TOOLS: &[(&str, Tool)] = &[
    ("arch", passer!(grammar: Grammar::long(&["-arch", "-d", "-e"]))),
    ("asdf", passer!(verbs: &["exec"])),
    ("ash", Tool::Shell),
    (
        "aws-vault",
        passer!(verbs: &["exec"], grammar: Grammar::clustered(&["-d", "--duration"]), dashes: true),
    ),
    ("babel-node", Tool::TsRunner),
    ("bash", Tool::Shell),
    ("bun", Tool::Bun),
    ("bundle", passer!(verbs: &["exec"], grammar: Grammar::clustered(&["--gemfile"]))),
    ("bunx", Tool::Bunx),
    ("bwrap", passer!(dashes: true)),
    ("caffeinate", passer!(grammar: Grammar::clustered(&["-t", "-w"]))),
    ("cargo", Tool::Cargo),
    ("chamber", passer!(verbs: &["exec"], dashes: true)),
    ("chroot", passer!(skip: 1)),
    ("chrt", passer!(grammar: Grammar::clustered(&["-T", "-P", "-D"]), skip: 1)),
    ("cmd", Tool::Cmd),
    (
        "conda",
        passer!(verbs: &["run"], grammar: Grammar::clustered(&["-n", "--name", "-p", "--prefix", "--cwd"])),
    ),
    ("corepack", passer!()),
    ("cross-env", passer!(assigns: true)),
    ("cross-env-shell", passer!(assigns: true)),
    ("dart", Tool::Dart),
    ("dash", Tool::Shell),
    ("dbus-run-session", passer!(grammar: Grammar::clustered(&["--config-file", "--dbus-daemon"]))),
    ("deno", Tool::Deno),
    ("devbox", passer!(verbs: &["run"], grammar: Grammar::clustered(&["-c", "--config", "-e", "--env"]))),
    ("direnv", passer!(verbs: &["exec"], skip: 1)),
    ("dnx", Tool::Npx),
    ("doas", passer!(grammar: Grammar::clustered(&["-u", "-C"]), assigns: true)),
    ("docker", Tool::Container),
    (
        "doppler",
        passer!(verbs: &["run"], grammar: Grammar::clustered(&["-p", "--project", "-c", "--config", "-t", "--token"]), command: &["--command"]),
    ),
    ("dotenv", passer!(grammar: Grammar::clustered(&["-e", "-v", "-c", "-f"]), verbs: &["run", ""])),
    ("dotenv-cli", passer!(grammar: Grammar::clustered(&["-e", "-v", "-c", "-f"]))),
    ("dotenvx", passer!(verbs: &["run"], grammar: Grammar::clustered(&["-f", "--env-file", "-e", "--env"]))),
    ("dotnet", Tool::Dotnet),
    (
        "env",
        passer!(grammar: Grammar::clustered(&["-u", "--unset", "-C", "--chdir"]), assigns: true, command: &["-S", "--split-string"]),
    ),
    (
        "env-cmd",
        passer!(grammar: Grammar::clustered(&["-f", "--file", "-e", "--environments", "-r", "--rc-file"])),
    ),
    ("envchain", passer!(skip: 1)),
    ("esno", Tool::TsRunner),
    ("esr", Tool::TsRunner),
    ("finch", Tool::Container),
    ("firejail", passer!()),
    ("fish", Tool::Shell),
    ("fnm", passer!(verbs: &["exec"], grammar: Grammar::clustered(&["--using"]))),
    ("go", Tool::Go),
    ("gosu", passer!(skip: 1)),
    ("gtimeout", passer!(grammar: Grammar::clustered(&["-k", "-s", "--kill-after", "--signal"]), skip: 1)),
    ("gunicorn", Tool::Asgi),
    ("hatch", passer!(verbs: &["run"], grammar: Grammar::clustered(&["-e", "--env", "-p", "--project"]))),
    ("hypercorn", Tool::Asgi),
    (
        "infisical",
        passer!(verbs: &["run"], grammar: Grammar::clustered(&["--env", "--path", "--projectId", "--token"]), command: &["--command"]),
    ),
    ("ionice", passer!(grammar: Grammar::clustered(&["-c", "-n", "--class", "--classdata"]))),
    ("java", Tool::Java),
    ("javaw", Tool::Java),
    ("jiti", Tool::TsRunner),
    ("ksh", Tool::Shell),
    ("linux64", passer!()),
    ("lua", Tool::Plain(&["-e"], &["-l"])),
    ("make", Tool::Make),
    (
        "mamba",
        passer!(verbs: &["run"], grammar: Grammar::clustered(&["-n", "--name", "-p", "--prefix", "--cwd"])),
    ),
    (
        "micromamba",
        passer!(verbs: &["run"], grammar: Grammar::clustered(&["-n", "--name", "-p", "--prefix", "--cwd"])),
    ),
    (
        "mise",
        passer!(verbs: &["x", "exec"], grammar: Grammar::clustered(&["-C", "--cd", "-E", "--env", "-j"]), dashes: true, command: &["-c", "--command"]),
    ),
    ("nerdctl", Tool::Container),
    ("nice", passer!(grammar: Grammar::clustered(&["-n", "--adjustment"]))),
    ("nix", Tool::Nix),
    ("nix-shell", passer!(command: &["--run", "--command"])),
    ("node", Tool::Node),
    ("node-dev", Tool::TsRunner),
    ("nodejs", Tool::Node),
    ("nodemon", Tool::Nodemon),
    ("nodenv", passer!(verbs: &["exec"])),
    ("nohup", passer!()),
    ("npm", Tool::Npm),
    ("npm-cli", Tool::Npm),
    ("npx", Tool::Npx),
    ("npx-cli", Tool::Npx),
    ("nsenter", passer!(grammar: Grammar::clustered(&["-t", "--target", "-S", "-G"]))),
    ("op", passer!(verbs: &["run"], grammar: Grammar::clustered(&["--env-file", "--account"]))),
    ("osascript", Tool::Plain(&["-e"], &["-l"])),
    ("pdm", passer!(verbs: &["run"], grammar: Grammar::clustered(&["-p", "--project"]))),
    ("perl", Tool::Plain(&["-e", "-E", "-ne", "-pe"], &["-I", "-M", "-m"])),
    ("php", Tool::Plain(&["-r"], &["-d", "-c", "-f"])),
    ("pipenv", passer!(verbs: &["run"])),
    ("pipx", Tool::Pipx),
    (
        "pixi",
        passer!(verbs: &["run"], grammar: Grammar::clustered(&["-e", "--environment", "--manifest-path"])),
    ),
    ("pnpm", Tool::Pnpm),
    ("pnpx", Tool::Npx),
    ("podman", Tool::Container),
    (
        "poetry",
        passer!(verbs: &["run"], grammar: Grammar::clustered(&["-C", "--directory", "-P", "--project"])),
    ),
    ("prlimit", passer!(grammar: Grammar::clustered(&["-p", "--pid"]))),
    ("proot", passer!(grammar: Grammar::clustered(&["-r", "-b", "-w", "-R", "-S", "-q", "-k"]))),
    ("pyenv", passer!(verbs: &["exec"])),
    ("pypy", Tool::Python),
    ("python", Tool::Python),
    ("rbenv", passer!(verbs: &["exec"])),
    ("rlwrap", passer!(grammar: Grammar::clustered(&["-f", "-H", "-p"]))),
    ("rtx", passer!(verbs: &["x", "exec"], dashes: true)),
    ("ruby", Tool::Plain(&["-e"], &["-I", "-r", "-C", "-E"])),
    (
        "runuser",
        passer!(grammar: Grammar::clustered(&["-u", "--user", "-g", "-G"]), command: &["-c", "--command"]),
    ),
    ("rye", passer!(verbs: &["run"])),
    ("setarch", passer!(skip: 1)),
    ("setpriv", passer!(grammar: Grammar::clustered(&["--reuid", "--regid", "--groups"]))),
    ("setsid", passer!()),
    ("sh", Tool::Shell),
    ("stdbuf", passer!(grammar: Grammar::clustered(&["-i", "-o", "-e", "--input", "--output", "--error"]))),
    ("su-exec", passer!(skip: 1)),
    (
        "sudo",
        passer!(grammar: Grammar::clustered(&["-u", "--user", "-g", "--group", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D", "-R"]), assigns: true),
    ),
    ("swc-node", Tool::TsRunner),
    ("swift", Tool::Swift),
    ("systemd-inhibit", passer!()),
    (
        "systemd-run",
        passer!(grammar: Grammar::clustered(&["-p", "--property", "-u", "--unit", "-E", "--setenv", "--slice", "-M", "-H"])),
    ),
    ("taskset", passer!(skip: 1)),
    ("teller", passer!(verbs: &["run"], grammar: Grammar::clustered(&["-c"]))),
    ("timeout", passer!(grammar: Grammar::clustered(&["-k", "-s", "--kill-after", "--signal"]), skip: 1)),
    ("ts-node", Tool::TsRunner),
    ("ts-node-dev", Tool::TsRunner),
    ("ts-node-esm", Tool::TsRunner),
    ("tsimp", Tool::TsRunner),
    ("tsx", Tool::TsRunner),
    ("unbuffer", passer!()),
    (
        "unshare",
        passer!(grammar: Grammar::clustered(&["-S", "-G", "-R", "-w", "--setuid", "--setgid", "--root", "--wd"])),
    ),
    ("uv", Tool::Uv),
    ("uvicorn", Tool::Asgi),
    ("uvx", Tool::Uvx),
    ("varlock", passer!(verbs: &["run"])),
    ("vite-node", Tool::TsRunner),
    (
        "volta",
        passer!(verbs: &["run"], grammar: Grammar::clustered(&["--node", "--npm", "--pnpm", "--yarn"])),
    ),
    ("volta-shim", Tool::Npx),
    (
        "watchexec",
        passer!(grammar: Grammar::clustered(&["-w", "--watch", "-e", "--exts", "-i", "--ignore", "-s", "--signal", "-d"])),
    ),
    (
        "xvfb-run",
        passer!(grammar: Grammar::clustered(&["-e", "-f", "-n", "-p", "-s", "-w", "--server-args", "--server-num", "--error-file", "--auth-file", "--xauth-protocol", "--wait"])),
    ),
    ("yarn", Tool::Yarn),
    ("yarnpkg", Tool::Yarn),
    ("zsh", Tool::Shell),
];

/// The known program behind a file name, and its plain name. Versions do not matter
/// (`python3.12`, `node22`, `yarn-4.1.0.cjs`), nor a login shell's dash.
pub(super) fn find(file: &str) -> Option<(&'static str, Tool)> {
    let name = stem(file.strip_prefix('-').unwrap_or(file));
    let exact = |name: &str| {
        TOOLS.binary_search_by(|(known, _)| (*known).cmp(name)).ok().and_then(|at| TOOLS.get(at)).copied()
    };
    exact(name).or_else(|| {
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | 't'));
        let versioned = plain.len() < name.len()
            && name.as_bytes().get(plain.len()).is_some_and(|b| b.is_ascii_digit() || *b == b'-');
        if versioned {
            return exact(plain);
        }
        // A framework build of Python calls itself Python; a placeholder for it ends so.
        (name == "Python" || name.ends_with("-python")).then(|| exact("python")).flatten()
    })
}

/// Whether a path or name is one of them.
pub(crate) fn is_tool(path: &str) -> bool {
    find(base(path)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_for_its_search() {
        assert!(TOOLS.windows(2).all(|pair| pair[0].0 < pair[1].0), "out of order or twice");
    }

    #[test]
    fn a_tool_is_known_under_its_versioned_names() {
        for (file, tool) in [
            ("python3.12", Some("python")),
            ("python3", Some("python")),
            ("python3.13t", Some("python")),
            ("Python", Some("python")),
            ("node22", Some("node")),
            ("yarn-4.1.0.cjs", Some("yarn")),
            ("npx-cli.js", Some("npx-cli")),
            ("bun.exe", Some("bun")),
            ("-bash", Some("bash")),
            ("nodeenv", None),
            ("pythonista", None),
            ("mcp-server", None),
            ("", None),
        ] {
            assert_eq!(find(file).map(|(name, _)| name), tool, "{file}");
        }
    }
}
