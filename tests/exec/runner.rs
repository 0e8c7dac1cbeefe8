//! One namespace and one folder per scene, many scenes side by side.

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::namespace::{self, Folder};
use crate::parts::{DIR, PART, SCENE};
use crate::stage::Stage;

/// The longest a scene may take: two graces, a linger and some looks, on a machine that has other work.
const LIMIT: Duration = Duration::from_secs(150);

/// A sentence and its story.
pub(crate) type Scene = (String, fn(&Stage));

/// All scenes.
pub(crate) fn scenes() -> Vec<Scene> {
    [
        crate::same_process::scenes(),
        crate::ends::scenes(),
        crate::twins::scenes(),
        crate::refusals::scenes(),
        crate::containers::scenes(),
        crate::clients::scenes(),
        crate::strangers::scenes(),
        crate::test_command::scenes(),
        crate::unguarded::scenes(),
        crate::whole::scenes(),
    ]
    .concat()
}

pub(crate) fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    // A scene mostly waits.
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    args.test_threads.get_or_insert(4 * cores);
    let trials = scenes()
        .into_iter()
        .map(|(name, _)| Trial::ignorable_test(name.clone(), move || play(&name)))
        .collect();
    libtest_mimic::run(&args, trials).exit_code()
}

fn play(name: &str) -> Result<Completion, Failed> {
    if let Some(ignored) = namespace::refused() {
        return Ok(ignored);
    }
    let folder = Folder::new(&format!("exec.{name}"), &["bin", "home/.config/mcp-reap"]);
    let mut command = namespace::enter(&std::env::current_exe().unwrap(), false);
    command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_default());
    command.env(PART, "init").env(SCENE, name).env(DIR, &folder.0).env("HOME", folder.0.join("home"));
    namespace::play(command, &folder, LIMIT)
}
