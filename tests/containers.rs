//! Containers that nobody uses, as a fake `docker` in PATH tells of them. Nothing is ended here: the only thing that is
//! ever run beside mcp-reap is that script.

#![allow(clippy::unwrap_used)]

mod limit;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use limit::Limited as _;

/// A person with a `docker` of their own.
struct Home(tempfile::TempDir);

impl Home {
    /// `script` is what the fake does after it wrote down its arguments and where it was sent.
    fn new(script: &str) -> Home {
        let home = Home(tempfile::tempdir().unwrap());
        fs::create_dir(home.path("bin")).unwrap();
        let log = home.path("calls");
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"host=$DOCKER_HOST context=$DOCKER_CONTEXT $*\" >> '{}'\n{script}\n",
            log.display()
        );
        let docker = home.path("bin/docker");
        fs::write(&docker, script).unwrap();
        fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-reap"));
        command.args(args).env_clear().env("HOME", self.0.path()).env("TZ", "UTC");
        // The fake's folder alone: nobody's real engine is asked.
        command.env("PATH", self.path("bin"));
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output_soon()
    }

    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// Two containers of MCP images, one of them a daemon, and one of something else.
const THREE: &str = r#"case "$1" in
ps) printf '4f5a\tmcp/fetch\tkind_euler\t2026-11-20 14:00:00 +0000 UTC\n77aa\tmcp/time\tcalm_noether\t2026-11-20 14:00:00 +0000 UTC\n0b0b\tpostgres:16\tdb\t2026-11-20 14:00:00 +0000 UTC\n';;
inspect) printf '4f5a\ttrue\n77aa\tfalse\n0b0b\tfalse\n';;
*) exit 9;;
esac"#;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_container_whose_client_is_gone_is_shown_and_left_alone() {
    let home = Home::new(THREE);
    let output = home.run(&["list", "--containers"]);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(shown.contains("container without a client: mcp/fetch (kind_euler"), "{shown}");
    assert!(
        shown.contains("it was started for a client that is gone; `docker stop kind_euler` ends it"),
        "{shown}"
    );
    assert!(!shown.contains("calm_noether") && !shown.contains("postgres"), "{shown}");
    let calls = home.calls();
    assert_eq!(calls.len(), 2, "{calls:?}");
    let local = |call: &str| call.starts_with("host=unix:///") && call.contains(" context= ");
    assert!(calls.iter().all(|call| local(call)), "another context may be another machine: {calls:?}");
    assert!(
        calls[0].contains(" ps --no-trunc --format ") && calls[1].contains(" inspect --format "),
        "{calls:?}"
    );
    let json: serde_json::Value =
        serde_json::from_slice(&home.run(&["list", "--containers", "--json"]).stdout).unwrap();
    let containers = json["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1, "{containers:?}");
    assert_eq!(
        (&containers[0]["engine"], &containers[0]["image"], &containers[0]["id"]),
        (&"docker".into(), &"mcp/fetch".into(), &"4f5a".into())
    );
}

#[test]
fn nobody_is_asked_who_was_not_to_be() {
    let home = Home::new(THREE);
    assert!(home.run(&["list"]).status.success());
    home.run(&["check"]);
    home.run(&["--dry-run"]);
    assert_eq!(home.calls(), [""; 0]);
    let json: serde_json::Value = serde_json::from_slice(&home.run(&["list", "--json"]).stdout).unwrap();
    assert!(json.get("containers").is_none());
}

#[test]
fn check_finds_it() {
    let home = Home::new(THREE);
    let output = home.run(&["check", "--containers", "--json", "--max-orphans", "100000"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let of_containers: Vec<_> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["kind"] == "container")
        .collect();
    assert_eq!(of_containers.len(), 1, "{of_containers:?}");
    assert_eq!(of_containers[0]["name"], "kind_euler");
    let shown = text(&home.run(&["check", "--containers", "--max-orphans", "100000"]).stdout);
    let sentence =
        "the docker container kind_euler of mcp/fetch has no client; `docker stop kind_euler` ends it";
    assert!(shown.contains(sentence), "{shown}");
}

#[test]
fn another_machine_is_refused_in_a_clear_line() {
    let home = Home::new(THREE);
    for host in ["ssh://me@build.example", "tcp://10.0.0.7:2375"] {
        let output = home.command(&["list", "--containers"]).env("DOCKER_HOST", host).output_soon();
        assert!(output.status.success(), "{output:?}");
        let told = text(&output.stderr);
        assert!(told.contains("docker was not asked: DOCKER_HOST is "), "{told}");
        assert!(told.contains("which is no local socket"), "{told}");
    }
    assert_eq!(home.calls(), [""; 0]);
    let output =
        home.command(&["list", "--containers"]).env("DOCKER_HOST", "unix:///run/x.sock").output_soon();
    assert!(text(&output.stdout).contains("kind_euler"), "{output:?}");
    assert!(home.calls()[0].starts_with("host=unix:///run/x.sock "), "{:?}", home.calls());
}

#[test]
fn an_engine_that_fails_or_hangs_or_is_not_there_is_said_and_no_more() {
    for (script, told) in [
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "Cannot connect to the Docker daemon"),
        ("exec /bin/sleep 50", "docker gave no answer within three seconds"),
        ("while :; do printf '%04096d' 0; done", "docker gave no answer within three seconds"),
    ] {
        let home = Home::new(script);
        let begun = Instant::now();
        let output = home.run(&["list", "--containers", "--json"]);
        assert!(begun.elapsed() < Duration::from_secs(30), "{script}");
        assert!(output.status.success(), "{output:?}");
        assert!(text(&output.stderr).contains(told), "{script}: {output:?}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["containers"], serde_json::json!([]));
    }
    let home = Home::new("");
    fs::remove_file(home.path("bin/docker")).unwrap();
    let output = home.run(&["list", "--containers"]);
    assert!(text(&output.stderr).contains("there is neither docker nor podman in PATH"), "{output:?}");
}

#[test]
fn what_a_container_is_called_cannot_forge_a_line() {
    let home = Home::new(
        r#"[ "$1" = ps ] && printf '4f5a\tmcp/fetch\tx\033[2J\ty\n4f5b\tmcp/fetch\tz\033[2J\t2026\nrubbish\n'"#,
    );
    let shown = text(&home.run(&["list", "--containers"]).stdout);
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    assert!(shown.contains("z\\x1b[2J"), "{shown:?}");
}
