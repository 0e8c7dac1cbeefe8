//! Only proof ends: channels beside stdio, wires that prove nothing, innocents below and beside an orphan.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};

use rustix::io::{FdFlags, fcntl_setfd};

use crate::actor::short_path;
use crate::look::{self, Who};
use crate::role::{Actor, Play, Serves};
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};
use crate::wire::Wire;

/// A run ends the control, which can be proved, and none of these.
fn a_run_spares(stage: &Stage, some: &[Who]) {
    let control = stage.orphan(&shapes::memory("control"));
    stage.reap();
    all_alive(some);
    stage.audit().is_silent_about(some);
    all_dead(&control);
}

/// Starts a server, with these on its fds 0 and 1, under a parent that leaves at once.
fn adopted(stage: &Stage, server: &Actor, stdin: Option<File>, stdout: Option<File>) -> Who {
    let parent = Actor::new(&format!("gone-{}", server.tag), "sh", &["sh"], Play::Leave);
    let mut parent = parent.above([server.clone().on(Wire::Inherit)]).start_on(stage.dir(), stdin, stdout);
    stage.wait_for(server);
    parent.wait().unwrap();
    let who = stage.who(&server.tag);
    look::until("it has been adopted", || who.parent() == 1);
    who
}

/// Both ends of a pipe, for reading and for writing.
fn pipe() -> (File, File) {
    let (reader, writer) = std::io::pipe().unwrap();
    (File::from(OwnedFd::from(reader)), File::from(OwnedFd::from(writer)))
}

pub(crate) fn a_server_that_serves_on_another_socket_stays_though_its_wire_is_dead(stage: &Stage) {
    let cast: Vec<Who> = [Serves::UnixPath, Serves::UnixAbstract, Serves::Udp(5123)]
        .into_iter()
        .map(|serves| stage.orphan(&shapes::node(&format!("{serves:?}")).but(|a| a.serves = Some(serves)))[0])
        .collect();
    let plan = stage.plan();
    for who in &cast {
        assert_eq!(plan.must_have(*who).verdict(), "detached", "{:?}", plan.instance(*who));
    }
    // A client on the socket is use, whatever the wire says.
    let folder = File::open(stage.dir()).unwrap();
    let client = UnixStream::connect(short_path(&folder, "UnixPath")).unwrap();
    look::until("the connection is seen", || stage.plan().must_have(cast[0]).verdict() == "in-use");
    a_run_spares(stage, &cast);
    drop(client);
    // A socket that is merely open, bound to nothing that others know, announces nothing.
    let _unrelated = UdpSocket::bind("127.0.0.1:0").unwrap();
}

pub(crate) fn a_client_of_a_datagram_socket_is_use_and_nothing_that_may_be_asked_for_ends_it(stage: &Stage) {
    let server = |serves| shapes::node(&format!("{serves:?}")).but(|a| a.serves = Some(serves));
    let cast: Vec<Who> = [Serves::Udp(5124), Serves::UnixDatagrams]
        .into_iter()
        .map(|serves| stage.orphan(&server(serves))[0])
        .collect();
    let folder = File::open(stage.dir()).unwrap();
    let (inet, unix) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UnixDatagram::unbound().unwrap());
    inet.connect(("127.0.0.1", 5124)).unwrap();
    unix.connect(short_path(&folder, "UnixDatagrams")).unwrap();
    let plan = stage.plan();
    for who in &cast {
        assert_eq!(plan.must_have(*who).verdict(), "in-use", "{:?}", plan.instance(*who));
    }
    let said = stage.run(&["explain", &cast[0].pid.to_string()]).exits(0).text();
    let named = format!("One connection from outside is open: by {}.", std::process::id());
    assert!(said.split_whitespace().collect::<Vec<_>>().join(" ").contains(&named), "{said}");
    stage.configure("[reap]\ndetached = true\n[limits]\nmax_age = \"1s\"\n");
    a_run_spares(stage, &cast);
    drop((inet, unix));
    stage.configure("[reap]\ndetached = true\n");
    // Without a client they are daemons, which may be asked for.
    stage.reap();
    all_dead(&cast);
}

