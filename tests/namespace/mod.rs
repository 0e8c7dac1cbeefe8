//! A PID namespace and a folder of its own for one scene: how it is entered, who is pid 1 in it, and when it ends.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libtest_mimic::{Completion, Failed};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

/// PIDs and `/proc` of its own, and no survivor when its first process ends.
const PRIVATE: [&str; 4] = ["--pid", "--fork", "--mount-proc", "--kill-child"];

/// Root inside, whichever user is outside.
const AS_ROOT: [&str; 2] = ["--user", "--map-root-user"];

/// Runs a program as the first process of a namespace: as root of a user namespace, or with all users of the machine.
pub(crate) fn enter(program: &Path, all_users: bool) -> Command {
    let mut command = Command::new("unshare");
    command.args(if all_users { &[][..] } else { &AS_ROOT[..] }).args(PRIVATE).arg(program);
    command
}

/// Why this machine gives no namespace; found out once.
static REFUSED: LazyLock<Option<String>> = LazyLock::new(|| match enter(Path::new("true"), false).output() {
    Ok(out) if out.status.success() => None,
    Ok(out) => Some(format!("no namespace: {}", String::from_utf8_lossy(&out.stderr).trim())),
    Err(error) => Some(format!("failed to run unshare (util-linux): {error}")),
});

/// A scene that cannot be played here is ignored, and not called passed.
pub(crate) fn refused() -> Option<Completion> {
    REFUSED.as_ref().map(Completion::ignored_with)
}

/// Plays a scene to its end, or to the limit.
pub(crate) fn play(mut command: Command, folder: &Folder, limit: Duration) -> Result<Completion, Failed> {
    let log = folder.0.join("scene.log");
    command.stdin(Stdio::null()).stdout(File::create(&log).unwrap());
    command.stderr(File::options().append(true).open(&log).unwrap());
    let story = || String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
    let mut child = command.spawn().map_err(|error| format!("failed to run unshare: {error}"))?;
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait().unwrap() {
            Some(status) if status.success() => return Ok(Completion::Completed),
            Some(status) => return Err(format!("{status}\n{}", story()).into()),
            None if Instant::now() > deadline => {
                // unshare --kill-child takes the whole namespace with it.
                child.kill().unwrap();
                child.wait().unwrap();
                return Err(format!("no end after {limit:?}\n{}", story()).into());
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// pid 1: collects the children that `whom` says (`None` is all of them) and ends as the scene does.
pub(crate) fn collect(scene: Pid, whom: Option<Pid>) -> ExitCode {
    loop {
        match waitpid(whom, None) {
            Ok(WaitStatus::Exited(pid, code)) if pid == scene => {
                return ExitCode::from(u8::try_from(code).unwrap_or(1));
            }
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == scene => {
                eprintln!("the scene itself was killed by {signal}");
                return ExitCode::from(99);
            }
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(error) => panic!("waitpid: {error}"),
        }
    }
}

/// A scene's folder, gone after it. It lies in the target folder: on the executable's own file system, so that
/// disguises are hard links.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str, below: &[&str]) -> Folder {
        let name = name.replace("::", ".").replace(' ', "-");
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.{}", std::process::id()));
        for below in below {
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
