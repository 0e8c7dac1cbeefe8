#!/usr/bin/env bash
# tests/real_servers.sh [MCP_REAP]: real, current servers under real clients; some clients are killed, and
# mcp-reap has to find and end exactly what is left of them.
#
# Installs pinned packages once into ${XDG_CACHE_HOME:-$HOME/.cache}/mcp-reap-tests, from wherever npm and pip
# are configured to get them. Everything is then started in a PID and network namespace of its own, as root or
# as an ordinary user: nothing outside can be signalled, and nothing inside can load anything.
# Needs Linux, node >= 20 with npm, python3 with venv, util-linux.
# Exit codes: 0 all passed, 1 something failed, 77 this machine cannot run it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ "${1:-}" = --inside ]; then # pid 1: collects the dead until the story is over
  python3 "$here/real_servers/story.py" "$2" "$3" &
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
for tool in unshare node npm npx python3; do
  command -v "$tool" >/dev/null || cannot "$tool is not installed"
done
node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' || cannot "node $(node --version) is older than 20"
namespace=(unshare --user --map-root-user --pid --fork --mount-proc --net --kill-child)
"${namespace[@]}" true || cannot "no private PID and network namespace for this user"

reap=$(realpath "${1:-$here/../target/debug/mcp-reap}")
[ -x "$reap" ] || { echo "no executable $reap: build it first, or name it" >&2; exit 2; }

cache=${XDG_CACHE_HOME:-$HOME/.cache}/mcp-reap-tests
mkdir -p "$cache/node"
exec 9>"$cache/.lock"
flock 9 # two runs share one installation
export npm_config_cache=$cache/npm npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
export UV_CACHE_DIR=$cache/uv UV_PYTHON=$cache/venv/bin/python UV_PYTHON_DOWNLOADS=never
# uv does not read pip's settings.
pip_setting() { python3 -m pip config get "$1" 2>/dev/null || true; }
index=${PIP_INDEX_URL:-$(pip_setting global.index-url)}
cert=${PIP_CERT:-$(pip_setting global.cert)}
[ -z "$index" ] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
[ -z "$cert" ] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$cert}

cp -R "$here/real_servers/package.json" "$here/real_servers/client.mjs" "$here/real_servers/timer" "$cache/node/"
# What is installed is named by the pins; a changed pin installs again.
pins=$(cat "$here"/real_servers/{package.json,timer/package.json,requirements.txt} "$0" | sha256sum)
if [ "$(cat "$cache/.installed" 2>/dev/null)" != "$pins" ]; then
  echo "installing into $cache"
  (cd "$cache/node" && npm install --ignore-scripts --no-package-lock --loglevel=error)
  python3 -m venv "$cache/venv"
  "$cache/venv/bin/pip" install --quiet --requirement "$here/real_servers/requirements.txt"
  for package in @modelcontextprotocol/server-filesystem@2026.8.31 \
    @modelcontextprotocol/server-everything@2026.8.31 @modelcontextprotocol/server-everything@2025.3.19; do
    (cd /tmp && npm exec --yes --loglevel=error "--package=$package" -- true)
  done
  "$cache/venv/bin/uvx" --quiet --from mcp-server-git==2026.10.19 mcp-server-git --help >/dev/null
  "$cache/venv/bin/uvx" --quiet --from mcp-server-fetch==2026.10.24 mcp-server-fetch --help >/dev/null
  echo "$pins" >"$cache/.installed"
fi

# From here on nothing may be loaded.
export npm_config_offline=true UV_OFFLINE=1
SCENE_HOME=$(mktemp -d)
export SCENE_HOME
trap 'rm -rf "$SCENE_HOME"' EXIT
"${namespace[@]}" bash -c 'exec -a /sbin/init bash "$@"' bash "$here/real_servers.sh" --inside "$reap" "$cache" </dev/null
