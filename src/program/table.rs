//! The table of programs that come before a program, and how their options read.

use super::names::{base, stem};
use super::tools::{Passer, Tool};
use crate::list::{List, list};

const PLAIN: Passer = Passer {
    valued: List::EMPTY,
    pairs: List::EMPTY,
    long: false,
    verbs: List::EMPTY,
    verb_optional: false,
    skip: 0,
    dashes: false,
    assigns: false,
    only_with: List::EMPTY,
    command: List::EMPTY,
    line: false,
};

#[rustfmt::skip] // one form, one line
macro_rules! field {
    (skip, $number:expr) => { $number };
    (long, $so:expr) => { $so };
    (verb_optional, $so:expr) => { $so };
    (dashes, $so:expr) => { $so };
    (assigns, $so:expr) => { $so };
    (line, $so:expr) => { $so };
    ($list:ident, $words:expr) => { list!($words) };
}

macro_rules! passer {
    ($($field:ident: $value:expr),* $(,)?) => {{
        const PASSER: &Passer = &Passer { $($field: field!($field, $value),)* ..PLAIN };
        Tool::Passer(PASSER)
    }};
}

const SANDBOX_RUNTIME: Tool = passer!(valued: "--settings -s", command: "-c");
const CONDA: Tool = passer!(verbs: "run", valued: "--cwd --name --prefix -n -p");
const INIT: Tool = passer!(valued: "--rewrite -e -p -r");
const PROXY: Tool = passer!(valued: "--address --port -P -a -f -p -u");
const SU: Tool = passer!(valued: "--group --shell --supp-group -G -g -s -w", only_with: "--command -c", command: "--command -c");

