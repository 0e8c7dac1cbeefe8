//! Session hooks: when a session of a client has ended, mcp-reap looks for the servers that it left behind.
//!
//! [`settings`] edits a client's settings as text, and `install` the file on disk. `plugin` and `trust` read what else
//! decides whether a hook runs. [`event`] reads what the client writes to a hook, and `watch` decides what a call does.

pub mod event;
pub(crate) mod install;
pub(crate) mod plugin;
pub mod settings;
pub(crate) mod trust;
pub(crate) mod watch;

mod client;
mod error;
mod json;
mod layout;
mod text;
