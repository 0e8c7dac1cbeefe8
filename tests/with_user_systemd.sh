#!/usr/bin/env bash
# tests/with_user_systemd.sh COMMAND [ARG...]: runs COMMAND beside a real `systemd --user` manager, in private PID,
# mount and cgroup namespaces, on a machine that need not run systemd itself. `systemctl --user`, MainPID, cgroups
# and timers are the real ones; HOME is a fresh folder, its units lie in ~/.config/systemd/user.
# Needs root (a cgroup of its own) and an installed systemd with cgroup v2; 77 where that is missing.
set -euo pipefail

cannot() {
  echo "SKIPPED: $*" >&2
  exit 77
}

outside() {
  [ "$(id -u)" = 0 ] || cannot "a cgroup of its own needs root"
  [ -x /usr/lib/systemd/systemd ] || cannot "systemd is not installed"
  grep -qw cgroup2 /proc/filesystems || cannot "this kernel has no cgroup v2"
  exec unshare --pid --fork --mount-proc --mount --kill-child "$0" --namespace "$@"
}

# pid 1: a /run that looks booted, a cgroup to live in; collects the dead, tidies up.
namespace() {
  mount -t tmpfs none /run
  mkdir -p /run/systemd/system /run/user/0 # without the first, systemd says it was not booted with systemd
  chmod 700 /run/user/0
  umount --lazy /sys/fs/cgroup 2>/dev/null || true
  mount -t cgroup2 none /sys/fs/cgroup || cannot "cgroup v2 cannot be mounted here"
  local own=/sys/fs/cgroup/mcp-reap-tests.$$.$RANDOM code=0
  local origin
  origin=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
  mkdir -p "$own/manager"
  echo $$ >"$own/manager/cgroup.procs"
  unshare --cgroup --mount "$0" --manager "$@" || code=$? # a child, so that this shell stays pid 1
  echo $$ >"$origin/cgroup.procs"
  { echo 1 >"$own/cgroup.kill"; } 2>/dev/null || true # kernel 5.14
  for _ in $(seq 100); do
    find "$own" -depth -type d -exec rmdir {} + 2>/dev/null && break
    sleep .02
  done
  exit "$code"
}

# In its own cgroup namespace: the manager, and the command beside it.
manager() {
  umount /sys/fs/cgroup
  mount -t cgroup2 none /sys/fs/cgroup
  export XDG_RUNTIME_DIR=/run/user/0 HOME
  HOME=$(mktemp -d)
  mkdir -p "$HOME/.config/systemd/user"
  unset XDG_CONFIG_HOME XDG_STATE_HOME DBUS_SESSION_BUS_ADDRESS
  cd "$HOME"
  /usr/lib/systemd/systemd --user --log-target=null &
  local manager=$! code=0 up=
  for _ in $(seq 100); do
    [ -S /run/user/0/systemd/private ] && systemctl --user show-environment >/dev/null 2>&1 && up=1 && break
    sleep .1
  done
  if [ -n "$up" ]; then "$@" || code=$?; else echo "systemd --user did not come up within 10 s" >&2 && code=1; fi
  kill "$manager" 2>/dev/null || true
  wait "$manager" 2>/dev/null || true
  rm -rf "$HOME"
  exit "$code"
}

case ${1:-} in
--namespace | --manager) step=${1#--} && shift && "$step" "$@" ;;
'') echo "usage: $0 COMMAND [ARG...]" >&2 && exit 2 ;;
*) outside "$@" ;;
esac
