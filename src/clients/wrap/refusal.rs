//! Why an entry is left as it is: one line each.

use std::path::PathBuf;

use crate::os::own_file::DiskError;
use crate::os::stable_path::Vanishing;

/// Why an entry is not written. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Nobody configured such a server.
    #[error("{client} has no server named {name}{}", known(.there))]
    NoSuchEntry {
        /// The client.
        client: String,
        /// The name that was given.
        name: String,
        /// The names that the client has.
        there: Vec<String>,
    },
    /// A project's entry, which others share, or the person's for one project.
    #[error("the entry is for a project; only entries for all projects are written")]
    Project,
    /// A plugin's or an extension's.
    #[error("the entry belongs to a plugin or extension, and its next update would overwrite the change")]
    Plugin,
    /// The administrator's.
    #[error("the entry is your administrator's")]
    Managed,
    /// It runs elsewhere.
    #[error("the server runs elsewhere: there is no process to guard")]
    Remote,
    /// YAML, or no text of its language.
    #[error("{} is YAML or not of its language, and is not rewritten; change it by hand", .0.display())]
    NotEdited(PathBuf),
    /// It is found more than once.
    #[error("the entry stands in more than one place: {}", paths(.0))]
    Twice(Vec<PathBuf>),
    /// It was not found where it was read from, or in a form that is not understood in full.
    #[error("its command is not written as one word, or list of words, with a list of arguments")]
    NotPlain,
    /// Something stands among the words that are to go.
    #[error("a comment stands between `exec` and the server's command; take both out by hand")]
    Comment,
    /// `mcp-reap exec` is started by another program, or starts nothing.
    #[error(
        "`mcp-reap exec` does not stand in front of a command as `wrap install` writes it; take it out by hand"
    )]
    ByHand,
    /// A relative path.
    #[error("its command is a relative path, which depends on the folder it is started in")]
    Relative,
    /// A variable in the command.
    #[error("its command has a placeholder, which the client may fill in only there")]
    Placeholder,
    /// A command line in one word.
    #[error("its command is a line for a shell, not a program")]
    ShellLine,
    /// The client asks the person again when a command changes.
    #[error("{0} asks for approval again when a server's command changes; change it by hand, as shown")]
    AsksAgain(String),
    /// Nothing is known of the client.
    #[error("whether {0} takes a changed command without asking is not known; change it by hand, as shown")]
    NotKnown(String),
    /// Changed by us, it might be overwritten.
    #[error("{client} runs (pid {pid}) and may write its file again from memory; end it first")]
    Running {
        /// As the process table has it.
        client: String,
        /// One of its processes.
        pid: u32,
    },
    /// A rule by command.
    #[error("{} names servers by their command, and a policy is not gone around", .0.display())]
    Policy(PathBuf),
    /// A rule that could not be read.
    #[error("{} may name servers by their command and cannot be read", .0.display())]
    UnreadPolicy(PathBuf),
    /// Our own path.
    #[error("{} {why}; {}", .program.display(), .why.advice())]
    Vanishing {
        /// The path.
        program: PathBuf,
        /// Why it will not stay.
        why: Vanishing,
    },
    /// Our own path, which would not be known again.
    #[error("{} is not an executable file named mcp-reap with an absolute path in Unicode", .0.display())]
    NotExecutable(PathBuf),
    /// What was not seen to work is written into nobody's file.
    #[error("`exec` was not run on macOS yet; to try it, write it in front of one server by hand")]
    NoGuardian,
    /// The result was not what it should be.
    #[error("the change could not be made so that nothing else changes")]
    NotExact,
    /// The file.
    #[error("{}: {why}", .file.display())]
    Disk {
        /// The file.
        file: PathBuf,
        /// Why.
        why: DiskError,
    },
    /// The file.
    #[error("{} is not UTF-8", .0.display())]
    NotUnicode(PathBuf),
}

impl Refusal {
    /// Is it the entry itself that cannot be put under `exec`, by hand neither?
    pub(super) fn is_of_the_entry(&self) -> bool {
        use Refusal::{NotPlain, Placeholder, Relative, ShellLine, Twice};
        matches!(self, NotPlain | Placeholder | Relative | ShellLine | Twice(_))
    }
}

fn known(there: &[String]) -> String {
    if there.is_empty() { String::new() } else { format!("; it has {}", there.join(", ")) }
}

fn paths(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}
