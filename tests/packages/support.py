"""What the tests of packages share: counted checks, and commands with a limit."""

import subprocess
import sys

COUNTS = {"passed": 0, "failed": 0}


def check(what, holds, *details):
    COUNTS["passed" if holds else "failed"] += 1
    if not holds:
        print(f"FAIL {what}", *details, sep="\n     ", file=sys.stderr)


def run(*command, cwd=None, env=None, limit=120, **more):
    """Runs it, and gives back exit code, stdout and stderr as text."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, cwd=cwd, env=env, timeout=limit, capture_output=True, text=True, **more)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, "", str(error)
    return done.returncode, done.stdout, done.stderr


def closing():
    print("{passed} passed, {failed} failed".format(**COUNTS))
    return COUNTS["failed"] != 0
