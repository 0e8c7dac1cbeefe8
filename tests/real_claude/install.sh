#!/usr/bin/env bash
# tests/real_claude/install.sh: sourced, with cannot() defined. Installs the pinned Claude Code and what the sessions need
# once into ${XDG_CACHE_HOME:-$HOME/.cache}/mcp-reap-tests/claude (370 MB), from wherever npm is configured to get it;
# then $claude is the program and $cache the folder.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mcp-reap-tests/claude
for tool in node npm; do
  command -v "$tool" >/dev/null || cannot "$tool is not installed"
done
mkdir -p "$cache"
exec 9>"$cache/.lock"
flock 9 # two runs share one installation
export npm_config_cache=$cache/npm npm_config_audit=false npm_config_fund=false npm_config_update_notifier=false
pins=$(cat "$here/real_claude/package.json" "$here"/real_servers/timer/* | sha256sum)
if [ "$(cat "$cache/.installed" 2>/dev/null)" != "$pins" ]; then
  echo "installing into $cache"
  cp -R "$here/real_claude/package.json" "$here/real_servers/timer" "$cache/"
  # The program itself is in the package for this platform; no script has to put it in its place.
  (cd "$cache" && npm install --ignore-scripts --no-package-lock --loglevel=error)
  echo "$pins" >"$cache/.installed"
fi
found=("$cache"/node_modules/@anthropic-ai/claude-code-linux-*/claude)
claude=${found[0]}
[ -x "$claude" ] || cannot "no Claude Code for this platform in $cache"
