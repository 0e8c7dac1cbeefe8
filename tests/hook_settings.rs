//! Claude Code's settings before and after: what is put in, what stays to the byte, what comes out.

#![allow(clippy::unwrap_used)]

mod limit;

use std::path::Path;

use limit::Limited as _;
use mcp_reap::hook::settings::{
    Edit, Edited, HookClient, HookCommand, HookPresence, HookStatus, SettingsError, install, status,
    uninstall as uninstall_of,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

const PROGRAM: &str = "/usr/local/bin/mcp-reap";
const CLAUDE: HookClient = HookClient::ClaudeCode;

fn uninstall(text: &str, before: &str) -> Result<Edited, SettingsError> {
    uninstall_of(CLAUDE, text, before)
}

/// The same for both events.
fn both(at: HookPresence, hooks_disabled: bool) -> HookStatus {
    HookStatus { events: vec![("SessionEnd", at.clone()), ("SessionStart", at)], hooks_disabled }
}

fn command() -> HookCommand {
    HookCommand::new(CLAUDE, Path::new(PROGRAM)).unwrap()
}

fn installed(text: &str) -> String {
    install(text, &command()).unwrap().text
}

/// The text without our entries, where no bytes from before are known that would explain it.
fn without(text: &str) -> String {
    let change = uninstall(text, "[\"not these\"]").unwrap();
    assert_eq!(change.edits.is_empty(), change.text == text);
    change.text
}

fn group(program: &str) -> Value {
    json!({"matcher": "", "hooks": [
        {"type": "command", "command": program, "args": ["hook", "run"], "timeout": 10}
    ]})
}

/// What an install means, on values instead of text.
fn merged(mut settings: Value) -> Value {
    for event in ["SessionEnd", "SessionStart"] {
        let groups = &mut settings["hooks"][event];
        if groups.is_null() {
            *groups = json!([]);
        }
        groups.as_array_mut().unwrap().push(group(PROGRAM));
    }
    settings
}

/// Settings without the empty containers that mean nothing.
fn tidied(mut settings: Value) -> Value {
    if let Some(hooks) = settings.get_mut("hooks").and_then(Value::as_object_mut) {
        hooks.retain(|event, groups| !event.starts_with("Session") || *groups != json!([]));
        if hooks.is_empty() {
            settings.as_object_mut().unwrap().remove("hooks");
        }
    }
    settings
}

/// Was `small` made into `large` by putting something in, and nothing else?
fn only_added(small: &str, large: &str) -> bool {
    let mut rest = large.bytes();
    small.bytes().all(|byte| rest.any(|other| other == byte))
}

const FRESH: &str = r#"{
  "hooks": {
    "SessionEnd": [
      {
        "matcher": "",
        "hooks": [
          {
            "type": "command",
            "command": "/usr/local/bin/mcp-reap",
            "args": [
              "hook",
              "run"
            ],
            "timeout": 10
          }
        ]
      }
    ],
    "SessionStart": [
      {
        "matcher": "",
        "hooks": [
          {
            "type": "command",
            "command": "/usr/local/bin/mcp-reap",
            "args": [
              "hook",
              "run"
            ],
            "timeout": 10
          }
        ]
      }
    ]
  }
}
"#;

#[test]
fn an_empty_file_gets_the_hooks_and_nothing_else() {
    assert_eq!(installed(""), FRESH);
    assert_eq!(uninstall(FRESH, "").unwrap().text, "");
}

#[test]
fn an_empty_object_looks_the_same_but_stays() {
    let text = installed("{}\n");
    assert_eq!(text, FRESH);
    assert_eq!(uninstall(&text, "{}\n").unwrap().text, "{}\n");
    assert_eq!(without(&text), "{}\n");
}

