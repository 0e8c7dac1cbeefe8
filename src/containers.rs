//! Containers of MCP images that nobody uses any more: when a `docker run` is killed, its container goes on. They are
//! shown, never ended: the engine's daemon owns them, and no signal of ours reaches into one.

use std::collections::HashSet;

use serde::Serialize;

use crate::bytes::to_text;
use crate::catalog::{Catalog, Role};
use crate::process::{Pid, ProcessRecord, Snapshot};
use crate::program;

/// A running container, as its engine lists it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Container {
    /// `docker` or `podman`.
    pub engine: String,
    /// Its id.
    pub id: String,
    /// Its image as it was named when it was started.
    pub image: String,
    /// Its name.
    pub name: String,
    /// When it was made, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<f64>,
    /// It was started with an open stdin (`-i`), as a stdio server is. `None` where the engine did not list it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interactive: Option<bool>,
}

/// Containers, and what is missing among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Containers {
    /// Those that engines list, or of these only those of MCP images without a client, the oldest first.
    pub containers: Vec<Container>,
    /// Why an engine was not queried or gave no answer, in sentences.
    pub troubles: Vec<String>,
}

/// The programs that start containers and stay until these have ended.
const ENGINES: [&str; 4] = ["docker", "nerdctl", "podman", "finch"];

/// A container is made after its client started; clocks may differ a little (the engine may run in a virtual machine).
const CLOCKS: f64 = 2.0;

/// The containers of MCP images that have no client: none that runs could have started them. One without an open stdin
/// is a daemon, and has none by intention.
pub(crate) fn without_client<'c>(
    containers: &'c [Container],
    snapshot: &Snapshot,
    catalog: &Catalog,
) -> Vec<&'c Container> {
    let clients: Vec<EngineClient> = snapshot.processes.iter().filter_map(EngineClient::of).collect();
    // A gateway starts containers through the engine's socket, without a client each.
    let gateway = clients.iter().any(|client| client.words.iter().any(|word| word == "mcp"));
    let mut of_mcp: Vec<&Container> = containers
        .iter()
        .filter(|container| container.interactive != Some(false) && is_mcp(&container.image, catalog))
        .filter(|container| !(gateway && container.image.starts_with("mcp/")))
        .collect();
    of_mcp.sort_by(|a, b| a.created.unwrap_or(0.0).total_cmp(&b.created.unwrap_or(0.0)));
    let mut taken: HashSet<Pid> = HashSet::new();
    of_mcp.retain(|container| {
        let may_be =
            |client: &&EngineClient| client.may_have_started(container) && !taken.contains(&client.pid);
        let client = clients.iter().filter(may_be).min_by(|a, b| a.started.total_cmp(&b.started));
        // Where it is not known when the container was made, one client may be that of any.
        taken.extend(client.filter(|_| container.created.is_some()).map(|client| client.pid));
        client.is_none()
    });
    of_mcp
}

/// Does the image of this name hold an MCP server? As the catalog judges `docker run IMAGE`.
fn is_mcp(image: &str, catalog: &Catalog) -> bool {
    let record = ProcessRecord::with_argv(["docker", "run", "-i", image].into());
    let known = catalog.identify(&record);
    known.is_some_and(|known| matches!(known.role, Role::Server | Role::Launcher))
}

/// A running `docker run`, or whatever else an engine's program does for a container.
struct EngineClient {
    pid: Pid,
    started: f64,
    words: Vec<String>,
}

impl EngineClient {
    fn of(record: &ProcessRecord) -> Option<EngineClient> {
        let words: Vec<String> =
            record.argv.as_ref()?.iter().map(|word| to_text(word).into_owned()).collect();
        let is_engine = ENGINES.contains(&program::base(words.first()?));
        let client = EngineClient { pid: record.pid(), started: record.started_at, words };
        (is_engine && !record.is_zombie()).then_some(client)
    }

    /// It names the container or its image, or runs what a compose file names.
    fn may_have_started(&self, container: &Container) -> bool {
        let image = plain(&container.image);
        let names = |word: &String| {
            let word = word.rsplit('=').next().unwrap_or(word);
            word == container.name || plain(word) == image || word == "compose"
        };
        let in_time = container.created.is_none_or(|created| created + CLOCKS >= self.started);
        in_time && self.words.iter().skip(1).any(names)
    }
}

