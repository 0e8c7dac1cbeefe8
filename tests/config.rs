//! The configuration as it lies on disk: where it is found, what is trusted, the message of each mistake.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mcp_reap::config::{self, ConfigError, Loaded, Mistake, Surroundings};
use mcp_reap::policy::{CountPer, Policy, Retention};
use mcp_reap::process::Pid;

/// A home directory with nothing in it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn around(&self) -> Surroundings {
        Surroundings {
            config: None,
            xdg_config_home: None,
            xdg_state_home: None,
            home: Some(self.0.path().into()),
            euid: nix::unistd::geteuid().as_raw(),
            home_of: |_| None,
            macos: false,
        }
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(".config/mcp-reap/config.toml")
    }

    fn write(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let file = self.file();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        file
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        config::load_in(&self.around(), None)
    }

    fn loaded(&self, text: &str) -> Loaded {
        self.write(text);
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The message about a text, without the path of the file in front.
    fn complaint(&self, text: &str) -> String {
        let file = self.write(text);
        let error = self.load().expect_err(text).to_string();
        error.strip_prefix(&format!("{}:", file.display())).unwrap_or(&error).to_owned()
    }

    fn mistake(&self, text: &str) -> Mistake {
        self.write(text);
        match self.load() {
            Err(ConfigError::Mistake(mistake)) => *mistake,
            other => panic!("{text}: {other:?}"),
        }
    }
}

fn same_policy(one: &Policy, other: &Policy) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

#[test]
fn without_a_file_the_defaults_hold() {
    let loaded = Home::new().load().unwrap();
    same_policy(&loaded.policy, &Policy::default());
    assert_eq!((loaded.retention, loaded.origin), (Retention::default(), None));
}

#[test]
fn every_setting_reaches_the_policy() {
    let home = Home::new();
    let pid_file = home.0.path().join("gate.pid");
    fs::write(&pid_file, "77\n").unwrap();
    let loaded = home.loaded(
        r#"
[reap]
grace = "2s"
min_age = "0"
confirm_after = "50ms"
settle = "4s"
detached = true
clients = true
[limits]
max_count = 3
count_per = "user"
max_age = "1d"
max_rss = "1GiB"
[[allow]]
name = "gate*"
command = "re:gate"
exe = "~/bin/*"
port = 8700
pid_file = "~/gate.pid"
unit = "gate.service"
label = "com.example.gate"
cwd = "/srv"
reason = "shared"
[[server]]
name = "notes"
program = "notes.py"
limits = { max_rss = "4096B" }
[[server]]
name = "maps"
[server.limits]
max_count = 1
[audit]
keep_days = 7
max_size = "1MB"
"#,
    );
    let policy = loaded.policy;
    assert_eq!(policy.grace, Duration::from_secs(2));
    assert_eq!(policy.min_age, Duration::ZERO);
    assert_eq!(policy.confirm_after, Duration::from_millis(50));
    assert_eq!(policy.settle, Duration::from_secs(4));
    assert!(policy.detached && policy.clients && !policy.all_users);
    assert_eq!(policy.limits.max_count, Some(3));
    assert_eq!(policy.limits.count_per, Some(CountPer::User));
    assert_eq!(policy.limits.max_age, Some(Duration::from_hours(24)));
    assert_eq!(policy.limits.max_rss, Some(1 << 30));
    let rule = &policy.allow[0];
    assert!(rule.exe.as_ref().unwrap().matches(home.0.path().join("bin/gate").to_str().unwrap()));
    assert_eq!(rule.pid_file, Some((pid_file, Some(Pid(77)))));
    assert_eq!((rule.port, rule.reason.as_deref()), (Some(8700), Some("shared")));
    assert_eq!(rule.origin, "config.toml:14");
    assert!(rule.name.is_some() && rule.command.is_some() && rule.cwd.is_some());
    assert!(rule.unit.is_some() && rule.label.is_some());
    assert_eq!(policy.servers[0].limits.max_rss, Some(4096));
    assert!(policy.servers[0].program.as_ref().unwrap().matches("notes.py"));
    assert_eq!((policy.servers[1].program.is_none(), policy.servers[1].limits.max_count), (true, Some(1)));
    assert_eq!(loaded.retention, Retention { keep_days: 7, max_size: 1_000_000 });
    assert_eq!(loaded.origin, Some(home.file()));
}

