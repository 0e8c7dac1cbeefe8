//! Text and bytes of Linux: `/proc` and netlink; and of macOS.

use mcp_reap::sys::{macos::procargs, procfs};

use super::*;

pub(super) fn stat(bytes: &[u8]) {
    if let Some(stat) = procfs::stat(bytes) {
        assert!(
            stat.comm.is_empty()
                || bytes.windows(stat.comm.as_bytes().len()).any(|part| part == stat.comm.as_bytes())
        );
    }
}

pub(super) fn stat_shape(bytes: &[u8]) -> u64 {
    digest(
        procfs::stat(bytes)
            .map(|stat| (stat.comm.as_bytes().len(), stat.state, stat.group.0 == 0, stat.kernel_thread)),
    )
}

pub(super) fn stat_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "815 (node) S 77 810 800 34819 810 4194560 5 0 0 0 120 30 0 0 20 0 11 0 6543210 99 4321 18446744073709551615 1 1\n",
        "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 1 0 0 20 0 1 0 3 0 0\n",
        "9 (a) Z 1 (b) X 0 -1 -1 0 -1 4228108 0 0 0 0 0 0 0 0 0 0 0 0 77 0 0\n",
    ])
}

pub(super) fn procfs_text(bytes: &[u8]) {
    let _ = procfs::status(bytes);
    let _ = procfs::cgroup(bytes);
    let _ = procfs::FdTarget::parse(bytes);
    let _ = procfs::closes_on_exec(bytes);
    assert!(procfs::undeleted(bytes).len() <= bytes.len());
    if let Some(argv) = procfs::argv(bytes) {
        assert!(!argv.is_empty(), "what has arguments has a first one");
        assert!(argv.iter().all(|word| !word.contains(&0)));
    }
    let _ = procfs::terminal_of_master(bytes);
    let kept = procfs::evidence(bytes, &["CLAUDECODE"]).unwrap_or_default();
    assert!(kept.keys().all(|name| name == "CLAUDECODE"), "no other variable is ever kept");
}

pub(super) fn text_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "Name:\tnode\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t815\nUid:\t1000\t1000\t1000\t1000\nNSpid:\t815\t7\nVmRSS:\t  4321 kB\nVmSwap:\t 12 kB\n",
        "0::/user.slice/user-1000.slice/session-3.scope\n",
        "12:pids:/x\n1:name=systemd:/user.slice\n0::/x\n",
        "node\0/x/mcp-server-memory\0--flag\0",
        "npm exec x\0\0\0\0",
        "CLAUDECODE=1\0HOME=/home/u\0SECRET=x\0",
        "pipe:[4026]",
        "socket:[99]",
        "/dev/pts/3 (deleted)",
        "pos:\t0\nflags:\t02000002\nmnt_id:\t15\n",
        "pos:\t0\nflags:\t02\nmnt_id:\t22\nino:\t2\ntty-index:\t7\n",
    ])
}

pub(super) fn netlink(bytes: &[u8]) {
    let mut told = 0;
    for message in procfs::messages(bytes) {
        told += 1;
        assert!(told <= bytes.len(), "no more messages than bytes");
        if let procfs::DiagMessage::Row(body) = message {
            let _ = procfs::unix_diag_row(body);
            let _ = procfs::tcp_diag_row(body);
        }
    }
    let _ = procfs::unix_diag_row(bytes);
    let _ = procfs::tcp_diag_row(bytes);
}

pub(super) fn netlink_shape(bytes: &[u8]) -> u64 {
    digest((
        procfs::messages(bytes).count(),
        procfs::unix_diag_row(bytes).is_some(),
        procfs::tcp_diag_row(bytes).is_some(),
    ))
}

pub(super) fn netlink_seeds() -> Vec<Vec<u8>> {
    // nlmsghdr{len,type,flags,seq,pid}, unix_diag_msg{1,1,1,0,ino,cookie[2]}, attributes: peer, shutdown.
    let mut row = vec![
        44, 0, 0, 0, 20, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 99, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0,
    ];
    row.extend([8, 0, 2, 0, 100, 0, 0, 0, 5, 0, 6, 0, 3, 0, 0, 0]);
    row[0] = u8::try_from(row.len()).expect("short");
    let done = vec![20, 0, 0, 0, 3, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let error = vec![36, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 0, 0, 0, 0];
    let both = [row.clone(), done.clone()].concat();
    vec![
        procfs::unix_request(7),
        procfs::unix_dump_request(),
        procfs::tcp_dump_request(true),
        procfs::udp_dump_request(false),
        row,
        done,
        error,
        both,
        vec![0; 88],
    ]
}

pub(super) fn tcp_table(bytes: &[u8]) {
    let rows = procfs::tcp_table(bytes);
    assert!(rows.len() <= bytes.len());
    assert!(procfs::unix_table(bytes).len() <= bytes.len());
}

pub(super) fn tcp_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "0000000000000000: 00000002 00000000 00010000 0001 01 21391 /run/x.sock\n0000000000000000: 00000003 00000000 00000000 0005 03   400 @hub\n",
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 123456 1 0000000000000000 100 0 0 10 0\n   1: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:C001 01 00000000:00000000 00:00000000 00000000  1000        0 123457 1\n",
    ])
}

pub(super) fn procargs2(bytes: &[u8]) {
    if let Some(args) = procargs::parse(bytes) {
        let told: usize = args.argv.iter().map(<[u8]>::len).sum();
        assert!(told <= bytes.len());
        assert!(args.argv.iter().all(|word| !word.contains(&0)));
        assert!(args.env.iter().all(|word| !word.as_bytes().contains(&0)));
    }
}

pub(super) fn procargs_shape(bytes: &[u8]) -> u64 {
    digest(procargs::parse(bytes).map(|args| (args.argv.len().min(16), args.env.len().min(16))))
}

pub(super) fn procargs_seeds() -> Vec<Vec<u8>> {
    vec![
        b"\x03\0\0\0/usr/local/bin/node\0\0\0\0node\0\0/x/mcp-server-memory\0CLAUDECODE=1\0HOME=/Users/u\0\0"
            .to_vec(),
        b"\x01\0\0\0/bin/sh\0sh\0".to_vec(),
        b"\xff\xff\xff\x7f/bin/sh\0sh\0".to_vec(),
    ]
}
