//! What people type and see: help, mistakes and exit codes, recorded tables, the examples of the docs.
//!
//! `TRYCMD=overwrite cargo test --test cli` writes what is seen; read the difference before it is
//! committed.

#[test]
fn what_people_type_and_see() {
    let cases = trycmd::TestCases::new();
    // Nobody's home, configuration or state, and one place on earth.
    for (name, value) in [
        ("HOME", "/nonexistent"),
        ("MCP_REAP_CONFIG", ""),
        ("XDG_CONFIG_HOME", ""),
        ("XDG_STATE_HOME", ""),
        ("TZ", "UTC"),
        ("NO_COLOR", "1"),
        ("LC_ALL", "C.UTF-8"),
        ("SHELL", ""),
        ("COLUMNS", "100"),
    ] {
        cases.env(name, value);
    }
    cases.insert_var("[VERSION]", env!("CARGO_PKG_VERSION")).expect("a sound variable");
    cases.case("tests/cli/*.trycmd").case("README.md").case("docs/fleet.md");
}
