#!/usr/bin/env bash
# tests/user_systemd/scene.sh MCP_REAP: plays beside a real user manager, inside tests/with_user_systemd.sh.
# A server that is a service stays; one that leaked from a service goes; the timer that `schedule install` writes
# is loaded, runs, and goes away again; a service under `exec` is what it is without.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# pid 1 of that namespace is the other script: on a machine of its own this one would end its owner's orphans.
tr '\0' '\n' </proc/1/cmdline | grep -qE '(^|/)with_user_systemd\.sh$' || { echo "only inside tests/with_user_systemd.sh" >&2; exit 2; }
reap=$1
passed=0 failed=0

check() { # WHAT COMMAND...
  if "${@:2}"; then passed=$((passed + 1)) && echo "ok   $1"; else failed=$((failed + 1)) && echo "FAIL $1"; fi
}
alive() { [ -e "/proc/$1" ] && [ "$(awk '/^State:/ {print $2}' "/proc/$1/status" 2>/dev/null)" != Z ]; }
dead() { ! alive "$1"; }
until_is() { # FILE: waits until somebody has written his number there
  for _ in $(seq 500); do [ -s "$1" ] && return; sleep .02; done
  echo "nobody wrote $1" >&2 && exit 1
}
verdict() { # PID: the verdict on its instance
  "$reap" --dry-run --json --min-age 0s | python3 -c '
import json, sys
pid = int(sys.argv[1])
print(*(i["verdict"] for i in json.load(sys.stdin)["instances"] if pid in i["pids"]))' "$1"
}
is() { # EXPECTED PID
  local said
  said=$(verdict "$2")
  [ "$said" = "$1" ] || { echo "     said: '$said'" && return 1; }
}
main_pid() { systemctl --user show --property MainPID --value "$1"; }

units=$HOME/.config/systemd/user
# A shared server that the person runs as a service, and one of its workers.
cat >"$units/notes.service" <<UNIT
[Service]
ExecStart=/usr/bin/env python3 $here/mcp-server-notes daemon $HOME
UNIT
# A terminal: its client is killed, and the client's server comes to the manager, in the terminal's cgroup.
cat >"$units/terminal.service" <<UNIT
[Service]
ExecStart=/usr/bin/env python3 $here/terminal $HOME
UNIT
# Services without a main process: their servers are wanted as long as the service is active, whatever their stdio says.
for unit in oneshot forking; do
  { echo "[Service]"
    case $unit in oneshot) printf 'Type=oneshot\nRemainAfterExit=yes\n' ;; forking) printf 'Type=forking\nGuessMainPID=no\n' ;; esac
    echo "ExecStart=/bin/sh -c \"true | /usr/bin/env python3 $here/mcp-server-notes $unit $HOME | true &\""
  } >"$units/$unit.service"
done
systemctl --user daemon-reload
systemctl --user start notes.service terminal.service oneshot.service forking.service
for who in daemon worker client server oneshot forking; do until_is "$HOME/$who.pid"; done
read -r daemon <"$HOME/daemon.pid"
read -r worker <"$HOME/worker.pid"
read -r client <"$HOME/client.pid"
read -r server <"$HOME/server.pid"

check "the daemon is its unit's main process" [ "$(main_pid notes.service)" = "$daemon" ]
# Connected, and below a unit's main process: either is a reason to stay.
stays() { case $(verdict "$1") in in-use | managed) ;; *) return 1 ;; esac; }
check "while its client lives the server stays" stays "$server"
kill -KILL "$client"
for _ in $(seq 500); do [ "$(awk '/^PPid:/ {print $2}' "/proc/$server/status")" = "$client" ] || break; sleep .02; done
parent=$(awk '/^PPid:/ {print $2}' "/proc/$server/status")
check "the user manager has adopted the server" [ "$(cat "/proc/$parent/comm")" = systemd ]
check "the server is still in the terminal's cgroup" grep -q 'terminal\.service' "/proc/$server/cgroup"
check "the terminal's main process is another" [ "$(main_pid terminal.service)" != "$server" ]
check "the daemon has the same parent" [ "$(awk '/^PPid:/ {print $2}' "/proc/$daemon/status")" = "$parent" ]