#[test]
fn a_grown_file_keeps_its_tabs_its_order_and_its_numbers() {
    let before = "{\r\n\t\"z\": 1e400,\r\n\t\"hooks\": {\r\n\t\t\"Stop\": [ ],\r\n\t\t\"SessionEnd\": [\r\n\t\t\t{\"hooks\": [{\"type\": \"command\", \"command\": \"bye\"}]}\r\n\t\t]\r\n\t},\r\n\t\"a\": 0.10 }";
    let entry = "{\n\t\"matcher\": \"\",\n\t\"hooks\": [\n\t\t{\n\t\t\t\"type\": \"command\",\n\t\t\t\"command\": \"/usr/local/bin/mcp-reap\",\n\t\t\t\"args\": [\n\t\t\t\t\"hook\",\n\t\t\t\t\"run\"\n\t\t\t],\n\t\t\t\"timeout\": 10\n\t\t}\n\t]\n}";
    let deeper = entry.replace('\n', "\r\n\t\t\t");
    let after = before.replace("\"bye\"}]}", &format!("\"bye\"}}]}},\r\n\t\t\t{deeper}")).replace(
        "\t\t]\r\n\t}",
        &format!("\t\t],\r\n\t\t\"SessionStart\": [\r\n\t\t\t{deeper}\r\n\t\t]\r\n\t}}"),
    );
    assert_eq!(installed(before), after);
    assert_eq!(without(&after), before);
    assert_eq!(uninstall(&after, before).unwrap().text, before);
}

#[test]
fn a_file_on_one_line_stays_on_one_line() {
    let text = installed(r#"{"a":1,"hooks":{"SessionEnd":[]}}"#);
    let group = group(PROGRAM).to_string();
    let expected = format!(r#"{{"a":1,"hooks":{{"SessionEnd":[{group}],"SessionStart":[{group}]}}}}"#);
    assert_eq!(text, expected);
}

/// Files as people have them. Installing means what it should mean; uninstalling restores the bytes.
#[test]
fn files_as_people_have_them() {
    let claude_writes = serde_json::to_string_pretty(&json!({
        "permissions": {"allow": ["Bash(cargo test:*)", "mcp__github"], "deny": []},
        "env": {"PATH": "/opt/bin:/usr/bin", "EMPTY": ""},
        "hooks": {
            "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "guard.sh"}]}],
            "SessionEnd": [{"hooks": [{"type": "command", "command": "notify-send bye"}]}],
        },
        "statusLine": {"type": "command", "command": "~/.claude/status.sh"},
    }))
    .unwrap();
    let files = [
        "{}",
        "{ }",
        "{\n}\n",
        "{ \n}\n",
        "{\"hooks\":{}}",
        "{\"hooks\": {}}\n",
        "{\n  \"hooks\": {\n  }\n}\n",
        "{\n  \"hooks\": { \"SessionStart\": [], \"SessionEnd\": [  ] }\n}\n",
        "{\n  \"hooks\": {\"SessionEnd\": [\n\n ], \"SessionStart\": [ \n]}}",
        "{\n    \"model\": \"opus\",\n    \"hooks\": {\"Stop\": [{\"hooks\": []}]}\n}",
        "{\"model\":\"opus\"}\n\n",
        "{\"model\": \"opus\", \"cleanupPeriodDays\": 0.10,\n \"x\": [{}, {\"hooks\": 3}]}\n",
        "{\n\"model\": \"opus\"\n}\n",
        "\u{feff}{\r\n  \"model\": \"\u{1F980} \\u00fc\"\r\n}\r\n",
        &claude_writes,
        // Somebody else's program, however close its name.
        r#"{"hooks": {"SessionEnd": [{"matcher": "", "hooks": [
            {"type": "command", "command": "/opt/mcp-reaper", "args": ["hook", "run"]},
            {"type": "command", "command": "/opt/mcp-reap hook run"},
            {"type": "command", "command": "/opt/mcp-reap", "args": ["hook", "run", "--quiet"]},
            {"type": "command", "command": "/opt/mcp-reap/x", "args": ["hook", "run"]},
            {"type": "prompt", "command": "/opt/mcp-reap", "args": ["hook", "run"]},
            {"type": "command", "command": ["/opt/mcp-reap"], "args": "hook run"}]}, "odd", 7]}}"#,
    ];
    for before in files {
        let change = install(before, &command()).unwrap();
        let events = ["SessionEnd", "SessionStart"].map(|event| Edit::Added { event });
        assert_eq!(change.edits, events, "{before}");
        let text = change.text;
        assert!(only_added(before, &text), "{before}\n{text}");
        let value = |text: &str| serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')).unwrap();
        assert_eq!(value(&text), merged(value(before)), "{before}\n{text}");

        let again = install(&text, &command()).unwrap();
        assert_eq!((again.text.as_str(), again.edits.as_slice()), (text.as_str(), &[][..]));

        let change = uninstall(&text, before).unwrap();
        for event in ["SessionStart", "SessionEnd"] {
            assert!(change.edits.contains(&Edit::Removed { event: event.into() }), "{before}");
        }
        assert_eq!(change.edits.len(), 2, "{before}");
        assert_eq!(change.text, before);
        assert_eq!(uninstall(before, "").unwrap().edits, [], "{before}");
    }
}

