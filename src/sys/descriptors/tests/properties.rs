//! What was not read speaks for leaving alone.

use proptest::prelude::*;

use super::*;
use crate::process::OtherEnd;

/// Any few descriptors, and any few holders of their other ends.
fn worlds() -> impl Strategy<Value = World> {
    let other = prop_oneof![(20..24u64).prop_map(Other::Held), Just(Other::Gone), Just(Other::Unseen)];
    let origin =
        prop_oneof![Just(Origin::Pair), Just(Origin::Accepted), Just(Origin::Opened), Just(Origin::Unknown)];
    let descriptor = prop_oneof![
        4 => (any::<bool>(), 1..5u64).prop_map(|(read, id)| (Object::Pipe(id), read, None)),
        3 => (20..24u64, other, origin, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(own, other, origin, unix, hears, speaks)| {
                let connection = Connection { own, other, origin, unix, hears, speaks, display: Display::No };
                (Object::Socket(own), true, Some(Socket::Connected(connection)))
            }
        ),
        1 => (24..26u64).prop_map(|id| (Object::Socket(id), true, Some(serves("unix:x")))),
        2 => Just((Object::Null, true, None)),
        1 => Just((Object::File, true, None)),
        1 => Just((Object::Unread, true, None)),
    ];
    let holder = (prop_oneof![Just(CLIENT), Just(CHILD), Just(LAUNCHER), Just(SERVER)], 0..3u8, 1..26u64);
    let rows = proptest::collection::btree_map(0..9u32, (descriptor, any::<bool>()), 0..8);
    (rows, proptest::collection::vec(holder, 0..8)).prop_map(|(rows, holders)| {
        let mut world = World::default();
        for (fd, ((object, read, socket), keeps)) in rows {
            world = match (object, socket) {
                (Object::Pipe(id), _) if read => world.reads(fd, id),
                (Object::Pipe(id), _) => world.writes(fd, id),
                // One number is one socket.
                (Object::Socket(id), Some(socket)) => {
                    let known = world.sockets.get(&id).cloned().unwrap_or(socket);
                    world.socket(fd, id, known)
                }
                // Above 2 a system lists nothing else.
                (object, _) if fd < 3 || object == Object::Unread => world.other(fd, object),
                _ => world,
            };
            if keeps {
                world = world.keeps(fd);
            }
        }
        for (pid, what, id) in holders {
            let end = [End::Reader(id), End::Writer(id), End::Socket(id)][usize::from(what)];
            world = world.held(end, pid);
        }
        world
    })
}

proptest! {
    #[test]
    fn no_unread_answer_closes_a_wire_or_frees_a_process(
        world in worlds(),
        failing in proptest::collection::btree_set(0..40usize, 1..6),
        settled: bool,
    ) {
        let whole = world.clone().seen_when(settled);
        let torn = World { failing, ..world }.seen_when(settled);
        // With a way that is not known beside it, a closed one ends nothing: the wire may have been moved there.
        let closed = |seen: &FdObservation| {
            let closed = |end: OtherEnd<'_>| end == OtherEnd::Closed;
            [closed(seen.stdio.stdin()), closed(seen.stdio.stdout())].map(|one| one && seen.stdio.other_peers.is_some())
        };
        for (torn_way, whole_way) in closed(&torn).into_iter().zip(closed(&whole)) {
            prop_assert!(!torn_way || whole_way, "{whole:?} {torn:?}");
        }
        let nobody = Some(Vec::new());
        // A wire that was found moved takes its holders along, seen or not.
        let open = |end: OtherEnd<'_>| matches!(end, OtherEnd::Held(_) | OtherEnd::Unread);
        let speaks = open(torn.stdio.stdin()) || open(torn.stdio.stdout());
        prop_assert!(
            torn.stdio.other_peers != nobody || whole.stdio.other_peers == nobody || speaks,
            "{whole:?} {torn:?}"
        );
        prop_assert!(torn.channels.connected != Some(0) || whole.channels.connected == Some(0), "{whole:?} {torn:?}");
        let silent = Some(Vec::new());
        prop_assert!(torn.channels.listening != silent || whole.channels.listening == silent, "{whole:?} {torn:?}");
    }
}
