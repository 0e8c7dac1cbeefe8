//! Every row of the table, on both systems, and the page that is written from it.

use std::fs;

use mcp_reap::clients::{Location, Os, Transport, locations, read};

use crate::home::Home;

/// The server of a row, wrapped in the row's own keys and language.
fn content(path: &str, keys: &str) -> String {
    let way = keys.split(", ").next().unwrap();
    let steps: Vec<&str> = if way == "(top)" { Vec::new() } else { way.split(" > ").collect() };
    let entry = r#"{"command":"notes-server","args":["--stdio"]}"#;
    // A manifest's way leads to the one entry, all others to a map of them.
    let mut json =
        if way.ends_with("mcp_config") { entry.to_owned() } else { format!(r#"{{"notes":{entry}}}"#) };
    for step in steps.iter().rev() {
        json = format!(r#"{{"{step}":{json}}}"#);
    }
    if path.ends_with(".toml") {
        return format!("[{}.notes]\ncommand = \"notes-server\"\nargs = [\"--stdio\"]\n", steps.join("."));
    }
    json // JSON is YAML too
}

#[test]
fn every_row_is_read_on_its_systems() {
    let mut read_rows = 0;
    for location in locations() {
        for (os, path) in [(Os::Linux, &location.linux), (Os::MacOs, &location.macos)] {
            let Some(path) = path else { continue };
            let home = Home::new(os).project("work/app");
            let real =
                path.replace('*', "x").replace("<editor>", "VSCodium").replace("<project>/", "~/work/app/");
            let file = match real.strip_prefix("~/") {
                Some(rest) => home.path(rest),
                None => home.places.root.join(real.trim_start_matches('/')),
            };
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, content(path, &location.keys)).unwrap();

            let found = read(&home.places);
            let of_client: Vec<_> = found.servers.iter().filter(|s| s.client == location.client).collect();
            assert_eq!(of_client.len(), 1, "{os:?} {location:?} {found:?}");
            assert_eq!(of_client[0].file, file);
            assert!(!of_client[0].disabled);
            let Transport::Stdio { argv } = &of_client[0].transport else { panic!("{location:?}") };
            assert_eq!(argv, &["notes-server", "--stdio"], "{os:?} {location:?}");
            assert_eq!(found.warnings, [], "{location:?}");
            read_rows += 1;
        }
    }
    assert!(read_rows > 100, "{read_rows}");
}

#[test]
fn a_row_of_the_other_system_is_not_read() {
    for location in locations() {
        for (os, here, there) in
            [(Os::Linux, &location.linux, &location.macos), (Os::MacOs, &location.macos, &location.linux)]
        {
            let (None, Some(path)) = (here, there) else { continue };
            let home = Home::new(os);
            let file = match path.strip_prefix("~/") {
                Some(rest) => home.path(rest),
                None => home.places.root.join(path.trim_start_matches('/')),
            };
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, content(path, &location.keys)).unwrap();
            assert_eq!(home.lines(), [""; 0], "{location:?}");
        }
    }
}

#[test]
fn ids_are_in_kebab_case() {
    for Location { client, .. } in locations() {
        let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
        assert!(client.chars().all(kebab) && !client.starts_with('-') && !client.ends_with('-'), "{client}");
    }
}

/// The table of `docs/clients.md`.
fn page_table() -> String {
    let mut page = String::from("| client | scope | Linux | macOS | keys |\n|---|---|---|---|---|\n");
    for Location { client, scope, linux, macos, keys } in locations() {
        let code =
            |path: &Option<String>| path.as_ref().map_or("none".to_owned(), |path| format!("`{path}`"));
        let mac = if linux == macos { "the same".to_owned() } else { code(&macos) };
        let keys: Vec<_> = keys
            .split(", ")
            .map(|key| if key == "(top)" { key.into() } else { format!("`{key}`") })
            .collect();
        page.push_str(&format!("| {client} | {scope} | {} | {mac} | {} |\n", code(&linux), keys.join(", ")));
    }
    page
}

#[test]
fn the_page_shows_the_table_of_the_code() {
    let page = include_str!("../../docs/clients.md");
    let table = page_table();
    assert!(page.contains(&table), "docs/clients.md should contain:\n{table}");
}
