//! Everybody but the scene itself: pid 1, clients, servers and what these start.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};
use nix::unistd::Pid;

/// Which part this process plays; unset for the runner.
pub(crate) const PART: &str = "EXEC_PART";
/// The scene's name.
pub(crate) const SCENE: &str = "EXEC_SCENE";
/// The scene's folder.
pub(crate) const DIR: &str = "EXEC_DIR";

pub(crate) fn play(part: &str) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match part {
        "init" => init(),
        "scene" => crate::stage::main(),
        "client" => client(&args),
        "server" => server(&args),
        "set-up" => set_up(&args),
        other => panic!("no such part: {other}"),
    }
}

pub(crate) fn dir() -> PathBuf {
    PathBuf::from(std::env::var_os(DIR).unwrap())
}

/// This executable in another part. Servers have a name of their own, as everywhere.
pub(crate) fn part(name: &str) -> Command {
    let program =
        if name == "server" { dir().join("bin/notes-tool") } else { std::env::current_exe().unwrap() };
    let mut command = Command::new(program);
    command.env(PART, name);
    command
}

/// pid 1: collects the dead and ends with the scene.
fn init() -> ExitCode {
    assert_eq!(std::process::id(), 1, "a scene runs only as pid 1 of its own namespace");
    // What adopts orphans is known by its name.
    if std::env::args().next().as_deref() != Some("/sbin/init") {
        let refused = Command::new(std::env::current_exe().unwrap()).arg0("/sbin/init").exec();
        eprintln!("{refused}");
        return ExitCode::FAILURE;
    }
    let scene = part("scene").spawn().unwrap();
    let scene = Pid::from_raw(scene.id().try_into().unwrap());
    crate::namespace::collect(scene, None)
}

/// What a client holds of one server.
struct Wire {
    to: Option<File>,
    from: Option<BufReader<File>>,
}

/// `client WIRE COMMAND...`: starts a server on a wire, says its number and does what it is told, a line
/// each.
fn client(args: &[String]) -> ExitCode {
    let count = std::env::var("CLIENT_SERVERS").map_or(1, |count| count.parse().unwrap());
    let mut servers: Vec<(Child, Wire)> = (0..count).map(|_| start(&args[0], &args[1..])).collect();
    for (child, _) in &servers {
        println!("{}", child.id());
    }
    for order in io::stdin().lines().map_while(Result::ok) {
        let (child, wire) = &mut servers[0];
        match order.as_str() {
            "close" => *wire = Wire { to: None, from: None },
            "close-in" => wire.to = None,
            "close-out" => wire.from = None,
            // The client has said all, and reads on.
            "shut-out" => {
                let end = wire.to.as_ref().unwrap().as_fd().try_clone_to_owned().unwrap();
                UnixStream::from(end).shutdown(std::net::Shutdown::Write).unwrap();
            }
            // The end stays where it is.
            "shut-both" => {
                let end = wire.to.as_ref().unwrap().as_fd().try_clone_to_owned().unwrap();
                UnixStream::from(end).shutdown(std::net::Shutdown::Both).unwrap();
            }
            "listen" => {
                let mut said = String::new();
                wire.from.as_mut().unwrap().read_line(&mut said).unwrap();
                println!("{}", said.trim_end());
                continue;
            }
            "kill-child" => {
                child.kill().unwrap();
            }
            "collect" => {
                child.wait().unwrap();
            }
            "int-term-kill" => {
                for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
                    nix::sys::signal::kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
                    std::thread::sleep(Duration::from_millis(200));
                }
                *wire = Wire { to: None, from: None };
            }
            "share-in" => {
                // Somebody who holds the end that writes, and stays.
                let end = wire.to.as_ref().unwrap().try_clone().unwrap();
                part("server").args(["stay"]).stdin(Stdio::null()).stdout(end).spawn().unwrap();
            }
            "ping" => {
                let answer = ping(wire);
                println!("{answer}");
                continue;
            }
            "broken" => {
                // Writes until nobody reads any more.
                let to = wire.to.as_mut().unwrap();
                let broken = (0..500).any(|_| {
                    std::thread::sleep(Duration::from_millis(10));
                    to.write_all(b"x").is_err()
                });
                println!("{broken}");
                continue;
            }
            "leave" => return ExitCode::SUCCESS,
            other => panic!("no such order: {other}"),
        }
        println!("done");
    }
    loop {
        std::thread::park();
    }
}

