//! sh -c: the command line in the string, and its first command that does something.

use super::names::base;
use super::options::{self, Grammar};
use super::resolve::Resolver;
use super::{Program, Word};

/// Commands that only prepare the one that counts.
const PREPARING: &[&str] = &[
    ".", ":", "[", "[[", "alias", "builtin", "cat", "cd", "chmod", "clear", "command", "date", "declare",
    "echo", "eval", "exit", "export", "false", "fnm", "hash", "local", "mkdir", "nvm", "popd", "printf",
    "pushd", "set", "setopt", "shopt", "sleep", "source", "stty", "tee", "test", "trap", "true", "type",
    "typeset", "ulimit", "umask", "unalias", "unset", "unsetopt", "wait", "which",
];
/// Words that open a compound command; what follows them is a command again.
const OPENING: &[&str] = &[
    "{",
    "(",
    "!",
    "if",
    "then",
    "else",
    "elif",
    "while",
    "until",
    "do",
    "time",
    "-p", // of `time`
    "exec",
    "command",
    "noglob",
    "nocorrect",
];

/// One simple command, as words.
type Simple = Vec<String>;

impl Resolver {
    /// A shell: `-c` with its string, a script file, or nothing that can be told.
    pub(super) fn shell(&mut self, words: &[Word<'_>]) -> Option<Program> {
        const VALUED: &[&str] = &["--rcfile", "--init-file", "-C", "--init-command"];
        let mut at = 0;
        let mut string = false;
        let mut stdin = false;
        // Options may also stand between -c and its string: sh -c -l 'cmd'.
        while let Some(word) = words.get(at).map(|word| &**word) {
            if word == "--" {
                at += 1;
                break;
            }
            if word.len() < 2 || !word.starts_with(['-', '+']) {
                break;
            }
            let letters = if word.starts_with("--") { "" } else { word };
            string |= word == "--command" || letters.contains('c');
            stdin |= letters.contains('s');
            // -o takes a word behind other letters too: bash -euo pipefail
            at += 1 + usize::from(VALUED.contains(&word) || letters.ends_with(['o', 'O']));
        }
        let rest = words.get(at..)?;
        let (first, after) = rest.split_first()?;
        if !string {
            // What comes from standard input is not told; the words are its parameters.
            if stdin {
                return None;
            }
            return Some(Program::script(first, self.dir.as_deref(), after));
        }
        self.opaque = true;
        // A line that was split at spaces on its way here (ps): put together what can only belong
        // together. The shell itself would give the words as $0 and $1 to a bare `npx`.
        let alone = ["npx", "npm", "uvx", "uv", "bunx", "pnpm", "exec", "cd"].contains(&&**first);
        if alone {
            return self.command(&rest.join(" "), &[]);
        }
        self.command(first, after)
    }

    /// A command line for a shell; `parameters` are $0, $1 and so on.
    pub(super) fn command(&mut self, line: &str, parameters: &[Word<'_>]) -> Option<Program> {
        for simple in split(line) {
            let words = match meaningful(&simple) {
                Meaning::Enters(dir) => {
                    self.enter(dir);
                    continue;
                }
                Meaning::Prepares => continue,
                Meaning::Opaque => return None,
                Meaning::Runs(words) => words,
            };
            let expanded: Vec<Word<'_>> = words.iter().flat_map(|word| expand(word, parameters)).collect();
            return self.file_or_command(&expanded);
        }
        None
    }
}

enum Meaning<'s> {
    Prepares,
    /// `cd`: what follows counts from there.
    Enters(&'s str),
    /// `eval`: what it runs is put together at run time, or a job of someone else's tool.
    Opaque,
    Runs(&'s [String]),
}

/// Past assignments and opening words to the command itself.
fn meaningful(simple: &[String]) -> Meaning<'_> {
    let mut words = simple;
    while let Some((first, rest)) = words.split_first() {
        let first = first.trim_start_matches('(');
        if first == "exec" {
            let parsed = options_of_exec(rest);
            words = parsed;
        } else if is_assignment(first) || OPENING.contains(&first) {
            // `command -v x` asks for a program and runs none.
            if first == "command" && rest.first().is_some_and(|word| word.starts_with('-')) {
                return Meaning::Prepares;
            }
            words = rest;
        } else if first == "eval" {
            return Meaning::Opaque;
        } else if let (true, Some(dir)) = (first == "cd", rest.iter().find(|word| !word.starts_with('-'))) {
            return Meaning::Enters(dir);
        } else if PREPARING.contains(&base(first)) {
            return Meaning::Prepares;
        } else {
            return Meaning::Runs(words);
        }
    }
    Meaning::Prepares
}

/// `A=b` before a command.
fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// exec's own options: -a NAME, -c, -l.
fn options_of_exec(words: &[String]) -> &[String] {
    let borrowed: Vec<Word<'_>> = words.iter().map(|word| Word::from(word.as_str())).collect();
    let rest = options::parse(&borrowed, Grammar::clustered(&["-a"])).rest.len();
    words.get(words.len() - rest..).unwrap_or_default()
}

/// `$@`, `$0`, `$1` by the words behind the string; anything else stays as it is.
fn expand<'w>(word: &'w str, parameters: &[Word<'w>]) -> Vec<Word<'w>> {
    match word {
        "$@" | "$*" | "${@}" => parameters.get(1..).unwrap_or_default().to_vec(),
        _ => match word.strip_prefix('$').and_then(|digit| digit.parse::<usize>().ok()) {
            Some(number) => parameters.get(number).cloned().into_iter().collect(),
            None => vec![Word::from(word)],
        },
    }
}

/// A command line as simple commands, the way a POSIX shell reads quotes, operators, comments and
/// redirections (XCU 2.2, 2.7 and 2.10). Expansions stay as they are written.
fn split(line: &str) -> Vec<Simple> {
    let mut commands: Vec<Simple> = Vec::new();
    let mut simple: Simple = Vec::new();
    let mut word: Option<String> = None;
    // The next word is where a redirection goes, not a word of the command.
    let mut target = false;
    let mut chars = line.chars().peekable();
    fn end(word: &mut Option<String>, simple: &mut Simple, target: &mut bool) {
        if let Some(done) = word.take()
            && !std::mem::take(target)
        {
            simple.push(done);
        }
    }
    while let Some(c) = chars.next() {
        match c {
            '\'' => word.get_or_insert_default().extend(chars.by_ref().take_while(|c| *c != '\'')),
            '"' => {
                let word = word.get_or_insert_default();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' if matches!(chars.peek(), Some('"' | '\\' | '$' | '`')) => {
                            word.extend(chars.next())
                        }
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next().filter(|c| *c != '\n')),
            '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            '>' | '<' => {
                // A number right before it is the descriptor.
                if word.as_deref().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
                    word = None;
                }
                end(&mut word, &mut simple, &mut target);
                while chars.next_if(|c| matches!(c, '>' | '<' | '&' | '|')).is_some() {}
                target = true;
            }
            '&' if chars.peek() == Some(&'>') => {}
            ';' | '&' | '|' | '\n' => {
                end(&mut word, &mut simple, &mut target);
                target = false;
                if !simple.is_empty() {
                    commands.push(std::mem::take(&mut simple));
                }
            }
            c if c.is_whitespace() => end(&mut word, &mut simple, &mut target),
            c => word.get_or_insert_default().push(c),
        }
    }
    end(&mut word, &mut simple, &mut target);
    if !simple.is_empty() {
        commands.push(simple);
    }
    commands
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_has_a_name_that_a_shell_takes() {
        for word in ["A=b", "_a1=", "a=b=c"] {
            assert!(is_assignment(word), "{word}");
        }
        for word in ["a", "=b", "1A=b", "a-b=c", "/x/a=b", "--a=b"] {
            assert!(!is_assignment(word), "{word}");
        }
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
            ("", vec![]),
            ("''", vec![vec![""]]),
        ] {
            assert_eq!(split(line), commands, "{line}");
        }
    }
}
