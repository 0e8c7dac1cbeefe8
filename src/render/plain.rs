//! Adapts text to a terminal: to its width, and to the characters of its locale.

use std::ffi::OsString;

use unicode_width::UnicodeWidthStr;

/// Is the person's locale UTF-8? The variables of setlocale(3) decide, in its order. If none is set, the locale is C.
pub(crate) fn locale_is_utf8(variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default();
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// The text in ASCII. Line-drawing and other marks of ours become similar characters, everything else `?`.
pub(crate) fn ascii(text: &str) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_ascii() => letter,
        '└' => '`',
        '├' => '|',
        '─' => '-',
        '│' => '|',
        '…' => '~',
        '⠀'..='⣿' => '*',
        _ => '?',
    };
    text.chars().map(plain).collect()
}

/// The text with lines of at most this width. A longer line is broken between words and continues two columns in. A word
/// that is wider than a line stays whole, because a broken path cannot be copied. Colours (ESC [ ... m) have no width.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    text.split('\n').map(|line| wrapped_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrapped_line(line: &str, width: usize) -> String {
    if visible(line) <= width {
        return line.to_owned();
    }
    let indent = line.len() - line.trim_start_matches(' ').len();
    let margin = " ".repeat(indent + 2);
    let (mut out, mut used) = (line[..indent].to_owned(), indent);
    for (number, word) in line[indent..].split(' ').enumerate() {
        if number > 0 && used + 1 + visible(word) > width {
            out = out + "\n" + &margin;
            used = margin.len();
        } else if number > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += visible(word);
    }
    out
}

/// The width without the colours.
fn visible(text: &str) -> usize {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().width();
    first + parts.map(|part| part.split_once('m').map_or(part, |(_, rest)| rest).width()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_is_read_in_the_order_of_the_c_library() {
        let is = |set: &[(&str, &str)]| {
            locale_is_utf8(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into()))
        };
        assert!(is(&[("LANG", "de_DE.UTF-8")]) && is(&[("LC_ALL", "C.utf8"), ("LANG", "C")]));
        assert!(is(&[("LC_ALL", ""), ("LANG", "en_US.UTF-8")]), "empty is unset");
        assert!(!is(&[]) && !is(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]) && !is(&[("LANG", "de_DE")]));
    }

    #[test]
    fn ascii_keeps_its_columns() {
        assert_eq!(ascii("  └─ 2011 context7-m… ü"), "  `- 2011 context7-m~ ?");
    }

    #[test]
    fn no_word_is_broken_and_colours_take_no_room() {
        assert_eq!(
            wrapped("error: a value of some kind is wrong", 20),
            "error: a value of\n  some kind is wrong"
        );
        let red = "\u{1b}[31merror:\u{1b}[0m a value of some";
        assert_eq!(wrapped(red, 23), red);
        assert_eq!(
            wrapped("  tip: /a/path/that/is/very/long x", 12),
            "  tip:\n    /a/path/that/is/very/long\n    x"
        );
        assert_eq!(wrapped("short\n\nlines", 20), "short\n\nlines");
    }
}
