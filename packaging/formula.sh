#!/usr/bin/env bash
# packaging/formula.sh VERSION SHA256SUMS: prints the Homebrew formula of a release, which takes the release's own archives.
# SHA256SUMS is the release's, and has a line for each of the four archives; their checksums go into the formula.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,3s/^# //p' "$0" >&2 && exit 2; }
version=$1 sums=$2 edits=()
for target in aarch64-apple-darwin x86_64-apple-darwin aarch64-unknown-linux-musl x86_64-unknown-linux-musl; do
  name=mcp-reap-$version-$target.tar.gz
  sum=$(awk -v name="$name" '$2 == name || $2 == "*" name {print $1}' "$sums")
  [[ $sum =~ ^[0-9a-f]{64}$ ]] || { echo "packaging/formula.sh: $sums has not one checksum of $name" >&2 && exit 2; }
  edits+=(-e "s/@$target@/$sum/")
done
sed -e '1,2d' -e "s/@VERSION@/$version/g" "${edits[@]}" "$(dirname "$0")/homebrew/mcp-reap.rb"
