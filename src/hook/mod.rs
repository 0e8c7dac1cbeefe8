//! Session hooks: when a session has ended, mcp-reap looks for what it left behind.
//!
//! [`settings`] edits a Claude Code settings file as text, `install` does it to the file on disk,
//! [`event`] reads what the client writes to a hook, and `watch` decides what a call has to do. Hooks
//! of other clients are written by hand: `docs/hooks.md`.

pub mod event;
pub(crate) mod install;
pub mod settings;
pub(crate) mod watch;

mod entry;
mod error;
mod json;
mod layout;
mod text;
