//! Tables of command lines, one per launcher: what comes before the program, its kind, its first
//! name, its arguments.
#![allow(clippy::unwrap_used)]

mod interpreters;
mod runners;
mod shells;

use super::*;

/// `layers | kind | name | arguments`, or `-` where nothing is known to run.
fn resolved(words: &[&str]) -> String {
    let argv: Argv = words.iter().collect();
    let seen = resolve(Some(&argv), None, &RawText::from("x"));
    let Some(program) = seen.program else { return "-".to_owned() };
    let layers: Vec<_> = seen.layers.iter().map(|layer| layer.tool.as_str()).collect();
    let name = program.folders.into_iter().next().or(program.names.first().cloned()).unwrap_or_default();
    format!("{} | {:?} | {name} | {}", layers.join(" "), program.kind, program.args.join(" "))
}

/// Words are parted by spaces; `~` stands for a space inside a word.
fn table(cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        let words: Vec<String> = line.split(' ').map(|word| word.replace('~', " ")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(resolved(&words), *expected, "{line}");
    }
}

#[test]
fn a_layer_says_how_it_passes_on() {
    use LayerKind::{Interpreter, Runner, Shell, Wrapper};
    for (words, kinds) in [
        (&["env", "sh", "-c", "npx -y b"][..], &[Wrapper, Shell, Runner][..]),
        (&["nodemon", "--exec", "node", "b.js"], &[Wrapper, Interpreter]),
        (&["cmd", "/c", "npx", "b"], &[Shell, Runner]),
        (&["docker", "run", "b"], &[Runner]),
        (&["tsx", "b.ts"], &[Runner, Runner]),
    ] {
        let seen = resolve(Some(&words.iter().collect()), None, &RawText::from("x"));
        assert_eq!(seen.layers.iter().map(|layer| layer.kind).collect::<Vec<_>>(), kinds, "{words:?}");
    }
}

#[test]
fn without_an_argv_the_executable_names_the_program_or_else_a_comm_that_was_not_cut() {
    for (exe, comm, name) in [
        (Some("/opt/b"), "x", Some("b")),
        (Some(""), "b", Some("b")),
        (None, "b", Some("b")),
        (None, "a-name-cut-here", None),
        (None, "", None),
        (Some("/usr/bin/node"), "b", None),
    ] {
        let seen = resolve(None, exe.map(RawText::from).as_ref(), &RawText::from(comm));
        assert_eq!(seen.program.map(|program| program.names[0].clone()).as_deref(), name, "{exe:?} {comm}");
    }
}

#[test]
fn titles_that_were_written_over_a_command_line_are_split_where_the_program_ends() {
    for (title, exe, name) in [
        ("npm exec b", Some("/usr/bin/node"), "b"),
        ("b --x y", Some("/usr/bin/node"), "b"),
        ("/opt/chrome --type=renderer --x", None, "chrome"),
        ("/opt/my dir/b", Some("/opt/my dir/b"), "b"),
        ("/opt/my -dir/b", Some("/opt/my -dir/b"), "b"),
        ("/opt/my dir/b --x", Some("/opt/my dir/b"), "b"),
        ("/opt/my dir/b c", Some("/opt/my dir/b"), "b"),
        ("b:", None, "b:"),
        ("/Applications/A B.app/Contents/MacOS/A B --x", None, "A B"),
        ("/Applications/A - C.app/Contents/MacOS/E", None, "E"),
        ("A Helper (Plugin): extension-host [1]", None, "A Helper (Plugin)"),
        ("sshd: b [priv]", Some("/usr/sbin/sshd"), "sshd"),
        ("/usr/bin/node /x/b.js c", None, "b"),
    ] {
        let seen = resolve(Some(&Argv::from([title])), exe.map(RawText::from).as_ref(), &RawText::from("x"));
        assert_eq!(seen.program.unwrap().names[0], name, "{title}");
    }
}
