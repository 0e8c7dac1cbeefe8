#![allow(clippy::unwrap_used)]
use super::*;
use crate::process::{Listener, Service, StartTime};

#[allow(clippy::unnecessary_wraps, reason = "a field of a rule is optional")]
fn pattern(text: &str) -> Option<Pattern> {
    Some(Pattern::parse(text).unwrap())
}

/// `python3 /srv/notes/serve.py --port 7001`, with everything about it known.
fn notes() -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(300), StartTime(9));
    record.argv = Some(["python3", "/srv/notes/serve.py", "--port", "7001"].into());
    record.details.exe = Some("/usr/bin/python3.12".into());
    record.details.cwd = Some("/srv/notes".into());
    record.details.listening = Some(vec![Listener::Tcp(7001)]);
    record.details.cgroup = Some("/system.slice/notes.service".into());
    record
}

fn allows(rule: &AllowRule, record: &ProcessRecord) -> bool {
    rule.matches(Candidate { record, server: "notes", entries: &[], program: Some("serve.py") })
}

#[test]
fn a_rule_without_fields_matches_nothing() {
    let rule = AllowRule { reason: Some("all of it".into()), ..AllowRule::default() };
    assert!(!rule.has_condition());
    assert!(!allows(&rule, &notes()));
}

#[test]
fn each_field_alone_matches_what_it_names_and_nothing_else() {
    type Make = fn(&str) -> AllowRule;
    let fields: [(Make, &[&str], &[&str]); 6] = [
        (
            |text| AllowRule { name: pattern(text), ..AllowRule::default() },
            &["notes", "n*", "re:^no", "serve.py"],
            &["note", "python3"],
        ),
        (
            |text| AllowRule { command: pattern(text), ..AllowRule::default() },
            &["serve.py", "*notes/serve.py*", "python3 /srv/notes/serve.py --port 7001", "re:--port 70+1"],
            &["python3", "notes", "/srv/notes/serve.py"],
        ),
        (
            |text| AllowRule { exe: pattern(text), ..AllowRule::default() },
            &["/usr/bin/python3.12", "/usr/bin/*"],
            &["python3.12", "/usr/bin/python3"],
        ),
        (
            |text| AllowRule { unit: pattern(text), ..AllowRule::default() },
            &["notes.service", "notes", "note?"],
            &["notes.service.d", "system.slice"],
        ),
        (
            |text| AllowRule { cwd: pattern(text), ..AllowRule::default() },
            &["/srv/notes", "/srv/*"],
            &["/srv", "/srv/notes/"],
        ),
        (|text| AllowRule { label: pattern(text), ..AllowRule::default() }, &[], &["notes", "*"]),
    ];
    for (make, yes, no) in fields {
        for text in yes {
            assert!(allows(&make(text), &notes()), "{text} in {:?}", make(text));
            assert!(make(text).has_condition());
        }
        for text in no {
            assert!(!allows(&make(text), &notes()), "{text} in {:?}", make(text));
        }
    }
}

#[test]
fn a_port_must_be_one_it_listens_on() {
    assert!(allows(&AllowRule { port: Some(7001), ..AllowRule::default() }, &notes()));
    assert!(!allows(&AllowRule { port: Some(7002), ..AllowRule::default() }, &notes()));
}

#[test]
fn a_pid_file_names_one_process_and_no_file_names_none() {
    let rule = |pid| AllowRule { pid_file: Some(("/run/notes.pid".into(), pid)), ..AllowRule::default() };
    assert!(allows(&rule(Some(Pid(300))), &notes()));
    assert!(!allows(&rule(Some(Pid(301))), &notes()));
    assert!(!allows(&rule(None), &notes()));
}

#[test]
fn every_field_given_must_match() {
    let rule = AllowRule { name: pattern("notes"), port: Some(7001), ..AllowRule::default() };
    assert!(allows(&rule, &notes()));
    assert!(!allows(&AllowRule { port: Some(80), ..rule.clone() }, &notes()));
    assert!(!allows(&AllowRule { name: pattern("other"), ..rule }, &notes()));
}

#[test]
fn what_could_not_be_read_never_matches_on_its_own() {
    let record = ProcessRecord::new(Pid(300), StartTime(9));
    for rule in [
        AllowRule { port: Some(7001), ..AllowRule::default() },
        AllowRule { exe: pattern("*"), ..AllowRule::default() },
        AllowRule { cwd: pattern("*"), ..AllowRule::default() },
        AllowRule { unit: pattern("*"), ..AllowRule::default() },
        AllowRule { label: pattern("*"), ..AllowRule::default() },
        AllowRule { command: pattern("*python*"), ..AllowRule::default() },
        AllowRule { port: Some(7001), exe: pattern("*"), cwd: pattern("*"), ..AllowRule::default() },
    ] {
        assert!(!allows(&rule, &record), "{rule:?}");
    }
}

