//! End-to-end scenes: real processes, real signals, and the real `mcp-reap` binary.
//!
//! Every scene runs in a PID namespace of its own, so that nothing outside can be seen, let alone
//! signalled. This one executable plays every part. As started by `cargo test` it is the
//! [`runner`]: it enters a namespace per scene. Inside, it is pid 1 ([`init`]), then the
//! [`stage`] on which a scene plays, and at last every [`actor`]: clients, launchers, servers,
//! browsers, under the names and arguments that the real ones have. The environment says which
//! part it has; argv belongs to the disguise.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[cfg(target_os = "linux")]
mod actor;
#[cfg(target_os = "linux")]
mod audit;
#[cfg(target_os = "linux")]
mod init;
#[cfg(target_os = "linux")]
mod look;
#[cfg(target_os = "linux")]
#[path = "../namespace/mod.rs"]
mod namespace;
#[cfg(target_os = "linux")]
mod person;
#[cfg(target_os = "linux")]
mod puppet;
#[cfg(target_os = "linux")]
mod role;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod runner;
#[cfg(target_os = "linux")]
mod scenes;
#[cfg(target_os = "linux")]
#[path = "../schema/mod.rs"]
mod schema;
#[cfg(target_os = "linux")]
mod shapes;
#[cfg(target_os = "linux")]
mod stage;
#[cfg(target_os = "linux")]
mod wire;

/// Which part this process plays; unset for the runner.
#[cfg(target_os = "linux")]
const PART: &str = "SCENE_PART";

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    match std::env::var(PART).as_deref() {
        Err(_) => runner::main(),
        Ok("enter") => init::enter(),
        Ok("init") => init::main(),
        Ok("stage") => stage::main(),
        Ok("actor") => actor::main(),
        Ok(other) => panic!("no such part: {other}"),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    let args = libtest_mimic::Arguments::from_args();
    let trial = libtest_mimic::Trial::ignorable_test("scenes", || {
        Ok(libtest_mimic::Completion::ignored_with(
            "no PID namespaces here, and nothing is signalled without one",
        ))
    });
    libtest_mimic::run(&args, vec![trial]).exit_code()
}
