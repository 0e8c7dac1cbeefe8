"""A container that was started under `mcp-reap exec` ends with its client, and one beside it stays.

real_engine.py MCP_REAP [ENGINE] [IMAGE]: plays it with a real engine (docker, podman, nerdctl) in a PID namespace of
its own. Exit codes: 0 all passed, 1 something failed, 77 this machine has no engine that answers.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]
REAP = str(pathlib.Path(sys.argv[1]).resolve())
ENGINE = sys.argv[2] if len(sys.argv) > 2 else "docker"
IMAGE = sys.argv[3] if len(sys.argv) > 3 else "docker.io/library/busybox:1.37"
LABEL = "mcp-reap.exec"
# It answers what it reads, and then hears neither the end of its input nor SIGTERM.
DEAF = ["sh", "-c", "trap '' TERM INT HUP; while read -r line; do echo \"$line\"; done; while :; do sleep 1; done"]
results = []


def check(what: str, fine: bool, detail: object = "") -> None:
    """Notes one result."""
    results.append(fine)
    print(f"{'ok  ' if fine else 'FAIL'} {what}" + (f": {detail}" if detail and not fine else ""), flush=True)


def engine(*args: str) -> str:
    """What the engine answers."""
    return subprocess.run([ENGINE, *args], check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout.strip()


def running(what: str) -> list[str]:
    """The containers that run, of a filter."""
    return engine("ps", "--quiet", "--filter", what).split()


def client(guarded: bool) -> None:
    """Plays a client: starts one server, says that it answers, and waits to be killed."""
    command = [ENGINE, "run", "--interactive", "--rm", "--label", "mcp-reap.test", IMAGE, *DEAF]
    if guarded:
        command = [REAP, "exec", "--", *command]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    server.stdin.write("hello\n")
    print(server.stdout.readline(), end="", flush=True)
    signal.pause()


def leave(guarded: bool) -> list[str]:
    """What still runs 25 s after the client of a server was killed, or nothing as soon as nothing does."""
    mode = "guarded" if guarded else "bare"
    player = subprocess.Popen([sys.executable, __file__, *sys.argv[1:4], mode], stdout=subprocess.PIPE, text=True)
    check(f"{mode}: the server answers", player.stdout.readline() == "hello\n")
    if guarded:
        check("guarded: one container has the label", len(running(f"label={LABEL}")) == 1)
    player.kill()
    player.wait(timeout=20)
    end = time.monotonic() + 25
    while (left := running("label=mcp-reap.test")) and time.monotonic() < end:
        time.sleep(0.5)
    return left


def main() -> None:
    """The story."""
    if sys.argv[-1] in ("guarded", "bare"):
        return client(sys.argv[-1] == "guarded")
    if not shutil.which(ENGINE) or subprocess.run([ENGINE, "ps"], capture_output=True, timeout=60).returncode:
        print(f"SKIPPED: no {ENGINE} that answers")
        sys.exit(77)
    if os.getpid() != 1:
        sys.argv[2:] = [ENGINE, IMAGE]
        os.execvp(NAMESPACE[0], [*NAMESPACE, sys.executable, *sys.argv])
    if not engine("images", "--quiet", IMAGE):
        engine("pull", "--quiet", IMAGE)
    stranger = engine("run", "--detach", "--rm", IMAGE, "sleep", "300")
    try:
        check("under exec nothing is left", not leave(True))
        check("a container without the label stays", bool(running(f"id={stranger}")))
        print(f"     bare it leaves {len(leave(False))} container")
    finally:
        for container in [stranger, *running("label=mcp-reap.test")]:
            engine("kill", container)
    print(f"{sum(results)} passed, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


main()
