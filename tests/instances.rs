//! Who belongs to an instance, in which part, under which name, and what is told of it.

#![allow(clippy::unwrap_used)]

mod scene;

use std::time::Duration;

use mcp_reap::classify::{Finding, Verdict};
use mcp_reap::instance::Part::{self, Helper, Launcher, Server};
use mcp_reap::pattern::Pattern;
use mcp_reap::plan::Why;
use mcp_reap::policy::{AllowRule, Policy};
use mcp_reap::process::{Listener, Pid};
use scene::{Table, Wire};

const SERVER: &str = "node /home/u/.npm-global/bin/mcp-server-memory";
const CHROME: &str = "/opt/google/chrome/chrome --remote-debugging-pipe --user-data-dir=/home/u/.cache/ms-playwright/mcp-chrome-1";

fn now() -> Policy {
    Policy { min_age: Duration::ZERO, ..Policy::default() }
}

fn parts(finding: &Finding<'_>) -> Vec<(u32, Part)> {
    finding.instance.members.iter().map(|member| (member.record.pid().0, member.part)).collect()
}

/// An orphaned client with an npx tree, its browser, a dead child, and a shell with a job.
fn orphaned_client() -> Table {
    let mut table = Table::new();
    table.add(400, 1, "claude -p hi").wire(Wire::Closed).rss(9 << 20);
    table.npx(500, 400, Wire::Held(400));
    table.add(510, 502, CHROME);
    table.add(520, 400, "sleep 9").state('Z');
    table.add(530, 400, "-bash");
    table
}

#[test]
fn an_orphaned_client_goes_with_all_its_servers_only_when_asked_for() {
    let table = orphaned_client();
    assert!(table.ended(&now()).is_empty());
    let policy = Policy { clients: true, ..now() };
    let judgement = table.judge(&policy);
    let [finding] = judgement.findings.as_slice() else { panic!("{:?}", judgement.findings) };
    assert_eq!((finding.verdict, finding.instance.server.as_str()), (Verdict::Orphaned, "claude-code"));
    let all = [(400, Launcher), (500, Helper), (530, Helper), (501, Helper), (502, Helper), (510, Helper)];
    assert_eq!(parts(finding), all, "the dead are no members, and what a client runs helps it");
    assert_eq!((finding.rss, finding.age), ((5 * 50 + 9) << 20, 3600.0));
    assert_eq!(table.ended(&policy), [400, 500, 501, 502, 510, 530]);
}

#[test]
fn a_client_that_serves_on_any_socket_can_be_talked_to() {
    let policy = Policy { clients: true, ..now() };
    let unix = Listener::Other("unix:/run/user/1000/ide.sock".to_owned());
    for socket in [Listener::Tcp(7601), unix, Listener::Other("udp:7602".to_owned())] {
        let mut table = orphaned_client();
        table.row(400).change(|r| r.details.listening = Some(vec![socket.clone()]));
        assert!(table.ended(&policy).is_empty(), "{socket}");
        let judgement = table.judge(&policy);
        let client = &judgement.clients[0];
        let reason = format!("owner gone, listens on {socket}, nobody connected");
        assert_eq!((client.orphaned, client.reason.as_deref()), (false, Some(reason.as_str())));
    }
    let mut unread = orphaned_client();
    unread.row(400).change(|r| r.details.listening = None);
    assert!(unread.ended(&policy).is_empty());
}

#[test]
fn an_orphaned_client_with_another_client_below_stays_and_so_do_the_others_servers() {
    let mut table = orphaned_client();
    table.add(540, 530, "codex exec hi").wire(Wire::Held(400));
    table.add(541, 540, SERVER).wire(Wire::Held(540));
    let policy = Policy { clients: true, ..now() };
    let judgement = table.judge(&policy);
    let roots: Vec<u32> = judgement.findings.iter().map(|f| f.instance.root.pid().0).collect();
    assert_eq!(roots, [400, 541]);
    assert_eq!(judgement.findings[0].instance.clients_below, [Pid(540)]);
    assert!(!judgement.findings[0].instance.contains(Pid(541)));
    assert_eq!(judgement.findings[1].verdict, Verdict::InUse);
    assert_eq!(table.plan(&policy).withheld[0].why, Why::Client);
    assert!(table.ended(&policy).is_empty());
}

