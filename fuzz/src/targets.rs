//! The parsers, each with seeds, the words of its format, and what it promises beside not to panic.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use mcp_reap::bytes::{Argv, RawText};
use mcp_reap::catalog::{Catalog, Configured};
use mcp_reap::clients::{self, Os, Places};
use mcp_reap::config::{self, Surroundings};
use mcp_reap::hook::event;
use mcp_reap::hook::settings::{self, HookCommand, HookPresence};
use mcp_reap::pattern::Pattern;
use mcp_reap::look::Look;
use mcp_reap::plan::Plan;
use mcp_reap::policy::Policy;
use mcp_reap::process::{Pid, ProcessRecord, Snapshot, StartTime};
use mcp_reap::render::clean;
use mcp_reap::sys::{macos::procargs, procfs};
use mcp_reap::{audit, classify, program, redact, units};

/// One parser.
pub struct Target {
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub run: fn(&[u8]),
    /// A digest of what kind of answer an input gets: inputs with a new one are changed further.
    pub shape: fn(&[u8]) -> u64,
    pub seeds: fn() -> Vec<Vec<u8>>,
    pub words: &'static [&'static str],
}

pub static TARGETS: &[Target] = &[
    Target {
        name: "stat",
        run: stat,
        shape: stat_shape,
        seeds: stat_seeds,
        words: &["(", ")", " S ", " Z ", " -1 "],
    },
    Target {
        name: "procfs-text",
        run: procfs_text,
        shape: by_length,
        seeds: text_seeds,
        words: &[
            "Uid:\t",
            "NSpid:\t",
            "0::/",
            "\0",
            "flags:\t",
            "SigCgt:\t",
            " (deleted)",
            "pipe:[",
            "socket:[",
        ],
    },
    Target {
        name: "netlink",
        run: netlink,
        shape: netlink_shape,
        seeds: netlink_seeds,
        words: &["\x10\0\0\0", "\x14\0\0\0", "\x03\0", "\x02\0", "\x08\0\x02\0"],
    },
    Target {
        name: "tcp-table",
        run: tcp_table,
        shape: by_length,
        seeds: tcp_seeds,
        words: &[" 0A ", " 01 ", "00000000:", "0100007F:1F90 "],
    },
    Target {
        name: "procargs2",
        run: procargs2,
        shape: procargs_shape,
        seeds: procargs_seeds,
        words: &["\0", "\x02\0\0\0", "\0\0\0\0", "A=1\0"],
    },
    Target {
        name: "argv",
        run: argv,
        shape: argv_shape,
        seeds: argv_seeds,
        words: &[
            "npx",
            "-y",
            "--",
            "sh\0-c\0",
            "uvx",
            "--from",
            "node",
            "python3",
            "-m",
            "docker\0run\0",
            "env",
            "mcp-server-x",
            "@scope/",
            "'",
            "\"",
            "&&",
            "exec ",
            "$(",
            "\0",
        ],
    },
    Target {
        name: "redact",
        run: redaction,
        shape: redact_shape,
        seeds: redact_seeds,
        words: &[
            "--token",
            "=",
            "sk-ant-",
            "ghp_",
            "\0-p\0",
            "\0-t\0",
            "\0-u\0",
            "\0-H\0",
            "sh\0-c\0",
            "\"",
            "{\"key\":",
            "https://u:p@h/",
            "Bearer ",
            "password",
            "://",
            "@",
            "\0",
        ],
    },
    Target {
        name: "config",
        run: config_file,
        shape: config_shape,
        seeds: config_seeds,
        words: &[
            "[reap]\n",
            "[[allow]]\n",
            "[[server]]\n",
            "grace = ",
            "\"5s\"",
            "name = ",
            "re:",
            "limits = {",
            "}",
        ],
    },
    Target {
        name: "clients",
        run: client_configs,
        shape: client_shape,
        seeds: client_seeds,
        words: &[
            "\"mcpServers\"",
            "\"command\"",
            "\"args\"",
            "{",
            "}",
            "[",
            "]",
            "//",
            "/*",
            "*/",
            "${HOME}",
            "${A:-b}",
            "extensions:",
            "&a",
            "*a",
            "- ",
            "[mcp_servers.x]",
        ],
    },
    Target {
        name: "audit-log",
        run: audit_log,
        shape: by_length,
        seeds: audit_seeds,
        words: &["{\"schema\":1,", "\"event\":\"intent\"", "\"pid\":", "\n", "null"],
    },
    Target {
        name: "snapshot",
        run: snapshot,
        shape: snapshot_shape,
        seeds: snapshot_seeds,
        words: &[
            "\"ppid\":",
            "\"pid\":",
            "\"stdio\":",
            "\"argv\":[",
            "null",
            "\"state\":\"Z\"",
            "\"env\":{",
            "\"service\":",
            "\"stdin_peers\":[]",
            "[",
            "]",
            "{",
            "}",
        ],
    },
    Target {
        name: "hook-settings",
        run: hook_settings,
        shape: hook_shape,
        seeds: hook_seeds,
        words: &[
            "\"hooks\"",
            "\"SessionEnd\"",
            "\"SessionStart\"",
            "\"matcher\":\"\"",
            "\"command\":\"/x/mcp-reap\"",
            "{",
            "}",
            "[",
            "]",
            ",",
            "\"timeout\":",
        ],
    },
    Target {
        name: "hook-event",
        run: hook_event,
        shape: by_length,
        seeds: event_seeds,
        words: &["\"hook_event_name\":", "\"SessionEnd\"", "\"session_id\":", "{", "}", "null"],
    },
    Target {
        name: "small-words",
        run: small_words,
        shape: by_length,
        seeds: word_seeds,
        words: &["s", "m", "h", "d", "MB", "GiB", "*", "?", "re:", "(", "|", "[", "\\"],
    },
];

