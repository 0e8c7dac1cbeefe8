//! Parses `cmdline`, `environ`, `cgroup` and `status` of a process.

use std::collections::BTreeMap;

use crate::bytes::Argv;
use crate::process::{Pid, Uid};

/// The arguments in `/proc/PID/cmdline`, including empty ones; `None` when there are none (a zombie, a
/// kernel thread).
///
/// A program that writes a title over its arguments leaves one string, padded with NULs:
///
/// ```text
/// npm exec @scope/package --flag\0\0\0\0\0\0\0\0\0
/// ```
///
/// So empty arguments after a single one count as padding.
pub fn argv(bytes: &[u8]) -> Option<Argv> {
    arguments(bytes).map(Argv::from_terminated)
}

/// The part of `/proc/PID/cmdline` that contains arguments. Each ends with a NUL, unless the program overwrote the last one.
pub fn arguments(bytes: &[u8]) -> Option<&[u8]> {
    if bytes.is_empty() {
        return None;
    }
    let first = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let padding = bytes.iter().skip(first).all(|byte| *byte == 0);
    Some(if padding { bytes.get(..=first).unwrap_or(bytes) } else { bytes })
}

/// The variables in `names` that `/proc/PID/environ` contains, with their values. The first of two with one name wins, as
/// in getenv(3). `None` when the file does not contain an environment: it is empty, or the program wrote a title over it.
/// A program that moved the bounds of its environment shows an empty file, and so does one that was started without one.
pub fn evidence(environ: &[u8], names: &[&str]) -> Option<BTreeMap<String, String>> {
    if !environ.split(|byte| *byte == 0).next().is_some_and(|first| first.contains(&b'=')) {
        return None;
    }
    let mut found = BTreeMap::new();
    for entry in environ.split(|byte| *byte == 0) {
        let Some(equals) = entry.iter().position(|byte| *byte == b'=') else { continue };
        if let Some(name) = names.iter().find(|name| name.as_bytes() == &entry[..equals]) {
            let value = String::from_utf8_lossy(&entry[equals + 1..]);
            found.entry((*name).to_owned()).or_insert_with(|| value.into_owned());
        }
    }
    Some(found)
}

/// The path in `/proc/PID/cgroup` (cgroups(7)): that of the unified hierarchy, or of systemd's named hierarchy where
/// systemd still uses version 1.
///
/// ```text
/// 1:name=systemd:/user.slice/user-1000.slice/session-3.scope
/// 0::/user.slice/user-1000.slice/session-3.scope
/// ```
pub fn cgroup(bytes: &[u8]) -> Option<String> {
    let mut named = None;
    for line in bytes.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(3, |byte| *byte == b':');
        let (Some(number), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let path = String::from_utf8_lossy(undeleted(path)).into_owned();
        match (number, controllers) {
            (b"0", b"") if path != "/" => return Some(path),
            (b"0", b"") => named = named.or(Some(path)),
            (_, b"name=systemd") => named = Some(path),
            _ => {}
        }
    }
    named
}

/// A path without the ` (deleted)` that the kernel appends when the file is gone. An upgrade
/// deletes the files of running programs, which are still those programs.
pub fn undeleted(path: &[u8]) -> &[u8] {
    path.strip_suffix(b" (deleted)").unwrap_or(path)
}

/// The fields of `/proc/PID/status` that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ProcStatus {
    /// The second number of Uid: the effective user.
    pub uid: Option<Uid>,
    /// VmRSS: resident memory in bytes.
    pub rss: Option<u64>,
    /// VmSwap: swapped-out memory in bytes.
    pub swap: Option<u64>,
    /// NSpid: the number of PID namespaces, from that of `/proc` inwards, in which the process has a pid. 1 means that it
    /// is in ours. Unlike the `ns/pid` link, every user can read it.
    pub namespaces: Option<usize>,
    /// The last number of NSpid: the pid in the innermost namespace.
    pub innermost: Option<Pid>,
    /// TracerPid; 0 means no tracer, or one outside our PID namespace.
    pub tracer: Option<Pid>,
}

/// Parses `/proc/PID/status`. The kernel escapes newlines in names.
pub fn status(bytes: &[u8]) -> ProcStatus {
    let mut status = ProcStatus::default();
    // Only the name, in the first line, can be something else than ASCII.
    let name = bytes.iter().position(|byte| *byte == b'\n').unwrap_or_default();
    for line in std::str::from_utf8(&bytes[name..]).unwrap_or_default().split('\n') {
        // Only five of about sixty lines matter. They begin with one of these letters and are in the first half.
        if line.starts_with(['U', 'V', 'N', 'T']) && status.take(line) && status.is_whole() {
            break;
        }
    }
    status
}

impl ProcStatus {
    fn is_whole(&self) -> bool {
        let numbers = self.rss.is_some() && self.swap.is_some() && self.innermost.is_some();
        numbers && self.uid.is_some() && self.tracer.is_some()
    }

