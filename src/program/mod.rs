//! Resolves argv, exe and comm to the program that really runs.
//!
//! An argv is resolved layer by layer: an interpreter runs a script, a runner a package, a shell its
//! first command, a wrapper (`env`, `timeout`, `sudo`) the words after its own options. The program is what is left after
//! all layers, and only its name counts. Words that are data for a program are never looked at.
//!
//! ```
//! use mcp_reap::bytes::{Argv, RawText};
//! use mcp_reap::program::resolve;
//! let argv = Argv::from(["sh", "-c", "cd /srv && npx -y @acme/notes-mcp@2 --fast"]);
//! let seen = resolve(Some(&argv), None, &RawText::from("sh"));
//! let program = seen.program.expect("a package");
//! assert_eq!(program.names[0], "@acme/notes-mcp");
//! assert_eq!(program.args, ["--fast"]);
//! assert_eq!(seen.layers.len(), 2, "a shell and a runner");
//! ```

mod containers;
mod forms;
mod interpreters;
mod javascript;
mod lines;
mod names;
mod options;
mod packages;
mod resolution;
mod resolve;
mod runners;
mod sequence;
mod shell;
mod table;
mod title;
mod tools;
mod wrappers;

#[cfg(test)]
mod tests;

use crate::bytes::{Argv, RawText};
use crate::process::ProcessRecord;

pub use resolution::{Beside, Kind, Layer, LayerKind, LineCommand, Program, Resolution};

pub(crate) use names::{base, is_tool_dir, serves, stem, tidy};
pub(crate) use resolution::Word;
pub(crate) use table::is_tool;

impl Resolution {
    /// Resolves what a process runs.
    pub fn of(record: &ProcessRecord) -> Resolution {
        resolve(record.argv.as_ref(), record.details.exe.as_ref(), &record.comm)
    }
}

/// Resolves what a process runs. If that is not known, the `Resolution` has no program.
///
/// An empty argv falls back to the executable, and then to a comm that was not cut (one shorter than the
/// kernel's 15 bytes, `TASK_COMM_LEN` in proc(5)).
pub fn resolve(argv: Option<&Argv>, exe: Option<&RawText>, comm: &RawText) -> Resolution {
    let words = argv.map(|argv| title::words(argv, exe)).unwrap_or_default();
    if words.is_empty() {
        let name = match exe {
            Some(exe) if !exe.is_empty() => exe.to_text(),
            _ if !comm.is_empty() && comm.as_bytes().len() < 15 => comm.to_text(),
            _ => return Resolution::default(),
        };
        // An interpreter without its arguments does not show what it runs.
        let known = table::find(base(&name)).is_some();
        return Resolution {
            program: (!known).then(|| Program::binary(&name, &[])),
            ..Resolution::default()
        };
    }
    resolve_words(&words)
}

/// Resolves a command line that is already split into words.
pub(crate) fn resolve_words(words: &[Word<'_>]) -> Resolution {
    let mut resolver = resolve::Resolver::default();
    let program = resolver.resolve(words);
    Resolution {
        opaque: resolver.opaque && program.is_none(),
        layers: resolver.layers,
        program,
        line: resolver.line,
        hidden_code: resolver.hidden_code,
    }
}