#[test]
fn what_could_not_be_read_leaves_the_word_to_the_other_fields() {
    let record = ProcessRecord::new(Pid(300), StartTime(9));
    let rule = AllowRule { name: pattern("notes"), port: Some(7001), ..AllowRule::default() };
    assert!(allows(&rule, &record));
    assert!(!allows(&AllowRule { name: pattern("other"), ..rule.clone() }, &record));
    let two = AllowRule { pid_file: Some(("/run/x".into(), Some(Pid(1)))), ..rule };
    assert!(!allows(&two, &record));
}

#[test]
fn a_command_line_that_could_not_be_read_still_has_its_program() {
    let record = ProcessRecord::new(Pid(300), StartTime(9));
    let rule = AllowRule { command: pattern("serve.py"), ..AllowRule::default() };
    assert!(allows(&rule, &record));
    assert!(!rule.matches(Candidate { record: &record, server: "notes", entries: &[], program: None }));
}

#[test]
fn a_rewritten_title_is_matched_without_its_padding() {
    let mut record = notes();
    record.argv = Some(["npm exec notes-mcp /srv", "", "", ""].into());
    assert!(allows(
        &AllowRule { command: pattern("npm exec notes-mcp /srv"), ..AllowRule::default() },
        &record
    ));
}

#[test]
fn a_replaced_executable_is_still_the_one_that_was_named() {
    let mut record = notes();
    record.details.exe = Some("/usr/bin/python3.12 (deleted)".into());
    assert!(allows(&AllowRule { exe: pattern("/usr/bin/python3.12"), ..AllowRule::default() }, &record));
}

#[test]
fn the_unit_is_the_one_reported_or_the_innermost_of_the_control_group() {
    let rule = |text| AllowRule { unit: pattern(text), ..AllowRule::default() };
    let mut record = notes();
    record.details.cgroup = Some("/user.slice/user@1000.service/app.slice/notes.service/worker".into());
    assert!(allows(&rule("notes"), &record));
    assert!(!allows(&rule("user@1000.service"), &record));
    record.details.cgroup = None;
    record.details.service = Some(Service {
        manager: "systemd".into(),
        name: "gate.service".into(),
        main_pid: None,
        active: false,
    });
    assert!(allows(&rule("gate"), &record));
    assert!(!allows(&rule("notes"), &record));
}

#[test]
fn a_label_belongs_to_launchd_alone() {
    let rule = AllowRule { label: pattern("com.example.notes"), ..AllowRule::default() };
    let mut record = notes();
    record.details.cgroup = None;
    let service = |manager: &str| {
        Some(Service {
            manager: manager.into(),
            name: "com.example.notes".into(),
            main_pid: None,
            active: false,
        })
    };
    record.details.service = service("launchd");
    assert!(allows(&rule, &record));
    assert!(!allows(&AllowRule { unit: pattern("*"), ..AllowRule::default() }, &record));
    record.details.service = service("systemd");
    assert!(!allows(&rule, &record));
}

#[test]
fn each_field_alone_is_a_condition() {
    let some = || pattern("x");
    for rule in [
        AllowRule { name: some(), ..AllowRule::default() },
        AllowRule { command: some(), ..AllowRule::default() },
        AllowRule { exe: some(), ..AllowRule::default() },
        AllowRule { port: Some(1), ..AllowRule::default() },
        AllowRule { pid_file: Some(("/run/x.pid".into(), None)), ..AllowRule::default() },
        AllowRule { unit: some(), ..AllowRule::default() },
        AllowRule { label: some(), ..AllowRule::default() },
        AllowRule { cwd: some(), ..AllowRule::default() },
    ] {
        assert!(rule.has_condition(), "{rule:?}");
    }
}

#[test]
fn a_label_that_could_not_be_asked_for_leaves_it_to_the_name_and_on_linux_there_is_none() {
    let rule = AllowRule { name: pattern("notes"), label: pattern("com.kim.notes"), ..AllowRule::default() };
    let mut record = notes();
    assert!(!allows(&rule, &record), "a process with a control group has no label");
    record.details.cgroup = None;
    assert!(allows(&rule, &record), "not known speaks for leaving alone");
    let service =
        |name: &str| Service { manager: "launchd".into(), name: name.into(), main_pid: None, active: false };
    record.details.service = Some(service("com.kim.notes"));
    assert!(allows(&rule, &record));
    record.details.service = Some(service("com.kim.maps"));
    assert!(!allows(&rule, &record));
}

#[test]
fn a_name_may_be_the_one_that_a_client_has_for_it() {
    let rule = AllowRule { name: pattern("my-notes"), ..AllowRule::default() };
    let (record, entries) = (notes(), ["other".to_owned(), "my-notes".to_owned()]);
    let matches = |entries| {
        rule.matches(Candidate { record: &record, server: "notes", entries, program: Some("serve.py") })
    };
    assert!(matches(&entries) && !matches(&entries[..1]) && !matches(&[]));
}
