//! `mcp-reap doctor`: what it can see, what it may do, what is missing and what to do about it.
//!
//! It changes nothing: it makes no folder and sends no signal. It tries the disk with a file that it removes at once.

mod guarded;
mod installed;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::time::Instant;

use super::look::{self, JudgedLook};
use super::output::answer;
use super::{Session, idle_rules};
use crate::audit::{self, Usable, history};
use crate::catalog::Catalog;
use crate::classify::Verdict;
use crate::cli::Global;
use crate::clients;
use crate::config::{self, Surroundings};
use crate::exit::Exit;
use crate::os::home;
use crate::os::machine::Machine;
use crate::policy::{Policy, Retention};
use crate::process::Snapshot;
use crate::render::doctor::{self, DoctorLine, Grade};
use crate::render::figures::{count, elapsed, it_or_them, minute};
use crate::render::style::Screen;
use crate::units::show_size;

pub(super) fn run(global: &Global) -> anyhow::Result<Exit> {
    let mut lines = vec![version(), machine(), configuration(global)];
    // If the configuration has a mistake, everything else is examined with the defaults.
    let session = Session::new(global).or_else(|_| Session::new(&Global::default()));
    let session = session.unwrap_or_else(|_| with_the_defaults(global));
    lines.extend(table(&session));
    lines.push(handles());
    lines.push(state());
    lines.push(last_run());
    lines.extend(configured());
    lines.push(installed::scheduled());
    lines.extend(installed::hooked());
    let broken = lines.iter().any(|line| line.state == Grade::Broken);
    let screen = Screen::of_stdout(global.color);
    answer(&if global.json { doctor::json(&lines) } else { doctor::text(&lines, screen) })?;
    Ok(Exit::fine_if(!broken))
}

/// A session with the default configuration.
fn with_the_defaults(global: &Global) -> Session {
    Session {
        policy: Policy::default(),
        catalog: Catalog::builtin(),
        configurations: OnceCell::new(),
        retention: Retention::default(),
        allow: Vec::new(),
        snapshot: None,
        json: global.json,
        quiet: global.quiet,
        screen: Screen::of_stdout(global.color),
    }
}

fn version() -> DoctorLine {
    let program = std::env::current_exe().map_or_else(|_| "?".to_owned(), |path| path.display().to_string());
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let run = if cfg!(target_os = "macos") { ", tested on a model of macOS, not on a Mac yet" } else { "" };
    DoctorLine::fine("mcp-reap", format!("{} for {os} {arch}, {program}{run}", env!("CARGO_PKG_VERSION")))
}

