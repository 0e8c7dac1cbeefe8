//! Reads the log in any state, the oldest line first.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::directory::Directory;
use super::event::Record;
use super::rotate::{Aside, asides};
use super::{AuditError, CURRENT};

/// The longest line in bytes. We write none that is longer.
const MAX_LINE: u64 = 4 << 20;

/// One line of the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// An event.
    Record(Box<Record>),
    /// The number of a line, from 1, that is no event: a crash or a full disk cut it off, or another program wrote it.
    Unreadable(u64),
}

/// The lines of a state directory's log, from all its files.
#[derive(Debug)]
pub struct Lines {
    directory: Option<Directory>,
    /// Files still to be read, the next one last.
    names: Vec<String>,
    reading: Option<(BufReader<File>, PathBuf, u64)>,
}

/// All lines of the log in `dir`, oldest first. A directory that is not there has none.
///
/// # Errors
/// When the directory cannot be read. What goes wrong with a file is an item of the iterator.
pub fn lines(dir: &Path) -> Result<Lines, AuditError> {
    let directory = match Directory::open(dir) {
        Ok(directory) => directory,
        Err(AuditError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Lines { directory: None, names: Vec::new(), reading: None });
        }
        Err(error) => return Err(error),
    };
    let mut names: Vec<String> = asides(&directory)?.into_iter().map(Aside::name).collect();
    names.push(CURRENT.to_owned());
    names.reverse();
    Ok(Lines { directory: Some(directory), names, reading: None })
}

impl Iterator for Lines {
    type Item = Result<Line, AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        let directory = self.directory.as_ref()?;
        loop {
            let Some((reader, path, number)) = &mut self.reading else {
                let name = self.names.pop()?;
                match directory.read_from(&name) {
                    // A run that began meanwhile has renamed or deleted it.
                    Ok(None) => continue,
                    Ok(Some(file)) => {
                        self.reading = Some((BufReader::new(file), directory.path_of(&name), 0));
                        continue;
                    }
                    Err(error) => return Some(Err(error)),
                }
            };
            *number += 1;
            match next_line(reader) {
                Ok(Some(line)) if line.is_empty() => {}
                Ok(Some(line)) => {
                    return Some(Ok(match serde_json::from_slice(&line) {
                        Ok(record) => Line::Record(Box::new(record)),
                        Err(_) => Line::Unreadable(*number),
                    }));
                }
                Ok(None) => self.reading = None,
                Err(source) => {
                    let error = AuditError::io("read", path)(source);
                    self.reading = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// The next line without its end, cut at [`MAX_LINE`]; `None` at the end of the file.
fn next_line(reader: &mut BufReader<File>) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if reader.take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop_if(|last| *last == b'\n').is_none() && line.len() as u64 == MAX_LINE {
        reader.skip_until(b'\n')?;
    }
    Ok(Some(line))
}
