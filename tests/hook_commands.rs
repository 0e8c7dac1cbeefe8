//! `mcp-reap hook` and `mcp-reap schedule` through the real binary, in a home of their own. What a call of
//! the hook does to processes is a matter of the end-to-end scenes.
#![allow(clippy::unwrap_used)]

mod stable_path;

mod limit;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use limit::Limited as _;
use serde_json::Value;
use tempfile::TempDir;

/// A home, and a program in it that stays where it is.
struct Home {
    dir: TempDir,
    program: PathBuf,
}

impl Home {
    fn new() -> Home {
        let dir = stable_path::folder();
        let program = stable_path::install_in(dir.path());
        Home { dir, program }
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command.env_clear().env("HOME", self.dir.path()).env("PATH", "/usr/bin:/bin");
        command.current_dir(self.dir.path()).args(args).output_soon()
    }

    /// Runs it, and holds it to its exit code.
    fn output_of(&self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}{err}");
        out + &err
    }

    fn settings(&self) -> PathBuf {
        self.dir.path().join(".claude/settings.json")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn install_status_and_uninstall_leave_the_settings_as_they_were() {
    let home = Home::new();
    let before = "{\n  \"model\": \"opus\"\n}\n";
    fs::create_dir(home.dir.path().join(".claude")).unwrap();
    fs::write(home.settings(), before).unwrap();
    assert!(home.output_of(1, &["hook", "status"]).contains("SessionEnd: not installed"));
    assert!(home.output_of(0, &["hook", "install"]).contains("SessionEnd: added"));
    let installed = fs::read_to_string(home.settings()).unwrap();
    let settings: Value = serde_json::from_str(&installed).unwrap();
    for event in ["SessionEnd", "SessionStart"] {
        let entry = &settings["hooks"][event][0]["hooks"][0];
        assert_eq!(entry["command"], home.program.to_str().unwrap());
        assert_eq!(entry["args"], serde_json::json!(["hook", "run"]));
    }
    assert!(home.output_of(0, &["hook", "status"]).contains("SessionStart: installed"));
    assert!(home.output_of(0, &["hook", "install"]).contains("already installed"));
    assert_eq!(fs::read_to_string(home.settings()).unwrap(), installed);
    assert!(home.output_of(0, &["hook", "uninstall"]).contains("SessionStart: removed"));
    assert_eq!(fs::read_to_string(home.settings()).unwrap(), before);
    assert!(home.output_of(0, &["hook", "uninstall"]).contains("nothing changed"));
}

#[test]
fn a_projects_hooks_are_not_the_persons() {
    let home = Home::new();
    let project = home.dir.path().join("project");
    fs::create_dir(&project).unwrap();
    let mut command = Command::new(&home.program);
    command.env_clear().env("HOME", home.dir.path()).current_dir(&project);
    let output = command.args(["hook", "install", "--scope", "project", "--json"]).output_soon();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["schema"], &answer["changed"]), (&1.into(), &true.into()));
    assert!(project.join(".claude/settings.json").exists());
    assert!(!home.settings().exists());
    let status: Value = serde_json::from_str(&home.output_of(1, &["hook", "status", "--json"])).unwrap();
    assert_eq!(status["fine"], false);
    assert!(home.output_of(2, &["hook", "status", "--scope", "everybody"]).contains("everybody"));
}

#[test]
fn settings_that_are_none_stay_as_they_are() {
    let home = Home::new();
    fs::create_dir(home.dir.path().join(".claude")).unwrap();
    fs::write(home.settings(), "{ // mine\n}").unwrap();
    let message = home.output_of(2, &["hook", "install"]);
    assert!(message.contains("not valid JSON at line 1, column 3"), "{message}");
    assert_eq!(fs::read_to_string(home.settings()).unwrap(), "{ // mine\n}");
}

#[test]
fn a_program_that_will_be_gone_is_refused_unless_forced() {
    let home = Home::new();
    let in_folder = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-reap"));
        command.env_clear().env("HOME", home.dir.path()).args(args).output_soon()
    };
    let refused = in_folder(&["hook", "install"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("build folder"), "{}", text(&refused.stderr));
    assert!(!home.settings().exists());
    assert_eq!(in_folder(&["hook", "install", "--force"]).status.code(), Some(0));
    assert!(home.settings().exists());
}

#[test]
fn from_a_runners_cache_nothing_is_installed_and_the_way_to_install_for_good_is_told() {
    for (program, cache, way) in [
        (
            ".npm/_npx/0b5a6b8f2c3d4e5f/node_modules/@mcp-reap/linux-x64/bin/mcp-reap",
            "the cache of npx",
            "`npm install --global mcp-reap`",
        ),
        (
            ".cache/uv/archive-v0/KjQ2h3XnVb8m1Z0aPq4sT/bin/mcp-reap",
            "the cache of uvx",
            "`uv tool install mcp-reap`",
        ),
    ] {
        let mut home = Home::new();
        let cached = home.dir.path().join(program);
        fs::create_dir_all(cached.parent().unwrap()).unwrap();
        fs::rename(&home.program, &cached).unwrap();
        home.program = cached;
        let mut refusals = BTreeSet::new();
        for command in ["hook", "schedule"] {
            let said = home.output_of(2, &[command, "install"]);
            assert!(
                said.contains(cache) && said.contains(way) && said.contains("--force"),
                "{command}: {said}"
            );
            refusals.insert(said);
        }
        assert_eq!(refusals.len(), 1, "one thing in one wording: {refusals:?}");
        assert!(!home.settings().exists() && !home.dir.path().join(".config").exists());
    }
}

