//! Small tasks of the operating system that all edges need: reading files with a limit, replacing files whole, running
//! other programs with a limit, the person's folders, facts of the machine, and whether a path stays.
//!
//! Edges share only this module. It knows nothing of MCP.

pub(crate) mod command;
pub(crate) mod draft;
pub(crate) mod file;
pub(crate) mod home;
pub(crate) mod machine;
pub(crate) mod own_file;
pub(crate) mod stable_path;
