//! Queries docker and podman for running containers, through a local socket only and for at most three seconds. It changes
//! nothing.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::DateTime;

use crate::containers::{Container, Containers};
use crate::os::command::{Call, CallError, Output};
use crate::os::home;

/// The limit for all queries of one engine.
const LIMIT: Duration = Duration::from_secs(3);

/// 10,000 containers of 400 bytes.
const LARGEST: usize = 4 << 20;

/// The template for one line a container. Both programs use this template language.
const ROW: &str = "{{.ID}}\t{{.Image}}\t{{.Names}}\t{{.CreatedAt}}";

/// The template for whether stdin is open, which `docker ps` does not show.
const STDIN: &str = "{{.Id}}\t{{.Config.OpenStdin}}";

/// An engine, and the variable that names another place than the local socket.
struct Engine {
    name: &'static str,
    host: &'static str,
}

const ENGINES: [Engine; 2] =
    [Engine { name: "docker", host: "DOCKER_HOST" }, Engine { name: "podman", host: "CONTAINER_HOST" }];

/// All containers that run on this machine. If there is no engine, that is reported as a trouble, because the person asked
/// for containers.
pub(crate) fn containers() -> Containers {
    let deadline = Instant::now() + LIMIT;
    let mut answer = Containers::default();
    let mut found = false;
    for engine in &ENGINES {
        let Some(program) = program(engine.name, &home::search_path()) else { continue };
        found = true;
        let host = std::env::var(engine.host).unwrap_or_default();
        match engine.ask(&program, &host, deadline) {
            Ok(containers) => {
                // `docker` may be podman, so containers may be listed twice.
                let new = |one: &Container| answer.containers.iter().all(|other| other.id != one.id);
                let new: Vec<Container> = containers.into_iter().filter(new).collect();
                answer.containers.extend(new);
            }
            Err(trouble) => answer.troubles.push(trouble),
        }
    }
    if !found {
        answer.troubles.push("there is neither docker nor podman in PATH".to_owned());
    }
    answer
}

impl Engine {
    fn ask(&self, program: &Path, host: &str, deadline: Instant) -> Result<Vec<Container>, String> {
        if !host.is_empty() && !host.starts_with("unix://") {
            return Err(format!(
                "{} was not asked: {} is {}, which is no local socket",
                self.name,
                self.host,
                without_user(host)
            ));
        }
        let variable = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
        let mut environment: Vec<(String, String)> =
            ["HOME", "XDG_RUNTIME_DIR"].into_iter().filter_map(variable).collect();
        // The socket is always given. Otherwise docker's current context would decide, which may be another machine.
        let host = if host.is_empty() { self.usual_socket() } else { Some(host.to_owned()) };
        environment.extend(host.map(|host| (self.host.to_owned(), host)));
        let call = |args: &[&str]| -> Result<Output, CallError> {
            let limit = deadline.saturating_duration_since(Instant::now());
            let program = program.to_string_lossy();
            Call { program: &program, args, environment: &environment, limit, largest: LARGEST }.run()
        };
        let no_answer = |why: &str| format!("{} gave no answer: {why}", self.name);
        let listed = call(&["ps", "--no-trunc", "--format", ROW]).map_err(|error| match error {
            CallError::Silent(_) => format!("{} gave no answer within three seconds", self.name),
            other => no_answer(&other.to_string()),
        })?;
        if !listed.is_success() {
            return Err(no_answer(&listed.complaint()));
        }
        let mut containers: Vec<Container> =
            listed.stdout.lines().filter_map(|line| row(self.name, line)).collect();
        let ids: Vec<String> = containers.iter().map(|container| container.id.clone()).collect();
        let mut inspect = vec!["inspect", "--format", STDIN];
        inspect.extend(ids.iter().map(String::as_str));
        // A value that is missing in the answer stays unknown.
        if let Some(printed) = (!ids.is_empty()).then(|| call(&inspect)).and_then(Result::ok) {
            for container in &mut containers {
                container.interactive = interactive(&printed.stdout, &container.id);
            }
        }
        Ok(containers)
    }

