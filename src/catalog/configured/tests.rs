#![allow(clippy::unwrap_used)]

use super::*;
use crate::process::{Pid, StartTime};

fn process(argv: &[&str], cwd: &str) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(7), StartTime(1));
    record.argv = Some(argv.iter().collect());
    record.details.cwd = (!cwd.is_empty()).then(|| cwd.into());
    record
}

/// Whether a process is one of the entry, and as its launcher.
fn found_in(entry: &[&str], from: Option<&str>, process: &ProcessRecord) -> Option<bool> {
    let argv = entry.iter().map(|word| (*word).to_owned()).collect();
    let cwd = from.map(str::to_owned);
    let index = Index::new(vec![Configured { client: "c".into(), entry: "e".into(), argv, cwd }]);
    let seen = crate::program::resolve(process.argv.as_ref(), None, &process.comm);
    let possible = process.argv.as_ref()?.first().is_some_and(|first| index.may_hold(first));
    let found = index.find(process, &seen);
    assert!(possible || found.is_none(), "the quick test leaves out what is one");
    found.map(|_| seen.is_launched())
}

fn found(entry: &[&str], argv: &[&str]) -> Option<bool> {
    found_in(entry, Some("/w"), &process(argv, "/w"))
}

#[test]
fn a_process_is_known_by_the_entry_it_was_started_from() {
    for (entry, process, launches) in [
        (&["node", "/x/i.js", "a"][..], &["node", "/x/i.js", "a"][..], false),
        (&["node", "/x/i.js"], &["/usr/local/bin/node", "/x/i.js"], false),
        (&["/usr/bin/python3", "x.py"], &["python3.12", "x.py"], false),
        (&["npx", "-y", "notes", "/x"], &["npm exec notes /x"], true),
        (&["npx", "-y", "notes", "a b"], &["npm exec notes a b"], true),
        (&["npx", "-y", "notes"], &["npx", "-y", "notes"], true),
        (&["uvx", "notes"], &["/home/u/.local/bin/uv", "tool", "uvx", "notes"], true),
        (&["notes-tool", "-a"], &["/x/bin/python", "/x/bin/notes-tool", "-a"], false),
        (&["/x/start.sh"], &["/bin/sh", "/x/start.sh"], true),
        (&["node", "${ROOT}/i.js"], &["node", "/any/where/i.js"], false),
        (&["docker", "run", "-e", "K=${K:-none}", "notes"], &["docker", "run", "-e", "K=1", "notes"], true),
        (&["~/bin/notes"], &["/home/u/bin/notes"], false),
        (&["$HOME/bin/notes", "-v"], &["/home/u/bin/notes", "-v"], false),
        (&["uv", "--directory", "/w", "run", "w.py"], &["/w/.venv/bin/python", "w.py"], false),
        (&["uv", "--project", "/w/", "run", "w.py"], &["/w/.venv/bin/python", "w.py"], false),
        (&["npm", "exec", "-y", "notes"], &["npm exec notes"], true),
        (&["npm", "x", "--", "notes"], &["npm exec notes"], true),
        (&["/opt/my notes/tool"], &["/opt/my notes/tool"], false),
        (&["node", "abc"], &["node", "abc"], false),
        (&["/opt/node/bin/node", "x.js"], &["/usr/bin/node", "x.js"], false),
        (&["node", "/x/i.js"], &["/usr/bin/nodejs", "/x/i.js"], false),
        (&["node", "/my dir/i.js"], &["node", "/my dir/i.js"], false),
        (&["npx", "--registry", "https://r.example", "-y", "notes"], &["npm exec notes"], true),
        // Under `exec` the process is the one that the entry would have started without.
        (&["/opt/bin/mcp-reap", "exec", "--", "npx", "-y", "notes"], &["npm exec notes"], true),
        (&["mcp-reap", "exec", "--linger", "5s", "--", "node", "/x/i.js"], &["node", "/x/i.js"], false),
        (&["mcp-reap", "exec", "/x/bin/notes-tool", "-a"], &["/x/bin/notes-tool", "-a"], false),
        (&["mcp-reap", "exec", "--", "~/bin/notes"], &["/home/u/bin/notes"], false),
    ] {
        assert_eq!(found(entry, process), Some(launches), "{entry:?} {process:?}");
    }
}

