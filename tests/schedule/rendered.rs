//! What is written, read back by a property list parser and by the rules of unit files.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use mcp_reap::schedule::{Calendar, Job, ManagerKind, Rendered, Schedule, SystemRunner, UserEnvironment};
use plist::Value;

/// Paths that somebody has, or would like us to have.
pub(crate) const HOSTILE: [&str; 14] = [
    "/o/my tools/mcp-reap",
    "/o/a & b <c> \"d\" 'e'/mcp-reap",
    "/o/]]>--><!--/mcp-reap",
    "/o/100%/%h/%%/mcp-reap",
    "/o/$HOME/${PATH}/mcp-reap",
    "/o/back\\slash\\n\\x41/mcp-reap",
    "/o/{{hour}}{{binary}}/mcp-reap",
    "/o/ends with { /mcp-reap",
    "/o/ünï/日本/🦀/mcp-reap",
    "/o/#;=[x]/mcp-reap",
    "/o/-/--/mcp-reap---",
    "/o/mcp-reap-seal: 0000000000000000",
    "/o/`id`;$(id)|&/mcp-reap",
    "/o/ trailing /mcp-reap ",
];

/// systemd runs no program with a quote or a backslash in its path, however it is written.
pub(crate) fn systemd_can_run(path: &str) -> bool {
    !path.contains(['"', '\'', '\\'])
}

pub(crate) fn job(binary: &str, calendar: &str) -> Job {
    let environment = BTreeMap::from([
        ("MCP_REAP_CONFIG".to_owned(), format!("{binary}.toml")),
        ("XDG_STATE_HOME".to_owned(), "/data/state".to_owned()),
    ]);
    Job::new(Path::new(binary), calendar.parse().unwrap(), environment, Duration::from_secs(30)).unwrap()
}

pub(crate) fn render(kind: ManagerKind, job: &Job) -> Vec<Rendered> {
    // Whether a manager answers here does not matter to what is rendered.
    let runner = SystemRunner::new(Vec::new());
    Schedule::new(kind, UserEnvironment::new("/home/u"), Box::new(runner)).preview(job).0
}

fn agent(job: &Job) -> BTreeMap<String, Value> {
    let [file] = &render(ManagerKind::Launchd, job)[..] else { panic!("one file") };
    assert_eq!(file.path, Path::new("/home/u/Library/LaunchAgents/com.mcp-reap.plist"));
    let value = Value::from_reader_xml(file.text.as_bytes()).unwrap();
    value.into_dictionary().unwrap().into_iter().collect()
}

fn strings(texts: &[&str]) -> Value {
    Value::Array(texts.iter().map(|text| Value::from(*text)).collect())
}

fn dictionary<T: Into<Value> + Clone>(pairs: &[(&str, T)]) -> Value {
    Value::Dictionary(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone().into())).collect())
}

