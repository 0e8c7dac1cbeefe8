//! The model itself: the rules of xnu that the other tests rest on.

use mcp_reap::process::Pid;
use mcp_reap::sys::macos::calls::{Kevent, flavor, kevent};
use mcp_reap::sys::macos::{Calls, Kqueue};

use crate::machine::{EBADF, EINVAL, ENOMEM, EPERM, ESRCH, Machine};
use crate::scenes::{Style, desktop};
use crate::world::{File, Life, Manners, World};

fn errno<T: std::fmt::Debug>(answer: std::io::Result<T>) -> i32 {
    answer.unwrap_err().raw_os_error().unwrap()
}

/// A client with one server.
fn pair() -> (Machine, u32, u32) {
    let mut world = desktop();
    let client = world.spawn(1, &["/usr/bin/client"]);
    let server = world.serve(client, Style::Pipes, &["/usr/bin/server"]);
    world.stand_on_null(client);
    (Machine::of(world), client, server)
}

#[test]
fn an_end_goes_through_its_steps_in_the_kernels_order() {
    let (machine, client, server) = pair();
    machine.world.borrow_mut().pace = 1_000;
    let queue = machine.kqueue().unwrap();
    queue.watch(Pid(client), 7).unwrap();
    let bsd = |arg| machine.pid_info(Pid(client), flavor::BSD, arg, &mut [0; 136]);
    let flag = || {
        let mut bytes = [0; 136];
        machine.pid_info(Pid(client), flavor::BSD, 1, &mut bytes).map(|_| (bytes[0] & 4 != 0, bytes[4]))
    };
    let life = || machine.world.borrow().processes.get(&client).map(|body| body.life);
    let parent = || machine.world.borrow().processes[&server].ppid;
    machine.world.borrow_mut().exit(client);
    assert_eq!((life(), bsd(0).unwrap(), flag().unwrap()), (Some(Life::Exiting), 136, (true, 2)));
    assert_eq!((errno(machine.arguments(Pid(client), &mut [0; 4096])), parent()), (EINVAL, client));
    machine.sleep(std::time::Duration::from_millis(1));
    assert_eq!(
        (life(), parent()),
        (Some(Life::Drained), 1),
        "its children are handed on before anybody is told"
    );
    assert_eq!(
        (errno(bsd(0)), flag().unwrap()),
        (ESRCH, (true, 2)),
        "found only by those who ask for zombies"
    );
    assert_eq!(errno(machine.kill(Pid(client), 15)), ESRCH);
    assert_eq!(errno(queue.watch(Pid(client), 8)), ESRCH);
    assert_eq!(queue.wait(std::time::Duration::from_millis(5)).unwrap(), [7]);
    assert_eq!((life(), flag().unwrap().1), (Some(Life::Reported), 2), "NOTE_EXIT comes before SZOMB");
    machine.world.borrow_mut().body(client).manners = Manners::default();
    machine.sleep(std::time::Duration::from_millis(1));
    assert_eq!((life(), flag().unwrap().1), (Some(Life::Zombie), 5));
    machine.kill(Pid(client), 15).unwrap();
    machine.sleep(std::time::Duration::from_millis(1));
    assert_eq!((life(), errno(bsd(1)), errno(machine.kill(Pid(client), 15))), (None, ESRCH, ESRCH));
    assert_eq!(machine.world.borrow().signals, [], "no signal came through");
}

#[test]
fn a_peer_is_closed_with_its_last_descriptor_anywhere() {
    let (machine, client, server) = pair();
    let peer = || {
        let mut bytes = [0; 184];
        machine.fd_info(Pid(server), 0, flavor::FD_PIPE, &mut bytes).unwrap();
        u64::from_le_bytes(bytes[168..176].try_into().unwrap())
    };
    let end = machine.world.borrow().processes[&client].fds[&3].file;
    machine.world.borrow_mut().put(server, 9, end, true);
    machine.world.borrow_mut().close(client, 3);
    assert_eq!(peer(), end, "a copy is left");
    machine.world.borrow_mut().close(server, 9);
    assert_eq!(peer(), 0);
}