#[test]
fn a_blank_file_is_an_empty_one() {
    for before in ["\n", " ", "\u{feff}", "\r\n\r\n", "\u{feff}\n"] {
        let text = installed(before);
        let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
        assert_eq!(json, merged(json!({})), "{before:?}");
        assert_eq!(uninstall(&text, before).unwrap().text, before);
    }
}

#[test]
fn a_program_that_moved_is_followed() {
    let before = installed("{\n  \"a\": 1\n}\n");
    let moved = HookCommand::new(CLAUDE, Path::new("/opt/new \"place\"/mcp-reap")).unwrap();
    let change = install(&before, &moved).unwrap();
    assert_eq!(change.text, before.replace(PROGRAM, "/opt/new \\\"place\\\"/mcp-reap"));
    let from = || PROGRAM.to_owned();
    let edits = ["SessionEnd", "SessionStart"].map(|event| Edit::Moved { event, from: from() });
    assert_eq!(change.edits, edits);
    assert_eq!(status(&before, &moved).unwrap(), both(HookPresence::OtherBinary(from()), false));
}

#[test]
fn all_entries_that_moved_are_followed() {
    let entry =
        |program: &str| format!(r#"{{"type":"command","command":"{program}","args":["hook","run"]}}"#);
    let text = |programs: [&str; 3]| {
        let [a, b, c] = programs.map(entry);
        format!(
            r#"{{"hooks":{{"SessionEnd":[{{"hooks":[{a},{b}]}},{{"hooks":[{c}]}}],"SessionStart":[{{"hooks":[{c}]}}]}}}}"#
        )
    };
    let before = text(["/a/long/way/off/mcp-reap", "/b/mcp-reap", PROGRAM]);
    let change = install(&before, &command()).unwrap();
    assert_eq!(change.text, text([PROGRAM; 3]));
    assert_eq!(change.edits.len(), 2);
}

#[test]
fn what_the_person_changed_in_our_entry_stays() {
    let before = r#"{"hooks": {"SessionEnd": [{"matcher": "logout", "hooks": [
        {"timeout": 55, "args": ["hook", "run"], "command": "/old/mcp-reap", "type": "command"}]}]}}"#;
    let change = install(before, &command()).unwrap();
    assert!(change.text.starts_with(before.replace("/old/mcp-reap", PROGRAM).split("]}]}}").next().unwrap()));
    assert_eq!(change.text.matches("\"SessionEnd\"").count(), 1);
    assert_eq!(
        change.edits,
        [
            Edit::Moved { event: "SessionEnd", from: "/old/mcp-reap".into() },
            Edit::Added { event: "SessionStart" }
        ]
    );
}

