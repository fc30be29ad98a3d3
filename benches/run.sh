#!/usr/bin/env bash
# Measures auth-proxy and comparable software in one run, and writes the table to benches/RESULTS.md.
#
#   benches/run.sh                   all parts: about 45 minutes, and the time of the builds
#   QUICK=1 benches/run.sh           checks that the suite works; its figures mean little
#   benches/run.sh proxy token       these parts only, printed and not written to RESULTS.md
#
# The parts: proxy phases per-core memory token guard session sessions spans growth revocation redis store gateway build macros.
# Needs Linux, Rust and Node 20 or newer. Root gets other
# missing programs with apt-get.
set -euo pipefail
cd "$(dirname "$0")"

say() { printf '\n== %s\n' "$*" >&2; }
fail() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

# need COMMAND PACKAGE..
need() {
  if command -v "$1" >/dev/null; then return; fi
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "$1 is missing: install ${*:2}"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "${@:2}" >/dev/null
}

say "installing programs and npm packages"
# nginx is in a folder that only root has in PATH.
PATH=$PATH:/usr/sbin:/sbin
command -v cargo >/dev/null || fail "Rust is missing: install it from https://rustup.rs"
command -v npm >/dev/null && command -v node >/dev/null || fail "Node 20 or newer is missing"
need cc gcc libc6-dev
need pkg-config pkg-config
need nginx nginx
need wrk wrk
need redis-server redis-server
pkg-config --exists openssl || need "the development files of OpenSSL" libssl-dev
npm ci --prefix ../tests/authjs --no-audit --no-fund --loglevel=error >&2
# 10,000 clients need many file descriptors.
ulimit -n "$(ulimit -Hn)"

say "building"
# The target directory is fixed, since the programs below are started by their paths.
export CARGO_TARGET_DIR=$PWD/target
cargo build --release --locked
cargo build --release --locked --package auth-proxy-benches-josekit
cargo bench --locked --no-run --bench decode
bench=$CARGO_TARGET_DIR/release/auth-proxy-benches
# The part `spans` compares with a program without spans, in its own target directory.
cargo build --release --locked --features silent --target-dir "$CARGO_TARGET_DIR/silent"
export SILENT_BENCH=$CARGO_TARGET_DIR/silent/release/auth-proxy-benches

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Kept if a part fails.
export BENCH_ROWS=$CARGO_TARGET_DIR/rows
: >"$BENCH_ROWS"

# version NAME: the version of a crate in Cargo.lock
version() { sed -n "/^name = \"$1\"$/{n;s/version = \"\(.*\)\"/$1 \1/p;q}" Cargo.lock; }
describe() {
  echo "date       $(date -u +%Y-%m-%dT%H:%MZ)${QUICK:+, a quick run: the figures mean little}"
  echo "processor  $(sed -n 's/^model name[^:]*: //p;' /proc/cpuinfo | head -1), $(nproc) cores"
  echo "memory     $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
  echo "kernel     $(uname -sr)"
  echo "load       $(cut -d' ' -f1-3 /proc/loadavg) before the run"
  echo "auth-proxy $(git rev-parse --short HEAD 2>/dev/null || echo 'from no repository')"
  echo "built by   $(rustc --version), release profile"
  echo "peers      $(version axum-reverse-proxy), $(version reqwest), $(version hyper-util), $(version hyper), $(version josekit),"
  echo "           $(nginx -v 2>&1 | sed 's/.*: //'), Node $(node --version), @auth/core $(node -p 'require("../tests/authjs/node_modules/@auth/core/package.json").version')"
  echo "load by    $(wrk -v 2>&1 | head -1 | sed 's/ Copyright.*//')"
}
describe >"$work/machine"

parts=("$@")
[ $# -gt 0 ] || parts=(proxy phases per-core memory token guard session sessions spans growth revocation redis store gateway build macros)
for part in "${parts[@]}"; do
  say "measuring: $part"
  case $part in
    build) ./build-cost.sh "$bench" ;;
    gateway) ./gateway.sh "$bench" ;;
    macros) ./macro-cost.sh "$bench" ;;
    *) "$bench" measure "$part" ;;
  esac
done

"$bench" report "$BENCH_ROWS" "$work/machine" >"$work/results"
say "results"
cat "$work/results"
[ $# -gt 0 ] || cp "$work/results" RESULTS.md