#[test]
fn errors_are_the_kernels() {
    let (machine, _, server) = pair();
    let pid = Pid(server);
    assert_eq!(
        errno(machine.pid_info(pid, flavor::BSD, 1, &mut [0; 135])),
        ENOMEM,
        "smaller than the struct"
    );
    assert_eq!(errno(machine.pid_info(pid, 99, 1, &mut [0; 4096])), EINVAL);
    assert_eq!(errno(machine.fd_info(pid, 77, flavor::FD_PIPE, &mut [0; 184])), EBADF, "no such descriptor");
    assert_eq!(errno(machine.fd_info(pid, 2, flavor::FD_PIPE, &mut [0; 184])), EBADF, "of another type");
    assert_eq!(errno(machine.pid_info(Pid(1), flavor::BSD, 1, &mut [0; 136])), EPERM, "root's");
    assert_eq!(machine.pid_info(Pid(1), flavor::SHORT_BSD, 1, &mut [0; 64]).unwrap(), 64);
    assert_eq!(machine.pid_info(Pid(1), flavor::UNIQUE, 1, &mut [0; 56]).unwrap(), 56);
    assert_eq!(errno(machine.kill(Pid(1), 15)), EPERM);
    let bare = machine.world.borrow_mut().spawn(1, &["/usr/bin/bare"]);
    assert_eq!(
        machine.pid_info(Pid(bare), flavor::LIST_FDS, 0, &mut [0; 8]).unwrap(),
        0,
        "no descriptors: no error"
    );
    // A list that does not fit is cut, not refused.
    assert_eq!(machine.pid_info(pid, flavor::LIST_FDS, 0, &mut [0; 16]).unwrap(), 16);
}

#[test]
fn numbers_are_given_again_only_when_nobody_bears_them() {
    let mut world = World::new();
    let leader = world.spawn(1, &["/usr/bin/leader"]);
    let member = world.spawn(leader, &["/usr/bin/member"]);
    world.exit(leader);
    assert_eq!((world.exists(leader), world.processes[&member].pgid), (false, leader));
    // Once around the circle.
    world.next_pid = 99_990;
    let given: Vec<u32> = (0..40).map(|_| world.spawn(1, &["/usr/bin/true"])).collect();
    assert!(given.contains(&99_999) && given.contains(&(member + 1)), "{given:?}");
    assert!(
        !given.contains(&leader) && !given.contains(&member),
        "the number of a group is borne: {given:?}"
    );
}

#[test]
fn a_terminal_is_revoked_with_the_leader_of_its_session() {
    let mut world = World::new();
    let app = world.app("/Applications/iTerm.app/Contents/MacOS/iTerm2", "com.googlecode.iterm2");
    let shell = world.window(app, 3);
    let deaf = world.under(shell, &["/usr/bin/nohup"]);
    world.body(deaf).manners.on_hup = false;
    let other = world.under(shell, &["/usr/bin/less"]);
    let (machine, vnode) = (Machine::of(world), |machine: &Machine| {
        machine.fd_info(Pid(deaf), 0, flavor::FD_VNODE, &mut [0; 176])
    });
    machine.world.borrow_mut().viewer = deaf;
    assert_eq!(vnode(&machine).unwrap(), 176);
    machine.world.borrow_mut().exit(shell);
    assert_eq!(errno(vnode(&machine)), EBADF);
    let mut list = [0; 64];
    assert_eq!(machine.pid_info(Pid(deaf), flavor::LIST_FDS, 0, &mut list).unwrap(), 24, "and still listed");
    assert!(!machine.world.borrow().exists(other), "SIGHUP");
    let mut world = machine.world.borrow_mut();
    let file = world.processes[&deaf].fds[&0].file;
    assert!(matches!(world.files[&file], File::Terminal(3)));
    world.close(deaf, 0);
}

#[test]
fn exec_changes_the_version_and_the_original_parent_and_nothing_else_of_who_it_is() {
    let (machine, client, server) = pair();
    let unique = || {
        let mut bytes = [0; 56];
        machine.pid_info(Pid(server), flavor::UNIQUE, 0, &mut bytes).unwrap();
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        (number(16), number(24), bytes[32])
    };
    let before = unique();
    machine.world.borrow_mut().exit(client);
    assert_eq!(unique(), before, "handed on, and nothing changed");
    machine.world.borrow_mut().exec(server, &["/usr/bin/other"]);
    let after = unique();
    assert_eq!((after.0, after.1), (before.0, 1), "launchd is the parent at exec");
    assert_ne!(after.2, before.2);
}

