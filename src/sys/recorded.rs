//! A process table that was recorded earlier: the form of a bug report and of our tests.

use std::path::Path;

use super::SysError;
use crate::os::file::{ReadError, read_named};
use crate::process::Snapshot;

/// The most that is taken, in bytes. A machine of 20,000 processes records about 10 MB.
pub const MAX_BYTES: u64 = 64 << 20;

/// Reads a recorded table.
///
/// # Errors
/// When the file cannot be read, is larger than [`MAX_BYTES`], or is not a recorded table of a
/// schema this version knows. Each names the file.
pub fn read(path: &Path) -> Result<Snapshot, SysError> {
    let file = path.display().to_string();
    // A pipe will do: `--snapshot <(ssh host mcp-reap record)`.
    let bytes = read_named(path, MAX_BYTES).map_err(|error| match error {
        ReadError::TooLarge { limit } => SysError::TooLarge { file: file.clone(), max: limit },
        ReadError::NotRegular => {
            SysError::Io { what: format!("read {file}"), source: std::io::ErrorKind::InvalidInput.into() }
        }
        ReadError::Io(source) => SysError::Io { what: format!("read {file}"), source },
    })?;
    Snapshot::from_json(&bytes).map_err(|source| SysError::Recorded { file, source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.json");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    #[test]
    fn a_recorded_table_comes_back_as_it_was() {
        let text = br#"{"schema":1,"os":"linux","taken_at":"2026-03-01T10:00:00Z",
            "viewer":{"pid":70,"uid":501},
            "processes":[{"pid":31,"ppid":1,"start":1772355600.25,"comm":"bun","argv":["bun",""]}]}"#;
        let (_folder, path) = written(text);
        let snapshot = read(&path).unwrap();
        let row = &snapshot.processes[0];
        assert_eq!((row.pid().0, row.parent.0, row.started_at), (31, 1, 1_772_355_600.25));
        assert_eq!(row.argv.as_ref().unwrap().len(), 2);
    }

    #[test]
    fn each_error_names_the_file() {
        let (folder, path) = written(b"[]");
        let missing = folder.path().join("no-such-table.json");
        for (path, part) in [(&path, "not a recorded process table"), (&missing, "No such file")] {
            let message = read(path).unwrap_err().to_string();
            assert!(message.contains(&path.display().to_string()), "{message}");
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_file_that_never_ends_is_given_up() {
        let (_folder, path) = written(b"");
        // Sparse: takes no room on the disk.
        std::fs::File::options().write(true).open(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert!(matches!(read(&path), Err(SysError::TooLarge { .. })));
    }
}