#[test]
fn only_a_client_that_nobody_can_talk_to_is_orphaned() {
    let orphaned = |change: &dyn Fn(&mut Table)| {
        let mut table = orphaned_client();
        change(&mut table);
        let judgement = table.judge(&now());
        judgement.clients.iter().find(|client| client.pid == Pid(400)).unwrap().orphaned
    };
    assert!(orphaned(&|_| {}));
    assert!(!orphaned(&|t| {
        t.row(400).wire(Wire::Held(800));
    }));
    assert!(
        !orphaned(&|t| {
            t.row(400).wire(Wire::HalfClosed(800));
        }),
        "somebody still reads what it says"
    );
    assert!(!orphaned(&|t| {
        t.row(400).wire(Wire::Unknown);
    }));
    assert!(
        !orphaned(&|t| {
            t.row(400).wire(Wire::Null);
        }),
        "put into the background on purpose"
    );
    assert!(
        !orphaned(&|t| {
            t.row(400).change(|r| r.parent = Pid(800));
        }),
        "its owner lives"
    );
    assert!(
        !orphaned(&|t| {
            t.row(400).unit("x.service", Some(400));
        }),
        "a daemon"
    );
    assert!(
        !orphaned(&|t| {
            t.row(400).unit("x.service", None);
        }),
        "perhaps a daemon"
    );
    assert!(
        orphaned(&|t| {
            t.row(400).unit("x.service", Some(77));
        }),
        "left behind by a daemon"
    );
    // A terminal that is gone is no wire, and what is no wire is not known to be dead: a job that was left behind on
    // purpose looks the same.
    assert!(!orphaned(&|t| {
        let closed = mcp_reap::process::StdioKind::Closed;
        t.row(400).change(|r| r.details.stdio = Some(mcp_reap::process::Stdio::of_kind(closed)));
    }));
    assert!(
        !orphaned(&|t| {
            t.row(400).listens(7777, 1);
        }),
        "it serves on a socket of its own, and somebody is connected"
    );
}

/// What is told of a client: whether it is orphaned, and what is known of one that nobody is seen to use.
fn told(table: &Table, pid: u32) -> (bool, Option<String>) {
    let judgement = table.judge(&now());
    let client = judgement.clients.iter().find(|client| client.pid == Pid(pid)).unwrap();
    (client.orphaned, client.reason.clone())
}

#[test]
fn of_a_client_without_a_wire_only_what_is_known_is_shown() {
    let mut table = Table::new();
    table.add(400, 1, "codex exec hi");
    let unproven = Some("owner gone, no closed stdio that would prove it unused".to_owned());
    assert_eq!(told(&table, 400), (false, unproven), "a job in the background");
    table.row(400).change(|r| r.details.display = true);
    assert_eq!(told(&table, 400), (false, None), "somebody sits in front of it");
    let mut table = Table::new();
    table.add(400, 1, "/opt/cursor/cursor");
    table.add(401, 400, "/opt/cursor/cursor --type=zygote");
    assert_eq!(told(&table, 400), (false, None), "a desktop program");
    let mut table = Table::new();
    let daemon = |table: &mut Table, connected| {
        table.add(400, 1, "codex app-server --listen unix:// --managed-daemon").change(|r| {
            r.details.listening = Some(vec![Listener::Other("unix:/run/user/1000/codex.sock".to_owned())]);
            r.details.connected = Some(connected);
        });
        table.npx(500, 400, Wire::Held(400));
    };
    daemon(&mut table, 0);
    let idle = Some("owner gone, listens on unix:/run/user/1000/codex.sock, nobody connected".to_owned());
    assert_eq!(told(&table, 400), (false, idle), "an app server without a consumer");
    assert!(table.ended(&Policy { clients: true, ..now() }).is_empty(), "which proves nothing");
    let mut table = Table::new();
    daemon(&mut table, 1);
    assert_eq!(told(&table, 400), (false, None), "with one");
}

