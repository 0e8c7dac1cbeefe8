//! `mcp-reap -i`: a person chooses from a list what to end.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use anyhow::{Context as _, bail};
use console::{Key, Term};
use nix::sys::signal::Signal;

use super::consent::show;
use super::output::{can_ask, notice};
use super::reap::{self, RunRequest};
use super::stop::{listen, signal_in};
use super::{Session, look, output};
use crate::cli::Cli;
use crate::exit::Exit;
use crate::plan::{Choice, Plan};
use crate::render::pick::{PickList, PickRow};

pub(super) fn run(session: &Session, cli: &Cli) -> anyhow::Result<Exit> {
    if session.snapshot.is_some() {
        bail!(
            "-i chooses what to end, and of a recorded table nothing can be ended; --dry-run instead of -i shows the plan"
        );
    }
    if !can_ask() {
        return without_terminal(session);
    }
    let (snapshot, scout) = look::take(session)?;
    let judged = look::judge(session, &snapshot, scout);
    let scene = judged.scene();
    // The list has all instances that a person may choose, so none that is allowed, managed or never a target.
    let all = judged.judgement.findings.iter().map(|finding| finding.instance.root.id).collect();
    let may = Choice::Chosen { roots: all, in_use: true };
    let choosable = Plan::of(&judged.judgement, &judged.look, &session.policy, &may);
    let list = PickList::new(&scene, &choosable);
    if list.rows.is_empty() {
        return reap::dry_run(session, &Choice::Unused);
    }
    let chosen = if Term::stderr().features().is_attended() && !is_dumb() {
        on_screen(session, list)?
    } else {
        by_numbers(list)?
    };
    let rows = match chosen {
        Chosen::These(rows) if !rows.is_empty() => rows,
        Chosen::Signalled(signal) => return Ok(Exit::Signalled(signal)),
        Chosen::These(_) => {
            notice("nothing was ended");
            return Ok(Exit::Fine);
        }
    };
    // Marking an instance that nobody uses is the yes to end it. For one in use the person is asked again.
    let yes = rows.iter().all(|row| row.unused);
    let roots: HashSet<_> = rows.iter().map(|row| row.root).collect();
    // Without that question, an instance that came into use meanwhile stays.
    let choice = Choice::Chosen { roots, in_use: !yes };
    reap::run(session, &RunRequest { choice, yes, wait: true, by: cli.started_by })
}

/// Prints the plan of an ordinary run, and how to end instances where there is no terminal to choose on.
fn without_terminal(session: &Session) -> anyhow::Result<Exit> {
    let (snapshot, scout) = look::take(session)?;
    let judged = look::judge(session, &snapshot, scout);
    show(session, &judged.scene())?;
    let these = match judged.plan.targets.len() {
        0 => String::new(),
        n => {
            format!("--yes instead of -i ends {} without asking; ", if n == 1 { "this one" } else { "these" })
        }
    };
    notice(&format!(
        "nothing was ended: -i needs a terminal to choose on, and stdin, stdout or stderr is none; {these}\
         `mcp-reap kill PID|NAME --yes` ends what you name"
    ));
    Ok(Exit::Refused)
}

/// What a person did with the list.
enum Chosen {
    These(Vec<PickRow>),
    Signalled(i32),
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

/// Shows the list and reads keys until it is left.
fn on_screen(session: &Session, mut list: PickList) -> anyhow::Result<Chosen> {
    let term = Term::buffered_stderr();
    let stop = Arc::new(AtomicUsize::new(0));
    // A signal that ends the process would leave the terminal without its cursor, so signals are caught. A signal
    // interrupts the wait for a key.
    listen(&stop)?;
    term.hide_cursor().context("failed to write to the terminal")?;
    let chosen = keys(session, &term, &mut list, &stop);
    let _ = term.show_cursor();
    let _ = term.flush();
    chosen
}

fn keys(session: &Session, term: &Term, list: &mut PickList, stop: &AtomicUsize) -> anyhow::Result<Chosen> {
    let mut shown = 0;
    loop {
        let (height, width) = term.size();
        let lines = list.lines(session.screen, usize::from(height), usize::from(width));
        let draw = || {
            term.clear_last_lines(shown)?;
            for line in &lines {
                term.write_line(&output::for_this_locale(line))?;
            }
            term.flush()
        };
        draw().context("failed to write to the terminal")?;
        shown = lines.len();
        // `read_key` would send SIGINT to this process whenever a signal interrupts it, and hide which one it was.
        let key = match (term.read_key_raw(), signal_in(stop)) {
            (_, Some(signal)) => return Ok(Chosen::Signalled(signal)),
            (key, None) => key.context("failed to read from the terminal")?,
        };
        match key {
            Key::CtrlC => return Ok(Chosen::Signalled(Signal::SIGINT as i32)),
            Key::ArrowUp | Key::Char('k') => list.up(),
            Key::ArrowDown | Key::Char('j') => list.down(),
            Key::Char(' ') => list.mark(),
            Key::Char('a') => list.mark_all(),
            Key::Enter => return Ok(Chosen::These(list.marked())),
            Key::Escape | Key::Char('q') => return Ok(Chosen::These(Vec::new())),
            _ => {}
        }
    }
}

/// Lets the person choose by numbers, on a terminal that cannot move its cursor.
fn by_numbers(mut list: PickList) -> anyhow::Result<Chosen> {
    notice(&list.numbered());
    loop {
        let answer = output::ask_for("Which? Their numbers; Enter for those marked x, q for none: ")?;
        match list.take(&answer) {
            Ok(true) => return Ok(Chosen::These(list.marked())),
            Ok(false) => return Ok(Chosen::These(Vec::new())),
            Err(problem) => notice(&problem),
        }
    }
}
