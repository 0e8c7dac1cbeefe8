//! The client: holds its servers' wires and does, line by line, what the scene tells it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::role::Actor;
use crate::wire::Ends;

/// What a scene may ask of a client. Every order is answered with one line: empty, or what failed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Send a ping to this server and wait for its answer.
    Ping(String),
    /// Let go of both ends of this server's wire, and of nothing else.
    HangUp(String),
    /// Let go of the end that writes to this server's stdin.
    CloseInput(String),
    /// Start somebody who inherits this server's wire: the end that writes to it, and the one that
    /// reads from it if the second is true.
    Share(String, bool, Box<Actor>),
    /// Start another server.
    Start(Box<Actor>),
    /// Call a hook as most clients do: a line for a shell, the event on its stdin, in this environment.
    Hook(String, String, Vec<(String, String)>),
}

/// The client's side of one wire.
struct Line {
    to: Option<File>,
    from: Option<BufReader<File>>,
}

impl From<Ends> for Line {
    fn from(ends: Ends) -> Line {
        Line { to: ends.to, from: ends.from.map(BufReader::new) }
    }
}

/// Plays until it is killed. Dead servers are not collected: a client that forgets to is one of the
/// scenes, and the others do not care.
pub(crate) fn play(dir: &Path, started: Vec<(String, Child, Ends)>) {
    let mut children = Vec::new();
    let mut lines: HashMap<String, Line> = HashMap::new();
    for (tag, child, ends) in started {
        children.push(child);
        lines.insert(tag, ends.into());
    }
    for order in std::io::stdin().lines().map_while(Result::ok) {
        let answer = match serde_json::from_str(&order).unwrap() {
            Order::Ping(tag) => ping(lines.get_mut(&tag)).err().unwrap_or_default(),
            Order::HangUp(tag) => {
                lines.remove(&tag).map_or_else(|| format!("no wire {tag}"), |_| String::new())
            }
            Order::CloseInput(tag) => match lines.get_mut(&tag).and_then(|line| line.to.take()) {
                Some(_) => String::new(),
                None => format!("no open input {tag}"),
            },
            Order::Share(tag, both, actor) => {
                let line = &lines[&tag];
                let to = line.to.as_ref().map(|to| to.try_clone().unwrap());
                let from =
                    line.from.as_ref().filter(|_| both).map(|from| from.get_ref().try_clone().unwrap());
                children.push(actor.start_on(dir, to, from));
                String::new()
            }
            Order::Start(actor) => {
                let (child, ends) = actor.start(dir);
                children.push(child);
                lines.insert(actor.tag.clone(), ends.into());
                String::new()
            }
            Order::Hook(line, event, environment) => {
                hook(&line, &event, environment).err().unwrap_or_default()
            }
        };
        println!("{answer}");
    }
    // Whoever gave the orders is gone. A real client may hang on too.
    loop {
        std::thread::park();
    }
}

/// A hook's call, which says nothing and ends well.
fn hook(line: &str, event: &str, environment: Vec<(String, String)>) -> Result<(), String> {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", line]).env_clear().envs(environment);
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().map_err(|e| e.to_string())?;
    let mut to = child.stdin.take().ok_or("no stdin")?;
    to.write_all(event.as_bytes()).map_err(|e| e.to_string())?;
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    let silent = output.stdout.is_empty() && output.stderr.is_empty();
    if output.status.success() && silent { Ok(()) } else { Err(format!("{output:?}").replace('\n', " ")) }
}

/// One request and its answer over the wire.
fn ping(line: Option<&mut Line>) -> Result<(), String> {
    let line = line.ok_or("no such wire")?;
    let (to, from) = (line.to.as_mut().ok_or("input closed")?, line.from.as_mut().ok_or("output closed")?);
    writeln!(to, "{}", json!({"jsonrpc": "2.0", "id": 7, "method": "ping"})).map_err(|e| e.to_string())?;
    let mut answer = String::new();
    from.read_line(&mut answer).map_err(|e| e.to_string())?;
    if answer.contains("\"result\"") { Ok(()) } else { Err(format!("answered {answer:?}")) }
}
