//! What belongs to the person at the machine: it withholds an instance, and is none by its environment alone.

#![allow(clippy::unwrap_used)]

mod scene;

use std::time::Duration;

use mcp_reap::classify::Verdict;
use mcp_reap::plan::Why;
use mcp_reap::policy::{Limits, Policy};
use mcp_reap::process::{Pid, ProcessState};
use scene::{Table, Wire};

const CLAUDE: &[(&str, &str)] = &[("CLAUDECODE", "1"), ("CLAUDE_CODE_SESSION_ID", "old")];

fn now() -> Policy {
    Policy { min_age: Duration::ZERO, ..Policy::default() }
}

/// An orphaned server with this below it.
fn server_above(line: &str) -> Table {
    let mut table = Table::new();
    table.add(500, 1, "node /home/u/notes-mcp/index.js").wire(Wire::Closed);
    table.add(501, 500, line);
    table
}

/// A process on a dead wire that Claude Code's environment was handed down to.
fn of_claude(line: &str) -> Table {
    let mut table = Table::new();
    table.add(500, 1, line).wire(Wire::Closed).env(CLAUDE).change(|r| r.group = Pid(40));
    table.row(500).change(|r| r.session = Pid(40));
    table
}

#[test]
fn a_page_or_a_program_below_tmp_makes_no_automated_browser() {
    for (line, goes) in [
        ("/opt/firefox/firefox /tmp/report.html", false),
        ("/opt/google/chrome/chrome file:///tmp/report.html", false),
        ("/tmp/.mount_zenAb12/zen https://example.com/", false),
        ("/tmp/usr/lib/firefox/firefox", false),
        ("/opt/google/chrome/chrome --user-data-dir=/tmp/x", true),
        ("/opt/firefox/firefox -profile /tmp/x", true),
        ("/tmp/.mount_x/chrome --headless=new", true),
    ] {
        let table = server_above(line);
        assert_eq!(table.ended(&now()) == [500, 501], goes, "{line}");
        assert_eq!(
            table.plan(&now()).withheld.iter().any(|withheld| withheld.why == Why::Person),
            !goes,
            "{line}"
        );
    }
}

#[test]
fn a_persons_programs_keep_the_server_above_them_by_whatever_name_they_run() {
    for line in [
        "SCREEN -dmS work",
        "tmux new -d",
        "urxvtd -q",
        "/usr/bin/python3 /usr/bin/terminator",
        "/usr/bin/python3 /usr/bin/gnome-terminal --tab",
        "/usr/bin/python3 -m qutebrowser",
        "/bin/sh /opt/pycharm/bin/pycharm.sh",
        "/opt/tor-browser/firefox.real",
        "/opt/google/chrome-beta/google-chrome-beta",
        "/usr/bin/emacs-29.1 notes.org",
        "/opt/sublime_text/plugin_host-3.8 1 2",
        "/nix/store/x/bin/.kitty-wrapped",
    ] {
        assert!(server_above(line).ended(&now()).is_empty(), "{line}");
    }
    for line in ["/usr/bin/python3 /home/u/idea.py", "node /home/u/vim/index.js", "/opt/notes/notes-bin"] {
        assert_eq!(server_above(line).ended(&now()), [500, 501], "{line}");
    }
}

#[test]
fn what_belongs_to_the_person_is_no_server_by_its_environment() {
    assert_eq!(of_claude("/opt/notes/notes").ended(&now()), [500], "the control");
    for line in [
        "/opt/google/chrome/chrome https://login.example.com/",
        "/opt/google/chrome/chrome --type=renderer",
        "/opt/microsoft/msedge/msedge",
        "/opt/chromium/chromium --remote-debugging-port=9222",
        "/opt/firefox/firefox",
        "/usr/bin/python3 /usr/bin/terminator",
        "SCREEN -S work",
        "/usr/share/code/code",
        "nautilus /home/u",
    ] {
        assert!(of_claude(line).judge(&now()).findings.is_empty(), "{line}");
    }
    let mut table = of_claude("/opt/notes/notes");
    table.row(500).change(|r| r.details.display = true);
    assert!(table.judge(&now()).findings.is_empty(), "it has a window");
    // What was started in a program with a window.
    let mut table = of_claude("/opt/desk/desk");
    table.row(500).change(|r| r.details.display = true);
    table.add(501, 500, "/opt/notes/notes").wire(Wire::Closed).env(CLAUDE);
    table.row(501).change(|r| (r.group, r.session) = (Pid(40), Pid(40)));
    assert!(table.judge(&now()).findings.is_empty(), "it was started in one");
    table.row(500).change(|r| r.details.display = false);
    assert_eq!(table.ended(&now()), [500, 501]);
}

