//! The one matching language, for catalog, allowlist and rules: a glob, or a regular expression.

use wildmatch::WildMatch;

/// A compiled pattern.
///
/// `*` matches any run of characters and `?` any one, over the whole text; `re:` in front makes it a
/// regular expression that may match anywhere.
///
/// ```
/// use mcp_reap::pattern::Pattern;
/// let mcp = Pattern::parse("mcp-server-*").expect("a pattern");
/// assert!(mcp.matches("mcp-server-git"));
/// assert!(!mcp.matches("my-mcp-server-git"));
/// assert!(Pattern::parse("re:^notes?$").expect("a pattern").matches("note"));
/// assert!(Pattern::parse("re:(").is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    Glob(WildMatch),
    Regex(regex::Regex),
}

/// Why a text is no pattern.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// An empty pattern would match everything or nothing; which was meant is not clear.
    #[error("an empty pattern")]
    Empty,
    /// Longer than [`Pattern::MAX_LEN`].
    #[error("a pattern of {0} bytes, at most {max} are taken", max = Pattern::MAX_LEN)]
    TooLong(usize),
    /// Not a regular expression, or one that compiles to too much.
    #[error("{0}")]
    Regex(#[from] regex::Error),
}

impl Pattern {
    /// The longest pattern that is taken, in bytes.
    pub const MAX_LEN: usize = 4096;
    /// What a compiled regular expression may use, in bytes.
    const REGEX_SIZE: usize = 1 << 20;

    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is empty, too long or not a regular expression after `re:`.
    pub fn parse(text: &str) -> Result<Pattern, PatternError> {
        if text.is_empty() || text == "re:" {
            return Err(PatternError::Empty);
        }
        if text.len() > Pattern::MAX_LEN {
            return Err(PatternError::TooLong(text.len()));
        }
        let matcher = match text.strip_prefix("re:") {
            Some(expression) => Matcher::Regex(
                regex::RegexBuilder::new(expression)
                    .size_limit(Pattern::REGEX_SIZE)
                    .dfa_size_limit(Pattern::REGEX_SIZE)
                    .build()?,
            ),
            None => Matcher::Glob(WildMatch::new(text)),
        };
        Ok(Pattern { text: text.to_owned(), matcher })
    }

    /// Does the text match?
    pub fn matches(&self, text: &str) -> bool {
        match &self.matcher {
            Matcher::Glob(glob) => glob.matches(text),
            Matcher::Regex(regex) => regex.is_match(text),
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_empty_pattern_is_refused_in_either_language() {
        for text in ["", "re:"] {
            assert!(matches!(Pattern::parse(text), Err(PatternError::Empty)), "{text:?}");
        }
    }

    #[test]
    fn a_pattern_is_taken_up_to_its_greatest_length_and_no_further() {
        let longest = "a".repeat(Pattern::MAX_LEN);
        assert!(Pattern::parse(&longest).unwrap().matches(&longest));
        let longer = longest + "a";
        assert!(matches!(Pattern::parse(&longer), Err(PatternError::TooLong(4097))));
    }

    #[test]
    fn a_pattern_is_shown_as_it_was_written() {
        for text in ["mcp-*", "re:^a$", "plain"] {
            let pattern = Pattern::parse(text).unwrap();
            assert_eq!((pattern.as_str(), pattern.to_string().as_str()), (text, text));
        }
    }

    #[test]
    fn without_a_star_or_a_question_mark_only_the_same_text_matches() {
        let plain = Pattern::parse("notes[1]+\\.").unwrap();
        assert!(plain.matches("notes[1]+\\."));
        for other in ["notes1.", "notes[1]+", "Notes[1]+\\.", "xnotes[1]+\\.", ""] {
            assert!(!plain.matches(other), "{other}");
        }
    }

    #[test]
    fn a_hostile_expression_is_refused_and_not_compiled() {
        assert!(matches!(Pattern::parse("re:(((a{99}){99}){99}){99}"), Err(PatternError::Regex(_))));
    }
}