#[test]
fn the_file_that_init_writes_changes_nothing_and_every_line_of_it_can_be_taken() {
    let home = Home::new();
    let loaded = home.loaded(config::init_text());
    same_policy(&loaded.policy, &Policy::default());
    assert_eq!(loaded.retention, Retention::default());

    let settings: String = config::init_text()
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let taken = home.loaded(&settings);
    let Policy { allow, servers, expect, .. } = &taken.policy;
    assert_eq!((allow.len(), servers.len(), expect.len()), (1, 1, 1));
    assert!(taken.policy.limits.max_count.is_some() && taken.policy.limits.max_rss.is_some());
    // What it calls the default is the default.
    let plain =
        Policy { allow: vec![], servers: vec![], expect: vec![], limits: Default::default(), ..taken.policy };
    same_policy(&plain, &Policy::default());
    assert_eq!(taken.retention, Retention::default());
}

#[test]
fn a_slash_at_the_end_of_a_folder_is_no_part_of_it() {
    let home = Home::new();
    let own = home.0.path().to_str().unwrap().to_owned();
    for (cwd, folder) in [
        ("/srv/notes/", "/srv/notes"),
        ("/srv/notes//", "/srv/notes"),
        ("/srv/*/", "/srv/maps"),
        ("/", "/"),
        ("~/", own.as_str()),
        ("~", own.as_str()),
        ("*/notes/", "/srv/notes"),
        ("re:^/srv/", "/srv/notes"),
    ] {
        let loaded = home.loaded(&format!("[[allow]]\ncwd = \"{cwd}\"\n"));
        let pattern = loaded.policy.allow[0].cwd.as_ref().unwrap();
        assert!(pattern.matches(folder) && !pattern.matches("/opt/other"), "{cwd}");
    }
}

#[test]
fn a_mistake_is_shown_with_its_line_and_a_caret() {
    let home = Home::new();
    assert_eq!(
        home.complaint("[reap]\ngrase = \"5s\"\n"),
        "2:1: unknown key `grase` in [reap]\n  |\n2 | grase = \"5s\"\n  | ^^^^^ did you mean `grace`?"
    );
    assert_eq!(
        home.complaint("[limits]\n\nmax_rss = \"512M\" # each\n"),
        "3:11: limits.max_rss: `512M` can mean two things: write 512MB (powers of 1000) or 512MiB (powers of 1024)\n  \
         |\n3 | max_rss = \"512M\" # each\n  |           ^^^^^^"
    );
}

/// What to do about a path that no guess would put right.
const WHOLE: &str = "whose paths are absolute: write the whole path, beginning with `/`, `~/` or `*/`";

