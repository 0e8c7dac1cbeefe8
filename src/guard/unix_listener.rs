//! Does a process listen on a unix socket? Daemons that several clients share do, and nothing else tells
//! them from a helper that outlived its server.

use std::collections::HashSet;
use std::fs;

use crate::process::Pid;

/// `__SO_ACCEPTCON` in the flags of `/proc/net/unix` (include/uapi/linux/net.h, `1 << 16`).
const ACCEPTS: &str = "00010000";

/// By the process's own descriptors and its own network namespace. `None` where either cannot be read.
#[must_use]
pub fn listens(pid: Pid) -> Option<bool> {
    let table = fs::read_to_string(format!("/proc/{pid}/net/unix")).ok()?;
    let listening = inodes(&table);
    for entry in fs::read_dir(format!("/proc/{pid}/fd")).ok()? {
        // One that was closed meanwhile is none; any other error is not known.
        let link = match fs::read_link(entry.ok()?.path()) {
            Ok(link) => link,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(_) => return None,
        };
        let inode = link.to_str().and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']'));
        if inode.is_some_and(|inode| listening.contains(inode)) {
            return Some(true);
        }
    }
    Some(false)
}

/// The inodes of the sockets that accept connections.
///
/// ```text
/// Num       RefCount Protocol Flags    Type St Inode Path
/// 00000000: 00000002 00000000 00010000 0001 01 17310 /run/user/1000/x.sock
/// ```
fn inodes(table: &str) -> HashSet<&str> {
    table
        .lines()
        .filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let flags = words.nth(3)?;
            let inode = words.nth(2)?;
            (flags == ACCEPTS).then_some(inode)
        })
        .collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn a_listener_is_seen_as_long_as_it_is_there() {
        // Other tests of this process may listen too, so only the table is told apart.
        let table = "Num RefCount Protocol Flags Type St Inode Path\n\
            0: 00000002 00000000 00010000 0001 01 17 /x\n0: 00000003 00000000 00000000 0001 03 18\n0: 0\n";
        assert_eq!(inodes(table), HashSet::from(["17"]));
        let folder = tempfile::tempdir().unwrap();
        let _listener = UnixListener::bind(folder.path().join("s")).unwrap();
        assert_eq!(listens(Pid(std::process::id())), Some(true));
        assert_eq!(listens(Pid(0)), None, "not known");
    }
}
