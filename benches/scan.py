"""scan.py MCP_REAP: the inside of benches/scan.sh, pid 1 of a private PID namespace."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

REAP = sys.argv[1]
SIZES = [int(n) for n in os.environ.get("SIZES", "150 400 1000 5000").split()]
ROUNDS = int(os.environ.get("ROUNDS", "21"))
# One in ten is a server by its command line, whose wire has to be looked at: a machine with a bad leak.
SERVER_SHARE = int(os.environ.get("SERVER_SHARE", "10"))


def sleeper(number: int) -> None:
    """One more process that costs next to nothing."""
    if number % SERVER_SHARE:
        os.posix_spawn("/bin/sleep", ["sleep", "100000"], {})
    else:
        # cat waits on a pipe that never speaks, under a server's name.
        argv = ["/home/u/node_modules/.bin/mcp-server-memory", "-"]
        os.posix_spawn("/bin/cat", argv, {}, file_actions=[(os.POSIX_SPAWN_DUP2, SILENT, 0)])


SILENT, SPEAKER = os.pipe()
env = {"PATH": "/usr/bin:/bin", "HOME": tempfile.mkdtemp()}


def took(argv: list[str]) -> tuple[float, int]:
    """Milliseconds and peak kB of one run."""
    before = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, env, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, _, usage = os.wait4(pid, 0)
    return (time.perf_counter() - before) * 1000, usage.ru_maxrss


assert os.getpid() == 1
count = 1
print(f"{'processes':>9} {'mcp-reap':>9} {'pgrep -f':>9} {'ratio':>6} {'peak kB':>8}")
for size in SIZES:
    while count < size:
        sleeper(count)
        count += 1
    ours, theirs, peak = [], [], 0
    for _ in range(ROUNDS):
        ms, kb = took([REAP, "--dry-run", "--json"])
        ours.append(ms)
        peak = max(peak, kb)
        theirs.append(took(["pgrep", "-f", "mcp"])[0])
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"{size:>9} {a:>9.2f} {b:>9.2f} {a / b:>6.2f} {peak:>8}", flush=True)
