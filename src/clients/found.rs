//! The result of reading the configurations: the configured servers, and the files that could not be read.

use std::fmt;
use std::path::PathBuf;

use crate::os::file::ReadError;

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The servers, by file and in the order of [`super::locations`]. An argv that is in several scopes is listed
    /// several times.
    pub servers: Vec<ConfiguredServer>,
    /// Files that could not be read. This never stops a run: a configuration supports an identification, and a missing
    /// one proves nothing.
    pub warnings: Vec<Warning>,
}

/// One server of one client's configuration.
///
/// Environment and headers of an entry are never read. Arguments are, because a process is compared with them. They may
/// contain secrets, so a value of this type may be written only through [`fmt::Debug`], which leaves them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredServer {
    /// The id of the client: `claude-code`, `cursor`.
    pub client: String,
    /// The scope of the entry.
    pub scope: Scope,
    /// The file with the entry.
    pub file: PathBuf,
    /// The name of the entry; its position (`0`, `1`, ...) if the entries of that list have no names.
    pub entry: String,
    /// How the client reaches it.
    pub transport: Transport,
    /// Whether the entry is switched off by its own flag (`disabled: true`, `enabled: false`). The server may still
    /// run, if it was started before.
    pub disabled: bool,
}

/// The persons and projects for which an entry is valid.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// For the person, in all projects.
    User,
    /// For the person, in one project. The entry is in the person's own file.
    Local {
        /// The project's folder.
        project: PathBuf,
    },
    /// For everybody who works in a project. The entry is in the project.
    Project {
        /// The project's folder.
        project: PathBuf,
    },
    /// For the person, from a plugin of Claude Code or Codex.
    Plugin {
        /// The plugin's folder, the value of `${CLAUDE_PLUGIN_ROOT}`.
        folder: PathBuf,
    },
    /// For the person, from an extension of Claude Desktop or Gemini CLI.
    Extension {
        /// The extension's folder, the value of `${__dirname}` and `${extensionPath}`.
        folder: PathBuf,
    },
    /// For everybody on this machine, set by its administrator.
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
        /// Command and arguments; never empty. Placeholders are kept as they are written (see [`super`] for the few
        /// that are filled in), so a word with `$` is a pattern. It may be a single common word such as `node`; an
        /// equal argv proves less then.
        argv: Vec<String>,
    },
    /// The server is reached over HTTP, and no local process belongs to it.
    Remote {
        /// The host, with the port if one is given. User, password, path and query may be secrets and are left out.
        /// `unknown` if there is no plain host.
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
    /// The line, from 1, if it is known.
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

/// What is wrong with a file. It never contains text of the file, because the line that a parser quotes may be the one
/// with a token.
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
    /// The text is not in the language of the file's name, or is nested too deep.
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
