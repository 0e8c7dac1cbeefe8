//! What only Linux has: threads with numbers, PID namespaces, and users of which tests can play another.

#![allow(clippy::unwrap_used)]

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;

use super::kernel_tests::row_of;
use super::real_stage_tests::Sleeper;
use super::*;
use crate::process::StartTime;
use crate::reap::{HeldPipe, Lookout};

fn kernel() -> OsKernel {
    OsKernel::new(false, Arc::default()).unwrap()
}

/// The identity as the table shows it now, of any user.
fn id_of(kernel: &mut OsKernel, pid: Pid) -> ProcessId {
    ProcessId { pid, start: StartTime(kernel.proc.row(pid).unwrap().start_ticks) }
}

#[test]
fn the_number_of_a_thread_is_not_a_process() {
    let mut kernel = kernel();
    let (sender, number) = std::sync::mpsc::channel();
    let (stay, gone) = std::sync::mpsc::channel::<()>();
    let thread = thread::spawn(move || {
        sender.send(nix::unistd::gettid().as_raw().unsigned_abs()).unwrap();
        let _ = gone.recv();
    });
    let id = id_of(&mut kernel, Pid(number.recv().unwrap()));
    assert_eq!(kernel.hold(id).unwrap_err(), Refusal::Reused);
    drop(stay);
    thread.join().unwrap();
}

#[test]
fn a_thread_of_the_kernel_is_no_target_even_for_root() {
    let mut kernel = OsKernel::new(true, Arc::default()).unwrap();
    // Pid 2 is kthreadd, except in a container, where it is an ordinary process.
    let Some(row) = kernel.proc.row(Pid(2)).ok().filter(|row| row.kernel_thread) else { return };
    let id = ProcessId { pid: Pid(2), start: StartTime(row.start_ticks) };
    assert_eq!(kernel.hold(id).unwrap_err(), Refusal::Denied("is a thread of the kernel".into()));
    assert!(kernel.process_table().rows.iter().all(|row| row.id != id && row.parent != Pid(2)));
}

#[test]
fn another_users_process_is_denied_unless_all_users_are_meant() {
    let mut kernel = kernel();
    if kernel.uid.0 != 0 {
        // Without root nobody can start one; pid 1's user is the only other that is certain.
        return;
    }
    let child = Sleeper::from(Command::new("sleep").arg("600").uid(65_534));
    let id = id_of(&mut kernel, child.pid());
    assert_eq!(kernel.hold(id).unwrap_err(), Refusal::Denied("belongs to user 65534".into()));
    // It may share a group with ours, so it is seen all the same.
    assert!(row_of(&mut kernel, id.pid).is_some_and(|row| !row.ours && row.uid == Some(Uid(65_534))));
    let mut for_all = OsKernel::new(true, Arc::default()).unwrap();
    for_all.hold(id).unwrap();
    assert!(row_of(&mut for_all, id.pid).is_some_and(|row| row.ours));
}

