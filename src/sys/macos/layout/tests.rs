#![allow(clippy::unwrap_used)]

use super::*;

/// A struct of this size with these bytes at these places.
fn with(size: usize, parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; size];
    for (at, part) in parts {
        bytes[*at..*at + part.len()].copy_from_slice(part);
    }
    bytes
}

fn bsd_bytes(flags: u32) -> Vec<u8> {
    with(
        at::BSD_SIZE,
        &[
            (at::BSD_FLAGS, &flags.to_le_bytes()),
            (at::BSD_STATUS, &4_u32.to_le_bytes()),
            (at::BSD_PPID, &77_u32.to_le_bytes()),
            (at::BSD_UID, &501_u32.to_le_bytes()),
            (at::BSD_COMM, b"npm exec @model\0"),
            (at::BSD_PGID, &70_u32.to_le_bytes()),
            (at::BSD_TDEV, &0x1000_0003_u32.to_le_bytes()),
            (at::BSD_START_SEC, &1_763_636_400_u64.to_le_bytes()),
            (at::BSD_START_USEC, &120_034_u64.to_le_bytes()),
        ],
    )
}

#[test]
fn a_process_is_read_with_its_start_to_the_microsecond() {
    let read = bsd(&bsd_bytes(0x80)).unwrap();
    assert_eq!(read.start, Some(StartTime(1_763_636_400_120_034)));
    assert_eq!((read.parent, read.group, read.uid), (Pid(77), Pid(70), Uid(501)));
    assert_eq!((read.state, read.terminal), (ProcessState::Stopped, Some(0x1000_0003)));
    assert_eq!(read.comm, RawText::from("npm exec @model"));
}

#[test]
fn a_device_number_without_the_flag_is_no_terminal() {
    assert_eq!(bsd(&bsd_bytes(0)).unwrap().terminal, None);
}

#[test]
fn the_long_name_is_preferred_where_there_is_one() {
    let mut bytes = bsd_bytes(0);
    bytes[at::BSD_NAME..at::BSD_NAME + 24].copy_from_slice(b"chrome-devtools-mcp-long");
    assert_eq!(bsd(&bytes).unwrap().comm, RawText::from("chrome-devtools-mcp-long"));
}

#[test]
fn of_another_users_process_all_but_the_start_is_known() {
    let bytes = with(
        at::SHORT_SIZE,
        &[
            (at::SHORT_PPID, &1_u32.to_le_bytes()),
            (at::SHORT_STATUS, &5_u32.to_le_bytes()),
            (at::SHORT_COMM, b"sixteen_letters_and_not_one_more"),
            (at::SHORT_UID, &0_u32.to_le_bytes()),
        ],
    );
    // The uid lies behind comm and the flags, so the name above is cut by it.
    let read = short(&bytes).unwrap();
    assert_eq!((read.parent, read.state, read.uid, read.start), (Pid(1), ProcessState::Zombie, Uid(0), None));
    assert_eq!(read.comm, RawText::from("sixteen_letters_"));
}

#[test]
fn a_pipe_end_knows_its_peer_and_direction_and_0_is_closed() {
    for (flags, writes) in [(1_u32, false), (2, true), (3, true)] {
        for peer in [0, 0xfeed_u64] {
            let bytes = with(
                at::PIPE_SIZE,
                &[
                    (at::OPEN_FLAGS, &flags.to_le_bytes()),
                    (at::PIPE_HANDLE, &9_u64.to_le_bytes()),
                    (at::PIPE_PEER, &peer.to_le_bytes()),
                ],
            );
            assert_eq!(pipe(&bytes), Some(FdTarget::Pipe { own: 9, peer, writes }));
        }
    }
    assert_eq!(pipe(&[0; at::PIPE_SIZE]), None, "a pipe without a handle is none we understand");
}

fn socket_bytes(kind: u32, parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = with(at::SOCKET_SIZE, parts);
    bytes[at::SOCKET_KIND..at::SOCKET_KIND + 4].copy_from_slice(&kind.to_le_bytes());
    bytes
}

#[test]
fn a_unix_socket_tells_its_peer_its_names_and_what_was_shut_down() {
    for (state, hears, speaks) in
        [(2_u16, true, true), (0x22, false, true), (0x12, true, false), (0x32, false, false)]
    {
        let bytes = socket_bytes(
            3,
            &[
                (at::SOCKET_SO, &8_u64.to_le_bytes()),
                (at::SOCKET_TYPE, &1_u32.to_le_bytes()),
                (at::SOCKET_STATE, &state.to_le_bytes()),
                (at::SOCKET_UN_CONN_SO, &7_u64.to_le_bytes()),
                (at::SOCKET_UN_CADDR, b"\x10\x01/tmp/x.sock\0"),
            ],
        );
        let peer_name = b"/tmp/x.sock".to_vec();
        let expected = Unix { own: 8, peer: 7, hears, speaks, peer_name, ..Unix::default() };
        assert_eq!(socket(&bytes), Some(FdTarget::Unix(expected)));
    }
    let listening = socket_bytes(
        3,
        &[(at::SOCKET_OPTIONS, &2_u16.to_le_bytes()), (at::SOCKET_UN_ADDR, b"\x0b\x01/tmp/a.sk")],
    );
    let (hears, speaks, listens) = (true, true, true);
    let expected = Unix { listens, hears, speaks, name: b"/tmp/a.sk".to_vec(), ..Unix::default() };
    assert_eq!(socket(&listening), Some(FdTarget::Unix(expected)));
    let hostile = socket_bytes(3, &[(at::SOCKET_UN_ADDR, &[255; 255]), (at::SOCKET_UN_CADDR, &[255; 255])]);
    assert!(socket(&hostile).is_some());
}