#[test]
fn no_other_process_is() {
    for (entry, process) in [
        (&["node", "/x/i.js"][..], &["node", "/y/i.js"][..]),
        (&["node", "/x/i.js"], &["node", "/x/i.js", "more"]),
        (&["node", "/x/i.js", "more"], &["node", "/x/i.js"]),
        (&["node", "/x/i.js"], &["vim", "/x/i.js"]),
        (&["node", "/x/i.js"], &["bun", "/x/i.js"]),
        (&["npx", "-y", "notes"], &["npm install notes"]),
        (&["npm", "run", "notes"], &["npm exec notes"]),
        (&["node", "ab"], &["node", "ab"]),
        (&["uvx", "notes"], &["uv", "tool", "install", "notes"]),
        (&["/x/notes"], &["/y/notes"]),
        (&["/x/bin/notes"], &["/y/bin/notes"]),
        (&["/x/start.sh"], &["/bin/sh", "/y/start.sh"]),
        (&["notes-tool"], &["python", "notes-tool"]),
        // Another program of that name.
        (&["/x/bin/notes-tool", "-a"], &["notes-tool", "-a"]),
        (&["notes-tool", "-a"], &["/y/bin/notes-tool", "-a"]),
        (&["notes-tool", "-a"], &["python", "/srv/shop/notes-tool", "-a"]),
        (&["notes-tool", "-a"], &["python", "/x/bin/notes-tool.py", "-a"]),
        (&["uv", "--directory", "/w", "run", "w.py"], &["/v/.venv/bin/python", "w.py"]),
        // Entries that would match anything.
        (&["node"], &["node"]),
        (&["bash", "-l"], &["bash", "-l"]),
        (&["node", "${X}"], &["node", "/srv/shop.js"]),
        (&["mcp-reap", "exec", "--", "npx", "-y", "notes"], &["mcp-reap", "guard", "root=1@2:3"]),
        (&["mcp-reap", "exec", "--", "node", "/x/i.js"], &["node", "/y/i.js"]),
        (&["mcp-reap", "exec"], &["mcp-reap", "list"]),
        (&["${X}"], &["/usr/bin/anything"]),
        (&[], &["node"]),
        (&["node", "/x/i.js"], &[]),
    ] {
        assert_eq!(found(entry, process), None, "{entry:?} {process:?}");
    }
}

#[test]
fn a_program_that_is_called_by_a_bare_name_is_the_entry_s_only_by_its_file() {
    for (entry, exe, same) in [
        (&["/opt/acme/serve", "stdio"][..], "/opt/acme/serve", true),
        (&["~/bin/serve", "stdio"], "/home/u/bin/serve", true),
        (&["/opt/acme/serve", "stdio"], "/srv/shop/serve", false),
        (&["/opt/acme/serve", "stdio"], "", false),
        // What PATH led to is called as the entry is written.
        (&["serve", "stdio"], "/srv/acme/serve", true),
        (&["serve", "stdio"], "", true),
    ] {
        let mut process = process(&["serve", "stdio"], "/w");
        process.details.exe = (!exe.is_empty()).then(|| exe.into());
        assert_eq!(found_in(entry, Some("/w"), &process).is_some(), same, "{entry:?} {exe}");
    }
    // The file of a launcher is not the program's.
    let mut launcher = process(&["sh", "-c", "serve stdio"], "/w");
    launcher.details.exe = Some("/opt/acme/serve".into());
    assert_eq!(found_in(&["/opt/acme/serve", "stdio"], None, &launcher), None);
}

#[test]
fn a_relative_path_is_an_entry_s_only_in_its_folder() {
    for (entry, from, argv, cwd, same) in [
        (&["node", "server.js"][..], Some("/p/notes"), &["node", "server.js"][..], "/p/notes", true),
        (&["node", "server.js"], Some("/p/notes/"), &["node", "./server.js"], "/p/notes", true),
        (&["node", "server.js"], Some("/p/notes"), &["node", "/p/notes/server.js"], "/p/notes", true),
        (&["node", "/p/notes/server.js"], None, &["node", "server.js"], "/p/notes", true),
        (&["./run.sh"], Some("/p"), &["/bin/sh", "./run.sh"], "/p", true),
        (&["npm", "start"], Some("/p"), &["npm", "start"], "/p", true),
        (
            &["npm", "--prefix", "/p/notes", "start"],
            None,
            &["npm", "--prefix", "/p/notes", "start"],
            "/q",
            true,
        ),
        // Another project's, and what was not read.
        (&["node", "server.js"], Some("/p/notes"), &["node", "server.js"], "/p/shop", false),
        (&["node", "server.js"], Some("/p/notes"), &["node", "server.js"], "", false),
        (&["node", "server.js"], None, &["node", "server.js"], "/p/notes", false),
        (&["node", "server.js"], None, &["node", "server.js"], "", false),
        (&["node", "/p/notes/server.js"], None, &["node", "server.js"], "/p/shop", false),
        (&["node", "/p/notes/server.js"], None, &["node", "server.js"], "", false),
        (&["./run.sh"], Some("/p"), &["/bin/sh", "./run.sh"], "/q", false),
        (&["npm", "start"], Some("/p"), &["npm", "start"], "/q", false),
        (&["npm", "start"], None, &["npm", "start"], "/p", false),
        (
            &["npm", "--prefix", "/p/notes", "start"],
            None,
            &["npm", "--prefix", "/p/shop", "start"],
            "/p",
            false,
        ),
    ] {
        let seen = found_in(entry, from, &process(argv, cwd)).is_some();
        assert_eq!(seen, same, "{entry:?} in {from:?}, {argv:?} in {cwd}");
    }
}

#[test]
fn a_shell_that_runs_more_than_the_entry_is_none() {
    let line = |line| ["sh", "-c", line];
    let entry = ["/x/serve", "-a"];
    assert_eq!(found(&entry, &line("exec /x/serve -a")), Some(true));
    for more in ["/x/serve -a; notify", "/x/serve -a & backup", "/x/serve -a && b"] {
        assert_eq!(found(&entry, &line(more)), None, "{more}");
        // Nor where the entry is that very line: what it runs is.
        assert_eq!(found(&line(more), &line(more)), None, "{more}");
        assert_eq!(found(&line(more), &entry), Some(false), "{more}");
    }
}