/// Sorted by name, for the binary search; a test holds it to that.
#[rustfmt::skip] // one tool, one line
static TOOLS: &[(&str, Tool)] = &[
    ("@anthropic-ai/sandbox-runtime", SANDBOX_RUNTIME),
    ("Rscript", Tool::Plain(list!("-e"), List::EMPTY)),
    ("aa-exec", passer!(valued: "--namespace --profile -n -p")),
    ("arch", passer!(long: true, valued: "-arch -d -e")),
    ("asdf", passer!(verbs: "exec")),
    ("ash", Tool::Shell),
    ("aws-vault", passer!(verbs: "exec", valued: "--duration -d", dashes: true)),
    ("babel-node", Tool::TsRunner),
    ("bash", Tool::Shell),
    ("bun", Tool::Bun),
    ("bundle", passer!(verbs: "exec", valued: "--gemfile")),
    ("bunx", Tool::Bunx),
    ("bwrap", passer!(
        long: true,
        valued: "--add-seccomp-fd --args --argv0 --block-fd --cap-add --cap-drop --chdir --dev --dir --exec-label \
            --file-label --gid --hostname --info-fd --json-status-fd --lock-file --mqueue --overlay-src --perms --pidns \
            --proc --remount-ro --ro-overlay --seccomp --size --sync-fd --tmp-overlay --tmpfs --uid --unsetenv --userns \
            --userns-block-fd --userns2",
        pairs: "--bind --bind-data --bind-fd --bind-try --chmod --dev-bind --dev-bind-try --file --ro-bind --ro-bind-data \
            --ro-bind-fd --ro-bind-try --setenv --symlink",
    )),
    ("caffeinate", passer!(valued: "-t -w")),
    ("cargo", Tool::Cargo),
    ("catatonit", INIT),
    ("cgexec", passer!(valued: "-g")),
    ("chamber", passer!(verbs: "exec", dashes: true)),
    ("choom", passer!(valued: "--adjust --pid -n -p")),
    ("chpst", passer!(valued: "-/ -0 -1 -2 -C -U -b -c -d -e -f -l -m -n -o -p -r -s -t -u")),
    ("chronic", passer!()),
    ("chroot", passer!(skip: 1)),
    ("chrt", passer!(valued: "-D -P -T", skip: 1)),
    ("cmd", Tool::Cmd),
    ("conda", CONDA),
    ("corepack", passer!()),
    ("cross-env", passer!(assigns: true)),
    ("cross-env-shell", passer!(assigns: true)),
    ("dart", Tool::Dart),
    ("dash", Tool::Shell),
    ("dbus-launch", passer!(valued: "--config-file")),
    ("dbus-run-session", passer!(valued: "--config-file --dbus-daemon")),
    ("ddtrace-run", passer!()),
    ("deno", Tool::Deno),
    ("devbox", passer!(verbs: "run", valued: "--config --env -c -e")),
    ("direnv", passer!(verbs: "exec", skip: 1)),
    ("disclaimer", passer!()),
    ("dnx", Tool::Npx),
    ("doas", passer!(valued: "-C -u", assigns: true)),
    ("docker", Tool::Container),
    ("docker-init", INIT),
    ("doppler", passer!(verbs: "run", valued: "--config --project --token -c -p -t", command: "--command")),
    ("dotenv", passer!(valued: "-c -e -f -v", verbs: "run", verb_optional: true)),
    ("dotenv-cli", passer!(valued: "-c -e -f -v")),
    ("dotenvx", passer!(verbs: "run", valued: "--env --env-file -e -f")),
    ("dotnet", Tool::Dotnet),
    ("dumb-init", INIT),
    ("eatmydata", passer!()),
    ("elixir", Tool::Elixir),
    ("env", Tool::Env),
    ("env-cmd", passer!(valued: "--environments --file --rc-file -e -f -r")),
    ("envchain", passer!(skip: 1)),
    ("envdir", passer!(skip: 1)),
    ("esno", Tool::TsRunner),
    ("esr", Tool::TsRunner),
    ("faketime", passer!(valued: "-f", skip: 1)),
    ("finch", Tool::Container),
    ("firejail", passer!()),
    ("fish", Tool::Shell),
    ("flatpak", Tool::Flatpak),
    ("flock", passer!(valued: "--timeout --wait -E -w", skip: 1, command: "--command -c")),
    ("flox", passer!(verbs: "activate", valued: "--dir --remote -d -r", dashes: true)),
    ("fnm", passer!(verbs: "exec", valued: "--using")),
    ("fnox", passer!(verbs: "exec run", valued: "--config --profile -P -c")),
    ("gem", passer!(verbs: "exec", valued: "--gem --version -g -v")),
    ("go", Tool::Go),
    ("gosu", passer!(skip: 1)),
    ("gtime", passer!(valued: "--format --output -f -o")),
    ("gtimeout", passer!(valued: "--kill-after --signal -k -s", skip: 1)),
    ("guix", passer!(verbs: "shell", dashes: true)),
    ("gunicorn", Tool::Asgi),
    ("hatch", passer!(verbs: "run", valued: "--env --project -e -p")),
    ("hypercorn", Tool::Asgi),
    ("infisical", passer!(verbs: "run", valued: "--env --path --projectId --token", command: "--command")),
    ("ionice", passer!(valued: "--class --classdata -c -n")),
    ("java", Tool::Java),
    ("javaw", Tool::Java),
    ("jbang", Tool::Jbang),
    ("jiti", Tool::TsRunner),
    ("julia", Tool::Plain(list!("-E -e"), list!("-C -J -L -p -t"))),
    ("ksh", Tool::Shell),
    ("landrun", passer!(valued: "--bind-tcp --connect-tcp --env --ro --rox --rw --rwx")),
    ("linux32", passer!()),
    ("linux64", passer!()),
    ("ltrace", passer!(valued: "-F -a -e -n -o -p -s -u -x")),
    ("lua", Tool::Plain(list!("-e"), list!("-l"))),
    ("make", Tool::Make),
    ("mamba", CONDA),
    ("mcp-reap", passer!(verbs: "exec", valued: "--linger")),
    // A part of the client hermes: `mcp_stdio_watchdog.py --ppid N -- CMD`.
    ("mcp_stdio_watchdog", passer!(dashes: true)),
    ("micromamba", CONDA),
    ("mise", passer!(verbs: "exec x", valued: "--cd --env -C -E -j", dashes: true, command: "--command -c")),
    ("mix", Tool::Mix),
    ("nerdctl", Tool::Container),
    ("nice", passer!(valued: "--adjustment -n")),
    ("nix", Tool::Nix),
    ("nix-shell", passer!(dashes: true, command: "--command --run")),
    ("nocache", passer!()),
    ("node", Tool::Node),
    ("node-dev", Tool::TsRunner),
    ("nodejs", Tool::Node),
    ("nodemon", Tool::Nodemon),
    ("nodenv", passer!(verbs: "exec")),
    ("nohup", passer!()),
    ("nono", passer!(verbs: "run", dashes: true)),
    ("npm", Tool::Npm),
    ("npm-cli", Tool::Npm),
    ("npx", Tool::Npx),
    ("npx-cli", Tool::Npx),
    ("nsenter", passer!(valued: "--setgid --setuid --target --wd -G -S -t")),
    ("nu", Tool::Shell),
    ("numactl", passer!(valued: "--cpunodebind --interleave --membind --physcpubind -C -N -i -m -p")),
    ("op", passer!(verbs: "run", valued: "--account --env-file")),
    ("opentelemetry-instrument", passer!(valued: "--exporter_otlp_endpoint --service_name --traces_exporter")),
    ("osascript", Tool::Plain(list!("-e"), list!("-l"))),
    ("pdm", passer!(verbs: "run", valued: "--project -p")),
    ("perl", Tool::Plain(list!("-E -e -ne -pe"), list!("-I -M -m"))),
    ("phase", passer!(verbs: "run", valued: "--app --env --path")),
    ("php", Tool::Plain(list!("-r"), list!("-c -d -f"))),
    ("pipenv", passer!(verbs: "run")),
    ("pipx", Tool::Pipx),
    ("pixi", passer!(verbs: "run", valued: "--environment --manifest-path -e")),
    ("pkgx", passer!()),
    ("pnpm", Tool::Pnpm),
    ("pnpx", Tool::Npx),
    ("podman", Tool::Container),
    ("podman-init", INIT),
    ("poetry", passer!(verbs: "run", valued: "--directory --project -C -P")),
    ("prlimit", passer!(valued: "--pid -p")),
    ("proot", passer!(valued: "-R -S -b -k -q -r -w")),
    ("proto", Tool::Proto),
    ("proxychains", PROXY),
    ("pyenv", passer!(verbs: "exec")),
    ("pypy", Tool::Python),
    ("python", Tool::Python),
    ("rbenv", passer!(verbs: "exec")),
    ("reattach-to-user-namespace", passer!(valued: "-l")),
    ("rlwrap", passer!(valued: "-H -f -p")),
    ("rtx", passer!(verbs: "exec x", dashes: true)),
    ("ruby", Tool::Plain(list!("-e"), list!("-C -E -I -r"))),
    ("runcon", passer!(valued: "--range --role --type --user -l -r -t -u")),
    // Without -u the first word is the user, whose shell runs.
    ("runuser", passer!(valued: "--user -G -g -u", only_with: "--user -u", command: "--command -c")),
    ("rye", passer!(verbs: "run")),
    ("s6-setuidgid", passer!(skip: 1)),
    ("sandbox-exec", passer!(valued: "-D -f -n -p")),
    ("script", passer!(
        valued: "--command --echo --log-in --log-io --log-out --log-timing --logging-format --output-limit -B -E -I -O -T -c -m \
            -o -t",
        skip: 1,
        command: "--command -c",
    )),
    ("secretspec", passer!(verbs: "run", valued: "--profile --provider -P -p")),
    ("setarch", passer!(skip: 1)),
    ("setpriv", passer!(valued: "--groups --regid --reuid")),
    ("setsid", passer!()),
    ("setuidgid", passer!(skip: 1)),
    ("sg", SU),
    ("sh", Tool::Shell),
    ("sops", passer!(verbs: "exec-env exec-file", valued: "--filename --input-type --output-type --user", skip: 1, line: true)),
    ("srt", SANDBOX_RUNTIME),
    ("stdbuf", passer!(valued: "--error --input --output -e -i -o")),
    ("strace", passer!(valued: "--output -E -I -O -P -S -U -X -a -b -e -o -p -s -u")),
    ("su", SU),
    ("su-exec", passer!(skip: 1)),
    ("sudo", passer!(valued: "--group --user -C -D -R -T -U -g -h -p -r -t -u", assigns: true)),
    ("summon", passer!(valued: "--environment -D -e -f -p")),
    ("swc-node", Tool::TsRunner),
    ("swift", Tool::Swift),
    ("systemd-cat", passer!(valued: "--identifier --priority --stderr-priority -p -t")),
    ("systemd-inhibit", passer!(valued: "--mode --what --who --why")),
    ("systemd-run", passer!(
        valued: "--description --gid --machine --nice --property --setenv --slice --uid --unit --working-directory -E -H -M -p -u",
    )),
    ("taskset", passer!(skip: 1)),
    ("teller", passer!(verbs: "run", valued: "-c")),
    ("time", passer!(valued: "--format --output -f -o")),
    ("timeout", passer!(valued: "--kill-after --signal -k -s", skip: 1)),
    ("tini", INIT),
    ("tini-static", INIT),
    ("torify", PROXY),
    ("torsocks", PROXY),
    ("trickle", passer!(valued: "-L -d -l -n -t -u -w")),
    ("ts-node", Tool::TsRunner),
    ("ts-node-dev", Tool::TsRunner),
    ("ts-node-esm", Tool::TsRunner),
    ("tsimp", Tool::TsRunner),
    ("tsocks", PROXY),
    ("tsx", Tool::TsRunner),
    ("unbuffer", passer!()),
    ("unshare", passer!(valued: "--map-group --map-user --propagation --root --setgid --setgroups --setuid --wd -G -R -S -w")),
    ("uv", Tool::Uv),
    ("uvicorn", Tool::Asgi),
    ("uvx", Tool::Uvx),
    ("varlock", passer!(verbs: "run")),
    ("vaultenv", passer!(valued: "--addr --host --log-level --max-concurrent-requests --port --retry-attempts --retry-base-delay \
        --secrets-file --token")),
    ("vite-node", Tool::TsRunner),
    ("volta", passer!(verbs: "run", valued: "--node --npm --pnpm --yarn")),
    ("volta-shim", Tool::Npx),
    ("watchexec", passer!(valued: "--exts --ignore --signal --watch -d -e -i -s -w")),
    ("xcrun", passer!(valued: "--sdk --toolchain")),
    ("xvfb-run", passer!(
        valued: "--auth-file --error-file --server-args --server-num --wait --xauth-protocol -e -f -n -p -s -w",
    )),
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
        // What was trimmed begins so; "t" alone is a part of the name.
        if name.as_bytes().get(plain.len()).is_some_and(|b| b.is_ascii_digit() || *b == b'-') {
            return exact(plain);
        }
        // A framework build of Python calls itself Python; a placeholder for it ends so.
        (name == "Python" || name.ends_with("-python") && !name.contains('/'))
            .then(|| exact("python"))
            .flatten()
    })
}

/// Whether a path or name is one of them.
pub(crate) fn is_tool(path: &str) -> bool {
    find(base(path)).is_some()
}

#[cfg(test)]
mod tests;
