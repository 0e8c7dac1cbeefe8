//! Parses `/proc/PID/stat`: one line, with a process name that may contain any characters.

use crate::bytes::RawText;
use crate::process::Pid;

/// The fields of `/proc/PID/stat` that matter here (proc_pid_stat(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Field 1.
    pub pid: Pid,
    /// Field 2, at most 15 bytes, without its parentheses.
    pub comm: RawText,
    /// Field 3: R, S, D, Z, T, ...
    pub state: u8,
    /// Field 4; 0 when the parent is outside our PID namespace.
    pub parent: Pid,
    /// Field 5; 0 when its leader is outside our PID namespace.
    pub group: Pid,
    /// Field 6; 0 when its leader is outside our PID namespace.
    pub session: Pid,
    /// Field 7: the controlling terminal's device number, 0 for none.
    pub tty_nr: u32,
    /// Field 9 has PF_KTHREAD: a thread of the kernel itself.
    pub kernel_thread: bool,
    /// Fields 14 and 15 together: processor time used, in clock ticks.
    pub cpu_ticks: u64,
    /// Field 20. It is above 1 when the first thread has ended before the others: the state is Z then, although the process
    /// lives. It is 0 for a process that was being released while it was read.
    pub threads: u32,
    /// Field 22: start after boot, in clock ticks.
    pub start_ticks: u64,
    /// Field 24: resident memory in pages, not exact.
    pub rss_pages: u64,
}

/// PF_KTHREAD of the kernel's `include/linux/sched.h`.
const PF_KTHREAD: u64 = 0x0020_0000;

/// Parses the line:
///
/// ```text
/// 4242 (npm exec @model) S 1201 4100 3900 34819 4100 4194304 9 0 0 0 31 7 0 0 20 0 11 0 10798280 ...
/// ```
///
/// The name may contain parentheses, spaces and newlines. Only numbers follow it, so it ends at the last `)`.
///
/// This reads each byte once and stops after the last field that matters. It runs for every process; with
/// `split_ascii_whitespace` and `parse` it took a third of all instructions of a look.
pub fn stat(line: &[u8]) -> Option<Stat> {
    let open = line.iter().position(|byte| *byte == b'(')?;
    let close = end_of_name(line, open)?;
    let comm = line.get(open + 1..close)?;
    let pid = u32::try_from(natural(line[..open].trim_ascii())?).ok()?;
    let [b' ', state, b' ', rest @ ..] = line.get(close + 1..)? else { return None };
    let fields = numbers(rest, UNUSED)?;
    let field = |number: usize| fields[number - FIRST];

    // Group and session are -1 while a process is released, and 0 if we cannot see their leader.
    let visible = |pid: i64| Pid(u32::try_from(pid).unwrap_or(0));
    let unsigned = |value: i64| u64::try_from(value).unwrap_or(0);
    Some(Stat {
        pid: Pid(pid),
        comm: RawText::from(comm),
        state: *state,
        parent: Pid(u32::try_from(field(4)).ok()?),
        group: visible(field(5)),
        session: visible(field(6)),
        // The kernel prints the bits of new_encode_dev() as a signed int.
        tty_nr: field(7) as u32,
        kernel_thread: unsigned(field(9)) & PF_KTHREAD != 0,
        cpu_ticks: unsigned(field(14)).saturating_add(unsigned(field(15))),
        threads: u32::try_from(field(20)).ok()?,
        start_ticks: u64::try_from(field(22)).ok()?,
        rss_pages: unsigned(field(24)),
    })
}

/// The first number after the state, and the last that matters here.
const FIRST: usize = 4;
const LAST: usize = 24;
/// Those of them that are not used, from [`FIRST`] on: a third of the instructions of a line went into their values.
const UNUSED: [bool; LAST - FIRST + 1] = {
    let used = [4, 5, 6, 7, 9, 14, 15, 20, 22, 24];
    let mut unused = [true; LAST - FIRST + 1];
    let mut at = 0;
    while at < used.len() {
        unused[used[at] - FIRST] = false;
        at += 1;
    }
    unused
};