fn digest(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

fn by_length(bytes: &[u8]) -> u64 {
    digest((
        bytes.len().ilog2_or_zero(),
        bytes.iter().filter(|b| **b == b'\n').count().min(8),
        bytes.first().copied(),
    ))
}

trait Log {
    fn ilog2_or_zero(self) -> u32;
}

impl Log for usize {
    fn ilog2_or_zero(self) -> u32 {
        self.checked_ilog2().unwrap_or(0)
    }
}

fn owned(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

// --- /proc and netlink ---

fn stat(bytes: &[u8]) {
    if let Some(stat) = procfs::stat(bytes) {
        assert_ne!(stat.group, Some(Pid(0)), "0 is nobody's group");
        assert_ne!(stat.session, Some(Pid(0)));
        assert!(
            stat.comm.is_empty()
                || bytes.windows(stat.comm.as_bytes().len()).any(|part| part == stat.comm.as_bytes())
        );
    }
}

fn stat_shape(bytes: &[u8]) -> u64 {
    digest(
        procfs::stat(bytes)
            .map(|stat| (stat.comm.as_bytes().len(), stat.state, stat.group.is_some(), stat.kernel_thread)),
    )
}

fn stat_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "815 (node) S 77 810 800 34819 810 4194560 5 0 0 0 120 30 0 0 20 0 11 0 6543210 99 4321 18446744073709551615 1 1\n",
        "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 1 0 0 20 0 1 0 3 0 0\n",
        "9 (a) Z 1 (b) X 0 -1 -1 0 -1 4228108 0 0 0 0 0 0 0 0 0 0 0 0 77 0 0\n",
    ])
}

fn procfs_text(bytes: &[u8]) {
    let _ = procfs::status(bytes);
    let _ = procfs::cgroup(bytes);
    let _ = procfs::FdTarget::parse(bytes);
    let _ = procfs::closes_on_exec(bytes);
    assert!(procfs::undeleted(bytes).len() <= bytes.len());
    if let Some(argv) = procfs::argv(bytes) {
        assert!(!argv.is_empty(), "what has arguments has a first one");
        assert!(argv.iter().all(|word| !word.contains(&0)));
    }
    let _ = procfs::terminal_of_master(bytes);
    let kept = procfs::evidence(bytes, &["CLAUDECODE"]).unwrap_or_default();
    assert!(kept.keys().all(|name| name == "CLAUDECODE"), "no other variable is ever kept");
}

fn text_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "Name:\tnode\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t815\nUid:\t1000\t1000\t1000\t1000\nNSpid:\t815\t7\nVmRSS:\t  4321 kB\nVmSwap:\t 12 kB\n",
        "0::/user.slice/user-1000.slice/session-3.scope\n",
        "12:pids:/x\n1:name=systemd:/user.slice\n0::/x\n",
        "node\0/x/mcp-server-memory\0--flag\0",
        "npm exec x\0\0\0\0",
        "CLAUDECODE=1\0HOME=/home/u\0SECRET=x\0",
        "pipe:[4026]",
        "socket:[99]",
        "/dev/pts/3 (deleted)",
        "pos:\t0\nflags:\t02000002\nmnt_id:\t15\n",
        "pos:\t0\nflags:\t02\nmnt_id:\t22\nino:\t2\ntty-index:\t7\n",
    ])
}

fn netlink(bytes: &[u8]) {
    let mut told = 0;
    for message in procfs::messages(bytes) {
        told += 1;
        assert!(told <= bytes.len(), "no more messages than bytes");
        if let procfs::DiagMessage::Row(body) = message {
            let _ = procfs::unix_diag_row(body);
            let _ = procfs::tcp_diag_row(body);
        }
    }
    let _ = procfs::unix_diag_row(bytes);
    let _ = procfs::tcp_diag_row(bytes);
}

fn netlink_shape(bytes: &[u8]) -> u64 {
    digest((
        procfs::messages(bytes).count(),
        procfs::unix_diag_row(bytes).is_some(),
        procfs::tcp_diag_row(bytes).is_some(),
    ))
}

