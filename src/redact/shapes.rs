//! Hides secrets that are recognized by their shape, without a name beside them.

use std::borrow::Cow;
use std::ops::Range;

/// What replaces a secret.
pub const HIDDEN: &str = "<redacted>";

/// Prefixes that only secrets have, with the least number of characters after them.
#[rustfmt::skip] // a list, not a column
const ISSUED: &[(&str, usize)] = &[
    ("AGE-SECRET-KEY-", 8), ("AIza", 20), ("AKIA", 12), ("ASIA", 12), ("ATATT3x", 12), ("SG.", 16),
    ("ctx7sk-", 8), ("dckr_pat_", 8), ("dop_v1_", 8), ("eyJ", 16), ("figd_", 8), ("gho_", 8), ("ghp_", 8),
    ("ghr_", 8), ("ghs_", 8), ("ghu_", 8), ("github_pat_", 8), ("gldt-", 8), ("glpat-", 8), ("glrt-", 8),
    ("hvs.", 16), ("lin_api_", 8), ("ntn_", 12), ("rk_live_", 8), ("sbp_", 16), ("shpat_", 8),
    ("sk-ant-", 8), ("sk-or-v1-", 8), ("sk-proj-", 8), ("sk_live_", 8), ("sk_test_", 8), ("tvly-", 8),
    ("xapp-", 8), ("xoxa-", 8), ("xoxb-", 8), ("xoxe-", 8), ("xoxp-", 8), ("xoxs-", 8), ("ya29.", 12),
];

/// Prefixes that ordinary words have too (`npm_config_cache`, `sk-learn`, `key-value-store`). The characters after them
/// must look random.
const SHARED: &[&str] =
    &["fc-", "gsk_", "hf_", "key-", "npm_", "pplx-", "pypi-", "r8_", "secret_", "sk-", "xai-"];

/// Where a text is, which decides how random it must look to be hidden.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// An argument of its own, or a part of one.
    Word,
    /// A local path, where hashes of caches and stores are common.
    Path,
    /// A segment, value or fragment of a URL, where most ids are secrets.
    Url,
    /// The value of a flag such as `-t` or `-p`, which takes tokens and passwords in some tools, transports and
    /// ports in others.
    ShortFlag,
}

impl Place {
    /// The place of a word that is no URL: `/abs`, `./rel`, `~/x` and `@scope/package` are paths.
    fn of(word: &str) -> Place {
        let start = word.rsplit(['=', ':']).next().unwrap_or(word);
        if start.contains('/') && start.starts_with(['/', '.', '~', '@']) { Place::Path } else { Place::Word }
    }

    /// Is this character part of a run? A slash is, because base64 contains slashes, but not in paths and URLs.
    fn takes(self, c: char) -> bool {
        c.is_ascii_alphanumeric()
            || matches!(c, '_' | '-' | '+' | '=') && !matches!(self, Place::Path)
            || c == '/' && matches!(self, Place::Word | Place::ShortFlag)
    }
}

/// Hides secrets in a word that is no URL. Whether the rest is a path is decided after known tokens are hidden.
pub(super) fn hide_word(word: &str) -> Cow<'_, str> {
    hide_in(word, Place::of)
}

/// Hides all that looks like a secret in this place.
pub(super) fn hide(text: &str, place: Place) -> Cow<'_, str> {
    hide_in(text, |_| place)
}

fn hide_in(text: &str, place: impl Fn(&str) -> Place) -> Cow<'_, str> {
    // Most arguments are shorter than any known secret.
    if text.len() < 12 {
        return Cow::Borrowed(text);
    }
    if let Some(start) = text.find("-----BEGIN ") {
        return Cow::Owned(format!("{}{HIDDEN}", &text[..start]));
    }
    let issued = hide_each(text, |from| next_issued(text, from));
    let place = place(&issued);
    match hide_each(&issued, |from| next_random(&issued, from, place)) {
        Cow::Owned(hidden) => Cow::Owned(hidden),
        Cow::Borrowed(_) => issued,
    }
}

/// Length of the characters a token is made of, from the start of the text.
fn token_len(text: &str) -> usize {
    text.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.+/=~%".contains(c))).unwrap_or(text.len())
}

/// Hides all secrets in a text. `next` finds the first one at or after an index.
fn hide_each(text: &str, next: impl Fn(usize) -> Option<Range<usize>>) -> Cow<'_, str> {
    let mut out = String::new();
    let mut shown = 0;
    while let Some(secret) = next(shown) {
        out.push_str(&text[shown..secret.start]);
        out.push_str(HIDDEN);
        shown = secret.end;
    }
    if shown == 0 { Cow::Borrowed(text) } else { Cow::Owned(out + &text[shown..]) }
}

