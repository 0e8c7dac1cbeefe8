//! argv in, exit code out.

use std::process::ExitCode;

use clap::FromArgMatches as _;
use mcp_reap::cli::{self, Audience, Cli};
use mcp_reap::commands;

/// Called by the loader (ELF `.init_array`, Mach-O `__mod_init_func`).
///
/// Before `main`, Rust's runtime ignores SIGPIPE, opens `/dev/null` on closed descriptors and aborts where
/// poll(2) is forbidden (library/std/src/sys/pal/unix/mod.rs, `init`). `exec` becomes another program, which
/// would inherit all of that, so it is done before the runtime is; and so is its guardian's work.
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
    let exit = match cli::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => commands::run(&cli),
        Err(mistake) => commands::misspelt(Audience::of_args(std::env::args_os()), &mistake),
    };
    exit.into()
}