fn netlink_seeds() -> Vec<Vec<u8>> {
    // nlmsghdr{len,type,flags,seq,pid}, unix_diag_msg{1,1,1,0,ino,cookie[2]}, attributes: peer, shutdown.
    let mut row = vec![
        44, 0, 0, 0, 20, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 99, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0,
    ];
    row.extend([8, 0, 2, 0, 100, 0, 0, 0, 5, 0, 6, 0, 3, 0, 0, 0]);
    row[0] = u8::try_from(row.len()).expect("short");
    let done = vec![20, 0, 0, 0, 3, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let error = vec![36, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 0, 0, 0, 0];
    let both = [row.clone(), done.clone()].concat();
    vec![
        procfs::unix_request(7),
        procfs::unix_dump_request(),
        procfs::tcp_dump_request(true),
        procfs::udp_dump_request(false),
        row,
        done,
        error,
        both,
        vec![0; 88],
    ]
}

fn tcp_table(bytes: &[u8]) {
    let rows = procfs::tcp_table(bytes);
    assert!(rows.len() <= bytes.len());
    assert!(procfs::unix_table(bytes).len() <= bytes.len());
}

fn tcp_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "0000000000000000: 00000002 00000000 00010000 0001 01 21391 /run/x.sock\n0000000000000000: 00000003 00000000 00000000 0005 03   400 @hub\n",
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 123456 1 0000000000000000 100 0 0 10 0\n   1: 00000000000000000000000001000000:1F90 00000000000000000000000001000000:C001 01 00000000:00000000 00:00000000 00000000  1000        0 123457 1\n",
    ])
}

// --- macOS ---

fn procargs2(bytes: &[u8]) {
    if let Some(args) = procargs::parse(bytes) {
        let told: usize = args.argv.iter().map(<[u8]>::len).sum();
        assert!(told <= bytes.len());
        assert!(args.argv.iter().all(|word| !word.contains(&0)));
        assert!(args.env.iter().all(|word| !word.as_bytes().contains(&0)));
    }
}

fn procargs_shape(bytes: &[u8]) -> u64 {
    digest(procargs::parse(bytes).map(|args| (args.argv.len().min(16), args.env.len().min(16))))
}

fn procargs_seeds() -> Vec<Vec<u8>> {
    vec![
        b"\x03\0\0\0/usr/local/bin/node\0\0\0\0node\0\0/x/mcp-server-memory\0CLAUDECODE=1\0HOME=/Users/u\0\0"
            .to_vec(),
        b"\x01\0\0\0/bin/sh\0sh\0".to_vec(),
        b"\xff\xff\xff\x7f/bin/sh\0sh\0".to_vec(),
    ]
}

// --- command lines ---

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let entry = |argv: &[&str]| Configured {
        client: "claude-code".to_owned(),
        entry: "mine".to_owned(),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
    };
    Catalog::builtin().with_configured(vec![
        entry(&["npx", "-y", "gbrain@latest", "serve", "${HOME}/x", "${KEY:-none}"]),
        entry(&["sh", "-c", "cd /srv && exec node dist/index.js"]),
        entry(&["uv", "--directory", "/srv", "run", "x.py"]),
    ])
});

fn words(bytes: &[u8]) -> Argv {
    bytes.split(|byte| *byte == 0).collect()
}

fn record(bytes: &[u8]) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(4242), StartTime(1));
    record.argv = Some(words(bytes));
    record
}

/// Command lines as they were seen, NUL between the words.
fn corpus() -> Vec<Vec<u8>> {
    let lines = include_str!("../../tests/corpus/command-lines.jsonl").lines();
    let argv = lines.filter_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let words: Vec<&str> = line["argv"].as_array()?.iter().filter_map(|word| word.as_str()).collect();
        Some(words.join("\0").into_bytes())
    });
    argv.collect()
}

fn argv(bytes: &[u8]) {
    let words = words(bytes);
    let _ = program::resolve(Some(&words), None, &RawText::from("node"));
    let record = record(bytes);
    let first = CATALOG.identify(&record);
    assert_eq!(first, CATALOG.identify(&record), "the same answer on every look");
}

fn argv_shape(bytes: &[u8]) -> u64 {
    digest(CATALOG.identify(&record(bytes)).map(|found| (format!("{:?}", found.role), found.name)))
}

