//! The plugin and its marketplace: what the files promise is there, and the skill names commands that there are. Whether
//! Claude Code itself takes them is a matter of `tests/plugin.sh`.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use clap::Parser as _;
use mcp_reap::cli::{Cli, Command};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(root().join(name)).unwrap()).unwrap()
}

#[test]
fn the_checkout_is_a_marketplace_of_one_plugin() {
    let market = read(".claude-plugin/marketplace.json");
    let [plugin] = market["plugins"].as_array().unwrap().as_slice() else { panic!("one plugin: {market}") };
    let folder = plugin["source"].as_str().unwrap().strip_prefix("./").unwrap().to_owned();
    let manifest = read(&format!("{folder}/.claude-plugin/plugin.json"));
    assert_eq!(plugin["name"], manifest["name"]);
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(manifest["license"], env!("CARGO_PKG_LICENSE"));
    assert_eq!(manifest["repository"], env!("CARGO_PKG_REPOSITORY"));
    assert_eq!(market["owner"], manifest["author"]);
    // `hook status` finds the plugin by this name, and the page tells to install it so.
    let page = fs::read_to_string(root().join("docs/hooks.md")).unwrap();
    let id = format!("{}@{}", manifest["name"].as_str().unwrap(), market["name"].as_str().unwrap());
    assert_eq!(id, "mcp-reap@mcp-reap");
    assert!(page.contains(&format!("claude plugin install {id}")));
}

/// The lines of a front matter, by key.
type Fields = Vec<(String, String)>;

/// Each skill: its folder's name, the front matter, and the text.
fn skills() -> Vec<(String, Fields, String)> {
    let folders = fs::read_dir(root().join("plugin/skills")).unwrap();
    let skill = |folder: PathBuf| {
        let text = fs::read_to_string(folder.join("SKILL.md")).unwrap();
        let (head, body) = text.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
        let fields = head.lines().map(|line| line.split_once(": ").unwrap());
        let fields = fields.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        (folder.file_name().unwrap().to_str().unwrap().to_owned(), fields, body.to_owned())
    };
    folders.map(|folder| skill(folder.unwrap().path())).collect()
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    &fields.iter().find(|(key, _)| key == name).unwrap().1
}

fn parsed(line: &str) -> Cli {
    let words = line.replace("PID", "4242").replace('*', "4242");
    Cli::try_parse_from(words.split_whitespace()).unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[test]
fn a_skill_is_found_by_its_name_and_says_when_it_is_meant() {
    let skills = skills();
    assert!(!skills.is_empty());
    for (folder, fields, _) in skills {
        assert_eq!(field(&fields, "name"), folder);
        // The whole list of skills is in the model's context, so long descriptions are cut (at 1,024 characters).
        let description = field(&fields, "description");
        assert!(description.contains("MCP servers") && description.len() < 1024, "{}", description.len());
    }
}

#[test]
fn without_a_question_the_skill_may_only_look() {
    for (_, fields, _) in skills() {
        let tools = field(&fields, "allowed-tools");
        assert!(tools.contains("--dry-run --json"));
        for tool in tools.split(", ") {
            let line = tool.strip_prefix("Bash(").and_then(|tool| tool.strip_suffix(')')).unwrap();
            if line == "mcp-reap --version" {
                continue;
            }
            let cli = parsed(line);
            let looks =
                matches!(cli.command, Some(Command::List(_) | Command::Explain { .. } | Command::Doctor));
            assert!(looks || cli.command.is_none() && cli.dry_run && !cli.yes, "{tool} can end something");
            // A pattern with a wildcard before or in a flag would take `--yes` as well.
            assert!(!line.contains('*') || line == "mcp-reap explain *", "{tool}");
        }
    }
}

#[test]
fn every_command_of_the_skill_is_one_that_there_is() {
    let mut seen = 0;
    for (_, _, text) in skills() {
        let spans = text.split('`').skip(1).step_by(2);
        let blocks = text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
        let lines = blocks.flat_map(str::lines).chain(spans);
        for line in lines.filter(|line| line.starts_with("mcp-reap ") && line.lines().count() == 1) {
            parsed(line);
            seen += 1;
        }
        assert!(text.find("mcp-reap --dry-run --json") < text.find("Ask the person"), "looks first");
        assert!(text.find("Ask the person") < text.find("mcp-reap --yes"), "asks before it ends");
    }
    assert!(seen >= 6, "only {seen} commands were found");
}
