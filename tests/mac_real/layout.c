// Every offset that src/sys/macos/layout/at.rs names, held against the headers of the SDK it is compiled with.
// tests/mac_real/layout.sh writes the numbers out of at.rs and compiles this; nothing is run.
#include <errno.h>
#include <libproc.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/proc_info.h>
#include <sys/resource.h>

#define AT(name, type, field) _Static_assert(offsetof(type, field) == OUR_##name, #name)
#define SIZE(name, type) _Static_assert(sizeof(type) == OUR_##name, #name)
#define OUR_0 0

AT(BSD_FLAGS, struct proc_bsdinfo, pbi_flags);
AT(BSD_STATUS, struct proc_bsdinfo, pbi_status);
AT(BSD_PPID, struct proc_bsdinfo, pbi_ppid);
AT(BSD_UID, struct proc_bsdinfo, pbi_uid);
AT(BSD_COMM, struct proc_bsdinfo, pbi_comm);
AT(BSD_NAME, struct proc_bsdinfo, pbi_name);
AT(BSD_PGID, struct proc_bsdinfo, pbi_pgid);
AT(BSD_TDEV, struct proc_bsdinfo, e_tdev);
AT(BSD_START_SEC, struct proc_bsdinfo, pbi_start_tvsec);
AT(BSD_START_USEC, struct proc_bsdinfo, pbi_start_tvusec);
SIZE(BSD_SIZE, struct proc_bsdinfo);
_Static_assert(PROC_FLAG_TRACED == 2 && PROC_FLAG_INEXIT == 4 && PROC_FLAG_CONTROLT == 0x80, "flags");

AT(SHORT_PPID, struct proc_bsdshortinfo, pbsi_ppid);
AT(SHORT_PGID, struct proc_bsdshortinfo, pbsi_pgid);
AT(SHORT_STATUS, struct proc_bsdshortinfo, pbsi_status);
AT(SHORT_COMM, struct proc_bsdshortinfo, pbsi_comm);
AT(SHORT_FLAGS, struct proc_bsdshortinfo, pbsi_flags);
AT(SHORT_UID, struct proc_bsdshortinfo, pbsi_uid);
SIZE(SHORT_SIZE, struct proc_bsdshortinfo);

AT(TASK_RESIDENT, struct proc_taskinfo, pti_resident_size);
SIZE(TASK_SIZE, struct proc_taskinfo);

AT(USAGE_USER_TIME, struct rusage_info_v2, ri_user_time);
AT(USAGE_SYSTEM_TIME, struct rusage_info_v2, ri_system_time);
AT(USAGE_FOOTPRINT, struct rusage_info_v2, ri_phys_footprint);
AT(USAGE_WRITTEN, struct rusage_info_v2, ri_diskio_byteswritten);
SIZE(USAGE_SIZE, struct rusage_info_v2);

AT(0, struct proc_vnodepathinfo, pvi_cdir);
AT(CWD_PATH, struct vnode_info_path, vip_path);
_Static_assert(sizeof(((struct vnode_info_path *)0)->vip_path) == OUR_CWD_PATH_SIZE, "CWD_PATH_SIZE");
SIZE(CWD_SIZE, struct proc_vnodepathinfo);

SIZE(FD_SIZE, struct proc_fdinfo);
AT(OPEN_FLAGS, struct proc_fileinfo, fi_openflags);
AT(FD_STATUS, struct proc_fileinfo, fi_status);
_Static_assert(PROC_FP_CLEXEC == 2, "close on exec");
_Static_assert(PROX_FDTYPE_VNODE == 1 && PROX_FDTYPE_SOCKET == 2 && PROX_FDTYPE_PIPE == 6, "types");

AT(VNODE_MODE, struct vnode_fdinfo, pvi.vi_stat.vst_mode);
AT(VNODE_RDEV, struct vnode_fdinfo, pvi.vi_stat.vst_rdev);
SIZE(VNODE_SIZE, struct vnode_fdinfo);

AT(PIPE_HANDLE, struct pipe_fdinfo, pipeinfo.pipe_handle);
AT(PIPE_PEER, struct pipe_fdinfo, pipeinfo.pipe_peerhandle);
SIZE(PIPE_SIZE, struct pipe_fdinfo);

