"""The scene of docs/screens/make.sh, from inside its namespaces: clients, servers, a terminal, pictures."""

import io
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from rich.console import Console
from rich.text import Text

HERE = pathlib.Path(sys.argv[1])
LOOK = "--look" in sys.argv
COLUMNS, ROWS = 100, 40
HOME = pathlib.Path(os.environ["HOME"])
WORK = HOME / "work"
os.environ["PATH"] += ":" + os.environ.pop("CACHE_NODE")

# The frame of a picture. No fonts from elsewhere: every reader has one of these.
SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g></g></svg>
"""


def npx(*words: str) -> dict:
    return {"command": "npx", "args": ["-y", *words]}


FILES = npx("@modelcontextprotocol/server-filesystem@2026.8.31", str(WORK))
TIMER = {"command": "npx", "args": ["mcp-server-timer"]}
BROWSER = {"command": "npx", "args": ["playwright-mcp", "--headless"]}
OLD = npx("@modelcontextprotocol/server-everything@2025.3.19")


def client(name: str, servers: dict) -> subprocess.Popen:
    """A client under this name, with its servers connected."""
    process = subprocess.Popen(
        [name, "client.mjs", json.dumps(servers)], executable="node", cwd=WORK, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    assert process.stdout.readline().strip() == "ready", name
    return process


def tmux(*words: str) -> str:
    return subprocess.run(["tmux", "-L", "screens", "-f", "/dev/null", *words], capture_output=True, text=True, check=True).stdout


def pane() -> list[str]:
    """What the terminal shows, with what was scrolled out of it."""
    lines = tmux("capture-pane", "-ep", "-S", "-").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def until(seen, seconds: float = 60) -> list[str]:
    """Waits for something to be seen."""
    end = time.monotonic() + seconds
    while not seen(lines := pane()):
        assert time.monotonic() < end, "\n".join(lines)
        time.sleep(0.1)
    return lines


def at_prompt(lines: list[str]) -> bool:
    return len(lines) > 1 and lines[-1] == "$"


def run(command: str, *answers: tuple[str, str]) -> list[str]:
    """Types a command, answers what is asked, and takes down what is seen."""
    tmux("send-keys", "clear && tmux -L screens clear-history", "Enter")
    until(lambda lines: lines == ["$"])
    tmux("send-keys", command, "Enter")
    for question, answer in answers:
        until(lambda lines: lines[-1].rstrip().endswith(question))
        tmux("send-keys", answer, "Enter")
    return until(at_prompt)[:-1]


def trimmed(svg: str) -> str:
    """Blanks at the ends of a text become its place and length: some viewers drop them, and what follows moves."""
    blank, cell = "&#160;", 12.2

    def text(found: re.Match) -> str:
        lead, body = (len(part) for part in re.match(f"((?:{blank})*)(.*)", found["text"]).groups())
        kept = re.sub(f"(?:{blank})+$", "", found["text"][lead:])
        left, right = lead // len(blank), (body - len(kept)) // len(blank)
        x, length = float(found["x"]) + left * cell, float(found["length"]) - (left + right) * cell
        return f'{found["head"]}x="{x:g}"{found["mid"]}textLength="{length:g}"{found["tail"]}>{kept}</text>' if kept else ""

    pattern = r'(?P<head><text [^>]*?)x="(?P<x>[\d.]+)"(?P<mid>[^>]*?)textLength="(?P<length>[\d.]+)"(?P<tail>[^>]*)>(?P<text>[^<]*)</text>'
    return re.sub(pattern, text, svg)


def picture(name: str, title: str, lines: list[str]) -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="standard")
    # A blank line below: the frame cuts off what hangs below the last one.
    console.print(Text.from_ansi("\n".join([*lines, ""])), no_wrap=True, crop=True)
    svg = trimmed(console.export_svg(title=title, code_format=SVG, unique_id=name))
    for private in (str(HERE), str(pathlib.Path(HERE).parents[1]), os.uname().nodename, "/root"):
        assert private not in svg, f"{name}.svg tells of {private}"
    (HERE / f"{name}.svg").write_text(svg)
    print(f"{name}.svg: {len(svg)} bytes", flush=True)


def play() -> None:
    old = client("claude", {"files": FILES, "timer": TIMER, "browser": BROWSER, "everything": OLD, "notes": NOTES})
    client("codex", {"files": FILES, "timer": TIMER})
    print("all connected", flush=True)
    old.kill()
    old.wait()
    live = client("claude", {"files": FILES, "timer": TIMER, "browser": BROWSER})
    time.sleep(65)  # min_age

    shell = "env PS1='$ ' bash --norc --noprofile"
    tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "-c", str(WORK), shell)
    until(lambda lines: lines == ["$"])
    if LOOK:
        os.execvp("tmux", ["tmux", "-L", "screens", "attach"])
    servers = json.loads(subprocess.run(["mcp-reap", "list", "--json"], capture_output=True, check=True).stdout)["instances"]
    used = next(i["root"] for i in servers if i["server"] == "mcp-server-timer" and (i["client"] or {}).get("pid") == live.pid)
    picture("list", "mcp-reap list", run("mcp-reap list"))
    picture("check", "mcp-reap check", run("mcp-reap check; echo \"exit code $?\""))
    picture("dry-run", "mcp-reap --dry-run", run("mcp-reap --dry-run"))
    picture("explain", "mcp-reap explain", run(f"mcp-reap explain {used}"))
    picture("run", "mcp-reap", run("mcp-reap", ("[y/N]", "y")))
    picture("tree", "mcp-reap list --tree", run("mcp-reap list --tree"))
    picture("log", "mcp-reap log", run("mcp-reap log"))


NOTES = {"command": "sh", "args": ["-c", "mcp-server-notes; true"]}
if __name__ == "__main__":
    assert os.getppid() == 1, "only in a PID namespace of its own"
    play()
