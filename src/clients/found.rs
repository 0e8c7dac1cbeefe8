//! What was found: servers as the person configured them, and what could not be read.

use std::fmt;
use std::path::PathBuf;

use crate::os::file::ReadError;

/// Everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The servers, file by file in the order of [`super::locations`]. The same argv in several
    /// scopes stands here several times.
    pub servers: Vec<ConfiguredServer>,
    /// Files that are there and could not be read. Never a reason to stop: a configuration
    /// supports an identification, its absence proves nothing.
    pub warnings: Vec<Warning>,
}

/// One server of one client's configuration.
///
/// Environment and headers of an entry are never read into it. Arguments are, because a process is
/// compared with them, and they may carry secrets: nothing of this type may be written anywhere but
/// through [`fmt::Debug`], which leaves them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredServer {
    /// Whose configuration, as an id: `claude-code`, `cursor`.
    pub client: String,
    /// Who the entry is for.
    pub scope: Scope,
    /// The file it stands in.
    pub file: PathBuf,
    /// The entry's name there; its position (`0`, `1`, ...) in a list whose entries have none.
    pub entry: String,
    /// How the client reaches it.
    pub transport: Transport,
    /// Switched off by a flag of the entry itself (`disabled: true`, `enabled: false`). It may be
    /// running nevertheless: the flag may be younger than the process.
    pub disabled: bool,
}

/// Who an entry is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The person, everywhere.
    User,
    /// The person, in one project; kept in the person's own file.
    Local {
        /// The project's folder.
        project: PathBuf,
    },
    /// Everyone who works in a project; kept in the project.
    Project {
        /// The project's folder.
        project: PathBuf,
    },
    /// The person, by a plugin of Claude Code or Codex.
    Plugin {
        /// The plugin's folder, the value of `${CLAUDE_PLUGIN_ROOT}`.
        folder: PathBuf,
    },
    /// The person, by an extension of Claude Desktop or Gemini CLI.
    Extension {
        /// The extension's folder, the value of `${__dirname}` and `${extensionPath}`.
        folder: PathBuf,
    },
    /// Everyone on this machine, set by its administrator.
    Managed,
}

impl Scope {
    /// Its word in every output.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Scope::User => "user",
            Scope::Local { .. } => "local",
            Scope::Project { .. } => "project",
            Scope::Plugin { .. } => "plugin",
            Scope::Extension { .. } => "extension",
            Scope::Managed => "managed",
        }
    }
}

/// How a client reaches a server.
#[derive(Clone, PartialEq, Eq)]
pub enum Transport {
    /// The client starts it and talks over stdin and stdout.
    Stdio {
        /// Command and arguments; never empty. Placeholders stand as they are written (see
        /// [`super`] for the few that are filled in), so a word with `$` in it is a pattern, not a
        /// text. May be as little as one word, and a word as common as `node`: to equal it proves
        /// less than to equal five words.
        argv: Vec<String>,
    },
    /// Somewhere else, over HTTP: there is no process of ours.
    Remote {
        /// Host, with the port if one is written; without user, password, path and query, which may
        /// be secrets. `unknown` if there is no plain host.
        host: String,
    },
}

impl fmt::Debug for Transport {
    /// Prints how many words an argv has, and none of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transport::Stdio { argv } => {
                f.debug_struct("Stdio").field("argv", &format_args!("[{} words]", argv.len())).finish()
            }
            Transport::Remote { host } => f.debug_struct("Remote").field("host", host).finish(),
        }
    }
}

/// A file that is there and could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file or folder.
    pub file: PathBuf,
    /// Where in it, counted from 1, where that is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub trouble: Trouble,
}

impl fmt::Display for Warning {
    /// `path:line: what is wrong`. The path is not cleaned for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.trouble)
    }
}

/// What is wrong with a file. Never a word of what stands in it: parsers quote the line they
/// stumbled over, and that line may be the one with the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A FIFO, a device, a socket or a folder; opening one may hang or do something.
    #[error("not a regular file")]
    NotAFile,
    /// Larger than is read.
    #[error("larger than {limit} bytes, which is all that is read")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// The operating system refused.
    #[error("cannot be read: {0}")]
    Io(std::io::ErrorKind),
    /// Not text.
    #[error("not UTF-8")]
    NotText,
    /// Not of the language of its name, or nested deeper than is read.
    #[error("not valid {0}, or nested too deep")]
    Syntax(&'static str),
    /// More entries than are read.
    #[error("more than {limit} entries, the others are not read")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Trouble {
        match error {
            ReadError::NotRegular => Trouble::NotAFile,
            ReadError::TooLarge { limit } => Trouble::TooLarge { limit },
            ReadError::Io(error) => Trouble::Io(error.kind()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_of_an_argv_is_printed() {
        let server = ConfiguredServer {
            client: "cursor".into(),
            scope: Scope::User,
            file: "/home/ada/.cursor/mcp.json".into(),
            entry: "notes".into(),
            transport: Transport::Stdio { argv: vec!["TOKEN=hunter2".into(), "--key=hunter2".into()] },
            disabled: false,
        };
        let printed = format!("{server:?}");
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("[2 words]") && printed.contains("notes"), "{printed}");
    }

    #[test]
    fn a_warning_reads_like_a_compiler_s() {
        let warning = Warning { file: "/h/x.toml".into(), line: Some(3), trouble: Trouble::Syntax("TOML") };
        assert_eq!(warning.to_string(), "/h/x.toml:3: not valid TOML, or nested too deep");
        let warning = Warning { line: None, trouble: Trouble::NotAFile, ..warning };
        assert_eq!(warning.to_string(), "/h/x.toml: not a regular file");
    }
}
