//! The operating system: what it tells of processes, and the hand that ends them.

#[cfg(target_os = "macos")]
mod ffi;
#[cfg(target_os = "linux")]
mod linux;
mod macos;

#[cfg(target_os = "linux")]
pub use linux::OsKernel;
#[cfg(target_os = "macos")]
pub use macos::OsKernel;

/// Why the operating system could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum SysError {
    /// A call to the kernel failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, as a fragment that fits "failed to ...".
        what: String,
        /// What the kernel said.
        source: std::io::Error,
    },
}
