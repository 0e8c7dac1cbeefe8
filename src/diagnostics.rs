//! Diagnostics: messages of mcp-reap about its own work, on stderr with `--verbose` and in a file.
//!
//! This is not the audit log: it may be lost, filtered and turned off.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tracing::level_filters::LevelFilter;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt};

/// Daily files that are kept.
const KEEP_FILES: usize = 7;

/// Where diagnostics go. Nothing given: nowhere but warnings on stderr.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Diagnostics {
    /// How often `--verbose` was given: once for what is looked at and why it is left, twice for everything.
    pub(crate) verbose: u8,
    /// `--quiet`: nothing below an error on stderr. `verbose` wins.
    pub(crate) quiet: bool,
    /// Also everything into daily files `mcp-reap.YYYY-MM-DD.log` of this directory, seven of them.
    pub(crate) directory: Option<PathBuf>,
}

/// Why there are no diagnostics.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiagnosticsError {
    /// The directory cannot be made.
    #[error("failed to create {}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system reports.
        source: io::Error,
    },
    /// No file can be opened in it.
    #[error("failed to open a log file in {}: {source}", path.display())]
    File {
        /// The directory.
        path: PathBuf,
        /// What the appender reports.
        source: tracing_appender::rolling::InitError,
    },
    /// They were set up before.
    #[error("diagnostics are set up already")]
    Twice,
}

impl Diagnostics {
    /// Sets diagnostics up for the rest of the process.
    ///
    /// # Errors
    /// When the directory or a file in it cannot be opened, or this was done before.
    pub(crate) fn start(&self) -> Result<(), DiagnosticsError> {
        let (level, writer) = self.writer()?;
        tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(writer)
            .with_ansi(false)
            .with_target(false)
            .try_init()
            .map_err(|_| DiagnosticsError::Twice)
    }

    fn level(&self) -> LevelFilter {
        match (self.verbose, self.quiet) {
            (0, false) => LevelFilter::WARN,
            (0, true) => LevelFilter::ERROR,
            (1, _) => LevelFilter::DEBUG,
            (2.., _) => LevelFilter::TRACE,
        }
    }

    /// The most verbose level of all writers, and writers that each take their own.
    fn writer(&self) -> Result<(LevelFilter, BoxMakeWriter), DiagnosticsError> {
        let level = self.level();
        let stderr = io::stderr.with_max_level(level.into_level().unwrap_or(tracing::Level::ERROR));
        Ok(match &self.directory {
            None => (level, BoxMakeWriter::new(stderr)),
            Some(directory) => {
                let file = appender(directory)?.with_max_level(tracing::Level::DEBUG);
                (level.max(LevelFilter::DEBUG), BoxMakeWriter::new(stderr.and(file)))
            }
        })
    }
}

/// Writes each line at once. The appender's own thread would be faster per line, but costs 1.8 ms and
/// 4.5 MB at the start and loses lines when the process exits.
fn appender(directory: &Path) -> Result<RollingFileAppender, DiagnosticsError> {
    // Before the appender makes it with what umask allows: its neighbour is the audit log, which
    // is in a directory of 0700 or nowhere.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|source| DiagnosticsError::Directory { path: directory.to_owned(), source })?;
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("mcp-reap")
        .filename_suffix("log")
        .max_log_files(KEEP_FILES)
        .build(directory)
        .map_err(|source| DiagnosticsError::File { path: directory.to_owned(), source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_takes_everything_whatever_stderr_wants() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state/mcp-reap");
        let diagnostics =
            Diagnostics { quiet: true, directory: Some(state.clone()), ..Diagnostics::default() };
        let (level, writer) = diagnostics.writer().unwrap();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(level).with_writer(writer).with_ansi(false).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(pid = 7, "looked");
            tracing::trace!("not even there");
        });
        assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
        let file = std::fs::read_dir(&state).unwrap().next().unwrap().unwrap();
        let name = file.file_name().into_string().unwrap();
        assert!(name.starts_with("mcp-reap.") && name.ends_with(".log"), "{name}");
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.contains("DEBUG") && text.contains("looked pid=7"), "{text}");
        assert!(!text.contains("not even there"));
    }

    #[test]
    fn stderr_gets_warnings_unless_a_flag_changes_that() {
        let level = |verbose, quiet| Diagnostics { verbose, quiet, directory: None }.level();
        assert_eq!(level(0, false), LevelFilter::WARN);
        assert_eq!(level(0, true), LevelFilter::ERROR);
        assert_eq!(level(1, true), LevelFilter::DEBUG);
        assert_eq!(level(2, false), LevelFilter::TRACE);
    }
}