/// The machine, and the user that mcp-reap runs as.
fn machine() -> DoctorLine {
    let machine = Machine::here();
    let system: Vec<String> = [machine.os, machine.os_version].into_iter().flatten().collect();
    let user = home::user();
    let name = home::name_of_user(user).map(|name| format!("{name} ({user})"));
    let size = |what, bytes: Option<u64>| bytes.map(|bytes| format!("{} {what}", show_size(bytes)));
    let facts = [
        Some(system.join(" ")).filter(|system| !system.is_empty()),
        machine.kernel.map(|kernel| format!("kernel {kernel}")),
        size("memory", machine.memory),
        size("swap", machine.swap.filter(|bytes| *bytes > 0)),
        machine.booted_at.map(|at| format!("booted {}", minute(at))),
        Some(format!("as user {}", name.unwrap_or_else(|| user.to_string()))),
    ];
    DoctorLine::fine("machine", facts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn configuration(global: &Global) -> DoctorLine {
    let path = Surroundings::current().config_path(global.config.as_deref());
    let path = path.map(|path| path.display().to_string()).unwrap_or_default();
    match config::load(global.config.as_deref()) {
        Ok(config::Loaded { origin: Some(_), policy, .. }) => {
            let rules = policy.allow.len();
            DoctorLine::fine("configuration", format!("{path}, {}", count(rules, "allow rule")))
        }
        Ok(_) => DoctorLine::fine("configuration", format!("none at {path}; the defaults are in force")),
        Err(error) => DoctorLine::broken(
            "configuration",
            error.to_string(),
            "nothing is ended until it is put right, neither by a run nor by a guardian of exec; `mcp-reap config check` shows when it is",
        ),
    }
}

/// Takes one snapshot, measures how long that took, and judges it.
fn table(session: &Session) -> Vec<DoctorLine> {
    let began = Instant::now();
    let (snapshot, scout) = match look::take_exactly(session) {
        Ok(taken) => taken,
        Err(error) => {
            let mend = "nothing works without it; on Linux /proc must be mounted";
            return vec![DoctorLine::broken("process table", format!("{error:#}"), mend)];
        }
    };
    let seen = format!("{} in {}", count(snapshot.processes.len(), "process"), elapsed(began.elapsed()));
    let own = snapshot.viewer.uid;
    let shown = if own.0 != 0 && snapshot.processes.iter().all(|record| record.uid == Some(own)) {
        // With hidepid, in a container or in a namespace, owners and clients of other users are not seen.
        let mend = "others are hidden from it (hidepid, or a container): owners among them are not known";
        DoctorLine::note("process table", format!("{seen}, all of this user"), mend)
    } else {
        DoctorLine::fine("process table", seen)
    };
    let mut lines = vec![shown, wires(&snapshot)];
    let judged = look::judge(session, &snapshot, scout);
    lines.extend(idle_rules::of_the_file(session, &judged));
    lines.push(running(&judged));
    lines
}

fn running(judged: &JudgedLook<'_>) -> DoctorLine {
    let JudgedLook { judgement, plan, .. } = judged;
    let instances = count(judgement.findings.len(), "instance");
    let mut found = format!("{instances} under {}", count(judgement.clients.len(), "client"));
    if !plan.targets.is_empty() {
        found.push_str(&format!(", {} to end", plan.targets.len()));
    }
    match judgement.findings.iter().filter(|f| f.verdict == Verdict::Undetermined).count() {
        0 => DoctorLine::fine("running now", found),
        n => DoctorLine::note(
            "running now",
            format!("{found}; {n} undetermined: whether anybody uses {} is not known", it_or_them(n)),
            "left alone; `mcp-reap list --verdict undetermined` shows which, `mcp-reap explain PID` why",
        ),
    }
}

/// Of how many pipes and sockets the other ends were found.
fn wires(snapshot: &Snapshot) -> DoctorLine {
    let own = snapshot.processes.iter().filter(|record| record.uid == Some(snapshot.viewer.uid));
    let stdio = own.filter_map(|record| record.details.stdio.as_ref());
    let wires: Vec<_> = stdio.filter(|stdio| stdio.is_wire()).collect();
    let known = wires.iter().filter(|stdio| stdio.stdin_peers.is_some()).count();
    let found = format!("{known} of {} that mattered could be followed", count(wires.len(), "wire"));
    match wires.len() - known {
        0 if wires.is_empty() => DoctorLine::fine("pipes and sockets", "no server is on any now"),
        0 => DoctorLine::fine("pipes and sockets", found),
        _ => DoctorLine::note(
            "pipes and sockets",
            found,
            "what cannot be followed is left alone; an other end in another namespace (a container) is the usual reason",
        ),
    }
}

/// Whether a process can be held while it is signalled.
#[cfg(target_os = "linux")]
fn handles() -> DoctorLine {
    use rustix::process::{PidfdFlags, getpid, pidfd_open};
    match pidfd_open(getpid(), PidfdFlags::empty()) {
        Ok(_) => DoctorLine::fine("pidfd", "processes can be held while they are signalled"),
        Err(error) => DoctorLine::broken(
            "pidfd",
            format!("failed to open one: {error}"),
            "nothing can be ended: Linux 5.3 or newer is needed, and a sandbox that allows pidfd_open",
        ),
    }
}

#[cfg(not(target_os = "linux"))]
fn handles() -> DoctorLine {
    DoctorLine::fine("signals", "start time and arguments are compared just before each")
}

/// Whether the audit log can be kept; without it nothing is ended.
fn state() -> DoctorLine {
    let folder = match config::state_dir() {
        Ok(folder) => folder,
        Err(error) => {
            return DoctorLine::broken("audit log", error.to_string(), "set $HOME or $XDG_STATE_HOME");
        }
    };
    let shown = folder.display();
    match audit::usable(&folder) {
        Ok(Usable::Ready) => DoctorLine::fine("audit log", format!("{shown} can be written")),
        Ok(Usable::ToBeMade) => {
            DoctorLine::fine("audit log", format!("{shown} will be made by the first run"))
        }
        Err(error) => DoctorLine::broken(
            "audit log",
            error.to_string(),
            "without an audit log nothing is ended: put that right, or set $XDG_STATE_HOME to another folder",
        ),
    }
}

fn last_run() -> DoctorLine {
    let runs = || anyhow::Ok(history::runs(&config::state_dir()?, None)?.0);
    match runs().as_deref() {
        Ok([.., run]) => {
            let ended = count(run.processes_ended as usize, "process");
            DoctorLine::fine("last run", format!("{}, {ended} ended", minute(run.at)))
        }
        Ok([]) => DoctorLine::fine("last run", "none yet"),
        Err(error) => DoctorLine::broken("last run", format!("{error:#}"), "the audit log must be readable"),
    }
}

/// The clients whose configurations were found, and what could not be read of them.
fn configured() -> Vec<DoctorLine> {
    let Some(places) = clients::Places::from_env() else {
        return vec![DoctorLine::note("clients", "no home directory, so no configurations", "set $HOME")];
    };
    let found = clients::read(&places);
    let mut servers: BTreeMap<&str, usize> = BTreeMap::new();
    for server in &found.servers {
        *servers.entry(&server.client).or_default() += 1;
    }
    let each = servers.iter().map(|(client, n)| format!("{client} ({})", count(*n, "server")));
    let each = match each.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "no configuration names a server".to_owned(),
        each => each,
    };
    let mut lines = vec![DoctorLine::fine("clients", each)];
    let mend = "its servers are known by their names only, if at all";
    lines.extend(found.warnings.iter().map(|warning| DoctorLine::note("clients", warning.to_string(), mend)));
    lines.extend(guarded::lines(&found));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::classify::{self, Scout};
    use crate::plan::Plan;
    use crate::policy::Policy;

    #[test]
    fn of_what_is_undetermined_it_is_said_what_is_not_known_and_not_that_it_was_not_read() {
        let table = include_bytes!("../../tests/cli/tables/mac.json");
        let snapshot = Snapshot::from_json(table).expect("a recorded table");
        let (catalog, policy) = (Catalog::builtin(), Policy::default());
        let look = Scout::new(&catalog).into_look(&snapshot);
        let judgement = classify::judge(&look, &policy);
        let plan = Plan::of_unused(&judgement, &look, &policy);
        let line = running(&JudgedLook { look, judgement, plan });
        let said =
            "9 instances under 2 clients, 4 to end; 2 undetermined: whether anybody uses them is not known";
        assert_eq!(line.found, said);
    }
}
