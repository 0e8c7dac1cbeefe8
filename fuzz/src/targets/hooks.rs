//! Hooks: the settings they are written into, their events; and small words.

use mcp_reap::hook::event;
use mcp_reap::hook::settings::{self, HookClient, HookCommand, HookPresence};
use mcp_reap::pattern::Pattern;
use mcp_reap::render::clean;
use mcp_reap::units;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::*;

const CLAUDE: HookClient = HookClient::ClaudeCode;

pub(super) static COMMAND: LazyLock<HookCommand> =
    LazyLock::new(|| HookCommand::new(CLAUDE, Path::new("/usr/local/bin/mcp-reap")).expect("a command"));

/// The same program, installed somewhere else.
pub(super) static ELSEWHERE: LazyLock<HookCommand> =
    LazyLock::new(|| HookCommand::new(CLAUDE, Path::new("/opt/new \"place\"/mcp-reap")).expect("a command"));

pub(super) fn hook_settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for client in HookClient::ALL {
        in_and_out(client, &text);
    }
    let _ = settings::status(&text, &COMMAND);
    let Ok(before) = settings::uninstall(CLAUDE, &text, "") else { return };
    let Ok(with) = settings::install(&before.text, &COMMAND) else { return };
    let again = settings::install(&with.text, &COMMAND).expect("what was installed can be read");
    assert!(again.edits.is_empty() && again.text == with.text, "a second time changes something");
    let status = settings::status(&with.text, &COMMAND).expect("and be told");
    assert!(status.events.iter().all(|(_, at)| *at == HookPresence::Installed));
    let without = settings::uninstall(CLAUDE, &with.text, &before.text).expect("and taken out");
    assert_eq!(without.text, before.text, "what was put in comes out to the byte");
    // What is theirs means what it meant.
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}'));
    // (serde_json holds no number like 1e400 as a value.)
    if let (Ok(mut theirs), Ok(mut meant)) = (value(&before.text), value(&with.text)) {
        for event in CLAUDE.events() {
            let groups = meant["hooks"][event].as_array_mut();
            let ours = groups.and_then(Vec::pop).expect("our group, the last one");
            assert_eq!(ours["hooks"][0]["args"], serde_json::json!(["hook", "run"]));
        }
        for event in CLAUDE.events() {
            if theirs["hooks"][event].is_null() {
                theirs["hooks"][event] = serde_json::json!([]);
            }
        }
        assert_eq!(meant, theirs, "what was theirs means something else");
    }
    // A program that moves there and back leaves nothing behind.
    let moved = settings::install(&with.text, &ELSEWHERE).expect("settings");
    assert_eq!(moved.edits.len(), 2, "each entry is followed");
    assert_eq!(settings::install(&moved.text, &COMMAND).expect("settings").text, with.text);
    assert_eq!(settings::uninstall(CLAUDE, &moved.text, &before.text).expect("settings").text, before.text);
}

/// What holds for every client: a second time changes nothing, and what was put in comes out to the byte.
fn in_and_out(client: HookClient, text: &str) {
    let command = HookCommand::new(client, Path::new("/opt/o'neil $x/mcp-reap")).expect("a command");
    let Ok(before) = settings::uninstall(client, text, "") else { return };
    let Ok(with) = settings::install(&before.text, &command) else { return };
    let again = settings::install(&with.text, &command).expect("what was installed can be read");
    assert!(again.edits.is_empty() && again.text == with.text, "{client:?}: a second time changes something");
    let status = settings::status(&with.text, &command).expect("settings");
    assert!(status.events.iter().all(|(_, at)| *at == HookPresence::Installed), "{client:?}");
    let without = settings::uninstall(client, &with.text, &before.text).expect("settings");
    assert_eq!(without.text, before.text, "{client:?}");
}

pub(super) fn hook_shape(bytes: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    let told = |error: settings::SettingsError| {
        error.to_string().chars().filter(|c| c.is_alphabetic()).take(60).collect::<String>()
    };
    digest(settings::install(&text, &COMMAND).map(|change| change.edits.len()).map_err(told))
}

pub(super) fn hook_seeds() -> Vec<Vec<u8>> {
    let empty = settings::install("", &COMMAND).expect("settings").text;
    let mut seeds = owned(&[
        "{}\n",
        "{\n  \"model\": \"x\",\n  \"hooks\": {\n    \"SessionEnd\": [\n      {\"matcher\": \"\", \"hooks\": [{\"type\": \"command\", \"command\": \"/y/own.sh\"}]}\n    ]\n  }\n}\n",
        "{\"hooks\":{\"Stop\":[],\"SessionStart\":[{\"hooks\":[]}]}}",
        "\t{\r\n\t\t\"hooks\" : { }\r\n\t}",
        "{\n  \"permissions\": {\"allow\": [\"Bash(cargo test:*)\"], \"deny\": []},\n  \"env\": {\"EMPTY\": \"\"},\n  \"hooks\": {\n    \"PreToolUse\": [{\"matcher\": \"Bash\", \"hooks\": [{\"type\": \"command\", \"command\": \"g\"}]}]\n  },\n  \"disableAllHooks\": true\n}\n",
        "{\"hooks\": {\"SessionEnd\": [{\"matcher\": \"logout\", \"hooks\": [{\"timeout\": 55, \"args\": [\"hook\", \"run\"], \"command\": \"/old/mcp-reap\", \"type\": \"command\"}, {\"type\":\"prompt\"}]}, \"odd\", 7]}}",
        "\u{feff}{\r\n  \"a\": 1e400, \"hooks\": {\"SessionStart\": [\n\n ], \"SessionEnd\": [ \n]}, \"hooks\": {}, \"\\ud800\": \"\\u00fc\"\r\n}\r\n",
        "{ \n}\n",
        "\r\n",
    ]);
    seeds.push(empty.into_bytes());
    seeds
}

pub(super) fn hook_event(bytes: &[u8]) {
    let path = FOLDER.path().join("event");
    fs::write(&path, bytes).expect("a file");
    let file = fs::File::open(&path).expect("a file");
    let _ = event::read_event(file, 1 << 16, std::time::Duration::from_millis(200));
}

pub(super) fn event_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "{\"session_id\":\"a\",\"transcript_path\":\"/x\",\"cwd\":\"/srv\",\"hook_event_name\":\"SessionEnd\",\"reason\":\"other\"}\n",
        "{\"hook_event_name\":\"SessionStart\",\"source\":\"startup\"}",
    ])
}

pub(super) fn small_words(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(duration) = units::parse_duration(&text) {
        let _ = units::show_duration(duration);
    }
    if let Ok(size) = units::parse_size(&text) {
        let _ = units::show_size(size);
    }
    if let Ok(pattern) = Pattern::parse(&text) {
        let _ = pattern.matches(&text);
        let _ = pattern.matches("node /x/mcp-server-memory");
    }
    assert!(
        !clean::clean(&text).contains(['\x1b', '\r', '\x08', '\u{9b}', '\u{202e}']),
        "a control character got through"
    );
    let _ = clean::fit(&text, bytes.len() % 80);
}

pub(super) fn word_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "90s",
        "1h30m",
        "500MB",
        "1.5GiB",
        "*memory*",
        "re:^(a|b)+$",
        "mcp-server-?",
        "\x1b[31mred\x1b[0m",
        "caf\u{e9} \u{1f980}",
    ])
}
