#!/usr/bin/env bash
# tests/plugin.sh [MCP_REAP]: the real Claude Code takes the plugin: both manifests are valid to the last warning, the
# checkout can be added as a marketplace, the plugin installs from it, and `hook status` sees what Claude Code wrote.
#
# Nothing is signalled, no session is started, and nobody is logged in; HOME is a folder of its own, and after the
# installation there is no network. Exit codes: 0 all passed, 1 something failed, 77 this machine cannot run it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cannot() {
  echo "SKIPPED: $*" >&2
  exit 77
}
reap=$(realpath "${1:-$root/target/debug/mcp-reap}")
[ -x "$reap" ] || { echo "no executable $reap: build it first, or name it" >&2; exit 2; }
command -v unshare >/dev/null || cannot "unshare is not installed"
unshare --user --map-root-user --net true 2>/dev/null || cannot "no private network namespace for this user"
# shellcheck source=tests/real_claude/install.sh
. "$root/tests/real_claude/install.sh"

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
mkdir "$home/project"
cd "$home/project"
passed=0 failed=0
check() { # WHAT COMMAND...
  if "${@:2}" >"$home/said" 2>&1; then
    passed=$((passed + 1)) && echo "ok   $1"
  else
    failed=$((failed + 1)) && echo "FAIL $1" >&2 && sed 's/^/     /' "$home/said" >&2
  fi
}
not() { ! "$@"; }
alone() { HOME=$home XDG_CACHE_HOME=$home/cache timeout 60 unshare --user --map-root-user --net "$@"; }
plugin() { alone "$claude" plugin "$@"; }
status() { HOME=$home "$reap" hook status "$@"; }
says() { # WORDS COMMAND...
  local said
  said=$("${@:2}" 2>&1) || true
  grep -qF -- "$1" <<<"$said" || { echo "$said" && return 1; }
}

check "the marketplace is valid to the last warning" plugin validate --strict "$root"
check "so is the plugin" plugin validate --strict "$root/plugin"
sed 's/"author"/"writer"/' -i "$(cp -R "$root/plugin" "$home/broken" && echo "$home/broken/.claude-plugin/plugin.json")"
check "one without an author would not be" not plugin validate --strict "$home/broken"
check "before an install there is none" not status --quiet
check "the checkout is a marketplace" plugin marketplace add "$root"
check "the plugin installs from it" plugin install mcp-reap@mcp-reap
check "with its skill and both hooks" says "clean-up-mcp-servers" plugin validate "$root/plugin"
check "hook status sees it" says "plugin mcp-reap@mcp-reap: enabled" status
check "and is content" status --quiet
check "disabled" plugin disable mcp-reap@mcp-reap
check "it is seen to be" says "installed, not enabled" status
check "and that nothing will run" not status --quiet
check "switched on for a project alone" plugin enable --scope project mcp-reap@mcp-reap
check "it is not everywhere" not status --quiet
check "but there" status --quiet --scope project
check "uninstalled" plugin uninstall mcp-reap@mcp-reap
check "it is gone" not status --quiet
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