pub(crate) fn the_reader_of_a_pipeline_is_no_client_that_reconnected(stage: &Stage) {
    // echo '{...}' | server | claude -p summarize
    let pipeline = |tag: &str| {
        let ((stdin, closed), (reader, writer)) = (pipe(), pipe());
        drop(closed);
        (adopted(stage, &shapes::node(tag).but(|a| a.play = Play::Idle), Some(stdin), Some(writer)), reader)
    };
    let claude = |tag: &str| Actor::new(tag, "claude", &["claude", "-p", "summarize"], Play::Idle);
    let (read, reader) = pipeline("read");
    let mut client = claude("reads").start_on(stage.dir(), Some(reader), None);
    stage.wait_for(&claude("reads"));
    assert_eq!(stage.plan().must_have(read).verdict(), "in-use");
    a_run_spares(stage, &[read]);
    // The positive twin: a client that reconnected keeps that end on a descriptor of its own.
    let (left, reader) = pipeline("left");
    fcntl_setfd(reader.as_fd(), FdFlags::empty()).unwrap();
    let mut other = claude("moved-on").start_on(stage.dir(), Some(File::open("/dev/zero").unwrap()), None);
    stage.wait_for(&claude("moved-on"));
    drop(reader);
    assert_eq!(stage.plan().must_have(left).verdict(), "orphaned");
    stage.reap();
    all_dead(&[left]);
    all_alive(&[read]);
    for client in [&mut client, &mut other] {
        client.kill().unwrap();
        client.wait().unwrap();
    }
    assert_eq!(stage.plan().must_have(read).verdict(), "orphaned");
}

pub(crate) fn a_window_on_a_display_over_tcp_keeps_the_server_above_it(stage: &Stage) {
    // ssh -X: sshd listens on port 6000 and the number of the display.
    let _sshd = TcpListener::bind(("127.0.0.1", 6047)).unwrap();
    let with_display = |tag: &str, display: &str| {
        let helper = Actor::new(&format!("{tag}.plot"), "plot", &["/opt/plot/plot"], Play::Idle);
        let helper = helper.on(Wire::Null).with_env("DISPLAY", display).but(|a| a.calls = Some(6047));
        stage.orphan(&shapes::node(tag).above([helper]))
    };
    let (shown, other) = (with_display("shown", "localhost:47.0"), with_display("other", "localhost:46.0"));
    assert!(!stage.plan().must_have(shown[0]).reap());
    assert!(stage.plan().must_have(other[0]).reap());
    stage.reap();
    all_alive(&shown);
    all_dead(&other);
}

pub(crate) fn a_pipe_with_a_name_is_a_way_in_that_never_closes(stage: &Stage) {
    let who = stage.orphan(&shapes::node("f").but(|a| a.serves = Some(Serves::NamedPipe)))[0];
    assert_eq!(stage.plan().must_have(who).verdict(), "undetermined");
    a_run_spares(stage, &[who]);
}

pub(crate) fn a_terminal_whose_master_is_held_is_use(stage: &Stage) {
    let terminal = nix::pty::openpty(None, None).unwrap();
    let (mut master, slave) = (File::from(terminal.master), File::from(terminal.slave));
    fcntl_setfd(master.as_fd(), FdFlags::CLOEXEC).unwrap();
    let who = adopted(stage, &shapes::node("t"), Some(slave.try_clone().unwrap()), Some(slave));
    assert_eq!(stage.plan().must_have(who).verdict(), "in-use");
    a_run_spares(stage, &[who]);
    master.write_all(b"{\"id\":1}\n").unwrap();
    let mut answer = [0; 8];
    assert!(master.read(&mut answer).unwrap() > 0, "it still answers");
    // A terminal that is gone is no dead wire either: a daemon that was started by hand outlives its terminal.
    drop(master);
    look::until("the terminal is gone", || stage.plan().must_have(who).verdict() == "detached");
}

pub(crate) fn a_reader_of_stdout_is_use_though_stdin_says_nothing(stage: &Stage) {
    let (reader, writer) = pipe();
    let who = adopted(stage, &shapes::node("r").but(|a| a.play = Play::Idle), None, Some(writer));
    assert_eq!(stage.plan().must_have(who).verdict(), "in-use");
    a_run_spares(stage, &[who]);
    drop(reader);
    // Half a wire is no proof.
    assert_eq!(stage.plan().must_have(who).verdict(), "detached");
}

