//! A folder that programs may be installed in: not below one that is emptied at any time, which
//! `install` refuses, and where a checkout may well stand.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Beside the build, or in the home directory when the build is in a temporary folder itself.
pub(crate) fn folder() -> TempDir {
    let beside = Path::new(env!("CARGO_TARGET_TMPDIR"));
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

/// Installs the built program as `bin/mcp-reap` below a home.
#[allow(dead_code)] // some need the folder alone
pub(crate) fn install_in(home: &Path) -> PathBuf {
    let bin = home.join("bin");
    std::fs::create_dir(&bin).expect("a new folder");
    let program = bin.join("mcp-reap");
    let built = env!("CARGO_BIN_EXE_mcp-reap");
    // A copy that is still open for writing in a child of another test cannot be executed.
    std::fs::hard_link(built, &program)
        .or_else(|_| std::fs::copy(built, &program).map(drop))
        .expect("a program");
    program
}
