#!/bin/sh
# Becomes mcp-reap: npm has put the program for this machine into a node_modules above, as an optional dependency of this
# package. A shell script, since Node would stay beside the program, and `mcp-reap exec` has to see its client above it.
# Nothing is downloaded here, and nothing is run at an install.

# Where this script is, behind npm's links to it. (macOS had no `readlink -f` before 12.3.)
self=$0
while [ -L "$self" ]; do
  to=$(readlink "$self")
  case $to in
  /*) self=$to ;;
  *) self=${self%/*}/$to ;;
  esac
done
folder=$(cd -P -- "$(dirname -- "$self")" && pwd)

system=$(uname -s | tr '[:upper:]' '[:lower:]')
case $(uname -m) in
x86_64 | amd64) cpus=x64 ;;
arm64 | aarch64) cpus=arm64 ;;
*) cpus=$(uname -m) ;;
esac
machine=$system-$cpus
# Node under Rosetta installs the other one, which such a Mac runs as well.
[ "$machine" != darwin-arm64 ] || cpus="arm64 x64"

while :; do
  for cpu in $cpus; do
    program=$folder/node_modules/@mcp-reap/$system-$cpu/bin/mcp-reap
    [ ! -x "$program" ] || exec "$program" "$@"
  done
  [ -n "$folder" ] || break
  folder=${folder%/*}
done

echo "mcp-reap: the package @mcp-reap/$machine, which would have the program for this machine, is not installed." >&2
case $machine in
linux-x64 | linux-arm64 | darwin-x64 | darwin-arm64)
  echo "npm leaves it out under --omit=optional, --no-optional and \`omit=optional\` in .npmrc, and when node_modules was copied" >&2
  echo "from another kind of machine. Install mcp-reap again, here and without these." >&2
  ;;
*)
  echo "There is one for linux-x64, linux-arm64, darwin-x64 and darwin-arm64. Other ways to install mcp-reap:" >&2
  echo "https://github.com/mcp-reap/mcp-reap/blob/main/docs/install.md" >&2
  ;;
esac
# 2: nothing was ended. A client's hook takes 2 for a veto, so a hook that cannot run ends with 1.
[ "$1 $2" != "hook run" ] || exit 1
exit 2
