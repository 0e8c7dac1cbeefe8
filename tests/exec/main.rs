//! `mcp-reap exec`: real servers, real clients and real signals, each scene in a PID namespace of its own.
//!
//! This one executable plays every part: the [`runner`], pid 1 of a namespace, the scene in it, clients and
//! servers ([`parts`]). The environment says which, as argv is what mcp-reap looks at.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]
// Whoever plays pid 1 collects them all.
#![allow(clippy::zombie_processes)]

#[cfg(target_os = "linux")]
mod clients;
#[cfg(target_os = "linux")]
mod containers;
#[cfg(target_os = "linux")]
mod ends;
#[cfg(target_os = "linux")]
#[path = "../namespace/mod.rs"]
mod namespace;
#[cfg(target_os = "linux")]
mod parts;
#[cfg(target_os = "linux")]
mod refusals;
#[cfg(target_os = "linux")]
mod runner;
#[cfg(target_os = "linux")]
mod same_process;
#[cfg(target_os = "linux")]
#[path = "../schema/mod.rs"]
mod schema;
#[cfg(target_os = "linux")]
mod stage;
#[cfg(target_os = "linux")]
mod strangers;
#[cfg(target_os = "linux")]
mod test_command;
#[cfg(target_os = "linux")]
mod twins;
#[cfg(target_os = "linux")]
mod unguarded;
#[cfg(target_os = "linux")]
mod whole;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    match std::env::var(parts::PART).as_deref() {
        Err(_) => runner::main(),
        Ok(part) => parts::play(part),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    let args = libtest_mimic::Arguments::from_args();
    let trial = libtest_mimic::Trial::ignorable_test("exec", || {
        Ok(libtest_mimic::Completion::ignored_with(
            "no PID namespaces here, and nothing is signalled without one",
        ))
    });
    libtest_mimic::run(&args, vec![trial]).exit_code()
}
