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
        let record = record(line);
        let automated = catalog.is_of_an_automated_browser(&record, || Cow::Owned(Resolution::of(&record)));
        assert_eq!(automated, line.contains("chrome") || line.contains("firefox"), "{line}");
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
        // What a client is given to start, and what is in its pipeline.
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