fn ping(wire: &mut Wire) -> String {
    let mut answer = String::new();
    let asked = wire.to.as_mut().map(|to| to.write_all(b"ping\n"));
    if !matches!(asked, Some(Ok(()))) {
        return "not asked".into();
    }
    wire.from.as_mut().unwrap().read_line(&mut answer).unwrap();
    answer.trim_end().to_owned()
}

fn start(wire: &str, command: &[String]) -> (Child, Wire) {
    let mut server = Command::new(&command[0]);
    server.args(&command[1..]).env(PART, "server");
    let (to, from): (OwnedFd, OwnedFd) = match wire {
        "pipe" => {
            let (stdin, stdout) = (io::pipe().unwrap(), io::pipe().unwrap());
            server.stdin(stdin.0).stdout(stdout.1);
            (stdin.1.into(), stdout.0.into())
        }
        "socket" => {
            let (stdin, stdout) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
            server.stdin(OwnedFd::from(stdin.1)).stdout(OwnedFd::from(stdout.1));
            (stdin.0.into(), stdout.0.into())
        }
        // One for both directions, as socketpair(2) gives it.
        "one-socket" => {
            let (own, theirs) = UnixStream::pair().unwrap();
            server.stdin(OwnedFd::from(theirs.try_clone().unwrap())).stdout(OwnedFd::from(theirs));
            (own.try_clone().unwrap().into(), own.into())
        }
        "null" => {
            server.stdin(Stdio::null()).stdout(Stdio::null());
            (File::open("/dev/null").unwrap().into(), File::open("/dev/null").unwrap().into())
        }
        other => panic!("no such wire: {other}"),
    };
    let child = server.spawn().unwrap();
    (child, Wire { to: Some(to.into()), from: Some(BufReader::new(from.into())) })
}

/// Ignores what asks for an end. std has no safe call for it, and `env` from coreutils does it.
pub(crate) fn deaf(command: &mut Command) -> Command {
    let mut env = Command::new("env");
    env.arg("--ignore-signal=TERM,INT,HUP").arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        env.env(key, value.unwrap());
    }
    env
}

