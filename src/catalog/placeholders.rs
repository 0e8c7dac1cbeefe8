//! Compares words with placeholders: `${VAR}`, `${VAR:-x}` and `$VAR` in a configuration match any text in an argv.

/// The text without its placeholders.
pub(super) fn literal(pattern: &str) -> String {
    pieces(pattern).concat()
}

/// The literal pieces between `${...}` and `$NAME` placeholders, one more than there are placeholders.
fn pieces(pattern: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        let end = if after.starts_with('{') {
            after.find('}').map(|end| end + 1)
        } else {
            let name = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
            (name > 0).then_some(name)
        };
        let Some(end) = end else { break };
        pieces.push(&rest[..at]);
        rest = &after[end..];
    }
    pieces.push(rest);
    pieces
}

/// Does a word match a configured one? Placeholders match any text, and `~` matches the home folder.
pub(super) fn matches_text(pattern: &str, word: &str) -> bool {
    let home = pattern.strip_prefix('~').filter(|rest| rest.starts_with('/'));
    let mut pieces = pieces(home.unwrap_or(pattern));
    if home.is_some() {
        pieces.insert(0, "");
    }
    let Some((first, middle)) = pieces.split_first() else { return false };
    let Some(mut rest) = word.strip_prefix(first) else { return false };
    let Some((last, middle)) = middle.split_last() else { return rest.is_empty() };
    for piece in middle {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_stand_for_any_text_and_nothing_else_does() {
        for (pattern, word, same) in [
            ("${A}/x", "/a/b/x", true),
            ("${A}/x", "/a/b/y", false),
            ("a${A}b${B:-c}d", "a1b2d", true),
            ("a${A}b", "ab", true),
            ("a${A}b", "a", false),
            ("$A-x", "1-x", true),
            ("${open", "${open", true),
            ("cost$", "cost$", true),
            ("cost$", "cost5", false),
            ("$A/$B/$C/x", "1/2/3/x", true),
            ("a${A}b${B}b${C}d", "a1b2d", false),
            ("a${A}b${B}b${C}d", "a1b2b3d", true),
            ("~/x", "/home/u/x", true),
            ("~x", "~x", true),
            ("*", "anything", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches_text(pattern, word), same, "{pattern} {word}");
        }
    }
}
