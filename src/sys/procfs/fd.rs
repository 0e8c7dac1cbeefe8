//! What a descriptor is, by the text of its link in `/proc/PID/fd`.

/// What a link in `/proc/PID/fd` points at (proc_pid_fd(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FdTarget {
    /// `pipe:[INODE]`: an anonymous pipe.
    Pipe(u64),
    /// `socket:[INODE]`: a socket of any family.
    Socket(u64),
    /// A path. A named pipe, a device and a file look alike here.
    Path {
        /// ` (deleted)` stands behind it: for a terminal, that its other side is gone.
        deleted: bool,
    },
    /// `anon_inode:[eventfd]` and whatever else has neither a path nor another end.
    Other,
}

impl FdTarget {
    /// Understands the text of a link.
    #[must_use]
    pub fn parse(link: &[u8]) -> FdTarget {
        let inode = |rest: &[u8]| std::str::from_utf8(rest.strip_suffix(b"]")?).ok()?.parse().ok();
        if let Some(pipe) = link.strip_prefix(b"pipe:[").and_then(inode) {
            FdTarget::Pipe(pipe)
        } else if let Some(socket) = link.strip_prefix(b"socket:[").and_then(inode) {
            FdTarget::Socket(socket)
        } else if link.starts_with(b"/") {
            FdTarget::Path { deleted: link.ends_with(b" (deleted)") }
        } else {
            FdTarget::Other
        }
    }
}

/// Does a descriptor close on exec? By the octal `flags` of its `/proc/PID/fdinfo/N`, which have
/// O_CLOEXEC although it belongs to the descriptor (proc_pid_fdinfo(5)).
///
/// ```text
/// pos:    0
/// flags:  02004002
/// ```
#[must_use]
pub fn closes_on_exec(fdinfo: &[u8]) -> Option<bool> {
    /// The same number on every architecture Linux has but Alpha, PA-RISC and SPARC.
    const O_CLOEXEC: u64 = 0o2_000_000;
    let text = std::str::from_utf8(fdinfo).ok()?;
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
    Some(u64::from_str_radix(flags.trim(), 8).ok()? & O_CLOEXEC != 0)
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
    fn links_are_told_apart() {
        let cases: [(&[u8], FdTarget); 9] = [
            (b"pipe:[81234]", FdTarget::Pipe(81234)),
            (b"socket:[4294967295]", FdTarget::Socket(4_294_967_295)),
            (b"/dev/null", FdTarget::Path { deleted: false }),
            (b"/dev/pts/3 (deleted)", FdTarget::Path { deleted: true }),
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
            let _ = (FdTarget::parse(&bytes), closes_on_exec(&bytes));
        }
    }
}