#[test]
fn each_mistake_names_its_key_its_place_and_what_was_expected() {
    let home = Home::new();
    for (text, (line, column), key, message) in [
        ("raep = 1", (1, 1), "raep", "unknown key `raep`"),
        (
            "[reap]\ngrace = 5",
            (2, 9),
            "reap.grace",
            "expected a duration such as \"90s\" or \"24h\", found a number",
        ),
        ("[reap]\ngrace = \"5\"", (2, 9), "reap.grace", "`5` has no unit: write 5s, 5m, 5h or 5d"),
        ("[reap]\ngrace = \"11m\"", (2, 9), "reap.grace", "at most 10m is taken"),
        ("[reap]\nsettle = \"31s\"", (2, 10), "reap.settle", "at most 30s is taken"),
        ("[reap]\nconfirm_after = \"61s\"", (2, 17), "reap.confirm_after", "at most 1m is taken"),
        ("[reap]\nmin_age = \"-1s\"", (2, 11), "reap.min_age", "`-1s` does not begin with a number"),
        ("[reap]\ndetached = \"yes\"", (2, 12), "reap.detached", "expected true or false, found a text"),
        ("reap = 5", (1, 8), "reap", "expected a table: [reap], found a number"),
        (
            "[limits]\nmax_count = 0",
            (2, 13),
            "limits.max_count",
            "expected a whole number from 1 to 4294967295, found 0",
        ),
        ("[limits]\nmax_count = 2.5", (2, 13), "limits.max_count", "found a number with a fraction"),
        (
            "[limits]\ncount_per = \"host\"",
            (2, 13),
            "limits.count_per",
            "`host` is neither \"client\" nor \"user\"",
        ),
        ("[limits]\nmax_age = \"0s\"", (2, 11), "limits.max_age", "0 would end every instance"),
        ("[limits]\nmax_rss = 0", (2, 11), "limits.max_rss", "0 would end every instance"),
        ("[limits]\nmax_rss = -5", (2, 11), "limits.max_rss", "`-5` does not begin with a number"),
        (
            "[limits]\nmax_rss = 500",
            (2, 11),
            "limits.max_rss",
            "`500` has no unit: write 500MB, 500MiB or 500B, in quotes",
        ),
        ("[audit]\nmax_size = 50", (2, 12), "audit.max_size", "`50` has no unit"),
        ("[[allow]]\nreason = \"x\"", (1, 1), "allow", "this [[allow]] entry names nothing"),
        ("[[allow]]\nnmae = \"x\"", (2, 1), "allow.nmae", "unknown key `nmae` in [allow]"),
        ("[[allow]]\nname = \"re:(\"", (2, 8), "allow.name", "regex parse error"),
        ("[[allow]]\nname = \"\"", (2, 8), "allow.name", "an empty pattern"),
        ("[[allow]]\nname = [\"a\"]", (2, 8), "allow.name", "expected a pattern, as a text, found a list"),
        ("[[allow]]\nport = 65536", (2, 8), "allow.port", "expected a whole number from 1 to 65535"),
        ("[[allow]]\nport = \"80\"", (2, 8), "allow.port", "found a text"),
        (
            "[[allow]]\npid_file = \"x.pid\"",
            (2, 12),
            "allow.pid_file",
            "must be an absolute path, or begin with ~/",
        ),
        (
            "[[allow]]\nname = \"x\"\ncwd = \"src/notes\"",
            (3, 7),
            "allow.cwd",
            "`src/notes` matches no process, whose paths are absolute: write the whole path, `~/src/notes` or `*/src/notes`",
        ),
        ("[[allow]]\ncwd = \"./notes\"", (2, 7), "allow.cwd", "`~/notes` or `*/notes`"),
        ("[[allow]]\ncwd = \"~kim/notes\"", (2, 7), "allow.cwd", WHOLE),
        ("[[allow]]\ncwd = \".\"", (2, 7), "allow.cwd", WHOLE),
        ("[[allow]]\ncwd = \"./\"", (2, 7), "allow.cwd", WHOLE),
        ("[[allow]]\nexe = \"../notes\"", (2, 7), "allow.exe", WHOLE),
        ("[[allow]]\nexe = \"bin//notes\"", (2, 7), "allow.exe", WHOLE),
        ("[[allow]]\nexe = \"$HOME/notes\"", (2, 7), "allow.exe", WHOLE),
        ("[[allow]]\ncwd = \"notes/\"", (2, 7), "allow.cwd", "`~/notes` or `*/notes`"),
        (
            "[[allow]]\ncwd = \"~/.\"",
            (2, 7),
            "allow.cwd",
            "`~/.` matches no process, whose paths have no `.`",
        ),
        ("[[allow]]\nexe = \"*/../notes\"", (2, 7), "allow.exe", "write the path without"),
        ("[[allow]]\nexe = \"/opt/../srv/notes\"", (2, 7), "allow.exe", "write the path without"),
        ("[[allow]]\nexe = \"/opt//notes\"", (2, 7), "allow.exe", "write the path without"),
        ("[[allow]]\ncwd = \"//srv\"", (2, 7), "allow.cwd", "write the path without"),
        ("[[allow]]\ncwd = \"\"", (2, 7), "allow.cwd", "an empty pattern"),
        ("[[allow]]\nexe = \"python3\"", (2, 7), "allow.exe", "or `*/python3`"),
        ("[[allow]]\nexe = \"/opt/notes/\"", (2, 7), "allow.exe", "`/opt/notes/*` for all below this folder"),
        (
            "[allow]\nname = \"x\"",
            (1, 1),
            "allow",
            "expected entries that begin with [[allow]], found a table",
        ),
        ("allow = [1]", (1, 10), "allow", "expected entries that begin with [[allow]], found a number"),
        ("[[server]]\nprogram = \"x\"", (1, 1), "server", "this [[server]] entry has no name"),
        ("[[server]]\nname = \" \"\nprogram = \"x\"", (2, 8), "server.name", "empty"),
        ("[[server]]\nname = \"x\"", (1, 1), "server", "this [[server]] entry does nothing"),
        (
            "[[server]]\nname = \"x\"\nlimits = { max_cuont = 1 }",
            (3, 12),
            "server.limits.max_cuont",
            "unknown key",
        ),
        (
            "[audit]\nkeep_days = 0",
            (2, 13),
            "audit.keep_days",
            "expected a whole number from 1 to 36500, found 0",
        ),
        ("[exec]\nlinger = 60", (2, 10), "exec.linger", "expected a duration"),
        ("[exec]\nlinger = \"25h\"", (2, 10), "exec.linger", "at most 1d is taken"),
        ("[exec]\nlnger = \"1s\"", (2, 1), "exec.lnger", "unknown key"),
        ("[audit]\nmax_size = \"0\"", (2, 12), "audit.max_size", "no room for a record"),
        ("[audit]\npath = \"/x\"", (2, 1), "audit.path", "unknown key `path` in [audit]"),
    ] {
        let mistake = home.mistake(text);
        assert_eq!((mistake.line, mistake.column), (line, column), "{text}: {mistake}");
        assert_eq!(mistake.key, key, "{text}");
        assert!(mistake.message.contains(message), "{text}: {mistake}");
    }
}