#[test]
fn a_client_behind_an_orphaned_adapter_is_orphaned_with_it() {
    let lost = |adapter: &str, client: &str| {
        let mut table = Table::new();
        table.add(300, 1, adapter).wire(Wire::Closed);
        table.add(400, 300, client).wire(Wire::Held(300));
        table.npx(500, 400, Wire::Held(400));
        table
    };
    let clients = Policy { clients: true, ..now() };
    for (adapter, client) in [
        ("node /home/u/.npm-global/bin/claude-agent-acp", "claude --output-format stream-json"),
        ("codex-acp", "codex app-server"),
        ("npm exec acpx", "claude -p hi"),
    ] {
        let table = lost(adapter, client);
        assert_eq!(told(&table, 300), (true, Some("owner gone, stdio closed".to_owned())), "{adapter}");
        assert!(told(&table, 400).0, "{adapter}");
        assert!(table.ended(&now()).is_empty(), "{adapter}");
        assert_eq!(table.ended(&clients), [300, 400, 500, 501, 502], "{adapter}");
        // The editor that talks to the adapter lives.
        let mut held = lost(adapter, client);
        held.add(200, 800, "zed").tty("pts/9").age(9000.0);
        held.row(300).wire(Wire::Held(200));
        assert_eq!(told(&held, 300), (false, None), "{adapter}");
        assert!(held.ended(&clients).is_empty(), "{adapter}");
        // Somebody else holds the wire of the client behind it.
        let mut other = lost(adapter, client);
        other.row(400).wire(Wire::Held(800));
        assert!(!told(&other, 400).0, "{adapter}");
        assert!(other.ended(&clients).is_empty(), "{adapter}");
    }
}

#[test]
fn a_server_that_a_client_let_go_of_says_nothing_of_the_client() {
    let mut table = Table::new();
    table.add(400, 1, "claude -p hi");
    table.npx(500, 400, Wire::Closed);
    assert!(!told(&table, 400).0);
    assert_eq!(table.ended(&Policy { clients: true, ..now() }), [500, 501, 502], "disconnected");
}

#[test]
fn only_the_dead_of_clients_and_instances_are_said_of_mcp() {
    let mut table = Table::new();
    table.add(400, 800, "claude").tty("pts/9").age(7200.0);
    table.add(500, 400, SERVER).wire(Wire::Held(400));
    table.add(501, 500, "node").state('Z');
    table.add(401, 400, "sh").state('Z');
    table.add(600, 800, "vim");
    table.add(601, 600, "sh").state('Z');
    // A dead server of nobody's, and a child of what a launcher was told to run.
    table.add(602, 600, SERVER).state('Z');
    table.add_title(700, 800, "npm exec @modelcontextprotocol/server-memory");
    table.add(701, 700, "/opt/thing/run");
    table.add(702, 701, "sh").state('Z');
    let judgement = table.judge(&now());
    let all: Vec<u32> = judgement.zombies.iter().map(|zombie| zombie.pid.0).collect();
    let related: Vec<u32> = judgement.related_zombies().map(|zombie| zombie.pid.0).collect();
    assert_eq!((all, related), (vec![401, 501, 601, 602, 702], vec![401, 501, 602, 702]));
}

#[test]
fn of_an_editors_many_processes_only_the_topmost_and_those_with_servers_are_shown() {
    let mut table = Table::new();
    table.add(400, 800, "claude").tty("pts/9").age(7200.0);
    table.add(401, 400, "claude").tty("pts/9").age(7000.0);
    table.add(402, 400, "claude").tty("pts/9").age(7000.0);
    table.add(500, 402, SERVER).wire(Wire::Held(402));
    let judgement = table.judge(&now());
    let told: Vec<u32> = judgement.clients.iter().map(|client| client.pid.0).collect();
    assert_eq!(told, [400, 402]);
    let client = judgement.findings[0].client.as_ref().unwrap();
    assert_eq!((client.pid, client.name.as_str()), (Pid(402), "claude-code"), "the nearest one");
}

#[test]
fn a_client_is_known_by_the_wire_when_the_launcher_between_has_gone() {
    let mut table = Table::new();
    table.add(400, 800, "claude").tty("pts/9").age(7200.0);
    table.add(500, 1, SERVER).wire(Wire::Held(400));
    table.add(600, 1, SERVER).wire(Wire::Held(800));
    table.add(700, 1, SERVER).wire(Wire::HalfClosed(400));
    let judgement = table.judge(&now());
    let of = |pid: u32| {
        let found = judgement.findings.iter().find(|f| f.instance.root.pid() == Pid(pid)).unwrap();
        found.client.as_ref().map(|client| client.pid.0)
    };
    assert_eq!((of(500), of(600), of(700)), (Some(400), Some(800), Some(400)));
}

