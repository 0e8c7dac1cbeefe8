#!/usr/bin/env bash
# tests/packages.sh: what packaging/build.sh packs is what a person should get.
#
#   tests/packages.sh [BINARY]    packs BINARY (target/release/mcp-reap), twice, and looks at the packages
#   tests/packages.sh --dist      looks at those in target/dist, as they will be released
#
# Nothing is installed on this machine: the .deb goes into a folder, and into a private mount namespace when this is
# root, where a real `systemd --user` runs its timer. Ends with 77 and the list where a tool is missing.
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."
export PATH=$PWD/target/tools/bin:$PATH LC_ALL=C.UTF-8
passed=0 failed=0
check() { # WHAT COMMAND...
  if "${@:2}"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAIL $1" >&2; fi
}
not() { ! "$@"; }
quiet() { # COMMAND...: succeeds, and says nothing on stderr
  local said
  said=$("$@" 2>&1 >/dev/null) || { echo "$said" && return 1; }
  [ -z "$said" ] || { echo "$said" && return 1; }
}
same() { diff -u "$1" "$2"; }

missing=
for tool in cargo-deb cargo-generate-rpm dpkg-deb dpkg-shlibdeps rpm lintian systemd-analyze man mandoc bash zsh fish ruby npm python3; do
  command -v "$tool" >/dev/null || missing+=" $tool"
done
[ -z "$missing" ] || { echo "SKIPPED: missing:$missing" >&2 && exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
dist=$PWD/target/dist

# --- packing ---

if [ "${1:-}" != --dist ]; then
  binary=${1:-target/release/mcp-reap}
  packaging/build.sh --binary "$binary" >/dev/null
  cp "$dist/SHA256SUMS" "$work/first"
  packaging/build.sh --binary "$binary" >/dev/null
  check "the same input gives the same bytes" same "$work/first" "$dist/SHA256SUMS"
else
  check "the binary does not tell where it was built" not grep -qaF "${CARGO_HOME:-$HOME/.cargo}" target/packaging/mcp-reap
fi
# FILE MESSAGE ARG...: ends with 2 before anything is touched, and says why
refuses() {
  local code=0
  packaging/build.sh "${@:3}" >"$work/said" 2>&1 || code=$?
  [ "$code" = 2 ] && grep -qF -- "$2" "$work/said" && [ -e "$1" ]
}
check "no packages for other systems" refuses "$dist/SHA256SUMS" "no packages are made for" --target x86_64-unknown-freebsd
check "what is missing is named with the way to get it" \
  refuses "$dist/SHA256SUMS" "rustup target add powerpc64le-unknown-linux-musl" --target powerpc64le-unknown-linux-musl
check "the sums are right" quiet bash -c "cd '$dist' && sha256sum --check SHA256SUMS"

one() { # GLOB: the only file of that name
  local found
  found=$(find "$dist" -name "$1")
  [ "$(wc -l <<<"$found")" = 1 ] && [ -e "$found" ] && echo "$found" && return
  echo "not one $1 in target/dist" >&2
  return 1
}
deb=$(one "mcp-reap_$version-1_*.deb") rpm=$(one "mcp-reap-$version-1.*.rpm") tar=$(one "mcp-reap-$version-*.tar.gz")

# --- what is in them ---

root=$work/root
mkdir -p "$root"
dpkg-deb -x "$deb" "$root"
bin=$root/usr/bin/mcp-reap
"$bin" --quiet man --folder "$work/man" 2>/dev/null
{
  echo "-rwxr-xr-x /usr/bin/mcp-reap"
  {
    echo /usr/lib/systemd/user/mcp-reap.{service,timer}
    echo /usr/share/bash-completion/completions/mcp-reap /usr/share/fish/vendor_completions.d/mcp-reap.fish
    for page in "$work"/man/*; do echo "/usr/share/man/man1/${page##*/}.gz"; done
    for page in README.md $(find docs -type f); do echo "/usr/share/doc/mcp-reap/$page"; done
  } | tr ' ' '\n' | sed 's/^/-rw-r--r-- /'
} >"$work/both"
# Files of a listing with their modes; another owner than root and a folder that others may write stay in it.
of_deb() { awk '$1 != "drwxr-xr-x" || $2 != "0/0" {print $1 ($2 == "0/0" ? "" : " " $2), substr($6, 2)}' | sort; }
of_rpm() { awk '{print $1 ($3 $4 == "rootroot" ? "" : " " $3 ":" $4), $NF}' | sort; }
{
  cat "$work/both"
  printf -- '-rw-r--r-- %s\n' /usr/share/zsh/vendor-completions/_mcp-reap /usr/share/lintian/overrides/mcp-reap \
    /usr/share/doc/mcp-reap/{changelog.gz,changelog.Debian.gz,copyright}
} | sort >"$work/deb.expected"
{
  cat "$work/both"
  printf -- '-rw-r--r-- %s\n' /usr/share/zsh/site-functions/_mcp-reap /usr/share/doc/mcp-reap/CHANGELOG.md \
    /usr/share/licenses/mcp-reap/LICENSE-{APACHE,MIT}
} | sort >"$work/rpm.expected"
dpkg-deb -c "$deb" >"$work/deb.listing"
rpm -qlvp "$rpm" >"$work/rpm.listing"
check "the .deb has these files, of root, for nobody else to write" same "$work/deb.expected" <(of_deb <"$work/deb.listing")
check "the .rpm has these files, of root, for nobody else to write" same "$work/rpm.expected" <(of_rpm <"$work/rpm.listing")
for fault in 's#^drwxr-xr-x \(.*/man1/\)$#drwxrwxr-x \1#' 's#0/0 \(.*mcp-reap.timer\)#1/1 \1#' '/_mcp-reap$/d'; do
  check "a fault would be seen: $fault" not diff -q "$work/deb.expected" <(sed "$fault" "$work/deb.listing" | of_deb) >/dev/null
