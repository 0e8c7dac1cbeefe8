//! Which rows of a table get more than the first, cheap stage, and how exact that is.

use super::id::Pid;

/// The processes whose details are to be read. In any order; a pid may be in several lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// All details, whatever it is.
    pub surely: Vec<Pid>,
    /// All but what it holds: that it is above an instance matters, not what else it talks to.
    /// (An editor holds the pipes of all its servers, and each would have to be followed.)
    pub above: Vec<Pid>,
    /// All details, but only when its stdin may be a pipe or a socket: without a wire nothing that could
    /// still be read would make it an MCP server. To see that costs one system call, the rest forty.
    pub if_wired: Vec<Pid>,
    /// All details, but only when its environment carries the marker of `mcp-reap exec`.
    pub if_marked: Vec<Pid>,
}

impl From<Vec<Pid>> for Interest {
    fn from(surely: Vec<Pid>) -> Interest {
        Interest { surely, ..Interest::default() }
    }
}

/// How the first stage reads whose a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UidPrecision {
    /// As it is.
    Exact,
    /// By the owner of a file that is open anyway, where that is us. On Linux a process that is not dumpable may look like
    /// one of ours for it, and is another's. Enough to choose what to look at closely; every process of which details
    /// are read gets its own user then.
    Provisional,
}
