//! Stops the container of a server. There the process that `exec` becomes is only the engine's client, and the container
//! may outlive it. So `exec` gives the container a label, and the guardian stops exactly the one with that label.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LABEL: &str = "mcp-reap.exec";
/// Seconds after which the engine kills a container that does not stop.
const STOP_SECONDS: &str = "10";
/// How long an engine may take to answer; longer than [`STOP_SECONDS`].
const ENGINE_TIMEOUT: Duration = Duration::from_secs(15);
const ENGINES: [&str; 3] = ["docker", "podman", "nerdctl"];
/// Variables that select an engine, which may be on another machine.
const ENGINE_VARIABLES: [&str; 4] =
    ["DOCKER_HOST", "CONTAINER_HOST", "DOCKER_CONTEXT", "CONTAINER_CONNECTION"];

/// The engine with which a command runs a container, as it was typed; `None` for any other command.
///
/// `None` also where options before `run` may select another engine than the one that a guardian would ask, and where
/// `-d` shows that the container is meant to stay.
pub fn engine(command: &[OsString]) -> Option<String> {
    run_options(command, |name| std::env::var(name).ok()).map(|_| command[0].to_string_lossy().into_owned())
}

/// The command with the label added, where it runs a container on this machine's engine.
pub fn labelled(command: &[OsString], id: &str) -> Vec<OsString> {
    let mut command = command.to_vec();
    if let Some(at) = run_options(&command, |name| std::env::var(name).ok()) {
        command.splice(at..at, [OsString::from("--label"), OsString::from(format!("{LABEL}={id}"))]);
    }
    command
}

/// The index at which the options of `run` begin.
fn run_options(command: &[OsString], variable: impl Fn(&str) -> Option<String>) -> Option<usize> {
    let (program, rest) = command.split_first()?;
    let program = program.to_str().filter(|path| path.starts_with('/') || !path.contains('/'))?;
    let name = program.rsplit('/').next()?;
    let run = match rest {
        [run, ..] if run == "run" => 2,
        [container, run, ..] if container == "container" && run == "run" => 3,
        _ => return None,
    };
    let is_remote =
        |name: &&str| variable(name).is_some_and(|place| !place.is_empty() && !place.starts_with("unix:"));
    let detached = command[run..].iter().any(|word| is_detach(word));
    (ENGINES.contains(&name) && !detached && !ENGINE_VARIABLES.iter().any(is_remote)).then_some(run)
}

/// Is it `-d`, `-itd` or `--detach`? It may be an argument of the server, but a wrong yes only leaves the container alone.
fn is_detach(word: &OsStr) -> bool {
    let Some(word) = word.to_str() else { return false };
    let cluster = word.strip_prefix('-').filter(|short| short.bytes().all(|b| b"itdPq".contains(&b)));
    cluster.is_some_and(|short| short.contains('d'))
        || word.starts_with("--detach") && !word.ends_with("=false")
}

/// Stops the container with this label, if one runs. Returns the ids of those that were stopped.
///
/// # Errors
/// When the engine failed or gave no answer, and why.
pub fn stop(engine: &str, id: &str) -> Result<Vec<String>, String> {
    let listed = run(engine, &["ps", "--quiet", "--no-trunc", "--filter", &format!("label={LABEL}={id}")])?;
    let containers: Vec<String> = listed.split_whitespace().map(str::to_owned).collect();
    // A warning in the output is not an id.
    if containers.iter().any(|id| id.len() < 12 || !id.bytes().all(|b| b.is_ascii_hexdigit())) {
        return Err(format!("{engine} ps did not answer with ids"));
    }
    for container in &containers {
        run(engine, &["stop", "-t", STOP_SECONDS, container])?;
    }
    Ok(containers)
}

/// Runs the engine and returns its stdout.
fn run(engine: &str, arguments: &[&str]) -> Result<String, String> {
    let failed = |why: &dyn std::fmt::Display| format!("{engine} {}: {why}", arguments[0]);
    let mut command = Command::new(engine);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let until = Instant::now() + ENGINE_TIMEOUT;
    // The output is read after the end, because its few lines fit into the pipe.
    let status = loop {
        match child.try_wait().map_err(|error| failed(&error))? {
            Some(status) => break status,
            None if Instant::now() < until => std::thread::sleep(Duration::from_millis(20)),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(&"no answer"));
            }
        }
    };
    let mut answer = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        use std::io::Read as _;
        stdout.read_to_string(&mut answer).map_err(|error| failed(&error))?;
    }
    if status.success() { Ok(answer) } else { Err(failed(&status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: &str, environment: &[(&str, &str)]) -> Option<usize> {
        let command: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let variable =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned());
        run_options(&command, variable)
    }

    #[test]
    fn a_container_that_runs_here_and_ends_with_its_client_is_labelled() {
        for (line, at) in [
            ("docker run -i --rm mcp/fetch", 2),
            ("podman run -i --rm img", 2),
            ("nerdctl run -i img", 2),
            ("/usr/local/bin/docker run -it img", 2),
            ("docker container run -i img", 3),
            ("docker run --detach=false img", 2),
        ] {
            assert_eq!(place(line, &[]), Some(at), "{line}");
            assert_eq!(
                place(line, &[("DOCKER_HOST", "unix:///run/d.sock"), ("CONTAINER_HOST", "")]),
                Some(at)
            );
        }
    }

    #[test]
    fn any_other_command_is_left_as_it_is() {
        for line in [
            "docker",
            "docker ps",
            "docker start -i x",
            "docker --context far run -i img",
            "docker run -d img",
            "docker run -itd img",
            "docker run --detach img",
            "npx run",
            "./docker run -i img",
            "dockers run -i img",
        ] {
            assert_eq!(place(line, &[]), None, "{line}");
        }
        for far in ["tcp://10.0.0.1:2375", "ssh://host"] {
            assert_eq!(place("docker run -i img", &[("DOCKER_HOST", far)]), None, "{far}");
        }
        assert_eq!(place("podman run -i img", &[("CONTAINER_HOST", "ssh://host")]), None);
        assert_eq!(place("docker run -i img", &[("DOCKER_CONTEXT", "far")]), None);
    }

    #[test]
    fn the_label_stands_before_everything_else_of_the_run() {
        let command: Vec<OsString> = ["true", "run"].map(OsString::from).to_vec();
        assert_eq!(labelled(&command, "x"), command);
    }
}
