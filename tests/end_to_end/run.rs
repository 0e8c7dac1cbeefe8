//! Running `mcp-reap` and understanding its answer.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::look::{self, Who};
use crate::schema;

/// One run that ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// The arguments.
    args: String,
    /// The exit code; 128 + n is a code here, an unhandled signal fails the scene.
    pub(crate) code: i32,
    /// stdout.
    pub(crate) stdout: Vec<u8>,
    /// stderr.
    pub(crate) stderr: Vec<u8>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// One that has not ended yet.
#[derive(Debug)]
pub(crate) struct Running {
    args: String,
    child: Child,
    since: Instant,
}

impl Running {
    /// Starts it: no terminal, and what it says is heard by us.
    pub(crate) fn start(mut command: Command) -> Running {
        let args = command.get_args().map(|a| a.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        Running { args, child, since: Instant::now() }
    }

    /// Its number.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it ended by now?
    pub(crate) fn has_ended(&self) -> bool {
        !look::who(self.pid()).is_alive()
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Run {
        // stderr aside, so that neither stream can fill up while the other is read.
        let mut stderr = self.child.stderr.take().unwrap();
        let aside = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stderr.read_to_end(&mut bytes).map(|_| bytes)
        });
        let Output { status, stdout, .. } = self.child.wait_with_output().unwrap();
        let run = Run {
            args: self.args,
            code: status
                .code()
                .unwrap_or_else(|| panic!("mcp-reap was killed by signal {:?}", status.signal())),
            stdout,
            stderr: aside.join().unwrap().unwrap(),
            took: self.since.elapsed(),
        };
        eprint!("{}", run.story());
        run
    }
}

impl Run {
    /// Fails unless the exit code is this one.
    pub(crate) fn exits(self, code: i32) -> Run {
        assert_eq!(self.code, code, "the exit code of `mcp-reap {}`", self.args);
        self
    }

    /// What it printed for machines.
    pub(crate) fn json(&self) -> Report {
        let value: Value = serde_json::from_slice(&self.stdout)
            .unwrap_or_else(|e| panic!("`mcp-reap {}` printed no JSON: {e}", self.args));
        assert_eq!(schema::problems("report", &value), [""; 0], "`mcp-reap {}`: {value}", self.args);
        let report = Report(value);
        report.is_sound();
        report
    }

    /// stdout as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// stderr as text.
    pub(crate) fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// For the log of a scene; shown when it fails.
    fn story(&self) -> String {
        let (args, code, took) = (&self.args, self.code, self.took);
        let indent =
            |text: String| text.lines().map(|l| format!("  | {}\n", l.escape_debug())).collect::<String>();
        format!(
            "`mcp-reap {args}` ended with {code} after {took:?}\n{}{}",
            indent(self.text()),
            indent(self.complaint())
        )
    }
}

/// The JSON report.
#[derive(Debug)]
pub(crate) struct Report(pub(crate) Value);

impl Report {
    /// What holds for every report: nobody is in two instances, and every root is a member.
    fn is_sound(&self) {
        let mut met = std::collections::HashSet::new();
        for instance in self.instances() {
            let instance = Instance(instance);
            assert!(instance.pids().contains(&instance.root()), "the root is no member: {}", instance.0);
            for pid in instance.pids() {
                assert!(met.insert(pid), "{pid} is in two instances, one of them {}", instance.0);
            }
        }
    }

    /// The instance that this process is a member of.
    pub(crate) fn instance(&self, who: Who) -> Option<Instance<'_>> {
        let has =
            |i: &&Value| i["pids"].as_array().unwrap().iter().any(|p| p.as_u64() == Some(who.pid.into()));
        self.instances().iter().find(has).map(Instance)
    }

    /// The same, where there must be one.
    pub(crate) fn must_have(&self, who: Who) -> Instance<'_> {
        self.instance(who).unwrap_or_else(|| panic!("no instance holds {who:?}"))
    }

    /// All instances.
    pub(crate) fn instances(&self) -> &Vec<Value> {
        self.0["instances"].as_array().unwrap()
    }

    /// The pids that a run would end.
    pub(crate) fn doomed(&self) -> Vec<u32> {
        let mut pids: Vec<u32> = self
            .instances()
            .iter()
            .filter(|i| i["reap"] == true)
            .flat_map(|i| i["pids"].as_array().unwrap())
            .map(|p| p.as_u64().unwrap().try_into().unwrap())
            .collect();
        pids.sort_unstable();
        pids
    }
}

/// One instance of the report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instance<'a>(pub(crate) &'a Value);

impl Instance<'_> {
    /// Its verdict.
    pub(crate) fn verdict(self) -> String {
        self.0["verdict"].as_str().unwrap().to_owned()
    }

    /// Would a run end it?
    pub(crate) fn reap(self) -> bool {
        self.0["reap"].as_bool().unwrap()
    }

    /// Its members' pids, sorted.
    pub(crate) fn pids(self) -> Vec<u32> {
        let mut pids: Vec<u32> = self.0["pids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p.as_u64().unwrap().try_into().unwrap())
            .collect();
        pids.sort_unstable();
        pids
    }

    /// Its root's pid.
    pub(crate) fn root(self) -> u32 {
        self.0["root"].as_u64().unwrap().try_into().unwrap()
    }
}
