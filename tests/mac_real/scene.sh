#!/usr/bin/env bash
# tests/mac_real/scene.sh MCP-REAP: one scene with real processes on this machine: a server whose client was killed is
# found by --dry-run and ended by --yes, the server of a living client is kept; and one under `exec` goes with its client.
#
# It runs `mcp-reap --yes`, which ends every orphan of this user: only on a machine that is thrown away afterwards (a
# runner of continuous integration), or in a PID namespace of its own. MCP_REAP_THROWAWAY=1 says that this is one.
set -euo pipefail
reap=$(cd "$(dirname "$1")" && pwd)/${1##*/}
[ "${MCP_REAP_THROWAWAY:-}" = 1 ] || { echo "set MCP_REAP_THROWAWAY=1 where every orphan may be ended" >&2; exit 77; }
command -v perl >/dev/null || { echo "no perl" >&2; exit 77; }
folder=$(mktemp -d)
started=()
cleanup() {
  for pid in "${started[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap cleanup EXIT
export HOME=$folder XDG_STATE_HOME=$folder/state XDG_CONFIG_HOME=$folder/config
printf '[reap]\nmin_age = "0s"\ngrace = "2s"\n' >"$folder/config.toml"
# A server that is deaf to the end of its input, and a client that makes two pipes and keeps their other ends.
printf '#!/bin/sh\nwhile :; do sleep 600; done\n' >"$folder/mcp-server-scene"
chmod +x "$folder/mcp-server-scene"
cat >"$folder/client.pl" <<'END'
use POSIX ();
pipe(my $in, my $to) or die; pipe(my $from, my $out) or die;
my $server = fork();
if (!$server) {
    open(STDIN, "<&", $in) or die; open(STDOUT, ">&", $out) or die; open(STDERR, ">", "/dev/null") or die;
    POSIX::close($_) for (3 .. 20);
    exec "/bin/sh", $ARGV[0];
}
close $in; close $out;
open(my $note, ">", $ARGV[1]) or die; print $note $server; close $note;
sleep 600;
END
start() { # NAME [SERVER]: a client and its server; their numbers in $client and $server
  perl "$folder/client.pl" "${2:-$folder/mcp-server-scene}" "$folder/$1" </dev/null >/dev/null 2>&1 &
  client=$!
  started+=("$client")
  for _ in $(seq 100); do if [ -s "$folder/$1" ]; then break; fi; sleep 0.1; done
  server=$(cat "$folder/$1")
  started+=("$server")
}
verdict() { "$reap" --config "$folder/config.toml" list --json | tr '{' '\n' | sed -n "s/.*\"root\":$1,.*\"verdict\":\"\([a-z-]*\)\".*/\1/p"; }
is_alive() { kill -0 "$1" 2>/dev/null && ! ps -o stat= -p "$1" | grep -q Z; }

start kept && kept=$server
start left && left=$server left_client=$client
sleep 1
[ "$("$reap" --config "$folder/config.toml" --dry-run --json | grep -o '"to_reap":[0-9]*')" = '"to_reap":0' ] ||
  { echo "something would be ended while all clients live" >&2; "$reap" --config "$folder/config.toml" list >&2; exit 1; }
kill -9 "$left_client"
wait "$left_client" 2>/dev/null || true
sleep 1
echo "--- dry run"
"$reap" --config "$folder/config.toml" --dry-run | tee "$folder/plan"
grep -q "$left" "$folder/plan" || { "$reap" --config "$folder/config.toml" explain "$left"; exit 1; }
if grep -q "^ *$kept server" "$folder/plan"; then exit 1; fi
is_alive "$left"
echo "--- for real"
"$reap" --config "$folder/config.toml" --yes
if is_alive "$left"; then echo "$left is still there" >&2; exit 1; fi
is_alive "$kept" || { echo "$kept was ended" >&2; exit 1; }
echo "--- under exec"
mkdir -p "$folder/config/mcp-reap"
cp "$folder/config.toml" "$folder/config/mcp-reap/config.toml"
printf '#!/bin/sh\nexec "%s" exec -- "%s"\n' "$reap" "$folder/mcp-server-scene" >"$folder/guarded.sh"
start guarded "$folder/guarded.sh"
guarded=$server
guardian() { pgrep -f "^mcp-reap guard root=$guarded@" >/dev/null; }
for _ in $(seq 100); do if guardian; then break; fi; sleep 0.1; done
guardian || { echo "there is no guardian" >&2; exit 1; }
sleep 1
is_alive "$guarded" || { echo "$guarded did not start" >&2; exit 1; }
kill -9 "$client"
wait "$client" 2>/dev/null || true
for _ in $(seq 150); do if ! is_alive "$guarded"; then break; fi; sleep 0.1; done
if is_alive "$guarded"; then echo "$guarded is still there 15 s after its client was killed" >&2; exit 1; fi
for _ in $(seq 50); do if ! guardian; then break; fi; sleep 0.1; done
if guardian; then echo "the guardian did not leave" >&2; exit 1; fi
"$reap" log
echo "one orphan ended, one server in use kept, one under exec gone with its client"
