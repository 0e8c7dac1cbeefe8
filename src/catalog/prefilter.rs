//! The fast way out, for the many processes that are nothing here: no launcher or interpreter, no known name, no "mcp"
//! anywhere. One pass over the command line as bytes, before anything is resolved.
//!
//! It only ever leaves out what the judge would answer with `None`; tests hold it to that.

use super::data::Data;
use super::words;
use crate::bytes::{Argv, RawText};
use crate::process::ProcessRecord;
use crate::program::{self, base, stem};

/// Programs that were met lately, and whether the catalog knows them: a machine has far fewer than processes.
pub(crate) struct Names<'r>([(&'r str, bool); Names::ROOM]);

impl Default for Names<'_> {
    fn default() -> Self {
        // No program is called nothing.
        Names([("", false); Names::ROOM])
    }
}

impl Names<'_> {
    /// With 64 places a fifth of the names of a developer's machine had to be looked up again.
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

/// False only where nothing in the catalog can speak of this process.
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
    // Where the program's name ends cannot be told.
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

/// The program in a title that was written over a whole command line, as `split_title` in `src/program/title.rs` finds it
/// without the executable: `postgres: main app idle`, `/opt/chrome --type=renderer`. `None` where its end is not plain: a path
/// may hold spaces, and so may an application's name.
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

/// By its name, with or without its extension, or by where it lies.
fn is_known(data: &Data, path: &str) -> bool {
    let path = path.strip_prefix('-').unwrap_or(path);
    let known = |name: &str| data.heads.contains(name) || data.clients.begins(name);
    let name = base(path);
    let stem = stem(name);
    known(name) || (stem != name && known(stem)) || data.has_mark(path)
}
