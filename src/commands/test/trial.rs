//! Runs a server up to one ending, and counts the processes that it leaves.
//!
//! This process becomes a child subreaper. So everything that the server starts stays below it, also after a double
//! fork, and neither a namespace nor root is needed to see what is left.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, PipeWriter, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;
use serde::Serialize;

use super::super::output::notice;
use super::super::session::own_program;
use super::client::Greeting;
use super::server_stderr::ServerStderr;
use crate::cli::Ending;
use crate::process::{Interest, Pid, ProcessId, ProcessRecord};
use crate::reap::{Kernel as _, Signal};
use crate::redact;
use crate::sys::{self, OsKernel};
use crate::tree::Tree;
use crate::units::show_duration;

/// How long a server may take to answer; npx and uvx may download it first.
const TO_ANSWER: Duration = Duration::from_mins(1);
/// After this time without an answer, a notice says what is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait under exec: a linger of one second, the time to leave, and the grace after SIGTERM.
pub(super) const UNDER_EXEC: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// A process that was left.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Leftover {
    #[serde(skip)]
    id: ProcessId,
    pub(super) pid: Pid,
    /// Its command line, redacted.
    pub(super) command: String,
}

/// The settings of all runs.
#[derive(Debug)]
pub(super) struct Trial {
    program: std::path::PathBuf,
    wait: Duration,
    /// Print neither what is waited for nor the server's stderr.
    quiet: bool,
}

impl Trial {
    /// Makes this process a child subreaper.
    ///
    /// # Errors
    /// When the system refuses. Then nothing could be counted.
    pub(super) fn prepare(wait: Duration, quiet: bool) -> anyhow::Result<Trial> {
        let program = own_program()?;
        become_subreaper()?;
        Ok(Trial { program, wait, quiet })
    }

    /// Plays one ending and returns the processes that were left of the server. They have been ended.
    ///
    /// # Errors
    /// When the server does not start or answer, or what is left cannot be counted.
    pub(super) fn play(
        &self,
        ending: Ending,
        command: &[OsString],
        exec: bool,
    ) -> anyhow::Result<Vec<Leftover>> {
        let (stderr, of_server) = std::io::pipe().context("failed to make a pipe")?;
        let stderr = ServerStderr::show(stderr, self.quiet);
        let (mut client, terminal) = self.client(ending, command, exec, of_server)?;
        let name = name(ending) + if exec { ", under exec" } else { "" };
        let left = self
            .greeted(&mut client, &name)
            .and_then(|answers| end(ending, &mut client, terminal, &answers).context(name))
            .and_then(|()| self.left(&client, exec));
        // The client is ended first, because it may start its server again.
        let _ = client.kill();
        let _ = client.wait();
        let ended = end_all();
        stderr.wait();
        left.and_then(|left| ended.map(|()| left))
    }

    fn client(
        &self,
        ending: Ending,
        command: &[OsString],
        exec: bool,
        stderr: PipeWriter,
    ) -> anyhow::Result<(Child, Option<OwnedFd>)> {
        let (mut client, terminal) = match ending {
            Ending::TerminalGone => {
                let pty = nix::pty::openpty(None, None).context("failed to open a terminal")?;
                let name = nix::unistd::ttyname(&pty.slave).context("failed to name a terminal")?;
                for end in [&pty.master, &pty.slave] {
                    rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
                }
                // A session leader without a terminal gets the terminal that it opens (tty_ioctl(4)).
                let mut client = Command::new("setsid");
                client.args(["sh", "-c", "exec 3<>\"$0\" && exec \"$@\""]).arg(name).arg(&self.program);
                (client, Some(pty.master))
            }
            _ => (Command::new(&self.program), None),
        };
        client.args(["test", "--play-client", &name(ending), "--"]);
        if exec {
            client.arg(&self.program).args(["exec", "--linger", "1s", "--"]);
        }
        client.args(command).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        Ok((client.spawn().context("failed to start the client")?, terminal))
    }

