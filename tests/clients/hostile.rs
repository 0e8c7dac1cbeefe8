//! Files that are broken, huge, no files at all, or made to hurt.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, Instant};

use mcp_reap::clients::{Findings, Os, Trouble};
use proptest::prelude::*;

use crate::home::Home;

/// Files in every language, each read with other bytes below.
const FILES: [&str; 4] = [".claude.json", ".cursor/mcp.json", ".codex/config.toml", ".hermes/config.yaml"];
const ONE: &str = r#"{"mcpServers": {"one": {"command": "one"}}}"#;

/// What is found in one file with these bytes, besides a file that is in order.
fn beside_a_good_one(path: &str, content: &[u8]) -> Findings {
    let found = Home::new(Os::Linux).with(path, content).with(".lmstudio/mcp.json", ONE).read();
    assert!(found.servers.iter().any(|server| server.client == "lm-studio"), "{path}: {found:?}");
    found
}

#[test]
fn a_broken_file_is_a_warning_with_its_line_and_the_others_are_read() {
    for (path, content, line, trouble) in [
        (".claude.json", "{\n\"a\": 1,\n}", 3, Trouble::Syntax("JSON")),
        (".cursor/mcp.json", "{\n\n\"mcpServers\": {", 3, Trouble::Syntax("JSON")),
        (".cursor/mcp.json", "{}\n{}", 2, Trouble::Syntax("JSON")),
        (".codex/config.toml", "a = 1\nb = \n", 2, Trouble::Syntax("TOML")),
        (".hermes/config.yaml", "a: 1\nb: @c\n", 2, Trouble::Syntax("YAML")),
        (".codex/config.toml", "a = 1\nb = \"\u{1}\"\n", 2, Trouble::Syntax("TOML")),
    ] {
        let found = beside_a_good_one(path, content.as_bytes());
        assert_eq!(found.warnings.len(), 1, "{content:?} {found:?}");
        assert_eq!(found.warnings[0].trouble, trouble, "{content:?}");
        assert_eq!(found.warnings[0].line, Some(line), "{content:?}");
        assert!(found.warnings[0].file.ends_with(path));
    }
}

#[test]
fn bytes_that_are_no_text_are_a_warning() {
    for path in [".cursor/mcp.json", ".codex/config.toml", ".hermes/config.yaml"] {
        let found = beside_a_good_one(path, b"a = 1\n\xff\xfe\n");
        assert_eq!(found.warnings[0].trouble, Trouble::NotText, "{path}");
        assert_eq!(found.warnings[0].line, Some(2), "{path}");
    }
}

#[test]
fn nesting_without_end_is_a_warning_and_no_overflow() {
    let deep = 200_000;
    for (path, content) in [
        (".cursor/mcp.json", "[".repeat(deep)),
        (".cursor/mcp.json", "{\"mcpServers\":".repeat(deep)),
        (".cursor/mcp.json", format!("{{\"mcpServers\":{{\"a\":{}", "{\"command\":".repeat(deep))),
        (".claude.json", "{\"projects\":".repeat(deep)),
        (".claude.json", format!("{{\"mcpServers\":{{\"a\":{}", "{\"args\":[".repeat(deep))),
        (".codex/config.toml", format!("a = {}", "[".repeat(deep))),
        (".codex/config.toml", format!("a = {}", "{a=".repeat(deep))),
        (".codex/config.toml", format!("mcp_servers{} = 1", ".a".repeat(deep))),
        (".codex/config.toml", format!("[mcp_servers{}]", ".a".repeat(deep))),
        (".hermes/config.yaml", "[".repeat(deep)),
        (".hermes/config.yaml", "- ".repeat(deep)),
        (".hermes/config.yaml", "? ".repeat(deep)),
    ] {
        let found = beside_a_good_one(path, content.as_bytes());
        assert_eq!(found.warnings.len(), 1, "{path} {}", &content[..20]);
    }
    // What is passed over may be as deep as it likes.
    let junk = format!(
        r#"{{"junk": {}{}, "mcpServers": {{"a": {{"command": "a"}}}}}}"#,
        "[".repeat(deep),
        "]".repeat(deep)
    );
    let found = beside_a_good_one(".cursor/mcp.json", junk.as_bytes());
    assert_eq!((found.servers.len(), found.warnings.len()), (2, 0));
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    for (path, limit) in [(".cursor/mcp.json", 4 << 20), (".claude.json", 32 << 20)] {
        let home = Home::new(Os::Linux).with(path, "");
        let file = File::options().write(true).open(home.path(path)).unwrap();
        file.set_len(limit).unwrap();
        assert!(matches!(home.read().warnings[..], [ref w] if w.trouble == Trouble::Syntax("JSON")));
        file.set_len(limit + 1).unwrap();
        assert!(matches!(home.read().warnings[..], [ref w] if w.trouble == Trouble::TooLarge { limit }));
    }
}

