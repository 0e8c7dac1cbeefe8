//! What holds for every command line: data never identifies, programs do, and nothing panics.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::LazyLock;

use mcp_reap::bytes::RawText;
use mcp_reap::catalog::{Catalog, Identification, Role};
use mcp_reap::process::{Pid, ProcessRecord, StartTime};
use mcp_reap::program::Resolution;
use proptest::prelude::*;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::builtin);

fn record(argv: Vec<RawText>, exe: Option<&str>) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(4242), StartTime(1));
    record.comm = argv.first().cloned().unwrap_or_default();
    record.details.exe = exe.map(RawText::from);
    record.argv = Some(argv.iter().collect());
    record
}

fn identify(argv: &[&str]) -> Option<Identification> {
    CATALOG.identify(&record(argv.iter().map(|word| RawText::from(*word)).collect(), None))
}

fn is_server(found: Option<&Identification>) -> bool {
    found.is_some_and(|found| matches!(found.role, Role::Server | Role::Launcher))
}

/// Programs whose words are data, each as the words before that data.
const DATA: &[&[&str]] = &[
    &["vim"],
    &["/usr/bin/nvim", "-O"],
    &["emacs", "-nw"],
    &["code", "--wait"],
    &["less", "-R"],
    &["tail", "-F"],
    &["cat"],
    &["grep", "-rn"],
    &["rg", "--hidden"],
    &["find", ".", "-name"],
    &["git", "clone"],
    &["git", "commit", "-m"],
    &["git", "log", "--"],
    &["gh", "repo", "view"],
    &["cargo", "build", "-p"],
    &["cargo", "test"],
    &["cargo", "install"],
    &["go", "build", "-o"],
    &["go", "test"],
    &["make"],
    &["make", "-C"],
    &["npm", "install"],
    &["npm", "view"],
    &["pnpm", "add"],
    &["yarn", "add"],
    &["bun", "test"],
    &["bun", "add"],
    &["deno", "install"],
    &["deno", "test"],
    &["pip", "install"],
    &["python", "-m", "pip", "install"],
    &["python3", "-m", "pytest", "-k"],
    &["python", "-m", "http.server", "--directory"],
    &["pytest"],
    &["uv", "add"],
    &["uv", "tool", "install"],
    &["uv", "pip", "install"],
    &["pipx", "install"],
    &["docker", "build", "-t"],
    &["docker", "pull"],
    &["docker", "logs", "-f"],
    &["docker", "run", "--rm", "-e", "A=b", "postgres:16", "-c"],
    &["docker", "run", "--rm", "--name", "mcp-server", "postgres:16"],
    &["kubectl", "logs"],
    &["systemctl", "status"],
    &["journalctl", "-u"],
    &["tmux", "new", "-s"],
    &["ssh"],
    &["rsync", "-a"],
    &["curl", "-N"],
    &["psql"],
    &["pgrep", "-af"],
    &["pkill", "-f"],
    &["watch", "-n", "2"],
    &["sleep", "60"],
    &["echo"],
    &["bash", "--rcfile", "x", "/srv/app.sh"],
    &["sh", "-c", "sleep 60"],
    &["sh", "-c", "exec tail -f x.log"],
    &["bash", "-lc", "git pull"],
    &["node", "--test"],
    &["node", "/srv/app/dist/index.js"],
    &["node", "/srv/app/node_modules/.bin/vite"],
    &["node", "/srv/app/node_modules/.bin/eslint"],
    &["npx", "vitest", "run"],
    &["npx", "tsc", "-p"],
    &["tsx", "--test"],
    &["python", "/srv/app/manage.py"],
    &["python3", "-c", "print(1)", "/srv/x.txt"],
    &["java", "-jar", "/srv/app.jar"],
    &["ruby", "/srv/app/app.rb"],
    &["php", "artisan", "make:command"],
    &["nginx", "-c"],
    &["redis-server"],
];

/// Words before which a program stands, each ready for its name.
const STARTS: &[&[&str]] = &[
    &["npx", "-y"],
    &["uvx"],
    &["uv", "tool", "uvx"],
    &["bunx"],
    &["pnpm", "dlx"],
    &["yarn", "dlx"],
    &["pipx", "run"],
    &["docker", "run", "-i", "--rm"],
    &["env", "A=b"],
    &["timeout", "5"],
    &["sudo", "-u", "dora"],
    &["sh", "-c"],
    &["mise", "x", "--"],
    &["nice", "-n", "5"],
    &["uv", "run"],
    &["go", "run"],
    &["cargo", "run", "--bin"],
    &["npm", "exec", "--"],
    &["node"],
    &["python", "-m"],
    &["poetry", "run"],
    &["env", "nice", "npx"],
];