#[test]
fn only_what_is_ours_is_taken_out() {
    let ours = r#"{"type":"command","command":"/x/mcp-reap","args":["hook","run"]}"#;
    let theirs = r#"{"type":"command","command":"theirs"}"#;
    for (before, after) in [
        // Among the entries of a group: first, last, between, twice.
        (format!("[{{\"hooks\": [{ours}, {theirs}]}}]"), format!("[{{\"hooks\": [{theirs}]}}]")),
        (format!("[{{\"hooks\": [{theirs}, {ours}]}}]"), format!("[{{\"hooks\": [{theirs}]}}]")),
        (
            format!("[{{\"hooks\": [{theirs}, {ours},{ours} , {theirs}]}}]"),
            format!("[{{\"hooks\": [{theirs} , {theirs}]}}]"),
        ),
        (
            format!("[{{\"hooks\": [{ours}, {ours},{theirs},{ours}]}}]"),
            format!("[{{\"hooks\": [{theirs}]}}]"),
        ),
        // Groups: one with more than our entry stays, without it.
        (
            format!("[{{\"matcher\": \"logout\", \"hooks\": [{ours}]}}, {{\"hooks\": [{ours}]}}]"),
            "[{\"matcher\": \"logout\", \"hooks\": []}]".to_owned(),
        ),
        (
            format!("[{{\"hooks\": [{ours}], \"note\": \"x\"}}]"),
            "[{\"hooks\": [], \"note\": \"x\"}]".to_owned(),
        ),
        (format!("[1, {{\"hooks\": [{ours}]}},2]"), "[1,2]".to_owned()),
    ] {
        for event in ["SessionEnd", "SessionStart", "Stop"] {
            let wrap = |groups: &str| format!("{{\"hooks\": {{\"{event}\": {groups}}}, \"a\": 1}}\n");
            let change = uninstall(&wrap(&before), "").unwrap();
            assert_eq!(change.text, wrap(&after));
            assert_eq!(change.edits, [Edit::Removed { event: event.into() }]);
        }
    }
}

#[test]
fn an_event_that_no_install_made_stays_when_it_is_emptied() {
    let ours = group("/x/mcp-reap").to_string();
    let before = format!("{{\"hooks\":{{\"Stop\":[{ours}],\"SessionEnd\":[{ours}]}},\"a\":1}}");
    assert_eq!(without(&before), "{\"hooks\":{\"Stop\":[]},\"a\":1}");
}

#[test]
fn what_was_written_anew_by_another_program_comes_out_all_the_same() {
    let before = json!({"model": "opus"});
    let text = serde_json::to_string_pretty(&merged(before.clone())).unwrap();
    let after = without(&text);
    assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), before);
    // And a file that would be left empty keeps its braces: nothing shows that we made it.
    let text = serde_json::to_string_pretty(&merged(json!({}))).unwrap();
    assert_eq!(without(&text), "{}");
}

#[test]
fn of_duplicates_the_one_that_counts_is_edited_and_none_is_revealed() {
    let before = "{\"hooks\": {\"SessionEnd\": [\"dead\"]}, \"hooks\": {}}";
    let text = installed(before);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value, merged(json!({"hooks": {}})));
    assert_eq!(uninstall(&text, before).unwrap().text, before);
    assert_eq!(without(&text), before);
    let ours = group(PROGRAM).to_string();
    let text = format!("{{\"hooks\":{{\"Stop\":[]}},\"hooks\":{{\"SessionEnd\":[{ours}]}}}}");
    assert_eq!(without(&text), "{\"hooks\":{\"Stop\":[]},\"hooks\":{}}");
    let text =
        format!("{{\"hooks\":{{\"Stop\":[]}},\"hooks\":{{\"SessionEnd\":[\"x\"],\"SessionEnd\":[{ours}]}}}}");
    let left = "{\"hooks\":{\"Stop\":[]},\"hooks\":{\"SessionEnd\":[\"x\"],\"SessionEnd\":[]}}";
    assert_eq!(without(&text), left);
}

