//! Finds the names that a person probably meant when a typed name matches nothing.

use crate::pattern::Pattern;
use crate::render::clean::clean;

/// The most names that are proposed.
const MOST: usize = 3;

/// The names that are near to what was typed, the nearest first.
///
/// People often use a part of a server's name (`memory` for `server-memory`). So a name is near if it contains what was
/// typed, or if it or one of its words differs in at most a third of its letters. No name is near to a regular
/// expression.
pub(super) fn near<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<String> {
    let typed = typed.trim_matches(['*', '?']).to_lowercase();
    if typed.is_empty() || typed.starts_with("re:") {
        return Vec::new();
    }
    let distance = |name: &str| {
        let name = name.to_lowercase();
        if name.contains(&typed) || name.len() > 2 && typed.contains(&name) {
            return Some(0);
        }
        // Short words are not compared: a third of `codex` is enough to make `code` of it.
        let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 4);
        let far = |word: &str| {
            Some(strsim::osa_distance(&typed, word)).filter(|far| *far <= (word.len() / 3).max(1))
        };
        words.chain([name.as_str()]).filter_map(far).min()
    };
    let mut found: Vec<(usize, &str)> =
        names.into_iter().filter_map(|name| Some((distance(name)?, name))).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(MOST).map(|(_, name)| clean(name)).collect()
}

/// [`near`] for a pattern; none if the pattern matches one of `names`.
pub(super) fn near_pattern(typed: &Pattern, names: &[&str]) -> Vec<String> {
    if names.iter().any(|name| typed.matches(name)) {
        return Vec::new();
    }
    near(typed.as_str(), names.iter().copied())
}

/// ". Did you mean notes, maps or mail?"; empty if `names` is empty.
pub(super) fn did_you_mean(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!(". Did you mean {one}?"),
        [first @ .., last] => format!(". Did you mean {} or {last}?", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] =
        ["server-memory", "mcp-server-fetch", "context7-mcp", "@acme/notes", "playwright-mcp", "git"];

    #[test]
    fn a_part_of_a_name_and_a_slip_of_the_pen_are_near_and_a_wild_guess_is_not() {
        for (typed, found) in [
            ("memory", &["server-memory"][..]),
            ("memroy", &["server-memory"]),
            ("Server-Memori", &["server-memory"]),
            ("fetch*", &["mcp-server-fetch"]),
            ("context7", &["context7-mcp"]),
            ("server", &["mcp-server-fetch", "server-memory"]),
            ("note", &["@acme/notes"]),
            ("gti", &["git"]),
            ("mcp-server-git", &["git", "mcp-server-fetch"]),
            ("kubernetes", &[]),
            ("*", &[]),
            ("re:memroy", &[]),
            ("mcq", &[]),
        ] {
            assert_eq!(near(typed, NAMES), found, "{typed}");
        }
        assert_eq!(
            near("mcp", NAMES),
            ["context7-mcp", "mcp-server-fetch", "playwright-mcp"],
            "no more than three"
        );
        assert_eq!(near("memory", ["server-memory", "server-memory"]), ["server-memory"], "each once");
        assert_eq!(near("evil", ["evil\u{1b}[2J"]).len(), 1);
        assert!(!near("evil", ["evil\u{1b}[2J"])[0].contains('\u{1b}'));
    }

    #[test]
    fn names_stand_in_a_question() {
        let of = |names: &[&str]| did_you_mean(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(of(&[]), "");
        assert_eq!(of(&["a"]), ". Did you mean a?");
        assert_eq!(of(&["a", "b", "c"]), ". Did you mean a, b or c?");
    }
}
