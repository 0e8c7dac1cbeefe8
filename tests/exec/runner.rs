//! One namespace and one folder per scene, many scenes side by side.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::parts::{DIR, PART, SCENE};
use crate::stage::Stage;

/// The longest a scene may take: two graces, a linger and some looks, on a machine that has other work.
const LIMIT: Duration = Duration::from_secs(150);

/// A PID namespace and `/proc` of its own, and no survivor when its first process ends.
const PRIVATE: [&str; 6] = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"];

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

/// Why this machine gives us no namespace; asked once.
static REFUSED: LazyLock<Option<String>> =
    LazyLock::new(|| match Command::new("unshare").args(PRIVATE).arg("true").output() {
        Ok(out) if out.status.success() => None,
        Ok(out) => Some(format!("no namespace: {}", String::from_utf8_lossy(&out.stderr).trim())),
        Err(error) => Some(format!("failed to run unshare (util-linux): {error}")),
    });

fn play(name: &str) -> Result<Completion, Failed> {
    if let Some(reason) = &*REFUSED {
        return Ok(Completion::ignored_with(reason));
    }
    let dir = Folder::new(name);
    let log = dir.0.join("scene.log");
    let mut command = Command::new("unshare");
    command.args(PRIVATE).arg(std::env::current_exe().unwrap());
    command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_default());
    command.env(PART, "init").env(SCENE, name).env(DIR, &dir.0).env("HOME", dir.0.join("home"));
    command.stdin(Stdio::null()).stdout(File::create(&log).unwrap());
    command.stderr(File::options().append(true).open(&log).unwrap());
    let mut child = command.spawn().map_err(|error| format!("failed to run unshare: {error}"))?;
    let deadline = Instant::now() + LIMIT;
    loop {
        match child.try_wait().unwrap() {
            Some(status) if status.success() => return Ok(Completion::Completed),
            Some(status) => return Err(format!("{status}\n{}", story(&log)).into()),
            None if Instant::now() > deadline => {
                // unshare --kill-child takes the whole namespace with it.
                child.kill().unwrap();
                child.wait().unwrap();
                return Err(format!("no end after {LIMIT:?}\n{}", story(&log)).into());
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn story(log: &Path) -> String {
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}

/// A scene's folder, gone after it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let name = name.replace("::", ".").replace(' ', "-");
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("exec.{name}.{}", std::process::id()));
        for below in ["bin", "home/.config/mcp-reap"] {
            fs::create_dir_all(dir.join(below)).unwrap();
        }
        Folder(dir)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder left behind is no reason to fail a scene that passed.
        let _ = fs::remove_dir_all(&self.0);
    }
}