#[test]
fn whatever_a_server_runs_is_its_helper_even_another_server() {
    let mut table = Table::new();
    table.npx(500, 1, Wire::Closed);
    table.add(510, 502, "npm exec @modelcontextprotocol/server-time");
    table.add(511, 510, "node /x/node_modules/.bin/mcp-server-time").wire(Wire::Held(502));
    table.add(512, 502, "node worker.js");
    let judgement = table.judge(&now());
    let [finding] = judgement.findings.as_slice() else { panic!("one instance: {:?}", judgement.findings) };
    assert_eq!(finding.instance.server, "server-memory");
    let all = [(500, Launcher), (501, Launcher), (502, Server), (510, Helper), (512, Helper), (511, Helper)];
    assert_eq!(parts(finding), all);
    assert!(!finding.instance.is_left_over());
    let wired: Vec<u32> = finding.instance.launchers_and_servers().map(|record| record.pid().0).collect();
    assert_eq!(wired, [500, 501, 502], "what was given the wire");
}

#[test]
fn what_a_launcher_runs_is_the_server_whatever_its_name() {
    let mut table = Table::new();
    table.add_title(500, 1, "npm exec @modelcontextprotocol/server-memory").wire(Wire::Closed);
    table.add(501, 500, "/opt/thing/run").wire(Wire::Closed);
    table.add(502, 501, "/opt/thing/worker");
    let judgement = table.judge(&now());
    assert_eq!(parts(&judgement.findings[0]), [(500, Launcher), (501, Server), (502, Helper)]);
    // Under a launcher that has nothing yet, and beside one whose children are dead.
    table.row(501).state('Z');
    table.row(502).change(|r| r.parent = Pid(1));
    let judgement = table.judge(&now());
    assert_eq!(parts(&judgement.findings[0]), [(500, Launcher)]);
    assert_eq!(judgement.findings[0].instance.server, "server-memory", "named by its launcher");
}

#[test]
fn the_launcher_at_the_root_names_it_and_else_the_server() {
    for (root, name) in [
        ("npm exec @modelcontextprotocol/server-memory", "server-memory"),
        ("bash /home/u/start.sh", "mcp-server-git"),
    ] {
        let mut table = Table::new();
        table.add(500, 1, root).wire(Wire::Closed);
        table.add_title(501, 500, "npm exec @modelcontextprotocol/server-time").wire(Wire::Closed);
        table.add(502, 501, "node /x/node_modules/.bin/mcp-server-git").wire(Wire::Closed);
        assert_eq!(table.judge(&now()).findings[0].instance.server, name);
    }
}

#[test]
fn a_wrapper_that_runs_nothing_but_servers_is_their_root() {
    let mut table = Table::new();
    table.add(500, 1, "bash /home/u/start.sh").wire(Wire::Closed);
    table.add(501, 500, SERVER).wire(Wire::Closed);
    table.add(502, 500, "node /x/node_modules/.bin/mcp-server-git").wire(Wire::Closed);
    table.add(503, 500, "sleep 1").state('Z');
    let judgement = table.judge(&now());
    assert_eq!(parts(&judgement.findings[0]), [(500, Launcher), (501, Server), (502, Server)]);
    assert_eq!(judgement.findings[0].instance.server, "server-memory", "named by the first");
    // Wrappers in wrappers, and a dead one in between.
    table.add(490, 1, "bash /home/u/all.sh").wire(Wire::Closed);
    table.row(500).change(|r| r.parent = Pid(490));
    assert_eq!(table.judge(&now()).findings[0].instance.root.pid(), Pid(490));
    table.row(490).state('Z');
    assert_eq!(table.judge(&now()).findings[0].instance.root.pid(), Pid(500));
}

#[test]
fn the_system_is_no_launcher_whatever_it_runs() {
    for pid in [1, 2] {
        let mut table = Table::new().without(1);
        table.add(pid, 0, "bash /entrypoint.sh").age(90_000.0);
        table.add(500, pid, SERVER).wire(Wire::Closed);
        let roots: Vec<u32> = table.judge(&now()).findings.iter().map(|f| f.instance.root.pid().0).collect();
        assert_eq!(roots, [500]);
    }
}

#[test]
fn of_several_browser_processes_left_over_the_topmost_is_the_root() {
    let mut table = Table::new();
    table.add(500, 1, CHROME).wire(Wire::Closed);
    table.add(501, 500, CHROME).wire(Wire::Held(500));
    table.add(502, 501, "/opt/google/chrome/chrome --type=renderer");
    let judgement = table.judge(&now());
    let [finding] = judgement.findings.as_slice() else { panic!("{:?}", judgement.findings) };
    assert_eq!(parts(finding), [(500, Helper), (501, Helper), (502, Helper)]);
    assert!(finding.instance.is_left_over());
    assert_eq!(finding.instance.server, "playwright-mcp");
    assert_eq!(
        kinds(finding),
        [
            "identified 500 catalog",
            "identified 501 catalog",
            "left-over",
            "owner-gone 1 init",
            "wire stdin closed",
            "wire stdout closed",
            "dead-wire"
        ]
    );
}