/// What a server may be called, and how it may be started.
fn server_text() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "[a-z]{2,8}-mcp(-server)?",
        "mcp-server-[a-z]{2,8}",
        "@[a-z]{2,6}/(mcp|[a-z]{2,6}-mcp)(@latest)?",
        Just("@modelcontextprotocol/server-memory".to_owned()),
        Just("/home/dora/ledger-mcp/dist/index.js".to_owned()),
        Just("mcp_server_git".to_owned()),
    ];
    let start = prop_oneof![
        Just(""),
        Just("npx -y "),
        Just("uvx "),
        Just("docker run -i --rm "),
        Just("python -m "),
        Just("node ")
    ];
    (start, name).prop_map(|(start, name)| format!("{start}{name}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_in_the_place_of_data_identifies(
        program in proptest::sample::select(DATA),
        text in server_text(),
        quote in prop_oneof![Just("{}"), Just("'{}'"), Just("\"{}\""), Just("--x={}"), Just("/srv/{}"), Just("{}.log")],
        split in any::<bool>(),
        after in proptest::collection::vec("[a-z./-]{1,8}", 0..3),
    ) {
        let text = quote.replace("{}", &text);
        let mut words: Vec<String> = program.iter().map(|word| (*word).to_owned()).collect();
        if split { words.extend(text.split(' ').map(str::to_owned)) } else { words.push(text) }
        words.extend(after);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let found = identify(&words);
        prop_assert!(!is_server(found.as_ref()), "{words:?} -> {found:?}");
    }

    #[test]
    fn the_same_text_in_the_place_of_the_program_does(
        // No word that means a site, a test or a build, and no subcommand that ends at once.
        name in "q[a-z]{3,8}-mcp",
        before in proptest::sample::select(STARTS),
        args in proptest::collection::vec("-{0,2}q[a-z]{4,6}(=[a-z]{1,3})?", 0..4),
    ) {
        prop_assume!(!["create", "build", "install", "setup", "deploy", "kill", "stop", "check", "lint", "test"].iter().any(|verb| name.starts_with(verb)));
        // A few first arguments make the program do something else and end.
        prop_assume!(!args.iter().any(|arg| ["-h", "-V", "auth", "dev", "help", "init", "list", "login", "logout", "setup", "tools", "doctor", "--help"].contains(&arg.as_str())));
        let args = if before[0] == "sh" { Vec::new() } else { args };
        let words: Vec<&str> = before.iter().copied().chain([name.as_str()]).chain(args.iter().map(String::as_str)).collect();
        let found = identify(&words);
        prop_assert!(is_server(found.as_ref()), "{words:?} -> {found:?}");
    }

    #[test]
    fn any_bytes_are_taken_without_harm(
        argv in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..24), 0..6),
        first in proptest::option::of(proptest::sample::select(&[
            "node", "python3", "sh", "npx", "uv", "docker", "env", "java", "deno", "bun", "dotnet", "npm", "cargo", "nix", "mise", "npm exec ",
        ][..])),
        exe in proptest::option::of("[ -~]{0,12}"),
    ) {
        let mut words: Vec<RawText> = argv.into_iter().map(RawText::from).collect();
        if let Some(first) = first {
            words.insert(0, RawText::from(first));
        }
        let record = record(words, exe.as_deref());
        let once = CATALOG.identify(&record);
        prop_assert_eq!(&once, &CATALOG.identify(&record));
        let _ = Resolution::of(&record);
    }

    #[test]
    fn any_shell_line_ends(line in "[a-z '\"\\\\$(){};|&<>#=\n-]{0,60}") {
        for words in [&["sh", "-c", &line][..], &["env", "-S", &line], &["npx", "-c", &line], &["nodemon", "--exec", &line]] {
            let _ = identify(words);
        }
    }

    #[test]
    fn words_that_are_not_read_do_not_matter(tail in proptest::collection::vec("[ -~]{0,12}", 0..8)) {
        // What stands behind the program decides only where it is a mode of it.
        prop_assume!(!tail.iter().any(|word| word == "--" || word.contains("mcp") || word.starts_with('-')));
        let mut words = vec!["node", "/srv/x/node_modules/.bin/vite"];
        words.extend(tail.iter().map(String::as_str));
        prop_assert_eq!(identify(&words), None);
    }
}

#[test]
fn layers_without_end_come_to_an_end() {
    let words: Vec<&str> = std::iter::repeat_n("env", 5000).chain(["ledger-mcp"]).collect();
    assert!(!is_server(identify(&words).as_ref()));
    let nested = (0..40).fold("ledger-mcp".to_owned(), |inner, _| {
        format!("sh -c \"{}\"", inner.replace('\\', "\\\\").replace('"', "\\\""))
            .chars()
            .take(100_000)
            .collect()
    });
    let _ = identify(&["sh", "-c", &nested]);
}

#[test]
fn an_empty_argv_falls_back_to_what_is_whole() {
    for (argv, exe, comm, server) in [
        (None, None, "ledger-mcp", true),
        (None, None, "mcp-server-fil", true),
        // Fifteen bytes may have been cut.
        (None, None, "mcp-server-file", false),
        (Some(vec![]), Some("/usr/bin/node"), "ledger-mcp", false),
        (Some(vec![""]), Some("/srv/bin/ledger-mcp"), "x", true),
        (None, None, "MainThread", false),
        (None, None, "", false),
    ] {
        let mut record = ProcessRecord::new(Pid(7), StartTime(1));
        record.argv = argv.map(|words| words.into_iter().collect());
        record.details.exe = exe.map(RawText::from);
        record.comm = comm.into();
        assert_eq!(is_server(CATALOG.identify(&record).as_ref()), server, "{exe:?} {comm}");
    }
}