pub(crate) fn two_leaked_servers_that_hold_each_others_wires_go(stage: &Stage) {
    // A client without close-on-exec: each server inherits the client's ends of the other's pipes.
    let inherits = |file: &File, does: bool| {
        fcntl_setfd(file.as_fd(), if does { FdFlags::empty() } else { FdFlags::CLOEXEC }).unwrap();
    };
    let (one, two) = ((pipe(), pipe()), (pipe(), pipe()));
    let start = |tag: &str, own: &((File, File), (File, File)), other: &((File, File), (File, File))| {
        let clients_ends = [&other.0.1, &other.1.0];
        clients_ends.iter().for_each(|end| inherits(end, true));
        let stdio = (own.0.0.try_clone().unwrap(), own.1.1.try_clone().unwrap());
        let who = adopted(stage, &shapes::node(tag), Some(stdio.0), Some(stdio.1));
        clients_ends.iter().for_each(|end| inherits(end, false));
        who
    };
    let cast = [start("a", &one, &two), start("b", &two, &one)];
    // As long as the client has its ends, both are in use.
    assert!(cast.iter().all(|who| stage.plan().must_have(*who).verdict() == "in-use"));
    drop((one, two));
    assert!(cast.iter().all(|who| stage.plan().must_have(*who).verdict() == "orphaned"));
    stage.reap();
    all_dead(&cast);
}

pub(crate) fn claudes_environment_makes_no_server_of_a_job_on_half_a_wire(stage: &Stage) {
    // `cat list | import > log &` in a pane of a tmux that a server of Claude Code once started.
    let job = Actor::new("job", "import-data", &["import-data"], Play::Idle)
        .with_env("CLAUDECODE", "1")
        .with_env("CLAUDE_CODE_SESSION_ID", "old");
    let (reader, writer) = pipe();
    drop(writer);
    let log = File::create(stage.dir().join("import.log")).unwrap();
    let who = adopted(stage, &job, Some(reader), Some(log));
    assert!(stage.plan().instance(who).is_none());
    a_run_spares(stage, &[who]);
}

pub(crate) fn a_persons_browser_below_an_orphan_keeps_it(stage: &Stage) {
    // The server opened a login page, and no browser ran yet: the everyday browser is its child now.
    let argv = ["/usr/lib/firefox/firefox", "https://login.example.com/authorize"];
    let browser = Actor::new("browser", "firefox", &argv, Play::Idle).on(Wire::Null);
    let cast = stage.orphan(&shapes::node("n").above([browser]));
    let plan = stage.plan();
    assert_eq!(plan.must_have(cast[0]).verdict(), "orphaned");
    assert!(!plan.must_have(cast[0]).reap());
    a_run_spares(stage, &cast);
    // The positive twin: a browser that a program drives goes with its server.
    let argv = ["/usr/lib/firefox/firefox", "-headless", "-marionette"];
    let driven = Actor::new("driven", "firefox", &argv, Play::Idle).on(Wire::Null);
    let gone = stage.orphan(&shapes::node("m").above([driven]));
    stage.reap();
    all_dead(&gone);
    all_alive(&cast);
}

pub(crate) fn a_persons_programs_keep_a_server_wherever_they_lie(stage: &Stage) {
    let below = |tag: &str, bin: &str, argv: &[&str]| {
        let program = Actor::new(&format!("{tag}.own"), bin, argv, Play::Idle).on(Wire::Null);
        stage.orphan(&shapes::node(tag).above([program]))
    };
    let cast = [
        below("page", "firefox", &["/usr/lib/firefox/firefox", "/tmp/report.html"]),
        below("image", "zen", &["/tmp/.mount_zenAb12/zen", "https://example.com/"]),
        below("screen", "screen", &["SCREEN", "-dmS", "work"]),
        below("script", "python3", &["/usr/bin/python3", "/usr/bin/terminator"]),
    ];
    // On the dead wire of a server that had Claude Code's environment, and has ended.
    let browser = Actor::new("login", "chrome", &["/opt/google/chrome/chrome", "https://login"], Play::Idle)
        .with_env("CLAUDECODE", "1")
        .with_env("CLAUDE_CODE_SESSION_ID", "old")
        .on(Wire::Socketpair);
    // By hand, to log in once, from a terminal whose pipes are gone.
    let profile = "--user-data-dir=/home/u/.cache/ms-playwright/mcp-chrome-a1";
    let argv = ["/opt/google/chrome/chrome", profile];
    let by_hand = Actor::new("hand", "chrome", &argv, Play::Idle).on(Wire::Socketpair);
    let cast = [cast.concat(), stage.orphan(&browser), stage.orphan(&by_hand)].concat();
    a_run_spares(stage, &cast);
    // The positive twin.
    let argv = ["/opt/google/chrome/chrome", "--remote-debugging-pipe", profile];
    let driven = Actor::new("driven", "chrome", &argv, Play::Idle).on(Wire::Socketpair);
    let gone = stage.orphan(&driven);
    stage.reap();
    all_dead(&gone);
    all_alive(&cast);
}

