"""scan.py MCP_REAP: the inside of benches/scan.sh, pid 1 of a private PID namespace."""

import os
import re
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time


def numbers(name: str, default: str) -> list[int]:
    return [int(n) for n in os.environ.get(name, default).split()]


REAP = sys.argv[1]
SIZES = numbers("SIZES", "150 400 1000 5000 20000")
INSTANCES = numbers("INSTANCES", "0 10 100")
ROUNDS = int(os.environ.get("ROUNDS", "21"))
THREADS = int(os.environ.get("THREADS", "1"))
ADOPTED = os.environ.get("ADOPTED") == "1"
NULL = os.open("/dev/null", os.O_RDWR)
ENV = {"PATH": "/usr/bin:/bin", "HOME": tempfile.mkdtemp()}
QUIET = [(os.POSIX_SPAWN_DUP2, NULL, fd) for fd in range(3)]
OURS = [REAP, "--dry-run", "--json"]
THEIRS = ["pgrep", "-f", "mcp"]
PS = ["ps", "-eo", "pid,ppid,rss,etime,args"]
OTHERS = [command.split() for command in os.environ.get("OTHERS", "").split(";") if command.strip()]
SIDES = [OURS, THEIRS, PS, *OTHERS]


def sleeper() -> None:
    """One more process that costs next to nothing."""
    if THREADS > 1:
        if os.fork() == 0:
            for fd in range(3):
                os.dup2(NULL, fd)
            for _ in range(THREADS - 1):
                threading.Thread(target=signal.pause, daemon=True).start()
            signal.pause()
    else:
        os.posix_spawn("/bin/sleep", ["sleep", "100000"], {}, file_actions=QUIET)


def instance() -> int:
    """cat waits on a pipe that never speaks, under a server's name; the writing end stays here."""
    reader, writer = os.pipe()
    argv = ["/home/u/node_modules/.bin/mcp-server-memory", "-"]
    pid = os.posix_spawn("/bin/cat", argv, {}, file_actions=[(os.POSIX_SPAWN_DUP2, reader, 0), *QUIET[1:]])
    os.close(reader)
    OPEN.append(writer)
    return pid


OPEN: list[int] = []


def run(argv: list[str], output: int):
    """Milliseconds and resources of one run."""
    before = time.perf_counter()
    actions = [(os.POSIX_SPAWN_DUP2, NULL, 0), (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    pid = os.posix_spawnp(argv[0], argv, ENV, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    took = (time.perf_counter() - before) * 1000
    # pgrep ends with 1 when nothing matches; what others mean by theirs is not known here.
    assert argv in OTHERS or os.waitstatus_to_exitcode(status) in (0, 1), (argv, status)
    return took, usage


def calls() -> int | None:
    """System calls of one look, both threads."""
    if not shutil.which("strace"):
        return None
    with tempfile.NamedTemporaryFile("r") as file:
        run(["strace", "-f", "-c", "-o", file.name, *OURS], NULL)
        total = re.search(r"^\s*100\.00.*?(\d+)\s+(?:\d+\s+)?total", file.read(), re.M)
        # columns: % time, seconds, usecs/call, calls, errors
        return int(total.group(0).split()[3]) if total else None


def peak() -> int:
    """Peak of resident memory of one look, in kB. Not from wait4(2) of ours: a child starts with its parent's peak,
    and Python's is higher."""
    with tempfile.NamedTemporaryFile("r") as file:
        run(["/usr/bin/time", "-f", "%M", "-o", file.name, *OURS], NULL)
        return int(file.read())


def measure() -> dict[str, float]:
    wall, cpu = ([[] for _ in SIDES] for _ in range(2))
    for _ in range(ROUNDS):
        for side, argv in enumerate(SIDES):
            ms, usage = run(argv, NULL)
            wall[side].append(ms)
            cpu[side].append((usage.ru_utime + usage.ru_stime) * 1000)
    ours, theirs, *more = (statistics.median(side) for side in wall)
    ours_cpu, theirs_cpu, *_ = (statistics.median(side) for side in cpu)
    return dict(zip(MORE, more)) | {
        "ms": ours, "pgrep": theirs, "ratio": ours / theirs,
        "cpu": ours_cpu, "pgrep cpu": theirs_cpu, "cpu ratio": ours_cpu / theirs_cpu,
        "peak kB": peak(),
    }  # fmt: skip


# The columns of whoever else takes part.
MORE = ["ps", *(" ".join(argv[:2]) for argv in OTHERS)]


def main() -> None:
    assert os.getpid() == 1, "run benches/scan.sh"
    # The sleepers hang below pid 1, or below a process that is nobody's client: most processes of a machine are
    # neither adopted nor of interest.
    columns = ("processes", "instances", "ms", "pgrep", "ratio", "cpu", "pgrep cpu", "cpu ratio", *MORE, "peak kB", "calls/process")
    print("| " + " | ".join(columns) + " |\n|" + "---:|" * len(columns), flush=True)
    count, quiet = 1, None
    for size in SIZES:
        while count < size:
            sleeper() if ADOPTED else nurse(size - count)
            count = count + 1 if ADOPTED else size
        servers: list[int] = []
        for instances in INSTANCES:
            while len(servers) < instances:
                servers.append(instance())
            row = measure()
            total = calls()
            if instances == 0:
                quiet = total
            each = f"{quiet / size:.2f}" if instances == 0 and quiet else ""
            cells = [str(size + len(servers)), str(instances)]
            cells += [f"{row[c]:.0f}" if c == "peak kB" else f"{row[c]:.2f}" for c in columns[2:-1]]
            print("| " + " | ".join([*cells, each]) + " |", flush=True)
        for pid in servers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        while OPEN:
            os.close(OPEN.pop())


def nurse(count: int) -> None:
    """A process that starts the others and waits, so that they have a living parent."""
    done, ready = os.pipe()
    if os.fork() == 0:
        for _ in range(count - 1):
            sleeper()
        os.write(ready, b".")
        while True:
            signal.pause()
    os.read(done, 1)
    os.close(done)
    os.close(ready)


main()
