#![allow(clippy::unwrap_used)]

use super::*;
use crate::process::{ProcessRecord, SCHEMA, StartTime, Uid, Viewer};

fn process(pid: u32, parent: u32) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(pid), StartTime(0));
    record.parent = Pid(parent);
    record.uid = Some(Uid(501));
    record
}

/// launchd, an agent 20 with a child and a grandchild, an app 30 with a child, 40 and 60 at launchd for a reason that
/// could not be read.
fn table() -> Snapshot {
    Snapshot {
        schema: SCHEMA,
        os: "macos".into(),
        taken_at: chrono::DateTime::UNIX_EPOCH,
        viewer: Viewer { pid: Pid(9), uid: Uid(501) },
        systemd: false,
        unreadable: Vec::new(),
        processes: [(1, 0), (20, 1), (21, 20), (22, 21), (30, 1), (31, 30), (40, 1), (41, 40), (60, 1)]
            .map(|(pid, parent)| process(pid, parent))
            .to_vec(),
    }
}

const LIST: &str = "PID\tStatus\tLabel\n-\t0\tcom.apple.idle\n20\t0\torg.example.agent\n30\t0\tapplication.com.example.app.1.2\n-\t-9\tx\n";
const NONE: &str = "d = {\n\tservices = {\n\t}\n}\n";

const ALL: [Pid; 8] = [Pid(20), Pid(22), Pid(30), Pid(31), Pid(40), Pid(60), Pid(404), Pid(1)];

fn filled(
    change: impl FnOnce(&mut Snapshot),
    answer: impl Fn(&str) -> Answer,
) -> (Vec<(u32, String)>, Vec<String>) {
    let mut snapshot = table();
    change(&mut snapshot);
    let mut queries = Vec::new();
    fill(&mut snapshot, &ALL, &mut |question| {
        let domain = match question {
            Question::List => "list",
            Question::Print(domain) => domain,
        };
        queries.push(domain.to_owned());
        answer(domain)
    });
    let seen = snapshot.processes.iter().filter_map(|record| {
        let service = record.details.service.as_ref()?;
        Some((record.pid().0, format!("{} {:?}", service.name, service.main_pid)))
    });
    (seen.collect(), queries)
}

fn said(text: &str) -> Answer {
    Answer::Output(text.to_owned())
}

/// Every domain is empty, but for our own.
fn quiet(domain: &str) -> Answer {
    said(if domain == "list" { LIST } else { NONE })
}

fn adopted(pid: u32, adopted: bool) -> impl FnOnce(&mut Snapshot) {
    move |snapshot| {
        let record = snapshot.processes.iter_mut().find(|record| record.pid() == Pid(pid)).unwrap();
        record.details.adopted = Some(adopted);
    }
}

fn of(services: &[(u32, String)], pid: u32) -> Option<&str> {
    services.iter().find(|(one, _)| *one == pid).map(|(_, service)| service.as_str())
}

#[test]
fn a_job_and_what_is_below_it_belong_to_it_and_an_adopted_process_to_none() {
    let (services, queries) = filled(|_| {}, quiet);
    let agent = Some("org.example.agent Some(20)");
    assert_eq!((of(&services, 20), of(&services, 22), of(&services, 40)), (agent, agent, None));
    assert_eq!(queries, ["list", "system", "user/501", "gui/501"]);
}

#[test]
fn a_program_that_a_person_opened_manages_nobody() {
    let (services, _) = filled(|_| {}, quiet);
    let app = Some("application.com.example.app.1.2 Some(0)");
    assert_eq!((of(&services, 30), of(&services, 31)), (app, None));
}

#[test]
fn who_is_proven_to_be_adopted_is_no_job_and_nobody_is_queried_for_it() {
    let (services, queries) = filled(
        |snapshot| {
            adopted(40, true)(snapshot);
            adopted(60, true)(snapshot);
        },
        |domain| if domain == "list" { said(LIST) } else { Answer::Unknown },
    );
    assert_eq!((of(&services, 40), of(&services, 60)), (None, None));
    assert_eq!(queries, ["list"]);
}

