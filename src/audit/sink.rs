//! The file operations that a log needs, as a trait, so that tests can simulate full and failing disks.

use std::fs::File;
use std::io::{self, Write};

/// A file to which lines are appended. Each method is one system call and can fail as that does.
pub trait Sink {
    /// Appends at the end; may take fewer bytes than given.
    ///
    /// # Errors
    /// As write(2).
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Returns when all that was written is on the disk.
    ///
    /// # Errors
    /// As fsync(2).
    fn sync(&mut self) -> io::Result<()>;

    /// Bytes in it now.
    ///
    /// # Errors
    /// As fstat(2).
    fn size(&mut self) -> io::Result<u64>;

    /// Cuts it off at this length.
    ///
    /// # Errors
    /// As ftruncate(2).
    fn truncate(&mut self, len: u64) -> io::Result<()>;
}

/// A file opened with `O_APPEND`.
impl Sink for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        crate::os::draft::sync(self)
    }

    fn size(&mut self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}
