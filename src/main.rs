//! argv in, exit code out.

use std::mem::ManuallyDrop;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{ArgMatches, CommandFactory as _, Error, FromArgMatches as _};
use mcp_reap::cli::{self, Audience, Cli};
use mcp_reap::commands;

/// Called by the loader (ELF `.init_array`, Mach-O `__mod_init_func`).
///
/// Before `main`, Rust's runtime ignores SIGPIPE, opens `/dev/null` on closed descriptors and aborts where
/// poll(2) is forbidden (library/std/src/sys/pal/unix/mod.rs, `init`). `exec` becomes another program, which
/// would inherit all of that, so `exec` and `guard` run before Rust's runtime starts.
#[used]
#[allow(unsafe_code, reason = "a place in the executable, not code")]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".init_array"))]
static BEFORE_THE_RUNTIME: extern "C" fn() = before_the_runtime;

extern "C" fn before_the_runtime() {
    if let Some(exit) = commands::before_the_runtime() {
        std::process::exit(exit.code().into());
    }
}

fn main() -> ExitCode {
    if let Some(exit) = commands::version(std::env::args_os()) {
        return exit.into();
    }
    let exit = match parsed() {
        Ok((cli, matches)) => commands::run(&cli, &matches),
        Err(mistake) => commands::misspelt(Audience::of_args(std::env::args_os()), &mistake),
    };
    exit.into()
}

/// What argv asks for, or the help, version or mistake to show.
///
/// The texts of `--help` are filled in only for an answer that shows them: for every subcommand they cost
/// 1.1 million instructions, which is more than all the rest of a start (tests/startup_cost.sh).
fn parsed() -> Result<(Cli, ArgMatches), Error> {
    // Never dropped: freeing the options of every command took 5 % of the instructions of a small look.
    let mut command = ManuallyDrop::new(Cli::command());
    let matches =
        command.try_get_matches_from_mut(std::env::args_os()).or_else(|mistake| match mistake.kind() {
            ErrorKind::DisplayVersion => Err(mistake),
            _ => cli::command().try_get_matches(),
        })?;
    Ok((Cli::from_arg_matches(&matches)?, matches))
}
