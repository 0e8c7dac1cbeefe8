//! Finds MCP servers that nobody uses any more and ends them; never one that is in use.

// floor 0: words
pub mod bytes;
pub mod exit;
pub mod process;
// floor 1: relations
pub mod pattern;
pub mod tree;
// floor 2: knowledge
pub mod catalog;
pub mod policy;
pub mod program;
// floor 4: intent
pub mod reap;
