//! A look as it was: every call with its answer, written down on a Mac and played again anywhere. What continuous
//! integration records on a real Mac, of its own children, is kept below `tests/mac_model/fixtures`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use mcp_reap::process::{Pid, Snapshot, Viewer};
use mcp_reap::sys::macos::calls::{Kevent, USAGE_SIZE};
use mcp_reap::sys::macos::{Calls, Kqueue, snapshot_by};
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::scenes::lively;

/// Bytes, or the errno.
type Answer = Result<Vec<u8>, i32>;

#[derive(Debug, Serialize, Deserialize)]
struct Recorded {
    pid: u32,
    uid: u32,
    at: DateTime<Utc>,
    null: Option<u32>,
    devices: BTreeMap<u32, Option<String>>,
    /// The answers to each call, in order.
    answers: BTreeMap<String, Vec<Answer>>,
}

/// Writes down what another answers.
pub struct Recorder<C> {
    calls: C,
    /// Only these are listed; `None`: everybody.
    only: Option<Vec<Pid>>,
    recorded: RefCell<Recorded>,
}

impl<C: Calls> Recorder<C> {
    pub fn new(calls: C, only: Option<Vec<Pid>>) -> Recorder<C> {
        let (viewer, at, null) = (calls.viewer(), calls.time_of_day(), calls.null_device());
        let recorded = Recorded {
            pid: viewer.pid.0,
            uid: viewer.uid.0,
            at,
            null,
            devices: BTreeMap::new(),
            answers: BTreeMap::new(),
        };
        Recorder { calls, only, recorded: RefCell::new(recorded) }
    }

    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&*self.recorded.borrow()).unwrap()
    }

    fn note<T>(
        &self,
        key: String,
        answer: io::Result<T>,
        bytes: impl FnOnce(&T) -> Vec<u8>,
    ) -> io::Result<T> {
        let kept = match &answer {
            Ok(value) => Ok(bytes(value)),
            Err(error) => Err(error.raw_os_error().unwrap_or(0)),
        };
        self.recorded.borrow_mut().answers.entry(key).or_default().push(kept);
        answer
    }
}

pub struct NoKqueue;

impl Kqueue for NoKqueue {
    fn add(&self, _: Kevent) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn next(&self, _: Option<Duration>) -> io::Result<Vec<Kevent>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl<C: Calls> Calls for Recorder<C> {
    type Kqueue = NoKqueue;

    fn pids(&self) -> io::Result<Vec<Pid>> {
        let mut pids = self.calls.pids()?;
        if let Some(only) = &self.only {
            pids.retain(|pid| only.contains(pid));
        }
        self.note("pids".to_owned(), Ok(pids), |pids| {
            pids.iter().flat_map(|pid| pid.0.to_le_bytes()).collect()
        })
    }

    fn pid_info(&self, pid: Pid, flavor: i32, arg: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let answer = self.calls.pid_info(pid, flavor, arg, buffer);
        self.note(format!("pid {pid} {flavor} {arg}"), answer, |length| buffer[..*length].to_vec())
    }

    fn fd_info(&self, pid: Pid, fd: i32, flavor: i32, buffer: &mut [u8]) -> io::Result<usize> {
        let answer = self.calls.fd_info(pid, fd, flavor, buffer);
        self.note(format!("fd {pid} {fd} {flavor}"), answer, |length| buffer[..*length].to_vec())
    }

    fn path(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
        let answer = self.calls.path(pid, buffer);
        self.note(format!("path {pid}"), answer, |length| buffer[..*length].to_vec())
    }

    fn arguments(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
        let answer = self.calls.arguments(pid, buffer);
        self.note(format!("arguments {pid}"), answer, |length| buffer[..*length].to_vec())
    }

    fn usage(&self, pid: Pid, buffer: &mut [u8; USAGE_SIZE]) -> io::Result<()> {
        let answer = self.calls.usage(pid, buffer);
        self.note(format!("usage {pid}"), answer, |()| buffer.to_vec())
    }

    fn timebase(&self) -> (u32, u32) {
        self.calls.timebase()
    }

    fn device_name(&self, device: u32) -> Option<String> {
        let name = self.calls.device_name(device);
        self.recorded.borrow_mut().devices.insert(device, name.clone());
        name
    }

    fn null_device(&self) -> Option<u32> {
        self.calls.null_device()
    }

    fn session(&self, pid: Pid) -> io::Result<Pid> {
        let answer = self.calls.session(pid);
        self.note(format!("session {pid}"), answer, |session| session.0.to_le_bytes().to_vec())
    }

    fn kill(&self, _: Pid, _: i32) -> io::Result<()> {
        unreachable!("only looks are recorded")
    }

    fn kill_version(&self, _: Pid, _: u32, _: i32) -> Option<io::Result<()>> {
        unreachable!("only looks are recorded")
    }

    fn kqueue(&self) -> io::Result<NoKqueue> {
        Ok(NoKqueue)
    }

    fn close(&self, _: i32) -> io::Result<()> {
        unreachable!("a look closes nothing")
    }

    fn viewer(&self) -> Viewer {
        self.calls.viewer()
    }

    fn time_of_day(&self) -> DateTime<Utc> {
        self.recorded.borrow().at
    }

    fn now(&self) -> Duration {
        self.calls.now()
    }

    fn sleep(&self, time: Duration) {
        self.calls.sleep(time);
    }
}

/// Answers as it was recorded, the last answer again where more is asked.
pub struct Replay(RefCell<Recorded>);

impl Replay {
    pub fn new(json: &[u8]) -> Replay {
        Replay(RefCell::new(serde_json::from_slice(json).unwrap()))
    }

