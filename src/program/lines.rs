//! Splits a shell's command line into its simple commands.

use std::iter::Peekable;
use std::str::Chars;

/// The operator between a command and the next one.
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
    /// It is in parentheses, so that `exec` replaces only a subshell.
    pub subshell: bool,
    /// Its stdin is redirected (`< file`, `<<< text`).
    pub input: bool,
    /// Its stdout is redirected (`> file`, `>&2`).
    pub output: bool,
}

/// The commands of a line, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ShellLine {
    pub commands: Vec<Simple>,
    /// The lines in process substitutions that read the output of a command: `2> >(tee log)`.
    pub readers: Vec<String>,
    /// The line contains something that is not understood: a here document, a function, or a process substitution from
    /// which a command reads.
    pub unread: bool,
}

/// Reads the quotes, operators, comments and redirections of a line as a POSIX shell does (XCU 2.2,
/// 2.7 and 2.10). Expansions stay as they are written.
pub(super) fn read(line: &str) -> ShellLine {
    let mut reader = Reader {
        chars: line.chars().peekable(),
        line: ShellLine { commands: Vec::new(), readers: Vec::new(), unread: false },
        simple: Vec::new(),
        word: None,
        target: false,
        closed: false,
        depth: 0,
        input: false,
        output: false,
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
    /// The words of the current command.
    simple: Vec<String>,
    /// The current word.
    word: Option<String>,
    /// The next word is the target of a redirection, not a word of the command.
    target: bool,
    /// The last command was ended by `)`, so that an operator now belongs to it.
    closed: bool,
    /// How many parentheses are open.
    depth: usize,
    /// The stdin of the current command is redirected.
    input: bool,
    /// The stdout of the current command is redirected.
    output: bool,
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
                // `name()` begins a function, whose body does not run here.
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

    /// `$(...)` is a part of the word, whatever is in it.
    fn dollar(&mut self) {
        self.word.get_or_insert_default().push('$');
        if self.chars.next_if_eq(&'(').is_some() {
            self.word.get_or_insert_default().push('(');
            self.copy_until(')');
        }
    }

    /// Copies up to the closing mark of what was opened just before, with all that is nested in it.
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
        // A number right before the operator is the descriptor.
        let number =
            self.word.take_if(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()));
        self.end_word();
        let mut operator = c.to_string();
        while let Some(c) = self.chars.next_if(|c| matches!(c, '>' | '<' | '&' | '|')) {
            operator.push(c);
        }
        let number = number.as_deref();
        let own = matches!(&*operator, "<" | "<>" | "<<" | "<<<");
        self.input |= own && number.is_none_or(|number| number == "0");
        self.output |= operator.starts_with('>') && number.is_none_or(|number| number == "1");
        self.line.unread |= operator == "<<";
        if self.chars.next_if_eq(&'(').is_some() {
            self.substitution(&operator);
        }
        self.target = true;
    }

    /// `>(tee log)` or `<(cmd)`, a word of its own.
    fn substitution(&mut self, operator: &str) {
        // In `2> >(tee log)` the substitution is the target of a redirection. It is a word of the command in no case.
        self.copy_until(')');
        let text = self.word.take().unwrap_or_default();
        match operator {
            ">" => self.line.readers.push(text.strip_suffix(')').unwrap_or(&text).to_owned()),
            _ => self.line.unread = true,
        }
        self.word = Some(text);
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
        let output = std::mem::take(&mut self.output);
        if !self.simple.is_empty() {
            let words = std::mem::take(&mut self.simple);
            self.line.commands.push(Simple { words, joint, subshell: self.depth > 0, input, output });
        } else if self.closed
            && let Some(last) = self.line.commands.last_mut()
        {
            last.input |= input;
            last.output |= output;
            if last.joint == Joint::Then {
                last.joint = joint;
            }
        }
        self.closed = false;
    }
}

#[cfg(test)]
mod tests;