#[test]
fn a_stray_comma_or_a_key_given_twice_is_a_mistake_with_a_place() {
    let home = Home::new();
    for (text, line) in [
        ("[[allow]]\nname = \"x\",\n", 2),
        ("[reap]\ngrace = \"5s\"\ngrace = \"6s\"\n", 3),
        ("[reap]\n[reap]\n", 2),
        ("[reap\n", 1),
        ("[[allow]]\nname = 'x\n", 2),
        ("\u{0}", 1),
    ] {
        assert_eq!(home.mistake(text).line, line, "{text}: {}", home.mistake(text));
    }
}

#[test]
fn the_file_is_read_whatever_its_line_ends_and_byte_order_mark() {
    let home = Home::new();
    assert_eq!(home.loaded("[reap]\r\ngrace = \"9s\"\r\n").policy.grace, Duration::from_secs(9));
    assert_eq!(home.loaded("\u{feff}[reap]\ngrace = \"8s\"").policy.grace, Duration::from_secs(8));
    same_policy(&home.loaded("").policy, &Policy::default());
}

#[test]
fn no_escape_sequence_reaches_the_terminal() {
    let message = Home::new().complaint("[reap]\nx = 1 # \u{1b}[31m\n");
    assert!(!message.contains('\u{1b}'), "{message:?}");
}

#[test]
fn a_file_named_on_purpose_must_exist_and_the_usual_one_need_not() {
    let home = Home::new();
    let missing = home.0.path().join("none.toml");
    let mut around = home.around();
    let error = config::load_in(&around, Some(&missing)).unwrap_err().to_string();
    assert_eq!(error, format!("{}: no such file (named by --config)", missing.display()));
    around.config = Some(missing.clone().into());
    let error = config::load_in(&around, None).unwrap_err().to_string();
    assert_eq!(error, format!("{}: no such file (named by $MCP_REAP_CONFIG)", missing.display()));
    around.config = None;
    around.xdg_config_home = Some(home.0.path().join("xdg").into());
    assert_eq!(config::load_in(&around, None).unwrap().origin, None);
}

#[test]
fn a_file_that_others_can_write_is_not_believed() {
    let home = Home::new();
    let file = home.write("");
    for mode in [0o620, 0o602, 0o666] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let error = home.load().unwrap_err().to_string();
        assert!(error.contains(&format!("others can write it (mode {mode:04o})")), "{error}");
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(home.load().is_ok());
    let directory = file.parent().unwrap();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o777)).unwrap();
    let error = home.load().unwrap_err().to_string();
    assert!(error.contains("anybody can replace files in this directory"), "{error}");
    fs::set_permissions(directory, fs::Permissions::from_mode(0o1777)).unwrap();
    assert!(home.load().is_ok());
}

#[test]
fn a_file_of_another_user_is_not_believed() {
    let home = Home::new();
    home.write("[reap]\n");
    // Seen by somebody else, the file is another user's. Root's files are believed by everyone.
    let mut around = home.around();
    let owner = around.euid;
    around.euid = 4711;
    around.home_of = |_| None;
    let seen = config::load_in(&around, Some(&home.file()));
    if owner == 0 {
        assert!(seen.is_ok());
        std::os::unix::fs::chown(home.file(), Some(4712), None).unwrap();
        let error = config::load_in(&around, Some(&home.file())).unwrap_err().to_string();
        assert!(error.contains("belongs to user 4712"), "{error}");
        std::os::unix::fs::chown(home.0.path(), Some(4712), None).unwrap();
        assert!(matches!(
            config::load_in(&around, None),
            Err(ConfigError::ForeignHome { owner: 4712, euid: 4711, .. })
        ));
    } else {
        assert!(seen.unwrap_err().to_string().contains(&format!("belongs to user {owner}")));
        assert!(matches!(config::load_in(&around, None), Err(ConfigError::ForeignHome { .. })));
    }
}

