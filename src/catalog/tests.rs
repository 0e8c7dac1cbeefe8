//! The catalog as a whole: the fast way out, and the names that processes of one server share.
#![allow(clippy::unwrap_used)]

mod jobs;
mod parts;
mod prefilter;
mod servers;

use super::*;
use crate::bytes::{Argv, RawText, to_text};
use crate::process::{Pid, StartTime, Stdio, StdioKind};
use crate::program::Beside;

fn record(argv: &[&str]) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(7), StartTime(1));
    record.argv = Some(argv.iter().collect());
    record
}

/// The same with its stdin and stdout on a wire.
fn on_a_wire(argv: &[&str]) -> ProcessRecord {
    let mut record = record(argv);
    record.details.stdio = Some(Stdio::of_kind(StdioKind::Socket));
    record
}

/// A process of whose command line nothing is known.
fn hidden(exe: Option<&str>, comm: &str) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(7), StartTime(1));
    record.details.exe = exe.map(RawText::from);
    record.comm = comm.into();
    record
}

/// Whether an argv plays this part.
fn plays(argv: &[&str], role: Role) -> bool {
    identified(argv).is_some_and(|(part, _)| part == role)
}

/// Role and name of an argv.
fn identified(argv: &[&str]) -> Option<(Role, String)> {
    Catalog::builtin().identify(&record(argv)).map(|found| (found.role, found.name))
}

#[test]
fn a_configured_server_keeps_the_name_its_other_processes_have() {
    let entry = |argv: &[&str]| Configured {
        client: "claude-code".into(),
        entry: "fs".into(),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        cwd: None,
    };
    for (argv, title, name) in [
        (
            &["npx", "-y", "@modelcontextprotocol/server-filesystem", "/srv"][..],
            "npm exec @modelcontextprotocol/server-filesystem /srv",
            "server-filesystem",
        ),
        (&["npx", "-y", "notes-tool"], "npm exec notes-tool", "fs"),
    ] {
        let catalog = Catalog::builtin().with_configured(vec![entry(argv)]);
        let found = catalog.identify(&on_a_wire(&[title])).unwrap();
        assert_eq!((found.role, found.name.as_str()), (Role::Launcher, name));
        assert_eq!(found.basis, Basis::Configured { client: "claude-code".into(), entry: "fs".into() });
        let elsewhere = catalog.identify(&record(&[title])).unwrap();
        let by_its_line = Catalog::builtin().identify(&record(&[title])).unwrap_or(found);
        assert_eq!(elsewhere, by_its_line, "an entry takes nothing away from what is not seen on a wire");
    }
}

#[test]
fn most_of_a_machine_takes_the_fast_way_out() {
    let catalog = Catalog::builtin();
    for (argv, exe, comm) in [
        (None, None, "kworker/0:1"),
        (Some(&[""][..]), None, "x"),
        (Some(&[]), Some("/usr/sbin/rsyslogd"), "in:imklog"),
        (Some(&["/usr/sbin/rsyslogd", "-n"]), None, "rsyslogd"),
        (Some(&["/opt/shop/shop.bin"]), None, "shop.bin"),
        (Some(&["/opt/google/chrome/chrome", "--type=renderer"]), None, "chrome"),
        (Some(&["/opt/google/chrome/chrome --type=renderer"]), None, "chrome"),
    ] {
        let mut record = hidden(exe, comm);
        record.argv = argv.map(|argv| argv.iter().collect());
        assert!(!catalog.may_identify(&record, &mut Names::default()), "{argv:?} {exe:?} {comm}");
    }
}

#[test]
fn what_only_looks_like_nothing_is_looked_at() {
    for (argv, role) in [
        (&["claude.exe", "-p", "x"][..], Role::Client),
        (&["q", "chat"], Role::Client),
        (&["/opt/chrome beta/notes-mcp", "--stdio"], Role::Server),
    ] {
        assert_eq!(identified(argv).map(|(part, _)| part), Some(role), "{argv:?}");
    }
}

#[test]
fn a_client_whose_command_line_is_hidden_is_known_by_its_name_or_where_it_lies() {
    for (exe, comm) in [
        (None, "claude"),
        (None, "Claude Helper"),
        (Some("/opt/x/claude.exe"), "x"),
        (Some("/home/u/.local/share/claude/versions/2.1.3"), "2.1.3"),
    ] {
        let found = Catalog::builtin().identify(&hidden(exe, comm));
        assert_eq!(found.map(|found| found.role), Some(Role::Client), "{exe:?} {comm}");
    }
}

#[test]
fn what_a_person_teaches_is_known_without_its_command_line_too() {
    let rule = ServerRule {
        name: "mine".into(),
        program: Some(Pattern::parse("notes-daemon").unwrap()),
        limits: crate::policy::Limits::default(),
        origin: String::new(),
    };
    let record = hidden(Some("/opt/notes-daemon"), "");
    let found = Catalog::builtin().with_rules(&[rule]).identify(&record).unwrap();
    assert_eq!((found.role, found.name.as_str()), (Role::Server, "mine"));
}

