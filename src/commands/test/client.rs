//! The client of a trial. It is a separate process, so that it can be killed.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::cli::Ending;

/// The first request of every session (MCP 2025-06-18, lifecycle).
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"mcp-reap-test","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// The time between two signals, as in real clients.
const BETWEEN_SIGNALS: Duration = Duration::from_millis(500);

/// The first line that the client prints: whether the server started. Its stderr belongs to the server.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Greeting {
    /// The server answered, so the conversation can be ended.
    Answered,
    /// There is no such program, or it cannot be run.
    NotStarted(String),
    /// It does not speak MCP over stdin and stdout.
    NoAnswer(String),
    /// It speaks MCP, and refused the session.
    Refused,
}

/// Starts the server and talks to it, prints whether it answered, waits for one line on stdin, ends the conversation as
/// `ending` says, and stays until it is killed.
pub(super) fn play(ending: Ending, command: &[OsString]) -> anyhow::Result<()> {
    let (program, arguments) = command.split_first().context("no command")?;
    let mut server = Command::new(program);
    server.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut server = match server.spawn() {
        Ok(server) => server,
        Err(error) => {
            let why = format!("failed to start {}: {error}", program.display());
            return println_(&serde_json::to_string(&Greeting::NotStarted(why))?);
        }
    };
    let mut input = server.stdin.take().context("no stdin")?;
    let mut output = BufReader::new(server.stdout.take().context("no stdout")?);
    let greeting = greet(&mut input, &mut output);
    println_(&serde_json::to_string(&greeting)?)?;
    if !matches!(greeting, Greeting::Answered) {
        return Ok(());
    }
    // Any line is the order to go on.
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    end(ending, server, input, output)?;
    println_("ended")?;
    loop {
        std::thread::park();
    }
}

fn println_(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).context("nobody listens")
}

fn greet(input: &mut ChildStdin, output: &mut BufReader<ChildStdout>) -> Greeting {
    let closed = || Greeting::NoAnswer("closed its stdin before it answered `initialize`".to_owned());
    if writeln!(input, "{INITIALIZE}").is_err() {
        return closed();
    }
    loop {
        let mut line = Vec::new();
        match output.read_until(b'\n', &mut line) {
            Ok(0) => {
                return Greeting::NoAnswer(
                    "closed its stdout or ended before it answered `initialize`".to_owned(),
                );
            }
            Ok(_) => {}
            Err(error) => return Greeting::NoAnswer(format!("gave no readable answer: {error}")),
        }
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(&line) else { continue };
        if message["id"] != 1 {
            continue;
        }
        if message.get("result").is_none() {
            return Greeting::Refused;
        }
        return writeln!(input, "{INITIALIZED}").map_or_else(|_| closed(), |()| Greeting::Answered);
    }
}

fn end(
    ending: Ending,
    mut server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
) -> anyhow::Result<()> {
    match ending {
        // In both endings something is done to this process, so it keeps everything open.
        Ending::ClientKilled | Ending::TerminalGone => std::mem::forget((server, input, output)),
        Ending::WireClosed => {}
        Ending::StdinClosed => std::mem::forget(output),
        Ending::ServerKilled => server.kill().context("failed to kill the server")?,
        Ending::Signals => {
            for signal in [crate::sys::ChildSignal::Interrupt, crate::sys::ChildSignal::Terminate] {
                // The server may have ended already.
                let _ = crate::sys::signal_child(&server, signal);
                std::thread::sleep(BETWEEN_SIGNALS);
            }
            let _ = server.kill();
        }
    }
    Ok(())
}
