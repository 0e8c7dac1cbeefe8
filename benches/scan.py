"""scan.py MCP_REAP: the inside of benches/scan.sh, pid 1 of a private PID namespace."""

import os
import re
import shutil
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time


def numbers(name: str, default: str) -> list[int]:
    return [int(n) for n in os.environ.get(name, default).split()]


SIZES = numbers("SIZES", "150 400 1000 5000 20000")
ROUNDS = int(os.environ.get("ROUNDS", "21"))
THREADS = int(os.environ.get("THREADS", "1"))
ALIKE = os.environ.get("ALIKE") == "1"
COUNT = os.environ.get("COUNT", "1") == "1"
# What whoever called this left open would be a way out of every process here.
if sys.argv[1] not in ("shell", "claude"):
    os.closerange(3, 1 << 16)
NULL = os.open("/dev/null", os.O_RDWR)
QUIET = [(os.POSIX_SPAWN_DUP2, NULL, fd) for fd in range(3)]
PYTHON, FLOOR = os.environ["PYTHON"], os.environ["FLOOR"]
# Pairs of servers below one client.
PAIRS = 5
# {n} is another number in each, {w} the same for ten: workers of one service.
LINES = [
    ["-bash"],
    ["sshd: u@pts/{n}"],
    ["/opt/google/chrome/chrome --type=renderer --lang=en-US --renderer-client-id={n} --shared-files=v8_context"],
    ["/usr/lib/postgresql/16/bin/postgres", "-D", "/var/lib/postgresql/16/main"],
    ["postgres: main app 10.0.0.7({n}) idle in transaction"],
    ["nginx: worker process"],
    ["node", "/srv/shop-{w}/dist/server.js", "--port", "80"],
    ["/usr/bin/python3", "/srv/queue-{w}/worker.py", "--queue", "mail"],
    ["java", "-Xmx2g", "-jar", "/opt/search-{w}/search.jar"],
    ["/usr/libexec/gvfsd-fuse", "/run/user/1000/gvfs", "-f"],
    ["/usr/lib/systemd/systemd-journald"],
    ["/home/u/.cargo/bin/rust-analyzer"],
    ["php-fpm: pool www"],
    ["/usr/bin/dbus-daemon", "--session", "--address=systemd:", "--nofork", "--syslog-only"],
    ["sleep", "{n}"],
    ["/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", "{n}", "-address", "/run/containerd.sock"],
]
SERVER = ["node", "/home/u/.npm/_npx/5a9d/node_modules/.bin/mcp-server-memory"]


def spawn(argv: list[str], actions=QUIET) -> int:
    return os.posix_spawn(FLOOR, argv, {}, file_actions=actions)


