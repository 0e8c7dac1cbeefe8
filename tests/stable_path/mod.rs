//! A folder that programs may be installed in: not below one that is emptied at any time, which
//! `install` refuses, and where a checkout may well stand.

use tempfile::TempDir;

/// Beside the build, or in the home directory when the build is in a temporary folder itself.
pub(crate) fn folder() -> TempDir {
    let beside = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let emptied = [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into(), "/dev/shm".into()];
    if !emptied.iter().any(|folder| beside.starts_with(folder)) {
        return TempDir::new_in(beside).expect("a folder beside the build");
    }
    let home = std::env::var_os("HOME").expect("a home");
    tempfile::Builder::new()
        .prefix("mcp-reap-test-")
        .tempdir_in(home)
        .expect("a folder in the home directory")
}
