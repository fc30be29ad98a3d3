#!/usr/bin/env bash
# Runs the checks of the project. A check stops at the first failure.
#
#   tests/run.sh quick     needs Rust and a C compiler: formatting, lints, unit and documentation tests, behaviour
#   tests/run.sh           all checks except `msrv` and `minimal`, from a clean clone. Needs Rust and Node 20 or newer. If a C
#                          compiler, openssl, nginx, Caddy, redis-server or Chromium is missing, root gets it with apt-get
#   tests/run.sh features  axum-auth-proxy without features, with each feature alone, and with the default features
#   tests/run.sh package   packages the crates, and checks that they contain no tests
#   tests/run.sh semver    compares the API with the git revision SEMVER_BASELINE, with cargo-semver-checks
#   tests/run.sh editor    what an editor shows for a block, with rust-analyzer, from rustup
#   tests/run.sh msrv      tests with the oldest supported Rust, from rustup
#   tests/run.sh minimal   builds with the oldest version of each direct dependency
set -euo pipefail
cd "$(dirname "$0")/.."

PACKAGES=(axum-auth-proxy-rules axum-auth-proxy-macros axum-auth-proxy-redis axum-auth-proxy) # in order of dependency
PUBLISHED=("${PACKAGES[@]}" auth-proxy-gateway)
skipped=()

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'run.sh: %s\n' "$*" >&2; exit 1; }
# A full run skips a check that cannot run. A check that was named on the command line fails instead.
skip() {
  [ "$check" = full ] || fail "$*"
  say "skipped: $*"
  skipped+=("$*")
}

need_rust() { command -v cargo >/dev/null || fail "Rust is missing: install it from https://rustup.rs"; }

# need COMMAND "what to install by hand" PACKAGE..
need() {
  local command=$1 advice=$2
  shift 2
  if command -v "$command" >/dev/null; then return; fi
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "$command is missing: $advice"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$@" >/dev/null
}

