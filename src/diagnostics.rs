//! Diagnostics: messages of mcp-reap about its own work, on stderr with `--verbose` and in a file.
//!
//! This is not the audit log: it may be lost, filtered and turned off.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use tracing::level_filters::LevelFilter;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::fmt::writer::{BoxMakeWriter, MakeWriterExt};

/// Daily files that are kept.
const KEEP_FILES: usize = 7;

/// Sends diagnostics to stderr for the rest of the process, and with a `directory` also into daily files
/// `mcp-reap.YYYY-MM-DD.log` there, seven of them.
///
/// # Errors
/// When the directory or a file in it cannot be opened, or this was done before.
pub(crate) fn start(level: LevelFilter, directory: Option<&Path>) -> anyhow::Result<()> {
    let (level, writer) = writer(level, directory)?;
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(writer);
    subscriber.with_ansi(false).with_target(false).try_init().map_err(anyhow::Error::from_boxed)
}

/// The level of stderr. `verbose` (given once for what is looked at and why it is left, twice for everything) wins over
/// `quiet`, which leaves nothing below an error.
pub(crate) fn level(verbose: u8, quiet: bool) -> LevelFilter {
    match (verbose, quiet) {
        (0, false) => LevelFilter::WARN,
        (0, true) => LevelFilter::ERROR,
        (1, _) => LevelFilter::DEBUG,
        (2.., _) => LevelFilter::TRACE,
    }
}

/// The most verbose level of all writers, and writers that each take their own.
fn writer(level: LevelFilter, directory: Option<&Path>) -> anyhow::Result<(LevelFilter, BoxMakeWriter)> {
    let stderr = io::stderr.with_max_level(level.into_level().unwrap_or(tracing::Level::ERROR));
    let Some(directory) = directory else { return Ok((level, BoxMakeWriter::new(stderr))) };
    let file = appender(directory)?.with_max_level(tracing::Level::DEBUG);
    Ok((level.max(LevelFilter::DEBUG), BoxMakeWriter::new(stderr.and(file))))
}

/// Writes each line at once. The appender's own thread would be faster per line, but costs 1.8 ms and
/// 4.5 MB at the start and loses lines when the process exits.
fn appender(directory: &Path) -> anyhow::Result<RollingFileAppender> {
    // Before the appender makes it with what umask allows: its neighbour is the audit log, which
    // is in a directory of 0700 or nowhere.
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let daily = RollingFileAppender::builder().rotation(Rotation::DAILY).max_log_files(KEEP_FILES);
    Ok(daily.filename_prefix("mcp-reap").filename_suffix("log").build(directory)?)
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
        let (level, writer) = writer(LevelFilter::ERROR, Some(&state)).unwrap();
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
        assert_eq!(level(0, false), LevelFilter::WARN);
        assert_eq!(level(0, true), LevelFilter::ERROR);
        assert_eq!(level(1, true), LevelFilter::DEBUG);
        assert_eq!(level(2, false), LevelFilter::TRACE);
    }
}
