#!/usr/bin/env bash
# run.sh        every check of the project, from a clean clone: formatting, lints, tests, documentation, packages. Needs
#               Rust and Node 20 or newer; a C compiler, openssl, nginx and Chromium are installed with apt-get where they
#               are missing and may be.
# run.sh quick  what needs Rust and a C compiler alone: formatting, lints, unit and documentation tests, behaviour.
# Stops at the first thing that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }

case "${1:-all}" in
quick | all) ;;
*) fail "use: run.sh [quick]" ;;
esac

formatting_and_lints() {
  say "formatting"
  cargo fmt --all --check
  cargo fmt --manifest-path fuzz/Cargo.toml --all --check
  cargo fmt --manifest-path benches/Cargo.toml --all --check

  say "lints"
  cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
  # With no feature at all, and as an app has it.
  cargo clippy -p axum-auth-proxy --no-default-features --locked -- -D warnings
  cargo clippy -p axum-auth-proxy --locked -- -D warnings
  cargo clippy --manifest-path fuzz/Cargo.toml --package auth-proxy-fuzz-properties --all-targets --locked -- -D warnings
  cargo clippy --manifest-path benches/Cargo.toml --package auth-proxy-benches --all-targets --locked -- -D warnings
}

if [ "${1:-all}" = quick ]; then
  formatting_and_lints
  say "tests that need Rust alone"
  cargo test -p axum-auth-proxy-rules -p axum-auth-proxy-macros -p axum-auth-proxy --all-features --locked
  cargo test -p auth-proxy-tests --test rooms --test behaviour --locked
  say "quick checks passed"
  exit
fi

say "what the checks need"
command -v cargo >/dev/null || fail "Rust is missing: install it from https://rustup.rs"
command -v npm >/dev/null && command -v node >/dev/null || fail "Node 20 or newer is missing"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || fail "Node 20 or newer is needed, this is $(node --version)"
# need COMMAND "what to install by hand" PACKAGE..
need() {
  local command=$1 advice=$2
  shift 2
  if command -v "$command" >/dev/null; then return; fi
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "$command is missing: $advice"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$@" >/dev/null
}
need cc "install gcc or clang" gcc libc6-dev
need openssl "install openssl" openssl
need nginx "install nginx" nginx
# Another browser of its kind: CHROMIUM=/path/to/it
CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$CHROMIUM" ]; then
  need chromium "install Chromium, or name another with CHROMIUM=/path" chromium
  CHROMIUM=$(command -v chromium)
fi
export CHROMIUM
for project in tests/authjs tests/browser examples/nextjs/v5 examples/nextjs/v4; do
  npm ci --prefix "$project" --no-audit --no-fund --loglevel=error
done

formatting_and_lints

say "tests"
cargo test --workspace --all-features --locked
# The same behaviour in front of an upstream that answers as Robo.js does.
FAKE_UPSTREAM=robo cargo test -p auth-proxy-tests --test behaviour --locked

say "fuzzing, a short while"
# The corpus and mutations of it, on stable Rust; fuzz/run.sh goes on for longer.
cargo test --manifest-path fuzz/Cargo.toml --package auth-proxy-fuzz-properties --locked

say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features --locked

say "packages"
for package in axum-auth-proxy-rules axum-auth-proxy-macros axum-auth-proxy; do
  files=$(cargo package --list --allow-dirty --locked -p "$package")
  tests=$(grep -E '^src/(.*/)?tests(\.rs$|/)' <<<"$files" || true)
  [ -z "$tests" ] || fail "$package ships tests: $tests"
done
cargo package --no-verify --allow-dirty --locked --quiet \
  -p axum-auth-proxy-rules -p axum-auth-proxy-macros -p axum-auth-proxy

if command -v cargo-semver-checks >/dev/null; then
  say "semantic versioning"
  cargo semver-checks -p axum-auth-proxy
else
  say "the API is not compared with a release: cargo-semver-checks is not installed"
fi

if command -v cargo-deny >/dev/null; then
  say "advisories and licences"
  cargo deny --all-features check
elif command -v cargo-audit >/dev/null; then
  say "advisories"
  cargo audit --deny warnings
else
  say "no advisories are checked: neither cargo-deny nor cargo-audit is installed"
fi
say "all checks passed"
