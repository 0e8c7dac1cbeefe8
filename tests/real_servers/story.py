"""The story that tests/real_servers.sh plays inside its private PID namespace.

story.py MCP_REAP CACHE: starts real servers under real clients, kills one client of each kind, waits, and
compares what mcp-reap finds and ends with what this script sees in /proc by itself.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import traceback

REAP, CACHE, HERE = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(__file__).parent
VENV, NODE = CACHE / "venv", CACHE / "node"
SCENE = pathlib.Path(os.environ["SCENE_HOME"])
results = []


def check(what: str, fine: bool, detail: object = "") -> None:
    """Notes one result."""
    results.append(fine)
    print(f"{'ok  ' if fine else 'FAIL'} {what}" + (f": {detail}" if detail and not fine else ""), flush=True)


# What /proc says


def stat(pid: int) -> tuple[int, int, str] | None:
    """Parent, start in clock ticks and state of a process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    rest = text[text.rindex(")") + 2 :].split(" ")
    return int(rest[1]), int(rest[19]), rest[0]


def table() -> dict[tuple[int, int], int]:
    """Parents by (pid, start) of all who are not dead."""
    rows = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (row := stat(int(entry))) and row[2] not in "ZX":
            rows[(int(entry), row[1])] = row[0]
    return rows


def below(top: int) -> set[tuple[int, int]]:
    """All descendants of a process."""
    rows, found, due = table(), set(), [top]
    while due:
        parent = due.pop()
        for who, of in rows.items():
            if of == parent and who not in found:
                found.add(who)
                due.append(who[0])
    return found


