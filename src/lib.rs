//! Finds MCP servers that nobody uses any more and ends them; never one that is in use.

// floor 0: words
pub mod bytes;
pub mod exit;
pub mod process;
pub mod redact;
pub mod units;
// floor 1: relations
pub mod lasting;
pub mod pattern;
pub mod tree;
// floor 2: knowledge
pub mod catalog;
pub mod policy;
pub mod program;
pub mod roles;
// floor 3: judgement
pub mod classify;
pub mod instance;
// floor 4: intent
pub mod health;
pub mod plan;
pub mod reap;
// floor 5: edges
pub mod audit;
pub mod clients;
pub mod config;
pub mod diagnostics;
pub mod hook;
pub mod render;
pub mod schedule;
pub mod services;
pub mod sys;
// floor 6: deeds
pub mod commands;
// floor 7: the doorbell
pub mod cli;
