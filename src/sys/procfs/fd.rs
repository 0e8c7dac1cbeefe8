//! Parses the links in `/proc/PID/fd` and the text of `/proc/PID/fdinfo/N`.

/// The target of a link in `/proc/PID/fd` (proc_pid_fd(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FdTarget {
    /// `pipe:[INODE]`: an anonymous pipe.
    Pipe(u64),
    /// `socket:[INODE]`: a socket of any family.
    Socket(u64),
    /// `/dev/pts/N`: a pseudo terminal.
    Terminal {
        /// Its number.
        number: u32,
        /// It ends in ` (deleted)`, because its master is closed.
        deleted: bool,
    },
    /// `/dev/ptmx` or `/dev/pts/ptmx`: the master of a pseudo terminal.
    Master,
    /// Another path. A named pipe, a device and a file look alike here.
    Path {
        /// It ends in ` (deleted)`.
        deleted: bool,
    },
    /// `anon_inode:[eventfd]` and others that have neither a path nor another end.
    Other,
}

impl FdTarget {
    /// Parses the text of a link.
    pub fn parse(link: &[u8]) -> FdTarget {
        let inode = |rest: &[u8]| std::str::from_utf8(rest.strip_suffix(b"]")?).ok()?.parse().ok();
        if let Some(pipe) = link.strip_prefix(b"pipe:[").and_then(inode) {
            FdTarget::Pipe(pipe)
        } else if let Some(socket) = link.strip_prefix(b"socket:[").and_then(inode) {
            FdTarget::Socket(socket)
        } else if matches!(link, b"/dev/ptmx" | b"/dev/pts/ptmx") {
            FdTarget::Master
        } else if link.starts_with(b"/") {
            let deleted = link.ends_with(b" (deleted)");
            let number =
                link.strip_prefix(b"/dev/pts/").map(|rest| rest.strip_suffix(b" (deleted)").unwrap_or(rest));
            let number = number.and_then(|rest| std::str::from_utf8(rest).ok()?.parse().ok());
            number.map_or(FdTarget::Path { deleted }, |number| FdTarget::Terminal { number, deleted })
        } else {
            FdTarget::Other
        }
    }
}

/// Does a descriptor close on exec? The octal `flags` of its `/proc/PID/fdinfo/N` contain O_CLOEXEC, although that is a
/// flag of the descriptor and not of the open file (proc_pid_fdinfo(5)).
///
/// ```text
/// pos:    0
/// flags:  02004002
/// ```
pub fn closes_on_exec(fdinfo: &[u8]) -> Option<bool> {
    /// The value on all architectures of Linux except Alpha, PA-RISC and SPARC.
    const O_CLOEXEC: u64 = 0o2_000_000;
    let text = std::str::from_utf8(fdinfo).ok()?;
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
    Some(u64::from_str_radix(flags.trim(), 8).ok()? & O_CLOEXEC != 0)
}

/// The number of the pseudo terminal whose master this descriptor is: `tty-index` in its `/proc/PID/fdinfo/N` (since
/// Linux 4.14).
pub fn terminal_of_master(fdinfo: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(fdinfo).ok()?;
    text.lines().find_map(|line| line.strip_prefix("tty-index:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn flags_are_octal() {
        assert_eq!(closes_on_exec(b"pos:\t0\nflags:\t02004002\nmnt_id:\t14\n"), Some(true));
        assert_eq!(closes_on_exec(b"pos:\t0\nflags:\t0100001\n"), Some(false));
        assert_eq!(closes_on_exec(b"pos:\t0\nflags:\t9\n"), None);
        assert_eq!(closes_on_exec(b""), None);
    }

    #[test]
    fn a_master_says_whose_it_is() {
        assert_eq!(terminal_of_master(b"pos:\t0\nflags:\t02\nmnt_id:\t22\ntty-index:\t7\n"), Some(7));
        assert_eq!(terminal_of_master(b"pos:\t0\n"), None);
    }

    #[test]
    fn links_are_distinguished() {
        let cases: [(&[u8], FdTarget); 14] = [
            (b"pipe:[81234]", FdTarget::Pipe(81234)),
            (b"socket:[4294967295]", FdTarget::Socket(4_294_967_295)),
            (b"/dev/null", FdTarget::Path { deleted: false }),
            (b"/dev/pts/3", FdTarget::Terminal { number: 3, deleted: false }),
            (b"/dev/pts/3 (deleted)", FdTarget::Terminal { number: 3, deleted: true }),
            (b"/dev/pts/x (deleted)", FdTarget::Path { deleted: true }),
            (b"/dev/ptmx", FdTarget::Master),
            (b"/dev/pts/ptmx", FdTarget::Master),
            (b"/tmp/ptmx", FdTarget::Path { deleted: false }),
            (b"/tmp/pipe:[7]", FdTarget::Path { deleted: false }),
            (b"pipe:[7", FdTarget::Other),
            (b"pipe:[-7]", FdTarget::Other),
            (b"anon_inode:[eventpoll]", FdTarget::Other),
            (b"", FdTarget::Other),
        ];
        for (link, expected) in cases {
            assert_eq!(FdTarget::parse(link), expected);
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = (FdTarget::parse(&bytes), closes_on_exec(&bytes), terminal_of_master(&bytes));
        }
    }
}
