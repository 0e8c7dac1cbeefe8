//! The runner: one namespace and one folder per scene, many scenes side by side.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::init::{self, SCENE};
use crate::role::DIR;
use crate::scenes::{ALL, Namespace, Scene};

/// A scene takes about a second; one that takes this long hangs.
const LIMIT: Duration = Duration::from_mins(1);

/// What every namespace has: PIDs and /proc of its own, and no survivor when its first process ends.
const PRIVATE: [&str; 4] = ["--pid", "--fork", "--mount-proc", "--kill-child"];

/// Root inside, whoever we are outside.
const AS_ROOT: [&str; 2] = ["--user", "--map-root-user"];

/// The runner's door, as `cargo test` and its friends expect it.
pub(crate) fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    // A scene mostly waits: for the second look, for the grace.
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    args.test_threads.get_or_insert(2 * cores);
    let trials = ALL.iter().map(|scene| Trial::ignorable_test(scene.name, || play(scene))).collect();
    libtest_mimic::run(&args, trials).exit_code()
}

/// Whether this machine lets us have a namespace; asked once.
static REFUSED: LazyLock<Option<String>> = LazyLock::new(|| {
    let probe = Command::new("unshare").args(AS_ROOT).args(PRIVATE).arg("true").output();
    match probe {
        Ok(out) if out.status.success() => None,
        Ok(out) => Some(format!("no namespace: {}", String::from_utf8_lossy(&out.stderr).trim())),
        Err(error) => Some(format!("failed to run unshare (util-linux): {error}")),
    }
});

fn play(scene: &'static Scene) -> Result<Completion, Failed> {
    if let Some(reason) = &*REFUSED {
        return Ok(Completion::ignored_with(reason));
    }
    let many_users = scene.namespace == Namespace::ManyUsers;
    if many_users && !nix::unistd::geteuid().is_root() {
        return Ok(Completion::ignored_with("needs several users, which only root can have"));
    }
    let dir = Folder::new(scene.name);
    let log = dir.0.join("stage.log");
    let mut command = Command::new("unshare");
    command.args(if many_users { &[][..] } else { &AS_ROOT[..] }).args(PRIVATE);
    command.arg(fs::read_link("/proc/self/exe").unwrap());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("RUST_BACKTRACE", "0");
    command.env(crate::PART, "enter").env(SCENE, scene.name).env(DIR, &dir.0);
    command.stdin(Stdio::null()).stdout(File::create(&log).unwrap());
    command.stderr(File::options().append(true).open(&log).unwrap());
    let mut child = command.spawn().map_err(|e| format!("failed to run unshare: {e}"))?;
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            // unshare --kill-child takes the whole namespace with it.
            child.kill().unwrap();
            child.wait().unwrap();
            return Err(format!("no end after {LIMIT:?}\n{}", story(&log)).into());
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    if status.success() {
        Ok(Completion::Completed)
    } else {
        Err((init::ending(status) + "\n" + &story(&log)).into())
    }
}

/// What the stage told.
fn story(log: &Path) -> String {
    String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned()
}

/// A scene's folder, gone after it. It lies in the target folder: on the executable's own file
/// system, so that disguises are hard links.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!(
            "{}.{}",
            name.replace("::", "."),
            std::process::id()
        ));
        for below in ["bin", "ready", "home/.config", "home/.local/state"] {
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