check "the leaked server is orphaned" is orphaned "$server"
check "the daemon is managed" is managed "$daemon"
check "no main process is known of a oneshot service" [ "$(main_pid oneshot.service)" = 0 ]
for unit in oneshot forking; do
  read -r pid <"$HOME/$unit.pid"
  check "the server of an active $unit service is managed" is managed "$pid"
done
check "a run succeeds" "$reap" --yes --min-age 0s --grace 2s --quiet
check "the leaked server is gone" dead "$server"
check "the daemon stays" alive "$daemon"
for unit in oneshot forking; do check "the $unit service stays" alive "$(cat "$HOME/$unit.pid")"; done
check "its worker stays" alive "$worker"
check "the terminal stays" alive "$(main_pid terminal.service)"

# Forced: a build folder is no place to stay.
check "schedule install" "$reap" schedule install --force
check "the timer is active" systemctl --user is-active --quiet mcp-reap.timer
check "systemd has nothing against the units" \
  [ -z "$(systemd-analyze --user verify "$units/mcp-reap.service" "$units/mcp-reap.timer" 2>&1)" ]
runs() { grep -c '"event":"run-started"' "$HOME/.local/state/mcp-reap/audit.jsonl" || true; }
before=$(runs)
check "the service runs" systemctl --user start mcp-reap.service
check "and leaves its record" [ "$(runs)" != "$before" ]
check "the daemon stays when the timer's run has passed" alive "$daemon"
check "schedule status" "$reap" schedule status
check "schedule uninstall" "$reap" schedule uninstall
check "the timer is gone" [ ! -e "$units/mcp-reap.timer" ]
check "systemd has forgotten it" [ "$(systemctl --user show --property LoadState --value mcp-reap.timer)" = not-found ]

# The same service bare and under exec: main process, restart and stop are the same.
service() { # NAME EXEC...
  cat >"$units/$1.service" <<UNIT
[Service]
ExecStart=${*:2} /bin/sleep 1000
Restart=on-failure
RestartSec=100ms
UNIT
  systemctl --user daemon-reload
  systemctl --user start "$1.service"
}
sleeps() { [ "$(cat "/proc/$(main_pid "$1.service")/comm" 2>/dev/null)" = sleep ]; }
soon() { for _ in $(seq 250); do "$@" && return; sleep .02; done; return 1; }
of_unit() { # NAME: its processes
  systemctl --user show --property ControlGroup --value "$1.service" | sed 's|.*|/sys/fs/cgroup&/cgroup.procs|' | xargs cat 2>/dev/null
}
has() { [ "$(of_unit "$1" | wc -l)" = "$2" ]; }
restarted() { # NAME PID
  local now
  now=$(main_pid "$1.service")
  [ "$now" != 0 ] && [ "$now" != "$2" ] && sleeps "$1"
}
ended() { [ "$(property "$1" MainPID)" = 0 ] && [ "$(property "$1" ActiveState)" = inactive ]; }
property() { systemctl --user show --property "$2" --value "$1.service"; }
service bare
service guarded "$reap" exec --
for name in bare guarded; do
  check "$name: the command is the main process" soon sleeps "$name"
  before=$(main_pid "$name.service")
  kill -KILL "$before"
  check "$name: it is started again" soon restarted "$name" "$before"
  check "$name: once" [ "$(property "$name" NRestarts)" = 1 ]
done
check "guarded: one server and one guardian are there" soon has guarded 2
for name in bare guarded; do
  systemctl --user kill --kill-whom=main --signal=TERM "$name.service"
  check "$name: SIGTERM ends it, and it is not started again" soon ended "$name"
  systemctl --user start "$name.service"
  started=$(main_pid "$name.service")
  check "$name: stop succeeds" systemctl --user stop "$name.service"
  check "$name: and leaves nothing" dead "$started"
  check "$name: inactive, with success" [ "$(property "$name" ActiveState)/$(property "$name" Result)" = inactive/success ]
done
left=$(pgrep -fc '^mcp-reap guard' || true)
check "no guardian is left" [ "$left" = 0 ]

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
