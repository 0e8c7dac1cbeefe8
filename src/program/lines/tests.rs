#![allow(clippy::unwrap_used)]

use super::*;

fn words(line: &str) -> Vec<Vec<String>> {
    read(line).commands.into_iter().map(|simple| simple.words).collect()
}

#[test]
fn a_command_line_is_read_as_a_shell_reads_it() {
    for (line, commands) in [
        ("a b", vec![vec!["a", "b"]]),
        ("'a b' \"c 'd'\" e\\ f", vec![vec!["a b", "c 'd'", "e f"]]),
        ("a && b || c; d | e & f", vec![vec!["a"], vec!["b"], vec!["c"], vec!["d"], vec!["e"], vec!["f"]]),
        ("a 2>/dev/null >x b <<< c", vec![vec!["a", "b"]]),
        ("a >&2 2>&1 b", vec![vec!["a", "b"]]),
        (r#"a "b \"c\" \\ \$d \e" f#g #h"#, vec![vec!["a", r#"b "c" \ $d \e"#, "f#g"]]),
        ("a &> log b", vec![vec!["a", "b"]]),
        ("# all\na # rest", vec![vec!["a"]]),
        ("a 'open", vec![vec!["a", "open"]]),
        ("a \"$(b | c; d \")\" )\" e", vec![vec!["a", "$(b | c; d \")\" )", "e"]]),
        ("A=$(b; c) d `e; f`", vec![vec!["A=$(b; c)", "d", "`e; f`"]]),
        ("A=(b c) d", vec![vec!["A=(b c)", "d"]]),
        ("(a; b) c", vec![vec!["a"], vec!["b"], vec!["c"]]),
        ("", vec![]),
        ("''", vec![vec![""]]),
    ] {
        assert_eq!(words(line), commands, "{line}");
    }
}

#[test]
fn each_command_has_what_joins_it_to_the_next() {
    use Joint::{And, Background, Or, Pipe, Then};
    for (line, joints) in [
        ("a; b", vec![Then, Then]),
        ("a && b || c", vec![And, Or, Then]),
        ("a | b |& c &", vec![Pipe, Pipe, Background]),
        ("(a) & b", vec![Background, Then]),
        ("(a &); b", vec![Background, Then]),
        ("a &&\n b", vec![And, Then]),
    ] {
        let found: Vec<Joint> = read(line).commands.iter().map(|simple| simple.joint).collect();
        assert_eq!(found, joints, "{line}");
    }
}

#[test]
fn a_command_that_does_not_read_what_the_shell_was_given_is_told_apart() {
    for line in
        ["a < b", "a </dev/null >c", "a 0<b", "a <<< b", "a 2>&1 < b", "(a) < b", "(a; b) < c", "a <> b"]
    {
        assert!(read(line).commands.last().unwrap().input, "{line}");
    }
    for line in ["a", "a <&0", "a > b", "a 3<b", "b < c; a", "a 2>&1 | b"] {
        assert!(!read(line).commands.last().unwrap().input, "{line}");
    }
}

#[test]
fn what_stands_between_parentheses_runs_in_a_subshell() {
    for (line, subshell) in
        [("a", [false].as_slice()), ("(a); b", &[true, false]), ("((a) ; b) && c", &[true, true, false])]
    {
        let found: Vec<bool> = read(line).commands.iter().map(|simple| simple.subshell).collect();
        assert_eq!(found, subshell, "{line}");
    }
}

#[test]
fn what_is_not_understood_is_reported() {
    for (line, unread) in [
        ("a <<EOF\nb\nEOF", true),
        ("a <(b)", true),
        ("f() { a; }; f", true),
        ("a <<< b", false),
        ("(a)", false),
        ("a $(b)", false),
    ] {
        assert_eq!(read(line).unread, unread, "{line}");
    }
}