#[test]
fn the_agent_holds_exactly_these_keys() {
    let expected = BTreeMap::from(
        [
            ("Label", Value::from("com.mcp-reap")),
            (
                "ProgramArguments",
                strings(&[
                    "/usr/local/bin/mcp-reap",
                    "--yes",
                    "--quiet",
                    "--wait",
                    "--started-by",
                    "schedule",
                ]),
            ),
            (
                "EnvironmentVariables",
                dictionary(&[
                    ("MCP_REAP_CONFIG", "/usr/local/bin/mcp-reap.toml"),
                    ("XDG_STATE_HOME", "/data/state"),
                ]),
            ),
            ("StartCalendarInterval", dictionary(&[("Weekday", 0), ("Hour", 3), ("Minute", 0)])),
            ("ThrottleInterval", Value::from(60)),
            ("ExitTimeOut", Value::from(45)),
            ("ProcessType", Value::from("Background")),
            ("LowPriorityIO", Value::from(true)),
            ("Umask", Value::from(0o077)),
            ("StandardOutPath", Value::from("/home/u/Library/Logs/mcp-reap/schedule.out.log")),
            ("StandardErrorPath", Value::from("/home/u/Library/Logs/mcp-reap/schedule.err.log")),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    assert_eq!(agent(&job("/usr/local/bin/mcp-reap", "weekly")), expected);
}

#[test]
fn an_agent_without_variables_has_no_empty_dictionary() {
    let job = Job::new(Path::new("/m"), Calendar::default(), BTreeMap::new(), Duration::ZERO).unwrap();
    assert!(!agent(&job).contains_key("EnvironmentVariables"));
    let text = &render(ManagerKind::Launchd, &job)[0].text;
    assert!(!text.contains("\n\n"), "{text}");
}

#[test]
fn every_calendar_reaches_the_agent() {
    for (calendar, expected) in [
        ("weekly tue@23:59", dictionary(&[("Weekday", 2), ("Hour", 23), ("Minute", 59)])),
        ("daily 00:07", dictionary(&[("Hour", 0), ("Minute", 7)])),
        ("hourly :30", dictionary(&[("Minute", 30)])),
    ] {
        assert_eq!(agent(&job("/m", calendar))["StartCalendarInterval"], expected);
    }
}

#[test]
fn the_agent_runs_the_very_path_it_was_given() {
    for path in HOSTILE {
        let agent = agent(&job(path, "weekly"));
        assert_eq!(agent["ProgramArguments"].as_array().unwrap()[0].as_string(), Some(path));
        let environment = agent["EnvironmentVariables"].as_dictionary().unwrap();
        assert_eq!(environment["MCP_REAP_CONFIG"].as_string(), Some(&*format!("{path}.toml")));
        assert_eq!(agent.len(), 11, "{path}: no key of its own making");
    }
}

#[test]
fn every_line_of_a_unit_is_one_of_three_kinds() {
    for file in render(ManagerKind::Systemd, &job("/usr/bin/mcp-reap", "daily")) {
        for line in file.text.lines() {
            let section = line.starts_with('[') && line.ends_with(']');
            let setting = line.split_once('=').is_some_and(|(key, _)| key.chars().all(char::is_alphanumeric));
            assert!(line.is_empty() || line.starts_with("# ") || section || setting, "{line}");
            assert!(line.len() < 400 && !line.ends_with('\\'), "{line}");
        }
    }
}

/// Packages are made from them, and people read them before they install anything.
#[test]
fn the_copies_in_the_repository_are_what_an_install_writes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // With room for a grace of 30 s, since a package's units do not know the person's.
    let grace = Duration::from_secs(30);
    let binary = Path::new("/usr/local/bin/mcp-reap");
    let job = Job::new(binary, Calendar::default(), BTreeMap::new(), grace).unwrap();
    for (kind, folder, names) in [
        (ManagerKind::Launchd, "launchd", &["com.mcp-reap.plist"][..]),
        (ManagerKind::Systemd, "systemd", &["mcp-reap.service", "mcp-reap.timer"]),
    ] {
        let written = render(kind, &job);
        assert_eq!(written.iter().map(|file| file.path.file_name().unwrap()).collect::<Vec<_>>(), names);
        for (file, name) in written.iter().zip(names) {
            let copy = root.join(folder).join(name);
            if std::env::var_os("MCP_REAP_WRITE_COPIES").is_some() {
                std::fs::write(&copy, &file.text).unwrap();
            }
            let kept = std::fs::read_to_string(&copy).unwrap();
            assert_eq!(
                kept, file.text,
                "to write it anew: MCP_REAP_WRITE_COPIES=1 cargo test --test schedule"
            );
        }
        assert_eq!(std::fs::read_dir(root.join(folder)).unwrap().count(), names.len());
    }
}

#[test]
fn the_units_say_when_and_how_long() {
    let [service, timer] = &render(ManagerKind::Systemd, &job("/usr/bin/mcp-reap", "weekly fri@18:30"))[..]
    else {
        panic!("two files")
    };
    assert_eq!(service.path, Path::new("/home/u/.config/systemd/user/mcp-reap.service"));
    assert_eq!(timer.path, Path::new("/home/u/.config/systemd/user/mcp-reap.timer"));
    let has = |file: &Rendered, line: &str| {
        assert!(file.text.lines().any(|have| have == line), "{line} is not in\n{}", file.text);
    };
    for line in [
        "Type=oneshot",
        "ExecStart=/usr/bin/mcp-reap --yes --quiet --wait --started-by schedule",
        "Environment=MCP_REAP_CONFIG=/usr/bin/mcp-reap.toml",
        "TimeoutStartSec=480",
        "TimeoutStopSec=45",
    ] {
        has(service, line);
    }
    for line in [
        "OnCalendar=Fri *-*-* 18:30:00",
        "Persistent=true",
        "RandomizedDelaySec=300",
        "WantedBy=timers.target",
    ] {
        has(timer, line);
    }
}

#[test]
fn the_service_sets_nothing_that_would_blind_it() {
    // Each needs a mount or user namespace, or drops capabilities: see the unit itself.
    let [service, _] = &render(ManagerKind::Systemd, &job("/m", "weekly"))[..] else { panic!("two files") };
    let settings = service.text.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = settings.filter_map(|line| Some(line.split_once('=')?.0)).collect();
    for name in names {
        let blind = name.starts_with("Private")
            || name.starts_with("Protect")
            || name.starts_with("ReadOnly")
            || name.starts_with("ReadWrite")
            || ["ProcSubset", "CapabilityBoundingSet", "TemporaryFileSystem", "RootDirectory", "DynamicUser"]
                .contains(&name);
        assert!(!blind, "{name}");
    }
}
