//! What docs/safety.md promises is held by tests that exist, and the files that pages for developers name are there.

#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// The names of all functions in the Rust files below a folder.
fn functions(dir: &Path, found: &mut HashSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let name = |part: &str| part.split(['(', '<']).next().unwrap().trim().to_owned();
            found.extend(text.split("fn ").skip(1).map(name));
            // Scenes under `exec` are sentences with a short function: `("twins::half_a_wire_is_a_wire".into(), half_a_wire)`.
            let scenes = text.split("\".into(), ").filter_map(|part| part.rsplit_once("::"));
            found.extend(scenes.map(|(_, name)| name.to_owned()));
        }
    }
}

/// The rows of the page's tables: what is never done, what holds it, and the tests.
fn promises(page: &str) -> Vec<(String, Vec<String>)> {
    // The tables behind it are numbers, not promises.
    let page = page.split("\n## How it is proved").next().unwrap_or(page);
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| it never"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [never, holds, tests] = cells[..] else { panic!("not three columns: {row}") };
        assert!(!holds.is_empty(), "nothing holds it: {never}");
        (never.to_owned(), tests.split('`').skip(1).step_by(2).map(str::to_owned).collect())
    })
    .collect()
}

#[test]
fn every_promise_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/safety.md")).unwrap();
    let mut known = HashSet::new();
    functions(&root.join("src"), &mut known);
    functions(&root.join("tests"), &mut known);
    let promises = promises(&page);
    assert!(promises.len() > 30, "only {} promises were found on the page", promises.len());
    for (never, tests) in promises {
        assert!(!tests.is_empty(), "no test holds: it never {never}");
        for test in tests {
            assert!(known.contains(&test), "it never {never}: there is no test `{test}`");
        }
    }
}

#[test]
fn a_test_that_does_not_exist_would_be_noticed() {
    let page = "| it never ... | x | y |\n|---|---|---|\n| lies | nobody | `no_such_test`, `another` |\n";
    let expected = vec!["no_such_test".to_owned(), "another".to_owned()];
    assert_eq!(promises(page), [("lies".to_owned(), expected)]);
}

/// What stands between two backticks and looks like the path of a file of ours.
fn named_files(page: &str) -> Vec<&str> {
    let is_file = |text: &&str| {
        let path = text.bytes().all(|byte| byte.is_ascii_lowercase() || b"_-/.0123456789".contains(&byte));
        path && !text.starts_with('.') && [".rs", ".sh", ".py"].iter().any(|end| text.ends_with(end))
    };
    page.split('`').skip(1).step_by(2).filter(is_file).collect()
}

#[test]
fn every_file_and_test_that_the_design_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/design.md")).unwrap();
    let files = named_files(&page);
    assert!(files.len() > 30, "only {} files were found", files.len());
    for file in files {
        // Within the way through the code `src/` goes without saying.
        let there = ["", "src", "tests"].iter().any(|folder| root.join(folder).join(file).exists());
        assert!(there, "docs/design.md names {file}");
    }
    let mut known = HashSet::new();
    functions(&root.join("tests"), &mut known);
    let situations = page.split("### Situations and verdicts").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = situations.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| situation"));
    let tests: Vec<&str> = rows
        .filter_map(|row| row.rsplit('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    assert!(tests.len() > 30, "only {} tests were found", tests.len());
    for test in tests.into_iter().filter(|test| !test.contains('/')) {
        let name = test.rsplit("::").next().unwrap();
        assert!(known.contains(name), "docs/design.md names the test `{test}`");
    }
}

#[test]
fn a_file_that_is_not_there_would_be_noticed() {
    let page = "`src/no_such.rs` and `verdicts` in `tests/x.sh`, `a b.rs`, `.ci/run`";
    assert_eq!(named_files(page), ["src/no_such.rs", "tests/x.sh"]);
}
