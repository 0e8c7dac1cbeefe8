//! The C structs of xnu's `bsd/sys/proc_info.h`, only to hold the offsets of `layout.rs` against:
//! each line below that does not hold is an error of the compiler, on any machine that builds for
//! macOS. Where the libc crate has the struct, its own is used.

#![allow(dead_code)] // the structs are measured, never made
#![allow(clippy::struct_field_names)] // as the header names them

use std::mem::{offset_of, size_of};

use libc::{
    proc_bsdinfo, proc_bsdshortinfo, proc_fdinfo, proc_taskinfo, proc_vnodepathinfo, rusage_info_v2,
    sockaddr_un, vinfo_stat, vnode_info, vnode_info_path,
};

use super::calls::{USAGE_SIZE, errno, flavor, kevent, signal};
use super::layout::at;

#[repr(C)]
struct ProcFileInfo {
    fi_openflags: u32,
    fi_status: u32,
    fi_offset: i64,
    fi_type: i32,
    fi_guardflags: u32,
}

#[repr(C)]
struct VnodeFdInfo {
    pfi: ProcFileInfo,
    pvi: vnode_info,
}

#[repr(C)]
struct PipeFdInfo {
    pfi: ProcFileInfo,
    pipe_stat: vinfo_stat,
    pipe_handle: u64,
    pipe_peerhandle: u64,
    pipe_status: i32,
    rfu_1: i32,
}

#[repr(C)]
struct InSockInfo {
    insi_fport: i32,
    insi_lport: i32,
    insi_gencnt: u64,
    insi_flags: u32,
    insi_flow: u32,
    insi_vflag: u8,
    insi_ip_ttl: u8,
    rfu_1: u32,
    insi_faddr: [u32; 4],
    insi_laddr: [u32; 4],
    in4_tos: u8,
    insi_v6: In6,
}

#[repr(C)]
struct In6 {
    in6_hlim: u8,
    in6_cksum: i32,
    in6_ifindex: u16,
    in6_hops: i16,
}

#[repr(C)]
struct TcpSockInfo {
    tcpsi_ini: InSockInfo,
    tcpsi_state: i32,
    tcpsi_timer: [i32; 4],
    tcpsi_mss: i32,
    tcpsi_flags: u32,
    rfu_1: u32,
    tcpsi_tp: u64,
}

/// SOCK_MAXADDRLEN is 255, longer than `sockaddr_un`.
#[repr(C)]
union UnAddress {
    ua_sun: sockaddr_un,
    ua_dummy: [u8; 255],
}

#[repr(C)]
struct UnSockInfo {
    unsi_conn_so: u64,
    unsi_conn_pcb: u64,
    unsi_addr: UnAddress,
    unsi_caddr: UnAddress,
}

#[repr(C)]
struct SockBufInfo {
    sbi_cc: u32,
    sbi_hiwat: u32,
    sbi_mbcnt: u32,
    sbi_mbmax: u32,
    sbi_lowat: u32,
    sbi_flags: i16,
    sbi_timeo: i16,
}

/// The two longest of the seven; none of the others is longer.
#[repr(C)]
union Proto {
    pri_tcp: std::mem::ManuallyDrop<TcpSockInfo>,
    pri_un: std::mem::ManuallyDrop<UnSockInfo>,
}

#[repr(C)]
struct SocketFdInfo {
    pfi: ProcFileInfo,
    soi_stat: vinfo_stat,
    soi_so: u64,
    soi_pcb: u64,
    soi_type: i32,
    soi_protocol: i32,
    soi_family: i32,
    soi_options: i16,
    soi_linger: i16,
    soi_state: i16,
    soi_qlen: i16,
    soi_incqlen: i16,
    soi_qlimit: i16,
    soi_timeo: i16,
    soi_error: u16,
    soi_oobmark: u32,
    soi_rcv: SockBufInfo,
    soi_snd: SockBufInfo,
    soi_kind: i32,
    rfu_1: u32,
    soi_proto: Proto,
}

