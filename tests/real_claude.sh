#!/usr/bin/env bash
# tests/real_claude.sh [MCP_REAP]: real sessions of the real Claude Code, which end as sessions do and leave a
# server behind; without the hook it stays, with the hook it goes, and a session beside it keeps its own.
#
# Installs pinned packages once into ${XDG_CACHE_HOME:-$HOME/.cache}/mcp-reap-tests/claude (370 MB), from wherever
# npm is configured to get them. The sessions then run in a PID and network namespace of their own, against an
# answering machine on loopback in the place of the model: nothing outside can be signalled or spoken to.
# Needs Linux, node >= 20 with npm, python3, util-linux, 2 GB of memory.
# Exit codes: 0 all passed, 1 something failed, 77 this machine cannot run it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ "${1:-}" = --inside ]; then # pid 1: collects the dead until the story is over
  ip link set lo up
  python3 "$here/real_claude/story.py" "$2" "$3" &
  story=$!
  trap : CHLD
  while kill -0 "$story" 2>/dev/null; do wait -n || true; done
  wait "$story"
  exit
fi

cannot() {
  echo "SKIPPED: $*" >&2
  exit 77
}
for tool in unshare node npm npx python3 ip; do
  command -v "$tool" >/dev/null || cannot "$tool is not installed"
done
node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' || cannot "node $(node --version) is older than 20"
namespace=(unshare --user --map-root-user --pid --fork --mount-proc --net --kill-child)
"${namespace[@]}" true || cannot "no private PID and network namespace for this user"

reap=$(realpath "${1:-$here/../target/debug/mcp-reap}")
[ -x "$reap" ] || { echo "no executable $reap: build it first, or name it" >&2; exit 2; }

# shellcheck source=tests/real_claude/install.sh
. "$here/real_claude/install.sh"

# From here on nothing may be loaded.
export npm_config_offline=true
SCENE_HOME=$(mktemp -d)
export SCENE_HOME
trap 'rm -rf "$SCENE_HOME"' EXIT
"${namespace[@]}" bash -c 'exec -a /sbin/init bash "$@"' bash "$here/real_claude.sh" --inside "$reap" "$claude" </dev/null