def argv(who: tuple[int, int]) -> str:
    """A command line as one text; empty when the process has ended meanwhile."""
    try:
        return pathlib.Path(f"/proc/{who[0]}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def show(some: set[tuple[int, int]]) -> None:
    """Prints processes as ps does."""
    for who in sorted(some):
        row = stat(who[0])
        print(f"      {who[0]:>6} {row[0] if row else '-':>6} {argv(who)[:130]}")


# Clients


class Client:
    """A client process with its servers."""

    def __init__(self, kind: str, servers: dict) -> None:
        if kind == "typescript":
            command = ["node", str(NODE / "client.mjs")]
        else:
            command = [str(VENV / "bin/python"), str(HERE / "client.py")]
        self.log = open(SCENE / f"{kind}-{len(os.listdir(SCENE))}.log", "w")
        self.process = subprocess.Popen(
            [*command, json.dumps(servers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, cwd=NODE,
            env=os.environ | {"PYTHONPATH": str(HERE)},
        )
        self.kind, self.names = kind, set(servers)

    def hears(self) -> str:
        """The next line it says."""
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"the {self.kind} client ended: {pathlib.Path(self.log.name).read_text()}")
        return line

    def tell(self, order: str) -> str:
        """Gives an order, returns the answer."""
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self.hears()

    def answers(self) -> bool:
        """Does each of its servers list at least one tool?"""
        counts = json.loads(self.tell("list"))
        return set(counts) == self.names and all(counts.values())

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self.process.kill()
        self.process.wait()


def npx(package: str, *args: str) -> dict:
    return {"command": "npx", "args": ["-y", package, *args]}


def uvx(package: str, program: str, *args: str) -> dict:
    return {"command": str(VENV / "bin/uvx"), "args": ["--from", package, program, *args]}


# Ignores the end of its input; dies of a closed stdout when it next says something, within 20 s.
OLD = "@modelcontextprotocol/server-everything@2025.3.19"
WRAPPED = {"command": "sh", "args": ["-c", "cd . && npx mcp-server-timer; true"]}
THREAD = {"command": str(VENV / "bin/python"), "args": ["-m", "mcp_server_thread"]}
SERVERS = {
    "filesystem-npx": npx("@modelcontextprotocol/server-filesystem@2026.8.31", str(SCENE)),
    "filesystem-node": {
        "command": "node",
        "args": [str(NODE / "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js"), str(SCENE)],
    },
    "everything": npx("@modelcontextprotocol/server-everything@2026.8.31"),
    "everything-old": npx(OLD),
    "timer-npx": {"command": "npx", "args": ["mcp-server-timer"]},
    "timer-wrapped": WRAPPED,
    "thread": THREAD,
    "playwright": {"command": "npx", "args": ["playwright-mcp", "--headless"]},
    "git": uvx("mcp-server-git==2026.10.19", "mcp-server-git"),
    "fetch": uvx("mcp-server-fetch==2026.10.24", "mcp-server-fetch"),
}
FEW = {name: SERVERS[name] for name in ("filesystem-npx", "everything-old", "timer-npx", "thread", "git")}


def reap(*args: str) -> subprocess.CompletedProcess:
    """Runs mcp-reap with a home of its own."""
    env = {"PATH": "/usr/bin:/bin", "HOME": str(SCENE)}
    return subprocess.run([REAP, *args], capture_output=True, text=True, env=env, timeout=60)


def doomed() -> set[int]:
    """The pids that a run would end."""
    run = reap("--dry-run", "--json", "--min-age", "0s")
    try:
        report = json.loads(run.stdout)
    except ValueError:
        raise RuntimeError(f"no JSON from mcp-reap --dry-run --json: {run.stdout[:300]!r} {run.stderr[:300]!r}")
    members = [pid for instance in report["instances"] for pid in instance["pids"]]
    if len(members) != len(set(members)):
        check("nobody is in two instances", False, sorted(pid for pid in set(members) if members.count(pid) > 1))
    return {pid for instance in report["instances"] if instance["reap"] for pid in instance["pids"]}


def intents() -> set[int]:
    """Whom the audit log says that a signal was meant for."""
    log = SCENE / ".local/state/mcp-reap/audit.jsonl"
    events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return {event["pid"] for event in events if event["event"] == "intent"}


def main() -> None:
    """The story."""
    assert os.getppid() == 1 and len(table()) <= 3, "only in a PID namespace of its own"
    began = time.monotonic()
    killed = {"typescript": Client("typescript", SERVERS), "python": Client("python", SERVERS)}
    living = {"typescript": Client("typescript", FEW | {"playwright": SERVERS["playwright"], "closed": npx(OLD)}), "python": Client("python", FEW)}
    for client in [*killed.values(), *living.values()]:
        client.hears()
    print(f"     all connected after {time.monotonic() - began:.1f} s, {len(table())} processes", flush=True)
    for kind, client in living.items():
        check(f"the {kind} client that will live lists the tools of all its servers", client.answers())
    check("while all clients live, nothing would be ended", doomed() == set(), doomed())

    victims = set().union(*(below(client.process.pid) for client in killed.values()))
    for client in killed.values():
        client.kill()
    # A clean close by the SDK: SIGTERM reaches npm, and the leaf stays behind.
    before = below(living["typescript"].process.pid)
    check("the TypeScript client closes one server", living["typescript"].tell("close closed") == "closed")
    living["typescript"].names.discard("closed")
    # A launcher that dies alone: its server goes to pid 1 and still serves.
    root = next(who for who in below(living["python"].process.pid) if "everything" in argv(who) and "npm exec" in argv(who))
    os.kill(root[0], signal.SIGKILL)
    time.sleep(5)

    kept = {who for client in living.values() for who in below(client.process.pid)}
    tree = table()
    closed = {who for who in before if who in tree and who not in kept}
    serving = {who for who in tree if tree[who] == 1 and who not in victims | closed and who[0] != os.getpid()}
    serving |= set().union(*(below(pid) for pid, _ in serving)) if serving else set()
    survivors = {who for who in victims if who in tree} | closed
    print(f"     {len(survivors)} of {len(victims)} processes of the killed clients, or closed, are left:", flush=True)
    show(survivors)
    print(f"     adopted by pid 1 and still serving: {len(serving)}")
    show(serving)
    check("something is left to find", len(survivors) >= 4, survivors)
    check("a live client has a server below pid 1", len(serving) >= 1)

    print(reap("--dry-run", "--min-age", "0s", "--color", "never").stdout)
    found = doomed()
    # Some die of themselves even now: who was there before and after has to be found, and nobody else may be.
    early, late = ({pid for pid, _ in some} for some in (survivors, survivors & set(table())))
    check("every survivor is found", late <= found, late - found)
    check("nobody else is found", found <= early, found - early)
    for kind, client in living.items():
        check(f"the {kind} client still lists tools before the run", client.answers())
    young = reap("--yes", "--min-age", "1h", "--grace", "2s")
    # What is gone now went by itself, which a busy machine delays: the log says whether anybody was signalled.
    check("younger than min_age: nobody is ended", young.returncode == 0 and not intents(), young.stderr)
    run = reap("--yes", "--min-age", "0s", "--grace", "2s", "--color", "never")
    print(run.stdout + run.stderr)
    check("the run succeeds", run.returncode == 0, run.returncode)
    left = survivors & set(table())
    check("all survivors are gone", not left, left)
    lost = (kept | serving) - set(table())
    check("nobody else is", not lost, lost)
    for kind, client in living.items():
        check(f"the {kind} client still lists tools after the run", client.answers())
    check("a second look finds nothing", doomed() == set(), doomed())
    meant = intents()
    check("the audit log tells of these", bool(meant) and meant <= early, meant - early)
    print(f"{sum(results)} passed, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


assert shutil.which("npx"), "npx is not on PATH"
try:
    main()
except Exception:
    traceback.print_exc()
    print(f"{sum(results)} passed, {results.count(False) + 1} failed (the story broke off)")
    sys.exit(1)