done
# Nothing switches the timer on, and nothing else runs at an install.
check "the .deb has no scripts" [ "$(dpkg-deb --ctrl-tarfile "$deb" | tar -t | grep -v '/$' | xargs)" = ./control ]
check "the .rpm has no scripts" [ -z "$(rpm -qp --scripts --triggers "$rpm")" ]
check "the .rpm is whole" quiet rpm -K --nosignature "$rpm"
same_binary() { [ "$(rpm -qp --dump "$rpm" | awk '$1 == "/usr/bin/mcp-reap" {print $4}')" = "$(sha256sum <"$bin" | cut -d' ' -f1)" ]; }
check "both have the same binary" same_binary
check "the version is Cargo.toml's" [ "$(dpkg-deb -f "$deb" Version) $(rpm -qp --qf '%{VERSION}-%{RELEASE}' "$rpm")" = "$version-1 $version-1" ]
wants=$(dpkg-deb -f "$deb" Depends)$(rpm -qp --requires "$rpm" | grep -v '^rpmlib(' || true)
if ldd "$bin" 2>&1 | grep -qE 'statically linked|not a dynamic executable'; then
  check "a static binary wants nothing" [ -z "$wants" ]
else
  check "a binary on the system's libc says which" grep -q 'libc6 (>= 2.*libc.so.6(GLIBC_2' <<<"$(tr '\n' ' ' <<<"$wants")"
fi
check "lintian has nothing against it" quiet lintian --allow-root --fail-on error,warning "$deb"

tar -xzf "$tar" -C "$work"
top=$(tar -tzf "$tar" | cut -d/ -f1 | sort -u)
check "the archive has one folder" [ "$top" = "$(basename "$tar" .tar.gz)" ]
check "and in it the same binary" cmp "$work/$top/mcp-reap" "$bin"
check "and the same man pages" diff -r "$work/man" "$work/$top/man/man1"
for file in README.md LICENSE-MIT LICENSE-APACHE CHANGELOG.md docs; do check "and $file" diff -r "$file" "$work/$top/$file"; done
check "and five completions" [ "$(find "$work/$top/completions" -size +10k | wc -l)" = 5 ]

# --- that it works ---

check "the binary runs" [ "$("$bin" --version)" = "mcp-reap $version" ]
check "and looks" quiet "$bin" --dry-run --json
for page in "$root"/usr/share/man/man1/*.gz; do
  check "man ${page##*/}" quiet env MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page"
  check "mandoc ${page##*/}" quiet mandoc -T lint -W error "$page"
done
for shell in bash:bash-completion/completions/mcp-reap zsh:zsh/vendor-completions/_mcp-reap fish:fish/vendor_completions.d/mcp-reap.fish; do
  check "${shell%%:*} reads its completions" quiet "${shell%%:*}" -n "$root/usr/share/${shell#*:}"
