//! The faces that need a real file, a real shell or a real formatter: log, completions, man, doctor.

#![allow(clippy::unwrap_used)]

mod limit;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use limit::{Limited as _, Lines};

/// A person with a home of their own.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Home {
        Home(tempfile::tempdir().unwrap())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-reap"));
        command.args(args).env_clear().env("HOME", self.0.path()).env("TZ", "UTC").stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output_soon()
    }

    fn says(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn state(&self) -> PathBuf {
        let mac = cfg!(target_os = "macos");
        let folder = self.0.path().join(if mac { "Library/Logs/mcp-reap" } else { ".local/state/mcp-reap" });
        fs::create_dir_all(&folder).unwrap();
        folder
    }
}

/// The lines of a run that ended one process of `server`.
fn run_of(day: &str, server: &str) -> String {
    let line = |second: u32, rest: &str| {
        format!(r#"{{"schema":1,"at":"{day}T03:00:0{second}.000Z","run":"{day}","event":{rest}}}"#) + "\n"
    };
    let who = format!(
        r#""pid":70,"start":1,"started_at":"{day}T01:00:00.000Z","server":"{server}","root":70,"role":"server""#
    );
    line(0, r#""run-started","started_by":"schedule","version":"0","pid":9,"uid":1,"targets":1"#)
        + &line(
            1,
            &format!(
                r#""intent",{who},"signal":"TERM","argv":["x"],"rss":40000000,"verdict":"orphaned","reason":"owner gone""#
            ),
        )
        + &line(1, &format!(r#""exited",{who},"after_ms":20"#))
        + &line(
            2,
            r#""run-finished","instances":1,"processes":1,"rss_reclaimed":40000000,"duration_ms":1400"#,
        )
}

#[test]
fn the_log_reads_rotated_files_first_and_a_torn_last_line_is_no_error() {
    let home = Home::new();
    let state = home.state();
    fs::write(state.join("audit.2026-11-18.jsonl"), run_of("2026-11-18", "notes")).unwrap();
    let torn = run_of("2026-11-19", "maps") + r#"{"schema":1,"at":"2026-11"#;
    fs::write(state.join("audit.jsonl"), torn).unwrap();
    let output = home.run(&["log"]);
    let (text, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success());
    let at = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word}: {text}"));
    assert!(at("  notes 70, orphaned: owner gone") < at("  maps 70, orphaned: owner gone"));
    assert!(text.contains("2026-11-18          1          1      40 MB"), "{text}");
    assert!(said.contains("1 line of the log could not be read"), "{said}");
    let since = home.says(&["log", "--since", "2026-11-19"]);
    assert!(since.contains("maps") && !since.contains("notes"), "{since}");
    let json: serde_json::Value = serde_json::from_str(&home.says(&["log", "--json"])).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(json[1]["instances"][0]["processes"][0]["outcome"], "exited");
}

#[test]
fn following_shows_each_run_when_it_is_over_and_ends_when_nobody_reads() {
    let home = Home::new();
    let log = home.state().join("audit.jsonl");
    fs::write(&log, run_of("2026-11-18", "notes")).unwrap();
    let mut child = home.command(&["log", "--follow", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = Lines::of(child.stdout.take().unwrap(), 2);
    assert!(lines.next().contains(r#""server":"notes""#));
    let mut add = fs::OpenOptions::new().append(true).open(&log).unwrap();
    let run = run_of("2026-11-19", "maps");
    // Half a run first: it is told once, and whole.
    let half = run.find('\n').unwrap() + 1;
    add.write_all(&run.as_bytes()[..half]).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(700));
    add.write_all(&run.as_bytes()[half..]).unwrap();
    let told = lines.next();
    assert!(told.contains(r#""server":"maps""#) && told.contains(r#""finished":true"#), "{told}");
    // Nobody reads any more: it ends without another run that it could fail to tell of.
    assert!(limit::end_of(&mut child).success(), "a closed pipe is not an error");
}

/// Holds what a command prints to being text: whatever it quotes, no control character reaches the terminal.
#[track_caller]
fn prints_no_control_character(output: &Output, about: &str) {
    let err = String::from_utf8_lossy(&output.stderr);
    // clap leaves colours out of what it quotes.
    assert!(
        !output.status.success() && (err.contains("\\x1b[31mred") || err.contains("'/dev/null/red")),
        "{about}: quoted as text: {output:?}"
    );
    for text in [&err, &String::from_utf8_lossy(&output.stdout)] {
        assert!(text.chars().all(|letter| letter == '\n' || !letter.is_control()), "{about}: {text:?}");
    }
}

#[test]
fn what_errors_quote_cannot_move_the_cursor_or_colour_the_screen() {
    let home = Home::new();
    let red = "/dev/null/\u{1b}[31mred\u{7}\u{9b}";
    for args in [
        &["explain", red][..],
        &["kill", red, "--dry-run"],
        &["--config", red, "--dry-run"],
        &["--snapshot", red, "--dry-run"],
        &["record", "-o", red],
        &["--min-age", red, "--dry-run"],
        &["log", "--since", red],
        &["list", "--sort", red],
        &["list", "--verdict", red],
        &["man", red],
        &[red],
    ] {
        prints_no_control_character(&home.run(args), args[0]);
    }
    if cfg!(target_os = "linux") {
        for command in ["exec", "test"] {
            prints_no_control_character(&home.run(&[command, "--", red]), command);
        }
    }
}

#[test]
fn what_a_configuration_holds_is_quoted_as_text_below_its_line() {
    let home = Home::new();
    let folder = home.0.path().join("\u{1b}[31mred/mcp-reap");
    fs::create_dir_all(&folder).unwrap();
    for text in ["[[allow]]\nname = \"\u{1b}[31mred\"\n", "[[allow]]\n\"\\u001b[31mred\" = \"1\"\n", "x"] {
        fs::write(folder.join("config.toml"), text).unwrap();
        let output =
            home.command(&["--dry-run"]).env("XDG_CONFIG_HOME", folder.parent().unwrap()).output_soon();
        prints_no_control_character(&output, text);
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.lines().any(|line| line.contains('^')), "the lines of the message stay: {err}");
    }
}

#[test]
fn the_name_that_a_project_gives_a_server_is_quoted_as_text_on_one_line() {
    let home = Home::new();
    let project = home.0.path().join("project");
    fs::create_dir(&project).unwrap();
    let servers = r#"{"mcpServers":{"a\u001b[31mred\u0007\nb":{"command":"npx","args":["y"]}}}"#;
    fs::write(project.join(".mcp.json"), servers).unwrap();
    let mut install = home.command(&["wrap", "install", "--client", "claude-code", "--server", "zz"]);
    let output = install.current_dir(&project).output_soon();
    prints_no_control_character(&output, servers);
    assert_eq!(String::from_utf8(output.stderr).unwrap().matches('\n').count(), 1);
}

/// Runs a program on a text; `None` where it is not installed.
fn through(program: &str, args: &[&str], text: &str) -> Option<Output> {
    let spawned = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.ok()?;
    let mut stdin = child.stdin.take().unwrap();
    let text = text.to_owned();
    // It may answer before it has read all.
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = limit::finish(child);
    writer.join().unwrap().ok();
    Some(output)
}

#[test]
fn completions_are_sound_to_their_shells_and_know_every_command() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = home.says(&["completions", shell]);
        for command in ["explain", "check", "doctor", "completions", "max-orphans"] {
            assert!(text.contains(command), "{shell} does not know {command}");
        }
        if ["bash", "zsh", "fish"].contains(&shell)
            && let Some(output) = through(shell, &["-n"], &text)
        {
            assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}");
        }
        // Without a terminal elvish has no `edit:` to complete with, and says so; what it can tell is syntax.
        if shell == "elvish"
            && let Some(output) = through(shell, &["-compileonly", "/dev/stdin"], &text)
        {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("edit:completion") && !said.contains("Parse error"), "{said}");
        }
    }
}

#[test]
fn bash_completes_commands_and_what_follows_them() {
    let generated = Home::new().says(&["completions", "bash"]);
    for (line, completed) in [
        ("e", "explain"),
        ("schedule inst", "install"),
        ("hook ''", "install status uninstall run help"),
        ("check --format ''", "text nagios prometheus"),
        ("list --tr", "--tree"),
        // What runs is asked of the program itself.
        ("explain ''", "4242 notes"),
        ("kill no", "notes"),
        ("kill --in", "--in-use"),
        ("kill --in-use ''", "4242 notes"),
        ("kill --color ''", "auto always never"),
        ("list ''", "notes"),
        ("list --sort ''", "verdict age rss cpu"),
    ] {
        let asked = format!(
            r#"
mcp-reap() {{ printf '4242\tnotes, orphaned\nnotes\tall of this server\n'; }}
complete_it() {{
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    $(complete -p mcp-reap | sed 's/.*-F \([^ ]*\).*/\1/') "$1" "${{!#}}" "${{COMP_WORDS[$# - 2]}}"
    echo "${{COMPREPLY[*]}}"
}}
complete_it mcp-reap {line}
"#
        );
        let Some(output) = through("bash", &["--norc"], &(generated.clone() + &asked)) else { return };
        let said = String::from_utf8_lossy(&output.stdout);
        let all = completed.split(' ').all(|word| said.split_whitespace().any(|have| have == word));
        assert!(all, "{line}: {output:?}");
    }
}

/// What `mcp-reap completions --configured` prints, for a shell's printf.
const CONFIGURED: &str =
    r"install\tcodex\tnotes\ninstall\tcursor\tmaps\ninstall\tcursor\tmy maps\nuninstall\tcodex\tguarded\n";

/// What is typed, and all that is offered then.
const WRAPPED: [(&str, &[&str]); 6] = [
    ("wrap install --client ", &["codex", "cursor"]),
    ("wrap install --client cu", &["cursor"]),
    ("wrap install --client codex --server ", &["notes"]),
    ("wrap install --server ma", &["maps"]),
    ("wrap uninstall --client ", &["codex"]),
    ("wrap uninstall --server ", &["guarded"]),
];

#[test]
fn what_can_be_wrapped_is_named_for_completion_and_nothing_else() {
    let home = Home::new();
    let write = |file: &str, text: &str| {
        let path = home.0.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    assert_eq!(home.says(&["completions", "--configured"]), "");
    write(
        ".codex/config.toml",
        "[mcp_servers.notes]\ncommand = \"npx\"\n[mcp_servers.guarded]\ncommand = \"/usr/bin/mcp-reap\"\nargs = [\"exec\", \"--\", \"x\"]\n",
    );
    let cursor = r#"{"mcpServers": {"maps": {"command": "bun", "args": ["hunter2"]}, "my maps": {"command": "bun"},
        "far": {"url": "https://x.example/mcp"}, "odd\tname": {"command": "bun"}}}"#;
    write(".cursor/mcp.json", cursor);
    assert_eq!(
        home.says(&["completions", "--configured"]),
        CONFIGURED.replace(r"\t", "\t").replace(r"\n", "\n")
    );
}

#[test]
fn bash_completes_the_clients_and_servers_that_can_be_wrapped() {
    let generated = Home::new().says(&["completions", "bash"]);
    for (line, offered) in WRAPPED {
        let asked = format!(
            r#"
mcp-reap() {{ printf '{CONFIGURED}'; }}
COMP_WORDS=(mcp-reap {line}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
[[ '{line}' == *' ' ]] && COMP_WORDS+=('') && COMP_CWORD=$((COMP_CWORD + 1))
_mcp__reap__instances mcp-reap "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
printf '%s\n' "${{COMPREPLY[@]}}"
"#
        );
        let Some(output) = through("bash", &["--norc"], &(generated.clone() + &asked)) else { return };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said.lines().collect::<Vec<_>>(), offered, "{line}: {output:?}");
    }
}

#[test]
fn fish_completes_the_clients_and_servers_that_can_be_wrapped() {
    let generated = Home::new().says(&["completions", "fish"]);
    for (line, offered) in WRAPPED {
        let asked = format!(
            "{generated}\nfunction mcp-reap; printf '{CONFIGURED}'; end\ncomplete -C 'mcp-reap {line}'\n"
        );
        let Some(output) = through("fish", &["--no-config"], &asked) else { return };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let names: Vec<&str> = said.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(names, offered, "{line}: {output:?}");
    }
}

#[test]
fn zsh_completes_the_clients_and_servers_that_can_be_wrapped() {
    let generated = Home::new().says(&["completions", "zsh"]);
    for (option, function) in [("client", "clients"), ("server", "servers")] {
        let asked = generated.lines().filter(|line| {
            line.starts_with(&format!("'--{option}=["))
                && line.ends_with(&format!(":_mcp-reap-{function}' \\"))
        });
        assert_eq!(asked.count(), 2, "of install and of uninstall: {generated}");
    }
    for (line, offered) in WRAPPED {
        let function = if line.contains("--server") { "servers" } else { "clients" };
        // What begins as it was typed is chosen by zsh itself.
        let words = line.strip_prefix("wrap ").unwrap();
        let asked = format!(
            "compdef() {{ }}\n{generated}\nmcp-reap() {{ printf '{CONFIGURED}' }}\n\
             compadd() {{ shift; print -l -- \"$@\" }}\nwords=({words})\n_mcp-reap-{function}\n"
        );
        let Some(output) = through("zsh", &["-f"], &asked) else { return };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let typed = line.rsplit(' ').next().unwrap();
        let names: Vec<&str> = said.lines().filter(|name| name.starts_with(typed)).collect();
        assert_eq!(names, offered, "{line}: {output:?}");
    }
}

#[test]
fn fish_completes_commands_and_what_follows_them() {
    let generated = Home::new().says(&["completions", "fish"]);
    for (line, completed) in [
        ("sch", "schedule"),
        ("schedule inst", "install"),
        ("check --format n", "nagios"),
        ("config show --cat", "--catalog"),
    ] {
        let asked = format!("{generated}\ncomplete -C 'mcp-reap {line}'\n");
        let Some(output) = through("fish", &["--no-config"], &asked) else { return };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.starts_with(completed), "{line}: {output:?}");
    }
}

#[test]
fn every_man_page_is_written_without_a_warning() {
    let home = Home::new();
    let folder = home.0.path().join("man1");
    assert!(home.run(&["man", "--folder", folder.to_str().unwrap()]).status.success());
    let pages: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(pages.contains(&folder.join("mcp-reap.1")) && pages.contains(&folder.join("mcp-reap-check.1")));
    let main = fs::read_to_string(folder.join("mcp-reap.1")).unwrap();
    assert_eq!(main, home.says(&["man"]));
    for section in ["\"EXIT STATUS\"", "FILES", "ENVIRONMENT", "EXAMPLES", "VERSION"] {
        assert_eq!(main.matches(&format!("\n.SH {section}\n")).count(), 1, "{section}");
    }
    assert!(!main.contains("EXTRA"), "the name says nothing");
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for (program, args) in
            [("groff", &["-man", "-Tutf8", "-ww", "-z"][..]), ("mandoc", &["-T", "lint", "-W", "error"])]
        {
            if let Some(output) = through(program, args, &text) {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success() && said.is_empty(), "{program} {}: {said}", page.display());
            }
        }
    }
}

