"""The story that tests/real_claude.sh plays inside its private PID and network namespace.

story.py MCP_REAP CLAUDE: sessions of Claude Code side by side, each with one server that is started through
`sh -c "cd ... && npx ..."` and ignores the end of its input. Three end in the ordinary way, with and without the hook.
Then two whose server runs under `mcp-reap exec`: one ends, one is killed. Last, `claude mcp list`, bare and under
exec. What is left of each is seen in /proc by this script itself.
"""

import http.server
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

REAP, CLAUDE = sys.argv[1:3]
PLACE = pathlib.Path(CLAUDE).parents[3]
SCENE = pathlib.Path(os.environ["SCENE_HOME"])
results = []


def check(what: str, fine: bool, detail: object = "") -> None:
    """Notes one result."""
    results.append(fine)
    print(f"{'ok  ' if fine else 'FAIL'} {what}" + (f": {detail}" if detail and not fine else ""), flush=True)


# What /proc says


def stat(pid: int) -> tuple[int, int, str, int] | None:
    """Parent, start in clock ticks, state and process group of a process."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    rest = text[text.rindex(")") + 2 :].split(" ")
    return int(rest[1]), int(rest[19]), rest[0], int(rest[2])


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


def argv(pid: int) -> str:
    """A command line as one text."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def show(some: set[tuple[int, int]]) -> None:
    """Prints processes as ps does."""
    for pid, start in sorted(some):
        row = stat(pid)
        if row and row[1] == start:
            print(f"      {pid:>5} parent {row[0]:>5} group {row[3]:>5} {argv(pid)[:100]}")


def until(what: str, so, limit: float = 90) -> bool:
    """Polls until something is so."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if so():
            return True
        time.sleep(0.05)
    print(f"     waited {limit:.0f} s in vain until {what}")
    return False


# In the place of the model


class Answers(http.server.BaseHTTPRequestHandler):
    """One short answer to whatever is asked, once the session named in the path may have it."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.send(b"", "text/plain")

    def do_GET(self) -> None:
        self.send(b"{}", "application/json")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        session = self.path.split("/")[1]
        if "/v1/messages" not in self.path or "count_tokens" in self.path:
            return self.send(b'{"input_tokens": 1}', "application/json")
        while not (SCENE / f"{session}.answer").exists():
            time.sleep(0.05)
        message = {
            "id": "msg_1", "type": "message", "role": "assistant", "model": asked.get("model", "m"), "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1},
        }
        if not asked.get("stream"):
            message |= {"content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn"}
            return self.send(json.dumps(message).encode(), "application/json")
        events = [
            {"type": "message_start", "message": message},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        ]
        body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
        self.send(body.encode(), "text/event-stream")

    def send(self, body: bytes, kind: str) -> None:
        """One whole answer."""
        try:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # the client has ended

    def log_message(self, *args: object) -> None:
        """Nobody wants to read it."""


# Sessions


def entry(guarded: bool) -> dict:
    """The server in a client's configuration, with `mcp-reap exec --` before its command or without."""
    command = ["sh", "-c", f"cd {PLACE} && npx -y mcp-server-timer"]
    if guarded:
        command = [REAP, "exec", "--", *command]
    return {"command": command[0], "args": command[1:]}