fn argv_seeds() -> Vec<Vec<u8>> {
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
const PLANTED: &str = "correcthorse";

/// An argument, or two, with a secret of that value whose name, scheme or place says so.
const PLACES: [&[&str]; 9] = [
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

fn redaction(bytes: &[u8]) {
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

fn redact_shape(bytes: &[u8]) -> u64 {
    let told = redact::argv(&words(bytes));
    let hidden: Vec<bool> = told.iter().take(16).map(|word| word.contains(redact::HIDDEN)).collect();
    let flags = told.iter().filter(|word| word.starts_with('-')).count().min(8);
    digest((hidden, flags, told.first().map(|word| word.len().ilog2_or_zero())))
}

fn redact_seeds() -> Vec<Vec<u8>> {
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

// --- files ---

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    tempfile::tempdir_in(base).expect("a folder")
});

fn load(bytes: &[u8]) -> Result<config::Loaded, config::ConfigError> {
    let file = FOLDER.path().join("config.toml");
    fs::write(&file, bytes).expect("a file");
    let around = Surroundings { home: Some(FOLDER.path().into()), ..Surroundings::current() };
    config::load_in(&around, Some(&file))
}

fn config_file(bytes: &[u8]) {
    let loaded = match load(bytes) {
        Ok(loaded) => loaded,
        Err(error) => {
            assert!(error.to_string().contains("config.toml"), "{error}");
            return;
        }
    };
    // An allow rule that asks nothing would protect everything or nothing: it has to be a mistake.
    assert!(loaded.policy.allow.iter().all(|rule| rule.asks_something()));
    let text = std::str::from_utf8(bytes).expect("what was read is text");
    let written: toml::Table = toml::from_str(text.trim_start_matches('\u{feff}')).expect("TOML");
    let rules = written.get("allow").and_then(toml::Value::as_array).map_or(0, Vec::len);
    assert_eq!(rules, loaded.policy.allow.len(), "an allow rule was lost");
    let again = load(toml::to_string(&written).expect("text").as_bytes()).expect("the same, written anew");
    assert_eq!(meaning(again), meaning(loaded), "the same means something else when it is written anew");
    let unknown = [bytes, b"\n[no-such-section]\nkey = 1\n"].concat();
    assert!(load(&unknown).is_err(), "an unknown key was passed over");
}

/// What a configuration says, without the lines it says it in.
fn meaning(mut loaded: config::Loaded) -> String {
    loaded.policy.allow.iter_mut().for_each(|rule| rule.origin.clear());
    loaded.policy.servers.iter_mut().for_each(|rule| rule.origin.clear());
    loaded.policy.expect.iter_mut().for_each(|expected| expected.origin.clear());
    format!("{:?} {:?}", loaded.policy, loaded.audit)
}

fn config_shape(bytes: &[u8]) -> u64 {
    match load(bytes) {
        Ok(loaded) => digest((loaded.policy.allow.len(), loaded.policy.servers.len(), loaded.policy.grace)),
        Err(error) => {
            digest(error.to_string().chars().filter(|c| c.is_alphabetic()).take(120).collect::<String>())
        }
    }
}

fn config_seeds() -> Vec<Vec<u8>> {
    let mut seeds = owned(&[
        config::init_text(),
        "[reap]\ngrace = \"5s\"\nmin_age = \"60s\"\ndetached = false\n[limits]\nmax_count = 2\ncount_per = \"client\"\nmax_rss = \"500MB\"\n",
        "[[allow]]\nname = \"x\"\nport = 8080\ncommand = \"re:^a.*$\"\nreason = \"shared\"\n[[server]]\nname = \"n\"\nprogram = \"p.py\"\nlimits = { max_rss = \"2GB\" }\n[audit]\nkeep_days = 90\nmax_size = \"50MB\"\n",
    ]);
    // The example with everything switched on.
    seeds.push(config::init_text().replace("\n#", "\n").into_bytes());
    seeds.extend(owned(&[
        "[limits]\nmax_age = \"24h\"\ncount_per = \"user\"\n[[expect]]\nname = \"notes\"\nmin = 1\nmax = 2\n[[expect]]\nname = \"re:^m\"\n",
        "[[allow]]\nexe = \"/opt/*\"\ncwd = \"/srv/?\"\nunit = \"x.service\"\n[[allow]]\nlabel = \"com.x\"\npid_file = \"/run/x.pid\"\n",
        "reap = { grace = \"1500ms\", clients = true }\nallow = [{ name = 'a' }, { port = 1 }]\n",
        "\u{feff}[reap]\r\nmin_age = \"1d\"\r\n",
        "[reap]\ngrase = \"5s\"\n",
        "[[allow]]\n[[server]]\nname = \"\"\n",
    ]));
    seeds
}

/// Stands where servers get their keys from; nothing of it is ever read.
const KEY: &str = "zq81klmn0pqr77";

fn write_home(file: &str, bytes: &[u8]) -> Places {
    let home = FOLDER.path().join("home");
    let path = home.join(file);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("a file");
    Places { root: FOLDER.path().join("none"), ..Places::new(&home, Os::Linux) }
}

fn client_configs(bytes: &[u8]) {
    let files = [
        ".claude.json",
        ".codex/config.toml",
        ".config/goose/config.yaml",
        ".config/zed/settings.json",
        ".config/opencode/opencode.json",
        ".continue/config.yaml",
    ];
    for file in files {
        write_home(file, bytes);
    }
    let places = write_home(files[0], bytes);
    let found = clients::read(&places);
    assert_eq!(found, clients::read(&places), "the same answer on every look");
    for server in &found.servers {
        if let clients::Transport::Stdio { argv } = &server.transport {
            assert!(!argv.is_empty(), "a command has a first word");
        }
    }
    let text = String::from_utf8_lossy(bytes);
    for (file, dialect) in DIALECTS {
        let word = text.replace(['~', '$'], "").replace(KEY, "");
        // JSON leaves DEL as it is; TOML wants it said. A line end of Unicode is one to YAML.
        let quoted = serde_json::to_string(&word).expect("a string").replace('\u{7f}', "\\u007f");
        let quoted = quoted.replace('\u{85}', "\\u0085").replace('\u{feff}', "\\ufeff");
        let found = clients::read(&write_home(file, dialect.replace("WORD", &quoted).as_bytes()));
        let ours = found.servers.iter().filter(|server| server.file.ends_with(file));
        let argv: Vec<&[String]> = ours
            .filter_map(|server| match &server.transport {
                clients::Transport::Stdio { argv } => Some(argv.as_slice()),
                clients::Transport::Remote { .. } => None,
            })
            .collect();
        assert_eq!(argv, [&["run".to_owned(), word][..]], "{file} says something else");
        assert!(!format!("{found:?}{argv:?}").contains(KEY), "{file}: the environment was read");
    }
}

/// One server in the language of each client, with any word as its argument and a key beside it.
const DIALECTS: [(&str, &str); 5] = [
    (
        ".claude.json",
        "{\"mcpServers\":{\"a\":{\"command\":\"run\",\"args\":[WORD],\"env\":{\"K\":\"zq81klmn0pqr77\"}}}}",
    ),
    (
        ".config/zed/settings.json",
        "// mine\n{\"context_servers\":{\"a\":{\"command\":{\"path\":\"run\",\"args\":[WORD,],\"env\":{\"K\":\"zq81klmn0pqr77\"}},},},}",
    ),
    (
        ".codex/config.toml",
        "[mcp_servers.a]\ncommand = \"run\"\nargs = [WORD]\n[mcp_servers.a.env]\nK = \"zq81klmn0pqr77\"\n",
    ),
    (
        ".config/goose/config.yaml",
        "extensions:\n  a:\n    type: stdio\n    cmd: run\n    args:\n      - WORD\n    envs: {K: zq81klmn0pqr77}\n",
    ),
    (
        ".config/opencode/opencode.json",
        "{\"mcp\":{\"a\":{\"type\":\"local\",\"command\":[\"run\",WORD],\"environment\":{\"K\":\"zq81klmn0pqr77\"}}}}",
    ),
];

fn client_shape(bytes: &[u8]) -> u64 {
    let found = clients::read(&write_home(".claude.json", bytes));
    let servers: Vec<(String, bool)> =
        found.servers.iter().take(16).map(|server| (server.client.clone(), server.disabled)).collect();
    let warnings: Vec<String> =
        found.warnings.iter().map(|warning| format!("{:?}", warning.trouble)).collect();
    digest((servers, warnings))
}

fn client_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "{\"mcpServers\":{\"a\":{\"command\":\"npx\",\"args\":[\"-y\",\"x\",\"${HOME}/y\"],\"env\":{\"K\":\"v\"}}},\"projects\":{\"/srv\":{\"mcpServers\":{}}}}",
        "// c\n{\"context_servers\":{\"a\":{\"command\":{\"path\":\"x\",\"args\":[1]}},},}",
        "{\"mcp\":{\"a\":{\"type\":\"local\",\"command\":[\"bun\",\"server.ts\"]},\"b\":{\"type\":\"remote\",\"url\":\"https://h\"}}}",
        "[mcp_servers.x]\ncommand = \"node\"\nargs = [\"a\"]\n[mcp_servers.y]\nurl = \"https://h\"\n",
        "extensions:\n  a: &a\n    cmd: uvx\n    args: [mcp-x]\n    type: stdio\n  b: *a\nmcpServers:\n  - name: c\n    command: node\n",
        "# c\nextensions:\n  a:\n    cmd: |\n      uvx\n    args: ['x', \"y\\u0041\", ? z]\n    enabled: no\n    platform_overrides: {linux: {command: a}}\n---\nb: !!str c\n...\n",
        "{\"mcpServers\":{\"a\":{\"transport\":{\"type\":\"stdio\",\"command\":\"a\"},\"disabled\":true},\"b\":{\"command\":[\"bun\",\"x\"],\"args\":[8080,true,1.5,null,{\"x\":1}]},\"c\":{\"serverUrl\":\"https://u:p@[::1]:3000/x\"}}}",
        "{\"projects\":{\"/\":{\"history\":[{\"display\":\"x\"}],\"mcpServers\":{\"db\":{\"command\":\"uvx\",\"args\":[\"${userHome}/a\",\"~/b\",\"$HOME\",\"${env:HOME}\"]}}}}}",
        "model = \"m\"\n[mcp_servers.\"far.away\"]\nurl = 'https://far.example/mcp'\nenabled = false\n[mcp_servers.docs]\ncommand = \"\"\"npx\"\"\"\nargs = [\"-y\",\n 'docs-mcp', # c\n]\nenv = { \"K\" = \"k\" }\n[projects.\"/nowhere\"]\ntrust_level = \"trusted\"\n",
        "\u{feff}{\n  /* a */ \"mcp\": {\"servers\": {\"old\": {\"command\": \"old-mcp\",},},}, // b\n}",
    ])
}

