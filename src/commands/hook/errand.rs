//! What a call hands to the part of it that stays.

use serde::{Deserialize, Serialize};

use crate::hook::watch::Session;
use crate::process::ProcessId;

/// One piece of work, passed as JSON through a pipe: a command line could be read by anybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Errand {
    /// Look at everything once.
    Sweep,
    /// Wait for the end of the client, then look at what this session left.
    Session {
        /// Which.
        session: Session,
        /// The client, held by its start as well; `None` when it was gone already.
        client: Option<ProcessId>,
    },
}