/// The index of the `)` after the name, which is the last one. A name has at most 63 bytes (`proc_task_name` in
/// fs/proc/array.c), so only these are searched.
#[allow(clippy::needless_bitwise_bool)] // a lazy operator would add a branch
fn end_of_name(line: &[u8], open: usize) -> Option<usize> {
    let near = line.get(open..line.len().min(open + 80))?;
    // The compiler compares sixteen bytes at once.
    let last =
        near.rchunks(16).position(|some| some.iter().fold(false, |found, byte| found | (*byte == b')')))?;
    let near = near.get(..near.len() - last * 16)?;
    near.iter().rposition(|byte| *byte == b')').map(|at| open + at)
}

/// Parses N decimal numbers, some negative, each followed by a blank; those that are not used stay 0. A number that does
/// not fit wraps, but the kernel writes none. Most have one digit; reading eight digits at once took 1.5 times as many
/// instructions.
fn numbers<const N: usize>(text: &[u8], unused: [bool; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut bytes = text.iter();
    let digit = |byte: u8| byte.wrapping_sub(b'0');
    for (at, number) in found.iter_mut().enumerate() {
        if unused[at] {
            bytes.find(|byte| **byte == b' ')?;
            continue;
        }
        let mut first = *bytes.next()?;
        let negative = first == b'-';
        if negative {
            first = *bytes.next()?;
        }
        let mut value = i64::from(digit(first));
        if value > 9 {
            return None;
        }
        loop {
            match bytes.next() {
                Some(byte) if digit(*byte) <= 9 => {
                    value = value.wrapping_mul(10).wrapping_add(i64::from(digit(*byte)));
                }
                Some(b' ' | b'\n') => break,
                // The text may end after the last number.
                None if at + 1 == N => break,
                _ => return None,
            }
        }
        *number = if negative { value.wrapping_neg() } else { value };
    }
    Some(found)
}

/// A decimal number without a sign.
pub(in crate::sys) fn natural(digits: &[u8]) -> Option<i64> {
    let digit = |number: i64, byte: &u8| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(i64::from(byte - b'0')),
        _ => None,
    };
    digits.first()?;
    digits.iter().try_fold(0, digit)
}