#[test]
fn where_uv_installs_for_good_a_hook_names_it() {
    let mut home = Home::new();
    let tool = home.dir.path().join(".local/share/uv/tools/mcp-reap/bin/mcp-reap");
    fs::create_dir_all(tool.parent().unwrap()).unwrap();
    fs::rename(&home.program, &tool).unwrap();
    home.program = tool;
    home.output_of(0, &["hook", "install"]);
    assert!(fs::read_to_string(home.settings()).unwrap().contains("/uv/tools/mcp-reap/bin/mcp-reap"));
}

#[test]
fn a_name_that_stays_is_refused_if_it_leads_into_a_build_folder() {
    let home = Home::new();
    let bin = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_mcp-reap"), bin.path().join("mcp-reap")).unwrap();
    let install = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-reap"));
        command.env_clear().env("HOME", home.dir.path()).env("PATH", bin.path());
        command.args(["hook", "install"]).args(args).output_soon()
    };
    let refused = install(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("build folder"), "{}", text(&refused.stderr));
    assert!(!home.settings().exists());
    assert_eq!(install(&["--force"]).status.code(), Some(0));
}

#[test]
fn flags_that_would_be_forgotten_are_refused() {
    let home = Home::new();
    for (args, message) in [
        (&["hook", "install", "--min-age", "5s"][..], "--min-age does not go with `hook`"),
        (&["hook", "install", "--config", "x"], "--config does not go with `hook`"),
        (&["hook", "status", "--snapshot", "x"], "--snapshot does not go with `hook`"),
        (&["schedule", "install", "--allow", "x"], "--allow does not go with `schedule`"),
        (&["schedule", "status", "--config", "x"], "--config goes with `schedule install` only"),
        (&["--yes", "hook", "install"], "--yes does not go with `hook`"),
        (&["--dry-run", "schedule", "install"], "--dry-run does not go with `schedule`"),
        (&["schedule", "install", "--daily", "03:00", "--hourly"], "cannot be used with"),
        (&["schedule", "install", "--weekly", "sun@03:00", "--daily", "03:00"], "cannot be used with"),
        (&["schedule", "install", "--daily", "25:00"], "`25:00` is not a time of day"),
        (&["schedule", "install", "--weekly", "someday@03:00"], "`someday` is not a day"),
        (&["schedule", "install", "--hourly", "60"], "`60` is not a minute"),
        (&["schedule"], "Usage"),
        (&["hook"], "Usage"),
    ] {
        let answer = home.output_of(2, args);
        assert!(answer.contains(message), "{args:?}: {answer}");
    }
    assert!(!home.settings().exists() && !home.dir.path().join(".config").exists());
}

/// What `hook run` answers to these bytes on stdin.
fn called_with(home: &Home, input: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(&home.program);
    command.env_clear().env("HOME", home.dir.path()).envs(variables.iter().copied()).args(["hook", "run"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    limit::finish(child)
}

#[test]
fn a_call_without_an_event_says_in_one_line_what_is_wrong_and_what_it_is_for() {
    let home = Home::new();
    for (input, wrong) in [
        ("", "the input ended after 0 bytes, without an event"),
        ("garbage\u{1b}[2J}", "not an event: expected value at line 1 column 1"),
        ("{\"a\": 1}", "not an event: missing field `hook_event_name`"),
    ] {
        let output = called_with(&home, input, &[]);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]), "{input}");
        let said = text(&output.stderr);
        assert!(said.starts_with(&format!("mcp-reap: hook run: {wrong}")), "{said}");
        assert!(said.ends_with("by hand, use `mcp-reap --dry-run`\n") && said.lines().count() == 1, "{said}");
        // Gemini CLI may take stderr for the hook's answer.
        let gemini = called_with(&home, input, &[("GEMINI_PROJECT_DIR", "/srv")]);
        assert_eq!((gemini.status.code(), gemini.stderr.as_slice()), (Some(0), &b""[..]), "{input}");
    }
    // A client's own call is silent, also for an event that is none of ours.
    let event = r#"{"hook_event_name": "SessionEnd", "reason": "clear"}"#;
    for event in [event, r#"{"hook_event_name": "Stop"}"#] {
        let output = called_with(&home, event, &[]);
        assert_eq!((output.status.code(), output.stdout.len(), output.stderr.len()), (Some(0), 0, 0));
    }
}

#[test]
fn a_hook_call_is_never_a_two() {
    let home = Home::new();
    for args in [&["hook", "run", "--oops"][..], &["hook", "run", "x", "y"], &["--json", "hook", "run", "-q"]]
    {
        let output = home.run(args);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]), "{args:?}");
    }
    // Not even where nothing can be written down.
    let mut command = Command::new(&home.program);
    let output = command.env_clear().env("HOME", "/dev/null").args(["hook", "run"]).output_soon();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b""[..]));
    assert!(text(&home.run(&["hook", "run", "--help"]).stdout).contains("Usage"), "for a person");
}
