//! Scenes of channels: what a process serves on, who is connected, and whom it calls.

use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener};

use super::*;
use crate::process::{Details, Listener};

/// A Python process that does this and then waits; `name` is where its files are.
fn python(script: &str) -> (Own, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "import os, signal, socket, sys, time\nos.closerange(3, 1024)\nos.chdir(sys.argv[1])\n{script}\n\
         open('ready', 'w').close()\nwhile True: signal.pause()"
    );
    let mut command = Command::new("python3");
    command.args(["-c", &script]).arg(folder.path());
    let own = Own::start(command.stdin(Given::null()).stdout(Given::null()).stderr(Given::null()));
    let late = Instant::now() + Duration::from_secs(10);
    while !folder.path().join("ready").exists() {
        assert!(Instant::now() < late, "{script}");
        std::thread::sleep(Duration::from_millis(10));
    }
    (own, folder)
}

fn details(own: &Own) -> Details {
    look(own.pid()).unwrap().details.into()
}

fn listening(own: &Own) -> Option<Vec<String>> {
    details(own).listening.map(|all| all.iter().map(ToString::to_string).collect())
}

#[test]
fn unix_sockets_that_serve_are_listed_by_path_and_by_abstract_name() {
    let abstract_name = format!("mcp-reap-test-{}", std::process::id());
    let (own, folder) = python(&format!(
        "def serve(kind, name):
    s = socket.socket(socket.AF_UNIX, kind); s.bind(name); s.listen(); return s
a = serve(socket.SOCK_STREAM, 'stream.sock')
b = serve(socket.SOCK_SEQPACKET, 'packets.sock')
c = serve(socket.SOCK_STREAM, '\\0{abstract_name}')
d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.bind('datagrams.sock')
e = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); e.bind('')
f = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM); f.bind('bound-only.sock')
os.mkdir('tsx-0'); g = serve(socket.SOCK_STREAM, 'tsx-0/7.pipe')
h = socket.socketpair()"
    ));
    let expected = [
        format!("unix:@{abstract_name}"),
        "unix:datagrams.sock".to_owned(),
        "unix:packets.sock".to_owned(),
        "unix:stream.sock".to_owned(),
    ];
    assert_eq!(listening(&own), Some(expected.to_vec()));
    assert_eq!(details(&own).connected, Some(0));
    drop(folder);
}

#[test]
fn a_unix_client_counts_while_it_waits_when_it_is_accepted_and_after_the_listener_is_gone() {
    let (own, folder) = python(
        "s = socket.socket(socket.AF_UNIX); s.bind('x.sock'); s.listen()
while not os.path.exists('accept'): time.sleep(.01)
c = s.accept()
while not os.path.exists('close'): time.sleep(.01)
s.close()"
            .replace("while not", "open('ready', 'w').close()\nwhile not")
            .as_str(),
    );
    let seen = |wanted: (Option<u32>, Vec<Pid>, usize)| {
        eventually(&own, |row| {
            let listening = row.details.listening.as_ref().map_or(9, Vec::len);
            (row.details.connected, row.details.connected_peers.clone(), listening) == wanted
        });
    };
    seen((Some(0), vec![], 1));
    let client = UnixStream::connect(folder.path().join("x.sock")).unwrap();
    seen((Some(1), vec![me()], 1));
    std::fs::write(folder.path().join("accept"), "").unwrap();
    std::fs::write(folder.path().join("close"), "").unwrap();
    seen((Some(1), vec![me()], 0));
    drop(client);
    seen((Some(0), vec![], 0));
}

#[test]
fn a_tcp_client_counts_half_closed_and_after_the_listener_is_gone_and_not_when_it_is_gone() {
    let port = 20_000 + (std::process::id() % 10_000) as u16;
    let (own, folder) = python(&format!(
        "s = socket.create_server(('127.0.0.1', {port})); open('ready', 'w').close()
c = s.accept(); s.close()"
    ));
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    client.write_all(b"x").unwrap();
    let seen = |wanted: (Option<u32>, Vec<Pid>)| {
        eventually(&own, |row| (row.details.connected, row.details.connected_peers.clone()) == wanted);
    };
    eventually(&own, |row| row.details.listening == Some(vec![]));
    seen((Some(1), vec![me()]));
    client.shutdown(std::net::Shutdown::Write).unwrap();
    seen((Some(1), vec![me()]));
    drop(client);
    seen((Some(0), vec![]));
    drop(folder);
}