/// An image without what engines add: `docker.io/mcp/fetch:latest` is `mcp/fetch`.
fn plain(image: &str) -> &str {
    let image = image.strip_prefix("docker.io/").unwrap_or(image);
    let image = image.strip_prefix("library/").unwrap_or(image);
    image.strip_suffix(":latest").unwrap_or(image)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::bytes::Argv;
    use crate::process::StartTime;

    fn container(image: &str, name: &str, created: Option<f64>) -> Container {
        Container {
            engine: "docker".to_owned(),
            id: format!("{name}-id"),
            image: image.to_owned(),
            name: name.to_owned(),
            created,
            interactive: None,
        }
    }

    fn snapshot(lines: &[(&str, f64)]) -> Snapshot {
        let mut snapshot = Snapshot::from_json(
            br#"{"schema":1,"os":"linux","taken_at":"2026-11-20T14:00:00Z","viewer":{"pid":9,"uid":1000},"processes":[]}"#,
        )
        .unwrap();
        for (pid, (line, started)) in (100..).zip(lines) {
            let mut record = ProcessRecord::new(Pid(pid), StartTime(u64::from(pid)));
            record.argv = Some(line.split(' ').collect::<Argv>());
            record.started_at = *started;
            snapshot.processes.push(record);
        }
        snapshot
    }

    fn lost(containers: &[Container], lines: &[(&str, f64)]) -> Vec<String> {
        let catalog = Catalog::builtin();
        let found = without_client(containers, &snapshot(lines), &catalog);
        found.into_iter().map(|container| container.name.clone()).collect()
    }

    #[test]
    fn a_container_is_reported_when_no_client_of_it_runs() {
        let fetch = [container("mcp/fetch", "kind_euler", Some(1000.0))];
        assert_eq!(lost(&fetch, &[]), ["kind_euler"]);
        for line in [
            "docker run -i --rm mcp/fetch",
            "/usr/bin/docker run --rm -i docker.io/mcp/fetch:latest",
            "docker start -ai kind_euler",
            "docker run --name=kind_euler -i other/image",
            "docker compose run fetch",
            "docker mcp gateway run",
        ] {
            assert_eq!(lost(&fetch, &[(line, 990.0)]), [""; 0], "{line}");
        }
        for (line, started) in [
            ("docker run -i --rm mcp/time", 990.0),
            ("docker ps", 990.0),
            ("vim mcp/fetch", 990.0),
            ("docker run -i --rm mcp/fetch", 1100.0),
        ] {
            assert_eq!(lost(&fetch, &[(line, started)]), ["kind_euler"], "{line}");
        }
    }

    #[test]
    fn each_client_accounts_for_one_container() {
        let run = "docker run -i --rm mcp/fetch";
        let two = [container("mcp/fetch", "old", Some(1000.0)), container("mcp/fetch", "new", Some(2000.0))];
        assert_eq!(lost(&two, &[(run, 1999.0)]), ["old"]);
        assert_eq!(lost(&two, &[(run, 999.0), (run, 1999.0)]), [""; 0]);
        // Which container the running client belongs to is not known.
        let unknown = [container("mcp/fetch", "a", None), container("mcp/fetch", "b", None)];
        assert_eq!(lost(&unknown, &[(run, 999.0)]), [""; 0]);
        assert_eq!(lost(&unknown, &[]), ["a", "b"]);
    }

    #[test]
    fn what_is_no_mcp_image_and_what_is_a_daemon_is_left_out() {
        assert_eq!(
            lost(&[container("postgres:16", "db", None), container("nginx", "web", None)], &[]),
            [""; 0]
        );
        let daemon = Container { interactive: Some(false), ..container("mcp/fetch", "daemon", None) };
        let server = Container {
            interactive: Some(true),
            ..container("ghcr.io/github/github-mcp-server", "gh", None)
        };
        assert_eq!(lost(&[daemon, server], &[]), ["gh"]);
    }
}
