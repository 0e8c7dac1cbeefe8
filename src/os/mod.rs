//! What every edge needs of the operating system: files that are read with a limit and replaced
//! whole, other programs that are run with a limit, the person's folders, the facts of the machine, and whether a path
//! stays.
//!
//! Edges share this and nothing else. It knows nothing of MCP.

pub mod command;
pub mod file;
pub mod home;
pub mod machine;
pub mod stable_path;
