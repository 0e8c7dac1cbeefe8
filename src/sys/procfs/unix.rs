//! Parses `/proc/PID/net/unix`, the list of unix sockets, for network namespaces other than ours. It does not name peers.

/// One unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixRow {
    /// Its inode.
    pub inode: u64,
    /// SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_SEQPACKET 5.
    pub kind: u8,
    /// It listens.
    pub listens: bool,
    /// It is, or was, connected.
    pub connected: bool,
    /// Its name, as [`super::UnixSocket::name`] has it.
    pub name: Option<Vec<u8>>,
}

/// Parses the list. Invalid rows are skipped.
///
/// ```text
/// Num       RefCount Protocol Flags    Type St Inode Path
/// 0000000000000000: 00000002 00000000 00010000 0001 01 21391 /run/x.sock
/// 0000000000000000: 00000003 00000000 00000000 0001 03 21400 @hub
/// ```
pub fn unix_table(bytes: &[u8]) -> Vec<UnixRow> {
    bytes.split(|byte| *byte == b'\n').filter_map(row).collect()
}

fn row(line: &[u8]) -> Option<UnixRow> {
    /// __SO_ACCEPTCON of the kernel's include/uapi/linux/net.h.
    const LISTENS: u32 = 1 << 16;
    /// SS_CONNECTED of the same header.
    const CONNECTED: u8 = 3;
    let mut fields = line.splitn(8, |byte| *byte == b' ').filter(|field| !field.is_empty());
    let mut hex = |nth: usize| u32::from_str_radix(std::str::from_utf8(fields.nth(nth)?).ok()?, 16).ok();
    let flags = hex(3)?;
    let (kind, state) = (u8::try_from(hex(0)?).ok()?, u8::try_from(hex(0)?).ok()?);
    // The inode is padded with leading blanks.
    let rest = line.splitn(7, |byte| *byte == b' ').nth(6)?.trim_ascii_start();
    let (inode, path) = match rest.iter().position(|byte| *byte == b' ') {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, &rest[rest.len()..]),
    };
    let inode = std::str::from_utf8(inode).ok()?.parse().ok()?;
    let name = match path {
        [] => None,
        [b'@', rest @ ..] => Some([b"\0", rest].concat()),
        path => Some(path.to_vec()),
    };
    Some(UnixRow { inode, kind, listens: flags & LISTENS != 0, connected: state == CONNECTED, name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_are_read_with_their_names() {
        let text = b"Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 21391 /run/a b.sock
0000000000000000: 00000003 00000000 00000000 0005 03   400 @hub
0000000000000000: 00000003 00000000 00000000 0002 01 99
0000000000000000: nonsense
";
        let row = |inode, kind, listens, connected, name: Option<&[u8]>| {
            let name = name.map(<[u8]>::to_vec);
            UnixRow { inode, kind, listens, connected, name }
        };
        let expected = [
            row(21391, 1, true, false, Some(b"/run/a b.sock")),
            row(400, 5, false, true, Some(b"\0hub")),
            row(99, 2, false, false, None),
        ];
        assert_eq!(unix_table(text), expected);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, text in "([0-9A-F]{1,4}:? ?){0,12}") {
            let _ = (unix_table(&bytes), unix_table(text.as_bytes()));
        }
    }
}