fn audit_log(bytes: &[u8]) {
    let dir = FOLDER.path().join("state");
    if !dir.exists() {
        drop(audit::RunLock::try_acquire(&dir).expect("a state folder"));
    }
    let path = dir.join("audit.jsonl");
    fs::write(&path, bytes).expect("a file");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    fs::set_permissions(&path, private).expect("a mode");
    let lines = audit::read::lines(&dir).expect("a log").filter_map(Result::ok).count();
    assert!(lines <= bytes.split(|byte| *byte == b'\n').count(), "no line is made up");
}

fn audit_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "{\"schema\":1,\"at\":\"2026-11-20T14:00:00.000Z\",\"run\":\"r\",\"event\":\"intent\",\"pid\":42,\"start\":1,\"started_at\":\"2026-11-20T13:00:00.000Z\",\"server\":\"s\",\"root\":42,\"role\":\"server\",\"signal\":\"TERM\",\"argv\":[\"node\"],\"rss\":1,\"verdict\":\"orphaned\",\"reason\":\"x\"}\n",
        "{\"schema\":1,\"at\":\"2026-11-20T14:00:00.000Z\",\"run\":\"r\",\"event\":\"run-finished\",\"instances\":1,\"processes\":1,\"rss_reclaimed\":1,\"duration_ms\":1,\"failed\":0}\n{\"schema\":1",
    ])
}

