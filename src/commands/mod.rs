//! The deeds: one room per subcommand. Here is what they share.

mod check;
mod config;
mod configured;
mod confirm;
mod consent;
mod doctor;
mod exec;
mod explain;
mod generate;
mod guard;
mod history;
mod hook;
mod keys;
mod kill;
mod list;
mod log;
mod look;
mod output;
mod pick;
mod reap;
mod record;
mod recorder;
mod schedule;
mod stop;
mod test;
mod turn;
mod verbose;

use std::cell::OnceCell;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::bail;
use output::{answer, ask, is_read, say, someone_is_there, still_heard};

use crate::catalog::Catalog;
use crate::cli::{Cli, Command, Global, HookAction};
use crate::config::{self as settings, AuditSettings, Overrides};
use crate::diagnostics::Diagnostics;
use crate::exit::Exit;
use crate::os::home;
use crate::os::machine::Machine;
use crate::policy::Policy;
use crate::render::style::Look;

/// What every command needs: the decisions, the knowledge, and how to answer.
struct Session {
    policy: Policy,
    catalog: Catalog,
    with_configurations: OnceCell<Catalog>,
    audit: AuditSettings,
    /// The patterns of --allow.
    allow: Vec<String>,
    snapshot: Option<PathBuf>,
    json: bool,
    quiet: bool,
    look: Look,
}

/// `exec` and `guard`, which are read without clap as well: a server waits for the one, and the other is to
/// stay small. `None` for every other line.
#[must_use]
pub fn before_the_runtime() -> Option<Exit> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.is_empty() {
        // With musl the runtime is what hands them to std.
        words = cmdline_words();
    }
    let words = words.get(1..)?;
    let (command, words) = words.split_first()?;
    match command.to_str()? {
        "exec" => exec::read(words).map(|(command, linger)| exec::run(command, linger)),
        "guard" => {
            let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            Some(guard::run(&words))
        }
        _ => None,
    }
}

fn cmdline_words() -> Vec<OsString> {
    use std::os::unix::ffi::OsStringExt as _;
    let line = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let line = line.strip_suffix(b"\0").unwrap_or(&line);
    line.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect()
}

/// Carries out what was asked for.
///
/// # Errors
/// Everything that ends in exit code 2: usage, configuration, environment. Nothing was ended then.
pub fn dispatch(cli: Cli) -> anyhow::Result<Exit> {
    stop::outlive_full_files()?;
    if let Some(Command::Hook { action: HookAction::Run { watch } }) = &cli.command {
        return Ok(if *watch { hook::watch(&cli) } else { hook::call(&cli) });
    }
    output::speak_to_people(!cli.global.json && !is_plugin(&cli));
    Diagnostics { verbose: cli.global.verbose, quiet: cli.global.quiet, directory: None }.start()?;
    if let Some(misfit) = cli.misfit() {
        let error = anyhow::anyhow!(misfit);
        return match &cli.command {
            Some(Command::Check(args)) => check::could_not_tell(args, error),
            _ => Err(error),
        };
    }
    match &cli.command {
        Some(Command::Config { action }) => config::run(action, &cli.global),
        Some(Command::Log(args)) => log::run(args, &cli.global),
        Some(Command::Test(args)) => test::run(args, cli.global.json),
        // What can be run was run before main.
        Some(Command::Exec { .. }) => {
            anyhow::bail!("exec stands first and takes no option but --linger: mcp-reap exec -- COMMAND...")
        }
        Some(Command::Doctor) => doctor::run(&cli.global),
        Some(Command::Version) => {
            answer(concat!("mcp-reap ", env!("CARGO_PKG_VERSION")))?;
            Ok(Exit::Fine)
        }
        Some(Command::Completions { instances: true, .. }) => {
            generate::instances(&Session::new(&cli.global)?)
        }
        Some(Command::Completions { shell, .. }) => generate::completions(*shell),
        Some(Command::Man { folder }) => generate::man(folder.as_deref()),
        Some(Command::Schedule { action }) => schedule::run(action, &cli.global),
        Some(Command::Hook { action }) => hook::run(action, &cli.global),
        command => {
            let session = match (Session::new(&cli.global), command) {
                (Err(error), Some(Command::Check(args))) => return check::could_not_tell(args, error),
                (session, _) => session?,
            };
            match command {
                None if cli.dry_run => reap::dry_run(&session),
                None if cli.interactive => pick::run(&session, &cli),
                None => reap::run(&session, &cli),
                Some(Command::Kill(args)) => kill::run(&session, &cli, args),
                Some(Command::List(args)) => list::run(&session, args),
                Some(Command::Explain { targets }) => explain::run(&session, targets),
                Some(Command::Check(args)) => {
                    check::run(&session, args).or_else(|error| check::could_not_tell(args, error))
                }
                Some(Command::Record { output }) => record::run(&session, output.as_deref()),
                Some(
                    Command::Config { .. }
                    | Command::Exec { .. }
                    | Command::Test(_)
                    | Command::Log(_)
                    | Command::Doctor
                    | Command::Completions { .. }
                    | Command::Man { .. }
                    | Command::Version
                    | Command::Schedule { .. }
                    | Command::Hook { .. },
                ) => unreachable!("handled above"),
            }
        }
    }
}

