#!/usr/bin/env bash
# What `mcp-reap exec` costs: benches/exec.sh [MCP_REAP]
# The time until a server's first byte, bare and under exec, and what a sleeping guardian holds. In a PID
# namespace of its own; give it a release build and a quiet machine.
set -euo pipefail
program=$(readlink -f "${1:-target/release/mcp-reap}")
if [ "$$" -ne 1 ]; then
  exec unshare --user --map-root-user --pid --fork --mount-proc --kill-child bash "$0" "$program"
fi
HOME=$(mktemp -d)
export HOME
trap 'rm -rf "$HOME"' EXIT
sleep 1000 | "$program" exec -- sleep 1000 | cat &
sleep 1
for status in /proc/[0-9]*/cmdline; do
  if tr '\0' ' ' <"$status" 2>/dev/null | grep -q '^mcp-reap guard '; then
    grep -E '^(Rss|Private_Dirty):' "${status%/cmdline}/smaps_rollup"
  fi
done
python3 - "$program" <<'PY'
import statistics, subprocess, sys, time
def first_byte(command, rounds=200):
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        server.stdout.read(1)
        times.append((time.perf_counter() - begun) * 1e3)
        server.communicate()
    return statistics.median(times), min(times)
echo = ["/bin/echo", "x"]
for name, command in [("bare", echo), ("exec", [sys.argv[1], "exec", "--", *echo])]:
    print("%s: median %.2f ms, least %.2f ms" % (name, *first_byte(command)))
PY