#[test]
fn a_socket_of_the_internet_tells_its_ports_in_the_machines_order() {
    let side = |address: &str, port| Endpoint { address: address.parse().unwrap(), port };
    let connected = FdTarget::Connected(Tcp {
        own: 77,
        local: side("::ffff:127.0.0.1", 8931),
        remote: side("::ffff:10.1.2.3", 50000),
    });
    for (kind, state, end) in [
        (2, 1_u32, FdTarget::Listening(8931)),
        (2, 4, connected.clone()),
        (2, 5, connected),
        (2, 10, FdTarget::Idle),
        (2, 0, FdTarget::Idle),
    ] {
        let bytes = socket_bytes(
            kind,
            &[
                (at::SOCKET_IN_LPORT, &8931_u16.to_be_bytes()),
                (at::SOCKET_IN_FPORT, &50000_u16.to_be_bytes()),
                (at::SOCKET_TCP_STATE, &state.to_le_bytes()),
                (at::SOCKET_SO, &77_u64.to_le_bytes()),
                (at::SOCKET_IN_VFLAG, &[1]),
                // What comes before the four bytes of an IPv4 address is no part of it.
                (at::SOCKET_IN_LADDR, &[9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 127, 0, 0, 1]),
                (at::SOCKET_IN_FADDR, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3]),
            ],
        );
        assert_eq!(socket(&bytes), Some(end));
    }
    let six = socket_bytes(
        2,
        &[
            (at::SOCKET_TCP_STATE, &4_u32.to_le_bytes()),
            (at::SOCKET_SO, &78_u64.to_le_bytes()),
            (at::SOCKET_IN_VFLAG, &[2]),
            (at::SOCKET_IN_LADDR, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ],
    );
    assert_eq!(
        socket(&six),
        Some(FdTarget::Connected(Tcp { own: 78, local: side("::1", 0), remote: side("::", 0) }))
    );
    let datagrams = |remote: u16| {
        let parts: [(usize, &[u8]); 5] = [
            (at::SOCKET_SO, &79_u64.to_le_bytes()),
            (at::SOCKET_IN_VFLAG, &[2]),
            (at::SOCKET_TYPE, &2_u32.to_le_bytes()),
            (at::SOCKET_IN_LPORT, &5353_u16.to_be_bytes()),
            (at::SOCKET_IN_FPORT, &remote.to_be_bytes()),
        ];
        socket(&socket_bytes(1, &parts))
    };
    assert_eq!(datagrams(0), Some(FdTarget::Datagrams { own: 79, port: 5353 }));
    let (local, remote) = (Endpoint { port: 5353, ..side("::", 0) }, Endpoint { port: 53, ..side("::", 0) });
    assert_eq!(datagrams(53), Some(FdTarget::Calling(Tcp { own: 79, local, remote })));
    assert_eq!(socket(&socket_bytes(7, &[])), Some(FdTarget::Opaque("vsock")));
    assert_eq!(socket(&socket_bytes(0, &[])), Some(FdTarget::Plain(Object::Other)));
}

#[test]
fn a_descriptor_says_whether_it_closes_on_exec() {
    assert_eq!(closes_on_exec(&with(8, &[(at::FD_STATUS, &2_u32.to_le_bytes())])), Some(true));
    assert_eq!(closes_on_exec(&with(8, &[(at::FD_STATUS, &1_u32.to_le_bytes())])), Some(false));
    assert_eq!(closes_on_exec(&[0; 7]), None);
}

#[test]
fn a_vnode_is_null_a_terminal_or_a_file() {
    let node = |mode: u16, device: u32| {
        with(
            at::VNODE_SIZE,
            &[(at::VNODE_MODE, &mode.to_le_bytes()), (at::VNODE_RDEV, &device.to_le_bytes())],
        )
    };
    let read = |bytes: &[u8]| vnode(bytes, Some(3), |device| device == 16).unwrap();
    assert_eq!(read(&node(0o020_666, 3)), FdTarget::Plain(Object::Null));
    assert_eq!(read(&node(0o020_620, 16)), FdTarget::Plain(Object::Terminal { number: None, gone: false }));
    assert_eq!(read(&node(0o020_620, 17)), FdTarget::Plain(Object::File));
    assert_eq!(read(&node(0o010_600, 0)), FdTarget::Plain(Object::NamedPipe));
    assert_eq!(
        read(&node(0o100_644, 3)),
        FdTarget::Plain(Object::File),
        "a plain file may have any number there"
    );
}

#[test]
fn memory_directory_and_descriptors_are_read_where_the_header_puts_them() {
    assert_eq!(resident(&with(at::TASK_SIZE, &[(at::TASK_RESIDENT, &4096_u64.to_le_bytes())])), Some(4096));
    assert_eq!(cwd(&with(at::CWD_SIZE, &[(at::CWD_PATH, b"/Users/u")])), Some(RawText::from("/Users/u")));
    assert_eq!(cwd(&[0; at::CWD_SIZE]), None);
    let list = [0, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 9, 9];
    assert_eq!(descriptors(&list).collect::<Vec<_>>(), [(0, 6), (1, 2)]);
}

#[test]
fn less_than_a_whole_struct_is_not_known() {
    assert_eq!(bsd(&[0; at::BSD_SIZE - 1]), None);
    assert_eq!(short(&[0; at::SHORT_SIZE - 1]), None);
    assert_eq!(resident(&[0; at::TASK_SIZE - 1]), None);
    assert_eq!(cwd(&[0; at::CWD_SIZE - 1]), None);
    assert_eq!(pipe(&[1; at::PIPE_SIZE - 1]), None);
    assert_eq!(socket(&[0; at::SOCKET_SIZE - 1]), None);
    assert_eq!(vnode(&[0; at::VNODE_SIZE - 1], None, |_| false), None);
}
