//! Linux: everything from /proc, and pidfds.

mod kernel;

pub use kernel::OsKernel;