/// `server KIND...`: each word is something it does.
fn server(args: &[String]) -> ExitCode {
    let mut stays = Vec::<Box<dyn std::any::Any>>::new();
    for word in args {
        match word.as_str() {
            // Ends with its input.
            "obedient" => return obedient(),
            "echo" => {
                io::copy(&mut io::stdin().lock(), &mut io::stdout().lock()).unwrap();
                return ExitCode::SUCCESS;
            }
            // A second life in which signals are ignored.
            "deaf" if std::env::var_os("DEAF").is_none() => {
                // Under the name that it has.
                let mut again = Command::new(std::env::current_exe().unwrap());
                again.args(args).env(PART, "server").env("DEAF", "1");
                panic!("{}", deaf(&mut again).exec());
            }
            // After the answer, which a second life would wait for again.
            "deaf-without-mcp" => {
                let mut again = Command::new(std::env::current_exe().unwrap());
                again.args(["deaf", "stay"]).env(PART, "server").env("DEAF", "1");
                panic!("{}", deaf(&mut again).exec());
            }
            "deaf" => {}
            // A helper that is nobody's child and deaf as well.
            "helper" => {
                let mut helper = part("server");
                helper.args(["deaf", "stay"]).env_remove("DEAF");
                double_fork(&mut helper, true);
            }
            // The same with nothing of the wire.
            "silent-helper" => {
                let mut helper = part("server");
                helper.args(["deaf", "stay"]).env_remove("DEAF");
                double_fork(&mut helper, false);
            }
            // A person's, as xdg-open leaves it; and one that is still its child.
            "editor" => double_fork(&mut editor(), false),
            "editor-below" => {
                let mut below = Command::new("setsid");
                let editor = editor();
                below.arg(editor.get_program()).args(editor.get_args()).env(PART, "server");
                below.env_remove("DEAF").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
            }
            "daemon" => {
                let mut daemon = part("server");
                daemon.args(["listen-unix", "worker", "stay"]);
                double_fork(&mut daemon, false);
            }
            "web" => {
                let mut web = part("server");
                web.args(["listen-tcp", "stay"]);
                double_fork(&mut web, false);
            }
            // A program that everybody knows, put aside.
            aside if aside.starts_with("aside=") => {
                let program = dir().join("bin").join(&aside["aside=".len()..]);
                std::fs::hard_link(std::env::current_exe().unwrap(), &program).unwrap();
                let mut aside = Command::new(program);
                double_fork(aside.arg("stay").env(PART, "server"), false);
            }
            // Put aside without the marker, it starts something that has it.
            "not-ours" => {
                let marker = std::env::var("MCP_REAP_EXEC").unwrap();
                let mut stranger = part("server");
                stranger.args(["carrier-below", "stay"]).env_remove("DEAF");
                stranger.env_remove("MCP_REAP_EXEC").env("MARKER", marker);
                double_fork(&mut stranger, false);
            }
            "carrier-below" => {
                let mut below = part("server");
                below.arg("stay").env("MCP_REAP_EXEC", std::env::var("MARKER").unwrap()).spawn().unwrap();
            }
            "worker" => {
                part("server").args(["stay"]).spawn().unwrap();
            }
            // However deep the folder lies: the path of a unix socket has 107 bytes at most (unix(7)).
            "listen-unix" => {
                let folder = File::open(dir()).unwrap();
                let path = format!("/proc/self/fd/{}/daemon.sock", folder.as_raw_fd());
                stays.push(Box::new(UnixListener::bind(path).unwrap()));
            }
            "listen-tcp" => stays.push(Box::new(TcpListener::bind("127.0.0.1:0").unwrap())),
            "shut" => {
                let stdin: UnixStream = io::stdin().as_fd().try_clone_to_owned().unwrap().into();
                stdin.shutdown(std::net::Shutdown::Both).unwrap();
            }
            // The same by closing it, or by putting something else in its place.
            "close-in" => nix::unistd::close(0).unwrap(),
            "null-in" => rustix::stdio::dup2_stdin(File::open("/dev/null").unwrap()).unwrap(),
            // It wants to hear no more, and goes on speaking.
            "shut-in" => {
                let stdin: UnixStream = io::stdin().as_fd().try_clone_to_owned().unwrap().into();
                stdin.shutdown(std::net::Shutdown::Read).unwrap();
            }
            "tick" => {
                std::thread::spawn(|| {
                    while writeln!(io::stdout(), "tick").is_ok() {
                        std::thread::sleep(Duration::from_millis(200));
                    }
                });
            }
            "deaf-worker-takes-over" => {
                part("server").args(["deaf", "stay"]).env_remove("DEAF").spawn().unwrap();
                return ExitCode::SUCCESS;
            }
            "worker-takes-over" => {
                part("server").args(["obedient"]).spawn().unwrap();
                return ExitCode::SUCCESS;
            }
            // Answers the first request of a session and goes on.
            "mcp" => {
                let mut line = String::new();
                io::stdin().lock().read_line(&mut line).unwrap();
                assert!(line.contains("\"initialize\""), "{line}");
                println!(r#"{{"jsonrpc":"2.0","id":1,"result":{{}}}}"#);
            }
            "complain" => eprintln!("listening \u{1b}[31mhere"),
            "refuse" => println!(r#"{{"jsonrpc":"2.0","id":1,"error":{{}}}}"#),
            // Answers, also after its input has ended.
            "answer" => answer(),
            "hurried-helper" => {
                let mut helper = part("server");
                helper.args(["deaf", "stay"]).env_remove("DEAF");
                let mut between = Command::new("setsid");
                between.arg("--fork").arg(helper.get_program()).args(helper.get_args());
                between.env(PART, "server").env_remove("DEAF").spawn().unwrap();
            }
            "note" => note(),
            "stay" => {
                note();
                loop {
                    std::thread::park();
                }
            }
            other => panic!("no such behaviour: {other}"),
        }
    }
    note();
    loop {
        std::thread::park();
    }
}

/// This executable as a program that a person works in.
fn editor() -> Command {
    let program = dir().join("bin/vim");
    // A second life of the server has it already.
    let _ = std::fs::hard_link(std::env::current_exe().unwrap(), &program);
    let mut editor = Command::new(program);
    editor.arg("stay").env(PART, "server").env_remove("DEAF");
    editor
}

/// Leaves its number where the scene finds it.
fn note() {
    let name = std::env::args().skip(1).collect::<Vec<_>>().join("+");
    std::fs::create_dir_all(dir().join("there")).unwrap();
    std::fs::write(dir().join("there").join(format!("{}.{name}", std::process::id())), "").unwrap();
}

fn obedient() -> ExitCode {
    note();
    answer();
    ExitCode::SUCCESS
}

fn answer() {
    for line in io::stdin().lines().map_while(Result::ok) {
        if line == "ping" && writeln!(io::stdout(), "pong").is_err() {
            break;
        }
    }
}

/// A grandchild in a session of its own, whose parent is gone.
fn double_fork(command: &mut Command, wired: bool) {
    let mut between = Command::new("setsid");
    between.arg("--fork").arg(command.get_program()).args(command.get_args());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => between.env(key, value),
            None => between.env_remove(key),
        };
    }
    if !wired {
        between.stdin(Stdio::null()).stdout(Stdio::null());
    }
    let there = || std::fs::read_dir(dir().join("there")).map_or(0, Iterator::count);
    let before = there();
    between.status().unwrap();
    // It is in its own session, and deaf where it is to be.
    for _ in 0..1000 {
        if there() > before {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// `set-up WHAT... -- COMMAND...`: changes itself, then becomes the command by execve(2) alone, so that
/// everything is handed on.
fn set_up(args: &[String]) -> ExitCode {
    let at = args.iter().position(|word| word == "--").unwrap();
    let mut stays = Vec::new();
    for what in &args[..at] {
        match what.as_str() {
            "block" => {
                let mut set = SigSet::empty();
                set.add(Signal::SIGUSR1);
                set.add(Signal::SIGCHLD);
                set.thread_block().unwrap();
            }
            "subreaper" => {
                rustix::process::set_child_subreaper(Some(rustix::process::Pid::INIT)).unwrap();
            }
            "umask" => {
                nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o027));
            }
            "limits" => {
                use nix::sys::resource::{Resource, setrlimit};
                setrlimit(Resource::RLIMIT_NOFILE, 77, 99).unwrap();
                setrlimit(Resource::RLIMIT_CORE, 0, 1 << 20).unwrap();
            }
            "leak" => {
                let leaked = File::open("/etc/passwd").unwrap();
                rustix::io::fcntl_setfd(&leaked, rustix::io::FdFlags::empty()).unwrap();
                stays.push(leaked);
            }
            "group" => nix::unistd::setpgid(Pid::from_raw(0), Pid::from_raw(0)).unwrap(),
            closed if closed.starts_with("close=") => {
                for fd in closed["close=".len()..].split(',') {
                    nix::unistd::close(fd.parse::<i32>().unwrap()).unwrap();
                }
            }
            other => panic!("no such change: {other}"),
        }
    }
    let words: Vec<_> =
        args[at + 1..].iter().map(|word| std::ffi::CString::new(word.as_str()).unwrap()).collect();
    let error = nix::unistd::execvp(&words[0], &words);
    panic!("{error:?}");
}

/// Reads all of it, aside.
pub(crate) fn read_aside(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    })
}
