#!/usr/bin/env bash
# packaging/formula.sh VERSION SOURCE_ARCHIVE: prints the Homebrew formula of a release. The archive is the one that the
# release has as mcp-reap-VERSION.tar.gz; its checksum goes into the formula.
set -euo pipefail
[ $# = 2 ] || { sed -n '2,3s/^# //p' "$0" >&2 && exit 2; }
[ "${2##*/}" = "mcp-reap-$1.tar.gz" ] || { echo "not mcp-reap-$1.tar.gz: $2" >&2 && exit 2; }
if command -v sha256sum >/dev/null; then sum=$(sha256sum <"$2"); else sum=$(shasum -a 256 <"$2"); fi
sed -e '1,2d' -e "s/@VERSION@/$1/g" -e "s/@SHA256@/${sum%% *}/" "$(dirname "$0")/homebrew/mcp-reap.rb"
