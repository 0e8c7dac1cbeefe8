#!/usr/bin/env bash
# tests/startup_cost.sh [MCP_REAP]: instructions that a start and a judgement cost, counted and not timed, so that the
# answer is the same on a busy machine. Prints them beside benches/startup.baseline and fails when one has doubled.
# `--record` writes the baseline anew. Needs valgrind; build with --release first.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
record=
if [ "${1:-}" = --record ]; then record=1 && shift; fi
reap=$(realpath "${1:-$here/target/release/mcp-reap}")
[ -x "$reap" ] || { echo "no executable $reap: cargo build --release" >&2; exit 2; }
command -v valgrind >/dev/null || { echo "valgrind is missing" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# A table of 1,000 processes, one in fifty a server: always the same.
awk 'BEGIN {
  printf "{\"schema\":1,\"os\":\"linux\",\"taken_at\":\"2026-03-01T10:00:00Z\",\"viewer\":{\"pid\":2,\"uid\":501},\"processes\":["
  row = "{\"pid\":%d,\"ppid\":%d,\"uid\":501,\"start\":1772300000,\"comm\":\"%s\",\"argv\":[%s]}"
  printf row ",", 1, 0, "systemd", "\"/sbin/init\""
  for (pid = 2; pid <= 1000; pid++) {
    if (pid % 50 == 0) printf row, pid, 1, "node", "\"node\",\"/srv/node_modules/.bin/mcp-server-memory\""
    else printf row, pid, 1 + int(pid / 7), "worker", "\"/usr/bin/worker\",\"--queue\",\"" pid "\""
    printf pid < 1000 ? "," : "]}"
  }
}' >"$dir/table.json"

count() {
  env -i HOME="$dir" PATH="$PATH" valgrind --tool=callgrind --callgrind-out-file=/dev/null "$reap" "$@" 2>&1 >/dev/null |
    sed -n 's/.*I *refs: *//p' | tr -d ,
}
counts="version $(count --version)
judge_1000 $(count --dry-run --json --snapshot "$dir/table.json")"
if [ -n "$record" ]; then echo "$counts" >"$here/benches/startup.baseline"; fi
bad=0
while read -r name now; do
  then=$(awk -v name="$name" '$1 == name { print $2 }' "$here/benches/startup.baseline")
  if [ -z "$now" ] || [ -z "$then" ]; then echo "$name: not counted" >&2; exit 2; fi
  echo "$name: $now instructions, $then recorded"
  if [ "$now" -gt $((2 * then)) ]; then bad=1; fi
done <<<"$counts"
[ "$bad" = 0 ] || { echo "a start costs more than twice of what it did" >&2; exit 1; }