/// A shell with this line above a server on a dead wire and a job of the person's.
fn shell_line(stage: &Stage, tag: &str, line: &str, job: bool) -> Vec<Who> {
    let shell = Actor::new(&format!("shell-{tag}"), "bash", &["bash", "-c", line], Play::Launch);
    let mut below = vec![shapes::node(tag).on(Wire::Inherit)];
    if job {
        below.push(Actor::new(&format!("job-{tag}"), "backup", &["backup"], Play::Idle).on(Wire::Null));
    }
    stage.orphan(&shell.on(Wire::Socketpair).above(below))
}

const SERVER: &str =
    "node /home/u/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js /home/u/project";

pub(crate) fn a_shell_line_that_runs_more_is_an_owner_and_one_that_waits_for_its_end_saves(stage: &Stage) {
    let both = shell_line(stage, "both", &format!("{SERVER} & backup; wait"), true);
    let then = shell_line(stage, "then", &format!("{SERVER} && notify-send done"), false);
    let alone = shell_line(stage, "alone", &format!("cd /tmp; {SERVER}; exit $?"), false);
    stage.reap();
    all_dead(&alone);
    all_alive(&then);
    let [shell, server, job] = both[..] else { panic!("{both:?}") };
    all_alive(&[job]);
    all_dead(&[server]);
    let _ = shell;
}

pub(crate) fn a_wrapper_that_nobody_listed_is_known_by_the_wire_it_passes_on(stage: &Stage) {
    let argv: Vec<&str> = ["jail-of-mine", "--net=none"].into_iter().chain(SERVER.split(' ')).collect();
    let wrapper = Actor::new("w", "jail-of-mine", &argv, Play::Launch);
    let cast = stage.orphan(&wrapper.on(Wire::Socketpair).above([shapes::node("s").on(Wire::Inherit)]));
    assert_eq!(stage.plan().must_have(cast[0]).pids(), [cast[0].pid, cast[1].pid]);
    stage.reap();
    all_dead(&cast);
    // One that has more to do than the server is an owner, though it passes its stdio on; so is one on no wire.
    let tests = Actor::new("p", "python3", &["python3", "-m", "pytest"], Play::Idle);
    let cast = stage.orphan(&tests.on(Wire::Socketpair).above([shapes::node("u").on(Wire::Inherit)]));
    stage.reap();
    all_alive(&cast[..1]);
    let owner = Actor::new("o", "work-of-mine", &["work-of-mine"], Play::Launch).on(Wire::Null);
    let cast = stage.orphan(&owner.above([shapes::node("t").on(Wire::Socketpair)]));
    a_run_spares(stage, &cast);
}

pub(crate) fn a_wrapper_that_only_a_configuration_names_goes_with_what_it_runs(stage: &Stage) {
    let entry = r#"{"mcpServers":{"notes":{"command":"bash","args":["/home/u/wrap.sh","--notes"]}}}"#;
    std::fs::write(stage.home().join(".claude.json"), entry).unwrap();
    let wrapper = Actor::new("w", "bash", &["bash", "/home/u/wrap.sh", "--notes"], Play::Launch);
    let server = Actor::new("s", "node", &["node", "/home/u/plain.js"], Play::ServeOn);
    let cast = stage.orphan(&wrapper.on(Wire::Pipe).above([server]));
    let plan = stage.plan();
    assert_eq!(plan.must_have(cast[0]).verdict(), "orphaned");
    assert_eq!(plan.must_have(cast[0]).pids(), [cast[0].pid, cast[1].pid]);
    stage.reap();
    all_dead(&cast);
}
