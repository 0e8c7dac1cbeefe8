//! Session hooks: the moment a session ends is the moment to look for what it left behind.
//!
//! [`settings`] edits a Claude Code settings file as text, [`install`] does it to the file on disk,
//! [`event`] reads what the client says when it calls the hook, and [`watch`] decides what such a
//! call asks for. Hooks of other clients are written by hand: `docs/hooks.md`.

pub mod event;
pub mod install;
pub mod settings;
pub mod watch;

mod disk;
mod json;
mod layout;
mod text;