/// What to end with after a call of the hook that cannot be read: a mistake in somebody's settings is
/// no reason to stop their session.
#[must_use]
pub fn misspelt_hook(mistake: &clap::Error) -> Exit {
    hook::misspelt(mistake)
}

/// What to end with after a command line that cannot be read: what is wrong, and for a habit of other programs what is
/// meant here.
#[must_use]
pub fn misspelt(mistake: &clap::Error) -> Exit {
    use clap::error::{ContextKind, ContextValue};
    let word = match mistake.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) => Some(word.as_str()),
        _ => None,
    };
    match word.and_then(|word| Some((word, crate::cli::tip(word)?))) {
        Some((word, tip)) => say(&format!("error: there is no command '{word}'\n\n  tip: {tip}")),
        None => output::say_mistake(mistake),
    }
    Exit::Refused
}

/// Says what went wrong. Nobody is left to tell when stderr is gone too.
pub fn complain(error: &anyhow::Error) {
    say(&format!("mcp-reap: {}", told(error)));
}

/// What to end with after a plugin's check that cannot be read: its one line, for a screen that shows
/// nothing else.
#[must_use]
pub fn misspelt_plugin(mistake: &clap::Error) -> Exit {
    check::misspelt(mistake)
}

/// Is the answer for another program, in the form of that program?
fn is_plugin(cli: &Cli) -> bool {
    matches!(&cli.command, Some(Command::Check(args)) if args.format != crate::cli::Format::Text)
}

impl Session {
    fn new(global: &Global) -> anyhow::Result<Session> {
        let mut loaded = settings::load(global.config.as_deref())?;
        overrides(global).apply(&mut loaded.policy)?;
        if loaded.policy.all_users && global.snapshot.is_none() && !home::is_root() {
            bail!("--all-users needs root: without it other users' processes can be neither read nor ended");
        }
        let catalog = Catalog::builtin().with_rules(&loaded.policy.servers);
        Ok(Session {
            policy: loaded.policy,
            catalog,
            with_configurations: OnceCell::new(),
            audit: loaded.audit,
            allow: global.allow.clone(),
            snapshot: global.snapshot.clone(),
            json: global.json,
            quiet: global.quiet,
            look: Look::of_stdout(global.color),
        })
    }
}

impl Session {
    /// Bytes of memory of this machine; `None` where a recorded table is judged, which may be of another.
    fn memory(&self) -> Option<u64> {
        self.snapshot.is_none().then(Machine::here)?.memory
    }
}

/// An error with its causes. A message that tells its cause itself is not followed by it again.
#[must_use]
pub fn told(error: &anyhow::Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |told, cause| {
        let cause = cause.to_string();
        if told.ends_with(&cause) { told } else { format!("{told}: {cause}") }
    })
}

/// What the flags say.
fn overrides(global: &Global) -> Overrides {
    Overrides {
        grace: global.grace,
        settle: global.settle,
        min_age: global.min_age,
        max_count: global.max_count,
        max_age: global.max_age,
        max_rss: global.max_rss,
        allow: global.allow.clone(),
        detached: global.detached,
        all_users: global.all_users,
    }
}