#[test]
fn what_is_not_settings_is_refused_with_its_place() {
    for (text, message) in [
        ("{\n  // mine\n  \"a\": 1\n}", "not valid JSON at line 2, column 3: key must be a string"),
        ("{\"a\": 1,}", "not valid JSON at line 1, column 9: key must be a string"),
        ("{\"hooks\": {}", "not valid JSON at line 1, column 12: EOF while parsing an object"),
        ("[]", "the value at line 1, column 1 is not an object"),
        ("\u{feff}\n 7", "the value at line 2, column 2 is not an object"),
        ("{\n \"hooks\": []}", "`hooks` at line 2, column 11 is not an object"),
        ("{\"hooks\": null}", "`hooks` at line 1, column 11 is not an object"),
        ("{\"hooks\":\n{\"SessionStart\": {}}}", "`hooks.SessionStart` at line 2, column 18 is not an array"),
    ] {
        assert_eq!(install(text, &command()).unwrap_err().to_string(), message);
        assert_eq!(status(text, &command()).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_program_that_a_hook_could_not_run_or_nobody_would_find_again_is_refused() {
    for path in
        ["mcp-reap", "./mcp-reap", "/usr/bin/mcp-reap-2", "/usr/bin/mcp-reap/", "/usr/bin/mcp-reap/.", ""]
    {
        let refused = HookCommand::new(CLAUDE, Path::new(path));
        assert_eq!(refused, Err(SettingsError::Program { program: path.to_owned() }));
    }
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = std::ffi::OsStr::from_bytes(b"/\xff/mcp-reap");
    assert!(HookCommand::new(CLAUDE, Path::new(bytes)).is_err());
}

#[test]
fn the_switch_that_turns_all_hooks_off_is_reported() {
    for (text, off) in [
        ("{\"disableAllHooks\": true}", true),
        ("{\"disableAllHooks\": false}", false),
        ("{\"disableAllHooks\": \"true\"}", false),
        ("{\"disableAllHooks\": true, \"disableAllHooks\": false}", false),
        ("{\"env\": {\"disableAllHooks\": true}}", false),
        ("", false),
    ] {
        let expected = both(HookPresence::Absent, off);
        assert_eq!(status(text, &command()).unwrap(), expected, "{text}");
    }
}

/// Whitespace between tokens, and what the edit itself uses as signs.
fn blank() -> impl Strategy<Value = &'static str> {
    select(vec![
        "", "", "", " ", "\n", "\n  ", " \n", " \n    ", "\r\n", "\r\n\t", "\t", "\n\n    ", "  ", "\r",
        " \r\n",
    ])
}

fn listed(open: char, items: Vec<(&'static str, String, &'static str)>, inside: &str, close: char) -> String {
    let items: Vec<String> =
        items.into_iter().map(|(before, item, after)| format!("{before}{item}{after}")).collect();
    format!("{open}{}{close}", if items.is_empty() { inside.to_owned() } else { items.join(",") })
}

fn array(item: impl Strategy<Value = String>, most: usize) -> impl Strategy<Value = String> {
    let items = prop::collection::vec((blank(), item, blank()), 0..=most);
    (items, blank()).prop_map(|(items, inside)| listed('[', items, inside, ']'))
}

fn member(
    key: impl Strategy<Value = &'static str>,
    value: impl Strategy<Value = String>,
) -> impl Strategy<Value = String> {
    (key, blank(), blank(), value)
        .prop_map(|(key, before, after, value)| format!("\"{key}\"{before}:{after}{value}"))
}

fn object(member: impl Strategy<Value = String>, most: usize) -> impl Strategy<Value = String> {
    let members = prop::collection::vec((blank(), member, blank()), 0..=most);
    (members, blank()).prop_map(|(members, inside)| listed('{', members, inside, '}'))
}

fn any_key() -> impl Strategy<Value = &'static str> {
    select(vec![
        "a",
        "",
        "h\\u00f6\\\\oks",
        "\\ud83e",
        "matcher",
        "SessionStart",
        "é\\\"}",
        "SessionEnds",
        "command",
    ])
}

/// Any JSON at all.
fn any_value() -> impl Strategy<Value = String> {
    let leaf = select(vec![
        "null",
        "true",
        "false",
        "0",
        "-0",
        "0.10",
        "1e400",
        "-1.5E-7",
        "123456789012345678901234567890",
        "\"\"",
        "\"\\\"]},{[\"",
        "\"\\u2028\\ud800\\\\\"",
        "\"\u{1F980}\u{7f}\"",
        "\"mcp-reap\"",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 24, 3, |value| {
        prop_oneof![array(value.clone(), 3), object(member(any_key(), value), 3)].boxed()
    })
}

/// A group of hooks that are not ours.
fn group_of_others() -> impl Strategy<Value = String> {
    let entry = select(vec![
        r#"{"type":"command","command":"theirs"}"#,
        r#"{ "type": "command", "command": "/x/mcp-reap", "args": ["hook"] }"#,
        "{}",
        "[]",
    ]);
    let list = array(entry.prop_map(str::to_owned), 2);
    let matcher = member(Just("matcher"), select(vec!["\"\"", "\"clear\""]).prop_map(str::to_owned));
    object(
        prop_oneof![3 => member(Just("hooks"), list), 2 => matcher, 1 => member(any_key(), any_value())],
        3,
    )
}

/// Settings with nothing of ours, in any formatting.
fn settings() -> impl Strategy<Value = String> {
    let event = select(vec!["SessionEnd", "SessionStart", "Session\\u0045nd", "Stop", "PreToolUse"]);
    let groups = array(prop_oneof![2 => group_of_others().boxed(), 1 => any_value().boxed()], 2);
    let hooks = member(select(vec!["hooks", "hooks", "h\\u006foks"]), object(member(event, groups), 3));
    let root = object(prop_oneof![1 => hooks.boxed(), 1 => member(any_key(), any_value()).boxed()], 3);
    let file = (
        select(vec!["", "\u{feff}"]),
        blank(),
        prop_oneof![9 => root.boxed(), 1 => Just(String::new()).boxed()],
        blank(),
    );
    file.prop_map(|(mark, before, root, after)| format!("{mark}{before}{root}{after}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn install_then_uninstall_is_nothing(before in settings()) {
        let change = install(&before, &command()).unwrap();
        prop_assert_eq!(change.edits.len(), 2);
        let text = change.text;
        prop_assert!(only_added(&before, &text), "{}", text);
        let here = both(HookPresence::Installed, false);
        prop_assert_eq!(status(&text, &command()).unwrap(), here);
        prop_assert_eq!(install(&text, &command()).unwrap().edits, vec![]);
        prop_assert_eq!(uninstall(&before, "").unwrap().text, before.clone());
        prop_assert_eq!(uninstall(&text, &before).unwrap().text, before);
    }

    #[test]
    fn install_means_what_it_means_on_values(before in settings()) {
        let text = installed(&before);
        let value = |text: &str| serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}'));
        // Lone surrogates and 1e400 are JSON that serde_json has no value for.
        if let Ok(value_before) = value(if before.trim_start_matches('\u{feff}').trim().is_empty() { "{}" } else { &before }) {
            prop_assert_eq!(value(&text).unwrap(), merged(value_before));
        }
    }

    /// Where the person changed something meanwhile, only our entries and what held nothing else go.
    #[test]
    fn without_the_bytes_from_before_it_means_what_it_meant_before(before in settings()) {
        let text = installed(&before);
        let after = without(&text);
        prop_assert!(only_added(&after, &text), "{}\n{}", text, after);
        let value = |text: &str| serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}'));
        if let Ok(value_before) = value(&before) {
            prop_assert_eq!(tidied(value(&after).unwrap()), tidied(value_before), "{}", text);
        }
    }

    /// An install on top of what a person did to an installed file in between.
    #[test]
    fn a_moved_program_is_replaced_everywhere_and_still_comes_out(before in settings()) {
        let old = HookCommand::new(CLAUDE, Path::new("/old/mcp-reap")).unwrap();
        let text = install(&before, &old).unwrap().text;
        let text = install(&text, &command()).unwrap().text;
        prop_assert_eq!(&text, &installed(&before));
        prop_assert!(!text.contains("/old/"));
    }

    /// No text makes it fall over, and no refusal changes anything.
    #[test]
    fn any_text_is_edited_or_refused(text in "[\\[\\]{}\",:a\\\\ \n]{0,12}|\\{\"hooks\":[\\[\\]{}\",: ]{0,8}\\}") {
        if let Ok(change) = install(&text, &command()) {
            prop_assert_eq!(uninstall(&change.text, &text).unwrap().text, text);
        }
    }
}

/// Every JSON block of the documentation, and the plugin's files.
#[test]
fn what_is_documented_can_be_read_by_the_clients() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(root.join("docs/hooks.md")).unwrap();
    let blocks: Vec<Value> = docs
        .split("```json\n")
        .skip(1)
        .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
        .collect();
    assert_eq!(blocks.len(), 4, "Claude Code, Codex, Gemini CLI, Cursor");
    let ours = blocks[0].to_string();
    assert_eq!(
        status(&ours.replace("[\"... the same\"]", "[]"), &command()).unwrap().events[0],
        ("SessionEnd", HookPresence::Installed),
        "the documented entry is the one that is installed"
    );
    let entry = &blocks[0]["hooks"]["SessionEnd"][0];
    assert_eq!(entry, &group(PROGRAM));
    for block in &blocks[1..] {
        assert!(block.to_string().contains("/usr/local/bin/mcp-reap hook run"));
    }

    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(root.join("plugin").join(name)).unwrap()).unwrap()
    };
    let manifest = read(".claude-plugin/plugin.json");
    assert_eq!(manifest["name"], "mcp-reap");
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
    let hooks = read("hooks/hooks.json");
    let events: Vec<&String> = hooks["hooks"].as_object().unwrap().keys().collect();
    assert_eq!(events, ["SessionEnd", "SessionStart"]);
    assert_eq!(hooks["hooks"]["SessionEnd"], hooks["hooks"]["SessionStart"]);
}