#[test]
fn a_large_file_of_history_is_read() {
    let message = format!(r#"{{"display": "{}", "pastedContents": {{}}}}"#, "x".repeat(1000));
    let history = vec![message; 9_000].join(",");
    let config = format!(
        r#"{{"projects": {{"/srv/a": {{"history": [{history}], "mcpServers": {{"one": {{"command": "one"}}}}}}}}}}"#
    );
    assert!(config.len() > 8 << 20);
    assert_eq!(
        Home::new(Os::Linux).with(".claude.json", config).lines(),
        ["claude-code local /srv/a one: one"]
    );
}

#[test]
fn what_is_no_file_is_not_opened() {
    let home = Home::new(Os::Linux).with(".lmstudio/mcp.json", ONE);
    for folder in [".cursor", ".codex", ".hermes", ".qwen"] {
        fs::create_dir(home.path(folder)).unwrap();
    }
    let fifo = |path: &str| {
        nix::unistd::mkfifo(&home.path(path), nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR)
            .unwrap();
    };
    fifo(".claude.json");
    fifo(".cursor/mcp.json");
    symlink("/dev/zero", home.path(".codex/config.toml")).unwrap();
    fs::create_dir(home.path(".hermes/config.yaml")).unwrap();
    symlink("settings.json", home.path(".qwen/settings.json")).unwrap();

    let begun = Instant::now();
    let found = home.read();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(found.servers.len(), 1);
    let mut troubles: Vec<String> = found.warnings.iter().map(ToString::to_string).collect();
    troubles.iter_mut().for_each(|line| *line = line.replace(home.places.home.to_str().unwrap(), "~"));
    assert_eq!(
        troubles,
        [
            "~/.claude.json: not a regular file",
            "~/.cursor/mcp.json: not a regular file",
            "~/.codex/config.toml: not a regular file",
            "~/.qwen/settings.json: cannot be read: filesystem loop or indirection limit (e.g. symlink loop)",
            "~/.hermes/config.yaml: not a regular file",
        ]
    );
}

#[test]
fn a_file_without_permission_is_a_warning() {
    let home = Home::new(Os::Linux).with(".cursor/mcp.json", ONE).with(".lmstudio/mcp.json", ONE);
    fs::set_permissions(home.path(".cursor/mcp.json"), fs::Permissions::from_mode(0o000)).unwrap();
    let found = home.read();
    if rustix::process::geteuid().is_root() {
        // Permissions do not bind root: it reads the file, and there is nothing to warn of.
        assert_eq!((found.servers.len(), found.warnings.len()), (2, 0));
    } else {
        assert_eq!(found.servers.len(), 1);
        assert_eq!(found.warnings[0].trouble, Trouble::Io(std::io::ErrorKind::PermissionDenied));
    }
}

#[test]
fn a_folder_of_a_million_names_is_cut_off_with_a_warning() {
    let home = Home::new(Os::Linux).with(".lmstudio/mcp.json", ONE);
    let agents = home.path(".aws/amazonq/cli-agents");
    fs::create_dir_all(&agents).unwrap();
    for number in 0..2_100 {
        File::create(agents.join(format!("{number}.json"))).unwrap();
    }
    let found = home.read();
    assert!(
        matches!(found.warnings[..], [ref w] if matches!(w.trouble, Trouble::TooMany { .. })),
        "{found:?}"
    );
}

#[test]
fn more_projects_than_people_have_are_cut_off_with_a_warning() {
    let home = Home::new(Os::Linux).with(".lmstudio/mcp.json", ONE);
    let projects: Vec<String> = (0..1_001)
        .map(|number| {
            let project = home.path(&format!("p{number}"));
            fs::create_dir(&project).unwrap();
            format!("\"{}\": {{}}", project.display())
        })
        .collect();
    let all = |count: usize| format!(r#"{{"projects": {{{}}}}}"#, projects[..count].join(","));
    let home = home.with(".claude.json", all(1_000));
    assert_eq!(home.read().warnings, []);
    let home = home.with(".claude.json", all(1_001));
    assert!(matches!(home.read().warnings[..], [ref w] if w.trouble == Trouble::TooMany { limit: 1_000 }));
}

#[test]
fn a_megabyte_made_to_be_slow_is_not() {
    let size = 1_000_000;
    let fill = |unit: &str| unit.repeat(size / unit.len());
    for (path, content) in [
        (".hermes/config.yaml", format!("a: {}", fill("b "))),
        (".hermes/config.yaml", fill("a: &a b\n")),
        (".hermes/config.yaml", format!("a: \"{}", fill("\\"))),
        (".hermes/config.yaml", format!("a: {}", fill("'"))),
        (".hermes/config.yaml", fill("a\n")),
        (".hermes/config.yaml", format!("a: |\n{}", fill(" \n"))),
        (".hermes/config.yaml", fill("#\n")),
        (".hermes/config.yaml", fill("---\n")),
        (".hermes/config.yaml", format!("[{}", fill("a, "))),
        (".hermes/config.yaml", format!("[{}", fill("a: b, "))),
        (".cursor/mcp.json", fill("/*")),
        (".cursor/mcp.json", fill("//\n")),
        (".cursor/mcp.json", format!("{{{}", fill("a:1,"))),
        (".cursor/mcp.json", format!("[{}", fill("'a'"))),
        (".codex/config.toml", fill("a.b = 1\n")),
        (".codex/config.toml", fill("[[a]]\n")),
        (".codex/config.toml", format!("a = [{}", fill("1,"))),
    ] {
        let begun = Instant::now();
        beside_a_good_one(path, content.as_bytes());
        // The slowest takes 1.4 s in a debug build on a busy machine; what is quadratic takes hours.
        assert!(begun.elapsed() < Duration::from_secs(30), "{path} {} {:?}", &content[..12], begun.elapsed());
    }
}

/// Text that looks like a configuration from afar.
fn scraps() -> impl Strategy<Value = String> {
    let scrap = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(":"),
        Just(","),
        Just("\""),
        Just("'"),
        Just("\n"),
        Just(" "),
        Just("  "),
        Just("- "),
        Just(": "),
        Just("#"),
        Just("//"),
        Just("/*"),
        Just("*/"),
        Just("\\"),
        Just("="),
        Just("."),
        Just("|"),
        Just(">"),
        Just("&a"),
        Just("*a"),
        Just("<<: "),
        Just("---\n"),
        Just("..."),
        Just("\t"),
        Just("!"),
        Just("%"),
        Just("? "),
        Just("null"),
        Just("true"),
        Just("1e999"),
        Just("-0x"),
        Just("\"mcpServers\""),
        Just("mcp_servers"),
        Just("projects"),
        Just("\"command\""),
        Just("command"),
        Just("args"),
        Just("\"url\""),
        Just("[mcp_servers.a]\n"),
        Just("~"),
        Just("${HOME}"),
        Just("\u{feff}"),
        Just("\0"),
    ];
    prop::collection::vec(scrap, 0..40).prop_map(|scraps| scraps.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_in_any_file_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for path in FILES {
            beside_a_good_one(path, &bytes);
        }
    }

    #[test]
    fn any_scraps_of_a_configuration_are_read_or_refused(text in scraps()) {
        for path in FILES {
            beside_a_good_one(path, text.as_bytes());
        }
    }
}