#[test]
fn the_program_is_named_by_its_fullest_name_or_its_text() {
    for (argv, name) in [
        (&["npx", "-y", "@acme/notes@2"][..], Some("@acme/notes")),
        (&["/opt/shop/shop.bin", "-v"], Some("shop")),
        (&["bash"], None),
        (&["node", "-e", "code"], None),
    ] {
        assert_eq!(Resolution::of(&record(argv)).name(), name, "{argv:?}");
    }
}

#[test]
fn an_entry_that_a_shell_runs_is_its_launcher() {
    let entry =
        Configured { client: "c".into(), entry: "e".into(), argv: vec!["notes-tool".into()], cwd: None };
    let catalog = Catalog::builtin().with_configured(vec![entry]);
    for (argv, role) in [
        (["/bin/sh", "/usr/local/bin/notes-tool"], Role::Launcher),
        (["/usr/bin/python3", "/usr/local/bin/notes-tool"], Role::Server),
    ] {
        assert_eq!(catalog.identify(&on_a_wire(&argv)).unwrap().role, role, "{argv:?}");
    }
}

#[test]
fn what_is_shown_has_a_name() {
    let entry = |argv: &[&str]| Configured {
        client: "c".into(),
        entry: String::new(),
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        cwd: None,
    };
    let catalog = Catalog::builtin().with_configured(vec![entry(&["/opt/notes-tool"])]);
    assert_eq!(catalog.identify(&record(&["/opt/notes-tool"])).unwrap().name, "notes-tool");
}

#[test]
fn what_a_shell_runs_beside_its_child_is_known_for_that_child() {
    let beside_child = |shell: &[&str], child: &[&str]| {
        Resolution::of(&record(shell)).beside_child(&Resolution::of(&record(child)))
    };
    for (line, child, beside) in [
        ("exec notes-mcp", &["notes-mcp"][..], Some(Beside::Nothing)),
        ("npm ci && npx -y notes-mcp", &["npm exec notes-mcp"], Some(Beside::Nothing)),
        ("npm ci && npx -y notes-mcp", &["npm ci"], Some(Beside::DependsOnStatus)),
        ("git pull; ./serve", &["./serve"], Some(Beside::Nothing)),
        ("git pull; ./serve", &["git", "pull"], Some(Beside::More)),
        ("./serve && deploy", &["./serve"], Some(Beside::DependsOnStatus)),
        ("./serve & backup; wait", &["./serve"], Some(Beside::More)),
        // A child that the line does not name may be any of them.
        ("./serve; notify", &["node", "x.js"], Some(Beside::More)),
        ("./serve", &["node", "x.js"], Some(Beside::Nothing)),
        ("eval 'notes-mcp'", &["notes-mcp"], Some(Beside::Unread)),
        // Nor does a line that runs code which stands elsewhere.
        (". ./lib.inc; serve", &["notes-mcp"], Some(Beside::Unread)),
        ("x=$(notes-mcp) && ./backup", &["notes-mcp"], Some(Beside::Unread)),
        (". ./env.sh; exec notes-mcp", &["notes-mcp"], Some(Beside::Nothing)),
    ] {
        assert_eq!(beside_child(&["sh", "-c", line], child), beside, "{line} {child:?}");
    }
    for shell in [&["bash", "/x/start.sh"][..], &["bash"], &["node", "x.js"]] {
        assert_eq!(beside_child(shell, &["notes-mcp"]), None, "{shell:?}");
    }
}

#[test]
fn a_shell_is_a_launcher_only_where_its_line_runs_nothing_but_the_server() {
    let identified = |line: &str| identified(&["bash", "-c", line]).map(|(role, _)| role);
    for line in [
        "cd /x && exec npx -y notes-mcp",
        "notes-mcp & wait",
        "npm ci && notes-mcp",
        "notes-mcp || exit 1",
        "notes-mcp | jq -c .",
    ] {
        assert_eq!(identified(line), Some(Role::Launcher), "{line}");
    }
    for line in [
        "notes-mcp & backup; wait",
        "notes-mcp; notify",
        "notes-mcp || mail",
        "notes-mcp | jq . > answers",
        "notes-mcp | sort",
        "if notes-mcp; then deploy; fi",
        "notes-mcp < requests > answers",
        "notes-mcp && deploy",
        "set -e; notes-mcp; deploy",
        "git pull; notes-mcp",
        "rag-mcp ingest && rag-mcp serve",
        "for i in a b; do notes-mcp $i; done",
    ] {
        assert_eq!(identified(line), None, "{line}");
    }
    assert_eq!(identified("claude; notes-mcp"), Some(Role::Client));
    assert_eq!(identified("shop --fast"), Some(Role::Wrapper));
}
