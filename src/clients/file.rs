//! Finds the files that match a row of the table.

use std::fs;
use std::path::{Path, PathBuf};

use super::found::{Trouble, Warning};
use crate::os::file::is_absent;

/// The most entries that are read of one folder; people have far fewer plugins, projects or extensions.
const MAX_ENTRIES: usize = 2_000;

/// The paths below `base` that match a pattern. `*` in a component matches any characters, except a leading dot. A
/// pattern without `*` is a path, which need not exist. Only as many levels are read as the pattern has, so a loop of
/// links does no harm.
pub(super) fn matching(base: &Path, pattern: &str, warnings: &mut Vec<Warning>) -> Vec<PathBuf> {
    let mut found = vec![base.to_path_buf()];
    for component in pattern.split('/') {
        let Some((before, after)) = component.split_once('*') else {
            for path in &mut found {
                path.push(component);
            }
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

/// The names in a folder with this beginning and end, sorted; none if there is no such folder.
fn names(folder: &Path, before: &str, after: &str) -> Result<Vec<std::ffi::OsString>, Trouble> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
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

    #[test]
    fn a_pattern_without_a_star_is_a_path_whether_it_exists_or_not() {
        let mut warnings = Vec::new();
        let found = matching(Path::new("/no/such"), "folder/file.json", &mut warnings);
        assert_eq!(found, [Path::new("/no/such/folder/file.json")]);
        assert!(matching(Path::new("/no/such"), "*/file.json", &mut warnings).is_empty());
        assert_eq!(warnings, []);
    }
}