/// A server of each kind of wire with a queue of its own, and what its client sends on.
fn watched(style: Style, filter: i16, fflags: u32, data: i64) -> (Machine, crate::machine::Queue, u32, u64) {
    let mut world = desktop();
    let client = world.spawn(1, &["/usr/bin/client"]);
    let server = world.serve(client, style, &["/usr/bin/server"]);
    world.viewer = server;
    let end = world.processes[&client].fds[&3].file;
    let machine = Machine::of(world);
    let queue = machine.kqueue().unwrap();
    let flags = kevent::ADD | kevent::CLEAR;
    queue.add(Kevent { ident: 0, filter, flags, fflags, data, place: 5 }).unwrap();
    (machine, queue, client, end)
}

/// What a queue tells now: is it the end?
fn told(queue: &crate::machine::Queue) -> Vec<bool> {
    let events = queue.next(Some(std::time::Duration::ZERO)).unwrap();
    events.iter().map(|event| event.flags & kevent::EOF != 0).collect()
}

#[test]
fn a_filter_on_the_wrong_end_of_a_pipe_fires_at_its_death_and_the_right_one_for_data() {
    for (filter, for_data) in [(kevent::READ, vec![false]), (kevent::WRITE, vec![])] {
        let (machine, queue, client, end) = watched(Style::Pipes, filter, 0, 0);
        assert_eq!(told(&queue), [false; 0]);
        machine.world.borrow_mut().send(end, 10_000_000);
        assert_eq!(told(&queue), for_data, "{filter}");
        assert_eq!(told(&queue), [false; 0], "EV_CLEAR: each change once");
        machine.world.borrow_mut().exit(client);
        assert_eq!((told(&queue), told(&queue)), (vec![true], vec![]));
    }
}

#[test]
fn a_socket_tells_of_its_end_of_either_sides_half_close_and_of_a_full_buffer() {
    let low = (kevent::READ, kevent::LOWAT, i64::from(i32::MAX));
    let (machine, queue, client, end) = watched(Style::Sockets, low.0, low.1, low.2);
    machine.world.borrow_mut().send(end, crate::kqueue::HIWAT - 1);
    assert_eq!(told(&queue), [false; 0]);
    machine.world.borrow_mut().send(end, 1);
    assert_eq!(told(&queue), [false], "NOTE_LOWAT is never more than the buffer");
    machine.world.borrow_mut().exit(client);
    assert_eq!(told(&queue), [true]);
    for (own, writing, tells) in
        [(true, false, true), (true, true, false), (false, true, true), (false, false, false)]
    {
        let (machine, queue, _, end) = watched(Style::Sockets, low.0, low.1, low.2);
        let mut world = machine.world.borrow_mut();
        let stdin = world.processes[&world.viewer].fds[&0].file;
        world.shut(if own { stdin } else { end }, writing);
        drop(world);
        assert_eq!(!told(&queue).is_empty(), tells, "own {own}, writing {writing}");
    }
}

#[test]
fn a_queue_is_neither_forked_nor_left_by_exec_and_forgets_what_is_closed() {
    let (machine, queue, client, end) = watched(Style::Pipes, kevent::WRITE, 0, 0);
    let (server, child) = {
        let mut world = machine.world.borrow_mut();
        let server = world.viewer;
        (server, world.fork(server))
    };
    let has = |pid: u32| {
        let world = machine.world.borrow();
        let mut slots = world.processes[&pid].fds.values();
        (world.processes[&pid].fds.len(), slots.any(|slot| world.files[&slot.file] == File::Kqueue))
    };
    assert_eq!((has(server), has(child)), ((4, true), (3, false)));
    machine.close(0).unwrap();
    machine.world.borrow_mut().exit(client);
    assert_eq!(told(&queue), [false; 0], "the descriptor was closed before");
    machine.world.borrow_mut().exec(server, &["/usr/bin/other"]);
    assert_eq!((has(server), errno(queue.next(None))), ((2, false), EBADF));
    assert!(!machine.world.borrow().files.contains_key(&end));
}
