//! What is in the way of a guardian is no reason not to start the server, and is said in one line.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::runner::Scene;
use crate::schema;
use crate::stage::{Stage, guardians, until};

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        ("refusals::no_command_is_a_mistake".into(), no_command),
        ("refusals::what_cannot_be_started_has_the_code_of_shells".into(), not_started),
        ("refusals::a_system_call_that_is_refused_leaves_the_server_unguarded".into(), seccomp),
        ("refusals::no_place_for_a_record_leaves_the_server_unguarded".into(), no_record),
        ("refusals::a_broken_configuration_starts_the_server_ends_nothing_and_is_recorded".into(), broken),
        ("refusals::guard_is_not_for_typing".into(), typed_guard),
    ]
}

fn exec(stage: &Stage, words: &[&str]) -> Output {
    Command::new(stage.mcp_reap()).arg("exec").args(words).stdin(Stdio::piped()).output().unwrap()
}

fn one_line(out: &Output) -> String {
    let said = String::from_utf8(out.stderr.clone()).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

fn no_command(stage: &Stage) {
    for words in [&[][..], &["--"]] {
        let out = exec(stage, words);
        assert_eq!(out.status.code(), Some(2));
        assert!(one_line(&out).contains("exec needs a command"));
    }
}

fn not_started(stage: &Stage) {
    for (command, code, said) in [
        ("mcp-reap-no-such", 127, "mcp-reap-no-such: command not found"),
        ("/no/such/file", 127, "command not found"),
        ("/etc/passwd", 126, "ermission denied"),
        ("/etc", 126, "ermission denied"),
    ] {
        let out = exec(stage, &["--", command, "--token", "hunter2"]);
        assert_eq!(out.status.code(), Some(code), "{command}");
        let line = one_line(&out);
        assert!(line.contains(said) && !line.contains("hunter2"), "{line}");
        assert!(out.stdout.is_empty());
    }
    crate::stage::until(10, "no guardian stays", || guardians().is_empty());
}

/// Denies system calls to itself and to what it becomes, by a seccomp filter.
const DENY: &str = r#"
import ctypes, os, struct, sys
errno, numbers, command = int(sys.argv[1]), [int(n) for n in sys.argv[2].split(",")], sys.argv[3:]
rows = [(0x20, 0, 0, 0)]
for at, number in enumerate(numbers):
    rows.append((0x15, len(numbers) - at, 0, number))
rows += [(0x06, 0, 0, 0x7fff0000), (0x06, 0, 0, 0x00050000 | errno)]
code = b"".join(struct.pack("HBBI", *row) for row in rows)
class Filter(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Filter(len(rows), code)), 0, 0) == 0, ctypes.get_errno()
os.execvp(command[0], command)
"#;

fn seccomp(stage: &Stage) {
    stage.configure("1s");
    let x86 = cfg!(target_arch = "x86_64");
    let poll = if x86 { "7,271" } else { "73" };
    let script = stage.dir.join("deny.py");
    fs::write(&script, DENY).unwrap();
    // EPERM and ENOSYS.
    let clone = if x86 { "56" } else { "220" };
    let (epoll_create, epoll_ctl) = if x86 { ("291", "233") } else { ("20", "21") };
    for (calls, what) in [
        ("434", "pidfd"),
        (poll, "poll"),
        (clone, "fork"),
        (epoll_create, "watch stdin"),
        (epoll_ctl, "watch stdin"),
    ] {
        for errno in ["1", "38"] {
            let out = Command::new("python3")
                .arg(&script)
                .args([errno, calls, stage.mcp_reap(), "exec", "--", "sh", "-c", "echo served; exit 7"])
                .stdin(Stdio::piped())
                .output()
                .unwrap();
            assert_eq!(out.status.code(), Some(7), "{what} {errno}: {out:?}");
            assert_eq!(out.stdout, b"served\n");
            let line = one_line(&out);
            assert!(line.contains("without a guardian") && line.contains(what), "{line}");
            let note = fs::read_to_string(stage.dir.join("home/.local/state/mcp-reap/exec-unguarded.json"));
            assert!(note.is_err() || note.unwrap().contains(what));
        }
    }
    crate::stage::until(10, "no guardian stays", || guardians().is_empty());
}

