//! Actors: one process each, in disguise. An actor reads its role from the environment, starts the
//! actors below it, says that it is ready, and plays.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sched::CloneFlags;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::look;
use crate::role::{Actor, DIR, Play, ROLE, Serves};
use crate::wire::Ends;

/// The actor's door.
pub(crate) fn main() -> ExitCode {
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    let role: Actor = serde_json::from_str(&std::env::var(ROLE).unwrap()).unwrap();
    if let Some(comm) = &role.comm {
        fs::write("/proc/self/comm", comm).unwrap();
    }
    if role.own_session {
        nix::unistd::setsid().unwrap();
    }
    if role.subreaper {
        nix::sys::prctl::set_child_subreaper(true).unwrap();
    }
    let terminated = Arc::new(AtomicBool::new(false));
    if role.ignores_term || role.born_late.is_some() || role.takes.is_some() {
        // A handler and not SIG_IGN, as in real servers: children do not inherit it.
        signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&terminated)).unwrap();
    }
    if let Some(late) = role.born_late.clone() {
        let (dir, terminated) = (dir.clone(), Arc::clone(&terminated));
        std::thread::spawn(move || {
            look::until_ever(|| terminated.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_millis(role.born_after));
            late.start(&dir)
        });
    }
    if let Some(takes) = role.takes {
        let terminated = Arc::clone(&terminated);
        std::thread::spawn(move || {
            look::until_ever(|| terminated.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_millis(takes));
            std::process::exit(0)
        });
    }
    // Written to, so that it is resident.
    let memory = vec![1u8; role.uses];
    let listener = role.listens.then(|| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    let socket = role.serves.map(|serves| socket(&dir, &role.tag, serves));
    let call = role.calls.map(|port| TcpStream::connect(("127.0.0.1", port)).unwrap());
    let (input, output) = wire_of(&role);
    choose_namespace(&role, &dir);
    let mut started: Vec<(String, Child, Ends)> = Vec::new();
    for actor in &role.below {
        let (child, mut ends) = actor.start(&dir);
        if role.lets_go_of.contains(&actor.tag) {
            ends = Ends { to: None, from: None };
        }
        started.push((actor.tag.clone(), child, ends));
    }
    if role.play != Play::Leave {
        announce(&dir, &role.tag);
    }
    if let Some(uid) = role.uid {
        // Only now: another user may reach neither the disguises nor the folder. A change of user
        // makes a process undumpable, which a process that another user started is not.
        nix::unistd::setuid(uid.into()).unwrap();
        nix::sys::prctl::set_dumpable(true).unwrap();
    }
    // A server that its client left keeps its descriptors.
    match role.play {
        Play::Serve => serve(&input, &output),
        Play::ServeOn => {
            serve(&input, &output);
            sleep_on();
        }
        Play::Save { portions, every } => {
            serve(&input, &output);
            let mut file = File::create(dir.join(format!("{}.saved", role.tag))).unwrap();
            for _ in 0..portions {
                std::thread::sleep(Duration::from_millis(every));
                file.write_all(b"x").unwrap();
            }
            file.write_all(b"END").unwrap();
        }
        Play::Spin => {
            serve(&input, &output);
            loop {
                std::hint::spin_loop();
            }
        }
        Play::Launch => started.iter_mut().for_each(|(_, child, _)| drop(child.wait())),
        Play::Leave => {}
        Play::Idle => sleep_on(),
        Play::Respawn => loop {
            for (actor, (_, child, ends)) in role.below.iter().zip(&mut started) {
                child.wait().unwrap();
                (*child, *ends) = actor.start(&dir);
            }
        },
        Play::Reap => {
            look::until("the tree is an orphan", is_adopted);
            reap(&dir);
            announce(&dir, &format!("{}.reaped", role.tag));
            sleep_on();
        }
        Play::Client => crate::puppet::play(&dir, started),
    }
    drop((listener, socket, call, memory));
    ExitCode::SUCCESS
}

/// The path of a unix socket in a folder, however deep that lies: such paths have 107 bytes at most (unix(7)).
pub(crate) fn short_path(folder: &File, tag: &str) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{tag}.sock", folder.as_raw_fd()))
}

