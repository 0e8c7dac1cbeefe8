//! Under `exec` a server is the very process that it would be without: everything the kernel tells of it is
//! compared, bare and under exec.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::parts::{part, read_aside};
use crate::runner::Scene;
use crate::stage::{Stage, command, guardian, guardians, parent, processes, stat, until};

pub(crate) fn scenes() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = vec![
        ("same_process::exit_codes_and_signals_pass".into(), exit_codes),
        ("same_process::every_byte_passes_and_wakes_no_guardian".into(), bytes),
        ("same_process::pid_and_parent_are_as_they_were_and_nobody_is_added".into(), family),
        ("same_process::the_guardian_shows_no_word_of_the_server".into(), nothing_shown),
        ("same_process::pid_1_only_becomes_the_command".into(), pid_1),
        ("same_process::an_inner_exec_with_the_same_stdin_has_no_second_guardian".into(), nested),
        ("same_process::a_terminal_is_the_same_and_its_keys_arrive".into(), terminal),
        ("same_process::arguments_and_environment_arrive_as_they_are".into(), words),
    ];
    macro_rules! told {
        ($($name:ident: $what:expr),* $(,)?) => { $(
            scenes.push((concat!("same_process::told::", stringify!($name)).into(), |stage| told(stage, $what)));
        )* };
    }
    told! {
        plain: &["--"],
        sigpipe_ignored: &["--", "env", "--ignore-signal=PIPE"],
        sigpipe_and_sigchld_default: &["--", "env", "--default-signal=PIPE,CHLD"],
        sigchld_ignored: &["--", "env", "--ignore-signal=CHLD"],
        blocked: &["block", "--"],
        subreaper: &["subreaper", "--"],
        umask_and_limits: &["umask", "limits", "--"],
        own_group: &["group", "--"],
        leaked_descriptor: &["leak", "--"],
        stdin_closed: &["--", "env", "--default-signal=PIPE", "sh", "-c", "exec \"$@\" <&-", "sh"],
        stdout_closed: &["--", "env", "--default-signal=PIPE", "sh", "-c", "exec \"$@\" >&-", "sh"],
        all_closed: &["--", "env", "--default-signal=PIPE", "sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"],
        nice_and_oom: &["--", "nice", "-n", "7", "choom", "-n", "500", "--"],
    }
    scenes
}

/// What the kernel tells of a process: a shell script, because Rust's runtime would change what it asks for.
/// Lines that differ between any two processes are left out.
const REPORT: &str = r#"
p=/proc/$$
{
  grep -Ev '^(State|Pid|Tgid|Ngid|Vm|Rss|Hugetlb|voluntary|nonvoluntary|NSpid|NStgid|NSpgid|NSsid|CoreDumping|Mems|Cpus|THP|untag)' $p/status
  cut -d')' -f2 $p/stat | cut -d' ' -f3-7,18 | sed "s/\b$$\b/SELF/g"
  cat $p/limits $p/cgroup $p/oom_score_adj $p/loginuid 2>/dev/null
  umask
  readlink $p/cwd $p/root $p/ns/*
  for fd in $p/fd/*; do echo "${fd##*/} $(readlink $fd)"; done
  wc -w <$p/task/$$/children
  tr '\0' '\n' <$p/environ | grep -v '^MCP_REAP_EXEC=' | grep -v '^_='
} 2>/dev/null | sed -E "s/pipe:\[[0-9]+\]/pipe/; s/socket:\[[0-9]+\]/socket/" >"$1"
"#;

