//! Does the stage itself do what the other scenes believe? No `mcp-reap` here.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::signal::Signal;

use crate::look;
use crate::role::Play;
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};

pub(crate) fn a_killed_client_leaves_its_leaky_servers_to_pid_1(stage: &Stage) {
    let tree = shapes::devtools("d");
    let cast = stage.orphan(&tree);
    assert_eq!(cast.len(), 4);
    assert_eq!(cast[0].parent(), 1);
    assert_eq!(
        [cast[1].parent(), cast[2].parent(), cast[3].parent()],
        [cast[0].pid, cast[1].pid, cast[2].pid]
    );
    all_alive(&cast);
    // What is known of the real tree: SIGTERM to npm leaves the node leaf behind.
    stage.signal(cast[0], Signal::SIGTERM);
    look::until("npm has ended", || !cast[0].is_alive());
    all_alive(&cast[1..]);
}

pub(crate) fn an_obedient_server_ends_with_its_client(stage: &Stage) {
    let tree = shapes::memory("m").all(&|a| {
        if a.play == Play::ServeOn {
            a.play = Play::Serve;
        }
    });
    let client = stage.client("claude", [tree.clone()]);
    let cast = stage.cast(&tree);
    stage.kill_client(&client);
    look::until("the tree has ended with its input", || cast.iter().all(|w| w.is_collected()));
}

pub(crate) fn a_client_reaches_its_servers_over_every_wire(stage: &Stage) {
    let moved = shapes::python("p2").but(|a| a.moves_wire = true);
    let client = stage.client("claude", [shapes::memory("m"), shapes::uvx("u"), shapes::python("p"), moved]);
    for tag in ["m", "u", "p", "p2"] {
        stage.ping(&client, tag);
    }
    let link = |tag: &str, fd: u32| fs::read_link(format!("/proc/{}/fd/{fd}", stage.who(tag).pid)).unwrap();
    let starts = |tag: &str, fd: u32, with: &str| assert!(link(tag, fd).to_str().unwrap().starts_with(with));
    starts("m.node", 0, "socket:");
    starts("u.python", 1, "pipe:");
    starts("p2", 0, "/dev/null");
    starts("p2", 6, "pipe:");
    // One socket through the whole tree: what the client's end is connected to.
    assert_eq!(link("m", 0), link("m.node", 0));
}

pub(crate) fn disguises_hold_in_proc(stage: &Stage) {
    let tree = shapes::memory("m");
    let cast = stage.orphan(&tree);
    let proc = |i: usize, file: &str| fs::read(format!("/proc/{}/{file}", cast[i].pid)).unwrap();
    assert_eq!(proc(0, "cmdline"), b"npm exec @modelcontextprotocol/server-memory\0\0\0\0\0\0");
    assert_eq!(proc(0, "comm"), b"npm exec @model\n");
    assert_eq!(proc(1, "cmdline"), b"sh\0-c\0mcp-server-memory\0");
    assert_eq!(proc(2, "comm"), b"node\n");
    let exe = fs::read_link(format!("/proc/{}/exe", cast[2].pid)).unwrap();
    assert_eq!(exe.file_name().unwrap(), "node");
    assert_eq!(fs::metadata("/proc/self").unwrap().uid(), 0, "root inside, whoever it is outside");
}

pub(crate) fn a_number_can_be_used_again(stage: &Stage) {
    let [first] = stage.orphan(&shapes::node("n"))[..] else { panic!("one server") };
    stage.kill(first);
    let second = super::races::take_number_of(stage, first, &shapes::bystander("b"));
    assert_eq!(second.pid, first.pid);
    assert_ne!(second.start, first.start);
    all_alive(&[second]);
    all_dead(&[first]);
}

pub(crate) fn the_dead_stay_zombies_under_a_careless_init(stage: &Stage) {
    let cast = stage.orphan(&shapes::node("n"));
    stage.kill(cast[0]);
    assert!(!cast[0].is_alive() && !cast[0].is_collected());
    assert_eq!(look::stat(cast[0].pid).unwrap().state, 'Z');
}