#[test]
fn a_link_is_followed_and_what_it_leads_to_must_check_out() {
    let home = Home::new();
    let target = home.0.path().join("dotfiles.toml");
    fs::write(&target, "[reap]\ngrace = \"3s\"").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir_all(home.file().parent().unwrap()).unwrap();
    symlink(&target, home.file()).unwrap();
    assert_eq!(home.load().unwrap().policy.grace, Duration::from_secs(3));
    fs::set_permissions(&target, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(home.load(), Err(ConfigError::NotTrusted { .. })));
    fs::remove_file(&target).unwrap();
    assert!(
        matches!(home.load(), Err(ConfigError::Unreadable { .. })),
        "a link to nowhere was meant for something"
    );
}

#[test]
fn what_is_no_file_is_refused_and_does_not_hang() {
    let home = Home::new();
    let file = home.file();
    fs::create_dir_all(&file).unwrap();
    assert!(home.load().unwrap_err().to_string().contains("not a regular file"));
    fs::remove_dir(&file).unwrap();
    nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(home.load().unwrap_err().to_string().contains("not a regular file"));
    let null = config::load_in(&home.around(), Some(Path::new("/dev/null"))).unwrap_err().to_string();
    assert!(null.contains("not a regular file"), "{null}");
}

#[test]
fn a_file_too_large_or_not_utf8_is_refused() {
    let home = Home::new();
    home.write(vec![b'#'; (1 << 20) + 1]);
    assert!(home.load().unwrap_err().to_string().contains("larger than 1048576 bytes"));
    home.write(b"# one\n# tw\xff\n");
    assert!(home.load().unwrap_err().to_string().contains("not UTF-8 in line 2"));
}

#[test]
fn a_pid_file_that_is_missing_matches_nothing_and_a_strange_one_is_a_mistake() {
    let home = Home::new();
    let rule = |path: &Path| format!("[[allow]]\npid_file = \"{}\"\n", path.display());
    let path = home.0.path().join("d.pid");
    assert_eq!(home.loaded(&rule(&path)).policy.allow[0].pid_file, Some((path.clone(), None)));
    fs::write(&path, "gate\n").unwrap();
    let mistake = home.mistake(&rule(&path));
    assert_eq!((mistake.line, mistake.key.as_str()), (2, "allow.pid_file"));
    assert!(mistake.message.ends_with("does not begin with the number of a process"), "{mistake}");
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(home.mistake(&rule(&path)).message.ends_with("not a regular file"));
}

#[test]
fn no_text_makes_the_reader_panic() {
    use proptest::prelude::*;
    let home = Home::new();
    let piece = prop::sample::select(vec![
        "[reap]",
        "[limits]",
        "[[allow]]",
        "[[server]]",
        "[audit]",
        "\n",
        " = ",
        "grace",
        "max_rss",
        "name",
        "port",
        "limits",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "5s",
        "1GiB",
        "é",
        "\u{1f600}",
        "0x1F",
        "1_0",
        ",",
        "#",
        "\t",
        "\r",
        ".",
        "true",
        "\\u0000",
        "re:(",
        "*",
    ]);
    let text = prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat());
    proptest!(ProptestConfig::with_cases(500), |(text in text)| {
        home.write(&text);
        if let Err(error) = home.load() {
            prop_assert!(error.to_string().contains("config.toml:"), "{}", error);
        }
    });
}

#[test]
fn expected_servers_have_a_name_and_bounds_that_agree() {
    let home = Home::new();
    let bounds = |text: &str| {
        let expect = home.loaded(&format!("[[expect]]\nname = \"notes-*\"\n{text}")).policy.expect;
        (expect[0].pattern.matches("notes-x"), expect[0].min, expect[0].max)
    };
    assert_eq!(bounds(""), (true, 1, None));
    assert_eq!(bounds("max = 3"), (true, 1, Some(3)));
    assert_eq!(bounds("max = 0"), (true, 0, Some(0)));
    assert_eq!(bounds("min = 0\nmax = 2"), (true, 0, Some(2)));
    for (text, message) in [
        ("[[expect]]\nmin = 1", "1:1: this [[expect]] entry has no name"),
        ("[[expect]]\nname = \"x\"\nmin = 3\nmax = 2", "1:1: min is 3, more than max allows"),
        ("[[expect]]\nname = \"x\"\nmni = 3", "3:1: unknown key `mni` in [expect]"),
        ("[[expect]]\nname = \"x\"\nmin = -1", "3:7: expect.min: expected a whole number"),
    ] {
        let complaint = home.complaint(text);
        assert!(complaint.starts_with(message), "{complaint}");
    }
}
