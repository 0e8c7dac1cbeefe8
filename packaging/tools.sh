#!/usr/bin/env bash
# packaging/tools.sh: the packagers that packaging/build.sh needs on Linux, into target/tools. Nothing is done where they
# are already; else it takes three and a half minutes of processor time (debug settings: they run for seconds).
set -euo pipefail
cd "$(dirname "$0")/.."
while read -r name version; do
  [ "$("target/tools/bin/$name" --version 2>/dev/null | grep -o '[0-9.]*$')" != "$version" ] || continue
  # zstd in C, unoptimised, takes longer to pack once than to be built.
  cargo install --locked --quiet --debug --config 'profile.dev.package."zstd-sys".opt-level=2' \
    --root target/tools "$name@$version"
done <<'PINS'
cargo-deb 3.8.0
cargo-generate-rpm 0.21.1
PINS
