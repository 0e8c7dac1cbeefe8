use super::*;

#[test]
fn the_table_is_sorted_for_its_search() {
    assert!(TOOLS.windows(2).all(|pair| pair[0].0 < pair[1].0), "out of order or twice");
}

#[test]
fn a_tool_is_known_under_its_versioned_names() {
    for (file, tool) in [
        ("python3.12", Some("python")),
        ("python3", Some("python")),
        ("python3.13t", Some("python")),
        ("Python", Some("python")),
        ("node22", Some("node")),
        ("yarn-4.1.0.cjs", Some("yarn")),
        ("npx-cli.js", Some("npx-cli")),
        ("bun.exe", Some("bun")),
        ("-bash", Some("bash")),
        ("nodeenv", None),
        ("pythonista", None),
        ("mcp-server", None),
        ("", None),
    ] {
        assert_eq!(find(file).map(|(name, _)| name), tool, "{file}");
    }
}
