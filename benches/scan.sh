#!/usr/bin/env bash
# benches/scan.sh [MCP_REAP]: what a look costs, beside `pgrep -f mcp` and beside the floor, in the same run.
#
# Fills a private PID namespace with N processes that sleep under the command lines of a developer's machine. One in ten was
# adopted by pid 1, one in a hundred is an MCP server: the child of a client that lives and holds the other ends of its
# stdin, stdout and stderr, pipes or socket pairs in turns. It waits until all of them are there. Then it runs `mcp-reap
# --dry-run --json`, `pgrep -f mcp` and the floor in turns (which hyperfine cannot: it runs one after the other, and a
# machine changes meanwhile) and prints for each size the medians of wall time and of processor time (user + system) in
# milliseconds and their ratios. The floor (benches/floor.rs) is what the kernel alone takes: `stat`, owner and `cmdline`
# of every process, on two threads. The ratios are what to compare on a machine that does other things as well.
#
# What does not depend on how busy the machine is: system calls (strace) and instructions outside the kernel (valgrind)
# for each process where none is a server, and for each server: what one more of them costs. The peak is that of
# resident memory.
#
#   SIZES="150 400 1000 5000 20000"   ROUNDS=21
#   ALIKE=1                           all of them sleep under one command line
#   THREADS=30 SIZES=500              processes of that many threads (they are not to cost anything)
#   OTHERS="REAP check --quiet; b"    other commands, by wall time; REAP is ours. See that they end nothing
#   COUNT=0                           wall and processor time only
#
# Build first, in this order: cargo build --release --example floor && cargo build --release --bins. Needs unshare, python3,
# pgrep, /usr/bin/time; strace and valgrind for the counts.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
reap=$(realpath "${1:-$here/../target/release/mcp-reap}")
floor=$(realpath "${FLOOR:-$here/../target/release/examples/floor}")
for program in "$reap" "$floor"; do
  [ -x "$program" ] || { echo "no executable $program: see \"Build first\" in $0" >&2; exit 2; }
done
ulimit -u "$(ulimit -H -u)" # thousands of sleepers
ulimit -n "$(ulimit -H -n)" # and the ends of the servers' pipes
PYTHON=$(python3 -c 'import sys; print(sys.executable)') # python3 may be a script
export PYTHON FLOOR=$floor
# pid 1 is called as an init is: what hangs below it was adopted.
# shellcheck disable=SC2016 # the shell inside expands it
exec unshare --user --map-root-user --pid --fork --mount-proc --kill-child \
  bash -c 'exec -a /sbin/init "$PYTHON" "$@"' bash "$here/scan.py" "$reap"
