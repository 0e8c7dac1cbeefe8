//! Splits the bytes of an argv into words, also where a program wrote a title over its command line.

use std::borrow::Cow;

use super::names::base;
use super::{Word, table};
use crate::bytes::{Argv, RawText, to_text};

/// More words than any launcher has before its program. The rest of a huge argv is ignored.
const MAX_WORDS: usize = 1024;

/// The words of an argv. A single string with spaces is split, unless it is a path: it is a title that a program wrote
/// over its command line (`npm exec x`, padded with NULs; `/opt/chrome --type=renderer`).
pub(super) fn words<'a>(argv: &'a Argv, exe: Option<&RawText>) -> Vec<Word<'a>> {
    let mut words = argv.written();
    words.truncate(MAX_WORDS);
    match &*words {
        [only] if only.contains(&b' ') => split_title(to_text(only), exe),
        _ => words.into_iter().map(to_text).collect(),
    }
}

fn split_title<'a>(text: Cow<'a, str>, exe: Option<&RawText>) -> Vec<Word<'a>> {
    let own = |text: &str| -> Word<'a> { Cow::Owned(text.to_owned()) };
    let split = |text: &str| text.split_whitespace().take(MAX_WORDS).map(own).collect::<Vec<_>>();
    let exe = exe.map(RawText::to_text);
    if exe.as_deref() == Some(&*text) && !text.contains(" --") {
        return vec![text];
    }
    if let Some(rest) = exe.as_deref().filter(|exe| !exe.is_empty()).and_then(|exe| text.strip_prefix(exe))
        && rest.starts_with(' ')
        && let Some(exe) = exe.as_deref()
    {
        return std::iter::once(own(exe)).chain(split(rest)).collect();
    }
    let first = text.split_whitespace().next().unwrap_or_default();
    // A status follows the colon in "sshd: mcp [priv]" and "postgres: mcp idle".
    if let Some(name) = first.strip_suffix(':') {
        return vec![own(name)];
    }
    let path_or_app = text.starts_with('/') || text.contains(" Helper");
    if !path_or_app || table::find(base(first)).is_some() {
        return split(&text);
    }
    // A path may contain spaces ("/Applications/Google Chrome.app/..."). It ends before the first option.
    let options =
        text.match_indices(" -").find(|(at, _)| !matches!(text.as_bytes().get(at + 2), None | Some(b' ')));
    let (path, rest) = text.split_at(options.map_or(text.len(), |(at, _)| at));
    let path = path.split(": ").next().unwrap_or(path);
    std::iter::once(own(path)).chain(split(rest)).collect()
}