    /// Takes one line, and returns whether it is one of those that matter.
    fn take(&mut self, line: &str) -> bool {
        let Some((name, value)) = line.split_once(':') else { return false };
        let kilobytes = || value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024);
        match name {
            "VmRSS" => self.rss = kilobytes(),
            "VmSwap" => self.swap = kilobytes(),
            "Uid" => {
                self.uid = value.split_ascii_whitespace().nth(1).and_then(|uid| uid.parse().ok()).map(Uid);
            }
            "NSpid" => {
                let numbers = value.split_ascii_whitespace();
                self.namespaces = Some(numbers.clone().count());
                self.innermost = numbers.last().and_then(|pid| pid.parse().ok()).map(Pid);
            }
            "TracerPid" => self.tracer = value.trim().parse().ok().map(Pid),
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn arguments_are_split_by_nul_alone() {
        let cases: [(&[u8], &[&[u8]]); 8] = [
            (b"node\0a b\0", &[b"node", b"a b"]),
            (b"node\0\0--x\0", &[b"node", b"", b"--x"]),
            (b"node\0--x\0\0", &[b"node", b"--x", b""]),
            (b"npm exec thing\0\0\0\0", &[b"npm exec thing"]),
            (b"no end", &[b"no end"]),
            (b"\0", &[b""]),
            (b"caf\xe9\0", &[b"caf\xe9"]),
            (b"a\nb\0c\n\0", &[b"a\nb", b"c\n"]),
        ];
        for (bytes, expected) in cases {
            assert_eq!(argv(bytes).unwrap(), expected.iter().collect());
        }
        assert_eq!(argv(b""), None);
    }

    #[test]
    fn only_the_named_variables_are_kept() {
        let environ = b"SECRET=hunter2\0GEMINI_CLI=1\0GEMINI_CLI=2\0XGEMINI_CLI=3\0nothing\0EMPTY=\0A=b=c";
        let kept = evidence(environ, &["GEMINI_CLI", "EMPTY", "A", "ABSENT"]);
        let expected = [("A", "b=c"), ("EMPTY", ""), ("GEMINI_CLI", "1")];
        assert_eq!(kept, Some(expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into()));
    }

    #[test]
    fn an_environment_that_is_blank_or_overwritten_is_not_known() {
        for environ in [&b""[..], b"\0\0\0", b"worker: idle\0GEMINI_CLI=1\0", b"\0GEMINI_CLI=1\0"] {
            assert_eq!(evidence(environ, &["GEMINI_CLI"]), None, "{environ:?}");
        }
        assert_eq!(evidence(b"PATH=/bin\0", &["GEMINI_CLI"]), Some(BTreeMap::new()));
    }

    #[test]
    fn the_cgroup_is_found_in_every_hierarchy() {
        let cases: [(&str, Option<&str>); 6] = [
            ("0::/user.slice/a.scope\n", Some("/user.slice/a.scope")),
            ("0::/\n", Some("/")),
            ("1:name=systemd:/b.service\n0::/\n", Some("/b.service")),
            ("4:memory:/x\n1:name=systemd:/with:colon\n", Some("/with:colon")),
            ("0::/gone.scope (deleted)\n", Some("/gone.scope")),
            ("4:memory:/x\n", None),
        ];
        for (text, path) in cases {
            assert_eq!(cgroup(text.as_bytes()).as_deref(), path, "{text:?}");
        }
    }

    #[test]
    fn memory_and_namespaces_are_read_and_nothing_else() {
        let text = b"Name:\t\xffVmRSS:\\n1 kB\nUid:\t0\t1000\t0\t0\nVmRSS:\t    2048 kB\nVmSwap:\t  0 kB\nNSpid:\t815\t3\nTracerPid:\t77\nFoo\n";
        let expected = ProcStatus {
            uid: Some(Uid(1000)),
            rss: Some(2 << 20),
            swap: Some(0),
            namespaces: Some(2),
            innermost: Some(Pid(3)),
            tracer: Some(Pid(77)),
        };
        assert_eq!(status(text), expected);
        assert_eq!(
            status(b"Name:\ta\nVmRSS: many kB\nVmSwap: 18446744073709551615 kB"),
            ProcStatus::default()
        );
    }

    #[test]
    fn a_deleted_program_keeps_its_path() {
        assert_eq!(undeleted(b"/usr/bin/node (deleted)"), b"/usr/bin/node");
        assert_eq!(undeleted(b"/usr/bin/node"), b"/usr/bin/node");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = (argv(&bytes), evidence(&bytes, &["A", ""]), cgroup(&bytes), status(&bytes));
        }

        #[test]
        fn arguments_survive_the_way_through_the_kernel(
            words in proptest::collection::vec("[a-z ]{1,4}|", 2..6)
        ) {
            prop_assume!(words.iter().skip(1).any(|word| !word.is_empty()));
            let bytes: Vec<u8> = words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
            prop_assert_eq!(argv(&bytes).unwrap(), words.iter().collect());
        }
    }
}
