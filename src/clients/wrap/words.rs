//! Inserts `mcp-reap exec --` in front of an entry's command in a text, and removes it. All other bytes stay.

use std::ops::Range;

use super::located::{Located, Member, Value};
use super::refusal::Refusal;

/// An entry is ours if it starts a program of this name with [`VERB`] as the first argument.
const PROGRAM: &str = "mcp-reap";
const VERB: &str = "exec";

/// The index of the old command in a command line that is ours; `None` for every other line, and for one without a
/// command.
pub(super) fn old_command<S: AsRef<str>>(line: &[S]) -> Option<usize> {
    let word = |at: usize| line.get(at).map(AsRef::as_ref);
    if word(0)?.rsplit('/').next() != Some(PROGRAM) || word(1) != Some(VERB) {
        return None;
    }
    let mut at = 2;
    while word(at) == Some("--linger") {
        at += 2;
    }
    if word(at) == Some("--") {
        at += 1;
    }
    (at < line.len()).then_some(at)
}

/// Does a command line run `mcp-reap exec` in any way, also through a runner (`npx -y mcp-reap exec -- x`) or without a
/// command? It is not removed from such a line, but reported.
pub(super) fn goes_through_exec<S: AsRef<str>>(line: &[S]) -> bool {
    let is_own = |word: &str| {
        let name = word.rsplit('/').next().unwrap_or_default();
        name.split('@').next() == Some(PROGRAM)
    };
    line.windows(2).any(|pair| is_own(pair[0].as_ref()) && pair[1].as_ref() == VERB)
}

/// How an entry writes its command.
#[derive(Debug)]
pub(super) enum Form<'a> {
    /// `"command": "npx", "args": [...]`; also `"command": {"path": "npx", "args": [...]}`.
    Apart { key: &'a Member, args: Option<&'a Located> },
    /// `"command": ["npx", ...]`.
    Together(&'a [Located]),
}

/// One entry in a text.
#[derive(Debug)]
pub(super) struct EntryText<'a> {
    pub(super) text: &'a str,
    pub(super) form: Form<'a>,
}