    /// Waits until the server has answered; returns what the client prints from then on.
    fn greeted(&self, client: &mut Child, name: &str) -> anyhow::Result<Receiver<String>> {
        const STDIO: &str = "`mcp-reap test` speaks MCP over stdin and stdout, so the command must start the \
            server in that mode; some servers need an option for it, such as --stdio";
        let answers = client.stdout.take().context("no stdout")?;
        let (sender, receiver) = std::sync::mpsc::channel();
        // A read has no time limit, so it is done on a thread.
        std::thread::spawn(move || {
            for line in BufReader::new(answers).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut line = receiver.recv_timeout(PATIENCE);
        if line == Err(RecvTimeoutError::Timeout) {
            if !self.quiet {
                let limit = show_duration(TO_ANSWER);
                notice(&format!("  the server has not answered yet; waiting up to {limit} for it"));
            }
            line = receiver.recv_timeout(TO_ANSWER.saturating_sub(PATIENCE));
        }
        let Ok(line) = line else {
            let limit = show_duration(TO_ANSWER);
            bail!("{name}: the server did not answer `initialize` within {limit}; {STDIO}");
        };
        match serde_json::from_str(&line).context("the client said something else")? {
            Greeting::Answered => Ok(receiver),
            Greeting::NotStarted(why) => bail!(why),
            Greeting::NoAnswer(why) => bail!("{name}: the server {why}; {STDIO}"),
            Greeting::Refused => bail!("{name}: the server refused `initialize`"),
        }
    }

    fn left(&self, client: &Child, exec: bool) -> anyhow::Result<Vec<Leftover>> {
        let until = Instant::now() + if exec { self.wait.max(UNDER_EXEC) } else { self.wait };
        loop {
            let left = below_us(Some(Pid(client.id())))?;
            if left.is_empty() || Instant::now() >= until {
                return Ok(left);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

/// The word for an ending that `--ending` takes.
pub(super) fn name(ending: Ending) -> String {
    ending.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// Ends the conversation.
fn end(
    ending: Ending,
    client: &mut Child,
    terminal: Option<OwnedFd>,
    answers: &Receiver<String>,
) -> anyhow::Result<()> {
    match ending {
        Ending::ClientKilled => client.kill().context("failed to kill the client")?,
        Ending::TerminalGone => drop(terminal),
        _ => {
            let orders = client.stdin.as_mut().context("no stdin")?;
            writeln!(orders, "end").context("the client has ended")?;
            answers.recv_timeout(TO_ANSWER).context("the client did not end the conversation")?;
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn become_subreaper() -> anyhow::Result<()> {
    use rustix::process::{getpid, set_child_subreaper};
    set_child_subreaper(Some(getpid())).context("failed to become a subreaper")
}

#[cfg(not(target_os = "linux"))]
fn become_subreaper() -> anyhow::Result<()> {
    bail!("births cannot be followed on this system")
}

/// All processes below this one, except the client and guardians.
fn below_us(client: Option<Pid>) -> anyhow::Result<Vec<Leftover>> {
    let table = sys::snapshot(|_| Interest::default()).context("failed to read the process table")?;
    let tree = Tree::new(&table);
    let us = Pid(std::process::id());
    let counts = |record: &&ProcessRecord| {
        record.pid() != us && Some(record.pid()) != client && !record.is_zombie() && !is_guardian(record)
    };
    let left = |record: &ProcessRecord| {
        let command = record.argv.as_ref().map(|argv| redact::argv(argv).join(" "));
        let command = command.unwrap_or_else(|| record.comm.to_string());
        Leftover { id: record.id, pid: record.pid(), command }
    };
    Ok(tree.descend(us, |_| false).into_iter().filter(counts).map(left).collect())
}

fn is_guardian(record: &ProcessRecord) -> bool {
    let argv = record.argv.as_ref();
    argv.is_some_and(|argv| argv.iter().take(2).eq([b"mcp-reap".as_slice(), b"guard"]))
}

/// Ends what is left, repeatedly until nothing is, because processes may fork before they are killed.
fn end_all() -> anyhow::Result<()> {
    let mut kernel = OsKernel::new(false, Arc::new(AtomicUsize::new(0)))?;
    for _ in 0..50 {
        let left = below_us(None)?;
        if left.is_empty() {
            return Ok(());
        }
        for Leftover { id, .. } in left {
            // An error means that the process is gone.
            if let Ok(held) = kernel.hold(id) {
                let _ = kernel.signal(&held, Signal::Kill);
            }
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    bail!("what was left could not be ended")
}