#[test]
fn a_process_of_another_pid_namespace_is_denied_unless_its_maker_is_held() {
    let mut kernel = kernel();
    let child = Sleeper::from(Command::new("unshare").args([
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--kill-child",
        "sleep",
        "600",
    ]));
    let late = kernel.now() + Duration::from_secs(5);
    let inside = loop {
        if let Some(kin) = kernel.process_table().rows.iter().find(|kin| kin.parent == child.pid()) {
            break *kin;
        }
        if kernel.now() > late {
            // A machine without user namespaces cannot tell; nothing was started that could be held.
            return;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let refused = kernel.hold(inside.id).unwrap_err();
    assert_eq!(refused, Refusal::Denied("lives in another PID namespace".into()));
    // With the process that made the namespace it is held, and only then.
    let maker =
        kernel.process_table().rows.iter().find(|kin| kin.id.pid == child.pid()).map(|kin| kin.id).unwrap();
    kernel.hold(maker).unwrap();
    kernel.hold(inside.id).unwrap();
}

#[test]
fn each_error_of_the_kernel_has_its_meaning() {
    assert_eq!(refusal(Errno::SRCH), Refusal::Gone);
    assert_eq!(refusal(Errno::NOENT), Refusal::Gone);
    for (errno, word) in
        [(Errno::PERM, "permitted"), (Errno::ACCESS, "denied"), (Errno::MFILE, "no file descriptor left")]
    {
        let Refusal::Denied(text) = refusal(errno) else { panic!("{errno} is a denial") };
        assert!(text.contains(word), "{text}");
    }
}

/// Those on the first three descriptors: the parent of the tests may have left others open.
fn stdio_wires(kernel: &mut OsKernel, id: ProcessId) -> Option<Vec<HeldPipe>> {
    Some(kernel.wires(id)?.into_iter().filter(|wire| wire.fd < 3).collect())
}

#[test]
fn a_wire_has_the_same_number_in_all_who_inherited_it_and_other_descriptors_have_none() {
    let mut kernel = kernel();
    let (reader, writer) = std::io::pipe().unwrap();
    let (socket, peer) = UnixStream::pair().unwrap();
    let spawn = |stdin: Stdio| {
        let mut sleep = Command::new("sleep");
        sleep.arg("600").stdin(stdin).stdout(OwnedFd::from(socket.try_clone().unwrap()));
        sleep.stderr(Stdio::null()).spawn().unwrap()
    };
    let mut children = [
        spawn(reader.try_clone().unwrap().into()),
        spawn(reader.into()),
        spawn(Stdio::null()),
        spawn(OwnedFd::from(peer).into()),
    ];
    let ids = children.each_ref().map(|child| id_of(&mut kernel, Pid(child.id())));
    let [first, second, third, fourth] = ids.map(|id| stdio_wires(&mut kernel, id).unwrap());
    let [pipe, socket] = first[..] else { panic!("{first:?}") };
    assert_eq!((pipe.fd, socket.fd), (0, 1));
    assert_ne!(pipe.number, socket.number);
    assert_eq!(second, first);
    assert_eq!(third, [socket]);
    let [peer, mine] = fourth[..] else { panic!("{fourth:?}") };
    assert!(peer.number != socket.number && mine == socket, "the other end is another socket");
    // Another start is another process, and of one that has ended nothing is known.
    let id = ids[0];
    assert_eq!(kernel.wires(ProcessId { start: StartTime(id.start.0 + 1), ..id }), None);
    children.iter_mut().for_each(|child| child.kill().unwrap());
    children.iter_mut().for_each(|child| drop(child.wait()));
    assert!(ids.iter().all(|id| kernel.wires(*id).is_none()));
    drop(writer);
}

#[test]
fn a_wire_is_seen_on_any_descriptor() {
    let mut kernel = kernel();
    let (reader, _writer) = std::io::pipe().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec 9<&0 0</dev/null; exec sleep 600"]).stdin(reader).stdout(Stdio::null());
    let mut child = shell.stderr(Stdio::null()).spawn().unwrap();
    let id = id_of(&mut kernel, Pid(child.id()));
    let late = kernel.now() + Duration::from_secs(10);
    let moved = loop {
        let fds: Vec<u32> = kernel.wires(id).unwrap().into_iter().map(|wire| wire.fd).collect();
        if fds.contains(&9) && !fds.contains(&0) {
            break true;
        }
        if kernel.now() > late {
            break false;
        }
        thread::sleep(Duration::from_millis(5));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(moved);
}

#[test]
fn who_traces_a_process_is_seen() {
    let mut kernel = kernel();
    let child = Sleeper::new();
    let id = id_of(&mut kernel, child.pid());
    let pid = nix::unistd::Pid::from_raw(i32::try_from(id.pid.0).unwrap());
    nix::sys::ptrace::seize(pid, nix::sys::ptrace::Options::empty()).unwrap();
    let us = Pid(nix::unistd::gettid().as_raw().unsigned_abs());
    assert_eq!(kernel.tracer(id), Ok(Some(us)), "the thread that does it");
}