    /// Where the engine's local socket lies; podman needs none.
    fn usual_socket(&self) -> Option<String> {
        if self.name != "docker" {
            return None;
        }
        let home = home::current();
        let below_home = [".docker/run/docker.sock", ".docker/desktop/docker.sock"];
        let runtime = home::folder("XDG_RUNTIME_DIR").map(|folder| folder.join("docker.sock"));
        let in_home = home.iter().flat_map(|home| below_home.iter().map(|path| home.join(path)));
        let mut places = runtime.into_iter().chain(in_home);
        let socket = places.find(|path| path.exists());
        let socket = socket.unwrap_or_else(|| PathBuf::from("/var/run/docker.sock"));
        Some(format!("unix://{}", socket.display()))
    }
}

/// The first program of this name in these folders.
fn program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let executable = |path: &PathBuf| {
        path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    folders.iter().map(|folder| folder.join(name)).find(executable)
}

/// One line of the answer.
fn row(engine: &str, line: &str) -> Option<Container> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [id, image, name, created] = fields.as_slice() else { return None };
    (!id.is_empty()).then(|| Container {
        engine: engine.to_owned(),
        id: (*id).to_owned(),
        image: (*image).to_owned(),
        name: (*name).to_owned(),
        created: moment(created),
        interactive: None,
    })
}

/// `2026-11-20 14:00:00 +0100 CET`; podman has parts of a second as well.
fn moment(text: &str) -> Option<f64> {
    let words: Vec<&str> = text.split_whitespace().take(3).collect();
    let at = DateTime::parse_from_str(&words.join(" "), "%Y-%m-%d %H:%M:%S%.f %z").ok()?;
    Some(at.timestamp_millis() as f64 / 1e3)
}

fn interactive(printed: &str, id: &str) -> Option<bool> {
    let of = |line: &str| line.split_once('\t').filter(|(of, _)| *of == id).map(|(_, is)| is.trim().parse());
    printed.lines().find_map(of)?.ok()
}

/// An address without its user, because `ssh://me@host` may contain a password.
fn without_user(host: &str) -> String {
    match (host.split_once("://"), host.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_both_engines_are_read() {
        let docker = "4f5a\tmcp/fetch\tkind_euler\t2026-11-20 15:00:00 +0100 CET";
        let podman = "4f5a\tdocker.io/mcp/fetch:latest\tkind_euler\t2026-11-20 14:00:00.25 +0000 UTC";
        let created = |line| row("docker", line).and_then(|container| container.created);
        assert_eq!((created(docker), created(podman)), (Some(1_795_183_200.0), Some(1_795_183_200.25)));
        let unknown = row("docker", "4f5a\tmcp/fetch\tx\tyesterday");
        assert_eq!(
            unknown.map(|container| (container.image, container.created)),
            Some(("mcp/fetch".into(), None))
        );
        for line in ["", "\t\t\t", "only words", "a\tb\tc", "a\tb\tc\td\te"] {
            assert_eq!(row("docker", line), None, "{line:?}");
        }
    }

    #[test]
    fn an_open_stdin_is_known_only_where_the_engine_tells_of_this_container() {
        let printed = "4f5a\ttrue\n77aa\tfalse\nodd\tperhaps\n";
        let of = |id| interactive(printed, id);
        assert_eq!([of("4f5a"), of("77aa"), of("odd"), of("4f")], [Some(true), Some(false), None, None]);
    }

    #[test]
    fn another_machine_is_not_asked_and_its_password_is_not_shown() {
        let docker = &ENGINES[0];
        for (host, shown) in [
            ("ssh://me:secret@build.example", "ssh://build.example"),
            ("tcp://10.0.0.7:2375", "tcp://10.0.0.7:2375"),
        ] {
            let refused = docker.ask(Path::new("/nonexistent"), host, Instant::now() + LIMIT);
            let expected = format!("docker was not asked: DOCKER_HOST is {shown}, which is no local socket");
            assert_eq!(refused, Err(expected));
        }
    }
}