/// The name that `ps` shows for a controlling terminal: `pts/3`, `tty1`, `ttyS0`; `None` without one.
///
/// Device numbers as in the kernel's `Documentation/admin-guide/devices.txt`.
pub fn tty_name(tty_nr: u32) -> Option<Box<str>> {
    let major = (tty_nr >> 8) & 0xfff;
    let minor = (tty_nr & 0xff) | ((tty_nr >> 12) & 0xf_ff00);
    match (major, minor) {
        (0, 0) => None,
        (136..=143, _) => Some(format!("pts/{}", (major - 136) * 256 + minor).into()),
        (4, 0..=63) => Some(format!("tty{minor}").into()),
        (4, _) => Some(format!("ttyS{}", minor - 64).into()),
        (5, 1) => Some("console".into()),
        _ => Some(format!("{major}:{minor}").into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(comm: &str) -> String {
        format!(
            "815 ({comm}) S 77 810 800 34819 810 4194560 5 0 0 0 120 30 0 0 20 0 11 0 6543210 99 4321 \
             18446744073709551615 1 1 0 0\n"
        )
    }

    #[test]
    fn a_line_is_read_field_by_field() {
        let stat = stat(line("node").as_bytes()).unwrap();
        assert_eq!((stat.pid, stat.parent, stat.state), (Pid(815), Pid(77), b'S'));
        assert_eq!((stat.group, stat.session), (Pid(810), Pid(800)));
        assert_eq!((stat.cpu_ticks, stat.threads), (150, 11));
        assert_eq!((stat.start_ticks, stat.rss_pages), (6_543_210, 4321));
        assert!(!stat.kernel_thread);
        assert_eq!(tty_name(stat.tty_nr).as_deref(), Some("pts/3"));
    }

    #[test]
    fn no_name_can_pass_for_the_fields_behind_it() {
        let hostile = [
            "",
            " ",
            ")",
            "((",
            "a) Z 1 1 1",
            ") R 1 (",
            "x\n1 (init) S",
            "npm exec @model",
            "tab\there",
            "(sd-pam)",
            "\u{e9}\u{1f980}",
        ];
        for comm in hostile {
            let stat = stat(line(comm).as_bytes()).unwrap();
            assert_eq!(stat.comm, RawText::from(comm));
            assert_eq!((stat.parent, stat.state, stat.start_ticks), (Pid(77), b'S', 6_543_210), "{comm:?}");
        }
        // The kernel cuts at 15 bytes, in the middle of a character too.
        let cut = [b"815 (".as_slice(), b"\xf0\x9f\xa6", &line("").as_bytes()[5..]].concat();
        assert_eq!(stat(&cut).unwrap().comm, RawText::from(&b"\xf0\x9f\xa6"[..]));
    }

    #[test]
    fn a_kernel_thread_and_a_process_being_released_are_recognised() {
        let kernel = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 1 0 0 20 0 1 0 3 0 0";
        let kernel = stat(kernel).unwrap();
        assert!(kernel.kernel_thread);
        assert_eq!((kernel.group, kernel.session, tty_name(kernel.tty_nr)), (Pid(0), Pid(0), None));
        let released = b"9 (sh) X 0 -1 -1 0 -1 4228108 0 0 0 0 0 0 0 0 0 0 0 0 77 0 0";
        let released = stat(released).unwrap();
        assert_eq!((released.threads, released.group), (0, Pid(0)));
    }

    #[test]
    fn a_line_that_ends_early_is_no_line() {
        let whole = line("node");
        let fields = whole.split_whitespace().count();
        for keep in 0..fields {
            let cut: Vec<_> = whole.split_whitespace().take(keep).collect();
            assert_eq!(stat(cut.join(" ").as_bytes()).is_some(), keep >= 24, "{keep} fields");
        }
    }

    #[test]
    fn terminals_have_the_names_people_know() {
        let number = |major: u32, minor: u32| (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12);
        let cases = [
            ((136, 0), "pts/0"),
            ((136, 300), "pts/300"),
            ((137, 1), "pts/257"),
            ((4, 1), "tty1"),
            ((4, 64), "ttyS0"),
            ((5, 1), "console"),
            ((204, 64), "204:64"),
        ];
        for ((major, minor), name) in cases {
            assert_eq!(tty_name(number(major, minor)).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_number_that_is_not_used_is_passed_over() {
        assert_eq!(numbers(b"1 -22222222222222222222 3 ", [false, true, false]), Some([1, 0, 3]));
        assert_eq!(numbers(b"1 2", [false, true]), None, "no blank ends it");
    }

    proptest! {
        #[test]
        fn numbers_are_what_they_say(expected: [i32; 3], long: u64, behind in "( 7 8 9)?") {
            let text = format!("{} {} {} {long}{behind}", expected[0], expected[1], expected[2]);
            let [first, second, third] = expected.map(i64::from);
            prop_assert_eq!(numbers(text.as_bytes(), [false; 4]), Some([first, second, third, long as i64]));
        }

        #[test]
        fn what_is_no_number_is_none(byte: u8) {
            prop_assume!(!byte.is_ascii_digit() && !matches!(byte, b' ' | b'\n'));
            for text in ["1?2 3 4 5 6 7", "12345678? 3 4 5", "?", "1 ", "1 -", "1 --2 3 4 5 6", "123456789"] {
                let text: Vec<u8> = text.bytes().map(|b| if b == b'?' { byte } else { b }).collect();
                prop_assert_eq!(numbers(&text, [false; 2]), None, "{:?}", text);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, tty: u32) {
            let _ = stat(&bytes);
            let _ = tty_name(tty);
        }

        #[test]
        fn any_name_comes_back_whole(comm in proptest::collection::vec(1u8.., 0..15)) {
            let mut bytes = b"7 (".to_vec();
            bytes.extend(&comm);
            bytes.extend(&line("").as_bytes()[5..]);
            prop_assert_eq!(stat(&bytes).unwrap().comm, RawText::from(comm));
        }
    }
}