#[test]
fn a_child_of_launchd_that_no_list_names_is_an_unknown_job() {
    // An XPC service or an app extension: it lives in a domain of one process.
    let (services, _) = filled(adopted(40, false), quiet);
    assert_eq!((of(&services, 40), of(&services, 60)), (Some("? None"), None));
}

#[test]
fn a_daemon_of_another_domain_is_found_there() {
    let system =
        "system = {\n\ttype = system\n\tservices = {\n\t\t 0 - com.idle\n\t\t 40 - \tcom.d\n\t}\n}\n";
    let (services, _) =
        filled(|_| {}, |domain| if domain == "system" { said(system) } else { quiet(domain) });
    assert_eq!(of(&services, 40), Some("com.d Some(40)"));
}

#[test]
fn what_gives_no_answer_leaves_everything_under_launchd_in_doubt() {
    let doubt = Some("? None");
    let (services, queries) = filled(|_| {}, |_| Answer::Unknown);
    assert_eq!((of(&services, 20), of(&services, 40), queries.len()), (doubt, doubt, 1));
    for dead in ["system", "user/501", "gui/501"] {
        for answer in [Answer::Unknown, said("Bad request.\n")] {
            let (services, _) =
                filled(|_| {}, |domain| if domain == dead { answer.clone() } else { quiet(domain) });
            assert_eq!(of(&services, 40), doubt, "{dead}: {answer:?}");
        }
    }
}

#[test]
fn no_one_has_to_be_logged_in_at_the_screen() {
    for absent in ["user/501", "gui/501"] {
        let (services, _) =
            filled(|_| {}, |domain| if domain == absent { Answer::NoDomain } else { quiet(domain) });
        assert_eq!(of(&services, 40), None, "{absent}");
    }
}

#[test]
fn root_asks_the_domains_of_everybody_whose_process_is_in_doubt() {
    let theirs = |snapshot: &mut Snapshot| {
        snapshot.viewer.uid = Uid(0);
        for record in &mut snapshot.processes {
            record.uid = Some(Uid(if record.pid() == Pid(60) { 502 } else { 501 }));
        }
    };
    let agent = "gui/502 = {\n\tservices = {\n\t\t 60 - org.second.agent\n\t}\n}\n";
    let (services, queries) =
        filled(theirs, |domain| if domain == "gui/502" { said(agent) } else { quiet(domain) });
    assert_eq!(of(&services, 60), Some("org.second.agent Some(60)"));
    assert_eq!(queries, ["list", "system", "user/501", "gui/501", "user/502", "gui/502"]);
    let nobodys = |snapshot: &mut Snapshot| snapshot.processes.iter_mut().for_each(|one| one.uid = None);
    assert_eq!(of(&filled(nobodys, quiet).0, 40), Some("? None"), "whose domain to ask is not known");
}

#[test]
fn other_domains_are_queried_only_where_a_process_could_be_in_one() {
    let mut snapshot = table();
    let mut queries = Vec::new();
    fill(&mut snapshot, &[Pid(22), Pid(31), Pid(20)], &mut |question| {
        queries.push(question.clone());
        said(LIST)
    });
    assert_eq!(queries, [Question::List]);
}

#[test]
fn an_output_of_another_form_is_no_answer() {
    for noise in ["", "Could not find domain", "20\t0\tno.header", "services = {\n 5 - a\n"] {
        assert_eq!((parse_list(noise), parse_print(noise)), (None, None), "{noise}");
    }
    let jobs = parse_list("PID\tStatus\tLabel\n1\t0\tlaunchd\n7\t0\n8\t0\t\n9\t-15\ta b\nx\ty\tz\n").unwrap();
    assert_eq!(jobs, Jobs::from([(Pid(9), "a b".to_owned())]));
}
