"""What npm's launcher does: a program is started with all that it was given, and its end is passed on."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time

from support import check, run

# Ten seconds, in small steps: a trap runs between two of them.
WAIT = "i=0; while [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done"
# A shell would take two that come at once for one.
COUNTS_INTERRUPTS = """#!{python}
import signal, time
signal.signal(signal.SIGINT, lambda *_: print("x", flush=True))
print("ready", flush=True)
end = time.monotonic() + 1
while time.monotonic() < end:
    time.sleep(0.01)
"""
SIGNALS = ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2"]


def check_launcher(installed, work):
    """installed: a node_modules that has mcp-reap and the package for this machine."""
    copy = work / "launcher/node_modules"
    shutil.copytree(installed, copy, symlinks=True)
    (package,) = (copy / "@mcp-reap").iterdir()
    program, launcher = package / "bin/mcp-reap", copy / "mcp-reap/bin/mcp-reap.js"

    def plays(script):
        program.unlink(missing_ok=True)
        program.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    plays('printf "<%s>" "$@"; cat; echo err >&2; exit 7')
    words = ["", "two words", "--dry-run", "*", "naïve", "$HOME"]
    said = run("node", launcher, *words, input="through stdin", limit=20)
    expected = "".join(f"<{word}>" for word in words) + "through stdin"
    check("arguments, stdin, stdout, stderr and the exit code pass the launcher unchanged", said == (7, expected, "err\n"), said)
    plays("kill -KILL $$")
    check("a program that is killed kills its launcher", run("node", launcher, limit=20)[0] == -signal.SIGKILL)
    for name in SIGNALS:
        plays(f'trap "echo got; exit 3" {name}; echo ready; {WAIT}')
        said = signalled(launcher, lambda child, name=name: child.send_signal(getattr(signal, f"SIG{name}")))
        check(f"SIG{name} reaches the program, and its answer the caller", said == (3, "got\n"), said)
    plays('echo ready; kill -TERM $PPID; sleep 5')
    check("a program that a signal ends ends its launcher by it", signalled(launcher, lambda child: None)[0] == -signal.SIGTERM)
    plays(COUNTS_INTERRUPTS.format(python=sys.executable))
    check("Ctrl-C comes once", (said := interrupted(launcher)).count("x") == 1, said)

    plays("")
    program.chmod(0o644)
    code, _, said = run("node", launcher)
    check("a program that does not start is named", code == 2 and str(program) in said and "EACCES" in said, said)
    shutil.rmtree(package)
    name = f"@mcp-reap/{package.name}"
    code, out, said = run("node", launcher, "--dry-run")
    check("a package that is missing is named, with the way to get it", code == 2 and not out and name in said and
          "--omit=optional" in said, said)
    check("a hook never ends with 2", run("node", launcher, "hook", "run")[0] == 1)
    for system, words in [("win32", "WSL"), ("freebsd", "docs/install.md")]:
        fake = work / f"{system}.js"
        fake.write_text(f"Object.defineProperty(process, 'platform', {{ value: '{system}' }});")
        code, _, said = run("node", "--require", fake, launcher)
        told = f"there is no program for {system}-" in said and "linux-x64, linux-arm64, darwin-x64, darwin-arm64" in said
        check(f"on {system} the launcher says what there is", code == 2 and told and words in said, said)


def signalled(launcher, send):
    """Starts it, waits for `ready`, and gives back how it ended."""
    child = subprocess.Popen(["node", launcher], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        ready = child.stdout.readline()
        if ready != "ready\n":
            return child.wait(10), ready
        send(child)
        said, _ = child.communicate(timeout=20)
        return child.returncode, said
    except subprocess.TimeoutExpired:
        return None, "it did not end"
    finally:
        child.kill()
        child.wait()


def interrupted(launcher):
    """Starts it on a terminal of its own, types Ctrl-C, and gives back what it printed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("node", ["node", str(launcher)])
    said, end, typed = b"", time.monotonic() + 20, False
    try:
        while time.monotonic() < end and select.select([terminal], [], [], 20)[0]:
            said += (more := os.read(terminal, 4096))
            if not more:
                break
            if b"ready" in said and not typed:
                typed = os.write(terminal, b"\x03") == 1
    except OSError:  # EIO: the other end has closed
        pass
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)
    return said.decode().replace("^C", "")
