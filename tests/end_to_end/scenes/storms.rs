//! Many at once, and everything that can go wrong in the middle of a run.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sys::signal::Signal;

use crate::audit::at;
use crate::look::{self, Who};
use crate::role::Actor;
use crate::run::Running;
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};

/// Orphans from clients of at most a hundred servers each, all of them adopted.
fn orphans(stage: &Stage, actors: &[Actor]) -> Vec<Who> {
    let clients: Vec<_> = (0..)
        .zip(actors.chunks(100))
        .map(|(i, some): (u32, _)| stage.client(&format!("doomed-{i}"), some.iter().cloned()))
        .collect();
    let cast = actors.iter().flat_map(|actor| stage.cast(actor)).collect();
    clients.iter().for_each(|client| stage.kill_client(client));
    cast
}

fn stubborn(tag: &str) -> Actor {
    shapes::node(tag).but(|a| a.ignores_term = true)
}

/// The log's lines about signals so far.
fn signalled(stage: &Stage) -> usize {
    fs::read_to_string(stage.audit_path()).unwrap_or_default().matches("\"signalled\"").count()
}

/// A run that has begun to send.
fn until_sending(stage: &Stage, grace: &str, at_least: usize) -> Running {
    let running = stage.begin(&["--yes", "--min-age", "0s", "--grace", grace]);
    look::until("it sends", || signalled(stage) >= at_least || running.has_ended());
    assert!(!running.has_ended(), "the run ended too early");
    running
}

pub(crate) fn a_thousand_targets_cost_one_grace(stage: &Stage) {
    let tag = |i: usize| format!("n{i:04}");
    let actors: Vec<Actor> =
        (0..1000).map(|i| shapes::node(&tag(i)).but(|a| a.ignores_term = i % 10 == 0)).collect();
    let cast = orphans(stage, &actors);
    let stopped: Vec<Who> = cast.iter().copied().skip(3).step_by(20).collect();
    stopped.iter().for_each(|who| stage.signal(*who, Signal::SIGSTOP));
    let innocent: Vec<Actor> = (0..20).map(|i| shapes::bystander(&format!("b{i:02}"))).collect();
    let alive = stage.client("claude", [shapes::memory("used")].into_iter().chain(innocent.clone()));
    stage.run(&["--yes", "--min-age", "0s", "--grace", "2s"]).exits(0);
    all_dead(&cast);
    all_alive(&innocent.iter().map(|a| stage.who(&a.tag)).collect::<Vec<_>>());
    stage.ping(&alive, "used");
    let audit = stage.audit();
    audit.is_sound();
    assert_eq!(audit.of("killed").len(), 100, "those that ignore SIGTERM, and nobody else");
    assert_eq!(audit.of("exited").len() + audit.of("vanished").len(), 900);
    let woken = |who: &&Who| audit.about("signalled", **who).iter().any(|line| line["signal"] == "CONT");
    assert_eq!(stopped.iter().filter(woken).count(), stopped.len());
    // One grace for all, from the first request to the last end. The room above it is for a machine
    // that runs many scenes at once; alone it takes some 50 ms.
    let first = audit.of("signalled").iter().map(|line| at(line)).min().unwrap();
    let last = audit.of("killed").iter().map(|line| at(line)).max().unwrap();
    eprintln!("1,000 targets: {} ms over the grace", last - first - 2000);
    assert!((2000..5000).contains(&(last - first)), "{} ms for a grace of 2 s", last - first);
}

pub(crate) fn under_a_careless_init_a_hundred_dead_are_no_survivors(stage: &Stage) {
    let actors: Vec<Actor> = (0..100).map(|i| shapes::node(&format!("n{i:03}"))).collect();
    let cast = orphans(stage, &actors);
    let run = stage.run(&["--yes", "--min-age", "0s", "--grace", "20s"]).exits(0);
    all_dead(&cast);
    assert!(cast.iter().all(|who| !who.is_collected()), "zombies, every one");
    assert!(run.took < Duration::from_secs(10), "a zombie has ended; took {:?}", run.took);
    let audit = stage.audit();
    audit.is_sound();
    assert!(audit.of("survived").is_empty());
    assert!(stage.plan().doomed().is_empty(), "and is never a target");
}

