//! What every edge needs of the operating system: files that are read with a limit and replaced
//! whole, other programs that are run with a limit, the person's folders, the facts of the machine, and whether a path
//! stays.
//!
//! Edges share this and nothing else. It knows nothing of MCP.

pub(crate) mod command;
pub(crate) mod draft;
pub(crate) mod file;
pub(crate) mod home;
pub(crate) mod machine;
pub(crate) mod own_file;
pub(crate) mod stable_path;
