//! A command line for a shell, as the simple commands it is made of.

use std::iter::Peekable;
use std::str::Chars;

/// What joins a command to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joint {
    /// `;`, a new line, or the end.
    Then,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `|`
    Pipe,
    /// `&`
    Background,
}

/// One simple command, as words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Simple {
    pub words: Vec<String>,
    pub joint: Joint,
    /// It stands between parentheses, so that `exec` takes the place of a subshell only.
    pub subshell: bool,
    /// The line redirects what it reads (`< file`, `<<< text`): not what the shell was given.
    pub input: bool,
}

/// The commands of a line, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ShellLine {
    pub commands: Vec<Simple>,
    /// Something in it was not understood: a here document, a process substitution.
    pub unread: bool,
}

/// Reads a line the way a POSIX shell reads quotes, operators, comments and redirections (XCU 2.2,
/// 2.7 and 2.10). Expansions stay as they are written.
pub(super) fn read(line: &str) -> ShellLine {
    let mut reader = Reader {
        chars: line.chars().peekable(),
        line: ShellLine { commands: Vec::new(), unread: false },
        simple: Vec::new(),
        word: None,
        target: false,
        closed: false,
        depth: 0,
        input: false,
    };
    while let Some(c) = reader.chars.next() {
        reader.take(c);
    }
    reader.end_command(Joint::Then);
    reader.line
}

struct Reader<'l> {
    chars: Peekable<Chars<'l>>,
    line: ShellLine,
    /// The words of the command so far, and the word so far.
    simple: Vec<String>,
    word: Option<String>,
    /// The next word is where a redirection goes, not a word of the command.
    target: bool,
    /// The last command was ended by `)`: an operator behind that joins it.
    closed: bool,
    /// How many parentheses are open.
    depth: usize,
    /// The command so far has an input of its own.
    input: bool,
}

impl Reader<'_> {
    fn take(&mut self, c: char) {
        match c {
            '\'' => self.word.get_or_insert_default().extend(self.chars.by_ref().take_while(|c| *c != '\'')),
            '"' => self.double_quoted(),
            '\\' => {
                let escaped = self.chars.next().filter(|c| *c != '\n');
                self.word.get_or_insert_default().extend(escaped);
            }
            '`' => {
                self.word.get_or_insert_default().push(c);
                self.copy_until(c);
            }
            '$' => self.dollar(),
            '#' if self.word.is_none() => while self.chars.next_if(|c| *c != '\n').is_some() {},
            '>' | '<' => self.redirection(c),
            '(' if self.word.as_deref().is_some_and(|word| word.ends_with('=')) => {
                self.word.get_or_insert_default().push(c);
                self.copy_until(')');
            }
            '(' => {
                // `name()` begins a function, whose body runs where it is called.
                self.line.unread |= self.word.is_some();
                self.end_word();
                self.depth += 1;
            }
            ')' => {
                self.end_command(Joint::Then);
                self.depth = self.depth.saturating_sub(1);
                self.closed = true;
            }
            '&' if self.chars.peek() == Some(&'>') => {}
            ';' | '\n' => self.end_command(Joint::Then),
            '&' if self.chars.next_if_eq(&'&').is_some() => self.end_command(Joint::And),
            '&' => self.end_command(Joint::Background),
            '|' if self.chars.next_if_eq(&'|').is_some() => self.end_command(Joint::Or),
            '|' => {
                self.chars.next_if_eq(&'&');
                self.end_command(Joint::Pipe);
            }
            c if c.is_whitespace() => self.end_word(),
            c => self.word.get_or_insert_default().push(c),
        }
    }

    fn double_quoted(&mut self) {
        self.word.get_or_insert_default();
        while let Some(c) = self.chars.next() {
            let escapes = c == '\\' && matches!(self.chars.peek(), Some('"' | '\\' | '$' | '`'));
            match c {
                '"' => break,
                '`' => {
                    self.word.get_or_insert_default().push(c);
                    self.copy_until(c);
                }
                '$' => self.dollar(),
                _ if escapes => self.word.get_or_insert_default().extend(self.chars.next()),
                c => self.word.get_or_insert_default().push(c),
            }
        }
    }

    /// `$(...)` is a part of the word, whatever stands in it.
    fn dollar(&mut self) {
        self.word.get_or_insert_default().push('$');
        if self.chars.next_if_eq(&'(').is_some() {
            self.word.get_or_insert_default().push('(');
            self.copy_until(')');
        }
    }

    /// Up to the mark that closes what was opened just before, with what is nested in it.
    fn copy_until(&mut self, close: char) {
        let word = self.word.get_or_insert_default();
        let mut depth = 1;
        let mut quote = None;
        for c in self.chars.by_ref() {
            match c {
                _ if quote == Some(c) => quote = None,
                _ if quote.is_some() => {}
                '\'' | '"' => quote = Some(c),
                '(' if close == ')' => depth += 1,
                _ if c == close => depth -= 1,
                _ => {}
            }
            word.push(c);
            if depth == 0 {
                return;
            }
        }
    }

    fn redirection(&mut self, c: char) {
        // A number right before it is the descriptor.
        let number =
            self.word.take_if(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()));
        self.end_word();
        let mut operator = c.to_string();
        while let Some(c) = self.chars.next_if(|c| matches!(c, '>' | '<' | '&' | '|')) {
            operator.push(c);
        }
        let own = matches!(&*operator, "<" | "<>" | "<<" | "<<<");
        self.input |= own && number.is_none_or(|number| number == "0");
        self.line.unread |= operator == "<<" || self.chars.peek() == Some(&'(');
        self.target = true;
    }

    fn end_word(&mut self) {
        if let Some(done) = self.word.take()
            && !std::mem::take(&mut self.target)
        {
            self.simple.push(done);
        }
    }

    fn end_command(&mut self, joint: Joint) {
        self.end_word();
        self.target = false;
        let input = std::mem::take(&mut self.input);
        if !self.simple.is_empty() {
            let words = std::mem::take(&mut self.simple);
            self.line.commands.push(Simple { words, joint, subshell: self.depth > 0, input });
        } else if self.closed
            && let Some(last) = self.line.commands.last_mut()
        {
            last.input |= input;
            if last.joint == Joint::Then {
                last.joint = joint;
            }
        }
        self.closed = false;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<String>> {
        read(line).commands.into_iter().map(|simple| simple.words).collect()
    }

    #[test]
    fn a_command_line_is_read_as_a_shell_reads_it() {
        for (line, commands) in [
            ("a b", vec![vec!["a", "b"]]),
            ("'a b' \"c 'd'\" e\\ f", vec![vec!["a b", "c 'd'", "e f"]]),
            (
                "a && b || c; d | e & f",
                vec![vec!["a"], vec!["b"], vec!["c"], vec!["d"], vec!["e"], vec!["f"]],
            ),
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
}
