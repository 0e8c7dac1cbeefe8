//! macOS, rehearsed on any system: the program's own readers, its judgement and its hand against a model of xnu that
//! answers every system call in bytes, by the layouts of Apple's headers and the error rules of its published sources.
//!
//! What this shows is that the program and those sources agree. That a real Mac does what its sources say is shown by
//! the scene that continuous integration runs on one (`tests/mac_real.rs`).

#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub)]

mod bytes;
mod endings;
mod faults;
mod guard;
mod hand;
#[path = "../../src/sys/kernel_tests.rs"]
mod kernel_tests;
mod kqueue;
mod linux;
mod looks;
mod machine;
mod model;
mod replay;
mod scenes;
mod whole;
mod world;

// The tests of every system's hand name these so.
use mcp_reap::{process, reap};
