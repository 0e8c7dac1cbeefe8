//! What is in the way of a guardian is no reason not to start the server, and is said in one line.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};

use crate::runner::Scene;
use crate::stage::{Stage, guardians};

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        ("refusals::no_command_is_a_mistake".into(), no_command),
        ("refusals::what_cannot_be_started_has_the_code_of_shells".into(), not_started),
        ("refusals::a_system_call_that_is_refused_leaves_the_server_unguarded".into(), seccomp),
        ("refusals::no_place_for_a_record_leaves_the_server_unguarded".into(), no_record),
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

fn typed_guard(stage: &Stage) {
    for words in [&[][..], &["--help"], &["root=1@1:0", "client=1:0", "ready=0", "marker=x"]] {
        let out = Command::new(stage.mcp_reap()).arg("guard").args(words).output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{out:?}");
    }
}
