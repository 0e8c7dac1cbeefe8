//! Which rows of a table deserve more than the first, cheap stage.

use super::id::Pid;

/// What a second stage is to look at. In any order; a pid may stand in several lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Closely, whatever it is.
    pub surely: Vec<Pid>,
    /// Closely, but for what it holds: who is above an instance matters, and not whom else it talks to.
    /// (An editor holds the pipes of all its servers, and each would have to be followed.)
    pub above: Vec<Pid>,
    /// Closely, but only when its stdin may be a pipe or a socket: without a wire nothing that could
    /// still be read would make it an MCP server. To see that costs one system call, the rest forty.
    pub if_wired: Vec<Pid>,
}

impl From<Vec<Pid>> for Interest {
    fn from(surely: Vec<Pid>) -> Interest {
        Interest { surely, ..Interest::default() }
    }
}
