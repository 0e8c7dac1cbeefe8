//! `mcp-reap explain PID|NAME|:PORT ...`: all evidence for and against what was named.

use std::path::Path;

use anyhow::{Context as _, bail};

use super::Session;
use super::look::{self, JudgedLook};
use super::near::{did_you_mean, near};
use super::output::{answer, answer_in_words};
use crate::bytes::to_text;
use crate::catalog::Role;
use crate::cli::Named;
use crate::look::Look;
use crate::marker::Marker;
use crate::pattern::Pattern;
use crate::process::{Listener, Pid, ProcessRecord};
use crate::program;
use crate::render::explain::Whereabouts;
use crate::render::next::TableSource;
use crate::render::{explain, json};

pub(super) fn run(session: &Session, targets: &[Named]) -> anyhow::Result<()> {
    let (snapshot, scout) = look::take_exactly(session)?;
    let judged = look::judge(session, &snapshot, scout);
    let (look, scene) = (&judged.look, judged.scene());
    let mut records: Vec<&ProcessRecord> = Vec::new();
    for target in targets {
        for record in named(target, &judged, &session.source())? {
            if records.iter().all(|other| other.pid() != record.pid()) {
                records.push(record);
            }
        }
    }
    let here = session.snapshot.is_none();
    let places: Vec<Whereabouts> = records.iter().map(|record| whereabouts(record, look, here)).collect();
    let about = records.iter().zip(&places).map(|(record, place)| {
        let finding = scene.judgement.findings.iter().find(|f| f.instance.contains(record.pid()));
        (*record, place, finding)
    });
    if session.json {
        let explanation = |(record, place, finding)| json::explanation(&scene, record, finding, place);
        return answer(&json::explanations(&about.map(explanation).collect::<Vec<_>>()));
    }
    let text = about.map(|(record, place, finding)| match finding {
        Some(finding) => explain::instance(&scene, finding, record.pid(), place, session.screen),
        None => {
            let (runs, known) = (look.resolution(record), look.roles.get(record.pid()));
            explain::stranger(&scene, record, known, runs.name(), place, session.screen)
        }
    });
    answer_in_words(&text.collect::<Vec<_>>().join("\n"), session.screen)
}

/// The processes that an argument names: the one with a pid, the roots of all instances of a server, or those that
/// listen on a port.
pub(super) fn named<'a>(
    target: &Named,
    judged: &JudgedLook<'a>,
    source: &TableSource,
) -> anyhow::Result<Vec<&'a ProcessRecord>> {
    let JudgedLook { look, judgement, .. } = judged;
    match target {
        Named::Pid(pid) => {
            let missing =
                || format!("there is no process {pid}{}", source.and_call("list", "shows the instances"));
            Ok(vec![look.tree.get(Pid(*pid)).with_context(missing)?])
        }
        Named::Port(port) => {
            let listens = |record: &&ProcessRecord| {
                record.details.listening.as_ref().is_some_and(|on| on.contains(&Listener::Tcp(*port)))
            };
            let found: Vec<_> = look.snapshot.processes.iter().filter(listens).collect();
            if found.is_empty() {
                bail!("no process that has to do with MCP listens on port {port}");
            }
            Ok(found)
        }
        Named::Name(name) => {
            let pattern = Pattern::parse(name).with_context(|| format!("{name} is no pattern"))?;
            let is = |server: &str| server == name || pattern.matches(server);
            let of_name = judgement.findings.iter().filter(|finding| is(&finding.instance.server));
            let found: Vec<_> = of_name.map(|finding| finding.instance.root).collect();
            if found.is_empty() {
                let list = source.and_call("list", "shows the instances");
                let servers = judgement.findings.iter().map(|finding| &*finding.instance.server);
                let meant = did_you_mean(&near(name, servers));
                bail!("no instance of a server named {name} is running{list}{meant}");
            }
            Ok(found)
        }
    }
}

/// The ancestors of a process and its working folder. `here`: it runs on this machine.
fn whereabouts(record: &ProcessRecord, look: &Look<'_>, here: bool) -> Whereabouts {
    let mut line = look.tree.ancestors(record);
    // An init at the top explains nothing, unless it adopted this process.
    while line.len() > 1 && line.last().is_some_and(|top| look.roles.role(top.pid()) == Some(Role::Init)) {
        line.pop();
    }
    let chain = line.into_iter().rev().chain([record]).map(|process| short_name(process, look)).collect();
    let folder = record.details.cwd.as_ref().map(ToString::to_string);
    let repository = folder.as_deref().filter(|_| here).and_then(|folder| repository(Path::new(folder)));
    Whereabouts { chain, folder, repository, marked_by: marked_by(record, here) }
}

/// The process that `mcp-reap exec` became, by the marker in the environment of `record`. A judgement does not read
/// that environment for most processes, so it is read here.
fn marked_by(record: &ProcessRecord, here: bool) -> Option<Pid> {
    let read = || Marker::in_environment(&crate::sys::environment(record.pid())?);
    let marker = Marker::of(record).or_else(|| if here { read() } else { None })?;
    Some(marker.root.pid).filter(|_| marker.root != record.id)
}

/// A short name for a process: that of a client in the catalog, or what a person would call it.
fn short_name(record: &ProcessRecord, look: &Look<'_>) -> String {
    let client = look.roles.get(record.pid()).filter(|known| known.role == Role::Client);
    if let Some(client) = client {
        return format!("{} ({})", client.name, record.pid());
    }
    let argv = record.argv.as_ref();
    let first = argv.and_then(|argv| argv.first()).map(to_text).unwrap_or_default();
    let mut words = first.split(' ');
    let name = program::base(words.next().unwrap_or_default()).trim_start_matches('-').trim_end_matches(':');
    match (name, words.next()) {
        ("", _) => record.comm.to_string(),
        // npm writes its command into its title.
        ("npm", Some(command)) if !command.is_empty() => format!("npm {command}"),
        _ => name.to_owned(),
    }
}

/// The nearest folder upwards with a `.git`, which is a folder, or a file in a worktree. Nothing is opened.
fn repository(folder: &Path) -> Option<String> {
    let found = folder.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok())?;
    Some(found.display().to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_repository_upwards_is_named_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("shop/src/api");
        std::fs::create_dir_all(&deep).unwrap();
        let outside = repository(&deep);
        assert!(outside.is_none_or(|found| !found.contains("shop")));
        std::fs::write(folder.path().join("shop/.git"), "gitdir: elsewhere").unwrap();
        assert_eq!(repository(&deep), Some(folder.path().join("shop").display().to_string()));
        std::fs::create_dir(folder.path().join("shop/src/.git")).unwrap();
        assert_eq!(repository(&deep), Some(folder.path().join("shop/src").display().to_string()));
    }
}