    fn answer(&self, key: &str) -> io::Result<Vec<u8>> {
        let mut recorded = self.0.borrow_mut();
        let answers = recorded.answers.get_mut(key).unwrap_or_else(|| panic!("nobody recorded `{key}`"));
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        answer.map_err(io::Error::from_raw_os_error)
    }

    fn fill(&self, key: &str, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.answer(key)?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().unwrap())
}

impl Calls for Replay {
    type Kqueue = NoKqueue;

    fn pids(&self) -> io::Result<Vec<Pid>> {
        Ok(self.answer("pids")?.chunks(4).map(|four| Pid(number(four))).collect())
    }

    fn pid_info(&self, pid: Pid, flavor: i32, arg: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill(&format!("pid {pid} {flavor} {arg}"), buffer)
    }

    fn fd_info(&self, pid: Pid, fd: i32, flavor: i32, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill(&format!("fd {pid} {fd} {flavor}"), buffer)
    }

    fn path(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill(&format!("path {pid}"), buffer)
    }

    fn arguments(&self, pid: Pid, buffer: &mut [u8]) -> io::Result<usize> {
        self.fill(&format!("arguments {pid}"), buffer)
    }

    fn usage(&self, pid: Pid, buffer: &mut [u8; USAGE_SIZE]) -> io::Result<()> {
        self.fill(&format!("usage {pid}"), buffer).map(drop)
    }

    fn timebase(&self) -> (u32, u32) {
        (1, 1)
    }

    fn device_name(&self, device: u32) -> Option<String> {
        self.0.borrow().devices[&device].clone()
    }

    fn null_device(&self) -> Option<u32> {
        self.0.borrow().null
    }

    fn session(&self, pid: Pid) -> io::Result<Pid> {
        Ok(Pid(number(&self.answer(&format!("session {pid}"))?)))
    }

    fn kill(&self, _: Pid, _: i32) -> io::Result<()> {
        unreachable!("nobody is signalled in a replay")
    }

    fn kill_version(&self, _: Pid, _: u32, _: i32) -> Option<io::Result<()>> {
        unreachable!("nobody is signalled in a replay")
    }

    fn kqueue(&self) -> io::Result<NoKqueue> {
        Ok(NoKqueue)
    }

    fn close(&self, _: i32) -> io::Result<()> {
        unreachable!("a look closes nothing")
    }

    fn viewer(&self) -> Viewer {
        let recorded = self.0.borrow();
        Viewer { pid: Pid(recorded.pid), uid: mcp_reap::process::Uid(recorded.uid) }
    }

