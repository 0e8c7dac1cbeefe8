//! Finds MCP servers that nobody uses any more and ends them; never one that is in use.
//!
//! This library is internal to the `mcp-reap` program and its tests, and changes without notice. The contract is the
//! command line: its options, its exit codes and its JSON.
//!
//! | layer | what is there |
//! |---|---|
//! | 0 | data |
//! | 1 | relations |
//! | 2 | knowledge |
//! | 3 | judgement |
//! | 4 | intent |
//! | 5 | `os`: small tasks of the operating system, for the edges |
//! | 6 | edges |
//! | 7 | commands |
//! | 8 | the command line |
//!
//! A layer uses only layers below it; `tests/architecture/` checks that.

// layer 0: data
pub mod bytes;
pub mod exit;
pub mod process;
pub mod redact;
pub mod units;
mod word_list;
// layer 1: relations
pub mod marker;
pub mod pattern;
pub mod tree;
// layer 2: knowledge
pub mod catalog;
pub mod look;
pub mod policy;
pub mod program;
pub mod roles;
// layer 3: judgement
pub mod classify;
pub mod containers;
pub mod instance;
// layer 4: intent
pub mod health;
pub mod history;
pub mod plan;
pub mod reap;
// layer 5: small tasks of the operating system, for the edges
pub(crate) mod os;
// layer 6: edges
pub mod audit;
pub mod clients;
pub mod config;
pub(crate) mod diagnostics;
pub mod guard;
pub mod hook;
pub mod render;
pub mod schedule;
pub mod services;
pub mod sys;
// layer 7: commands
pub mod commands;
// layer 8: the command line
pub mod cli;
