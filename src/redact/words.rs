//! Finds words, quotes and blanks in a command line, and recognizes words by their form.

/// The quote at the end of a gap, which shows where a value in it ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quote {
    mark: char,
    /// Written as `\"`, inside another quoted text.
    escaped: bool,
}

impl Quote {
    pub(super) fn ending(gap: &str) -> Option<Quote> {
        let mark = gap.chars().next_back().filter(|c| is_quote(*c))?;
        let escaped = gap[..gap.len() - 1].ends_with('\\');
        Some(Quote { mark, escaped })
    }

    /// The index at which the quoted text ends: before the closing mark, or at the end of the text.
    pub(super) fn closing(self, text: &str) -> usize {
        let mut escaped = false;
        for (at, c) in text.char_indices() {
            if c == self.mark && escaped == self.escaped {
                // Nested quotes have several backslashes before them.
                return if escaped { text[..at].trim_end_matches('\\').len() } else { at };
            }
            escaped = c == '\\' && !escaped;
        }
        text.len()
    }
}

pub(super) fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

/// Length of blanks, control characters and quotes (also `\"` and `\\\"`) at the start.
pub(super) fn gap_len(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c.is_control() || is_quote(c));
        let escaped = rest.trim_start_matches('\\');
        if escaped.len() == rest.len() || !escaped.starts_with(is_quote) {
            return text.len() - rest.len();
        }
        rest = escaped;
    }
}

/// Length of the word at the start: up to a blank or a quote, with the backslashes before it.
pub(super) fn word_len(text: &str) -> usize {
    let end = text.find(|c: char| c.is_whitespace() || c.is_control() || is_quote(c)).unwrap_or(text.len());
    let bare = text[..end].trim_end_matches('\\').len();
    if bare > 0 && text[end..].starts_with(is_quote) { bare } else { end }
}

pub(super) fn blank(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || c.is_control()).unwrap_or(text.len())
}

/// The name before a divider. Before a colon it must begin the word or follow a bracket, comma or `=`, because
/// `registry/token:latest` is an image with its tag.
pub(super) fn name_before(before: &str, divider: char) -> Option<&str> {
    let start = before
        .char_indices()
        .rev()
        .find(|(_, c)| !(c.is_ascii_alphanumeric() || "_-.".contains(*c)))
        .map_or(0, |(at, c)| at + c.len_utf8());
    let opened = start == 0
        || &before[..start] == "/"
        || before[..start].ends_with(['{', '[', '(', ',', ';', '&', '?', '=']);
    (start < before.len() && (divider == '=' || opened)).then(|| &before[start..])
}

/// Does it look like a flag (`--name`, `-n`), not like a value that begins with a dash?
pub(super) fn is_flag(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    let dashes = word.len() - name.len();
    (1..=2).contains(&dashes)
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && (dashes == 2 || name.len() < 24)
        && name.split('=').next().is_some_and(|name| {
            name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        })
}

/// Is it the flag of a shell whose value is a command line: `-c`, `-lc`?
pub(super) fn is_shell_flag(word: &str) -> bool {
    word.len() <= 5
        && word
            .strip_prefix('-')
            .and_then(|name| name.strip_suffix('c'))
            .is_some_and(|more| more.bytes().all(|b| b.is_ascii_lowercase()))
}

/// Is it the scheme before the credentials of an `Authorization` header (RFC 9110, 11.1)?
pub(super) fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "digest", "token", "apikey"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Is it no secret although its name is one of a secret: a switch, a variable that a shell will expand, or a file with an
/// extension?
pub(super) fn is_harmless(value: &str) -> bool {
    let variable = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && {
            !name.starts_with(|c: char| c.is_ascii_digit())
        }
    };
    if let Some(name) = value.strip_prefix('$') {
        return variable(name.strip_prefix('{').and_then(|name| name.strip_suffix('}')).unwrap_or(name));
    }
    let file = value.starts_with(['/', '~', '.'])
        && value.contains('/')
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-~".contains(&b))
        && value.rsplit_once('.').is_some_and(|(stem, extension)| {
            !stem.is_empty()
                && (2..=5).contains(&extension.len())
                && extension.bytes().all(|b| b.is_ascii_lowercase())
        });
    file || matches!(value, "-" | "true" | "false" | "null" | "none" | "yes" | "no" | "stdin")
}
