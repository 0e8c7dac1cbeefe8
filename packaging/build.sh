#!/usr/bin/env bash
# packaging/build.sh: builds mcp-reap for release and packs it, into target/dist:
#   Linux: a .deb, an .rpm, a .tar.gz; macOS: a .tar.gz; and SHA256SUMS of them.
#
#   packaging/build.sh                    for this machine; on Linux the static musl build, which runs on any distribution
#   packaging/build.sh --target TRIPLE    for another one
#   packaging/build.sh --binary FILE      packs a binary that is there already (a copy of it, stripped)
#
# Man pages and completions are written by the binary itself, units are made from systemd/. The same sources, compiler
# and SOURCE_DATE_EPOCH (by default the time of the last commit) give the same bytes.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC
# macOS's tar and cp would put a `._name` beside each file that has extended attributes.
export COPYFILE_DISABLE=1
cd "$(dirname "$0")/.."
root=$PWD stage=target/packaging dist=target/dist target='' binary=''

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; }
die() {
  echo "packaging/build.sh: $*" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case $1 in
  --target) target=${2:?--target TRIPLE} && shift 2 ;;
  --binary) binary=${2:?--binary FILE} && shift 2 ;;
  --help) usage && exit 0 ;;
  *) usage >&2 && exit 2 ;;
  esac
done

# --- what is needed ---

PATH=$root/target/tools/bin:$PATH # where .ci/run puts the packagers
missing=
need() { # PROGRAM HOW-TO-GET-IT
  command -v "$1" >/dev/null || missing+="  $1: $2"$'\n'
}
need cargo "https://rustup.rs"
need git "your package manager"
host=$(rustc -vV | sed -n 's/^host: //p')
if [ -n "$binary" ]; then
  [ -x "$binary" ] || die "no executable $binary"
  target=${target:-$host}
fi
target=${target:-${host/-linux-gnu/-linux-musl}}
case $target in
*-linux-*)
  need cargo-deb "cargo install --locked cargo-deb"
  need cargo-generate-rpm "cargo install --locked cargo-generate-rpm"
  # cargo-deb asks it which libc a binary wants; a static one wants none.
  need dpkg-shlibdeps "apt-get install dpkg-dev"
  ;;
*-apple-darwin) ;;
*) die "no packages are made for $target" ;;
esac
command -v sha256sum >/dev/null || need shasum "your package manager"
if [ -z "$binary" ] && [ "$target" != "$host" ]; then
  case $target in *-apple-darwin) ;; *) [ -d "$(rustc --print sysroot)/lib/rustlib/$target/lib" ] ;; esac || missing+="  Rust's $target: rustup target add $target"$'\n'
fi
[ -z "$missing" ] || die "missing:"$'\n'"${missing%$'\n'}"

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null) || die "not a git checkout: set SOURCE_DATE_EPOCH"
fi
export SOURCE_DATE_EPOCH
date_of() { date -u -d "@$SOURCE_DATE_EPOCH" "$1" 2>/dev/null || date -u -r "$SOURCE_DATE_EPOCH" "$1"; } # GNU, BSD

# --- the binary ---

rm -rf "$stage" "$dist"
mkdir -p "$stage" "$dist"
if [ -n "$binary" ]; then
  cp "$binary" "$stage/mcp-reap"
  strip "$stage/mcp-reap"
else
  # The oldest macOS that it starts on.
  export MACOSX_DEPLOYMENT_TARGET=11.0
  # Where it was built is nobody's business, and would be another byte on every machine.
  home=${CARGO_HOME:-$HOME/.cargo}
  export RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=$root=mcp-reap --remap-path-prefix=$home=cargo"
  if [[ $target == *-apple-darwin && $host != *-apple-darwin ]]; then
    LTO=${LTO:-fat} packaging/macos/link.sh --out "$stage/linked" "$target" || die "packaging/macos/link.sh failed"
    mv "$stage/linked/$target/mcp-reap" "$stage/mcp-reap"
    rm -r "$stage/linked"
  else
    cargo build --release --locked --target "$target" --target-dir target
    cp "target/$target/release/mcp-reap" "$stage/mcp-reap"
  fi