/// The plugin's command, by the shell that Claude Code runs it with.
#[test]
fn the_plugin_runs_the_program_where_it_is_and_is_silent_where_it_is_not() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::process::Command;
    let hooks = include_str!("../plugin/hooks/hooks.json");
    let hooks: Value = serde_json::from_str(hooks).unwrap();
    let line = hooks["hooks"]["SessionEnd"][0]["hooks"][0]["command"].as_str().unwrap().to_owned();
    let home = tempfile::tempdir().unwrap();
    let run = |path: &str| {
        let mut shell = Command::new("/bin/sh");
        let shell = shell
            .arg("-c")
            .arg(line.replace("/usr/local/bin", "/nowhere").replace("/opt/homebrew/bin", "/nowhere"));
        shell.env_clear().env("HOME", home.path()).env("PATH", path).output_soon()
    };
    let absent = run("/nowhere");
    assert_eq!((absent.status.code(), absent.stdout.len(), absent.stderr.len()), (Some(0), 0, 0));

    let folder = home.path().join(".cargo/bin");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("mcp-reap"), "#!/bin/sh\necho \"$#:$*\"\n").unwrap();
    std::fs::set_permissions(folder.join("mcp-reap"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let present = run("/usr/bin:/bin");
    assert_eq!(String::from_utf8(present.stdout).unwrap(), "2:hook run\n");
}