#[test]
fn the_doctor_finds_a_broken_configuration_and_what_it_means_and_changes_nothing() {
    let home = Home::new();
    let fine = home.says(&["doctor"]);
    for what in [
        "machine",
        "kernel",
        "memory",
        "configuration",
        "process table",
        "audit log",
        "clients",
        "schedule",
        "Claude Code hook",
    ] {
        assert!(fine.contains(what), "{what}: {fine}");
    }
    assert_eq!(fs::read_dir(home.0.path()).unwrap().count(), 0, "nothing is made");
    let config = home.0.path().join("c.toml");
    fs::write(&config, "[reap]\ngrase = 1\n").unwrap();
    // Named by the flag, and where it is looked for without one.
    let usual = home.0.path().join(".config/mcp-reap/config.toml");
    fs::create_dir_all(usual.parent().unwrap()).unwrap();
    fs::copy(&config, &usual).unwrap();
    for args in [&["doctor", "--json", "--config", config.to_str().unwrap()][..], &["doctor", "--json"]] {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["works"], false);
        let lines = json["looked_at"].as_array().unwrap();
        let line = lines.iter().find(|line| line["what"] == "configuration").unwrap();
        assert!(line["found"].as_str().unwrap().contains("did you mean `grace`?"), "{line}");
        assert!(line["mend"].is_string());
        assert!(lines.len() > 5, "the rest is looked at all the same");
    }
}