/// A shell under the name of a server, and the command that starts it.
fn dying_server(stage: &Stage, story: &str) -> String {
    let dir = stage.dir.join("node_modules/@modelcontextprotocol/server-memory/dist");
    fs::create_dir_all(&dir).unwrap();
    let script = dir.join("index.js");
    fs::write(&script, story).unwrap();
    format!("exec -a node /bin/sh {}", script.display())
}

/// The server, once it has told its number.
fn told(stage: &Stage) -> Who {
    let server = || fs::read_to_string(stage.home().join("server")).ok()?.trim().parse().ok();
    look::until("the server runs", || server().is_some());
    look::who(server().unwrap())
}

fn sleepers() -> Vec<Who> {
    let left = look::everyone().into_iter().filter(|s| s.comm == "sleep" && s.state != 'Z');
    left.map(|s| s.who).collect()
}

/// stdin and stdout of a server whose client is gone: pipes whose other ends are closed.
fn dead_wire() -> (Stdio, Stdio) {
    let (stdin, _) = std::io::pipe().unwrap();
    let (_, stdout) = std::io::pipe().unwrap();
    (stdin.into(), stdout.into())
}

pub(crate) fn what_a_server_forks_as_it_ends_goes_too(stage: &Stage) {
    // On SIGTERM it leaves a child behind and ends in the same moment, so that nobody can find the child by its
    // parent. It leads a process group, as Codex starts servers.
    let start = dying_server(
        stage,
        "trap 'sleep 1000 & exit 0' TERM\necho $$ > \"$HOME/server\"\nsleep 1000 & while :; do wait; done\n",
    );
    let mut fork = Command::new("setsid");
    let (stdin, stdout) = dead_wire();
    fork.args(["--fork", "bash", "-c", &start]).env("HOME", stage.home()).stdin(stdin);
    assert!(fork.stdout(stdout).stderr(Stdio::null()).status().unwrap().success());
    drop(fork);
    let server = told(stage);
    let mut other = Command::new("sleep").arg("1000").spawn().unwrap();
    let sleeper = look::who(other.id());
    assert!(stage.plan().must_have(server).reap());
    stage.run(&["--yes", "--min-age", "0s", "--grace", "3s"]).exits(0);
    all_dead(&[server]);
    assert_eq!(sleepers(), [sleeper], "the scene's own sleep, and no other");
    other.kill().unwrap();
    other.wait().unwrap();
    stage.audit().is_sound();
    assert!(
        stage.audit().0.iter().any(|line| line.to_string().contains("\"sleep\"")),
        "it is named in the log"
    );
}

pub(crate) fn what_a_server_in_its_clients_group_forks_as_it_ends_goes_too(stage: &Stage) {
    // The same without a group of its own. One child has the server's way in, one its way out: a shell gives
    // what it starts in the background /dev/null to read from.
    let start = dying_server(
        stage,
        "trap 'sleep 1000 & sleep 1000 <&3 >/dev/null & exit 0' TERM\nexec 3<&0\necho $$ > \"$HOME/server\"\n\
         sleep 1000 & while :; do wait; done\n",
    );
    let mut client = Command::new("bash");
    client.args(["-c", &format!("({start}) <&0 &")]).env("HOME", stage.home());
    let mut client =
        client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (to, from) = (client.stdin.take(), client.stdout.take());
    assert!(client.wait().unwrap().success());
    let server = told(stage);
    drop((to, from));
    assert!(stage.plan().must_have(server).reap());
    // Somebody of the same group who is nobody's child either and comes while the run waits.
    let running = stage.begin(&["--yes", "--min-age", "0s", "--grace", "3s"]);
    look::until("it sends", || signalled(stage) > 0 || running.has_ended());
    let mut double_fork = Command::new("bash");
    double_fork.args(["-c", "sleep 1000 & echo $!"]).stdin(Stdio::null()).stderr(Stdio::null());
    let said = {
        let mut child = double_fork.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        child.wait().unwrap();
        line
    };
    let sleeper = look::who(said.trim().parse().unwrap());
    running.finish().exits(0);
    all_dead(&[server]);
    assert_eq!(sleepers(), [sleeper], "the one from elsewhere, and no other");
    let audit = stage.audit();
    audit.is_sound();
    let asked = audit.of("intent").iter().filter(|line| line["signal"] == "TERM").count();
    assert_eq!(asked, 4, "the server, its child from before and the two from the end");
}

