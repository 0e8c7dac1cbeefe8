//! A person at a terminal: reads the screen, presses keys.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::stage::Stage;

/// Somebody who typed a command line, with `mcp-reap` in it as `$reap`.
pub(crate) struct Person {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    /// Everything that stood on the screen so far.
    pub(crate) seen: String,
    read: usize,
}

impl Person {
    /// Types a line on a terminal of this kind, made by the one program that makes one and is on every Linux.
    pub(crate) fn types(stage: &Stage, term: &str, line: &str) -> Person {
        let direct = stage.command(&[]);
        let mut script = Command::new("script");
        let line = line.replace("$reap", direct.get_program().to_str().unwrap());
        script.args(["-qec", &line, "/dev/null"]).env_clear();
        script.envs(direct.get_envs().filter_map(|(name, value)| Some((name, value?))));
        script.env("TERM", term).env("LC_ALL", "C.UTF-8").env("SHELL", "/bin/sh").current_dir(stage.home());
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Person { child, keys, screen, seen: String::new(), read: 0 }
    }

    /// Reads on until this stands there, after what was read before.
    pub(crate) fn reads(&mut self, word: &str) -> &mut Person {
        let mut bytes = [0; 1];
        while !self.seen[self.read..].contains(word) {
            assert_eq!(
                self.screen.read(&mut bytes).unwrap(),
                1,
                "it ended without saying {word:?}: {}",
                self.seen
            );
            // What is not ASCII is not looked for.
            self.seen.push(if bytes[0].is_ascii() { char::from(bytes[0]) } else { '?' });
        }
        self.read = self.seen.len();
        self
    }

    /// Presses keys.
    pub(crate) fn presses(&mut self, keys: &str) -> &mut Person {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Reads to the end; the exit code, and the whole screen.
    pub(crate) fn leaves(mut self) -> (i32, String) {
        let mut rest = Vec::new();
        self.screen.read_to_end(&mut rest).unwrap();
        self.seen.push_str(&String::from_utf8_lossy(&rest));
        (self.child.wait().unwrap().code().unwrap(), self.seen)
    }
}
