//! The commands, one file per subcommand. This file chooses the command and reports its errors to the right audience.

mod check;
mod config;
mod configured;
mod consent;
mod doctor;
mod exec;
mod explain;
mod generate;
pub mod guard;
mod hook;
mod idle_rules;
mod keys;
mod kill;
mod list;
mod log;
mod look;
mod near;
mod outcomes;
mod output;
mod pick;
mod reap;
mod record;
mod recorder;
mod run_lock;
mod schedule;
mod second_look;
mod session;
mod stop;
mod test;
mod verbose;
mod wrap;

use std::ffi::OsString;

use clap::ArgMatches;

use crate::cli::{Audience, Cli, Command, Format, misfit};
use crate::diagnostics;
use crate::exit::Exit;
use crate::plan::Choice;
use reap::RunRequest;
use session::Session;

/// Runs the command and reports its error to its audience.
pub fn run(cli: &Cli, matches: &ArgMatches) -> Exit {
    let audience = Audience::of(cli);
    dispatch(cli, matches, audience).unwrap_or_else(|error| report(audience, &error))
}

/// Reports a command line that cannot be parsed; prints the help for `--help`.
pub fn misspelt(audience: Audience, mistake: &clap::Error) -> Exit {
    match audience {
        _ if !mistake.use_stderr() => mistake.exit(),
        Audience::Person => misspelt_by_a_person(mistake),
        Audience::Hook => hook::misspelt(mistake),
        Audience::Monitoring => check::misspelt(mistake),
    }
}

/// Prints what is wrong. For a command name that other programs use, it adds the name of that command here.
fn misspelt_by_a_person(mistake: &clap::Error) -> Exit {
    use clap::error::{ContextKind, ContextValue};
    let word = match mistake.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) => word,
        _ => "",
    };
    match crate::cli::tip(word) {
        Some(tip) => output::notice(&format!("error: there is no command '{word}'\n\n  tip: {tip}")),
        None => output::print_mistake(mistake),
    }
    Exit::Refused
}

/// Answers a single `--version` without clap, which would first build the options of every command (two thirds of such
/// a start). `None` for any other command line.
pub fn version(mut args: impl Iterator<Item = OsString>) -> Option<Exit> {
    let word = args.nth(1)?;
    if args.next().is_some() || (word != "--version" && word != "-V") {
        return None;
    }
    Some(output::answer(VERSION).map_or_else(|error| report(Audience::Person, &error), |()| Exit::Fine))
}

const VERSION: &str = concat!("mcp-reap ", env!("CARGO_PKG_VERSION"));

/// Runs `exec` and `guard`, also without clap, because a server waits for `exec`, and `guard` must need little memory.
/// `None` for any other command line.
pub fn before_the_runtime() -> Option<Exit> {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.is_empty() {
        // With musl, std gets the arguments from Rust's runtime, which has not started yet.
        words = cmdline_words();
    }
    let words = words.get(1..)?;
    let (command, words) = words.split_first()?;
    match command.to_str()? {
        "exec" => exec::read(words).map(|(command, linger)| exec::run(command, linger)),
        "guard" => {
            let words: Vec<_> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
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

/// # Errors
/// Errors of usage, configuration or environment, for which the exit code is 2. Nothing was ended then.
fn dispatch(cli: &Cli, matches: &ArgMatches, audience: Audience) -> anyhow::Result<Exit> {
    stop::outlive_full_files()?;
    let global = &cli.global;
    output::for_people(!global.json && !is_for_a_program(cli));
    // A call of the hook logs only into a file, and only an error.
    if audience != Audience::Hook {
        diagnostics::start(diagnostics::level(global.verbose, global.quiet), None)?;
    }
    if let Some(misfit) = misfit(matches) {
        anyhow::bail!(misfit);
    }
    let session = || Session::new(global);
    let fine = |()| Exit::Fine;
    match &cli.command {
        None if cli.dry_run => reap::dry_run(&session()?, &Choice::Unused),
        None if cli.interactive => pick::run(&session()?, cli),
        None => {
            let request =
                RunRequest { choice: Choice::Unused, yes: cli.yes, wait: cli.wait, by: cli.started_by };
            reap::run(&session()?, &request)
        }
        Some(Command::Kill(args)) => kill::run(&session()?, cli, args),
        Some(Command::List(args)) => list::run(&session()?, args),
        Some(Command::Explain { targets }) => explain::run(&session()?, targets).map(fine),
        Some(Command::Check(args)) => check::run(&session()?, args),
        Some(Command::Record { output }) => record::run(&session()?, output.as_deref()).map(fine),
        Some(Command::Config { action }) => config::run(action, global).map(fine),
        Some(Command::Log(args)) => log::run(args, global).map(fine),
        Some(Command::Test(args)) => test::run(args, global),
        Some(Command::Wrap { action }) => wrap::run(action.as_ref(), global),
        // A valid `exec` already ran in `before_the_runtime`, so this one is misused.
        Some(Command::Exec { .. }) => {
            anyhow::bail!("exec stands first and takes no option but --linger: mcp-reap exec -- COMMAND...")
        }
        Some(Command::Doctor) => doctor::run(global),
        Some(Command::Version) => output::answer(VERSION).map(fine),
        Some(Command::Completions { instances: true, .. }) => generate::instances(&session()?).map(fine),
        Some(Command::Completions { configured: true, .. }) => generate::configured().map(fine),
        Some(Command::Completions { shell, .. }) => generate::completions(*shell).map(fine),
        Some(Command::Man { folder }) => generate::man(folder.as_deref()).map(fine),
        Some(Command::Schedule { action }) => schedule::run(action, global),
        Some(Command::Hook { action }) => hook::run(action, cli),
    }
}

/// Is the answer in a format that another program reads?
fn is_for_a_program(cli: &Cli) -> bool {
    matches!(&cli.command, Some(Command::Check(args)) if args.format != Format::Text)
}

fn report(audience: Audience, error: &anyhow::Error) -> Exit {
    let text = output::with_causes(error);
    match audience {
        Audience::Person => {
            output::notice(&format!("mcp-reap: {text}"));
            Exit::Refused
        }
        Audience::Hook => hook::log_error(&text),
        Audience::Monitoring => check::unknown(&text),
    }
}
