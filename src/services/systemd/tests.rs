#![allow(clippy::unwrap_used)]

use super::*;
use crate::process::{SCHEMA, StartTime, Viewer};

const ME: Uid = Uid(1000);
const USER: &str = "/user.slice/user-1000.slice/user@1000.service";

fn process(pid: u32, cgroup: &str) -> ProcessRecord {
    let mut record = ProcessRecord::new(Pid(pid), StartTime(0));
    record.details.cgroup = Some(cgroup.into());
    record
}

fn table(processes: Vec<ProcessRecord>) -> Snapshot {
    Snapshot {
        schema: SCHEMA,
        os: "linux".into(),
        taken_at: chrono::DateTime::UNIX_EPOCH,
        viewer: Viewer { pid: Pid(1), uid: ME },
        systemd: false,
        unreadable: Vec::new(),
        processes,
    }
}

/// Name and main process, where the process is in a service.
type Filled = Option<(String, Option<u32>)>;

/// Fills all of a table; answers the main processes and the queries.
fn filled(processes: Vec<ProcessRecord>, answer: &str) -> (Vec<Filled>, Vec<(Manager, Vec<String>)>) {
    let mut snapshot = table(processes);
    let pids: Vec<Pid> = snapshot.processes.iter().map(ProcessRecord::pid).collect();
    let mut queries = Vec::new();
    fill(&mut snapshot, &pids, &mut |manager, units| {
        queries.push((manager, units.iter().map(|unit| (*unit).to_owned()).collect()));
        Some(answer.to_owned())
    });
    let service =
        |r: ProcessRecord| r.details.service.as_ref().map(|s| (s.name.clone(), s.main_pid.map(|p| p.0)));
    (snapshot.processes.into_iter().map(service).collect(), queries)
}

#[allow(clippy::unnecessary_wraps, reason = "the type of a row of the table")]
fn service_of(name: &str, main: Option<u32>) -> Filled {
    Some((name.into(), main))
}

#[test]
fn a_cgroup_says_which_unit_of_which_manager() {
    let user = Manager::User(ME);
    let table = [
        ("/system.slice/cron.service", Some((Manager::System, "cron.service"))),
        (
            "/system.slice/system-getty.slice/getty@tty1.service",
            Some((Manager::System, "getty@tty1.service")),
        ),
        (&format!("{USER}/app.slice/notes.service"), Some((user, "notes.service"))),
        (&format!("{USER}/app.slice/notes.service/a/b"), Some((user, "notes.service"))),
        (&format!("{USER}/app.slice/_cgroup.service"), Some((user, "cgroup.service"))),
        (&format!("{USER}/app.slice/run-1.scope"), None),
        (&format!("{USER}/app.slice/notes.service/tab.scope"), None),
        (&format!("{USER}/init.scope"), None),
        (
            "/user.slice/user-1001.slice/user@1001.service/app.slice/x.service",
            Some((Manager::Foreign, "x.service")),
        ),
        ("/app.slice/term.service", Some((user, "term.service"))),
        ("/session.slice/portal.service", Some((user, "portal.service"))),
        ("/user.slice/user-1000.slice/session-3.scope", None),
        ("/system.slice/docker-4f.scope/system.slice/x.service", Some((Manager::System, "x.service"))),
        ("/kubepods.slice/cri-containerd-4f.scope", None),
        ("/", None),
        ("", None),
        ("/system.slice", None),
    ];
    for (cgroup, expected) in table {
        assert_eq!(place(cgroup, ME).map(|p| (p.manager, p.unit)), expected, "{cgroup}");
    }
}

#[test]
fn a_unit_lies_where_its_groups_below_begin() {
    let deep = format!("{USER}/app.slice/notes.service/a/b");
    assert_eq!(place(&deep, ME).unwrap().path, format!("{USER}/app.slice/notes.service"));
}

#[test]
fn two_views_of_one_group_agree_and_two_groups_of_one_name_do_not() {
    let full = format!("{USER}/app.slice/a.service");
    for (one, other, same) in [
        (full.as_str(), full.as_str(), true),
        (&full, "/app.slice/a.service", true),
        ("/app.slice/a.service", &full, true),
        ("/a.service", "/a.service", true),
        (&full, "/a.service", false),
        (&full, "/system.slice/a.service", false),
        (&full, "p.slice/a.service", false),
        (&full, "", false),
        ("/system.slice/a.service", "/system.slice/aa.service", false),
    ] {
        assert_eq!(same_group(one, other), same, "{one} {other}");
    }
}