#[test]
fn a_browser_with_a_server_below_it_is_no_left_over() {
    let mut table = Table::new();
    table.add(500, 1, CHROME).wire(Wire::Closed);
    table.add(501, 500, SERVER).wire(Wire::Held(800));
    let judgement = table.judge(&now());
    let roots: Vec<u32> = judgement.findings.iter().map(|f| f.instance.root.pid().0).collect();
    assert_eq!(roots, [501]);
}

#[test]
fn a_browser_whose_stdio_tells_nothing_is_no_proven_left_over() {
    let mut table = Table::new();
    table.add(500, 1, CHROME).born_into(490);
    assert_eq!(table.verdict(&now(), 500), Some(Verdict::Detached), "it proves nothing");
    assert!(table.ended(&now()).is_empty());
}

#[test]
fn a_servers_own_language_server_is_a_helper_that_outlived_it() {
    for line in [
        "/home/u/.serena/language_servers/static/RustAnalyzer/RustAnalyzer/rust-analyzer",
        "node /home/u/.serena/language_servers/static/TypeScriptLanguageServer/ts-lsp/node_modules/.bin/typescript-language-server --stdio",
    ] {
        let mut table = Table::new();
        table.add(500, 1, line).wire(Wire::Closed);
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::Orphaned), "{line}");
        assert_eq!(table.ended(&now()), [500]);
        table.row(500).wire(Wire::Null);
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::Detached), "{line}");
        // Another client of it that lives, and an editor of the person's that starts it itself.
        table.row(500).wire(Wire::Held(800));
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::InUse), "{line}");
        let mut table = Table::new();
        table.add(400, 800, "vim").tty("pts/9").age(9000.0);
        table.add(500, 400, line).wire(Wire::Held(400));
        assert!(table.ended(&Policy { detached: true, ..now() }).is_empty(), "{line}");
    }
    // The same programs anywhere else are nobody's helpers.
    let mut table = Table::new();
    table.add(500, 1, "/home/u/.cargo/bin/rust-analyzer").wire(Wire::Closed);
    table
        .add(501, 1, "node /usr/lib/node_modules/.bin/typescript-language-server --stdio")
        .wire(Wire::Closed);
    assert!(table.judge(&now()).findings.is_empty());
}

#[test]
fn an_automated_browser_that_was_left_behind_is_reported_and_ended_only_on_proof() {
    let profiles = [
        "--user-data-dir=/tmp/puppeteer_dev_chrome_profile-x1",
        "--user-data-dir=/tmp/playwright_chromiumdev_profile-x1",
        "--user-data-dir=/var/folders/zz/T/mcp-chrome-x1",
    ];
    for profile in profiles {
        let line = format!("/opt/google/chrome/chrome --headless=new --remote-debugging-port=9222 {profile}");
        let chrome = |parent, line: &str| {
            let mut table = Table::new();
            table.add(500, parent, line);
            table.add(501, 500, &format!("/opt/google/chrome/chrome --type=renderer {profile}"));
            table
        };
        let mut table = chrome(1, &line);
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::Detached), "{profile}");
        table.row(500).wire(Wire::Closed);
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::Orphaned), "{profile}");
        assert_eq!(table.ended(&now()), [500, 501], "{profile}");
        // Somebody is connected to its debugging port.
        table.row(500).listens(9222, 1);
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::InUse), "{profile}");
        table.row(500).listens(9222, 0);
        assert_eq!(table.verdict(&now(), 500), Some(Verdict::Orphaned), "{profile}");
        // Its program lives: somebody's tests.
        let mut tests = chrome(400, &line);
        tests.add(400, 800, "node /home/u/shop/node_modules/.bin/mocha").age(9000.0);
        tests.row(500).wire(Wire::Closed);
        assert_eq!(tests.verdict(&now(), 500), None, "{profile}");
        // It has a window, or a profile of the person's.
        for other in
            [line.replace("--headless=new ", ""), line.replace(profile, "--user-data-dir=/home/u/chrome")]
        {
            let mut table = chrome(1, &other);
            table.row(500).wire(Wire::Closed);
            assert_eq!(table.verdict(&now(), 500), None, "{other}");
        }
    }
}