fn told(stage: &Stage, set_up: &[&str]) {
    stage.configure("1s");
    let script = stage.dir.join("report.sh");
    fs::write(&script, REPORT).unwrap();
    let report = |name: &str, exec: &[String]| {
        let out = stage.dir.join(name);
        let mut command = part("set-up");
        command.args(set_up).args(exec).arg("/bin/sh").arg(&script).arg(&out);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let status = child.wait().unwrap();
        assert!(status.success() || fs::read_to_string(&out).is_ok(), "{status}");
        let text = fs::read_to_string(out).unwrap();
        assert!(text.lines().count() > 30, "{text}");
        text
    };
    let bare = report("bare", &[]);
    let guarded = report("guarded", &[stage.mcp_reap().to_owned(), "exec".into(), "--".into()]);
    let (bare, guarded) = (lines(&bare), lines(&guarded));
    let only = |one: &[&str], other: &[&str]| {
        one.iter().filter(|line| !other.contains(line)).map(|line| (*line).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(only(&bare, &guarded), only(&guarded, &bare));
    assert_eq!(bare, guarded);
    until(10, "the guardian has left", || guardians().is_empty());
}

/// Those that tell of the report's own helpers differ by chance.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with("SigQ:") && !line.contains("/report.sh")).collect()
}

fn run(stage: &Stage, line: &str) -> std::process::ExitStatus {
    let mut command = Command::new(stage.mcp_reap());
    command.args(["exec", "--", "sh", "-c", line]).stdin(Stdio::piped()).stdout(Stdio::null());
    command.status().unwrap()
}

fn exit_codes(stage: &Stage) {
    for code in [0, 1, 2, 3, 126, 127, 137, 255] {
        assert_eq!(run(stage, &format!("exit {code}")).code(), Some(code));
    }
    for signal in ["HUP", "INT", "QUIT", "ILL", "ABRT", "KILL", "SEGV", "PIPE", "ALRM", "TERM", "USR1"] {
        let number = format!("SIG{signal}").parse::<nix::sys::signal::Signal>().unwrap() as i32;
        assert_eq!(run(stage, &format!("kill -s {signal} $$")).signal(), Some(number), "{signal}");
    }
    until(10, "all guardians have left", || guardians().is_empty());
    assert_eq!(stage.audit(), "");
}

fn bytes(stage: &Stage) {
    const SIZE: usize = 100_000_000;
    let line = stage.guarded(&["echo"]);
    for wire in ["pipe", "socket"] {
        let mut server = Command::new(&line[0]);
        server.args(&line[1..]).env(crate::parts::PART, "server");
        let (mut to, from): (Box<dyn Write + Send>, Box<dyn Read + Send>) = match wire {
            "pipe" => {
                let (stdin, stdout) = (std::io::pipe().unwrap(), std::io::pipe().unwrap());
                server.stdin(stdin.0).stdout(stdout.1);
                (Box::new(stdin.1), Box::new(stdout.0))
            }
            _ => {
                use std::os::unix::net::UnixStream;
                let (stdin, stdout) = (UnixStream::pair().unwrap(), UnixStream::pair().unwrap());
                server
                    .stdin(std::os::fd::OwnedFd::from(stdin.1))
                    .stdout(std::os::fd::OwnedFd::from(stdout.1));
                (Box::new(stdin.0), Box::new(stdout.0))
            }
        };
        let mut child = server.spawn().unwrap();
        // The ends that the child has are open here until this.
        drop(server);
        until(10, "it is guarded", || guardians().len() == 1);
        until(10, "it sleeps", || stat(guardian(), 0).as_deref() == Some("S"));
        let (asleep, ticks) = (sleeps(guardian()), stat(guardian(), 11));
        let sent: Vec<u8> = (0..SIZE).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let heard = read_aside(from);
        to.write_all(&sent).unwrap();
        let (still, later) = (sleeps(guardian()), stat(guardian(), 11));
        drop(to);
        assert!(heard.join().unwrap() == sent, "{wire}: not the same bytes");
        assert_eq!((asleep, ticks), (still, later), "{wire}: the guardian woke up");
        assert!(child.wait().unwrap().success());
        until(10, "the guardian has left", || guardians().is_empty());
    }
}

/// How often a process has gone to sleep.
fn sleeps(pid: u32) -> String {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().filter(|line| line.contains("voluntary_ctxt_switches")).collect()
}

fn family(stage: &Stage) {
    let client = stage.client("pipe", &stage.guarded(&["stay"]));
    let server = client.servers[0];
    stage.wait_for(1);
    assert_eq!(parent(server), Some(client.child.id()));
    assert_eq!(command(server), stage.bare(&["stay"]));
    let children = |pid: u32| processes().into_iter().filter(|p| parent(*p) == Some(pid)).collect::<Vec<_>>();
    assert_eq!(children(client.child.id()), [server]);
    assert_eq!(children(server), [0; 0]);
    assert_eq!(parent(guardian()), Some(1));
    let held: Vec<String> = fs::read_dir(format!("/proc/{}/fd", guardian()))
        .unwrap()
        .map(|fd| fs::read_link(fd.unwrap().path()).unwrap().to_str().unwrap().to_owned())
        .collect();
    let kinds = |start: &str| held.iter().filter(|link| link.starts_with(start)).count();
    let (pidfds, epoll) = (kinds("anon_inode:[pidfd]"), kinds("anon_inode:[eventpoll]"));
    assert_eq!((held.len(), kinds("/dev/null"), pidfds, epoll), (6, 3, 2, 1), "no end of the wire: {held:?}");
}

fn nothing_shown(stage: &Stage) {
    let mut child = Command::new(stage.mcp_reap())
        .args(["exec", "--", "sh", "-c", "read line", "--token", "hunter2-secret"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    until(10, "it is guarded", || guardians().len() == 1);
    let shown = command(guardian()).join(" ");
    assert!(shown.starts_with("mcp-reap guard "), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("sh -c"), "{shown}");
    let environment = fs::read(format!("/proc/{}/environ", guardian())).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("MCP_REAP_EXEC="));
    child.stdin.take();
    child.wait().unwrap();
}

fn pid_1(stage: &Stage) {
    let out = Command::new("unshare")
        .args(["--pid", "--fork", "--mount-proc", stage.mcp_reap(), "exec", "--"])
        .args(["sh", "-c", "echo $$ [${MCP_REAP_EXEC-none}] $(ls /proc | grep -c '^[0-9]')"])
        .output()
        .unwrap();
    // The shell, `ls` or its subshell, and grep.
    let said = String::from_utf8(out.stdout.clone()).unwrap();
    let words: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(words[..2], ["1", "[none]"], "{out:?}");
    assert!(words[2].parse::<u32>().unwrap() <= 4, "{said}");
}

fn nested(stage: &Stage) {
    let inner = format!("exec {0} exec -- sh -c 'read line'", stage.mcp_reap());
    let mut command = Command::new(stage.mcp_reap());
    let mut child = command.args(["exec", "--", "sh", "-c", &inner]).stdin(Stdio::piped()).spawn().unwrap();
    until(10, "the inner one is there", || {
        stat(child.id(), 0).is_some()
            && crate::stage::command(child.id()).ends_with(&["read line".into()])
            && crate::stage::command(child.id())[0] == "sh"
    });
    assert_eq!(guardians().len(), 1);
    child.stdin.take();
    child.wait().unwrap();
    // With a stdin of its own the inner server has a guardian of its own.
    let inner = format!("sleep 1000 | {0} exec -- sh -c 'read line'", stage.mcp_reap());
    let mut command = Command::new(stage.mcp_reap());
    let mut child = command.args(["exec", "--", "sh", "-c", &inner]).stdin(Stdio::piped()).spawn().unwrap();
    until(10, "both are guarded", || guardians().len() == 2);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// `script` (util-linux) gives each a terminal of its own.
fn terminal(stage: &Stage) {
    stage.configure("1s");
    let report = stage.dir.join("report.sh");
    fs::write(&report, REPORT).unwrap();
    let under = |exec: &str, command: &str| {
        let line = format!("{exec}{command}");
        let mut script = Command::new("script");
        script
            .args(["-qec", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let exec = format!("exec {} exec -- ", stage.mcp_reap());
    let told = |exec: &str| {
        let out = stage.dir.join("told");
        let mut script = under(exec, &format!("/bin/sh {} {}", report.display(), out.display()));
        assert!(script.wait().unwrap().success());
        let text = fs::read_to_string(out).unwrap();
        assert!(text.contains("/dev/pts/"), "{text}");
        // Each has a `script` of its own for its parent.
        let parent = script.id().to_string();
        assert!(text.contains(&format!("PPid:\t{parent}\n")), "{text}");
        text.replace(&format!("PPid:\t{parent}\n"), "")
            .replace(&format!("{parent} SELF SELF"), "PARENT SELF SELF")
    };
    assert_eq!(lines(&told("exec ")), lines(&told(&exec)));
    // Ctrl-C is a signal to the group in the foreground, and Ctrl-D an end of input.
    for (keys, command, code) in [("\x03", "cat", 130), ("\x04", "cat", 0), ("\x1c", "cat", 131)] {
        for exec in ["exec ", &exec] {
            let mut script = under(exec, command);
            std::thread::sleep(std::time::Duration::from_millis(500));
            script.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
            let code_then = script.wait().unwrap().code();
            assert_eq!(code_then, Some(code), "{exec}{command} and {keys:?}");
        }
    }
    until(10, "the guardians have left", || guardians().is_empty());
}

fn words(stage: &Stage) {
    let odd = ["", "a b", "*", "$HOME", "-x", "--", "exec", "\u{fc}", "'\""];
    let out = Command::new(stage.mcp_reap())
        .args(["exec", "printf", "[%s]\\n"])
        .args(odd)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", stage.dir.join("home"))
        .stdin(Stdio::piped())
        .output()
        .unwrap();
    let expected: String = odd.iter().map(|word| format!("[{word}]\n")).collect();
    assert_eq!(
        String::from_utf8(out.stdout).unwrap(),
        expected,
        "{:?}",
        String::from_utf8_lossy(&out.stderr)
    );
}
