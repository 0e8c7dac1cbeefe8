//! What belongs to the person at the machine, wherever it was started: editors, shells, browsers that are not automated.

use super::Catalog;
use crate::bytes::to_text;
use crate::list::{List, list};
use crate::process::ProcessRecord;
use crate::program::{self, Resolution};

#[rustfmt::skip]
const EDITORS: List = list!("\
    code code-insiders codium cursor emacs emacsclient gedit gvim helix hx idea joe kak kate kwrite mate mcedit micro nano \
    nvim pico pycharm subl sublime_text vi vim vimdiff vscodium windsurf xed zed zed-editor");
/// Terminal emulators: what runs in them is a person's.
#[rustfmt::skip]
const TERMINALS: List = list!("\
    Terminal alacritty foot ghostty gnome-terminal gnome-terminal-server hyper iTerm2 kgx kitty konsole lxterminal \
    mate-terminal ptyxis rio st terminator tilix urxvt warp wezterm wezterm-gui xfce4-terminal xterm");
/// Browsers that people use, beside those that servers start.
#[rustfmt::skip]
const BROWSERS: List = list!("\
    Arc Firefox Safari Vivaldi arc brave brave-browser epiphany firefox firefox-bin firefox-esr librewolf opera safari \
    thorium tor-browser vivaldi vivaldi-bin waterfox zen zen-bin");
/// Shells without a command, terminal multiplexers, and what stands between a person and a shell. A launcher is none of
/// these, whatever pipes it holds.
#[rustfmt::skip]
const SESSIONS: List = list!("\
    SCREEN ash bash csh dash elvish fish ksh login mosh-server nu powershell pwsh rbash screen sh sshd sshd-session tcsh tmux \
    xonsh zellij zsh");
/// Tools that run one command after another, and restart or watch them.
#[rustfmt::skip]
const GOES_ON: List = list!("\
    abduco ansible-playbook bazel bazelisk cargo cmake concurrently cron crond dtach entr find go gradle gradlew inetd just \
    make mprocs mvn mvnw ninja nox overmind parallel rake run-parts snakemake task terraform tox watch watchexec xargs xinetd");
const MULTIPLEXERS: List = list!("SCREEN abduco dtach screen tmux zellij");
/// Options that only a program gives to a browser (Chromium, Firefox).
#[rustfmt::skip]
const AUTOMATION: List = list!("\
    --enable-automation --headless --marionette --remote-debugging-pipe --remote-debugging-port -headless -juggler \
    -juggler-pipe -marionette");
impl Catalog {
    /// A program that a person works in, whatever started it: an editor, or a browser without any sign of automation.
    #[must_use]
    pub fn is_persons_program(&self, record: &ProcessRecord) -> bool {
        let name = own_name(record);
        let listed = |list: List| list.contains(&name);
        if listed(EDITORS) || listed(TERMINALS) {
            return true;
        }
        let Some(data) = self.data.as_deref() else { return false };
        let browser = listed(BROWSERS) || data.helper.browsers.contains(name.as_str());
        let Some(argv) = record.argv.as_ref().filter(|_| browser) else { return false };
        let automated = |arg: &str| {
            let option = arg.split_once('=').map_or(arg, |(option, _)| option);
            let of_a_parent = option == "--type" || option == "-contentproc";
            of_a_parent || AUTOMATION.contains(option)
        };
        // The words of a title stand in one string.
        let words =
            || argv.iter().flat_map(|arg| to_text(arg).split(' ').map(str::to_owned).collect::<Vec<_>>());
        !words().any(|arg| automated(&arg))
            && super::judge::temporary_profile(words().map(Into::into)).is_none()
            && super::judge::profile(data, argv.iter().map(to_text)).is_none()
    }

    /// A browser without a window: a program drives it.
    #[must_use]
    pub fn is_headless(&self, record: &ProcessRecord) -> bool {
        let argv = record.argv.iter().flat_map(crate::bytes::Argv::iter).map(to_text);
        let mut options = argv.map(|arg| arg.split('=').next().unwrap_or_default().to_owned());
        own_name(record).contains("headless")
            || options.any(|option| option == "--headless" || option == "-headless")
    }

    /// A process that is no launcher, whatever it runs and whatever pipes it holds: a person's session, or a tool that
    /// goes on with something else when one of its commands has ended.
    #[must_use]
    pub fn has_more_to_do(&self, record: &ProcessRecord, seen: &Resolution) -> bool {
        let name = own_name(record);
        GOES_ON.contains(&name) || self.is_session(record, seen)
    }

    /// A terminal multiplexer: what runs in it, and what is attached to it, is a person's.
    #[must_use]
    pub fn is_multiplexer(&self, record: &ProcessRecord) -> bool {
        MULTIPLEXERS.contains(&own_name(record))
    }