/// What is told of it, in few words.
fn kinds(finding: &Finding<'_>) -> Vec<String> {
    let told = |evidence| {
        let value: serde_json::Value = serde_json::to_value(evidence).unwrap();
        let words = ["kind", "pid", "by", "how", "direction", "state", "unit", "ports", "count", "rule"];
        let words = words.iter().filter_map(|key| match &value[key] {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        });
        words.collect::<Vec<_>>().join(" ")
    };
    finding.evidence.iter().map(told).collect()
}

#[test]
fn everything_that_was_seen_is_listed_in_the_order_of_the_questions() {
    let told = |change: &dyn Fn(&mut Table)| {
        let mut table = Table::new();
        table.add(500, 1, SERVER).wire(Wire::Closed);
        change(&mut table);
        let rule = AllowRule {
            port: Some(99),
            reason: Some("mine".to_owned()),
            origin: "here:1".to_owned(),
            name: Some(Pattern::parse("server-memory").unwrap()),
            ..AllowRule::default()
        };
        let policy = Policy { allow: vec![rule], ..now() };
        let judgement = table.judge(&policy);
        kinds(&judgement.findings[0])[1..].join(", ")
    };
    assert_eq!(told(&|_| {}), "owner-gone 1 init, wire stdin closed, wire stdout closed, dead-wire");
    let held = |t: &mut Table| {
        t.row(500).wire(Wire::HalfClosed(800));
    };
    assert_eq!(told(&held), "owner-gone 1 init, wire stdin closed, wire stdout held");
    // What it says stays inside: nobody outside can ever read it.
    let inside = |t: &mut Table| {
        t.row(500).change(|r| r.details.stdio.as_mut().unwrap().stdout_peers = Some(vec![Pid(500)]));
    };
    assert_eq!(told(&inside), "owner-gone 1 init, wire stdin closed, wire stdout closed, dead-wire");
    let unknown = |t: &mut Table| {
        t.row(500).wire(Wire::Unknown);
    };
    assert_eq!(told(&unknown), "owner-gone 1 init, wire stdin unknown, wire stdout unknown");
    assert_eq!(
        told(&|t| {
            t.row(500).wire(Wire::Null);
        }),
        "owner-gone 1 init, no-wire"
    );
    let port = |t: &mut Table| {
        t.row(500).wire(Wire::Null).listens(80, 2);
    };
    assert_eq!(told(&port), "owner-gone 1 init, no-wire, listening [80], connected 2");
    let allowed = |t: &mut Table| {
        t.row(500).wire(Wire::Null).listens(99, 0);
    };
    assert_eq!(told(&allowed), "allowed 500 here:1, owner-gone 1 init, no-wire, listening [99], connected 0");
    let blind = |t: &mut Table| {
        t.row(500).listens(80, 0).change(|r| r.details.connected = None);
    };
    assert_eq!(
        told(&blind).split(", ").skip(3).collect::<Vec<_>>(),
        ["listening [80]", "network-unknown", "dead-wire"]
    );
    let deaf = |t: &mut Table| {
        t.row(500).wire(Wire::Null).change(|r| r.details.listening = None);
    };
    assert!(told(&deaf).ends_with("network-unknown"));
    let unit = |t: &mut Table| {
        t.row(500).wire(Wire::Null).unit("x.service", Some(500));
    };
    assert_eq!(told(&unit), "owner-gone 1 init, managed x.service, no-wire");
    let leaked = |t: &mut Table| {
        t.row(500).wire(Wire::Null).unit("x.service", Some(9));
    };
    assert_eq!(told(&leaked), "owner-gone 1 init, unmanaged x.service, no-wire");
    let maybe = |t: &mut Table| {
        t.row(500).wire(Wire::Null).unit("x.service", None);
    };
    assert_eq!(told(&maybe), "owner-gone 1 init, maybe-managed x.service, no-wire");
    let below = |t: &mut Table| {
        t.add(600, 500, "claude -p hi");
    };
    assert!(told(&below).ends_with("client-below 600, dead-wire"));
    let owned = |t: &mut Table| {
        t.row(500).wire(Wire::Null).change(|r| r.parent = Pid(800));
    };
    assert_eq!(told(&owned), "owner-alive 800, no-wire");
    let lost = |t: &mut Table| {
        t.row(500).wire(Wire::Null).change(|r| r.parent = Pid(77));
    };
    assert_eq!(told(&lost), "owner-unknown 77, no-wire");
}