fn plan(snapshot: &Snapshot, policy: &Policy) -> Plan {
    let look = Look::new(snapshot, &CATALOG);
    Plan::new(&classify::judge(&look, policy), &look, policy)
}

fn ended(snapshot: &Snapshot, policy: &Policy) -> BTreeSet<Pid> {
    let targets = plan(snapshot, policy).targets;
    targets.iter().flat_map(|target| &target.members).map(|member| member.id.pid).collect()
}

fn snapshot(bytes: &[u8]) {
    let Ok(snapshot) = Snapshot::from_json(bytes) else { return };
    let policy = Policy { min_age: std::time::Duration::ZERO, ..Policy::default() };
    let rows: HashMap<Pid, &ProcessRecord> = snapshot.processes.iter().map(|row| (row.pid(), row)).collect();
    let above: HashSet<Pid> = {
        let mut line = HashSet::from([snapshot.viewer.pid]);
        let mut at = snapshot.viewer.pid;
        while let Some(parent) = rows.get(&at).map(|row| row.parent).filter(|parent| line.insert(*parent)) {
            at = parent;
        }
        line
    };
    let before = plan(&snapshot, &policy);
    for member in before.targets.iter().flat_map(|target| &target.members) {
        let row = rows[&member.id.pid];
        assert!(member.id.pid > Pid(2), "a system process is a target");
        assert!(!above.contains(&member.id.pid), "mcp-reap or who runs it is a target");
        assert_eq!(row.uid, Some(snapshot.viewer.uid), "another user's process is a target");
        assert!(
            !row.details.foreign_namespace && !row.is_zombie(),
            "another namespace's or a dead process is a target"
        );
        assert!(row.env_var("CLAUDE_CODE_CHILD_SESSION").is_none(), "a job of a shell tool is a target");
        let main = row.details.service.as_ref().and_then(|service| service.main_pid);
        assert_ne!(main, Some(row.pid()), "a main process of a unit is a target");
    }
    for root in before.targets.iter().map(|target| target.root()) {
        let age = snapshot.age(rows[&root.pid]);
        // Longer ago than a duration goes is no age of anything.
        if age < 1e15 {
            let older = Policy { min_age: std::time::Duration::from_secs_f64(age + 1.0), ..policy.clone() };
            assert!(!ended(&snapshot, &older).contains(&root.pid), "too young an instance is a target");
        }
    }
    let before = ended(&snapshot, &policy);
    let written = serde_json::to_vec(&snapshot).expect("a table can be written");
    let again = Snapshot::from_json(&written).expect("and read back");
    // The last bit of an absurd number may be another; numbers that clocks give come back as they are.
    let mut other = snapshot.clone();
    for (row, other) in again.processes.iter().zip(&mut other.processes) {
        if (row.started_at - other.started_at).abs() <= other.started_at.abs() * 1e-15 {
            other.started_at = row.started_at;
        }
        other.cpu = other.cpu.and(row.cpu);
    }
    assert_eq!(other, again, "a table that was written down is another one");
    other.processes.reverse();
    assert_eq!(ended(&other, &policy), before, "the order of rows matters");
    // One thing less that could be read, of one process.
    let chance = digest(bytes);
    let count = other.processes.len().max(1) as u64;
    if let Some(row) = other.processes.get_mut((chance % count) as usize) {
        match chance / count % 6 {
            0 => row.details.stdio = None,
            1 => row.details.listening = None,
            2 => row.details.connected = None,
            3 => row.uid = None,
            4 => row.argv = None,
            _ => row.details.service.iter_mut().for_each(|service| service.main_pid = None),
        }
        let blind = row.pid();
        let now = ended(&other, &policy);
        assert!(now.is_subset(&before), "what cannot be read of {blind} ends {now:?}, not {before:?}");
    }
}

