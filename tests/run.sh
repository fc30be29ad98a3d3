#!/usr/bin/env bash
# Every check of the project, from a clean clone: formatting, lints, tests, documentation, licences.
# Needs Rust and Node 20 or newer; a C compiler is installed with apt-get where it is missing and may
# be. Stops at the first thing that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

say "what the checks need"
command -v cargo >/dev/null || fail "Rust is missing: install it from https://rustup.rs"
command -v npm >/dev/null && command -v node >/dev/null || fail "Node 20 or newer is missing"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || fail "Node 20 or newer is needed, this is $(node --version)"
if ! command -v cc >/dev/null; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "a C compiler is missing: install gcc or clang"
  apt-get update -qq && apt-get install -qq -y gcc libc6-dev
fi
npm ci --prefix tests/authjs --no-audit --no-fund --loglevel=error

say "formatting"
cargo fmt --all --check

say "lints"
cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
# As an app has it: no optional feature.
cargo clippy -p auth-proxy --locked -- -D warnings

say "tests"
cargo test --workspace --all-features --locked

say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features --locked

if command -v cargo-deny >/dev/null; then
  say "advisories and licences"
  cargo deny --all-features check
fi
say "all checks passed"