impl<'a> EntryText<'a> {
    /// # Errors
    /// When it is written in a way that is not understood completely.
    pub(super) fn read(text: &'a str, entry: &'a Located) -> Result<EntryText<'a>, Refusal> {
        // If a key occurs twice, or there is another key that the client may prefer, it is not known what is started.
        let others = ["cmd", "transport", "platform_overrides", "url", "httpUrl", "serverUrl", "uri"];
        let strange = |member: &Member| {
            others.contains(&member.key.as_str())
                && !matches!((&*member.key, &member.value.value), ("transport", Value::Text(_)))
        };
        if entry.members().iter().any(strange) {
            return Err(Refusal::NotPlain);
        }
        let command = entry.only("command").ok_or(Refusal::NotPlain)?;
        let args = |of: &'a Located| match of.members().iter().filter(|member| member.key == "args").count() {
            0 => Ok(None),
            1 => {
                let args = of.only("args").map(|args| &args.value);
                args.filter(|args| args.elements().is_some()).map(Some).ok_or(Refusal::NotPlain)
            }
            _ => Err(Refusal::NotPlain),
        };
        let form = match &command.value.value {
            Value::Text(_) => Form::Apart { key: command, args: args(entry)? },
            Value::List(words) if args(entry)?.is_none() => Form::Together(words),
            Value::Map(_) if args(entry)?.is_none() => {
                let path = command.value.only("path").filter(|path| path.value.text().is_some());
                Form::Apart { key: path.ok_or(Refusal::NotPlain)?, args: args(&command.value)? }
            }
            _ => return Err(Refusal::NotPlain),
        };
        let read = EntryText { text, form };
        let program = read.pieces().first().and_then(|piece| piece.text());
        if program.is_none_or(str::is_empty) { Err(Refusal::NotPlain) } else { Ok(read) }
    }

    fn pieces(&self) -> Vec<&'a Located> {
        match &self.form {
            Form::Apart { key, args } => {
                let args = args.and_then(Located::elements).unwrap_or_default();
                std::iter::once(&key.value).chain(args).collect()
            }
            Form::Together(words) => words.iter().collect(),
        }
    }

    /// Command and arguments as they are written. Numbers and booleans are included as text.
    pub(super) fn line(&self) -> Vec<String> {
        let word =
            |piece: &&Located| piece.text().map_or_else(|| self.raw(&piece.span).to_owned(), str::to_owned);
        self.pieces().iter().map(word).collect()
    }

    fn raw(&self, span: &Range<usize>) -> &'a str {
        &self.text[span.clone()]
    }

    /// The text with `program exec --` in front of the command.
    pub(super) fn wrapped(&self, program: &str) -> String {
        // A JSON string is also a TOML string.
        let own = [program, VERB, "--"].map(|text| serde_json::Value::from(text).to_string());
        match &self.form {
            Form::Together(words) => self.edited(vec![self.put_first(words, &own)]),
            Form::Apart { key, args } => {
                let [program, verb, dashes] = own;
                let added = [verb, dashes, self.raw(&key.value.span).to_owned()];
                let replaced = (key.value.span.clone(), program);
                let args = match args {
                    Some(args) => match args.elements().unwrap_or_default() {
                        [] => (args.span.start + 1..args.span.start + 1, added.join(", ")),
                        list => self.put_first(list, &added),
                    },
                    None => self.new_args(key, &added),
                };
                self.edited(vec![replaced, args])
            }
        }
    }

    /// The text before a position on its line, and the line break before that if there is one.
    fn line_before(&self, at: usize) -> (&'a str, Option<&'static str>) {
        let line = self.text[..at].rfind('\n').map_or(0, |end| end + 1);
        let newline = if self.text[..line].ends_with("\r\n") { "\r\n" } else { "\n" };
        (&self.text[line..at], (line > 0).then_some(newline))
    }

    /// The edit that inserts words at the beginning of a list that is not empty, with the layout of that list.
    fn put_first(&self, list: &[Located], words: &[String]) -> (Range<usize>, String) {
        let first = &list[0].span;
        let between = match (self.line_before(first.start), list.get(1)) {
            ((indent, Some(newline)), _) if is_blank(indent) => format!(",{newline}{indent}"),
            (_, Some(second)) if &self.text[first.end..second.span.start] == "," => ",".to_owned(),
            _ => ", ".to_owned(),
        };
        let added = words.iter().map(|word| format!("{word}{between}")).collect();
        (first.start..first.start, added)
    }

    /// The edit that inserts missing `args` after the command, with the same layout.
    fn new_args(&self, key: &Member, words: &[String]) -> (Range<usize>, String) {
        let (before, newline) = self.line_before(key.key_span.start);
        let end = key.value.span.end;
        let list = format!("[{}]", words.join(", "));
        let toml = self.text[key.key_span.end..].trim_start().starts_with('=');
        if toml && !before.contains('{') {
            // In TOML it gets its own line, after any comment. `a.b.command` is followed by `a.b.args`.
            let end = self.text[end..].find('\n').map_or(self.text.len(), |at| end + at);
            let end = if self.text[..end].ends_with('\r') { end - 1 } else { end };
            return (end..end, format!("{}{before}args = {list}", newline.unwrap_or("\n")));
        }
        let (name, is) = match (toml, self.raw(&key.key_span).starts_with('"')) {
            (true, _) => ("args", " = "),
            (false, true) => ("\"args\"", ": "),
            (false, false) => ("args", ": "),
        };
        let apart = match newline {
            Some(newline) if is_blank(before) => format!(",{newline}{before}"),
            _ => ", ".to_owned(),
        };
        (end..end, format!("{apart}{name}{is}{list}"))
    }

    /// The text without what [`EntryText::wrapped`] inserted; `None` if the entry is not ours. `had_args`: whether
    /// there was a list of arguments before. It is needed if the old command has no arguments, and may not be known.
    ///
    /// # Errors
    /// When there is something else between the words to remove.
    pub(super) fn unwrapped(&self, had_args: Option<bool>) -> Result<Option<String>, Refusal> {
        let line = self.line();
        let Some(at) = old_command(&line) else { return Ok(None) };
        let pieces = self.pieces();
        if pieces[..=at].iter().any(|piece| piece.text().is_none()) {
            return Err(Refusal::NotPlain);
        }
        let old = &pieces[at].span;
        match &self.form {
            Form::Together(words) => {
                self.only_words(&words[..=at])?;
                Ok(Some(self.edited(vec![(words[0].span.start..old.start, String::new())])))
            }
            Form::Apart { key, args } => {
                let Some(args) = args else { return Ok(None) };
                let list = args.elements().unwrap_or_default();
                let restored = (key.value.span.clone(), self.raw(old).to_owned());
                let Some(next) = list.get(at) else {
                    self.only_words(list)?;
                    let emptied = (list[0].span.start..old.end, String::new());
                    let emptied = self.edited(vec![restored.clone(), emptied]);
                    let removed = self.without_args(key, args, restored);
                    return Ok(Some(removed.filter(|_| had_args != Some(true)).unwrap_or(emptied)));
                };
                self.only_words(&list[..=at])?;
                let cut = (list[0].span.start..next.span.start, String::new());
                Ok(Some(self.edited(vec![restored, cut])))
            }
        }
    }

    /// The text without the `args` that [`EntryText::new_args`] wrote; `None` if they are written in another way.
    fn without_args(&self, key: &Member, args: &Located, restored: (Range<usize>, String)) -> Option<String> {
        let words: Vec<String> =
            args.elements()?.iter().map(|word| self.raw(&word.span).to_owned()).collect();
        let (at, written) = self.new_args(key, &words);
        // In TOML they were inserted at the end of the line of the command.
        (self.text[at.start..].starts_with(&written))
            .then(|| self.edited(vec![restored, (at.start..at.start + written.len(), String::new())]))
    }

    /// Checks that there are only blanks and commas between the words to remove.
    fn only_words(&self, words: &[Located]) -> Result<(), Refusal> {
        let plain = |pair: &[Located]| {
            let between = &self.text[pair[0].span.end..pair[1].span.start];
            between.chars().all(|c| c.is_whitespace() || c == ',')
        };
        if words.windows(2).all(plain) { Ok(()) } else { Err(Refusal::Comment) }
    }

    /// The text after some edits, in any order.
    fn edited(&self, mut edits: Vec<(Range<usize>, String)>) -> String {
        edits.sort_by_key(|(span, _)| span.start);
        let mut out = String::with_capacity(self.text.len() + 200);
        let mut at = 0;
        for (span, new) in edits {
            out.push_str(&self.text[at..span.start]);
            out.push_str(&new);
            at = span.end;
        }
        out + &self.text[at..]
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c == ' ' || c == '\t')
}
