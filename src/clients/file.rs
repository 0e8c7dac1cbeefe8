//! Reading one file that may be anything: missing, huge, a FIFO, a device, not ours.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::found::{Trouble, Warning};

/// More entries in one folder than anybody has plugins, projects or extensions.
const MAX_ENTRIES: usize = 2_000;

/// Is this how "there is no such file" looks? A file above it counts too.
fn is_absent(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The content of a regular file of at most `limit` bytes; `None` if there is no such file.
///
/// Links are followed, since people keep their configuration in a repository and link to it.
pub(super) fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Trouble> {
    // Looked at first, since to open some devices is to do something (a tape rewinds).
    match fs::metadata(path) {
        Ok(seen) if !seen.is_file() => return Err(Trouble::NotAFile),
        Ok(seen) if seen.len() > limit => return Err(Trouble::TooLarge { limit }),
        Ok(_) => {}
        Err(error) if is_absent(error.kind()) => return Ok(None),
        Err(error) => return Err(Trouble::Io(error.kind())),
    }
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if is_absent(error.kind()) => return Ok(None),
        Err(error) => return Err(Trouble::Io(error.kind())),
    };
    // And again, now that it cannot be exchanged any more.
    let held = file.metadata().map_err(|error| Trouble::Io(error.kind()))?;
    if !held.is_file() {
        return Err(Trouble::NotAFile);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(held.len().min(limit)).unwrap_or(0) + 1);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| Trouble::Io(error.kind()))?;
    if bytes.len() as u64 > limit {
        return Err(Trouble::TooLarge { limit });
    }
    Ok(Some(bytes))
}

/// Opens without waiting for the other end of a FIFO and without taking a terminal for our own.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    // The bits of these two fit any C int.
    OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)
}

/// The paths below `base` that a pattern stands for. `*` in a component is any run of characters
/// but not a leading dot; a pattern without one is a path, existing or not. The depth is that of
/// the pattern, so links that lead in circles end.
pub(super) fn matching(base: &Path, pattern: &str, warnings: &mut Vec<Warning>) -> Vec<PathBuf> {
    let mut found = vec![base.to_path_buf()];
    for component in pattern.split('/') {
        let Some((before, after)) = component.split_once('*') else {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        };
        let mut next = Vec::new();
        for folder in found {
            match names(&folder, before, after) {
                Ok(names) => next.extend(names.into_iter().map(|name| folder.join(name))),
                Err(trouble) => warnings.push(Warning { file: folder, line: None, trouble }),
            }
            if next.len() > MAX_ENTRIES {
                next.truncate(MAX_ENTRIES);
                let trouble = Trouble::TooMany { limit: MAX_ENTRIES };
                warnings.push(Warning { file: base.to_path_buf(), line: None, trouble });
                break;
            }
        }
        found = next;
    }
    found
}

/// The names in a folder that begin and end like this, in order; none if there is no such folder.
fn names(folder: &Path, before: &str, after: &str) -> Result<Vec<std::ffi::OsString>, Trouble> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(error.kind()) => return Ok(Vec::new()),
        Err(error) => return Err(Trouble::Io(error.kind())),
    };
    let mut names: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name()))
        .filter(|name| {
            let name = name.as_encoded_bytes();
            name.len() >= before.len() + after.len()
                && name.starts_with(before.as_bytes())
                && name.ends_with(after.as_bytes())
                && !(before.is_empty() && name.starts_with(b"."))
        })
        .take(MAX_ENTRIES + 1)
        .collect();
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of /proc say that they are empty and are not, as a file says that grows meanwhile.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_larger_than_it_says_is_cut_off() {
        let path = Path::new("/proc/self/stat");
        assert_eq!(read(path, 3), Err(Trouble::TooLarge { limit: 3 }));
        assert!(matches!(read(path, 1 << 20), Ok(Some(bytes)) if bytes.len() > 3));
    }

    #[test]
    fn a_pattern_without_a_star_is_a_path_whether_it_exists_or_not() {
        let mut warnings = Vec::new();
        let found = matching(Path::new("/no/such"), "folder/file.json", &mut warnings);
        assert_eq!(found, [Path::new("/no/such/folder/file.json")]);
        assert!(matching(Path::new("/no/such"), "*/file.json", &mut warnings).is_empty());
        assert_eq!(warnings, []);
    }
}