def sleeper(n: int) -> None:
    """One more process that costs next to nothing."""
    if THREADS > 1:
        if os.fork() == 0:
            for fd in range(3):
                os.dup2(NULL, fd)
            for _ in range(THREADS - 1):
                threading.Thread(target=signal.pause, daemon=True).start()
            signal.pause()
    else:
        line = ["sleep", "60"] if ALIKE else LINES[n % len(LINES)]
        spawn([word.format(n=n, w=n // len(LINES) // 10) for word in line])


def server(n: int) -> None:
    """A server, the other ends of whose wires stay open here."""
    if n % 2:
        pairs = [socket.socketpair() for _ in range(3)]
        ends = [(one.detach(), other.detach()) for one, other in pairs]
    else:
        ends = [os.pipe(), os.pipe()[::-1], os.pipe()[::-1]]
    spawn(SERVER, [(os.POSIX_SPAWN_DUP2, end[0], fd) for fd, end in enumerate(ends)])
    for end in ends:
        os.close(end[0])


def parent(command: str, first: int, count: int, ready: int) -> None:
    """A process of its own that starts others and waits, so that they have a living parent. A client starts as many
    servers again on SIGUSR1."""
    start = sleeper if command == "shell" else server
    os.set_inheritable(ready, False)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    for n in range(first, first + count):
        start(n)
    os.write(ready, b".")
    while True:
        signal.sigwait([signal.SIGUSR1])
        for n in range(first, first + count):
            start(n)


def start_parent(command: str, first: int, count: int) -> None:
    """Starts one and waits until all below it are there."""
    done, ready = os.pipe()
    os.set_inheritable(ready, True)
    argv = [command, os.path.abspath(__file__), command, str(first), str(count), str(ready)]
    os.posix_spawn(PYTHON, argv, os.environ, file_actions=QUIET)
    os.close(ready)
    assert os.read(done, 1) == b".", f"{command} with {count} below it did not start"
    os.close(done)


class World:
    """The processes that are there, this one among them."""

    def __init__(self) -> None:
        self.count = 1
        self.servers = 0

    def fill(self, size: int) -> None:
        """Sleepers up to this size, one in ten of them adopted."""
        adopted = (size - self.count) // 10
        for n in range(self.count, self.count + adopted):
            sleeper(n)
        start_parent("shell", self.count + adopted, size - self.count - adopted - 1)
        self.count = size
        self.wait()

    def serve_half(self, servers: int) -> None:
        """The first half of the servers, below clients."""
        for first in range(0, servers // 2, PAIRS):
            some = min(PAIRS, servers // 2 - first)
            start_parent("claude", first, some)
            self.servers += some
            self.count += some + 1
        self.wait()

    def serve_all(self) -> None:
        """The other half, below the same clients."""
        for pid, argv in processes():
            if argv[:1] == [b"claude"]:
                os.kill(pid, signal.SIGUSR1)
        self.count += self.servers
        self.servers *= 2
        self.wait()

    def end_servers(self) -> None:
        for pid, argv in processes():
            if argv[:1] == [b"claude"] or argv == [word.encode() for word in SERVER]:
                os.kill(pid, signal.SIGKILL)
                self.count -= 1
        self.servers = 0
        self.wait()

    def wait(self) -> None:
        """Until exactly these are there, each with its own command line."""
        limit = time.monotonic() + 60
        while True:
            # What was adopted and has ended.
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            seen = processes()
            servers = sum(argv == [word.encode() for word in SERVER] for _, argv in seen)
            if len(seen) == self.count and servers == self.servers and all(argv for _, argv in seen):
                return
            assert time.monotonic() < limit, (len(seen), self.count, servers, self.servers)
            time.sleep(0.05)


def processes() -> list[tuple[int, list[bytes]]]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found.append((int(pid), file.read().split(b"\0")[:-1]))
        except FileNotFoundError:
            pass
    return found


class Bench:
    """Runs the commands in turns."""

    def __init__(self, reap: str, floor: str) -> None:
        self.ours = [reap, "--dry-run", "--json"]
        others = [command.split() for command in os.environ.get("OTHERS", "").split(";") if command.strip()]
        others = [[reap if word == "REAP" else word for word in command] for command in others]
        self.sides = [self.ours, ["pgrep", "-f", "mcp"], [floor], *others]
        self.names = ["ms", "pgrep", "floor", *(" ".join([os.path.basename(o[0]), *o[1:]]) for o in others)]
        self.env = {"PATH": "/usr/bin:/bin", "HOME": tempfile.mkdtemp()}

    def run(self, argv: list[str], strict: bool = True):
        """Milliseconds and resources of one run."""
        actions = [(os.POSIX_SPAWN_DUP2, NULL, fd) for fd in range(3)]
        before = time.perf_counter()
        pid = os.posix_spawnp(argv[0], argv, self.env, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        took = (time.perf_counter() - before) * 1000
        # pgrep ends with 1 when nothing matches; what others mean by theirs is not known here.
        assert not strict or os.waitstatus_to_exitcode(status) in (0, 1), (argv, status)
        return took, usage

    def times(self) -> dict[str, float]:
        wall, cpu = ([[] for _ in self.sides] for _ in range(2))
        for _ in range(ROUNDS):
            for side, argv in enumerate(self.sides):
                ms, usage = self.run(argv, strict=side < 3)
                wall[side].append(ms)
                cpu[side].append((usage.ru_utime + usage.ru_stime) * 1000)
        row = dict(zip(self.names, map(statistics.median, wall)))
        ours, theirs, floor = map(statistics.median, cpu[:3])
        return row | {
            "/ pgrep": row["ms"] / row["pgrep"], "/ floor": row["ms"] / row["floor"],
            "cpu": ours, "cpu / pgrep": ours / theirs, "cpu / floor": ours / floor,
        }  # fmt: skip

    def peak(self) -> int:
        """Peak of resident memory of one look, in kB. Not from wait4(2) of ours: a child starts with its parent's peak,
        and Python's is higher."""
        with tempfile.NamedTemporaryFile("r") as file:
            self.run(["/usr/bin/time", "-f", "%M", "-o", file.name, *self.ours])
            return int(file.read())

    def counts(self) -> tuple[int, int]:
        """System calls and instructions of one look, both threads."""
        with tempfile.NamedTemporaryFile("r") as file:
            # strace stands on pipes of its own: as a child of pid 1 it would itself be a candidate.
            self.run(["sh", "-c", '"$@"; exit $?', "sh", "strace", "-f", "-c", "-o", file.name, *self.ours])
            # columns: % time, seconds, usecs/call, calls, errors
            calls = re.search(r"^\s*100\.00\s+\S+\s+\S+\s+(\d+).*total", file.read(), re.M)
        with tempfile.NamedTemporaryFile("r") as file:
            tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={file.name}"]
            self.run([*tool, *self.ours])
            instructions = re.search(r"I +refs: +([\d,]+)", file.read())
        assert calls and instructions, "strace and valgrind give no counts"
        return int(calls[1]), int(instructions[1].replace(",", ""))


def main() -> None:
    assert os.getpid() == 1, "run benches/scan.sh"
    bench, world = Bench(sys.argv[1], FLOOR), World()
    count = COUNT and shutil.which("strace") and shutil.which("valgrind")
    times = [*bench.names, "/ pgrep", "/ floor", "cpu", "cpu / pgrep", "cpu / floor"]
    counts = ["calls a process", "instr. a process", "instr. in all a process", "calls a server", "instr. a server"]
    columns = ["processes", "servers", *times, "peak kB", *(counts if count else [])]
    print("| " + " | ".join(columns) + " |\n|" + "---:|" * len(columns), flush=True)
    for size in SIZES:
        # Servers and their clients are a part of the size.
        servers = max(size // 200, 1) * 2
        alone = size - servers - -(-servers // 2 // PAIRS)
        world.fill(alone)
        without = bench.counts() if count else (0, 0)
        world.serve_half(servers)
        half = bench.counts() if count else (0, 0)
        world.serve_all()
        whole = bench.counts() if count else (0, 0)
        row = bench.times()
        cells = [str(world.count), str(servers), *(f"{row[name]:.2f}" for name in times), str(bench.peak())]
        if count:
            more = servers // 2
            cells += [f"{without[0] / alone:.2f}", f"{without[1] / alone:.0f}", f"{whole[1] / size:.0f}"]
            cells += [f"{(whole[0] - half[0]) / more:.1f}", f"{(whole[1] - half[1]) / more:.0f}"]
        print("| " + " | ".join(cells) + " |", flush=True)
        world.end_servers()


if sys.argv[1] in ("shell", "claude"):
    parent(sys.argv[1], *map(int, sys.argv[2:]))
else:
    main()