fn snapshot_shape(bytes: &[u8]) -> u64 {
    digest(Snapshot::from_json(bytes).ok().map(|snapshot| {
        let judgement = classify::judge(&Look::new(&snapshot, &CATALOG), &Policy::default());
        let verdicts: Vec<&str> = judgement.findings.iter().map(|finding| finding.verdict.as_str()).collect();
        (snapshot.processes.len().min(64), verdicts)
    }))
}

fn snapshot_seeds() -> Vec<Vec<u8>> {
    let full = |pid: u32, ppid: u32, argv: &str, stdio: &str| {
        format!(
            "{{\"pid\":{pid},\"ppid\":{ppid},\"pgid\":{pid},\"sid\":{pid},\"uid\":1000,\"start\":1763636400.12,\"state\":\"S\",\"tty\":null,\"rss\":41230336,\"comm\":\"node\",\"exe\":\"/usr/bin/node\",\"argv\":[\"{argv}\"],\"cwd\":\"/\",\"env\":{{}},\"cgroup\":\"/x\",\"service\":null,\"stdio\":{stdio},\"listening\":[],\"connected\":0}}"
        )
    };
    // Only what matters, so that several rows are within the length of an input.
    let row = |pid: u32, ppid: u32, start: u32, argv: &str, more: &str| {
        let argv = serde_json::to_string(&argv.split(' ').collect::<Vec<_>>()).expect("words");
        format!(
            "{{\"pid\":{pid},\"ppid\":{ppid},\"uid\":1000,\"start\":{start},\"state\":\"S\",\"argv\":{argv},\"cgroup\":\"/s.scope\",\"listening\":[],\"connected\":0{more}}}"
        )
    };
    let dead = "{\"kind\":\"socket\",\"stdin_peers\":[],\"stdout_peers\":[]}";
    let live = "{\"kind\":\"pipe\",\"stdin_peers\":[50],\"stdout_peers\":[50]}";
    let wire = |kind: &str, stdin: &str, stdout: &str| {
        format!(",\"stdio\":{{\"kind\":\"{kind}\",\"stdin_peers\":{stdin},\"stdout_peers\":{stdout}}}")
    };
    let (closed, null) = (wire("pipe", "[]", "[]"), wire("null", "null", "null"));
    let held = wire("socket", "[50]", "[50]");
    let table = |rows: &[String]| {
        let viewer = row(900, 800, 1763630000, "mcp-reap list", "");
        format!("{{\"schema\":1,\"os\":\"linux\",\"taken_at\":\"2026-11-20T14:00:00Z\",\"viewer\":{{\"pid\":900,\"uid\":1000}},\"processes\":[{},{viewer}]}}", rows.join(",")).into_bytes()
    };
    let init = || row(1, 0, 1763000000, "/sbin/init", "");
    let server = "node /h/.npm/_npx/15b07286cbcc3329/node_modules/.bin/mcp-server-memory";
    let chrome = "/opt/google/chrome/chrome --user-data-dir=/h/.cache/ms-playwright/mcp-chrome-1";
    let (s, n) = (1763636400, 1763636500);
    vec![
        table(&[
            full(1, 0, "/sbin/init", "null"),
            full(4242, 1, "npm exec @modelcontextprotocol/server-memory", dead),
            full(4243, 4242, "mcp-server-memory", dead),
        ]),
        table(&[
            full(1, 0, "/sbin/init", "null"),
            full(50, 1, "claude", "null"),
            full(60, 50, "mcp-server-git", live),
        ]),
        table(&[]),
        // An npx tree with its browser; then a browser that is left alone.
        table(&[
            init(),
            row(500, 1, s, "npm exec @modelcontextprotocol/server-memory", &closed),
            row(501, 500, s, "sh -c mcp-server-memory", &closed),
            row(502, 501, n, server, &closed),
            row(503, 502, n, chrome, &wire("pipe", "[502]", "[502]")),
            row(504, 1, n, chrome, &closed),
        ]),
        // Two clients: one with copies, one that is an orphan itself.
        table(&[
            init(),
            row(50, 1, s, "claude", ",\"tty\":\"pts/3\""),
            row(60, 50, n, server, &held),
            row(61, 50, n, server, &wire("socket", "[]", "[50]")),
            row(62, 50, n, server, &closed),
            row(70, 1, s, "claude -p hi", &closed),
            row(71, 70, n, server, &wire("pipe", "[70]", "[70]")),
        ]),
        // Daemons: on a port, with a connection, main process of a unit, below it, said by the environment.
        table(&[
            init(),
            row(500, 1, s, server, &null).replacen("\"listening\":[]", "\"listening\":[8080]", 1),
            row(
                501,
                1,
                s,
                server,
                &format!(
                    "{null},\"service\":{{\"manager\":\"systemd\",\"name\":\"x.service\",\"main_pid\":501}}"
                ),
            ),
            row(502, 501, n, server, &closed),
            row(
                503,
                1,
                s,
                server,
                &format!("{closed},\"service\":{{\"manager\":\"launchd\",\"name\":\"y\",\"main_pid\":0}}"),
            ),
            row(504, 1, s, server, &format!("{closed},\"env\":{{\"SYSTEMD_EXEC_PID\":\"504\"}}")),
        ]),
        // Adopted by the user's manager; a job of a shell tool; a server known by its environment; a wrapper; a zombie.
        table(&[
            init(),
            row(300, 1, 1763000001, "/usr/lib/systemd/systemd --user", ""),
            row(500, 300, s, server, &closed),
            row(
                501,
                1,
                s,
                "sleep 9",
                &format!(
                    "{closed},\"env\":{{\"CLAUDECODE\":\"1\",\"CLAUDE_CODE_SESSION_ID\":\"a\",\"CLAUDE_CODE_CHILD_SESSION\":\"1\"}}"
                ),
            ),
            row(
                502,
                1,
                s,
                "/opt/x/run",
                &format!("{closed},\"env\":{{\"CLAUDECODE\":\"1\",\"CLAUDE_CODE_SESSION_ID\":\"a\"}}"),
            ),
            row(503, 1, s, "bash start.sh", &closed),
            row(504, 503, n, server, &closed),
            row(505, 504, n, "node x", "").replacen("\"S\"", "\"Z\"", 1),
            row(506, 1, s, server, &format!("{closed},\"foreign_namespace\":true")).replacen(
                "\"uid\":1000",
                "\"uid\":7",
                1,
            ),
        ]),
    ]
}

