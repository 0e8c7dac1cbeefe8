//! `mcp-reap list --configured`: each configured server with its running instances, and the running instances that no
//! configuration names.

use super::Session;
use super::look::{self, JudgedLook};
use super::output::{answer, notice};
use crate::catalog::Basis;
use crate::classify::Finding;
use crate::clients::{ConfiguredServer, Transport};
use crate::render::configured::{self, ConfigEntry, ConfiguredRow, Running, Stray};
use crate::roles::Roles;

/// A running instance that was found by a configured argv.
struct Found<'a> {
    argv: &'a [String],
    running: Running,
    client: Option<&'a str>,
}

pub(super) fn run(session: &Session) -> anyhow::Result<()> {
    let (snapshot, scout, servers) = look::take_by_configurations(session)?;
    let JudgedLook { look, judgement, .. } = look::judge(session, &snapshot, scout);
    let (mut found, mut strays) = (Vec::new(), Vec::new());
    for finding in &judgement.findings {
        let (root, verdict) = (finding.instance.root.pid(), finding.verdict.as_str());
        match entry_of(finding, &look.roles).and_then(|(client, name)| argv_of(servers, client, name)) {
            Some(argv) => {
                let client = finding.client.as_ref().map(|client| client.name.as_str());
                found.push(Found { argv, running: Running { root, verdict }, client });
            }
            None => strays.push(Stray { server: finding.instance.server.clone(), root, verdict }),
        }
    }
    let rows: Vec<ConfiguredRow> = servers.iter().map(|server| row(server, servers, &found)).collect();
    if session.json {
        answer(&configured::json(&rows, &strays))
    } else if rows.is_empty() && strays.is_empty() {
        notice("no MCP server is configured, and none is running");
        Ok(())
    } else {
        let home = crate::os::home::current().map(|home| home.to_string_lossy().into_owned());
        answer(&configured::text(&rows, &strays, home.as_deref(), session.screen))
    }
}

/// The configured entry by which any member was found.
fn entry_of<'r>(finding: &Finding<'_>, roles: &'r Roles) -> Option<(&'r str, &'r str)> {
    finding.instance.members.iter().find_map(|member| match &roles.get(member.record.pid())?.basis {
        Basis::Configured { client, entry } => Some((client.as_str(), entry.as_str())),
        _ => None,
    })
}

fn argv_of<'s>(servers: &'s [ConfiguredServer], client: &str, name: &str) -> Option<&'s [String]> {
    servers.iter().find_map(|server| match &server.transport {
        Transport::Stdio { argv } if server.client == client && server.entry == name => Some(argv.as_slice()),
        _ => None,
    })
}

fn row(server: &ConfiguredServer, servers: &[ConfiguredServer], found: &[Found<'_>]) -> ConfiguredRow {
    let (remote, instances) = match &server.transport {
        Transport::Remote { host } => (Some(host.clone()), Vec::new()),
        Transport::Stdio { argv } => {
            let with_argv: Vec<&str> = servers.iter().filter(|s| has(s, argv)).map(|s| &*s.client).collect();
            let its =
                |one: &&Found<'_>| one.argv == argv && is_credited(&server.client, &with_argv, one.client);
            (None, found.iter().filter(its).map(|one| one.running.clone()).collect())
        }
    };
    ConfiguredRow {
        entry: ConfigEntry {
            client: server.client.clone(),
            scope: server.scope.as_str(),
            name: server.entry.clone(),
            file: server.file.display().to_string(),
        },
        remote,
        disabled: server.disabled,
        running: instances.iter().map(|instance: &Running| instance.root).collect(),
        instances,
    }
}

fn has(server: &ConfiguredServer, wanted: &[String]) -> bool {
    matches!(&server.transport, Transport::Stdio { argv } if argv == wanted)
}

/// Is an instance counted for the entry of this client? `with_argv` are all clients that have an entry with this
/// command line. The instance belongs to the one that it runs under. If it runs under none of them, or its owner is not
/// known (it is an orphan), it is counted for all of them.
fn is_credited(client: &str, with_argv: &[&str], owner: Option<&str>) -> bool {
    owner.is_none_or(|owner| owner == client || !with_argv.contains(&owner))
}

#[cfg(test)]
mod tests {
    use super::is_credited;

    #[test]
    fn an_instance_is_its_own_clients_and_an_orphan_may_be_anybodys() {
        let both = ["claude-code", "codex"];
        assert!(is_credited("codex", &both, Some("codex")));
        assert!(!is_credited("claude-code", &both, Some("codex")));
        assert!(both.iter().all(|client| is_credited(client, &both, None)));
        // An adapter that starts what another client is configured to start.
        assert!(is_credited("claude-code", &["claude-code"], Some("claude-agent-acp")));
    }
}