fi
case $target in *-apple-darwin) packaging/macos/check.py "$stage/mcp-reap" || die "no Mac would start it" ;; esac
chmod 755 "$stage/mcp-reap"

# --- what it writes itself ---

pages=$stage/mcp-reap
if ! "$pages" --version >/dev/null 2>&1; then # built for another machine: one for this machine writes the same pages
  cargo build --locked --target-dir target
  pages=target/debug/mcp-reap
fi
"$pages" --quiet man --folder "$stage/man1" 2>/dev/null
mkdir -p "$stage/completions" "$stage/units"
while read -r shell name; do
  "$pages" completions "$shell" >"$stage/completions/$name"
done <<'NAMES'
bash mcp-reap.bash
zsh _mcp-reap
fish mcp-reap.fish
elvish mcp-reap.elv
powershell _mcp-reap.ps1
NAMES

# --- units: what an install writes, without the seal and for /usr/bin ---

for unit in mcp-reap.service mcp-reap.timer; do
  {
    echo "# From the package mcp-reap, switched off. On: systemctl --user enable --now mcp-reap.timer"
    echo "# Another time: mcp-reap schedule install, whose units come before these. Changes: systemctl --user edit $unit"
    sed -e '/^# Written by /,/^# mcp-reap-job: /d' -e 's#^ExecStart=[^ ]*/mcp-reap #ExecStart=/usr/bin/mcp-reap #' "systemd/$unit"
  } | cat -s >"$stage/units/$unit"
  if grep -n 'mcp-reap-seal' "$stage/units/$unit"; then die "systemd/$unit has a seal that is not taken out here"; fi
done
grep -q '^ExecStart=/usr/bin/mcp-reap --yes ' "$stage/units/mcp-reap.service" || die "no ExecStart= in systemd/mcp-reap.service"

# --- the archive ---

touch_all() { # FOLDER: everything in it is as old as the sources
  find "$1" -exec touch -h -t "$(date_of +%Y%m%d%H%M.%S)" {} +
}
name=mcp-reap-$version-$target
mkdir -p "$stage/$name/man" "$stage/doc"
cp -R README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT docs "$stage/doc/"
chmod -R u=rwX,go=rX "$stage/doc"
cp -R "$stage/mcp-reap" "$stage/completions" "$stage"/doc/* "$stage/$name/"
cp -R "$stage/man1" "$stage/$name/man/man1"
touch_all "$stage/$name"
owner=(--owner=0 --group=0 --numeric-owner)
tar --version | grep -q GNU || owner=(--uid 0 --gid 0)
# Without their folders: find says which, in order; and no extended headers, which have times of their own.
(cd "$stage" && find "$name" ! -type d | sort | tar --format=ustar "${owner[@]}" -cf - -T -) | gzip -9n >"$dist/$name.tar.gz"

# --- .deb and .rpm: [package.metadata.deb] and [package.metadata.generate-rpm] in Cargo.toml say what goes where ---

case $target in
*-linux-*)
  maintainer=$(sed -n 's/^maintainer = "\(.*\)"$/\1/p' Cargo.toml)
  printf 'mcp-reap (%s-1) unstable; urgency=medium\n\n  * Release %s. What changed is in changelog.gz.\n\n -- %s  %s\n' \
    "$version" "$version" "$maintainer" "$(date_of '+%a, %d %b %Y %H:%M:%S +0000')" >"$stage/changelog.Debian"
  gzip -9nc CHANGELOG.md >"$stage/changelog.gz"
  gzip -9n "$stage"/man1/*.1
  touch_all "$stage"
  cargo-deb deb --quiet --no-build --no-strip --target "$target" --output "$dist/" ||
    die "cargo-deb failed"
  case $target in *-musl) requires=disabled ;; *) requires=builtin ;; esac # the static one wants no loader
  cargo-generate-rpm generate-rpm --auto-req "$requires" --target "$target" --target-dir target --output "$dist/" ||
    die "cargo-generate-rpm failed"
  ;;
esac

# --- sums ---

sum() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }
(cd "$dist" && sum mcp-reap* >SHA256SUMS && cat SHA256SUMS)
