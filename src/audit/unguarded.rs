//! The last time a server was started without its guardian, for `doctor`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

const NAME: &str = "exec-unguarded.json";

/// When and why. One file in the state directory holds the last one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unguarded {
    /// When.
    pub at: DateTime<Utc>,
    /// In the words that stood on stderr.
    pub why: String,
}

impl Unguarded {
    /// Writes it down where that is possible. Where the folder itself is what cannot be written, stderr
    /// has the only word of it.
    pub fn write(&self, directory: &Path) {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW);
        if let (Ok(mut file), Ok(text)) = (options.open(directory.join(NAME)), serde_json::to_vec(self)) {
            let _ = file.write_all(&text);
        }
    }

    /// The last one, if there was any.
    pub(crate) fn read(directory: &Path) -> Option<Unguarded> {
        let text = std::fs::read(directory.join(NAME)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_last_one_is_kept_and_no_folder_is_no_reason_to_fail() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Unguarded::read(folder.path()), None);
        for why in ["a longer reason", "pidfd"] {
            let unguarded = Unguarded { at: Utc::now(), why: why.into() };
            unguarded.write(folder.path());
            assert_eq!(Unguarded::read(folder.path()), Some(unguarded));
        }
        Unguarded { at: Utc::now(), why: String::new() }.write(&folder.path().join("none"));
    }
}
