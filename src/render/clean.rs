//! Makes text of other programs safe for a terminal and for one line.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text with every control character, line break and invisible direction mark escaped. So no argv can move the cursor,
/// forge a line of the report or reverse its text.
///
/// ```
/// use mcp_reap::render::clean::clean;
/// assert_eq!(clean("node\u{1b}[2J\nx"), "node\\x1b[2J\\nx");
/// assert_eq!(clean("a\u{202e}b"), "a\\u{202e}b");
/// ```
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push(' '),
            c if c.is_control() && (c as u32) < 0x100 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if is_invisible(c) => out.push_str(&format!("\\u{{{:x}}}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

/// [`clean`] for a text of several lines: its own line breaks stay.
///
/// ```
/// use mcp_reap::render::clean::clean_lines;
/// assert_eq!(clean_lines("no such file:\n  /a\u{1b}[2J"), "no such file:\n  /a\\x1b[2J");
/// ```
pub fn clean_lines(text: &str) -> String {
    text.split('\n').map(clean).collect::<Vec<_>>().join("\n")
}

/// Marks that change direction, join or hide text without a mark of their own: bidi controls
/// (Unicode UAX #9), zero-width characters, line and paragraph separators, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text cut to this many columns, with `…` for what is missing.
pub fn fit(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut used = 0;
    let mut out = String::new();
    for character in text.chars() {
        let width = character.width().unwrap_or(0);
        if used + width > columns.saturating_sub(1) {
            break;
        }
        used += width;
        out.push(character);
    }
    out.push('…');
    out
}

/// A path cut to this many columns, with `…` in its middle, so that its beginning and the file's name stay.
pub(crate) fn fit_path(path: &str, columns: usize) -> String {
    if path.width() <= columns {
        return path.to_owned();
    }
    let head = columns.saturating_sub(1) / 3;
    let start = fit(path, head + 1);
    let mut room = (columns + 1).saturating_sub(start.width().max(1) + 1);
    let taken = path.chars().rev().take_while(|letter| {
        let width = letter.width().unwrap_or(0);
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    });
    let tail: usize = taken.map(char::len_utf8).sum();
    start + &path[path.len() - tail..]
}

/// The least number of columns that a path in a command line is cut to.
const PATH: usize = 24;

/// A command line cut to this many columns. Its longest paths are cut first, in their middle, then its end.
pub(crate) fn fit_command(line: &str, columns: usize) -> String {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    let mut over = line.width().saturating_sub(columns);
    while over > 0 {
        let paths = words.iter_mut().filter(|word| word.contains('/') && word.width() > PATH);
        let Some(longest) = paths.max_by_key(|word| word.width()) else { break };
        let before = longest.width();
        *longest = fit_path(longest, before.saturating_sub(over).max(PATH));
        // A path with wide letters may become one column shorter.
        over = over.saturating_sub(before - longest.width());
    }
    fit(&words.join(" "), columns)
}

/// A path with `~` instead of the person's home.
pub(crate) fn below_home(path: &str, home: Option<&str>) -> String {
    let below = home.and_then(|home| path.strip_prefix(home.trim_end_matches('/')));
    match below.filter(|rest| rest.starts_with('/')) {
        Some(rest) => format!("~{rest}"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    /// What any argv may hold. (`any::<String>()` has no control characters.)
    fn texts() -> impl Strategy<Value = String> {
        let character = prop_oneof![
            Just('n'),
            prop::char::range('\0', '\u{a0}'),
            prop::char::range('\u{2000}', '\u{2070}'),
            any::<char>(),
        ];
        prop::collection::vec(character, 0..40).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn nothing_clean_can_move_the_cursor(text in texts()) {
            let cleaned = clean(&text);
            prop_assert!(cleaned.chars().all(|c| !c.is_control() && !is_invisible(c)));
        }

        #[test]
        fn a_fitted_text_fits(text in texts(), columns in 1usize..200) {
            prop_assert!(fit(&clean(&text), columns).width() <= columns);
        }
    }

    #[test]
    fn every_invisible_mark_is_written_out() {
        let marks = "\u{61c}\u{200b}\u{200f}\u{2028}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{206f}\u{feff}\u{fff9}\u{fffb}\u{e0001}\u{e007f}";
        for mark in marks.chars() {
            let code = mark as u32;
            assert_eq!(clean(&format!("a{mark}b")), format!("a\\u{{{code:x}}}b"));
        }
    }

    #[test]
    fn text_that_fits_is_left_as_it_is() {
        assert_eq!(fit("context7", 8), "context7");
        assert_eq!(fit("context7", 7), "contex…");
    }

    #[test]
    fn of_a_command_line_the_paths_give_way_and_what_is_called_stays_readable() {
        let line = "/home/kim/.local/share/uv/tools/git/bin/python /home/kim/.local/bin/mcp-server-git --repository x";
        assert_eq!(fit_command(line, 200), line);
        assert_eq!(
            fit_command(line, 74),
            "/home/k…s/git/bin/python /home/kim/.…cal/bin/mcp-server-git --repository x"
        );
        assert_eq!(fit_command("node server.js --a-long-flag with a value", 20), "node server.js --a-…");
        for columns in 1..110 {
            assert!(fit_command(line, columns).width() <= columns, "{columns}");
        }
    }

    #[test]
    fn a_path_is_cut_in_its_middle_and_begins_at_home() {
        assert_eq!(fit_path("/a/b", 4), "/a/b");
        assert_eq!(fit_path("/home/kim/.config/some/where/mcp.json", 20), "/home/…here/mcp.json");
        for columns in 1..40 {
            for path in ["/home/kim/.config/some/where/mcp.json", "/漢字/漢字漢字漢字漢字漢字/漢字.json"]
            {
                assert!(fit_path(path, columns).width() <= columns, "{columns}: {}", fit_path(path, columns));
            }
        }
        for (path, shown) in
            [("/home/kim/x", "~/x"), ("/home/kimono/x", "/home/kimono/x"), ("/etc/x", "/etc/x")]
        {
            assert_eq!(below_home(path, Some("/home/kim")), shown);
        }
        assert_eq!(below_home("/home/kim/x", None), "/home/kim/x");
    }
}
