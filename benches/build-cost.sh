#!/usr/bin/env bash
# Measures what auth-proxy adds to the build of an app: build-cost.sh PROGRAM. PROGRAM is the benchmark program that run.sh
# builds; it writes the rows of the table.
#
# The figures are CPU seconds, user and system: wall-clock time depends on the load of the machine. All crates are
# downloaded before the measurement.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$here/cpu.sh"
# A compilation cache or a shared target directory would make the builds too fast.
unset RUSTC_WRAPPER CARGO_TARGET_DIR CARGO_BUILD_RUSTC_WRAPPER
# Crates from a registry are compiled without incremental compilation, so auth-proxy is too.
export CARGO_INCREMENTAL=0
rounds=6
[ "${QUICK:-}" != 1 ] || rounds=1

# app NAME DEPENDENCIES: the manifest of an app, with the dependencies of the README.
app() {
  mkdir -p "$work/$1/src"
  cat >"$work/$1/Cargo.toml" <<TOML
[package]
name = "$1"
version = "0.0.0"
edition = "2024"
[workspace]
[dependencies]
axum = "0.8"
reqwest = { version = "0.13", default-features = false, features = ["rustls", "http2", "stream"] }
serde = { version = "1", features = ["derive"] }
tokio = { version = "1", features = ["full"] }
$2
TOML
  # Both sides use the versions of the benchmarks' lock file.
  cp "$here/Cargo.lock" "$work/$1/Cargo.lock"
}
with="axum-auth-proxy = { path = \"$here/../auth-proxy\" }"

# handlers NAME DEPENDENCIES SETUP ATTRIBUTE COUNT: an app with COUNT handlers, with or without the guard.
handlers() {
  app "$1" "$2"
  {
    echo "#![allow(dead_code)]"
    echo "use axum::{Router, routing::get};"
    echo "$3"
    for n in $(seq "$5"); do
      printf '%s\nasync fn handler_%s(axum::extract::Path(n): axum::extract::Path<u32>) -> String {\n    format!("{n} %s")\n}\n' "$4" "$n" "$n"
    done
    echo "fn router() -> Router<Auth> { Router::new()"
    for n in $(seq "$5"); do echo "    .route(\"/$n/{n}\", get(handler_$n))"; done
    echo "}"
    echo 'fn main() { let _ = router; }'
  } >"$work/$1/src/main.rs"
}

app plain ""
app more "$with"
for name in plain more; do echo 'fn main() {}' >"$work/$name/src/main.rs"; done
block='auth_proxy::auth_proxy! { pub struct Auth { upstream: { base_url: env("AUTH_UPSTREAM_URL"), secret: env("AUTH_SECRET") } } }'
handlers guarded "$with" "$block" '#[auth_proxy::require_session]' 50
handlers unguarded "$with" "$block" '' 50
for name in plain more guarded unguarded; do (cd "$work/$name" && cargo fetch --quiet); done
crates() { (cd "$work/$1" && cargo tree --edges normal,build --prefix none --no-dedupe --format '{p}' | sed 's/ (\*)$//' | sort -u | wc -l); }

# A complete debug build, as after `cargo clean`. The sides take turns.
build() { rm -rf "$work/target"; (cd "$work/$1" && cpu cargo build --offline -j2 --target-dir "$work/target"); }
for _ in $(seq "$rounds"); do
  build plain >>"$work/plain.cpu"
  build more >>"$work/more.cpu"
done
"$program" median build "clean build, CPU seconds without auth-proxy" " s" - "$work/plain.cpu"
"$program" ratio build "clean build, with it / without, CPU seconds" x "<=1.15" "$work/more.cpu" "$work/plain.cpu"
"$program" row build "crates that it adds to $(crates plain)" "$(($(crates more) - $(crates plain)))" "" -

# `cargo check` of the app itself, after its dependencies were checked.
check() { touch "$work/$1/src/main.rs"; (cd "$work/$1" && cpu cargo check --offline --target-dir "$work/target"); }
rm -rf "$work/target"
for name in guarded unguarded; do check $name >/dev/null; done
for _ in $(seq $((rounds * 3))); do
  check guarded >>"$work/guarded.cpu"
  check unguarded >>"$work/unguarded.cpu"
done
"$program" ratio build "cargo check of 50 handlers, guarded / not, CPU" x "<=1.2" "$work/guarded.cpu" "$work/unguarded.cpu"
"$program" difference build "the same, guarded - not" " s" "<=0.5" "$work/guarded.cpu" "$work/unguarded.cpu"
