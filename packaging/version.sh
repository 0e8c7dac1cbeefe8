#!/usr/bin/env bash
# packaging/version.sh [TAG]: prints the version of this checkout, if everything that names one agrees: Cargo.toml,
# Cargo.lock, the plugin and, where given, the tag and a heading in CHANGELOG.md. npm packages, wheels and the formula have
# none of their own: they are made of archives, which are named after Cargo.toml's.
#   packaging/version.sh --notes  prints what CHANGELOG.md says of it
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
if [ "${1:-}" = --notes ]; then
  awk -v head="## [$version]" 'index($0, "## [") == 1 {on = index($0, head) == 1; next} on' CHANGELOG.md
  exit
fi
wrong() { echo "packaging/version.sh: Cargo.toml has $version, $*" >&2 && exit 1; }
locked=$(awk '/^name = "mcp-reap"$/ {getline; gsub(/.*= "|"$/, ""); print}' Cargo.lock)
[ "$locked" = "$version" ] || wrong "Cargo.lock $locked"
plugin=$(sed -n 's/^ *"version": "\(.*\)",\{0,1\}$/\1/p' plugin/.claude-plugin/plugin.json)
[ "$plugin" = "$version" ] || wrong "the plugin $plugin"
if [ -n "${1:-}" ]; then
  [ "$1" = "v$version" ] || wrong "the tag is $1"
  grep -q "^## \[$version\] - [0-9-]*$" CHANGELOG.md || wrong "CHANGELOG.md no heading '## [$version] - DATE'"
  [ -n "$(packaging/version.sh --notes | tr -d '[:space:]')" ] || wrong "CHANGELOG.md nothing below its heading"
fi
echo "$version"
