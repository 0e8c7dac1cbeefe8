//! The deeds: one room per subcommand. Here is what they share.

mod check;
mod config;
mod configured;
mod confirm;
mod doctor;
mod exec;
mod explain;
mod generate;
mod guard;
mod history;
mod hook;
mod list;
mod log;
mod look;
mod reap;
mod record;
mod recorder;
mod schedule;
mod stop;
mod test;
mod turn;
mod wrap;

use std::cell::OnceCell;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::catalog::Catalog;
use crate::cli::{Cli, Command, Global, HookAction};
use crate::config::{self as settings, AuditSettings, Overrides};
use crate::diagnostics::Diagnostics;
use crate::exit::Exit;
use crate::os::machine::Machine;
use crate::policy::Policy;
use crate::render::style::Look;

/// What every command needs: the decisions, the knowledge, and how to answer.
struct Session {
    policy: Policy,
    catalog: Catalog,
    with_configurations: OnceCell<Catalog>,
    audit: AuditSettings,
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
        Some(Command::Wrap { action }) => wrap::run(action.as_ref(), &cli.global),
        // What can be run was run before main.
        Some(Command::Exec { .. }) => {
            anyhow::bail!("exec stands first and takes no option but --linger: mcp-reap exec -- COMMAND...")
        }
        Some(Command::Doctor) => doctor::run(&cli.global),
        Some(Command::Completions { shell }) => generate::completions(*shell),
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
                None => reap::run(&session, &cli),
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
                    | Command::Wrap { .. }
                    | Command::Log(_)
                    | Command::Doctor
                    | Command::Completions { .. }
                    | Command::Man { .. }
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

/// What to end with after a plugin's check that cannot be read: its one line, for a screen that shows
/// nothing else.
#[must_use]
pub fn misspelt_plugin(mistake: &clap::Error) -> Exit {
    check::misspelt(mistake)
}

impl Session {
    fn new(global: &Global) -> anyhow::Result<Session> {
        let mut loaded = settings::load(global.config.as_deref())?;
        overrides(global).apply(&mut loaded.policy)?;
        let catalog = Catalog::builtin().with_rules(&loaded.policy.servers);
        Ok(Session {
            policy: loaded.policy,
            catalog,
            with_configurations: OnceCell::new(),
            audit: loaded.audit,
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
        all_users: global.all_users,
    }
}

/// Writes the answer. A reader that closed the pipe has heard enough, which is no error.
fn answer(text: &str) -> anyhow::Result<()> {
    still_heard(text).map(|_| ())
}

/// [`answer`] for what goes on until nobody listens: says whether anybody does.
fn still_heard(text: &str) -> anyhow::Result<bool> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| {
        if !text.is_empty() && !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        out.flush()
    });
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true).context("failed to write the answer"),
    }
}

/// Waits this long, or until the reader of stdout has gone; says whether there is one. A file and a terminal have one for
/// ever.
fn is_read(wait: Duration) -> bool {
    let begun = Instant::now();
    let out = std::io::stdout();
    // Asked for nothing, poll(2) tells only of errors: ERR is what the last reader of a pipe leaves, HUP a socket's.
    let mut fds = [PollFd::new(&out, PollFlags::empty())];
    let timeout = Timespec::try_from(wait).unwrap_or_default();
    let polled = poll(&mut fds, Some(&timeout));
    if polled.is_ok() && fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
        return false;
    }
    // A signal ended it early, or (on macOS) a device cannot be polled.
    std::thread::sleep(wait.saturating_sub(begun.elapsed()));
    true
}

/// Says something to a person. Nobody is to fail because stderr is gone.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Asks a question that `y` answers; without a terminal there is nobody to ask.
fn ask(question: &str) -> anyhow::Result<bool> {
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{question} [y/N] ");
    let _ = err.flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("failed to read the answer from the terminal")?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// Is there a person at stdin who can be asked?
fn someone_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
