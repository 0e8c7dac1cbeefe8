//! A prefilter for the many processes that have no role: no launcher or interpreter, no known name, and no "mcp" in the
//! command line. It makes one pass over the bytes of the command line, before anything is resolved.
//!
//! It only leaves out processes for which the judge would return `None`. Tests check that.

use super::data::Data;
use super::words;
use crate::bytes::{Argv, RawText};
use crate::process::ProcessRecord;
use crate::program::{self, base, stem};

/// A cache of program names, and whether the catalog knows them. A machine has far fewer names than processes.
pub(crate) struct Names<'r>([(&'r str, bool); Names::ROOM]);

impl Default for Names<'_> {
    fn default() -> Self {
        // No program has an empty name.
        Names([("", false); Names::ROOM])
    }
}

impl Names<'_> {
    /// The size of the cache. With 64 places a fifth of the names on a developer's machine had to be looked up again.
    const ROOM: usize = 256;
}

impl<'r> Names<'r> {
    fn is_known(&mut self, path: &'r str, data: &Data) -> bool {
        let last = path.bytes().rev().take(3).fold(0, |sum, byte| sum * 31 + usize::from(byte));
        let met = &mut self.0[(path.len() * 7 + last) % Names::ROOM];
        if met.0 != path {
            *met = (path, program::is_tool(path) || is_known(data, path));
        }
        met.1
    }
}

/// May the catalog identify this process?
pub(super) fn is_worth_a_look<'r>(data: &Data, record: &'r ProcessRecord, names: &mut Names<'r>) -> bool {
    let written = record.argv.as_ref().and_then(|argv| Some((argv, argv.first()?)));
    let Some((argv, first)) = written.filter(|(_, first)| !first.is_empty()) else {
        let exe = record.details.exe.as_ref().map(RawText::as_bytes).unwrap_or_default();
        return [exe, record.comm.as_bytes()].into_iter().any(|name| {
            words::says_mcp(name) || std::str::from_utf8(name).is_ok_and(|name| is_known(data, name))
        });
    };
    let Ok(first) = std::str::from_utf8(first) else { return true };
    let title = first.contains(' ');
    let path = if title { path_in_title(record, argv, first) } else { Some(first) };
    // The end of the program's name is not known.
    let Some(path) = path else { return true };
    let known = names.is_known(path, data);
    if known && data.helper.browsers.contains(&base(path)) {
        let Ok(all) = std::str::from_utf8(argv.as_bytes()) else { return true };
        let profile = if title {
            data.profile(all.split(|c: char| c == '\0' || c.is_whitespace()))
        } else {
            data.profile(all.split('\0'))
        };
        return profile.is_some();
    }
    known || words::says_mcp(argv.as_bytes())
}

/// The program in a title that was written over a whole command line, as `split_title` in `src/program/title.rs` finds
/// it without the executable: `postgres: main app idle`, `/opt/chrome --type=renderer`. `None` where its end is not
/// plain: a path may hold spaces, and so may an application's name.
fn path_in_title<'a>(record: &ProcessRecord, argv: &Argv, text: &'a str) -> Option<&'a str> {
    let whole = record.details.exe.is_none() && argv.iter().skip(1).all(<[u8]>::is_empty);
    let (word, rest) = text.split_once(' ').filter(|(word, _)| whole && !word.is_empty())?;
    if word.contains(char::is_whitespace) {
        return None;
    }
    if let Some(name) = word.strip_suffix(':') {
        return Some(name);
    }
    let option = rest.strip_prefix('-').is_some_and(|rest| rest.starts_with(|next| next != ' '));
    let plain = if word.starts_with('/') { option } else { !text.contains(" Helper") };
    plain.then_some(word)
}

/// Does the catalog know this path, by its folder or by its name with or without the extension?
fn is_known(data: &Data, path: &str) -> bool {
    let path = path.strip_prefix('-').unwrap_or(path);
    let known = |name: &str| data.heads.contains(name) || data.clients.begins(name);
    let name = base(path);
    let stem = stem(name);
    known(name) || (stem != name && known(stem)) || data.has_mark(path)
}