class Session:
    """One `claude -p` with a home of its own."""

    def __init__(self, name: str, port: int, hook: bool, config: str, guarded: bool = False) -> None:
        self.name, self.home = name, SCENE / name
        (self.home / ".config/mcp-reap").mkdir(parents=True)
        (self.home / ".config/mcp-reap/config.toml").write_text(config)
        (self.home / ".config/mcp-reap/config.toml").chmod(0o600)
        self.env = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "npm_config_offline": "true",
            "npm_config_cache": os.environ["npm_config_cache"],
        }
        if hook:
            subprocess.run([REAP, "hook", "install", "--force"], env=self.env, check=True, stdout=subprocess.DEVNULL)
        (self.home / "mcp.json").write_text(json.dumps({"mcpServers": {"timer": entry(guarded)}}))
        self.log = open(SCENE / f"{name}.log", "w")
        self.process = subprocess.Popen(
            [CLAUDE, "-p", "hi", "--mcp-config", str(self.home / "mcp.json"), "--strict-mcp-config"],
            env=self.env | {
                "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}/{name}", "ANTHROPIC_API_KEY": "sk-ant-dummy",
                "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            },
            cwd=self.home, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True,
        )
        self.tree: set[tuple[int, int]] = set()

    def is_up(self) -> bool:
        """Does the server itself run, below the client?"""
        self.tree = {who for who in below(self.process.pid) if "mcp-server-timer" in argv(who[0])}
        return any(argv(pid).startswith("node ") for pid, _ in self.tree)

    def ends(self) -> None:
        """Gets its answer, and ends."""
        (SCENE / f"{self.name}.answer").touch()
        code = self.process.wait(timeout=120)
        self.ended = time.monotonic()
        check(f"{self.name}: the session ends with 0", code == 0, f"{code} {pathlib.Path(self.log.name).read_text()}")

    def is_killed(self) -> None:
        """Ends by SIGKILL, in the middle of a request."""
        self.process.kill()
        self.process.wait(timeout=20)
        self.ended = time.monotonic()

    def left(self) -> set[tuple[int, int]]:
        """What is left of its server."""
        return self.tree & set(table())

    def events(self) -> list[dict]:
        """Its audit log."""
        try:
            text = (self.home / ".local/state/mcp-reap/audit.jsonl").read_text()
        except OSError:
            return []
        return [json.loads(line) for line in text.splitlines()]


def guardians() -> set[tuple[int, int]]:
    """All guardians there are."""
    return {who for who in table() if argv(who[0]).startswith("mcp-reap guard ")}


def under_exec(sessions: list[Session], port: int) -> None:
    """Two sessions without the hook, their servers under exec."""
    clean = Session("clean", port, False, "", guarded=True)
    killed = Session("killed", port, False, "", guarded=True)
    sessions += [clean, killed]
    up = until("both servers run", lambda: all([session.is_up() for session in (clean, killed)]))
    check("two sessions have started their servers under exec", up)
    time.sleep(3)
    for session in (clean, killed):
        session.is_up()
    check("each with a guardian", len(guardians()) == 2, guardians())
    clean.ends()
    killed.is_killed()
    for session in (clean, killed):
        gone = until("its server has gone", lambda: not session.left(), 15)
        took = time.monotonic() - session.ended
        check(f"{session.name}: under exec nothing is left", gone and took < 10, (took, session.left()))
        print(f"     {took:.1f} s after the client's end")
    check("and no guardian", until("the guardians have left", lambda: not guardians(), 15), guardians())


def listed(guarded: bool) -> None:
    """`claude mcp list` starts each server to see whether it answers."""
    name = "list under exec" if guarded else "list"
    home = SCENE / name.replace(" ", "-")
    home.mkdir()
    (home / ".claude.json").write_text(json.dumps({"mcpServers": {"timer": {"type": "stdio", **entry(guarded)}}}))
    env = {key: os.environ[key] for key in ("PATH", "npm_config_cache", "npm_config_offline")}
    listing = subprocess.run(
        [CLAUDE, "mcp", "list"], env=env | {"HOME": str(home), "DISABLE_AUTOUPDATER": "1"}, cwd=home, timeout=120,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    check(f"{name}: the server answered", "onnected" in listing.stdout and listing.returncode == 0, listing.stdout)

    def servers() -> set[tuple[int, int]]:
        return {who for who in table() if "mcp-server-timer" in argv(who[0])}

    if guarded:
        gone = until("its server has gone", lambda: not servers() and not guardians(), 10)
        check(f"{name}: nothing is left", gone, servers())
        return
    time.sleep(10)
    left = servers()
    print(f"     {name}: bare it left {len(left)} processes")
    show(left)
    for pid, _ in left:
        os.kill(pid, signal.SIGKILL)


def main() -> None:
    """The story."""
    assert os.getppid() == 1 and len(table()) <= 3, "only in a PID namespace of its own"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port, now = server.server_port, "[reap]\nmin_age = \"0s\"\n"
    bare = Session("bare", port, False, now)
    hooked = Session("hooked", port, True, now)
    usual = Session("usual", port, True, "")
    living = Session("living", port, True, now)
    sessions = [bare, hooked, usual, living]
    up = until("all servers run", lambda: all([session.is_up() for session in sessions]))
    check("four sessions have started their servers", up, [session.name for session in sessions if not session.is_up()])
    time.sleep(3)  # connected, and at rest
    for session in sessions:
        session.is_up()
    print("     before the end:")
    show(hooked.tree)
    check("nobody is ended while sessions live", not any(session.events() for session in sessions))
    for session in (bare, hooked, usual):
        session.ends()
    print("     what the session without the hook left:")
    show(bare.left())
    check("a clean end leaves a server behind", bool(bare.left()))

    gone = until("the hook's work is done", lambda: not hooked.left(), 30)
    took = time.monotonic() - hooked.ended
    check("with the hook it goes", gone, hooked.left())
    print(f"     {took:.1f} s after the client's end")
    gone = until("min_age has passed", lambda: not usual.left(), 120)
    check("with the usual min_age of a minute it goes too", gone, usual.left())
    print(f"     {time.monotonic() - usual.ended:.1f} s after the client's end")
    check("without the hook it stays", bool(bare.left()))
    check("the session beside them keeps its server", living.left() == living.tree, living.tree - living.left())
    check("and lives", living.process.poll() is None)
    for session in (hooked, usual):
        events = session.events()
        meant = {event["pid"] for event in events if event["event"] == "intent"}
        of_tree = {pid for pid, _ in session.tree}
        check(f"{session.name}: the audit log names its server and nobody else", bool(meant) and meant <= of_tree, meant - of_tree)
        by = {event["started_by"] for event in events if event["event"] == "run-started"}
        check(f"{session.name}: and the hook", by == {"hook"}, by)
    check("nothing is recorded of the others", not bare.events() and not living.events())
    living.ends()
    check("its server goes after its end", until("it is gone", lambda: not living.left(), 30), living.left())
    for pid, _ in bare.left():
        os.kill(pid, signal.SIGKILL)
    under_exec(sessions, port)
    for guarded in (False, True):
        listed(guarded)
    for session in sessions:
        for log in sorted((session.home / ".local/state/mcp-reap").glob("*.log")):
            print(f"     {session.name}: " + f"\n     {session.name}: ".join(log.read_text().splitlines()))
    print(f"{sum(results)} passed, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


main()
