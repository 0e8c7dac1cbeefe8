//! pid 1 of a scene's namespace: starts the stage, collects the dead (or does not), ends with it.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use nix::unistd::Pid;

use crate::namespace;
use crate::role::{DIR, disguise};
use crate::scenes::{self, First};

/// The scene's name.
pub(crate) const SCENE: &str = "SCENE_NAME";

/// The first process in the namespace: puts on the disguise that the scene wants at pid 1.
pub(crate) fn enter() -> ExitCode {
    assert_alone();
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    let (bin, argv): (&str, &[&str]) = match scene().first {
        First::Init | First::CarelessInit => ("init", &["/sbin/init"]),
        First::Client => ("claude", &["claude"]),
        First::Supervisor => ("supervisord", &["/usr/bin/python3", "/usr/bin/supervisord", "-n"]),
    };
    let error =
        Command::new(disguise(&dir, bin)).arg0(argv[0]).args(&argv[1..]).env(crate::PART, "init").exec();
    panic!("failed to become {bin}: {error}");
}

/// pid 1 itself.
pub(crate) fn main() -> ExitCode {
    assert_alone();
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    // In a real machine pid 2 is kthreadd; only the scene that is about that starts below it.
    if !scene().low_pids {
        std::fs::write("/proc/sys/kernel/ns_last_pid", "200").unwrap();
    }
    // The parent of clients is a login shell.
    #[expect(clippy::zombie_processes, reason = "an init collects by waitpid, whoever it is")]
    let stage = Command::new(disguise(&dir, "bash")).arg0("-bash").env(crate::PART, "stage").spawn().unwrap();
    let stage_pid = Pid::from_raw(stage.id().try_into().unwrap());
    let whom = if scene().first == First::CarelessInit { Some(stage_pid) } else { None };
    namespace::collect(stage_pid, whom)
}

/// The scene that this namespace is for.
pub(crate) fn scene() -> &'static scenes::Scene {
    let name = std::env::var(SCENE).unwrap();
    scenes::ALL.iter().find(|scene| scene.name == name).unwrap_or_else(|| panic!("no scene {name}"))
}

/// Nothing below may ever run among other people's processes.
fn assert_alone() {
    assert_eq!(std::process::id(), 1, "a scene runs only as pid 1 of its own namespace");
    let mapped =
        std::fs::read_dir("/proc").unwrap().filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    assert_eq!(mapped.collect::<Vec<u32>>(), [1], "/proc shows somebody else");
}
