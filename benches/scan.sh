#!/usr/bin/env bash
# benches/scan.sh [MCP_REAP]: what a look costs, beside `pgrep -f mcp` in the same run.
#
# Fills a private PID namespace with N sleeping processes, of which INSTANCES are MCP servers by their command line,
# each on a pipe of its own. Then runs `mcp-reap --dry-run --json`, `pgrep -f mcp` and `ps` in turns (which hyperfine
# cannot: it runs one after the other, and a machine changes meanwhile) and prints for each size the medians of wall
# time and of processor time (user + system) in milliseconds, their ratios, the peak of resident memory, and the
# system calls for each process that is no candidate. The ratio of processor times is the
# one to compare on a machine that does other things as well. Goals for the wall ratio: at most 0.60 at 150
# processes, 0.35 at 400, 0.25 from 1,000; for the peak 8 MB; 8 system calls.
#
#   SIZES="150 400 1000 5000 20000"   INSTANCES="0 10 100"   ROUNDS=21   what is measured
#   OTHERS="a-cleaner --dry-run; b"   other commands, by wall time; see that they end nothing
#   THREADS=30 SIZES=500              processes of that many threads (they are not to cost anything)
#   ADOPTED=1                         the sleepers hang below pid 1, as orphans do, and not below a client's shell
#
# Build with --release first. Needs unshare, python3, pgrep, /usr/bin/time; strace for the system calls.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
reap=$(realpath "${1:-$here/../target/release/mcp-reap}")
[ -x "$reap" ] || { echo "no executable $reap: cargo build --release" >&2; exit 2; }
ulimit -u "$(ulimit -H -u)" # thousands of sleepers
exec unshare --user --map-root-user --pid --fork --mount-proc --kill-child python3 "$here/scan.py" "$reap"