/// The next token with a known prefix.
fn next_issued(text: &str, from: usize) -> Option<Range<usize>> {
    text[from..].char_indices().map(|(at, _)| from + at).find_map(|at| {
        let inside = text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        let len = if inside { None } else { issued_len(&text[at..]) }?;
        Some(at..at + len)
    })
}

/// The length of the token that begins here, if one does. Only a token with a known prefix is measured, because a long
/// argument has many words.
fn issued_len(text: &str) -> Option<usize> {
    /// The first bytes of all prefixes. Few words begin with one, so the fifty prefixes are seldom compared.
    const FIRST: [bool; 256] = first_bytes();
    if !FIRST[usize::from(*text.as_bytes().first()?)] {
        return None;
    }
    let issued = ISSUED.iter().find(|(prefix, _)| text.starts_with(prefix));
    if let Some((prefix, more)) = issued {
        let len = token_len(text);
        return (len >= prefix.len() + more).then_some(len);
    }
    let shared = SHARED.iter().find(|prefix| text.starts_with(**prefix))?;
    let len = token_len(text);
    looks_random(&text[shared.len()..len], 16).then_some(len)
}

const fn first_bytes() -> [bool; 256] {
    let mut first = [false; 256];
    let mut at = 0;
    while at < ISSUED.len() {
        first[ISSUED[at].0.as_bytes()[0] as usize] = true;
        at += 1;
    }
    at = 0;
    while at < SHARED.len() {
        first[SHARED[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    first
}

/// The next long random run.
fn next_random(text: &str, mut from: usize, place: Place) -> Option<Range<usize>> {
    while let Some(start) = text[from..].find(|c| place.takes(c)) {
        let (before, tail) = text.split_at(from + start);
        let run = &tail[..tail.find(|c| !place.takes(c)).unwrap_or(tail.len())];
        if is_secret_run(run, place) && !is_content_hash(before, run) {
            return Some(before.len()..before.len() + run.len());
        }
        from = before.len() + run.len();
    }
    None
}

/// Is this run of characters a secret in this place?
fn is_secret_run(run: &str, place: Place) -> bool {
    if let Some(uuid) = find_uuid(run) {
        // A URL with a uuid often gives access to anybody who knows it.
        if matches!(place, Place::Url) {
            return true;
        }
        // Elsewhere a uuid names a session or a folder; the text around it is judged alone.
        return is_secret_run(&run[..uuid], place) || is_secret_run(&run[uuid + UUID..], place);
    }
    match place {
        Place::Word => looks_random(run, 32),
        Place::Url => looks_random(run, 16),
        Place::ShortFlag => looks_random(run, 12),
        // sha256 and nix hashes, and long names of cache folders of npx and uv, are in one case.
        Place::Path => {
            looks_random(run, 40)
                && run.bytes().any(|b| b.is_ascii_uppercase())
                && run.bytes().any(|b| b.is_ascii_lowercase())
        }
    }
}

/// Does a run look random: does it have digits and letters, and as many changes between digits, capitals and small letters
/// as in random text? A change from a capital to a small letter is not counted, because every word of a `CamelCase` name
/// has one. Random base62 and hexadecimal change at 0.45 of their characters, base36 at 0.4, names at up to 0.22.
fn looks_random(run: &str, min: usize) -> bool {
    if run.len() < min {
        return false;
    }
    let kind = |b: &u8| match b {
        b'0'..=b'9' => Some(0),
        b'A'..=b'Z' => Some(1),
        b'a'..=b'z' => Some(2),
        _ => None,
    };
    let bytes = run.as_bytes();
    let alnum = bytes.iter().filter(|b| b.is_ascii_alphanumeric()).count();
    let changes = bytes.windows(2).filter(|pair| match (kind(&pair[0]), kind(&pair[1])) {
        (Some(1), Some(2)) => false,
        (Some(left), Some(right)) => left != right,
        _ => false,
    });
    bytes.iter().any(u8::is_ascii_digit)
        && bytes.iter().any(u8::is_ascii_alphabetic)
        && changes.count() * 4 >= alnum
}

/// Is it the hash of some content: `@sha256:...` of an image, `#<40 hex>` of a git reference?
fn is_content_hash(before: &str, run: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    (before.ends_with("sha256:") && run.len() == 64 && hex(run))
        || (before.ends_with(['#', '@']) && run.len() == 40 && hex(run))
}

const UUID: usize = 36;

/// The index of a uuid (8-4-4-4-12 hexadecimal) in a text.
fn find_uuid(text: &str) -> Option<usize> {
    text.as_bytes().windows(UUID).position(|window| {
        window.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

#[cfg(test)]
mod tests;
