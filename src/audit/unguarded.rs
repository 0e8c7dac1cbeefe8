//! Records when a server was last started without its guardian, for `doctor`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

const NAME: &str = "exec-unguarded.json";

/// The last start without a guardian, kept in one file of the state directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unguarded {
    /// When.
    pub at: DateTime<Utc>,
    /// Why, as it was printed on stderr.
    pub why: String,
}

impl Unguarded {
    /// Writes it if possible. If the folder cannot be written, only stderr has the message.
    pub fn write(&self, directory: &Path) {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW);
        if let (Ok(mut file), Ok(text)) = (options.open(directory.join(NAME)), serde_json::to_vec(self)) {
            let _ = file.write_all(&text);
        }
    }

    /// The last one; `None` if there was none.
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
