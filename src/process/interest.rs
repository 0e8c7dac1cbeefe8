//! What is read of a process table: whose details, and how exactly the users.

use super::id::Pid;

/// The processes whose details are to be read. The lists are in any order, and a pid may be in several of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// All details are read.
    pub surely: Vec<Pid>,
    /// All details except the descriptors are read. These processes are above an instance, and what else they talk to
    /// does not matter. (An editor holds the pipes of all its servers, and each would have to be followed.)
    pub above: Vec<Pid>,
    /// All details are read, but only if its stdin may be a pipe or a socket. Without a wire no other detail could make
    /// it an MCP server. This check takes one system call, and the details take forty.
    pub if_wired: Vec<Pid>,
    /// All details are read, but only if its environment contains the marker of `mcp-reap exec`.
    pub if_marked: Vec<Pid>,
}

impl From<Vec<Pid>> for Interest {
    fn from(surely: Vec<Pid>) -> Interest {
        Interest { surely, ..Interest::default() }
    }
}

/// How exactly the first stage reads the user of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UidPrecision {
    /// The effective user.
    Exact,
    /// The owner of a file that is open anyway, if that is us. On Linux this may be wrong for a process of another user
    /// that is not dumpable. It suffices to choose the processes whose details are read, and these get their exact user
    /// then.
    Provisional,
}