    fn time_of_day(&self) -> DateTime<Utc> {
        self.0.borrow().at
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {}
}

/// Looks closely at everybody.
fn everybody(calls: &impl Calls) -> Snapshot {
    snapshot_by(calls, &mut |table| {
        table.processes.iter().map(mcp_reap::process::ProcessRecord::pid).collect::<Vec<Pid>>().into()
    })
    .unwrap()
}

#[test]
fn what_was_recorded_is_read_again_alike() {
    let recorder = Recorder::new(Machine::of(lively().0), None);
    let seen = everybody(&recorder);
    assert_eq!(everybody(&Replay::new(&recorder.to_json())), seen);
}

/// `children.json` of a Mac has our test's own children: `cat` on two pipes that are held, and on two that are closed.
#[test]
fn the_bytes_of_real_macs_are_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mac_model/fixtures");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        check_children(&everybody(&Replay::new(&std::fs::read(entry.path()).unwrap())));
        read += 1;
    }
    println!("{read} recordings of real Macs");
    // The check itself, on the model's bytes.
    let mut world = crate::scenes::desktop();
    let viewer = world.viewer;
    for held in [true, false] {
        let cat = world.serve(
            viewer,
            crate::scenes::Style::Pipes,
            &["/bin/sleep", if held { "600" } else { "601" }],
        );
        if !held {
            let ends: Vec<i32> = world.processes[&viewer].fds.keys().copied().filter(|fd| *fd > 4).collect();
            ends.iter().for_each(|fd| world.close(viewer, *fd));
        }
        world.body(cat).terminal = None;
    }
    check_children(&everybody(&Machine::of(world)));
}

/// Two children of the viewer: `sleep 600` with both pipes held by it, `sleep 601` with both closed.
fn check_children(snapshot: &Snapshot) {
    use mcp_reap::process::{OtherEnd, StdioKind};
    for (seconds, end) in [("600", OtherEnd::Unread), ("601", OtherEnd::Closed)] {
        let is = |record: &&mcp_reap::process::ProcessRecord| {
            record.argv.as_ref().is_some_and(|argv| argv.iter().any(|word| word == seconds.as_bytes()))
        };
        let child = snapshot.processes.iter().find(is).unwrap();
        assert_eq!((child.parent, child.uid), (snapshot.viewer.pid, Some(snapshot.viewer.uid)));
        assert_eq!(child.details.exe.as_ref().unwrap().to_string(), "/bin/sleep");
        assert!(child.rss > 0 && child.session > Pid(0) && child.group > Pid(0));
        assert!((snapshot.age(child)) < 3_600.0 && child.details.cwd.is_some());
        assert_eq!((child.details.tracer, child.details.adopted), (Some(Pid(0)), None));
        // Our own ends are never counted, so of a held pipe it is only known that it is not closed.
        let stdio = child.details.stdio.as_ref().unwrap();
        assert_eq!(
            (stdio.stdin_kind, stdio.stdin(), stdio.stdout()),
            (StdioKind::Pipe, end, end),
            "sleep {seconds}"
        );
    }
    let launchd = snapshot.processes.iter().find(|record| record.pid() == Pid::INIT);
    assert!(launchd.is_none_or(|launchd| launchd.comm.to_string() == "launchd"));
}

/// On a Mac: the same children for real, their bytes written to `target/mac-fixtures/children.json`.
#[cfg(target_os = "macos")]
#[test]
fn the_bytes_of_our_own_children_are_understood_and_kept() {
    use std::process::{Command, Stdio};
    let sleep = |seconds: &str| {
        let mut command = Command::new("/bin/sleep");
        // What is kept shall have nobody's environment in it.
        command.env_clear().arg(seconds).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let (mut held, mut closed) = (sleep("600"), sleep("601"));
    drop((closed.stdin.take(), closed.stdout.take()));
    let only = vec![Pid(1), Pid(held.id()), Pid(closed.id())];
    let recorder = Recorder::new(mcp_reap::sys::macos::Mac, Some(only));
    let seen = everybody(&recorder);
    for child in [&mut held, &mut closed] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    check_children(&seen);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/mac-fixtures");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("children.json"), recorder.to_json()).unwrap();
    check_children(&everybody(&Replay::new(&recorder.to_json())));
}
