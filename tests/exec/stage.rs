//! Where a scene plays: its client, what its servers left, and the guardian.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::parts::{self, SCENE, part};

/// The stage of one scene.
pub(crate) struct Stage {
    pub(crate) dir: PathBuf,
}

/// A client that does what it is told.
pub(crate) struct Client {
    pub(crate) child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Its servers.
    pub(crate) servers: Vec<u32>,
}

pub(crate) fn main() -> ExitCode {
    nix::unistd::setsid().unwrap();
    let stage = Stage { dir: parts::dir() };
    for name in ["notes-tool", "codex"] {
        fs::hard_link(std::env::current_exe().unwrap(), stage.dir.join("bin").join(name)).unwrap();
    }
    let name = std::env::var(SCENE).unwrap();
    let (_, story) = crate::runner::scenes().into_iter().find(|(scene, _)| *scene == name).unwrap();
    let Err(_) = catch_unwind(AssertUnwindSafe(|| story(&stage))) else { return ExitCode::SUCCESS };
    for process in processes() {
        eprintln!("{} {} {:?}", process, parent(process).unwrap_or_default(), command(process));
    }
    let state = stage.dir.join("home/.local/state/mcp-reap");
    for file in fs::read_dir(state).into_iter().flatten().flatten() {
        eprintln!("--- {:?}\n{}", file.file_name(), fs::read_to_string(file.path()).unwrap_or_default());
    }
    ExitCode::FAILURE
}

impl Stage {
    /// The program that is tested.
    pub(crate) fn mcp_reap(&self) -> &'static str {
        env!("CARGO_BIN_EXE_mcp-reap")
    }

    /// `exec` in front of a server that does these things.
    pub(crate) fn guarded(&self, does: &[&str]) -> Vec<String> {
        let mut line = vec![self.mcp_reap().to_owned()];
        line.extend(["exec", "--linger", "2s", "--"].map(str::to_owned));
        line.extend(self.bare(does));
        line
    }

    /// The same server without.
    pub(crate) fn bare(&self, does: &[&str]) -> Vec<String> {
        let program = self.dir.join("bin/notes-tool").to_str().unwrap().to_owned();
        std::iter::once(program).chain(does.iter().map(|word| (*word).to_owned())).collect()
    }

    /// mcp-reap's configuration: a short grace, so that a scene is not all waiting.
    pub(crate) fn configure(&self, grace: &str) {
        fs::write(
            self.dir.join("home/.config/mcp-reap/config.toml"),
            format!("[reap]\ngrace = \"{grace}\"\n"),
        )
        .unwrap();
    }

    /// Starts a client with a server and waits until the server is there.
    pub(crate) fn client(&self, wire: &str, server: &[String]) -> Client {
        self.client_with(wire, server, 1, part("client"))
    }

    pub(crate) fn client_with(
        &self,
        wire: &str,
        server: &[String],
        count: u32,
        mut client: Command,
    ) -> Client {
        self.configure("1s");
        client.arg(wire).args(server).env("CLIENT_SERVERS", count.to_string());
        let mut child = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let orders = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let servers = (0..count).map(|_| line(&mut answers).parse().unwrap()).collect();
        Client { child, orders, answers, servers }
    }

    /// The processes that noted themselves with these words and live.
    pub(crate) fn living(&self) -> Vec<(u32, String)> {
        let folder = fs::read_dir(self.dir.join("there")).into_iter().flatten().flatten();
        let named = folder.filter_map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            let (pid, does) = name.split_once('.')?;
            Some((pid.parse().unwrap(), does.to_owned()))
        });
        named.filter(|(pid, _)| is_alive(*pid)).collect()
    }

    /// Waits until so many have noted themselves.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<(u32, String)> {
        until(20, "everybody is there", || self.living().len() >= count);
        self.living()
    }

    /// Everything that a scene's servers are or have left.
    pub(crate) fn left(&self) -> Vec<(u32, String)> {
        self.living()
    }

    /// The audit log.
    pub(crate) fn audit(&self) -> String {
        fs::read_to_string(self.dir.join("home/.local/state/mcp-reap/audit.jsonl")).unwrap_or_default()
    }
}

impl Client {
    /// Gives an order and waits for the answer.
    pub(crate) fn order(&mut self, order: &str) -> String {
        writeln!(self.orders, "{order}").unwrap();
        line(&mut self.answers)
    }

    /// SIGKILL, and nothing else.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// All processes but this one and pid 1.
pub(crate) fn processes() -> BTreeSet<u32> {
    let numbers = fs::read_dir("/proc").unwrap().filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(|pid| *pid != 1 && *pid != std::process::id()).collect()
}

/// The guardians that live.
pub(crate) fn guardians() -> Vec<u32> {
    processes().into_iter().filter(|pid| command(*pid).get(1).is_some_and(|word| word == "guard")).collect()
}

/// The one guardian there is.
pub(crate) fn guardian() -> u32 {
    let all = guardians();
    assert_eq!(all.len(), 1, "guardians {all:?}");
    all[0]
}

pub(crate) fn command(pid: u32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).into_owned();
    line.split_terminator('\0').map(str::to_owned).collect()
}

/// A field of `/proc/PID/stat` after the name, from 0: state, parent, ...
pub(crate) fn stat(pid: u32, field: usize) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let rest = &text[text.rfind(')')? + 2..];
    rest.split(' ').nth(field).map(str::to_owned)
}

pub(crate) fn parent(pid: u32) -> Option<u32> {
    stat(pid, 1)?.parse().ok()
}

pub(crate) fn is_alive(pid: u32) -> bool {
    stat(pid, 0).is_some_and(|state| state != "Z" && state != "X")
}

pub(crate) fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
}

/// Waits until something holds, and fails after so many seconds.
pub(crate) fn until(seconds: u64, what: &str, holds: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(seconds), "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

/// Fails unless something holds all the time.
pub(crate) fn throughout(seconds: u64, what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(seconds) {
        assert!(holds(), "after {:?} not: {what}", begun.elapsed());
        std::thread::sleep(Duration::from_millis(50));
    }
}
