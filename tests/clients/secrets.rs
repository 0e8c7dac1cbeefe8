//! Nothing of what a configuration keeps secret is ever in what is printed.

use mcp_reap::clients::{Os, Transport};

use crate::home::Home;

const SECRET: &str = "hunter2-0f9a";

#[test]
fn a_secret_in_an_entry_is_in_nothing_that_is_printed() {
    let json = format!(
        r#"{{"mcpServers": {{
            "env": {{"command": "s", "env": {{"KEY": "{SECRET}"}}}},
            "args": {{"command": "s", "args": ["--key={SECRET}", "{SECRET}"]}},
            "line": {{"command": "KEY={SECRET} s"}},
            "headers": {{"url": "https://h.example/", "headers": {{"Authorization": "{SECRET}"}}}},
            "url": {{"url": "https://me:{SECRET}@h.example/{SECRET}?k={SECRET}#{SECRET}"}},
            "no-url": {{"url": "{SECRET}"}}}}}}"#
    );
    let home = Home::new(Os::Linux).with(".cursor/mcp.json", json);
    let found = home.read();
    assert_eq!(found.servers.len(), 6, "{found:?}");
    assert!(!format!("{found:?}{found:#?}").contains(SECRET), "{found:?}");
    // In memory the arguments are kept, for comparing; environment and headers are not.
    let argv = |entry: &str| match &found.servers.iter().find(|s| s.entry == entry).unwrap().transport {
        Transport::Stdio { argv } => argv.join(" "),
        Transport::Remote { host } => host.clone(),
    };
    assert_eq!(argv("args"), format!("s --key={SECRET} {SECRET}"));
    assert_eq!(argv("env"), "s");
    assert_eq!(argv("url"), "h.example");
}

#[test]
fn a_warning_quotes_nothing_of_the_file() {
    for (path, content) in [
        (".cursor/mcp.json", format!("{{\"mcpServers\": {{\"s\": {{\"env\": \"{SECRET}\" {SECRET}")),
        (".cursor/mcp.json", format!("\"{SECRET}\" \"{SECRET}\"")),
        (".cursor/mcp.json", format!("{{\"{SECRET}\": {SECRET}}} {SECRET}")),
        (".claude.json", format!("{{\"{SECRET}\": {SECRET}}}")),
        (".codex/config.toml", format!("[mcp_servers.s]\ntoken = {SECRET}\n")),
        (".codex/config.toml", format!("{SECRET} = 1\n{SECRET} = 2\n")),
        (".codex/config.toml", format!("a.{SECRET} = 1\na.{SECRET}.b = \"{SECRET}\"\n")),
        (".hermes/config.yaml", format!("a: [{SECRET}\nb: *{SECRET}\n")),
        (".hermes/config.yaml", format!("a: *{SECRET}\n")),
        (".hermes/config.yaml", format!("a: !{SECRET}!x {SECRET}\n")),
    ] {
        let home = Home::new(Os::Linux).with(path, &content);
        let found = home.read();
        assert_eq!(found.warnings.len(), 1, "{path}: {content}");
        let printed = format!("{found:?} {}", found.warnings[0]);
        assert!(!printed.contains(SECRET), "{printed}");
        assert!(found.warnings[0].line.is_some(), "{printed}");
    }
}
