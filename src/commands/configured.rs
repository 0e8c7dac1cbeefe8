//! `mcp-reap list --configured`: each configured server with its running instances, and the running
//! instances nobody configures.

use std::collections::BTreeMap;

use super::Session;
use super::look::{self, Judged};
use super::output::{answer, notice};
use crate::catalog::Basis;
use crate::classify::Finding;
use crate::clients::{ConfiguredServer, Transport};
use crate::exit::Exit;
use crate::process::Pid;
use crate::render::configured::{self, ConfigEntry, ConfiguredRow, Stray};
use crate::roles::Roles;

pub(super) fn run(session: &Session) -> anyhow::Result<Exit> {
    let (snapshot, scout, servers) = look::take_by_configurations(session)?;
    let Judged { look, judgement, .. } = look::judge(session, &snapshot, scout);
    // One argv may stand in several files, and a process can be found by one of them only.
    let mut by_argv: BTreeMap<&[String], Vec<Pid>> = BTreeMap::new();
    let mut strays = Vec::new();
    for finding in &judgement.findings {
        match entry_of(finding, &look.roles).and_then(|(client, name)| argv_of(&servers, client, name)) {
            Some(argv) => by_argv.entry(argv).or_default().push(finding.instance.root.pid()),
            None => strays.push(Stray {
                server: finding.instance.server.clone(),
                root: finding.instance.root.pid(),
                verdict: finding.verdict.as_str(),
            }),
        }
    }
    let rows: Vec<ConfiguredRow> = servers.iter().map(|server| row(server, &by_argv)).collect();
    if session.json {
        answer(&configured::json(&rows, &strays))?;
    } else if rows.is_empty() && strays.is_empty() {
        notice("no MCP server is configured, and none is running");
    } else {
        answer(&configured::text(&rows, &strays, session.screen))?;
    }
    Ok(Exit::Fine)
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

fn row(server: &ConfiguredServer, by_argv: &BTreeMap<&[String], Vec<Pid>>) -> ConfiguredRow {
    let (remote, running) = match &server.transport {
        Transport::Remote { host } => (Some(host.clone()), Vec::new()),
        Transport::Stdio { argv } => (None, by_argv.get(argv.as_slice()).cloned().unwrap_or_default()),
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
        running,
    }
}
