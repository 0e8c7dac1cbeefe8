//! The table of known programs that run other programs, with their options.

use super::names::{base, stem};
use super::tools::{Tool, Wrapper};
use crate::word_list::{WordList, list};

const PLAIN: Wrapper = Wrapper {
    valued: WordList::EMPTY,
    pairs: WordList::EMPTY,
    long: false,
    verbs: WordList::EMPTY,
    verb_optional: false,
    skip: 0,
    dashes: false,
    assigns: false,
    only_with: WordList::EMPTY,
    command: WordList::EMPTY,
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

macro_rules! wrapper {
    ($($field:ident: $value:expr),* $(,)?) => {{
        const WRAPPER: &Wrapper = &Wrapper { $($field: field!($field, $value),)* ..PLAIN };
        Tool::Wrapper(WRAPPER)
    }};
}

const SANDBOX_RUNTIME: Tool = wrapper!(valued: "--settings -s", command: "-c");
const CONDA: Tool = wrapper!(verbs: "run", valued: "--cwd --name --prefix -n -p");
const INIT: Tool = wrapper!(valued: "--rewrite -e -p -r");
const PROXY: Tool = wrapper!(valued: "--address --port -P -a -f -p -u");
const SU: Tool = wrapper!(valued: "--group --shell --supp-group -G -g -s -w", only_with: "--command -c", command: "--command -c");

/// Sorted by name, for the binary search; a test checks that.
#[rustfmt::skip] // one tool, one line
static TOOLS: &[(&str, Tool)] = &[
    ("@anthropic-ai/sandbox-runtime", SANDBOX_RUNTIME),
    ("Rscript", Tool::Plain(list!("-e"), WordList::EMPTY)),
    ("aa-exec", wrapper!(valued: "--namespace --profile -n -p")),
    ("arch", wrapper!(long: true, valued: "-arch -d -e")),
    ("asdf", wrapper!(verbs: "exec")),
    ("ash", Tool::Shell),
    ("aws-vault", wrapper!(verbs: "exec", valued: "--duration -d", dashes: true)),
    ("babel-node", Tool::TsRunner),
    ("bash", Tool::Shell),
    ("bun", Tool::Bun),
    ("bundle", wrapper!(verbs: "exec", valued: "--gemfile")),
    ("bunx", Tool::Bunx),
    ("bwrap", wrapper!(
        long: true,
        valued: "--add-seccomp-fd --args --argv0 --block-fd --cap-add --cap-drop --chdir --dev --dir --exec-label \
            --file-label --gid --hostname --info-fd --json-status-fd --lock-file --mqueue --overlay-src --perms --pidns \
            --proc --remount-ro --ro-overlay --seccomp --size --sync-fd --tmp-overlay --tmpfs --uid --unsetenv --userns \
            --userns-block-fd --userns2",
        pairs: "--bind --bind-data --bind-fd --bind-try --chmod --dev-bind --dev-bind-try --file --ro-bind --ro-bind-data \
            --ro-bind-fd --ro-bind-try --setenv --symlink",
    )),
    ("caffeinate", wrapper!(valued: "-t -w")),
    ("cargo", Tool::Cargo),
    ("catatonit", INIT),
    ("cgexec", wrapper!(valued: "-g")),
    ("chamber", wrapper!(verbs: "exec", dashes: true)),
    ("choom", wrapper!(valued: "--adjust --pid -n -p")),
    ("chpst", wrapper!(valued: "-/ -0 -1 -2 -C -U -b -c -d -e -f -l -m -n -o -p -r -s -t -u")),
    ("chronic", wrapper!()),
    ("chroot", wrapper!(skip: 1)),
    ("chrt", wrapper!(valued: "-D -P -T", skip: 1)),
    ("cmd", Tool::Cmd),
    ("conda", CONDA),
    ("corepack", wrapper!()),
    ("cross-env", wrapper!(assigns: true)),
    ("cross-env-shell", wrapper!(assigns: true)),
    ("dart", Tool::Dart),
    ("dash", Tool::Shell),
    ("dbus-launch", wrapper!(valued: "--config-file")),
    ("dbus-run-session", wrapper!(valued: "--config-file --dbus-daemon")),
    ("ddtrace-run", wrapper!()),
    ("deno", Tool::Deno),
    ("devbox", wrapper!(verbs: "run", valued: "--config --env -c -e")),
    ("direnv", wrapper!(verbs: "exec", skip: 1)),
    ("disclaimer", wrapper!()),
    ("dnx", Tool::Npx),
    ("doas", wrapper!(valued: "-C -u", assigns: true)),
    ("docker", Tool::Container),
    ("docker-init", INIT),
    ("doppler", wrapper!(verbs: "run", valued: "--config --project --token -c -p -t", command: "--command")),
    ("dotenv", wrapper!(valued: "-c -e -f -v", verbs: "run", verb_optional: true)),
    ("dotenv-cli", wrapper!(valued: "-c -e -f -v")),
    ("dotenvx", wrapper!(verbs: "run", valued: "--env --env-file -e -f")),
    ("dotnet", Tool::Dotnet),
    ("dumb-init", INIT),
    ("eatmydata", wrapper!()),
    ("elixir", Tool::Elixir),
    ("env", Tool::Env),
    ("env-cmd", wrapper!(valued: "--environments --file --rc-file -e -f -r")),
    ("envchain", wrapper!(skip: 1)),
    ("envdir", wrapper!(skip: 1)),
    ("esno", Tool::TsRunner),
    ("esr", Tool::TsRunner),
    ("faketime", wrapper!(valued: "-f", skip: 1)),
    ("finch", Tool::Container),
    ("firejail", wrapper!()),
    ("fish", Tool::Shell),
    ("flatpak", Tool::Flatpak),
    ("flock", wrapper!(valued: "--timeout --wait -E -w", skip: 1, command: "--command -c")),
    ("flox", wrapper!(verbs: "activate", valued: "--dir --remote -d -r", dashes: true)),
    ("fnm", wrapper!(verbs: "exec", valued: "--using")),
    ("fnox", wrapper!(verbs: "exec run", valued: "--config --profile -P -c")),
    ("gem", wrapper!(verbs: "exec", valued: "--gem --version -g -v")),
    ("go", Tool::Go),
    ("gosu", wrapper!(skip: 1)),
    ("gtime", wrapper!(valued: "--format --output -f -o")),
    ("gtimeout", wrapper!(valued: "--kill-after --signal -k -s", skip: 1)),
    ("guix", wrapper!(verbs: "shell", dashes: true)),
    ("gunicorn", Tool::Asgi),
    ("hatch", wrapper!(verbs: "run", valued: "--env --project -e -p")),
    ("hypercorn", Tool::Asgi),
    ("infisical", wrapper!(verbs: "run", valued: "--env --path --projectId --token", command: "--command")),
    ("ionice", wrapper!(valued: "--class --classdata -c -n")),
    ("java", Tool::Java),
    ("javaw", Tool::Java),
    ("jbang", Tool::Jbang),
    ("jiti", Tool::TsRunner),
    ("julia", Tool::Plain(list!("-E -e"), list!("-C -J -L -p -t"))),
    ("ksh", Tool::Shell),
    ("landrun", wrapper!(valued: "--bind-tcp --connect-tcp --env --ro --rox --rw --rwx")),
    ("linux32", wrapper!()),
    ("linux64", wrapper!()),
    ("ltrace", wrapper!(valued: "-F -a -e -n -o -p -s -u -x")),
    ("lua", Tool::Plain(list!("-e"), list!("-l"))),
    ("make", Tool::Make),
    ("mamba", CONDA),
    ("mcp-reap", wrapper!(verbs: "exec", valued: "--linger")),
    // Part of the client hermes: `mcp_stdio_watchdog.py --ppid N -- CMD`.
    ("mcp_stdio_watchdog", wrapper!(dashes: true)),
    ("micromamba", CONDA),
    ("mise", wrapper!(verbs: "exec x", valued: "--cd --env -C -E -j", dashes: true, command: "--command -c")),
    ("mix", Tool::Mix),
    ("nerdctl", Tool::Container),
    ("nice", wrapper!(valued: "--adjustment -n")),
    ("nix", Tool::Nix),
    ("nix-shell", wrapper!(dashes: true, command: "--command --run")),
    ("nocache", wrapper!()),
    ("node", Tool::Node),
    ("node-dev", Tool::TsRunner),
    ("nodejs", Tool::Node),
    ("nodemon", Tool::Nodemon),
    ("nodenv", wrapper!(verbs: "exec")),
    ("nohup", wrapper!()),
    ("nono", wrapper!(verbs: "run", dashes: true)),
    ("npm", Tool::Npm),
    ("npm-cli", Tool::Npm),
    ("npx", Tool::Npx),
    ("npx-cli", Tool::Npx),
    ("nsenter", wrapper!(valued: "--setgid --setuid --target --wd -G -S -t")),
    ("nu", Tool::Shell),
    ("numactl", wrapper!(valued: "--cpunodebind --interleave --membind --physcpubind -C -N -i -m -p")),
    ("op", wrapper!(verbs: "run", valued: "--account --env-file")),
    ("opentelemetry-instrument", wrapper!(valued: "--exporter_otlp_endpoint --service_name --traces_exporter")),
    ("osascript", Tool::Plain(list!("-e"), list!("-l"))),
    ("pdm", wrapper!(verbs: "run", valued: "--project -p")),
    ("perl", Tool::Plain(list!("-E -e -ne -pe"), list!("-I -M -m"))),
    ("phase", wrapper!(verbs: "run", valued: "--app --env --path")),
    ("php", Tool::Plain(list!("-r"), list!("-c -d -f"))),
    ("pipenv", wrapper!(verbs: "run")),
    ("pipx", Tool::Pipx),
    ("pixi", wrapper!(verbs: "run", valued: "--environment --manifest-path -e")),
    ("pkgx", wrapper!()),
    ("pnpm", Tool::Pnpm),
    ("pnpx", Tool::Npx),
    ("podman", Tool::Container),
    ("podman-init", INIT),
    ("poetry", wrapper!(verbs: "run", valued: "--directory --project -C -P")),
    ("prlimit", wrapper!(valued: "--pid -p")),
    ("proot", wrapper!(valued: "-R -S -b -k -q -r -w")),
    ("proto", Tool::Proto),
    ("proxychains", PROXY),
    ("pyenv", wrapper!(verbs: "exec")),
    ("pypy", Tool::Python),
    ("python", Tool::Python),
    ("rbenv", wrapper!(verbs: "exec")),
    ("reattach-to-user-namespace", wrapper!(valued: "-l")),
    ("rlwrap", wrapper!(valued: "-H -f -p")),
    ("rtx", wrapper!(verbs: "exec x", dashes: true)),
    ("ruby", Tool::Plain(list!("-e"), list!("-C -E -I -r"))),
    ("runcon", wrapper!(valued: "--range --role --type --user -l -r -t -u")),
    // Without -u the first word is the user, whose shell runs.
    ("runuser", wrapper!(valued: "--user -G -g -u", only_with: "--user -u", command: "--command -c")),
    ("rye", wrapper!(verbs: "run")),
    ("s6-setuidgid", wrapper!(skip: 1)),
    ("sandbox-exec", wrapper!(valued: "-D -f -n -p")),
    ("script", wrapper!(
        valued: "--command --echo --log-in --log-io --log-out --log-timing --logging-format --output-limit -B -E -I -O -T -c -m \
            -o -t",
        skip: 1,
        command: "--command -c",
    )),
    ("secretspec", wrapper!(verbs: "run", valued: "--profile --provider -P -p")),
    ("setarch", wrapper!(skip: 1)),
    ("setpriv", wrapper!(valued: "--groups --regid --reuid")),
    ("setsid", wrapper!()),
    ("setuidgid", wrapper!(skip: 1)),
    ("sg", SU),
    ("sh", Tool::Shell),
    ("sops", wrapper!(verbs: "exec-env exec-file", valued: "--filename --input-type --output-type --user", skip: 1, line: true)),
    ("srt", SANDBOX_RUNTIME),
    ("stdbuf", wrapper!(valued: "--error --input --output -e -i -o")),
    ("strace", wrapper!(valued: "--output -E -I -O -P -S -U -X -a -b -e -o -p -s -u")),
    ("su", SU),
    ("su-exec", wrapper!(skip: 1)),
    ("sudo", wrapper!(valued: "--group --user -C -D -R -T -U -g -h -p -r -t -u", assigns: true)),
    ("summon", wrapper!(valued: "--environment -D -e -f -p")),
    ("swc-node", Tool::TsRunner),
    ("swift", Tool::Swift),
    ("systemd-cat", wrapper!(valued: "--identifier --priority --stderr-priority -p -t")),
    ("systemd-inhibit", wrapper!(valued: "--mode --what --who --why")),
    ("systemd-run", wrapper!(
        valued: "--description --gid --machine --nice --property --setenv --slice --uid --unit --working-directory -E -H -M -p -u",
    )),
    ("taskset", wrapper!(skip: 1)),
    ("teller", wrapper!(verbs: "run", valued: "-c")),
    ("time", wrapper!(valued: "--format --output -f -o")),
    ("timeout", wrapper!(valued: "--kill-after --signal -k -s", skip: 1)),
    ("tini", INIT),
    ("tini-static", INIT),
    ("torify", PROXY),
    ("torsocks", PROXY),
    ("trickle", wrapper!(valued: "-L -d -l -n -t -u -w")),
    ("ts-node", Tool::TsRunner),
    ("ts-node-dev", Tool::TsRunner),
    ("ts-node-esm", Tool::TsRunner),
    ("tsimp", Tool::TsRunner),
    ("tsocks", PROXY),
    ("tsx", Tool::TsRunner),
    ("unbuffer", wrapper!()),
    ("unshare", wrapper!(valued: "--map-group --map-user --propagation --root --setgid --setgroups --setuid --wd -G -R -S -w")),
    ("uv", Tool::Uv),
    ("uvicorn", Tool::Asgi),
    ("uvx", Tool::Uvx),
    ("varlock", wrapper!(verbs: "run")),
    ("vaultenv", wrapper!(valued: "--addr --host --log-level --max-concurrent-requests --port --retry-attempts --retry-base-delay \
        --secrets-file --token")),
    ("vite-node", Tool::TsRunner),
    ("volta", wrapper!(verbs: "run", valued: "--node --npm --pnpm --yarn")),
    ("volta-shim", Tool::Npx),
    ("watchexec", wrapper!(valued: "--exts --ignore --signal --watch -d -e -i -s -w")),
    ("xcrun", wrapper!(valued: "--sdk --toolchain")),
    ("xvfb-run", wrapper!(
        valued: "--auth-file --error-file --server-args --server-num --wait --xauth-protocol -e -f -n -p -s -w",
    )),
    ("yarn", Tool::Yarn),
    ("yarnpkg", Tool::Yarn),
    ("zsh", Tool::Shell),
];

/// The known program of a file name, with its plain name. Versions (`python3.12`, `node22`, `yarn-4.1.0.cjs`) and the
/// dash of a login shell are ignored.
pub(super) fn find(file: &str) -> Option<(&'static str, Tool)> {
    let name = stem(file.strip_prefix('-').unwrap_or(file));
    let exact = |name: &str| {
        TOOLS.binary_search_by(|(known, _)| (*known).cmp(name)).ok().and_then(|at| TOOLS.get(at)).copied()
    };
    exact(name).or_else(|| {
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | 't'));
        // A version begins with a digit or a dash; a "t" at the end may be a part of the name.
        if name.as_bytes().get(plain.len()).is_some_and(|b| b.is_ascii_digit() || *b == b'-') {
            return exact(plain);
        }
        // A framework build of Python is called Python, and a placeholder for it ends in -python.
        (name == "Python" || name.ends_with("-python") && !name.contains('/'))
            .then(|| exact("python"))
            .flatten()
    })
}

/// Is a path or name in the table?
pub(crate) fn is_tool(path: &str) -> bool {
    find(base(path)).is_some()
}

#[cfg(test)]
mod tests;
