//! Hides secrets in command lines, so that logs, reports and bug reports can be shown around.
//!
//! What is hidden: values with the name of a secret (`--api-key X`, `TOKEN=X`, `"apiKey":"X"`,
//! `Authorization: Bearer X`), credentials and parameters in URLs, tokens of known shape, and long
//! random runs. What stays: programs, flags, paths, packages, hashes of caches, uuids outside of URLs. Where the two
//! meet, hiding wins: hiding one argument too many costs a question, one too few a key.

mod flags;
mod names;
mod scanner;
mod shapes;
mod urls;
mod words;

use self::scanner::Scanner;
pub use self::shapes::HIDDEN;
use crate::bytes::{Argv, to_text};

/// Looks after which a command line that still changes is hidden whole. Random ones take three.
const MOST_LOOKS: usize = 10;

/// The arguments of a process without their secrets, one for one.
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
    // What is hidden changes what stands beside it (`-tSECRET` no longer looks like a flag), so look
    // until nothing is left to hide: the second look is nearly always the last.
    for _ in 0..MOST_LOOKS {
        let mut scanner = Scanner::default();
        let again: Vec<String> =
            shown.iter().enumerate().map(|(number, argument)| scanner.argument(number, argument)).collect();
        if again == shown {
            return shown;
        }
        shown = again;
    }
    // Made to keep us looking.
    shown.iter().map(|_| HIDDEN.to_owned()).collect()
}

/// A command line that is one text (a rewritten title, a line of `ps`) without its secrets.
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