#[test]
fn whether_it_came_in_is_not_known_when_both_ports_are_anybodys_and_nobody_listens() {
    let (own, folder) = python(
        "s = socket.create_server(('127.0.0.1', 0)); open('port.new', 'w').write(str(s.getsockname()[1]))
os.rename('port.new', 'port'); open('ready', 'w').close()
c = s.accept(); s.close()",
    );
    let port: u16 = std::fs::read_to_string(folder.path().join("port")).unwrap().parse().unwrap();
    let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    eventually(&own, |row| row.details.listening == Some(vec![]) && row.details.connected.is_none());
}

#[test]
fn a_connection_that_it_opened_is_no_client() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hub.sock");
    let unix = UnixListener::bind(&path).unwrap();
    let (own, _other) = python(&format!(
        "a = socket.create_connection(('127.0.0.1', {}))
b = socket.socket(socket.AF_UNIX); b.connect({:?})",
        tcp.local_addr().unwrap().port(),
        path
    ));
    let accepted = (tcp.accept().unwrap(), unix.accept().unwrap());
    // We are its parent.
    let row = eventually(&own, |row| row.details.outbound_peers == [me()]);
    assert_eq!((row.details.connected, row.details.display), (Some(0), false));
    assert_eq!(row.details.listening, Some(vec![]));
    drop(accepted);
}

#[test]
fn a_connection_from_itself_or_from_below_is_no_client() {
    let (own, _folder) = python(
        "s = socket.create_server(('127.0.0.1', 0)); u = socket.socket(socket.AF_UNIX); u.bind('u'); u.listen()
a = socket.create_connection(s.getsockname()); b = s.accept()
r, w = os.pipe()
if os.fork() == 0:
    os.close(w); s.close(); a.close(); b[0].close()
    c = socket.socket(socket.AF_UNIX); c.connect('u'); u.close()
    os.set_inheritable(c.fileno(), True); os.read(r, 1); os._exit(0)
d = u.accept()",
    );
    let details = details(&own);
    assert_eq!((details.connected, details.connected_peers), (Some(0), vec![]));
    assert_eq!(details.listening.map(|all| all.len()), Some(2));
}

#[test]
fn a_datagram_port_is_listed_when_it_was_chosen() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let anybodys = Own::shell("", OwnedFd::from(socket).into(), Given::null());
    eventually(&anybodys, |row| row.details.listening == Some(vec![]));
    let port = 20_000 + (std::process::id() % 10_000) as u16;
    let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let chosen = Own::shell("", OwnedFd::from(socket).into(), Given::null());
    let expected = Some(vec![Listener::Other(format!("udp:{port}"))]);
    eventually(&chosen, |row| row.details.listening == expected);
}

#[test]
fn multipath_tcp_is_tcp_and_vsock_is_not_known() {
    let (own, folder) = python(
        "try:
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262); s.bind(('127.0.0.1', 0)); s.listen()
    open('port', 'w').write(str(s.getsockname()[1]))
except OSError: pass
try: v = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM); open('vsock', 'w').close()
except OSError: pass",
    );
    let port = std::fs::read_to_string(folder.path().join("port")).ok();
    let vsock = folder.path().join("vsock").exists().then(|| "vsock".to_owned());
    let expected: Vec<String> = port.into_iter().chain(vsock.clone()).collect();
    assert_eq!(listening(&own), Some(expected));
    assert_eq!(details(&own).connected, if vsock.is_some() { None } else { Some(0) });
}