#[test]
fn what_systemctl_prints_is_read_in_any_order_and_only_when_whole() {
    let output = "MainPID=52\nActiveState=active\nControlGroup=/app.slice/a.service\nId=a.service\n\n\
                  Id=b.service\nMainPID=0\nActiveState=active\nControlGroup=\n\n\
                  Id=c.service\nMainPID=x\nActiveState=active\nControlGroup=/\n\nId=d.service\nMainPID=5\n\nMainPID=\n\n";
    let unit = |pid, group: &str| Unit { main_pid: Pid(pid), active: true, control_group: group.into() };
    let expected =
        vec![("a.service".into(), unit(52, "/app.slice/a.service")), ("b.service".into(), unit(0, ""))];
    assert_eq!(parse_show(output), expected);
    for noise in ["", "\n\n\n", "\u{fffd}\u{fffd}=1", "System has not been booted with systemd"] {
        assert_eq!(parse_show(noise), []);
    }
}

#[test]
fn each_manager_is_queried_once_for_all_its_units() {
    let (services, queries) = filled(
        vec![
            process(10, "/system.slice/s.service"),
            process(11, &format!("{USER}/app.slice/u.service")),
            process(12, &format!("{USER}/app.slice/v.service/sub")),
            process(13, &format!("{USER}/app.slice/v.service")),
            process(14, "/user.slice/user-1000.slice/session-3.scope"),
            process(15, "/user.slice/user-7.slice/user@7.service/app.slice/w.service"),
        ],
        &format!(
            "Id=s.service\nMainPID=10\nActiveState=active\nControlGroup=/system.slice/s.service\n\n\
             Id=u.service\nMainPID=99\nActiveState=active\nControlGroup={USER}/app.slice/u.service\n\n\
             Id=v.service\nMainPID=0\nActiveState=active\nControlGroup={USER}/app.slice/v.service\n"
        ),
    );
    let expected = [
        service_of("s.service", Some(10)),
        service_of("u.service", Some(99)),
        service_of("v.service", Some(0)),
        service_of("v.service", Some(0)),
        None,
        service_of("w.service", None),
    ];
    assert_eq!(services, expected);
    let words = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        queries,
        [(Manager::System, words(&["s.service"])), (Manager::User(ME), words(&["u.service", "v.service"]))]
    );
}

#[test]
fn a_unit_of_the_same_name_elsewhere_is_no_answer() {
    let (services, _) = filled(
        vec![process(10, "/system.slice/docker-4f.scope/system.slice/s.service")],
        "Id=s.service\nMainPID=4\nActiveState=active\nControlGroup=/other.slice/s.service\n",
    );
    assert_eq!(services, [service_of("s.service", None)]);
}

#[test]
fn no_manager_is_queried_when_nothing_is_in_a_service() {
    let mut bare = ProcessRecord::new(Pid(3), StartTime(0));
    bare.details.env = Some([("SYSTEMD_EXEC_PID".to_owned(), "4".to_owned())].into());
    let (services, queries) = filled(vec![process(2, "/user.slice/session-1.scope"), bare], "");
    assert_eq!((services, queries), (vec![None, None], vec![]));
}

#[test]
fn only_the_named_processes_are_looked_at() {
    let mut snapshot =
        table(vec![process(10, "/system.slice/a.service"), process(11, "/system.slice/b.service")]);
    let mut queries = Vec::new();
    fill(&mut snapshot, &[Pid(11), Pid(404)], &mut |_, units| {
        queries.extend(units.iter().map(|unit| (*unit).to_owned()));
        None
    });
    assert_eq!(queries, ["b.service"]);
    assert_eq!(snapshot.processes[0].details.service, None);
    assert_eq!(
        snapshot.processes[1].details.service.as_ref().unwrap().main_pid,
        None,
        "queries, not answered"
    );
}

#[test]
fn what_systemd_executed_itself_is_a_main_process_without_asking() {
    let executed = |pid: u32, value: &str, cgroup: &str| {
        let mut record = process(pid, cgroup);
        record.details.env = Some([("SYSTEMD_EXEC_PID".to_owned(), value.to_owned())].into());
        record
    };
    let (services, _) = filled(
        vec![
            executed(10, "10", "/system.slice/a.service"),
            executed(11, "10", "/system.slice/a.service"),
            executed(12, "12", "/"),
            executed(13, "10", "/"),
        ],
        "",
    );
    let expected = [
        service_of("a.service", Some(10)),
        service_of("a.service", None),
        service_of("unknown", Some(12)),
        None,
    ];
    assert_eq!(services, expected);
}

#[test]
fn a_name_that_systemctl_would_expand_is_not_queried() {
    let (services, queries) = filled(vec![process(10, "/system.slice/*.service")], "");
    assert_eq!((services, queries), (vec![service_of("*.service", None)], vec![]));
}