done
units=$root/usr/lib/systemd/user
# The copies in systemd/ are compared with what an install writes by the_copies_in_the_repository_are_what_an_install_writes.
starts=$(sed -n 's#^ExecStart=[^ ]*/mcp-reap #ExecStart=/usr/bin/mcp-reap #p' systemd/mcp-reap.service)
check "the unit starts the packaged binary" grep -qx -- "$starts" "$units/mcp-reap.service"
# systemd wants the program to be there: verified is a copy that names the one in the folder.
mkdir -p "$work/units" "$work/run"
cp "$units"/mcp-reap.* "$work/units"
sed -i "s#^ExecStart=/usr/bin/mcp-reap#ExecStart=$bin#" "$work/units/mcp-reap.service"
analyze() { XDG_RUNTIME_DIR=$work/run quiet systemd-analyze --user --man=no verify "$work/units"/mcp-reap.{service,timer}; }
check "systemd has nothing against the units" analyze
echo 'NoSuchKey=1' >>"$work/units/mcp-reap.timer"
check "systemd would say so" not analyze >/dev/null

if [ "$(id -u)" = 0 ]; then
  scratch=$work/scratch
  mkdir -p "$scratch/var/lib/dpkg/info" "$scratch/var/lib/dpkg/updates" "$scratch/var/lib/dpkg/triggers"
  touch "$scratch/var/lib/dpkg/status"
  inside() { dpkg --root="$scratch" --log=/dev/null --force-depends "$@" >/dev/null 2>"$work/said" || { cat "$work/said" && return 1; }; }
  check "dpkg installs it" inside --install "$deb"
  check "and has it" grep -q '^Status: install ok installed' "$scratch/var/lib/dpkg/status"
  check "dpkg removes it" inside --purge mcp-reap
  check "wholly" [ -z "$(find "$scratch" -name '*mcp-reap*')" ]
  code=0
  tests/with_user_systemd.sh "$PWD/tests/packages/scene.sh" "$root" || code=$?
  check "beside a real user manager" [ "$code" = 0 ]
else
  echo "NOT TESTED: an install by dpkg and a real user manager need root" >&2
fi

# --- the formula: its own install and test, played by a Formula of paper ---

for target in {aarch64,x86_64}-{apple-darwin,unknown-linux-musl}; do
  name=mcp-reap-$version-$target.tar.gz
  echo "$(sha256sum <<<"$name" | cut -d' ' -f1)  $name"
done >"$work/sums"
packaging/formula.sh "$version" "$work/sums" >"$work/mcp-reap.rb"
check "ruby reads the formula" quiet ruby -wc "$work/mcp-reap.rb"
check "the formula has no marks left" not grep -n '@[A-Za-z0-9_-]*@' "$work/mcp-reap.rb"
check "the formula installs the archive, and its test passes" ruby tests/packages/formula.rb "$work/mcp-reap.rb" "$work/sums" "$tar"
check "an archive without a checksum makes no formula" not packaging/formula.sh "$version" <(head -3 "$work/sums") >/dev/null 2>&1

# --- cargo-binstall: Cargo.toml names the archive and the program in it ---

binstall() { # KEY, its template filled in
  sed -n "/^\[package.metadata.binstall\]/,/^\$/s/^$1 = \"\(.*\)\"\$/\1/p" Cargo.toml |
    sed -e "s#{ repo }#$repository#; s/{ name }/mcp-reap/g; s/{ version }/$version/g; s/{ target }/${top#mcp-reap-"$version"-}/g" \
      -e 's/{ bin }/mcp-reap/; s/{ binary-ext }//'
}
repository=$(sed -n 's/^repository = "\(.*\)"$/\1/p' Cargo.toml)
check "cargo-binstall finds the archive" [ "$(binstall pkg-url)" = "$repository/releases/download/v$version/${tar##*/}" ]
check "and the program in it" [ "$(binstall bin-dir)" = "$top/mcp-reap" ]

# --- npm and PyPI ---

uv=$PWD/target/uv/bin
[ -x "$uv/uvx" ] || { python3 -m venv target/uv && "$uv/pip" install --quiet --disable-pip-version-check uv==0.13.9; } || rm -rf target/uv
[ ! -x "$uv/uvx" ] || export MCP_REAP_TEST_UV=$uv
check "npm and pip install it, npx and uvx run it" python3 tests/packages/registries.py "$tar"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