// --- hooks ---

static COMMAND: LazyLock<HookCommand> =
    LazyLock::new(|| HookCommand::new(Path::new("/usr/local/bin/mcp-reap")).expect("a command"));

/// The same program, installed somewhere else.
static ELSEWHERE: LazyLock<HookCommand> =
    LazyLock::new(|| HookCommand::new(Path::new("/opt/new \"place\"/mcp-reap")).expect("a command"));

fn hook_settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = settings::status(&text, &COMMAND);
    let Ok(before) = settings::uninstall(&text, "") else { return };
    let Ok(with) = settings::install(&before.text, &COMMAND) else { return };
    let again = settings::install(&with.text, &COMMAND).expect("what was installed can be read");
    assert!(again.edits.is_empty() && again.text == with.text, "a second time changes something");
    let status = settings::status(&with.text, &COMMAND).expect("and be told");
    assert_eq!((status.session_end, status.session_start), (HookPresence::Installed, HookPresence::Installed));
    let without = settings::uninstall(&with.text, &before.text).expect("and taken out");
    assert_eq!(without.text, before.text, "what was put in comes out to the byte");
    // What is theirs means what it meant.
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text.trim_start_matches('\u{feff}'));
    // (serde_json holds no number like 1e400 as a value.)
    if let (Ok(mut theirs), Ok(mut meant)) = (value(&before.text), value(&with.text)) {
        for event in settings::EVENTS {
            let groups = meant["hooks"][event].as_array_mut();
            let ours = groups.and_then(Vec::pop).expect("our group, the last one");
            assert_eq!(ours["hooks"][0]["args"], serde_json::json!(["hook", "run"]));
        }
        for event in settings::EVENTS {
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
    assert_eq!(settings::uninstall(&moved.text, &before.text).expect("settings").text, before.text);
}

fn hook_shape(bytes: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(bytes);
    let told = |error: settings::SettingsError| {
        error.to_string().chars().filter(|c| c.is_alphabetic()).take(60).collect::<String>()
    };
    digest(settings::install(&text, &COMMAND).map(|change| change.edits.len()).map_err(told))
}

fn hook_seeds() -> Vec<Vec<u8>> {
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

fn hook_event(bytes: &[u8]) {
    let path = FOLDER.path().join("event");
    fs::write(&path, bytes).expect("a file");
    let file = fs::File::open(&path).expect("a file");
    let _ = event::read_event(file, 1 << 16, std::time::Duration::from_millis(200));
}

fn event_seeds() -> Vec<Vec<u8>> {
    owned(&[
        "{\"session_id\":\"a\",\"transcript_path\":\"/x\",\"cwd\":\"/srv\",\"hook_event_name\":\"SessionEnd\",\"reason\":\"other\"}\n",
        "{\"hook_event_name\":\"SessionStart\",\"source\":\"startup\"}",
    ])
}

fn small_words(bytes: &[u8]) {
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

fn word_seeds() -> Vec<Vec<u8>> {
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
