//! Parses the arguments of a process on macOS, as `sysctl(KERN_PROCARGS2)` returns them.

use crate::bytes::{Argv, RawText};

/// The content of the buffer. `argv` and `env` are not filtered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcArgs {
    /// The path the program was executed by.
    pub exe: RawText,
    /// The arguments, including empty ones.
    pub argv: Argv,
    /// All strings after the arguments: the environment, then the kernel's strings for the program's start-up code. Empty for
    /// a program whose environment the kernel does not show (system programs under SIP).
    pub env: Vec<RawText>,
}

/// The kernel pads the path to the size of a pointer (xnu, `exec_extract_strings`: "Adjust space
/// reserved for the path name by however much padding it needs"). All programs since macOS 10.15
/// have 64 bits.
const POINTER: usize = 8;

/// Reads the buffer. `None` when it is cut or has another form.
///
/// ```text
/// 03 00 00 00                      argc, in the machine's byte order (all Macs: little endian)
/// /opt/homebrew/bin/node 00        the path; then 00 up to a multiple of 8, counted from the path
/// node 00  00  server.js 00        argc arguments; the second one here is empty
/// HOME=/Users/u 00 ...             the environment, with no mark between
/// ```
///
/// Only argc shows where the arguments end. So zeros must not be skipped where an empty argument may be, or the
/// environment, with its secrets, would be taken for arguments. A program that has written a title over its arguments
/// (`npm exec ...`, `process.title`) may have left fewer strings there than argc. Doubtful strings then count as
/// environment, of which hardly anything is kept.
pub fn parse(buffer: &[u8]) -> Option<ProcArgs> {
    let (argc, rest) = buffer.split_first_chunk::<4>()?;
    let argc = usize::try_from(i32::from_le_bytes(*argc)).ok()?;
    let length = rest.iter().position(|byte| *byte == 0)?;
    let (exe, padding) = rest.split_at(length);
    let words = length / POINTER * POINTER + POINTER;
    if exe.is_empty() || padding.get(..words - length)?.iter().any(|byte| *byte != 0) {
        return None;
    }
    // The last word may end with the buffer instead of a zero.
    let mut words = rest[words..].split(|byte| *byte == 0).map(RawText::from);
    let mut argv: Vec<RawText> = words.by_ref().take(argc).collect();
    if argv.len() < argc || (argc > 0 && !terminated(rest, &argv, length)) {
        return None;
    }
    let mut env: Vec<RawText> = argv.split_off(unwritten(exe, &argv));
    env.extend(words);
    env.retain(|word| !word.is_empty());
    Some(ProcArgs { exe: exe.into(), argv: argv.iter().collect(), env })
}

/// Does the last argument end with a zero, and not with the buffer?
fn terminated(rest: &[u8], argv: &[RawText], path: usize) -> bool {
    let begin = path / POINTER * POINTER + POINTER;
    let length: usize = argv.iter().map(|word| word.as_bytes().len() + 1).sum();
    rest.len() >= begin + length
}

/// The number of words that are certainly arguments.
///
/// All are, if the first one names the program that was executed. Otherwise it may be a title, and the words after it may
/// already be environment. After a title of several words no arguments are left. After a title of one word the arguments
/// end before the first word that looks like a variable.
fn unwritten(exe: &[u8], argv: &[RawText]) -> usize {
    let Some(first) = argv.first().map(RawText::as_bytes) else { return 0 };
    let base = |path: &[u8]| path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
    // A dash marks a login shell: `-zsh`.
    if base(first.strip_prefix(b"-").unwrap_or(first)) == base(exe) {
        argv.len()
    } else if first.contains(&b' ') {
        1
    } else {
        argv.iter().position(|word| is_assignment(word.as_bytes())).unwrap_or(argv.len())
    }
}

