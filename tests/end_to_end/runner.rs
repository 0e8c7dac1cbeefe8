//! The runner: one namespace and one folder per scene, many scenes side by side.

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::init::SCENE;
use crate::namespace::{self, Folder};
use crate::role::DIR;
use crate::scenes::{ALL, Namespace, Scene};

/// A scene takes about a second; one that takes this long hangs.
const LIMIT: Duration = Duration::from_mins(1);

/// The runner's door, as `cargo test` and its friends expect it.
pub(crate) fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    // A scene mostly waits: for the second look, for the grace.
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    args.test_threads.get_or_insert(2 * cores);
    let trials = ALL.iter().map(|scene| Trial::ignorable_test(scene.name, || play(scene))).collect();
    libtest_mimic::run(&args, trials).exit_code()
}

fn play(scene: &'static Scene) -> Result<Completion, Failed> {
    if let Some(ignored) = namespace::refused() {
        return Ok(ignored);
    }
    let many_users = scene.namespace == Namespace::ManyUsers;
    if many_users && !nix::unistd::geteuid().is_root() {
        return Ok(Completion::ignored_with("needs several users, which only root can have"));
    }
    let folder = Folder::new(scene.name, &["bin", "ready", "home/.config", "home/.local/state"]);
    let mut command = namespace::enter(&std::fs::read_link("/proc/self/exe").unwrap(), many_users);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("RUST_BACKTRACE", "0");
    command.env(crate::PART, "enter").env(SCENE, scene.name).env(DIR, &folder.0);
    namespace::play(command, &folder, LIMIT)
}
