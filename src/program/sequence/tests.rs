#![allow(clippy::unwrap_used)]

use super::super::{LineCommand, Word};
use super::*;

/// What runs beside the first command of the line that is called `s`.
fn beside(line: &str) -> Beside {
    let words = ["bash", "-c", line].map(Word::from);
    let seen = super::super::resolve_words(&words);
    let is_s = |command: &&LineCommand| {
        command.program.as_ref().is_some_and(|program| program.names.first().is_some_and(|name| name == "s"))
    };
    seen.line.iter().find(is_s).map(|command| command.beside).unwrap()
}

#[track_caller]
fn all(lines: &[&str], expected: Beside) {
    for line in lines {
        assert_eq!(beside(line), expected, "{line}");
    }
}

#[test]
fn a_line_that_runs_only_the_command_runs_nothing_beside_it() {
    all(
        &[
            "s",
            "cd /x && s a",
            "export A=b; s; exit $?",
            "set -a; . ./.env; set +a; exec s",
            "source ~/.zshrc && exec s",
            "[ -f .env ] && . ./.env; s",
            "if [ -f .env ]; then . ./.env; fi; exec s",
            "umask 077; ulimit -n 99; s",
            "set -euo pipefail; s",
            "shopt -s extglob; s; exit $?",
            "s & wait",
            "s & P=$!; trap 'kill $P' TERM; wait $P",
            "trap 'kill 0' EXIT; s",
            "trap 'kill $(jobs -p)' EXIT; s",
            "trap - ERR; s; true",
            "s | tee log",
            "s | cat",
            "s | tee log | cat > copy",
            "s | grep --line-buffered -v x",
            "set -o pipefail; s | sed -u s/a/b/",
            "s 2>&1 | stdbuf -oL tee log",
            "s | jq -c --unbuffered .",
            "s 2> >(tee log >&2)",
            "s 2> >(cat > /dev/null); :",
            "exec s > >(tee log)",
            "tee in | s",
            "cat | s 2>&1 | tee out",
            "s <&0 & wait",
            "(s)",
            "{ s; }",
            "(exec s)",
            "T=$(op read x | head -1) s",
            "eval \"$(direnv hook bash)\"; s",
            "make && s",
            "git pull; s",
            "exec s; b",
            "exec s && b",
            "s || exit 1",
            "s || true",
            "s && :",
            "s && cd x",
            "bash -c s",
        ],
        Beside::Nothing,
    );
}

#[test]
fn a_line_that_runs_more_says_so() {
    all(
        &[
            "s & b; wait",
            "b & s",
            "sleep 9 & s",
            "(s &) ; b; true",
            "s & b & wait",
            "b | cat & s; true",
            "timeout 9 s & b; true",
            "trap 'kill 0' EXIT; s & b; wait",
            "cd / && s & b; wait",
            "A=1 s & B=2 b; wait",
            "{ s; } & b",
            "s; b",
            "s; echo over",
            "s\nb",
            "s | b",
            "b | s",
            "trap 'b' EXIT; s",
            "bash -c 's & b'",
            "bash -c s; b",
            // `exec` that takes the place of a subshell only.
            "(exec s); b",
            "exec s & b",
            "exec s | b",
        ],
        Beside::More,
    );
}

#[test]
fn a_pipeline_with_a_result_is_no_launcher() {
    all(
        &[
            "s | jq . > o",
            "s | awk '{print}' > o",
            "s | grep -v x > o",
            "s | grep -v x >> o",
            "s | sort",
            "s | grep x | wc -l",
            "s | tee log | gzip > o",
            "s | while read -r l; do echo \"$l\" >> o; done",
            "s | { read x; echo $x; }",
            "{ s; } | sort",
            "(s) | sort",
            "tail -f /dev/null | s",
            "cat requests | s",
            "echo '{}' | s",
            "echo '{}' | (cd /x; s)",
            "cat < in | s",
        ],
        Beside::More,
    );
}

#[test]
fn a_command_with_an_input_of_its_own_is_not_on_the_wire_of_the_shell() {
    all(
        &[
            "s < in > out; exit $?",
            "s </dev/null | tee out",
            "exec s </dev/null >/dev/null",
            "exec < in; s",
            "(s) < in",
            "{ s; } < in",
            "s <<< '{}'",
        ],
        Beside::More,
    );
}

#[test]
fn what_runs_by_how_it_ends_is_told_apart() {
    all(
        &[
            "s && b",
            "s && echo ok && b",
            "s || b",
            "s || exit 1; b",
            "(s) && b",
            "s | tee log && b",
            "s & wait $! && b",
            "s # serve\n[ $? -eq 0 ] || exit\nb",
            "s; [ $? -eq 0 ] && b",
            "s; if [ $? = 0 ]; then b; fi",
            "s; code=$?; echo done; exit $code",
            "s; b $?",
            "s | cat; test ${PIPESTATUS[0]} = 0; b",
            "s; b $status",
            "set -e; s; b",
            "set -euo pipefail\ns\nb",
            "set -o errexit; s; b",
            "setopt ERR_EXIT; s; b",
            "shopt -so errexit; s; b",
            "set $OPTIONS; s; b",
            "set -e; s & wait $!; b",
            "bash -ec 's; b'",
            "bash -o errexit -c 's; b'",
            "zsh -o err_exit -c 's; b'",
            "trap 'exit 1' ERR; s; b",
            "trap 'exit 1' SIGTERM ERR; s; b",
            "trap '[ $? = 0 ] && b' EXIT; s",
            "set -e; bash -c s; b",
        ],
        Beside::DependsOnStatus,
    );
}

#[test]
fn a_line_whose_order_is_not_known_is_unread() {
    all(
        &[
            "if s; then b; fi",
            "while s; do b; done",
            "until s; do sleep 1; done",
            "while true; do s; sleep 1; done",
            "while sleep 1; do s & b; wait; done",
            "if true; then s & fi; b",
            "if [ -f x ]; then s; fi",
            "! s || b",
            "for i in 1; do s & done; b",
            "f() { s; }; f & b; s",
            "case x in a) s;; esac; s",
            "s <<EOF\nx\nEOF",
            "s; and b",
            "eval \"$C\"; s",
            "s; . ./after.sh",
            "s; eval 'b'",
            ". ./before.sh; s; b",
            "eval 'set -e'; s; b",
            "trap \"$C\" EXIT; s",
            "trap 'x=$(b)' EXIT; s",
        ],
        Beside::Unread,
    );
}

#[test]
fn a_line_that_names_no_command_for_its_child_is_unread() {
    let unnamed = |line: &str| super::super::resolve_words(&["bash", "-c", line].map(Word::from)).beside();
    for line in [". ./run.inc", "x=$(s) && b \"$x\"", "x=$(s)", ". ./lib.inc; serve", "eval \"$C\"", "x=`s`"]
    {
        assert_eq!(unnamed(line), Some(Beside::Unread), "{line}");
    }
    assert_eq!(unnamed("exec s"), Some(Beside::Nothing));
    assert_eq!(unnamed("s; b"), Some(Beside::More));
}