AT(SOCKET_SO, struct socket_fdinfo, psi.soi_so);
AT(SOCKET_TYPE, struct socket_fdinfo, psi.soi_type);
AT(SOCKET_OPTIONS, struct socket_fdinfo, psi.soi_options);
AT(SOCKET_STATE, struct socket_fdinfo, psi.soi_state);
AT(SOCKET_KIND, struct socket_fdinfo, psi.soi_kind);
AT(SOCKET_UN_CONN_SO, struct socket_fdinfo, psi.soi_proto.pri_un.unsi_conn_so);
AT(SOCKET_UN_ADDR, struct socket_fdinfo, psi.soi_proto.pri_un.unsi_addr);
AT(SOCKET_UN_CADDR, struct socket_fdinfo, psi.soi_proto.pri_un.unsi_caddr);
AT(SOCKET_IN_FPORT, struct socket_fdinfo, psi.soi_proto.pri_in.insi_fport);
AT(SOCKET_IN_LPORT, struct socket_fdinfo, psi.soi_proto.pri_in.insi_lport);
AT(SOCKET_IN_VFLAG, struct socket_fdinfo, psi.soi_proto.pri_in.insi_vflag);
AT(SOCKET_IN_FADDR, struct socket_fdinfo, psi.soi_proto.pri_in.insi_faddr);
AT(SOCKET_IN_LADDR, struct socket_fdinfo, psi.soi_proto.pri_in.insi_laddr);
_Static_assert(INI_IPV4 == 1 && offsetof(struct in4in6_addr, i46a_addr4) == 12, "addresses");
AT(SOCKET_TCP_STATE, struct socket_fdinfo, psi.soi_proto.pri_tcp.tcpsi_state);
SIZE(SOCKET_SIZE, struct socket_fdinfo);
_Static_assert(SOCKINFO_IN == 1 && SOCKINFO_TCP == 2 && SOCKINFO_UN == 3, "kinds of sockets");
_Static_assert(SOI_S_CANTSENDMORE == 0x10 && SOI_S_CANTRCVMORE == 0x20, "halves of sockets");
_Static_assert(TSI_S_LISTEN == 1 && TSI_S_ESTABLISHED == 4, "states of TCP");

_Static_assert(EVFILT_READ == OUR_READ && EVFILT_WRITE == OUR_WRITE && EVFILT_PROC == OUR_PROC, "filters");
_Static_assert(EV_ADD == OUR_ADD && EV_ONESHOT == OUR_ONESHOT && EV_CLEAR == OUR_CLEAR && EV_EOF == OUR_EOF, "flags");
_Static_assert(NOTE_LOWAT == OUR_LOWAT && NOTE_EXIT == OUR_EXIT, "notes");
_Static_assert(PROC_PIDLISTFDS == OUR_LIST_FDS && PROC_PIDTBSDINFO == OUR_BSD && PROC_PIDTASKINFO == OUR_TASK, "flavors");
_Static_assert(PROC_PIDVNODEPATHINFO == OUR_DIRECTORY && PROC_PIDT_SHORTBSDINFO == OUR_SHORT_BSD, "flavors");
_Static_assert(PROC_PIDFDVNODEINFO == OUR_FD_VNODE && PROC_PIDFDSOCKETINFO == OUR_FD_SOCKET, "flavors");
_Static_assert(PROC_PIDFDPIPEINFO == OUR_FD_PIPE, "flavors");

_Static_assert(EPERM == OUR_EPERM && ESRCH == OUR_ESRCH && EBADF == OUR_EBADF, "errors");
_Static_assert(SIGKILL == OUR_KILL && SIGTERM == OUR_TERM && SIGCONT == OUR_CONT, "signals");

// Not in the SDK's headers, but in xnu's bsd/sys/proc_info_private.h.
#ifndef PROC_PIDUNIQIDENTIFIERINFO
#define PROC_PIDUNIQIDENTIFIERINFO 17
struct proc_uniqidentifierinfo {
  uint8_t p_uuid[16];
  uint64_t p_uniqueid;
  uint64_t p_puniqueid;
  int32_t p_idversion;
  int32_t p_orig_ppidversion;
  uint64_t p_reserve2;
  uint64_t p_reserve3;
};
#endif
AT(UNIQUE_ID, struct proc_uniqidentifierinfo, p_uniqueid);
AT(UNIQUE_PARENT, struct proc_uniqidentifierinfo, p_puniqueid);
AT(UNIQUE_VERSION, struct proc_uniqidentifierinfo, p_idversion);
SIZE(UNIQUE_SIZE, struct proc_uniqidentifierinfo);
_Static_assert(PROC_PIDUNIQIDENTIFIERINFO == OUR_UNIQUE, "flavors");
