#!/usr/bin/env bash
# tests/mac_real/layout.sh [COMPILER...]: holds every offset, size and number that src/sys/macos/layout/at.rs and calls.rs
# name against the headers of macOS. `cc` on a Mac; elsewhere `zig cc -target aarch64-macos`, which brings Apple's headers.
set -euo pipefail
cd "$(dirname "$0")/../.."
compiler=("$@")
[ ${#compiler[@]} -gt 0 ] || compiler=(cc)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed -n 's/.*const \([A-Z_]*\): [iu][0-9a-z]* = \([-0-9a-fx_]*\);.*/\1 \2/p' \
  src/sys/macos/layout/at.rs src/sys/macos/calls.rs | sed 's/\([0-9]\)_/\1/g; s/^/#define OUR_/' >"$folder/at.h"
lines=$(grep -c define "$folder/at.h")
[ "$lines" -gt 60 ] || { echo "only $lines numbers found: has layout/at.rs another form?" >&2; exit 1; }
"${compiler[@]}" -c -o "$folder/layout.o" -include "$folder/at.h" tests/mac_real/layout.c
# It can fail: one number changed is an error.
sed 's/define OUR_SOCKET_KIND .*/define OUR_SOCKET_KIND 255/' "$folder/at.h" >"$folder/wrong.h"
if "${compiler[@]}" -c -o "$folder/layout.o" -include "$folder/wrong.h" tests/mac_real/layout.c 2>/dev/null; then
  echo "a wrong offset was taken" >&2
  exit 1
fi
echo "$lines offsets, sizes and numbers are those of the headers"
