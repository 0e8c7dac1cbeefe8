#![allow(clippy::unwrap_used)]

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn the_name_that_stays_is_written_and_not_the_version_behind_it() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    for folder in ["Cellar/1", "bin", "other"] {
        fs::create_dir_all(at(folder)).unwrap();
    }
    fs::write(at("Cellar/1/mcp-reap"), "").unwrap();
    fs::write(at("other/mcp-reap"), "").unwrap();
    symlink("../Cellar/1/mcp-reap", at("bin/mcp-reap")).unwrap();
    let path = |folders: &[&str]| std::env::join_paths(folders.iter().map(|f| at(f))).unwrap();
    let program = at("Cellar/1/mcp-reap");
    let versioned = |path: &Path| path.components().any(|part| part.as_os_str() == "Cellar");
    let all = path(&["Cellar/1", "other", "none", "bin"]);
    assert_eq!(lasting(&program, &all, versioned), at("bin/mcp-reap"));
    assert_eq!(lasting(&program, &path(&["other"]), versioned), program);
    assert_eq!(lasting(&program, OsStr::new(""), versioned), program);
    // What stays is written as it is.
    assert_eq!(lasting(&program, &all, |_| false), program);
}
