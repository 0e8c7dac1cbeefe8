#!/usr/bin/env bash
# tests/packages/scene.sh ROOT: plays beside a real user manager, inside tests/with_user_systemd.sh, on a machine that
# has the package of ROOT installed: its timer is off, goes on by systemctl, runs the packaged binary, and gives way to
# `schedule install`.
set -euo pipefail
# pid 1 of that namespace is the other script: elsewhere this would lay a package over the machine's own folders.
tr '\0' '\n' </proc/1/cmdline | grep -qE '(^|/)with_user_systemd\.sh$' || { echo "only inside tests/with_user_systemd.sh" >&2; exit 2; }
root=$1 passed=0 failed=0
check() { # WHAT COMMAND...
  if "${@:2}"; then passed=$((passed + 1)) && echo "ok   $1"; else failed=$((failed + 1)) && echo "FAIL $1" >&2; fi
}
not() { ! "$@"; }
for folder in usr/bin usr/lib/systemd/user; do
  mount -t overlay -o "lowerdir=$root/$folder:/$folder" overlay "/$folder"
done
systemctl --user daemon-reload
show() { systemctl --user show --property "$2" --value "$1"; }
says() { # WORDS COMMAND...
  local said
  said=$("${@:2}" 2>&1) || true
  grep -qF -- "$1" <<<"$said" || { echo "     said: $said" && return 1; }
}
says_nothing() { "$@" >/dev/null; }
runs() { grep -c '"event":"run-started"' "$HOME/.local/state/mcp-reap/audit.jsonl" 2>/dev/null || true; }

check "after an install the timer is off" [ "$(show mcp-reap.timer UnitFileState) $(show mcp-reap.timer ActiveState)" = "disabled inactive" ]
check "status says so" says "a package's timer is here and off" mcp-reap schedule status
check "and that nothing will run" not says_nothing mcp-reap schedule status --quiet
check "the person switches it on" systemctl --user enable --now --quiet mcp-reap.timer
check "status is content" mcp-reap schedule status --quiet
check "and tells by whom" says "/usr/lib/systemd/user/mcp-reap.timer" mcp-reap schedule status
check "the doctor is content" says "by systemd, next run" mcp-reap doctor
check "nothing has run yet" [ ! -e "$HOME/.local/state/mcp-reap" ]
check "the service runs" systemctl --user start mcp-reap.service
check "and leaves its record" [ "$(runs)" = 1 ]
check "uninstall leaves the package's timer and says how it goes off" \
  says "systemctl --user disable --now mcp-reap.timer" mcp-reap schedule uninstall
check "it is still on" systemctl --user is-active --quiet mcp-reap.timer
check "an install comes before it" mcp-reap schedule install --quiet --daily 05:00
check "and is what the manager reads" [ "$(show mcp-reap.timer FragmentPath)" = "$HOME/.config/systemd/user/mcp-reap.timer" ]
check "status is content with it" mcp-reap schedule status --quiet
check "its uninstall" mcp-reap schedule uninstall --quiet
check "leaves the package's, off" [ "$(show mcp-reap.timer FragmentPath) $(show mcp-reap.timer ActiveState)" = "/usr/lib/systemd/user/mcp-reap.timer inactive" ]
check "and nothing in the home" [ -z "$(find "$HOME/.config" -name '*mcp-reap*')" ]

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
