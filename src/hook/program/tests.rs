#![allow(clippy::unwrap_used)]

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn a_program_that_will_be_gone_is_known_by_its_place() {
    use Vanishing::{BuildFolder, Temporary, Versioned};
    for (path, expected) in [
        ("/usr/local/bin/mcp-reap", None),
        ("/home/u/.cargo/bin/mcp-reap", None),
        ("/opt/homebrew/bin/mcp-reap", None),
        ("/run/current-system/sw/bin/mcp-reap", None),
        ("/home/u/release/mcp-reap", None),
        ("/tmpfiles/mcp-reap", None),
        ("/home/u/mcp-reap/target/debug/mcp-reap", Some(BuildFolder)),
        ("/home/u/mcp-reap/target/aarch64-apple-darwin/release/mcp-reap", Some(BuildFolder)),
        ("/tmp/mcp-reap", Some(Temporary)),
        ("/private/var/folders/x/T/mcp-reap", Some(Temporary)),
        ("/scratch/mcp-reap", Some(Temporary)),
        ("/home/u/.cache/x/mcp-reap", Some(Temporary)),
        ("/opt/homebrew/Cellar/mcp-reap/0.1.0/bin/mcp-reap", Some(Versioned)),
        ("/nix/store/abc-mcp-reap/bin/mcp-reap", Some(Versioned)),
    ] {
        assert_eq!(vanishing(Path::new(path), Path::new("/scratch")), expected, "{path}");
    }
    assert_eq!(vanishing(Path::new("/usr/bin/mcp-reap"), Path::new("/")), None, "TMPDIR=/");
}

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
