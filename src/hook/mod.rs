//! Session hooks: when a session has ended, mcp-reap looks for what it left behind.
//!
//! [`settings`] edits a client's settings as text, `install` does it to the file on disk, `plugin` and
//! `trust` look at what else decides whether a hook runs, [`event`] reads what the client writes to a
//! hook, and `watch` decides what a call has to do.

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