#[test]
fn a_title_padded_with_nothing_is_read_as_the_title() {
    let argv = ["npm exec @acme/ledger-mcp", "", "", ""].map(RawText::from).into();
    assert!(is_server(CATALOG.identify(&record(argv, Some("/usr/bin/node"))).as_ref()));
}

#[test]
fn bytes_that_are_no_text_hide_nothing() {
    let argv = vec![
        RawText::from("node"),
        RawText::from("/srv/ledger-mcp/dist/index.js"),
        RawText::from(&b"--name=\xff\xfe"[..]),
    ];
    assert!(is_server(CATALOG.identify(&record(argv, None)).as_ref()));
}

#[test]
fn inits_and_supervisors_are_distinguished() {
    for (words, role, name) in [
        (&["/sbin/init", "splash"][..], Role::Init, "init"),
        (&["/usr/lib/systemd/systemd", "--user"], Role::Init, "systemd"),
        (&["/sbin/launchd"], Role::Init, "launchd"),
        (&["/init"], Role::Init, "init"),
        (&["PM2 v5.4.0: God Daemon (/home/dora/.pm2)"], Role::Supervisor, "PM2"),
        (&["/usr/bin/python3", "/usr/bin/supervisord", "-n"], Role::Supervisor, "supervisord"),
        (
            &["/usr/bin/containerd-shim-runc-v2", "-namespace", "moby"],
            Role::Supervisor,
            "containerd-shim-runc-v2",
        ),
        (&["/usr/bin/conmon", "--api-version", "1"], Role::Supervisor, "conmon"),
        (&["s6-supervise", "mcp-server"], Role::Supervisor, "s6-supervise"),
    ] {
        let found = identify(words).unwrap_or_else(|| panic!("{words:?}"));
        assert_eq!((found.role, found.name.as_str()), (role, name), "{words:?}");
    }
}

#[test]
fn tini_is_an_init_as_pid_1_and_a_launcher_elsewhere() {
    for init in ["/usr/bin/tini", "dumb-init", "/sbin/docker-init", "catatonit"] {
        for (pid, role) in [(1, Role::Init), (2, Role::Launcher), (4242, Role::Launcher)] {
            let mut record = ProcessRecord::new(Pid(pid), StartTime(1));
            record.argv = Some([init, "--", "node", "/srv/ledger-mcp/index.js"].iter().collect());
            assert_eq!(CATALOG.identify(&record).map(|found| found.role), Some(role), "{init} {pid}");
        }
        let mut other = ProcessRecord::new(Pid(4242), StartTime(1));
        other.argv = Some([init, "--", "nginx"].iter().collect());
        assert_eq!(CATALOG.identify(&other).map(|found| found.role), Some(Role::Wrapper), "{init}");
    }
}

#[test]
fn what_a_person_teaches_is_known_by_all_names_of_the_program() {
    use mcp_reap::pattern::Pattern;
    use mcp_reap::policy::{Limits, ServerRule};
    let taught = |pattern: &str| {
        let rule = ServerRule {
            name: "my-notes".into(),
            program: Some(Pattern::parse(pattern).unwrap()),
            limits: Limits::default(),
            origin: String::new(),
        };
        Catalog::builtin().with_rules(&[rule])
    };
    for (pattern, words, role) in [
        ("notes-server.py", &["python3", "/srv/notes-server.py"][..], Some(Role::Server)),
        ("notes-server", &["python3", "/srv/notes-server.py"], Some(Role::Server)),
        ("@acme/notes", &["npx", "-y", "@acme/notes@2"], Some(Role::Launcher)),
        ("notes", &["npx", "-y", "@acme/notes@2"], Some(Role::Launcher)),
        ("notes*", &["/opt/bin/notes-daemon"], Some(Role::Server)),
        ("notes*", &["vim", "notes-server.py"], None),
        // A client stays one, whatever is taught.
        ("claude", &["claude", "-p", "hi"], Some(Role::Client)),
    ] {
        let found =
            taught(pattern).identify(&record(words.iter().map(|word| RawText::from(*word)).collect(), None));
        assert_eq!(found.as_ref().map(|found| found.role), role, "{pattern} {words:?}");
        if matches!(role, Some(Role::Server | Role::Launcher)) {
            assert_eq!(found.unwrap().name, "my-notes");
        }
    }
}

#[test]
fn the_catalog_without_entries_and_the_default_identify_nothing_they_do_not_know() {
    assert!(Catalog::default().identify(&record(vec![RawText::from("ledger-mcp")], None)).is_none());
    assert!(Catalog::source().contains("mcp"));
}
