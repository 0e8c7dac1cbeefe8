//! The parsers, each with seeds, the words of its format, and what it promises beside not to panic.

mod command_lines;
mod files;
mod hooks;
mod kernel;
mod tables;

use std::hash::{DefaultHasher, Hash, Hasher};

use command_lines::*;
use files::*;
use hooks::*;
use kernel::*;
use tables::*;

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
