//! Waiting with an end: a test that waits for another process fails after a minute instead of hanging.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Everything that is started here takes less than a second on an idle machine.
const LIMIT: Duration = Duration::from_mins(1);

/// `Command::output` with an end.
pub trait Limited {
    /// What it printed, with nothing on stdin.
    fn output_soon(&mut self) -> Output;
}

impl Limited for Command {
    fn output_soon(&mut self) -> Output {
        let child = self.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        finish(child.unwrap_or_else(|error| panic!("failed to start {self:?}: {error}")))
    }
}

/// Waits for the end of a child and what it printed.
pub fn finish(mut child: Child) -> Output {
    let stdout = child.stdout.take().map(all_of);
    let stderr = child.stderr.take().map(all_of);
    let status = end_of(&mut child);
    let text = |reader: Option<Receiver<Vec<u8>>>| {
        reader.map(|reader| reader.recv_timeout(LIMIT).expect("its output has an end")).unwrap_or_default()
    };
    Output { status, stdout: text(stdout), stderr: text(stderr) }
}

/// Waits for the end of a child; one that does not end is killed.
pub fn end_of(child: &mut Child) -> ExitStatus {
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > until {
            let _ = child.kill();
            let _ = child.wait();
            panic!("no end after {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn all_of(mut from: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (to, all) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        to.send(bytes)
    });
    all
}

/// The first lines of something that goes on; it is closed after the last of them.
pub struct Lines(Receiver<String>);

impl Lines {
    /// The first so many.
    pub fn of(from: impl Read + Send + 'static, count: usize) -> Lines {
        let (to, lines) = channel();
        let mut read = BufReader::new(from).lines().map_while(Result::ok).take(count);
        thread::spawn(move || read.try_for_each(|line| to.send(line)));
        Lines(lines)
    }

    /// The next one.
    pub fn next(&self) -> String {
        self.0.recv_timeout(LIMIT).expect("another line")
    }
}
