//! Hides secrets in command lines, so that logs, reports and bug reports can be shown to others.
//!
//! It hides values with the name of a secret (`--api-key X`, `TOKEN=X`, `"apiKey":"X"`,
//! `Authorization: Bearer X`), credentials and parameters in URLs, tokens of known shape, and long
//! random runs. It keeps programs, flags, paths, packages, hashes of caches, and uuids outside of URLs. In doubt it hides:
//! one hidden argument too many costs a question, one too few costs a key.

mod flags;
mod names;
mod scanner;
mod shapes;
mod urls;
mod words;

use self::scanner::Scanner;
pub use self::shapes::HIDDEN;
use crate::bytes::{Argv, to_text};

/// Passes after which a command line that still changes is hidden as a whole. Random ones take three.
const MOST_PASSES: usize = 10;

/// The arguments of a process with their secrets hidden, one for one.
///
/// ```
/// use mcp_reap::redact;
/// use mcp_reap::bytes::Argv;
/// let argv = Argv::from(["node", "server.js", "--api-key", "hunter2"]);
/// assert_eq!(redact::argv(&argv), ["node", "server.js", "--api-key", "<redacted>"]);
/// ```
pub fn argv(argv: &Argv) -> Vec<String> {
    words(argv.iter().map(|argument| to_text(argument).into_owned()).collect())
}

fn words(mut shown: Vec<String>) -> Vec<String> {
    // Hiding a word changes how the next one is read (`-tSECRET` no longer looks like a flag). So this repeats until
    // nothing changes, which is nearly always in the second pass.
    for _ in 0..MOST_PASSES {
        let mut scanner = Scanner::default();
        let again: Vec<String> =
            shown.iter().enumerate().map(|(number, argument)| scanner.argument(number, argument)).collect();
        if again == shown {
            return shown;
        }
        shown = again;
    }
    // Only a hostile command line still changes.
    shown.iter().map(|_| HIDDEN.to_owned()).collect()
}

/// A command line in one text (a rewritten title, a line of `ps`) with its secrets hidden.
///
/// ```
/// let title = "npm exec some-mcp --token hunter2 /srv";
/// assert_eq!(mcp_reap::redact::text(title), "npm exec some-mcp --token <redacted> /srv");
/// ```
pub fn text(text: &str) -> String {
    words(vec![text.to_owned()]).pop().unwrap_or_default()
}

#[cfg(test)]
mod tests;