    /// A tool that people and programs use for other work, whatever started it: build tools, version control, editors,
    /// shells, databases, web servers, compilers, media; or a runner that runs nothing (`npm install`, `uv sync`). The
    /// environment of a client alone makes no server of it.
    #[must_use]
    pub fn is_known_tool(&self, record: &ProcessRecord) -> bool {
        let Some(data) = self.data.as_deref() else { return false };
        let name = own_name(record);
        let name = name.trim_start_matches('-');
        let listed = |list: List| list.contains(name);
        if [EDITORS, TERMINALS, BROWSERS].into_iter().any(listed) {
            return true;
        }
        // In the pipeline of a launcher these hand on what its server writes.
        if matches!(name, "cat" | "tee") {
            return false;
        }
        let seen = program::resolve(record.argv.as_ref(), record.details.exe.as_ref(), &record.comm);
        let Some(program) = &seen.program else { return !seen.opaque };
        let given = seen.opaque || !seen.line.is_empty() || program.text.contains('/');
        let launcher = data.known.names.contains(name) || listed(SESSIONS);
        let own = seen.layers.is_empty() && data.tool_names.contains(name);
        own || launcher && !given || data.is_tool(program)
    }

    /// A shell that runs no command line and no script, a multiplexer, a login: a person's session.
    #[must_use]
    pub fn is_session(&self, record: &ProcessRecord, seen: &Resolution) -> bool {
        let name = own_name(record);
        let known = SESSIONS.contains(name.trim_start_matches('-'));
        known && !seen.opaque && (seen.layers.is_empty() || seen.program.is_none())
    }
}

/// The name of the program itself, not of what it runs.
fn own_name(record: &ProcessRecord) -> String {
    let argv = record.argv.as_ref();
    let first = argv.and_then(|argv| argv.first()).map(to_text).unwrap_or_default();
    // A program that rewrote its title has all its words in one; a Mac's programs have spaces in their paths.
    let title = !first.contains(".app/");
    let path = if title { first.split(' ').next().unwrap_or_default() } else { &*first };
    let name = program::base(path).trim_end_matches(':').to_owned();
    if name.is_empty() { record.comm.to_string() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Argv;
    use crate::process::{Pid, StartTime};

    fn record(line: &str) -> ProcessRecord {
        let mut record = ProcessRecord::new(Pid(7), StartTime(1));
        record.argv = Some(line.split(' ').collect::<Argv>());
        record
    }

    #[test]
    fn editors_and_browsers_without_automation_are_the_persons() {
        let catalog = Catalog::builtin();
        for line in [
            "/opt/google/chrome/chrome",
            "/opt/google/chrome/chrome https://example.com/",
            "/usr/lib/firefox/firefox -P work",
            "/usr/bin/xterm -e vim /srv/notes.md",
            "kitty",
            "vim /srv/notes.md",
            "/usr/bin/nvim",
            "/usr/share/code/code /srv",
        ] {
            assert!(catalog.is_persons_program(&record(line)), "{line}");
        }
        for line in [
            "/opt/google/chrome/chrome --headless=new",
            "/opt/google/chrome/chrome --remote-debugging-port=9222 about:blank",
            "/opt/google/chrome/chrome --remote-debugging-pipe",
            "/opt/google/chrome/chrome --type=renderer --enable-crashpad",
            "/opt/google/chrome/chrome --user-data-dir=/tmp/puppeteer_dev_chrome_profile-x",
            "/opt/google/chrome/chrome --user-data-dir=/home/u/.cache/ms-playwright/mcp-chrome-3f2a",
            "/usr/lib/firefox/firefox -juggler-pipe -profile /tmp/playwright_firefoxdev_profile-x",
            "node /srv/vim/server.js",
            "sleep 5",
        ] {
            assert!(!catalog.is_persons_program(&record(line)), "{line}");
        }
    }

    #[test]
    fn a_tool_is_known_by_its_own_name_or_by_what_it_resolves_to() {
        let catalog = Catalog::builtin();
        for line in [
            "make x",
            "/usr/bin/make -C /srv all",
            "cargo x",
            "rsync -a x y",
            "ffmpeg -i x",
            "gcc x.c",
            "pg_dump x",
            "ssh host",
            "git fetch",
            "nginx -g x",
            "nginx: worker process",
            "docker x",
            "vim x",
            "less x",
            "bash x",
            "-bash",
            "python3 -m pytest x",
            "npx webpack",
            "node /srv/x/node_modules/.bin/vite",
            "npm install x",
            "uv sync",
            "bash -c git",
        ] {
            assert!(catalog.is_known_tool(&record(line)), "{line}");
        }
        for line in [
            "node /srv/notes/index.js",
            "python3 /srv/notes/make.py",
            "npx -y notes",
            "uvx notes",
            "/opt/notes/notes",
            // What a client is given to start, and what stands in its pipeline.
            "bash /srv/notes/start.sh",
            "tee /srv/notes/log",
            "timeout 9 node /srv/notes/index.js",
        ] {
            assert!(!catalog.is_known_tool(&record(line)), "{line}");
        }
    }

    #[test]
    fn a_shell_with_a_command_or_a_script_is_no_session() {
        let session = |line| {
            let record = record(line);
            Catalog::builtin().is_session(&record, &Resolution::of(&record))
        };
        for line in [
            "-bash",
            "zsh",
            "/bin/bash -i",
            "bash -l",
            "tmux new -s x",
            "tmux: server (/tmp/tmux-0/default)",
            "sshd: u@pts/0",
        ] {
            assert!(session(line), "{line}");
        }
        for line in ["bash start.sh", "sh -c mcp-server-git", "bash -lc npx", "node x.js", "tmuxinator"] {
            assert!(!session(line), "{line}");
        }
    }
}
