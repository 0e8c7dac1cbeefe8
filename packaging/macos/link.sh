#!/usr/bin/env bash
# packaging/macos/link.sh [--out FOLDER] [TARGET...]: builds the programs for macOS on Linux, without a Mac and without
# Apple's SDK, and checks them: FOLDER/TARGET/mcp-reap (by default below target/macos/bin) for both kinds of Macs.
#
# The linker is zig's, which brings what libSystem exports; CoreFoundation.tbd beside this file names the eight functions
# that are used of CoreFoundation (by iana-time-zone, for the local time zone). Both tools come from PyPI, into
# target/macos. Thin LTO: the fat one of the release profile takes minutes more for 5 % of the size; set LTO=fat for it.
# Exit 77: this machine cannot (no Python with venv, no network, no Rust target).
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD work=$PWD/target/macos out=$PWD/target/macos/bin targets=()
cannot() {
  echo "packaging/macos/link.sh: $*" >&2
  exit 77
}
while [ $# -gt 0 ]; do
  case $1 in
  --out) out=${2:?--out FOLDER} && shift 2 ;;
  *-apple-darwin) targets+=("$1") && shift ;;
  *) sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
  esac
done
[ ${#targets[@]} -gt 0 ] || targets=(aarch64-apple-darwin x86_64-apple-darwin)

# --- tools ---

if ! [ -x "$work/venv/bin/cargo-zigbuild" ]; then
  python3 -c 'import ensurepip' 2>/dev/null || cannot "no Python with venv on this machine"
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check ziglang==0.17.1 cargo-zigbuild==0.24.1 ||
    { rm -rf "$work/venv" && cannot "pip cannot get ziglang and cargo-zigbuild"; }
fi
for target in "${targets[@]}"; do
  [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] || rustup target add "$target" >/dev/null 2>&1 ||
    cannot "no standard library for $target"
done
export PATH=$work/venv/bin:$PATH

# --- what would be Apple's SDK ---

frameworks=$work/sdk/System/Library/Frameworks/CoreFoundation.framework
rm -rf "$work/sdk"
mkdir -p "$frameworks" "$work/sdk/usr/lib"
cp packaging/macos/CoreFoundation.tbd "$frameworks/"
export SDKROOT=$work/sdk MACOSX_DEPLOYMENT_TARGET=11.0 CARGO_PROFILE_RELEASE_LTO=${LTO:-thin}
export ZIG_GLOBAL_CACHE_DIR=$work/zig ZIG_LOCAL_CACHE_DIR=$work/zig
# Rust asks for libiconv, and nothing here uses it.
home=${CARGO_HOME:-$HOME/.cargo}
export RUSTFLAGS="${RUSTFLAGS:-} -Clink-arg=-Wl,-dead_strip_dylibs --remap-path-prefix=$root=mcp-reap --remap-path-prefix=$home=cargo"

# --- the layouts, by the headers of macOS that zig brings; then the programs ---

tests/mac_real/layout.sh "$work/venv/bin/python" -m ziglang cc -target aarch64-macos
for target in "${targets[@]}"; do
  cargo zigbuild --quiet --release --locked --bin mcp-reap --target "$target" --target-dir "$work/target"
  mkdir -p "$out/$target"
  cp "$work/target/$target/release/mcp-reap" "$out/$target/mcp-reap"
done
for target in "${targets[@]}"; do packaging/macos/check.py "$out/$target/mcp-reap"; done
