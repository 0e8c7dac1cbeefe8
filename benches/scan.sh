#!/usr/bin/env bash
# benches/scan.sh [MCP_REAP]: what a look costs, beside `pgrep -f` in the same run.
#
# Fills a private PID namespace with N sleeping processes (sleep, node-like and MCP-like command lines), then runs
# `mcp-reap --dry-run --json` and `pgrep -f mcp` in turns and prints the medians in milliseconds, their ratio and
# the peak memory. Goals: a ratio of at most 0.6 at 150 processes, 0.35 at 400, 0.25 from 1,000; 8 MB.
# SIZES, ROUNDS and SERVER_SHARE (every Nth is a server) change what is measured. Build with --release first.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
reap=$(realpath "${1:-$here/../target/release/mcp-reap}")
[ -x "$reap" ] || { echo "no executable $reap: cargo build --release" >&2; exit 2; }
ulimit -u "$(ulimit -H -u)" # thousands of sleepers
exec unshare --user --map-root-user --pid --fork --mount-proc --kill-child python3 "$here/scan.py" "$reap"
