//! A container is stopped by its label, and only then; a fake engine writes down what it is asked.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::parts::part;
use crate::runner::Scene;
use crate::stage::{Client, Stage, guardians, until};

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        ("containers::the_container_with_the_label_is_stopped".into(), stopped),
        ("containers::one_that_is_gone_is_not".into(), gone),
        ("containers::one_without_the_label_or_far_away_is_left_alone".into(), left_alone),
    ]
}

/// `run` notes its label in a file that stands for the container, and waits; `ps` answers with it; `stop`
/// takes it away.
const ENGINE: &str = r#"#!/bin/sh
echo "$(basename $0) $*" >>"$EXEC_DIR/asked"
case "$1" in
run) echo "$*" | sed -n 's/.*--label \([^ ]*\).*/\1/p' >"$EXEC_DIR/container"; while read line; do :; done; [ -z "$ENDS" ] || rm "$EXEC_DIR/container";;
ps) for word; do case "$word" in label=*) grep -qx "${word#label=}" "$EXEC_DIR/container" 2>/dev/null && echo 0123456789abcdef0123456789abcdef;; esac; done;;
stop) rm "$EXEC_DIR/container";;
esac
exit 0
"#;

fn run(stage: &Stage, engine: &str, words: &[&str], environment: &[(&str, &str)]) -> Client {
    let bin = stage.dir.join("engines");
    fs::create_dir_all(&bin).unwrap();
    for name in ["docker", "podman", "nerdctl"] {
        fs::write(bin.join(name), ENGINE).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut client: Command = part("client");
    client.env("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
    client.envs(environment.iter().copied());
    let line = [&[stage.mcp_reap(), "exec", "--", engine], words].concat();
    let line: Vec<String> = line.into_iter().map(str::to_owned).collect();
    let client = stage.client_with("pipe", &line, 1, client);
    until(10, "the engine was called", || asked(stage).contains("run"));
    client
}

fn asked(stage: &Stage) -> String {
    fs::read_to_string(stage.dir.join("asked")).unwrap_or_default()
}

fn stopped(stage: &Stage) {
    for engine in ["docker", "podman", "nerdctl"] {
        let mut client = run(stage, engine, &["run", "-i", "--rm", "mcp/fetch", "--x"], &[]);
        until(10, "its label is noted", || {
            !fs::read_to_string(stage.dir.join("container")).unwrap_or_default().is_empty()
        });
        let said = asked(stage);
        let run = said.lines().last().unwrap();
        assert!(run.starts_with(&format!("{engine} run --label mcp-reap.exec=p")), "{run}");
        assert!(run.ends_with("-i --rm mcp/fetch --x"), "{run}");
        // The engine's client is killed, as clients do; the container knows nothing of it.
        assert_eq!(client.order("kill-child"), "done");
        until(20, "the container is stopped", || !stage.dir.join("container").exists());
        until(10, "the guardian has left", || guardians().is_empty());
        assert!(asked(stage).contains(&format!("{engine} stop -t 10 0123456789abcdef")));
        fs::remove_file(stage.dir.join("asked")).unwrap();
        let _ = fs::remove_file(stage.dir.join("container"));
    }
}

fn gone(stage: &Stage) {
    let mut client = run(stage, "docker", &["run", "-i", "img"], &[("ENDS", "1")]);
    assert_eq!(client.order("close"), "done");
    until(20, "the guardian has left", || guardians().is_empty());
    assert!(asked(stage).contains("docker ps") && !asked(stage).contains("stop"), "{}", asked(stage));
}

fn left_alone(stage: &Stage) {
    for (words, environment) in [
        (&["run", "-d", "img"][..], &[][..]),
        (&["run", "-i", "img"], &[("DOCKER_HOST", "tcp://127.0.0.1:1")]),
        (&["--context", "far", "run", "img"], &[]),
    ] {
        let mut client = run(stage, "docker", words, environment);
        assert_eq!(client.order("kill-child"), "done");
        assert_eq!(client.order("close"), "done");
        until(20, "the guardian has left", || guardians().is_empty());
        let said = asked(stage);
        assert!(!said.contains("--label") && !said.contains("stop") && !said.contains("ps"), "{said}");
        fs::remove_file(stage.dir.join("asked")).unwrap();
        let _ = fs::remove_file(stage.dir.join("container"));
    }
}
