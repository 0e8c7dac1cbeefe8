//! `mcp-reap wrap` and what `doctor` says of it, through the real binary, in a home of their own and a PID namespace in
//! which no client runs.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod stable_path;

mod limit;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use limit::Limited as _;
use serde_json::Value;
use tempfile::TempDir;

/// What the scenes have: here it hides the clients that run on the machine.
const PRIVATE: [&str; 6] = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"];

const CODEX: &str =
    "[mcp_servers.db]\ncommand = \"uvx\" # mine\nargs = [\"db\", \"--token\", \"hunter2hunter2\"]\n";

/// A home, and a program in it that stays where it is.
struct Home {
    dir: TempDir,
    program: PathBuf,
}

impl Home {
    fn new() -> Home {
        let dir = stable_path::folder();
        let program = stable_path::install_in(dir.path());
        for folder in [".codex", ".cursor"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join(".codex/config.toml"), CODEX).unwrap();
        Home { dir, program }
    }

    fn codex(&self) -> String {
        fs::read_to_string(self.dir.path().join(".codex/config.toml")).unwrap()
    }

    fn run(&self, command: &str, args: &[&str]) -> Output {
        let mut unshare = Command::new("unshare");
        unshare.args(PRIVATE).args(["sh", "-c", command, "sh"]).arg(&self.program).args(args);
        unshare.env_clear().env("HOME", self.dir.path()).env("PATH", "/usr/bin:/bin");
        unshare.current_dir(self.dir.path()).output_soon()
    }

    /// Runs it, and holds it to its exit code.
    fn output_of(&self, code: i32, args: &[&str]) -> String {
        let output = self.run("exec \"$@\"", args);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}{err}");
        out + &err
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Whether this machine gives us a namespace; said where it does not.
fn has_namespaces() -> bool {
    let given =
        Command::new("unshare").args(PRIVATE).arg("true").output().is_ok_and(|out| out.status.success());
    if !given {
        eprintln!("skipped: no PID namespace here, and the machine's own clients would be in the way");
    }
    given
}

#[test]
fn a_server_is_shown_written_checked_and_restored() {
    if !has_namespaces() {
        return;
    }
    let home = Home::new();
    let program = home.program.display().to_string();
    let shown = home.output_of(0, &["wrap"]);
    assert!(shown.contains("- command: \"uvx\", args: [\"db\", \"--token\", \"<redacted>\"]"), "{shown}");
    assert!(shown.contains("mcp-reap wrap install --client codex --server db"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(home.codex(), CODEX, "shown is not written");

    home.output_of(0, &["wrap", "install", "--client", "codex", "--server", "db"]);
    let wrapped = home.codex();
    assert_eq!(
        wrapped,
        format!(
            "[mcp_servers.db]\ncommand = \"{program}\" # mine\nargs = [\"exec\", \"--\", \"uvx\", \"db\", \"--token\", \"hunter2hunter2\"]\n"
        )
    );
    let found = |line: &str| {
        let all: Value =
            serde_json::from_str(&text(&home.run("exec \"$@\"", &["doctor", "--json"]).stdout)).unwrap();
        let lines = all["looked_at"].as_array().unwrap().clone();
        lines
            .into_iter()
            .find(|one| one["what"] == "exec")
            .map(|one| one[line].to_string())
            .unwrap_or_default()
    };
    assert_eq!(found("state"), "\"fine\"");
    assert!(found("found").contains(&format!("1 configured server through {program}")), "{}", found("found"));
    let configured: Value =
        serde_json::from_str(&home.output_of(0, &["list", "--configured", "--json"])).unwrap();
    assert_eq!(configured["configured"][0]["name"], "db");

    // Without mcp-reap such a server does not start.
    fs::write(
        home.dir.path().join(".cursor/mcp.json"),
        r#"{"mcpServers": {"x": {"command": "/gone/mcp-reap", "args": ["exec", "--", "npx"]}}}"#,
    )
    .unwrap();
    let doctor = home.output_of(1, &["doctor"]);
    assert!(doctor.contains("1 configured server through /gone/mcp-reap"), "{doctor}");
    assert!(doctor.contains("wrap uninstall"), "{doctor}");

    home.output_of(0, &["wrap", "uninstall"]);
    assert_eq!(home.codex(), CODEX);
    assert_eq!(
        fs::read_to_string(home.dir.path().join(".cursor/mcp.json")).unwrap(),
        r#"{"mcpServers": {"x": {"command": "npx"}}}"#
    );
    assert_eq!(found("state"), "", "nothing is left to say");
}

#[test]
fn an_entry_never_names_what_a_runner_has_in_its_cache() {
    if !has_namespaces() {
        return;
    }
    let mut home = Home::new();
    let cached =
        home.dir.path().join(".npm/_npx/0b5a6b8f2c3d4e5f/node_modules/@mcp-reap/linux-x64/bin/mcp-reap");
    fs::create_dir_all(cached.parent().unwrap()).unwrap();
    fs::rename(&home.program, &cached).unwrap();
    home.program = cached;
    let said = home.output_of(2, &["wrap", "install", "--client", "codex", "--server", "db"]);
    assert!(said.contains("the cache of npx") && said.contains("npm install --global mcp-reap"), "{said}");
    assert_eq!(home.codex(), CODEX);
}

#[test]
fn while_its_client_runs_a_file_is_left_alone() {
    if !has_namespaces() {
        return;
    }
    let home = Home::new();
    // It is known by the name in argv, which the shell in between has not before its exec.
    let client = "bash -c 'exec -a codex sleep 60' & \
        tries=0; until grep -q ^codex /proc/$!/cmdline || [ $((tries += 1)) = 500 ]; do sleep 0.02; done; \
        exec \"$@\"";
    let output = home.run(client, &["wrap", "install", "--client", "codex", "--server", "db"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.starts_with("mcp-reap: codex, db: left as it is: codex runs (pid "), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(home.codex(), CODEX);
}

#[test]
fn the_last_server_without_its_guardian_is_told() {
    let home = Home::new();
    let state = home.dir.path().join(".local/state/mcp-reap");
    fs::create_dir_all(&state).unwrap();
    fs::write(
        state.join("exec-unguarded.json"),
        r#"{"at":"2026-11-20T10:00:00Z","why":"could not poll: EPERM"}"#,
    )
    .unwrap();
    let doctor = text(
        &Command::new(&home.program)
            .args(["doctor", "--json"])
            .env_clear()
            .env("HOME", home.dir.path())
            .env("PATH", "/usr/bin:/bin")
            .current_dir(home.dir.path())
            .output_soon()
            .stdout,
    );
    assert!(
        doctor.contains("the last server that ran without its guardian: could not poll: EPERM"),
        "{doctor}"
    );
}