#[test]
fn a_server_with_a_window_is_withheld_as_a_helper_would_be() {
    let mut table = Table::new();
    table.add(500, 1, "node /home/u/notes-mcp/index.js").wire(Wire::Closed);
    assert_eq!(table.ended(&now()), [500]);
    table.row(500).change(|r| r.details.display = true);
    assert_eq!(table.plan(&now()).withheld[0].why, Why::Person);
}

#[test]
fn a_browser_that_a_person_started_on_a_servers_profile_is_left_alone() {
    let profiles =
        ["/home/u/.cache/ms-playwright/mcp-chrome-1", "/home/u/.cache/chrome-devtools-mcp/chrome-profile"];
    for (options, goes) in [
        ("", false),
        (" --no-first-run https://login.example.com/", false),
        (" --remote-debugging-port=9222", false),
        (" --remote-debugging-port=0", true),
        (" --remote-debugging-pipe", true),
        (" --enable-automation", true),
        (" --headless=new", true),
    ] {
        for profile in profiles {
            let mut table = Table::new();
            let line = format!("/opt/google/chrome/chrome --user-data-dir={profile}{options}");
            table.add(500, 1, &line).wire(Wire::Closed);
            assert_eq!(table.ended(&now()) == [500], goes, "{line}");
            // With Claude's environment too, since a server's login may have opened it.
            table.row(500).env(CLAUDE).change(|r| r.group = Pid(40));
            table.row(500).change(|r| r.session = Pid(40));
            assert_eq!(table.ended(&now()) == [500], goes, "{line} with the environment");
        }
    }
}

#[test]
fn what_a_tracer_that_cannot_be_seen_has_stopped_is_left_alone() {
    let mut table = Table::new();
    table.add(500, 1, "node /home/u/notes-mcp/index.js").wire(Wire::Closed).state('T');
    assert_eq!(table.ended(&now()), [500], "stopped by a signal");
    for tracer in [None, Some(Pid(0)), Some(Pid(4000))] {
        table.row(500).state('t').change(|r| r.details.tracer = tracer);
        assert_eq!(table.plan(&now()).withheld[0].why, Why::Traced, "{tracer:?}");
    }
    assert_eq!(table.snapshot.processes.last().unwrap().state, ProcessState::Traced);
    // A member traces it: strace -f above the server.
    let mut table = Table::new();
    table.add(500, 1, "strace -f node /home/u/notes-mcp/index.js").wire(Wire::Closed);
    table.add(501, 500, "node /home/u/notes-mcp/index.js").wire(Wire::Closed).state('t');
    table.row(501).change(|r| r.details.tracer = Some(Pid(500)));
    assert_eq!(table.ended(&now()), [500, 501]);
}

#[test]
fn a_helper_whose_descriptors_were_not_read_may_be_a_persons_program() {
    let hidden = |table: &mut Table, pid: u32| {
        table
            .row(pid)
            .change(|r| (r.details.stdio, r.details.listening, r.details.connected) = (None, None, None));
    };
    for line in ["/opt/notes/notes", "python3 /home/u/plot.py", "ssh-agent"] {
        let mut table = server_above(line);
        assert_eq!(table.ended(&now()), [500, 501], "{line}: the control");
        hidden(&mut table, 501);
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::Undetermined), "{line}");
        // Nor when the person asks for more than orphans.
        table.row(500).wire(Wire::Null);
        let limits = Limits { max_age: Some(Duration::from_secs(1)), ..Limits::default() };
        let policy = Policy { detached: true, limits, ..now() };
        assert!(table.ended(&policy).is_empty(), "{line}");
        table.add(400, 800, "claude").tty("pts/9");
        table.row(500).wire(Wire::Held(400)).change(|r| r.parent = Pid(400));
        assert_eq!(table.verdict(&policy, 500), Some(Verdict::InUse), "{line}");
    }
    // A socket of a family that cannot be asked for may be one to a display.
    let mut table = server_above("/opt/notes/notes");
    table.row(501).change(|r| r.details.listening = None);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Undetermined));
}

#[test]
fn the_sandboxed_processes_of_an_automated_browser_hide_nothing_of_a_persons() {
    for (line, goes) in [
        ("/opt/google/chrome/chrome --headless=new --user-data-dir=/home/u/p", true),
        ("/opt/google/chrome/chrome --user-data-dir=/home/u/.cache/ms-playwright/mcp-chrome-1", true),
        ("/opt/chrome/chrome-headless-shell --remote-debugging-pipe", true),
        ("/opt/google/chrome/chrome", false),
    ] {
        let mut table = server_above(line);
        table.add(502, 501, "/opt/google/chrome/chrome --type=zygote");
        table.add(503, 502, "/proc/self/exe");
        for pid in [502, 503] {
            table.row(pid).change(|r| (r.details.stdio, r.details.listening) = (None, None));
        }
        assert_eq!(!table.ended(&now()).is_empty(), goes, "{line}");
    }
}