#[test]
fn a_recorded_table_names_its_machine_and_is_read_like_one_that_does_not() {
    let home = Home::new();
    let recorded = home.says(&["record"]);
    let mut json: serde_json::Value = serde_json::from_str(&recorded).unwrap();
    let machine = json.as_object_mut().unwrap().remove("machine").unwrap();
    assert!(machine["memory"].as_u64().unwrap() > 0 && machine["kernel"].is_string(), "{machine}");
    let (new, old) = (home.0.path().join("new.json"), home.0.path().join("old.json"));
    fs::write(&new, &recorded).unwrap();
    fs::write(&old, json.to_string()).unwrap();
    let listed = |table: &Path| home.run(&["list", "--snapshot", path(table)]);
    assert_eq!(listed(&new), listed(&old));
    assert!(listed(&old).status.success());
}

#[test]
fn settings_that_are_shown_are_a_configuration_again() {
    let home = Home::new();
    let config = home.0.path().join("c.toml");
    let text = "[reap]\ngrace = \"1500ms\"\n[limits]\nmax_rss = \"1GiB\"\n[[allow]]\nname = \"x\"\n";
    fs::write(&config, text).unwrap();
    let shown = home.says(&["config", "show", "--config", config.to_str().unwrap()]);
    assert!(shown.contains("grace = \"1500ms\"") && shown.contains("# c.toml:2"), "{shown}");
    let again = home.0.path().join("again.toml");
    fs::write(&again, &shown).unwrap();
    assert!(home.says(&["config", "show", "--config", path(&again)]).contains("max_rss = \"1GiB\""));
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_rule_of_the_file_that_matches_nothing_is_said_by_verbose_and_by_doctor() {
    let home = Home::new();
    let file = home.0.path().join("config.toml");
    fs::write(&file, "[[allow]]\nname = \"server-memory\"\n[[allow]]\nname = \"server-memry\"\n").unwrap();
    let plan = [
        "--dry-run",
        "--snapshot",
        "tests/cli/tables/machine.json",
        "--config",
        path(&file),
        "--allow",
        "slip",
    ];
    let said = |args: &[&str]| String::from_utf8(home.run(args).stderr).unwrap();
    assert!(!said(&plan).contains("memry") && said(&plan).contains("--allow slip: no server"));
    let verbose = said(&[&plan[..], &["-v"]].concat());
    let idle: Vec<&str> = verbose.lines().filter(|line| line.contains("matches nothing that runs")).collect();
    assert_eq!(idle.len(), 1, "{verbose}");
    assert!(idle[0].contains("config.toml:3: name = \"server-memry\""), "{verbose}");
    let doctor = home.run(&["doctor", "--config", path(&file)]);
    let text = String::from_utf8(doctor.stdout).unwrap();
    assert!(text.contains("server-memry") && text.contains("matches nothing that runs"), "{text}");
}

#[test]
fn verbose_tells_what_was_read_how_long_each_part_took_and_why_a_candidate_is_none() {
    let home = Home::new();
    let output = home.run(&["list", "-v", "--snapshot", "tests/cli/tables/machine.json"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("judged 6 instances in ") && told.contains(" ms: 2 instances to end, 1 withheld"),
        "{told}"
    );
    assert!(told.contains("not taken: 1020 [mcp-server-git]: "), "{told}");
    let told = String::from_utf8(home.run(&["list", "-v"]).stderr).unwrap();
    assert!(told.contains(" closely; asked the service manager in ") && told.contains(" ms"), "{told}");
}
