//! Command lines: resolution and redaction.

use mcp_reap::bytes::{Argv, RawText};
use mcp_reap::catalog::{Catalog, Configured};
use mcp_reap::process::{Pid, ProcessRecord, StartTime};
use mcp_reap::{program, redact};
use std::sync::LazyLock;

use super::*;

pub(super) static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let entry = |argv: &[&str]| Configured {
        client: "claude-code".to_owned(),
        entry: "mine".to_owned(),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        cwd: None,
    };
    Catalog::builtin().with_configured(vec![
        entry(&["npx", "-y", "gbrain@latest", "serve", "${HOME}/x", "${KEY:-none}"]),
        entry(&["sh", "-c", "cd /srv && exec node dist/index.js"]),
        entry(&["uv", "--directory", "/srv", "run", "x.py"]),
    ])
});

pub(super) fn words(bytes: &[u8]) -> Argv {
    bytes.split(|byte| *byte == 0).collect()
}

pub(super) fn record(bytes: &[u8]) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(4242), StartTime(1));
    record.argv = Some(words(bytes));
    record
}

/// Command lines as they were seen, NUL between the words.
pub(super) fn corpus() -> Vec<Vec<u8>> {
    let lines = include_str!("../../../tests/corpus/command-lines.jsonl").lines();
    let argv = lines.filter_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let words: Vec<&str> = line["argv"].as_array()?.iter().filter_map(|word| word.as_str()).collect();
        Some(words.join("\0").into_bytes())
    });
    argv.collect()
}

pub(super) fn argv(bytes: &[u8]) {
    let words = words(bytes);
    let _ = program::resolve(Some(&words), None, &RawText::from("node"));
    let record = record(bytes);
    let first = CATALOG.identify(&record);
    assert_eq!(first, CATALOG.identify(&record), "the same answer on every look");
}

pub(super) fn argv_shape(bytes: &[u8]) -> u64 {
    digest(CATALOG.identify(&record(bytes)).map(|found| (format!("{:?}", found.role), found.name)))
}

pub(super) fn argv_seeds() -> Vec<Vec<u8>> {
    let mut seeds = owned(&[
        "npm exec @modelcontextprotocol/server-memory",
        "npx\0-y\0@modelcontextprotocol/server-filesystem\0/srv",
        "sh\0-c\0cd /srv && FOO=1 exec npx -y 'mcp-server-x' --flag \"a b\"",
        "node\0--max-old-space-size=4096\0/home/u/.npm/_npx/15b07286cbcc3329/node_modules/.bin/mcp-server-memory",
        "/home/u/.local/bin/uv\0tool\0uvx\0--from\0git+https://x/y\0mcp-server-git",
        "docker\0run\0-i\0--rm\0-e\0KEY\0mcp/github:latest",
        "env\0-i\0A=1\0python3\0-X\0dev\0-m\0mcp_server_fetch",
        "java\0-cp\0/x/a.jar:/x/b.jar\0-jar\0mcp.jar",
        "bash\0-lc\0eval $(fnm env); npx mcp-remote https://h/sse",
        "claude\0-p\0--output-format\0stream-json",
    ]);
    seeds.extend(corpus());
    seeds
}

/// What no redaction may let through; it looks like no known token and is no random run.
pub(super) const PLANTED: &str = "correcthorse";

/// An argument, or two, with a secret of that value whose name, scheme or place says so.
pub(super) const PLACES: [&[&str]; 9] = [
    &["--api-key", "SECRET"],
    &["--token=SECRET"],
    &["GITHUB_TOKEN=SECRET"],
    &["--password", "SECRET"],
    &["https://ada:SECRET@host.example/mcp"],
    &["postgres://ada:SECRET@db:5432/notes"],
    &["https://host.example/mcp?api_key=SECRET&page=2"],
    &["Authorization: Bearer SECRET"],
    &["{\"apiKey\":\"SECRET\",\"page\":2}"],
];

pub(super) fn redaction(bytes: &[u8]) {
    let words = words(bytes);
    let told = redact::argv(&words);
    assert_eq!(told.len(), words.len(), "a word is changed, never left out");
    assert_eq!(redact::argv(&told.iter().collect()), told, "what was hidden once is hidden for good");
    let text = redact::text(&String::from_utf8_lossy(bytes));
    assert_eq!(redact::text(&text), text, "the same for one text");
    // A secret in its plainest form is covered, whatever stands around it.
    let chance = digest(bytes) as usize;
    let at = chance % (words.len() + 1);
    // The same words, with others among them.
    let with = |planted: &[String]| -> Argv {
        let (before, after) = (words.iter().take(at), words.iter().skip(at));
        before.chain(planted.iter().map(String::as_bytes)).chain(after).collect()
    };
    for place in PLACES {
        let planted: Vec<String> = place.iter().map(|word| word.replace("SECRET", PLANTED)).collect();
        let told = redact::argv(&with(&planted));
        assert!(!told.concat().contains(PLANTED), "a secret was told: {told:?}");
    }
    let with = with(&["sk-ant-api03-Zq81kLmN0pQr77sT3uV9wX".to_owned()]);
    assert!(!redact::argv(&with).concat().contains("Zq81kLmN0pQr77"), "a token was told");
}

pub(super) fn redact_shape(bytes: &[u8]) -> u64 {
    let told = redact::argv(&words(bytes));
    let hidden: Vec<bool> = told.iter().take(16).map(|word| word.contains(redact::HIDDEN)).collect();
    let flags = told.iter().filter(|word| word.starts_with('-')).count().min(8);
    digest((hidden, flags, told.first().map(|word| word.len().ilog2_or_zero())))
}

pub(super) fn redact_seeds() -> Vec<Vec<u8>> {
    let mut seeds = owned(&[
        "node\0x.js\0--token\0abc123\0--api-key=xyz",
        "npx\0mcp-remote\0https://user:secret@example.org/sse?key=abc\0--header\0Authorization: Bearer ey.J0.eX",
        "docker\0run\0-e\0GITHUB_TOKEN=ghp_Zz9yXw8vUt7sRq6pOn5mLk4jIh3gFe2dCb1a",
        "sh\0-c\0PASSWORD='a b' exec tool postgresql://u:p@h/db",
        "curl\0-u\0ada:secret\0-H\0Cookie: a=b; c=d\0https://h/s/Q2x9dE5vVGhpc0lzQVRlc3Q0Nw/mcp",
        "mysql\0-pSECRET\0--user=ada:pw\0-t\0stdio\0-k\0K1j2H3g4F5d6S7a8\0-p\08080",
        "x\0{\"token\":123,\"headers\":{\"Authorization\":\"Basic YWRhOnB3\"},\"keys\":[\"a\"]}",
        "npm exec some-mcp --token hunter2 /srv --password='two words' \"quoted\"",
        "x\0-----BEGIN RSA PRIVATE KEY-----\nMIIE\0AWS_SECRET_ACCESS_KEY=${KEY}\0--key-file\0/etc/x.pem",
    ]);
    seeds.extend(corpus());
    seeds
}