#[test]
fn a_display_is_known_by_the_name_of_its_socket() {
    let (own, folder) = python(
        "os.mkdir('.X11-unix'); s = socket.socket(socket.AF_UNIX); s.bind('.X11-unix/X9'); s.listen()
if os.fork() == 0:
    s.close(); c = socket.socket(socket.AF_UNIX); c.connect('.X11-unix/X9'); open('pid.new', 'w').write(str(os.getpid()))
    os.rename('pid.new', 'pid'); time.sleep(300)
a = s.accept()
while not os.path.exists('pid'): time.sleep(.01)",
    );
    let child: u32 = std::fs::read_to_string(folder.path().join("pid")).unwrap().parse().unwrap();
    let shows = look(Pid(child)).unwrap().details.display;
    let pid = rustix::process::Pid::from_raw(child as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert!(shows, "the client of a display");
    assert!(!details(&own).display, "the display server is nobody's client");
}

/// A port that the kernel gives to no socket by itself, of this test alone.
fn port(nth: u16) -> u16 {
    10_000 + (std::process::id() % 2_000) as u16 * 4 + nth
}

#[test]
fn a_udp_client_counts_while_it_is_connected_and_so_does_the_one_that_the_server_is_connected_to() {
    let (v4, v6) = (port(0), port(1));
    let (own, folder) = python(&format!(
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', {v4}))
t = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); t.bind(('::1', {v6}))
open('ready', 'w').close()
d, a = s.recvfrom(9); s.connect(a)"
    ));
    let seen = |wanted: (Option<u32>, Vec<Pid>)| {
        eventually(&own, |row| (row.details.connected, row.details.connected_peers.clone()) == wanted);
    };
    seen((Some(0), vec![]));
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    silent.send_to(b"", ("127.0.0.1", v6)).unwrap();
    seen((Some(0), vec![]));
    let six = UdpSocket::bind("[::1]:0").unwrap();
    six.connect(("::1", v6)).unwrap();
    seen((Some(1), vec![me()]));
    let four = UdpSocket::bind("127.0.0.1:0").unwrap();
    four.connect(("127.0.0.1", v4)).unwrap();
    seen((Some(2), vec![me(), me()]));
    four.send(b"x").unwrap();
    // Now the server's is connected to the client's as well, and the port takes nothing else.
    eventually(&own, |row| row.details.listening.as_ref().map(Vec::len) == Some(1));
    seen((Some(2), vec![me(), me()]));
    drop(four);
    seen((Some(1), vec![me()]));
    drop(six);
    seen((Some(0), vec![]));
    drop((silent, folder));
}

#[test]
fn a_unix_datagram_client_counts_by_its_peer_or_by_the_servers() {
    let (own, folder) = python(
        "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind('d.sock')
t = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); t.bind('t.sock')
open('ready', 'w').close()
while not os.path.exists('client.sock'): time.sleep(.01)
t.connect('client.sock')",
    );
    let seen = |wanted: (Option<u32>, Vec<Pid>)| {
        eventually(&own, |row| (row.details.connected, row.details.connected_peers.clone()) == wanted);
    };
    seen((Some(0), vec![]));
    let calls = UnixDatagram::unbound().unwrap();
    calls.connect(folder.path().join("d.sock")).unwrap();
    seen((Some(1), vec![me()]));
    let called = UnixDatagram::bind(folder.path().join("client.sock")).unwrap();
    seen((Some(2), vec![me(), me()]));
    drop(calls);
    seen((Some(1), vec![me()]));
    drop(called);
    seen((Some(0), vec![]));
}

#[test]
fn a_udp_socket_that_calls_a_client_is_connected_to_it() {
    let client = UdpSocket::bind(("127.0.0.1", port(2))).unwrap();
    let (own, _folder) = python(&format!(
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('127.0.0.1', {}))",
        port(2)
    ));
    eventually(&own, |row| row.details.outbound_peers == [me()] && row.details.connected == Some(0));
    drop(client);
    eventually(&own, |row| row.details.outbound_peers.is_empty() && row.details.connected == Some(0));
}

#[test]
fn a_window_on_an_x_display_over_tcp_is_a_persons() {
    let number = (std::process::id() % 40) as u16 + 20;
    let Ok(display) = TcpListener::bind(("127.0.0.1", 6000 + number)) else { return };
    let shows = |value: &str| {
        // The environment that counts is the one that it was started with.
        let (own, folder) = python(&format!(
            "if os.environ.get('DISPLAY') != '{value}':
    os.environ['DISPLAY'] = '{value}'
    os.execv(sys.executable, [sys.executable, '-c', open('/proc/self/cmdline').read().split('\\0')[2], '.'])
s = socket.create_connection(('127.0.0.1', {}))",
            6000 + number
        ));
        let seen = details(&own);
        drop(folder);
        seen.display
    };
    assert!(shows(&format!("localhost:{number}.0")));
    assert!(!shows(":0"));
    drop(display);
}
