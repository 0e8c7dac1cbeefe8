#!/usr/bin/env bash
# docs/screens/make.sh [MCP_REAP] [--look]: the pictures of the documentation, from a real terminal.
#
# Starts two clients on the official SDK with real servers through npx in private PID, mount and network
# namespaces, kills one of them, waits out min_age, and runs the real mcp-reap in tmux, 100 columns wide. What the
# terminal shows becomes docs/screens/*.svg. With --look you get the terminal instead, to look around in.
# Needs Linux, tmux, node, and what tests/real_servers.sh has installed (run that first).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
reap=$here/../../target/debug/mcp-reap look=
for word in "$@"; do
  if [ "$word" = --look ]; then look=--look; else reap=$word; fi
done
reap=$(realpath "$reap")
[ -x "$reap" ] || { echo "no executable $reap: build it first, or name it" >&2; exit 2; }

if [ "${INSIDE_THE_SCENE:-}" != yes ]; then
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/mcp-reap-tests
  for tool in unshare tmux node npx python3; do
    command -v "$tool" >/dev/null || { echo "$tool is missing" >&2; exit 77; }
  done
  [ -e "$cache/.installed" ] || { echo "run tests/real_servers.sh first: it installs the servers" >&2; exit 77; }
  [ -x "$cache/screens/bin/python" ] || python3 -m venv "$cache/screens"
  "$cache/screens/bin/pip" install --quiet --disable-pip-version-check rich==15.0.0
  export INSIDE_THE_SCENE=yes CACHE=$cache
  exec unshare --user --map-root-user --mount --pid --net --fork --mount-proc --kill-child \
    bash -c 'exec -a /sbin/init bash "$@"' bash "$here/make.sh" "$reap" $look
fi

# Somebody's home, and nothing of whoever runs this.
mount -t tmpfs tmpfs /home
exec 3<&0 # what runs behind has no terminal otherwise
home=/home/kim
mkdir -p $home/.npm $home/work $home/.cargo/bin
cp "$reap" $home/.cargo/bin/mcp-reap
mount --bind "$CACHE/npm" $home/.npm
mount --bind "$CACHE/node" $home/work
cp "$here/mcp-server-notes" $home/.cargo/bin/
python=$CACHE/screens/bin/python
env -i TERM="${TERM:-xterm}" HOME=$home PATH=$home/.cargo/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 TZ=UTC npm_config_offline=true \
  npm_config_update_notifier=false CACHE_NODE="$(dirname "$(command -v node)")" \
  "$python" "$here/scene.py" "$here" $look <&3 &
story=$!
trap : CHLD
while kill -0 "$story" 2>/dev/null; do wait -n || true; done # pid 1 collects the dead
wait "$story"