fn no_record(stage: &Stage) {
    fs::create_dir_all(stage.dir.join("home/.local")).unwrap();
    // Root may write anywhere but where there is no folder.
    fs::write(stage.dir.join("home/.local/state"), "").unwrap();
    let refused = |problem: &str| {
        let out = exec(stage, &["--", "sh", "-c", "echo served"]);
        assert_eq!(out.stdout, b"served\n");
        let line = one_line(&out);
        assert!(
            ["without a guardian", "audit log", problem].iter().all(|part| line.contains(part)),
            "{line}"
        );
    };
    refused("");
    // What a run would refuse is refused here, too.
    fs::remove_file(stage.dir.join("home/.local/state")).unwrap();
    let folder = stage.dir.join("home/.local/state/mcp-reap");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    refused("chmod 700");
    crate::stage::until(10, "no guardian stays", || guardians().is_empty());
}

/// A stray comma, and what would have saved the server may stand below it.
fn broken(stage: &Stage) {
    let config = stage.dir.join("home/.config/mcp-reap/config.toml");
    let break_it = || fs::write(&config, "[[allow]]\nname = \"notes-*\",\n").unwrap();
    break_it();
    let out = exec(stage, &["--", "sh", "-c", "echo served; exit 7"]);
    assert_eq!((out.status.code(), out.stdout.as_slice(), out.stderr.len()), (Some(7), &b"served\n"[..], 0));
    until(20, "its guardian has left", || guardians().is_empty());
    assert_eq!(stage.audit(), "", "what left by itself was not left alone");

    let mut client = stage.client("pipe", &stage.guarded(&["deaf", "silent-helper", "stay"]));
    stage.wait_for(2);
    let (server, both) = (client.servers[0], stage.left());
    // `keep_days` is one of the rules that are not known.
    let old = stage.dir.join("home/.local/state/mcp-reap/audit.2020-01-01.jsonl");
    fs::create_dir_all(old.parent().unwrap()).unwrap();
    fs::set_permissions(old.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(&old, "").unwrap();
    // As it was put by the person's editor.
    break_it();
    client.kill();
    let records =
        || -> Vec<Value> { stage.audit().lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
    until(20, "it is recorded", || records().len() == 3);
    let records_now = records();
    let [started, withheld, finished] = &records_now[..] else { panic!("{records_now:?}") };
    for record in &records_now {
        assert_eq!(schema::problems("audit-event", record), [""; 0], "{record}");
    }
    assert_eq!((&started["started_by"], &started["targets"]), (&"exec".into(), &0.into()));
    assert_eq!((&withheld["event"], &withheld["root"]), (&"withheld".into(), &server.into()), "{withheld}");
    assert_eq!((&withheld["verdict"], &withheld["role"]), (&"undetermined".into(), &"root".into()));
    assert_eq!(withheld["pids"].as_array().unwrap().len(), 2, "{withheld}");
    let reason = withheld["reason"].as_str().unwrap();
    let said = format!("the configuration could not be read, so nothing was judged: {}:2:", config.display());
    assert!(reason.starts_with(&said) && !reason.contains('\n'), "{reason}");
    assert_eq!(finished["processes"], 0);
    assert_eq!(stage.left(), both, "nothing was ended");
    assert!(old.exists(), "no record was deleted");

    let says = |args: &[&str]| {
        let out = Command::new(stage.mcp_reap()).args(args).output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    assert!(says(&["log"]).contains("left alone: the configuration could not be read"), "{}", says(&["log"]));
    let doctor = says(&["doctor"]);
    assert!(
        doctor.contains("nothing is ended until it is put right, neither by a run nor by a guardian of exec"),
        "{doctor}"
    );

    // Put right, it is judged the next time; and what was said once is not said again.
    stage.configure("1s");
    until(60, "nothing is left", || stage.left().is_empty() && guardians().is_empty());
    assert_eq!(records().iter().filter(|record| record["event"] == "withheld").count(), 1);
    assert_eq!(records().iter().filter(|record| record["event"] == "killed").count(), 2);
}

fn typed_guard(stage: &Stage) {
    for words in [&[][..], &["--help"], &["root=1@1:0", "client=1:0", "ready=0", "marker=x"]] {
        let out = Command::new(stage.mcp_reap()).arg("guard").args(words).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{out:?}");
    }
}