/// A socket that it serves on; connections wait in its backlog.
fn socket(dir: &Path, tag: &str, serves: Serves) -> OwnedFd {
    let folder = File::open(dir).unwrap();
    match serves {
        Serves::UnixPath => UnixListener::bind(short_path(&folder, tag)).unwrap().into(),
        Serves::UnixAbstract => {
            let name = format!("mcp-reap-scene-{}-{tag}", std::process::id());
            let address = SocketAddr::from_abstract_name(name).unwrap();
            UnixListener::bind_addr(&address).unwrap().into()
        }
        Serves::Udp(port) => UdpSocket::bind(("127.0.0.1", port)).unwrap().into(),
        Serves::UnixDatagrams => UnixDatagram::bind(short_path(&folder, tag)).unwrap().into(),
        Serves::NamedPipe => {
            let path = dir.join(format!("{tag}.fifo"));
            mkfifo(&path, Mode::S_IRWXU).unwrap();
            // For writing too, as daemons do: reading never meets an end.
            File::options().read(true).write(true).open(path).unwrap().into()
        }
    }
}

/// Does this process's tree belong to pid 1, and not to the stage's shell? Not known while an
/// ancestor is just ending.
fn is_adopted() -> bool {
    let mut at = look::stat(std::process::id());
    while at.as_ref().is_some_and(|s| s.parent > 1) {
        at = at.and_then(|s| look::stat(s.parent));
    }
    at.is_some_and(|s| s.comm != "bash")
}

/// A real run from within an instance.
fn reap(dir: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-reap"));
    command.args(["--yes", "--min-age", "0s", "--grace", "1s"]);
    command.stdin(Stdio::null()).stdout(File::options().append(true).open(dir.join("actors.log")).unwrap());
    assert!(command.status().unwrap().success());
}

/// What it starts from here on lives in another PID namespace than itself, where its role says so.
fn choose_namespace(role: &Actor, dir: &Path) {
    if role.sandboxes {
        nix::sched::unshare(CloneFlags::CLONE_NEWPID).unwrap();
    }
    if let Some(tag) = &role.enters {
        let ready = dir.join("ready").join(tag);
        look::until("the namespace is there", || ready.exists());
        let pid = fs::read_to_string(ready).unwrap();
        let namespace = File::open(format!("/proc/{pid}/ns/pid")).unwrap();
        nix::sched::setns(namespace, CloneFlags::CLONE_NEWPID).unwrap();
    }
}

/// Tells the scene who plays a role: written beside and renamed, so that it is whole when seen.
fn announce(dir: &Path, tag: &str) {
    let draft = dir.join("ready").join(format!(".{tag}"));
    // The number that the scene knows it by, which is another one than its own in a namespace below.
    let pid = fs::read_link("/proc/self").unwrap();
    fs::write(&draft, pid.to_str().unwrap()).unwrap();
    fs::rename(&draft, dir.join("ready").join(tag)).unwrap();
}

/// Where the wire lies: on fds 0 and 1, or moved away.
fn wire_of(role: &Actor) -> (File, File) {
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    if !role.moves_wire {
        return (File::from(rustix::io::dup(&stdin).unwrap()), File::from(rustix::io::dup(&stdout).unwrap()));
    }
    let moved = |fd: &dyn std::os::fd::AsFd| rustix::io::fcntl_dupfd_cloexec(fd, 6).unwrap();
    let wire = (File::from(moved(&stdin)), File::from(moved(&stdout)));
    // 6 and 7 in a process that was started plainly, where the Python SDK has it too.
    let null = File::options().read(true).write(true).open("/dev/null").unwrap();
    rustix::stdio::dup2_stdin(&null).unwrap();
    rustix::stdio::dup2_stdout(&null).unwrap();
    wire
}

/// Answers every request with an empty result, until there is no input any more.
fn serve(input: &File, mut output: &File) {
    for line in BufReader::new(input).lines().map_while(Result::ok) {
        let request: serde_json::Value = serde_json::from_str(&line).unwrap();
        let answer = serde_json::json!({"jsonrpc": "2.0", "id": request["id"], "result": {}});
        if writeln!(output, "{answer}").is_err() {
            return;
        }
    }
}

/// Stays until somebody ends it.
fn sleep_on() -> ! {
    loop {
        std::thread::park();
    }
}