pub(crate) fn a_loop_in_the_servers_group_keeps_its_jobs(stage: &Stage) {
    // `server | while read line; do (upload &); done` from a shell with job control: one group, led by the server.
    let server = shapes::node("n").but(|a| (a.own_group, a.ignores_term) = (true, true));
    let cast = stage.orphan(&server);
    let mut job = Command::new("bash");
    job.args(["-c", "for i in 1 2 3 4 5 6 7 8; do (sleep 1000 &); sleep 0.3; done; sleep 1000"]);
    job.process_group(cast[0].pid.try_into().unwrap()).stdin(Stdio::null()).stdout(Stdio::null());
    let mut job = job.stderr(Stdio::null()).spawn().unwrap();
    let running = stage.begin(&["--yes", "--min-age", "0s", "--grace", "2s"]);
    running.finish().exits(0);
    all_dead(&cast);
    assert!(job.try_wait().unwrap().is_none(), "the loop was ended");
    look::until("it has started them all", || sleepers().len() >= 9);
    let audit = stage.audit();
    audit.is_sound();
    let asked = audit.of("signalled");
    assert!(asked.iter().all(|line| line["pid"].as_u64() == Some(cast[0].pid.into())), "{asked:?}");
}

pub(crate) fn in_a_table_of_few_numbers_no_stranger_is_hit(stage: &Stage) {
    // Few enough numbers that each is given again within the grace (pid_max is a namespace's own since Linux 6.14).
    // Numbers up to 300 are not given again at all (kernel/pid.c, RESERVED_PIDS), so the cast begins above.
    let few = fs::write("/proc/sys/kernel/pid_max", "420").is_ok();
    fs::write("/proc/sys/kernel/ns_last_pid", "300").unwrap();
    let actors: Vec<Actor> =
        (0..20).map(|i| shapes::node(&format!("n{i:02}")).but(|a| a.ignores_term = i % 4 == 0)).collect();
    let cast = orphans(stage, &actors);
    let running = stage.begin(&["--yes", "--min-age", "0s", "--grace", "2s"]);
    let numbers: HashSet<u32> = cast.iter().map(|who| who.pid).collect();
    let (mut strangers, mut reused): (Vec<Child>, usize) = (Vec::new(), 0);
    let begun = Instant::now();
    while !running.has_ended() && begun.elapsed() < Duration::from_secs(30) {
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        if numbers.contains(&child.id()) || strangers.len() < 40 {
            reused += usize::from(numbers.contains(&child.id()));
            strangers.push(child);
        } else {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    running.finish().exits(0);
    all_dead(&cast);
    for stranger in &mut strangers {
        assert!(stranger.try_wait().unwrap().is_none(), "{} was ended", stranger.id());
    }
    assert!(reused > 0 || !few, "no number was given again, so nothing was shown");
    stage.audit().is_sound();
}

pub(crate) fn a_disk_that_fills_up_after_sigterm_keeps_sigkill_back(stage: &Stage) {
    // The log's own last page has room for a few more lines, but not for the intents of so many.
    let actors: Vec<Actor> = (0..24).map(|i| stubborn(&format!("n{i:02}"))).collect();
    let cast = orphans(stage, &actors);
    fs::create_dir_all(stage.state_dir()).unwrap();
    let options = Some("size=131072,mode=700");
    mount(Some("tmpfs"), &stage.state_dir(), Some("tmpfs"), MsFlags::empty(), options).unwrap();
    let running = until_sending(stage, "2s", cast.len());
    let filler = stage.state_dir().join("filler");
    // Page by page, until not one more fits.
    let mut file = fs::File::create(&filler).unwrap();
    while file.write_all(&[b'x'; 4096]).is_ok() {}
    let run = running.finish().exits(1);
    assert!(run.complaint().contains("nothing more was sent"), "{}", run.complaint());
    all_alive(&cast);
    let log = fs::read_to_string(stage.audit_path()).unwrap();
    let lines = || log.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
    assert!(!lines().any(|line| line.contains("\"KILL\"")), "nothing of what was given up is told");
    drop(file);
    fs::remove_file(filler).unwrap();
    stage.run(&["--yes", "--min-age", "0s", "--grace", "1s"]).exits(0);
    all_dead(&cast);
}

pub(crate) fn a_run_killed_in_the_middle_leaves_a_log_that_can_be_read(stage: &Stage) {
    let cast: Vec<Who> = (0..20).flat_map(|i| stage.orphan(&stubborn(&format!("n{i:02}")))).collect();
    let running = until_sending(stage, "20s", 1);
    let victim = look::who(running.pid());
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(victim.pid.try_into().unwrap()), Signal::SIGKILL)
        .unwrap();
    look::until("it is gone", || !victim.is_alive());
    let text = fs::read_to_string(stage.audit_path()).unwrap();
    let whole = text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count();
    assert!(whole + 1 >= text.lines().count(), "at most the last line is torn");
    for who in &cast {
        let line = |event: &str| format!("\"event\":\"{event}\"");
        let about = |l: &&str| l.contains(&format!("\"pid\":{},", who.pid));
        let count = |event: &str| text.lines().filter(about).filter(|l| l.contains(&line(event))).count();
        assert!(count("intent") >= count("signalled"), "{who:?}");
        assert_eq!(count("intent"), 1, "all intents were on the disk before the first signal");
    }
    // Nothing is locked and nothing is lost: the next run goes on where this one was cut off.
    stage.run(&["--yes", "--min-age", "0s", "--grace", "1s"]).exits(0);
    all_dead(&cast);
}

pub(crate) fn a_log_moved_away_in_the_middle_keeps_its_record(stage: &Stage) {
    let cast = stage.orphan(&stubborn("n"));
    let running = until_sending(stage, "1s", 1);
    // As a logrotate of the person's own would do it.
    let moved = stage.state_dir().join("audit.jsonl.1");
    fs::rename(stage.audit_path(), &moved).unwrap();
    running.finish().exits(0);
    all_dead(&cast);
    let audit = crate::audit::Audit::read(&moved);
    audit.is_sound();
    assert_eq!(audit.about("killed", cast[0]).len(), 1);
    assert_eq!(audit.of("run-finished").len(), 1);
    assert_eq!(fs::metadata(&moved).unwrap().permissions().mode() & 0o777, 0o600);
    stage.reap();
}

pub(crate) fn a_reader_that_leaves_stops_no_run_in_the_middle(stage: &Stage) {
    for (run, form) in ["--json", "--color=never"].into_iter().enumerate() {
        let tag = |i: usize| format!("n{run}-{i}");
        let mut cast: Vec<Who> = (0..5).flat_map(|i| stage.orphan(&stubborn(&tag(i)))).collect();
        cast.extend(stage.orphan(&shapes::memory(&format!("m{run}"))));
        let mut command = stage.command(&["--yes", form, "--min-age", "0s", "--grace", "1s"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Both readers are gone before the first word.
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().unwrap().code(), Some(0), "{form}");
        all_dead(&cast);
        let audit = stage.audit();
        audit.is_sound();
        assert_eq!(audit.of("killed").len(), 5 * (run + 1));
        assert_eq!(audit.of("run-finished").len(), run + 1);
    }
}
