//! The whole program over machines of the model: what people would read. Every output below `tests/mac_model/output` was
//! read and judged by hand; `BLESS=1` writes them anew.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::Machine;
use crate::scenes::{CLAUDE, MEMORY_LINE, NODE, Style, claude, desktop, look, npx};
use crate::world::{File, World};

/// Runs the program over the machine as `mcp-reap record` would have written it, and compares with what was reviewed.
fn shows(name: &str, world: World, explained: &[u32]) {
    let snapshot = look(&Machine::of(world)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mac.json"), serde_json::to_vec(&snapshot).unwrap()).unwrap();
    let mut shown = String::new();
    let mut runs: Vec<Vec<String>> = vec![vec!["list".into()], vec!["--dry-run".into()]];
    runs.extend(explained.iter().map(|pid| vec!["explain".into(), pid.to_string()]));
    for words in runs {
        let output = Command::new(env!("CARGO_BIN_EXE_mcp-reap"))
            .env("LC_ALL", "C.UTF-8")
            .args(&words)
            .args(["--snapshot", "mac.json"])
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .output()
            .unwrap();
        assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
        let (answer, notes) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        shown += &format!("$ mcp-reap {}\n{answer}{notes}\n", words.join(" "));
    }
    let path: PathBuf =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mac_model/output").join(format!("{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &shown).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(shown == reviewed, "{name}: the output is not the one that was reviewed:\n{shown}");
}

/// An app of a bundle, with one of its helpers.
fn bundle(world: &mut World, app: &str, label: &str, helper: &str) -> (u32, u32) {
    let path = format!("/Applications/{app}.app/Contents/MacOS/{app}");
    let main = world.app(&path, label);
    let helper =
        world.spawn(main, &[&format!("/Applications/{app}.app/Contents/{helper}"), "--type=utility"]);
    world.stand_on_null(helper);
    (main, helper)
}

#[test]
fn claude_desktop_starts_its_servers_below_a_disclaimer() {
    let mut world = desktop();
    let disclaimer = "/Applications/Claude.app/Contents/Helpers/disclaimer";
    let mut started = Vec::new();
    for killed in [true, false] {
        let app =
            world.app("/Applications/Claude.app/Contents/MacOS/Claude", "com.anthropic.claudefordesktop");
        let above = world.serve(
            app,
            Style::Sockets,
            &[disclaimer, NODE, "/Users/kim/x/node_modules/.bin/mcp-server-filesystem"],
        );
        let server =
            world.under(above, &[NODE, "/Users/kim/x/node_modules/.bin/mcp-server-filesystem", "/Users/kim"]);
        started.push(server);
        if killed {
            world.exit(app);
        }
    }
    world.later_on();
    shows("claude-desktop", world, &started);
}

#[test]
fn claude_code_in_a_terminal_and_over_ssh() {
    let mut world = desktop();
    let (_, window) = claude(&mut world, 1);
    let lives = npx(&mut world, window, Style::Sockets, "@upstash/context7-mcp");
    let (_, closed) = claude(&mut world, 2);
    let left = npx(&mut world, closed, Style::Sockets, "@upstash/context7-mcp");
    world.exit(closed);
    let listener = world.spawn(1, &["/usr/sbin/sshd-session"]);
    world.body(listener).uid = 0;
    let sshd = world.spawn(listener, &["sshd-session: kim@ttys007"]);
    world.body(sshd).uid = 501;
    let shell = world.window(sshd, 7);
    let claude = world.under(shell, &[CLAUDE, "--continue"]);
    let remote = world.serve(claude, Style::Pipes, &["/opt/homebrew/bin/uvx", "mcp-server-fetch"]);
    let python = world.under(
        remote,
        &[
            "/Users/kim/.cache/uv/archive-v0/x/bin/python",
            "/Users/kim/.cache/uv/archive-v0/x/bin/mcp-server-fetch",
        ],
    );
    world.later_on();
    shows("claude-code", world, &[lives[2], left[2], python]);
}

#[test]
fn editors_start_servers_from_a_helper_of_theirs() {
    let mut world = desktop();
    let plugin =
        |app: &str| format!("Frameworks/{app} Helper (Plugin).app/Contents/MacOS/{app} Helper (Plugin)");
    let (_, cursor) = bundle(&mut world, "Cursor", "com.todesktop.230313mzl4w4u92", &plugin("Cursor"));
    let cursors = npx(&mut world, cursor, Style::Sockets, "@playwright/mcp");
    let (main, code) = bundle(
        &mut world,
        "Visual Studio Code",
        "com.microsoft.VSCode",
        "Frameworks/Code Helper (Plugin).app/Contents/MacOS/Code Helper (Plugin)",
    );
    let codes = world.serve(code, Style::Sockets, &[NODE, "/Users/kim/node_modules/.bin/mcp-server-memory"]);
    let (_, dead) = bundle(&mut world, "Cursor", "com.todesktop.230313mzl4w4u92", &plugin("Cursor"));
    let left = npx(&mut world, dead, Style::Sockets, "@playwright/mcp");
    world.exit(dead);
    let _ = main;
    world.later_on();
    shows("editors", world, &[cursors[2], codes, left[0]]);
}

#[test]
fn launchds_own_agents_and_what_brew_and_rosetta_run() {
    let mut world = desktop();
    let agent = world.agent("org.example.mcp-gateway", &["/opt/homebrew/opt/node/bin/node", MEMORY_LINE[1]]);
    let socket = world.file(File::Tcp { local: 8931, remote: 0, listens: true });
    world.keep(agent, socket);
    let brew = world.agent("homebrew.mxcl.mcp-server-git", &["/opt/homebrew/bin/mcp-server-git"]);
    world.body(brew).path = "/opt/homebrew/Cellar/mcp-server-git/1.0/bin/mcp-server-git".to_owned();
    let (_, client) = claude(&mut world, 1);
    let native = npx(&mut world, client, Style::Sockets, "@modelcontextprotocol/server-memory");
    // An x86-64 node below /usr/local, run by Rosetta: the kernel names it as if it ran by itself.
    let rosetta = world.serve(
        client,
        Style::Sockets,
        &[
            "/usr/local/bin/node",
            "/usr/local/lib/node_modules/@modelcontextprotocol/server-everything/dist/index.js",
        ],
    );
    world.body(rosetta).path = "/usr/local/Cellar/node/22.0.0/bin/node".to_owned();
    world.exit(client);
    world.later_on();
    shows("agents", world, &[agent, brew, native[0], rosetta]);
}

#[test]
fn a_server_whose_terminal_was_closed() {
    let mut world = desktop();
    let terminal = world.app("/Applications/iTerm.app/Contents/MacOS/iTerm2", "com.googlecode.iterm2");
    let shell = world.window(terminal, 6);
    let tried = world.under(shell, &[NODE, "/Users/kim/node_modules/.bin/mcp-server-memory"]);
    world.body(tried).manners.on_hup = false;
    let client = world.under(shell, &[CLAUDE]);
    let served = world.serve(client, Style::Pipes, &["/Users/kim/.local/bin/mcp-server-git"]);
    world.body(served).manners.on_hup = false;
    world.exit(shell);
    world.later_on();
    shows("closed-terminal", world, &[tried, served]);
}