#[repr(C)]
struct ProcUniqIdentifierInfo {
    p_uuid: [u8; 16],
    p_uniqueid: u64,
    p_puniqueid: u64,
    p_idversion: i32,
    p_orig_ppidversion: i32,
    p_reserve2: u64,
    p_reserve3: u64,
}

const _: () = {
    assert!(offset_of!(proc_bsdinfo, pbi_flags) == at::BSD_FLAGS);
    assert!(offset_of!(proc_bsdinfo, pbi_status) == at::BSD_STATUS);
    assert!(offset_of!(proc_bsdinfo, pbi_ppid) == at::BSD_PPID);
    assert!(offset_of!(proc_bsdinfo, pbi_uid) == at::BSD_UID);
    assert!(offset_of!(proc_bsdinfo, pbi_comm) == at::BSD_COMM);
    assert!(offset_of!(proc_bsdinfo, pbi_name) == at::BSD_NAME);
    assert!(offset_of!(proc_bsdinfo, pbi_pgid) == at::BSD_PGID);
    assert!(offset_of!(proc_bsdinfo, e_tdev) == at::BSD_TDEV);
    assert!(offset_of!(proc_bsdinfo, pbi_start_tvsec) == at::BSD_START_SEC);
    assert!(offset_of!(proc_bsdinfo, pbi_start_tvusec) == at::BSD_START_USEC);
    assert!(size_of::<proc_bsdinfo>() == at::BSD_SIZE);

    assert!(offset_of!(proc_bsdshortinfo, pbsi_ppid) == at::SHORT_PPID);
    assert!(offset_of!(proc_bsdshortinfo, pbsi_pgid) == at::SHORT_PGID);
    assert!(offset_of!(proc_bsdshortinfo, pbsi_status) == at::SHORT_STATUS);
    assert!(offset_of!(proc_bsdshortinfo, pbsi_comm) == at::SHORT_COMM);
    assert!(offset_of!(proc_bsdshortinfo, pbsi_flags) == at::SHORT_FLAGS);
    assert!(offset_of!(proc_bsdshortinfo, pbsi_uid) == at::SHORT_UID);
    assert!(size_of::<proc_bsdshortinfo>() == at::SHORT_SIZE);

    assert!(offset_of!(proc_taskinfo, pti_resident_size) == at::TASK_RESIDENT);
    assert!(size_of::<proc_taskinfo>() == at::TASK_SIZE);

    assert!(offset_of!(ProcUniqIdentifierInfo, p_uniqueid) == at::UNIQUE_ID);
    assert!(offset_of!(ProcUniqIdentifierInfo, p_puniqueid) == at::UNIQUE_PARENT);
    assert!(offset_of!(ProcUniqIdentifierInfo, p_idversion) == at::UNIQUE_VERSION);
    assert!(size_of::<ProcUniqIdentifierInfo>() == at::UNIQUE_SIZE);

    assert!(offset_of!(rusage_info_v2, ri_user_time) == at::USAGE_USER_TIME);
    assert!(offset_of!(rusage_info_v2, ri_system_time) == at::USAGE_SYSTEM_TIME);
    assert!(offset_of!(rusage_info_v2, ri_phys_footprint) == at::USAGE_FOOTPRINT);
    assert!(offset_of!(rusage_info_v2, ri_diskio_byteswritten) == at::USAGE_WRITTEN);
    assert!(size_of::<rusage_info_v2>() == USAGE_SIZE);

    assert!(flavor::LIST_FDS == libc::PROC_PIDLISTFDS);
    assert!(flavor::BSD == libc::PROC_PIDTBSDINFO);
    assert!(flavor::TASK == libc::PROC_PIDTASKINFO);
    assert!(flavor::DIRECTORY == libc::PROC_PIDVNODEPATHINFO);
    assert!(flavor::SHORT_BSD == libc::PROC_PIDT_SHORTBSDINFO);
    assert!(errno::EPERM == libc::EPERM && errno::ESRCH == libc::ESRCH && errno::EBADF == libc::EBADF);
    assert!(signal::KILL == libc::SIGKILL && signal::TERM == libc::SIGTERM && signal::CONT == libc::SIGCONT);

    assert!(kevent::READ == libc::EVFILT_READ && kevent::WRITE == libc::EVFILT_WRITE);
    assert!(kevent::PROC == libc::EVFILT_PROC && kevent::EXIT == libc::NOTE_EXIT);
    assert!(kevent::ADD == libc::EV_ADD && kevent::ONESHOT == libc::EV_ONESHOT);
    assert!(
        kevent::CLEAR == libc::EV_CLEAR && kevent::EOF == libc::EV_EOF && kevent::LOWAT == libc::NOTE_LOWAT
    );

    assert!(offset_of!(proc_vnodepathinfo, pvi_cdir) == 0);
    assert!(offset_of!(vnode_info_path, vip_path) == at::CWD_PATH);
    assert!(size_of::<vnode_info_path>() == at::CWD_PATH + at::CWD_PATH_SIZE);
    assert!(size_of::<proc_vnodepathinfo>() == at::CWD_SIZE);

    assert!(size_of::<proc_fdinfo>() == at::FD_SIZE);
    assert!(offset_of!(ProcFileInfo, fi_openflags) == at::OPEN_FLAGS);
    assert!(offset_of!(ProcFileInfo, fi_status) == at::FD_STATUS);

    assert!(offset_of!(VnodeFdInfo, pvi) + offset_of!(vinfo_stat, vst_mode) == at::VNODE_MODE);
    assert!(offset_of!(VnodeFdInfo, pvi) + offset_of!(vinfo_stat, vst_rdev) == at::VNODE_RDEV);
    assert!(offset_of!(vnode_info, vi_stat) == 0);
    assert!(size_of::<VnodeFdInfo>() == at::VNODE_SIZE);

    assert!(offset_of!(PipeFdInfo, pipe_handle) == at::PIPE_HANDLE);
    assert!(offset_of!(PipeFdInfo, pipe_peerhandle) == at::PIPE_PEER);
    assert!(size_of::<PipeFdInfo>() == at::PIPE_SIZE);

    assert!(offset_of!(SocketFdInfo, soi_so) == at::SOCKET_SO);
    assert!(offset_of!(SocketFdInfo, soi_type) == at::SOCKET_TYPE);
    assert!(offset_of!(SocketFdInfo, soi_options) == at::SOCKET_OPTIONS);
    assert!(offset_of!(SocketFdInfo, soi_state) == at::SOCKET_STATE);
    assert!(offset_of!(SocketFdInfo, soi_kind) == at::SOCKET_KIND);
    let proto = offset_of!(SocketFdInfo, soi_proto);
    assert!(proto + offset_of!(UnSockInfo, unsi_conn_so) == at::SOCKET_UN_CONN_SO);
    assert!(proto + offset_of!(UnSockInfo, unsi_addr) == at::SOCKET_UN_ADDR);
    assert!(proto + offset_of!(UnSockInfo, unsi_caddr) == at::SOCKET_UN_CADDR);
    assert!(proto + offset_of!(InSockInfo, insi_fport) == at::SOCKET_IN_FPORT);
    assert!(proto + offset_of!(InSockInfo, insi_lport) == at::SOCKET_IN_LPORT);
    assert!(proto + offset_of!(InSockInfo, insi_vflag) == at::SOCKET_IN_VFLAG);
    assert!(proto + offset_of!(InSockInfo, insi_faddr) == at::SOCKET_IN_FADDR);
    assert!(proto + offset_of!(InSockInfo, insi_laddr) == at::SOCKET_IN_LADDR);
    assert!(proto + offset_of!(TcpSockInfo, tcpsi_state) == at::SOCKET_TCP_STATE);
    assert!(size_of::<SocketFdInfo>() == at::SOCKET_SIZE);
};