need_everything() {
  say "installing programs and npm packages"
  need_rust
  command -v npm >/dev/null && command -v node >/dev/null || fail "Node 20 or newer is missing"
  [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || fail "Node 20 or newer is needed, this is $(node --version)"
  need cc "install gcc or clang" gcc libc6-dev
  need openssl "install openssl" openssl
  need nginx "install nginx" nginx
  need caddy "install caddy" caddy
  need redis-server "install redis-server" redis-server
  # CHROMIUM=/path chooses another browser of the Chromium family.
  CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
  if [ -z "$CHROMIUM" ]; then
    need chromium "install Chromium, or set CHROMIUM=/path to a browser of its family" chromium
    CHROMIUM=$(command -v chromium)
  fi
  export CHROMIUM
  for project in tests/authjs tests/better-auth tests/browser examples/nextjs/v5 examples/nextjs/v4; do
    npm ci --prefix "$project" --no-audit --no-fund --loglevel=error
  done
}

formatting() {
  say "formatting"
  cargo fmt --all --check
  cargo fmt --manifest-path fuzz/Cargo.toml --all --check
  cargo fmt --manifest-path benches/Cargo.toml --all --check
}

lints() {
  say "lints"
  cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
  cargo clippy --manifest-path fuzz/Cargo.toml --package auth-proxy-fuzz-properties --all-targets --locked -- -D warnings
  cargo clippy --manifest-path benches/Cargo.toml --package auth-proxy-benches --all-targets --locked -- -D warnings
}

features() {
  say "features"
  cargo clippy -p axum-auth-proxy --no-default-features --locked -- -D warnings
  for feature in client-js metrics redis reqwest testing utoipa; do
    cargo clippy -p axum-auth-proxy --no-default-features --features "$feature" --locked -- -D warnings
  done
  cargo clippy -p axum-auth-proxy --locked -- -D warnings
}

package() {
  say "packages"
  local name list file test
  for name in "${PUBLISHED[@]}"; do
    list=$(cargo package -p "$name" --list --locked --allow-dirty)
    if grep -E '(^|/)(tests?|benches|fuzz|snapshots|proptest-regressions)(/|\.rs$)' <<<"$list"; then
      fail "$name would be published with the files above, which are tests: see \`exclude\` in its Cargo.toml"
    fi
    # Files of `#[cfg(test)] mod name;` are tests under any name.
    while read -r test; do
      if grep -Fx "$test" <<<"$list"; then fail "$name would be published with the file above, which is a test"; fi
    done < <(test_modules "$(dirname_of "$name")" "$list")
  done
  # The packages are not built, since the other checks build their sources. Only `cargo fetch` uses the network.
  cargo fetch --locked --target "$(rustc -vV | sed -n 's/^host: //p')"
  cargo package --no-verify --offline --locked --allow-dirty "${PUBLISHED[@]/#/--package=}"
}

dirname_of() { echo "${1#axum-}"; }

# test_modules FOLDER LIST: the paths that `#[cfg(test)]` modules can have.
test_modules() {
  local folder=$1 file
  grep -E '\.rs$' <<<"$2" | while read -r file; do
    awk -v file="$file" '
      /^ *#\[cfg\(test\)\]/ { test = 1; next }
      test && match($0, /mod [a-z0-9_]+;/) {
        name = substr($0, RSTART + 4, RLENGTH - 5)
        base = file
        if (base !~ /\/(mod|lib)\.rs$/) sub(/\.rs$/, "", base); else sub(/\/[a-z]+\.rs$/, "", base)
        print base "/" name ".rs"; print base "/" name "/mod.rs"
      }
      !/^ *#\[/ { test = 0 }
    ' "$folder/$file"
  done
}

semver() {
  if [ -z "${SEMVER_BASELINE:-}" ]; then
    skip "semver: set SEMVER_BASELINE to the git revision to compare with"
    return
  fi
  if ! command -v cargo-semver-checks >/dev/null; then
    skip "semver: cargo-semver-checks is not installed"
    return
  fi
  say "semver, compared with $SEMVER_BASELINE"
  # cargo-semver-checks does not check procedural macros.
  cargo semver-checks --package axum-auth-proxy-rules --package axum-auth-proxy --all-features \
    --baseline-rev "$SEMVER_BASELINE"
}

msrv() {
  local version
  version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  say "Rust $version"
  cargo "+$version" test --workspace --all-features --lib --test behaviour --locked
}

# Builds a copy of the project with the oldest dependencies that Cargo.toml allows. Cargo.lock is not changed.
minimal() {
  say "the oldest version of each direct dependency"
  local copy
  copy=$(mktemp -d)
  # shellcheck disable=SC2064 # The local variable no longer exists when the trap runs.
  trap "rm -rf '$copy'" EXIT
  tar cf - --exclude=target Cargo.toml README.md "${PACKAGES[@]#axum-}" | tar xf - -C "$copy"
  sed -i -e '/^members = \[/,/^\]/c members = ["auth-proxy*"]' -e '/^exclude = /d' "$copy/Cargo.toml"
  # The option -Z needs RUSTC_BOOTSTRAP. The build must not have that variable, since build scripts read it.
  (cd "$copy" && RUSTC_BOOTSTRAP=1 cargo generate-lockfile -Z direct-minimal-versions)
  CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/minimal \
    cargo check --manifest-path "$copy/Cargo.toml" --workspace --lib --all-features --locked
}

# A session with the rust-analyzer of the pinned toolchain.
editor() {
  if ! rustup which rust-analyzer >/dev/null 2>&1 && ! rustup component add rust-analyzer; then
    skip "editor: rust-analyzer is not installed, and rustup cannot add it"
    return
  fi
  say "editor"
  cargo test -p auth-proxy-tests --test editor --locked
}

advisories() {
  if command -v cargo-deny >/dev/null; then
    say "advisories and licences"
    cargo deny --all-features check
  elif command -v cargo-audit >/dev/null; then
    say "advisories"
    cargo audit --deny warnings
  else
    skip "advisories: neither cargo-deny nor cargo-audit is installed"
  fi
}

quick() {
  need_rust
  formatting
  lints
  say "tests that need only Rust"
  # The features are those of the full run, so that a full run afterwards reuses the build.
  cargo test --workspace --all-features --lib --test behaviour --test rooms --test listing --test licences --locked
  cargo test --package auth-proxy-gateway --bins --locked
  cargo test --workspace --all-features --doc --locked
}

full() {
  need_everything
  # A full run compiles everything once. Incremental compilation would only add 6 GB to `target`.
  export CARGO_INCREMENTAL=${CARGO_INCREMENTAL:-0}
  formatting
  lints
  features

  say "tests"
  command -v systemd-analyze >/dev/null || skip "the unit file of the gateway: systemd-analyze is not installed"
  cargo test --workspace --all-features --locked
  # The same tests with a fake upstream that behaves like Robo.js.
  FAKE_UPSTREAM=robo cargo test -p auth-proxy-tests --test behaviour --locked

  say "server functions of Leptos"
  cargo test --manifest-path examples/leptos/Cargo.toml --locked

  say "advice of compile errors"
  cargo test -p auth-proxy-tests --test advice --locked -- --nocapture

  editor

  say "fuzzing for a short time"
  # Runs the corpus and mutations of it on stable Rust. fuzz/run.sh fuzzes for longer.
  cargo test --manifest-path fuzz/Cargo.toml --package auth-proxy-fuzz-properties --locked

  say "documentation"
  RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features --locked

  package
  semver
  advisories
}

check=${1:-full}
case $check in
  quick | full | features | package | semver | editor | msrv | minimal) "$check" ;;
  *) fail "there is no check called $check; the first lines of tests/run.sh list them" ;;
esac
if [ ${#skipped[@]} -eq 0 ]; then
  say "all checks passed"
else
  say "all checks passed, except for these skipped checks:"
  printf '   %s\n' "${skipped[@]}"
fi