/// `NAME=value`, with a name that a shell would take.
fn is_assignment(word: &[u8]) -> bool {
    let Some(equals) = word.iter().position(|byte| *byte == b'=') else { return false };
    let name = &word[..equals];
    name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::bytes::to_text;

    /// The buffer as the kernel builds it.
    fn buffer(argc: i32, exe: &str, words: &[&str]) -> Vec<u8> {
        let mut bytes = argc.to_le_bytes().to_vec();
        bytes.extend(exe.as_bytes());
        bytes.push(0);
        while !(bytes.len() - 4).is_multiple_of(8) {
            bytes.push(0);
        }
        for word in words {
            bytes.extend(word.as_bytes());
            bytes.push(0);
        }
        bytes
    }

    fn texts(words: &[RawText]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    fn words_of(argv: &Argv) -> Vec<String> {
        argv.iter().map(|word| to_text(word).into_owned()).collect()
    }

    fn parsed(argc: i32, exe: &str, words: &[&str]) -> (Vec<String>, Vec<String>) {
        let args = parse(&buffer(argc, exe, words)).unwrap();
        assert_eq!(args.exe.to_string(), exe);
        (words_of(&args.argv), texts(&args.env))
    }

    #[test]
    fn arguments_and_environment_are_split_by_number_alone() {
        // The paths leave 7, 0 and 1 bytes of padding after their own zero.
        for exe in ["/bin/zsh", "/bin/sh", "/bin/bashh/zsh"] {
            let name = exe.rsplit('/').next().unwrap();
            let (argv, env) = parsed(3, exe, &[name, "", "A=1", "TOKEN=s", "HOME=/"]);
            assert_eq!(
                (argv, env),
                (vec![name.into(), String::new(), "A=1".into()], vec!["TOKEN=s".into(), "HOME=/".into()])
            );
        }
    }

    #[test]
    fn an_empty_argument_anywhere_takes_nothing_from_the_environment() {
        for words in [["", "b", "c"], ["zsh", "", ""], ["", "", ""], ["zsh", "b", ""]] {
            let (argv, env) = parsed(3, "/bin/zsh", &[words[0], words[1], words[2], "TOKEN=s"]);
            assert_eq!(argv, words);
            assert_eq!(env, ["TOKEN=s"]);
        }
    }

    #[test]
    fn a_title_that_left_too_few_zeros_does_not_pull_the_environment_in() {
        // `node x` had 7 bytes for its two arguments; the title takes all of them.
        for title in ["npm ex", "title1"] {
            let (argv, env) = parsed(2, "/opt/bin/node", &[title, "TOKEN=s", "HOME=/"]);
            assert_eq!((argv, env), (vec![title.to_owned()], vec!["TOKEN=s".into(), "HOME=/".into()]));
        }
        let (argv, env) = parsed(4, "/opt/bin/node", &["npm exec @a/b", "", "", "", "", "", "TOKEN=s"]);
        assert_eq!((argv, env), (vec!["npm exec @a/b".to_owned()], vec!["TOKEN=s".to_owned()]));
    }

    #[test]
    fn a_path_with_blanks_is_a_program_and_not_a_title() {
        let exe = "/Applications/Some App.app/Contents/MacOS/Some App";
        let (argv, _) = parsed(2, exe, &[exe, "X=1", "HOME=/"]);
        assert_eq!(argv, [exe, "X=1"]);
        assert_eq!(parsed(2, "/bin/zsh", &["-zsh", "-l", "HOME=/"]).0, ["-zsh", "-l"]);
    }

    #[test]
    fn what_is_cut_or_of_another_form_is_not_known() {
        let whole = buffer(2, "/bin/zsh", &["zsh", "-l"]);
        assert!(parse(&whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None, "{length} bytes");
        }
        assert_eq!(parse(&buffer(-1, "/bin/zsh", &["zsh"])), None);
        assert_eq!(parse(&buffer(i32::MAX, "/bin/zsh", &["zsh"])), None);
        assert_eq!(parse(&buffer(1, "", &["zsh"])), None);
        let mut unpadded = 1_i32.to_le_bytes().to_vec();
        unpadded.extend(b"/bin/zsh\0zsh\0HOME=/\0padding");
        assert_eq!(parse(&unpadded), None, "words where only zeros may be");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_variable_is_ever_taken_for_an_argument(
            exe in "/[a-z]{1,20}",
            mut argv in proptest::collection::vec("[a-z/ -]{0,9}", 1..6),
            env in proptest::collection::vec("[A-Z]{1,5}=[a-z]{0,5}", 0..6),
            swallowed in 0_usize..6,
        ) {
            // A title may have eaten any number of the zeros between the arguments.
            let argc = i32::try_from(argv.len()).unwrap();
            argv.truncate(argv.len() - swallowed.min(argv.len() - 1));
            // A title that is the program's own name, as a path or a login shell's too, cannot be told from it.
            let title = argv[0].strip_prefix('-').unwrap_or(&argv[0]).rsplit('/').next().unwrap().to_owned();
            prop_assume!(argv.len() == usize::try_from(argc).unwrap() || title != exe[1..]);
            let words: Vec<&str> = argv.iter().chain(&env).map(String::as_str).collect();
            if let Some(args) = parse(&buffer(argc, &exe, &words)) {
                prop_assert!(words_of(&args.argv).iter().all(|word| !env.contains(word)));
                prop_assert!(args.argv.len() <= usize::try_from(argc).unwrap());
            }
        }

        #[test]
        fn what_the_kernel_puts_in_comes_out_again(
            exe in "/[a-z]{1,20}",
            args in proptest::collection::vec("[ -~]{0,9}", 0..6),
            env in proptest::collection::vec("[A-Z]{1,5}=[ -~]{0,5}", 0..6),
        ) {
            let argv: Vec<&str> = std::iter::once(&exe).chain(&args).map(String::as_str).collect();
            let words: Vec<&str> = argv.iter().copied().chain(env.iter().map(String::as_str)).collect();
            let read = parse(&buffer(i32::try_from(argv.len()).unwrap(), &exe, &words)).unwrap();
            prop_assert_eq!(words_of(&read.argv), argv);
            prop_assert_eq!(texts(&read.env), env);
        }
    }
}
