#!/usr/bin/env bash
# Measures what one use of a macro adds to `cargo check`: macro-cost.sh PROGRAM. PROGRAM is the benchmark program that
# run.sh builds; it writes the rows of the table.
#
# The figures are of the rustc process that `cargo check` starts for the app, with the same arguments. A use of a macro
# costs the difference between a crate with many uses and a crate with few, divided by the difference in number.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. "$here/cpu.sh"
unset RUSTC_WRAPPER CARGO_TARGET_DIR CARGO_BUILD_RUSTC_WRAPPER CARGO_INCREMENTAL
rounds=15
[ "${QUICK:-}" != 1 ] || rounds=1

# The first block of a file.
first_block() { awk '/^auth_proxy! \{/ { on = 1 } on { print } on && /^\}/ { exit }' "$1"; }
first_block "$here/../README.md" >"$work/small"
# The test that compiles every option, so the block grows with the options.
first_block "$here/../tests/ui/config/pass/everything.rs" >"$work/large"
for size in small large; do
  grep -q 'struct Auth<' "$work/$size" || { echo "macro-cost.sh: no block found for $size" >&2; exit 1; }
done

mkdir -p "$work/app/src"
cat >"$work/app/Cargo.toml" <<TOML
[package]
name = "app"
version = "0.0.0"
edition = "2024"
[workspace]
[dependencies]
axum = { version = "0.8", features = ["macros"] }
axum-auth-proxy = { path = "$here/../auth-proxy" }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
TOML
cp "$here/Cargo.lock" "$work/app/Cargo.lock"

start='#![allow(dead_code)]
use auth_proxy::auth_proxy;
#[derive(serde::Deserialize)]
pub struct AppUser<T = Vec<String>> { name: Option<T> }'

# blocks SIZE COUNT: a program with so many blocks of different names.
blocks() {
  echo "$start"
  for n in $(seq "$2"); do sed "s/struct Auth</struct Auth$n</" "$work/$1"; done
  echo 'fn main() {}'
}
# derives COUNT: a program with so many structs that derive Deserialize.
derives() {
  echo "$start"
  for n in $(seq "$1"); do
    echo "#[derive(serde::Deserialize)]"
    echo "struct Derived$n { id: u64, name: String, email: Option<String>, roles: Vec<String>, active: bool }"
  done
  echo 'fn main() {}'
}
# handlers COUNT ATTRIBUTE ARGUMENT: a program with so many handlers on a router.
handlers() {
  echo "$start"
  cat "$work/small"
  for n in $(seq "$1"); do
    printf '%s\nasync fn handler_%s(%saxum::extract::Path(n): axum::extract::Path<u32>) -> String {\n    format!("{n} %s")\n}\n' "$2" "$n" "$3" "$n"
  done
  echo 'fn router() -> axum::Router<Auth> { axum::Router::new()'
  for n in $(seq "$1"); do echo "    .route(\"/$n/{n}\", axum::routing::get(handler_$n))"; done
  echo '}'
  echo 'fn main() { let _ = router; }'
}
# programs FEW MANY HANDLERS FOLDER: all programs, with so many uses.
programs() {
  mkdir -p "$4"
  for size in small large; do
    blocks $size "$1" >"$4/$size-few.rs"
    blocks $size "$2" >"$4/$size-many.rs"
  done
  derives "$1" >"$4/derive-few.rs"
  derives "$2" >"$4/derive-many.rs"
  handlers "$3" '#[auth_proxy::require_session]' '' >"$4/guard.rs"
  handlers "$3" '' '_: auth_proxy::Session<Auth>, ' >"$4/session.rs"
  handlers "$3" '' '_: auth_proxy::RequireSession<Auth>, ' >"$4/require.rs"
  handlers "$3" '#[axum::debug_handler(state = Auth)]' '_: auth_proxy::Session<Auth>, ' >"$4/debug.rs"
}
few=1 many=101 many_handlers=200
programs $few $many $many_handlers "$work/timed"

# `cargo check` builds the dependencies. The wrapper stores the arguments for the app itself, which `checked` uses again.
cat >"$work/wrapper" <<WRAPPER
#!/usr/bin/env bash
case " \$* " in *" --crate-name app "*)
  printf '%s\0' "\$@" >"$work/arguments"
  # Not the job server, which ends with cargo.
  env -0 | grep -z '^CARGO' | grep -zv '^CARGO_MAKEFLAGS=' >"$work/variables";;
esac
exec "\$@"
WRAPPER
chmod +x "$work/wrapper"
cp "$work/timed/small-few.rs" "$work/app/src/main.rs"
(cd "$work/app" && RUSTC_WORKSPACE_WRAPPER=$work/wrapper cargo check -j2 --target-dir "$work/target" >"$work/log" 2>&1) ||
  { cat "$work/log" >&2; exit 1; }
mapfile -d '' arguments <"$work/arguments"
mapfile -d '' variables <"$work/variables"
# cargo starts the rustc of rustup's proxy, which costs time and which valgrind cannot follow.
arguments[0]=$(cd "$work/app" && rustc --print sysroot)/bin/rustc
[ -d "$work/target/debug/incremental" ] || { echo "macro-cost.sh: cargo check is not incremental" >&2; exit 1; }

# checked FILE COMMAND..: checks a program as cargo does, by a command that measures.
checked() {
  local file=$1
  shift
  cp "$file" "$work/app/src/main.rs"
  # Without the data of the check before, nothing is reused.
  rm -rf "$work/target/debug/incremental"
  mkdir "$work/target/debug/incremental"
  (cd "$work/app" && "$@" env "${variables[@]}" "${arguments[@]}")
}

sides=(small-few small-many large-few large-many derive-few derive-many guard session require debug)
for side in "${sides[@]}"; do checked "$work/timed/$side.rs" cpu >/dev/null; done
for _ in $(seq $rounds); do
  for side in "${sides[@]}"; do checked "$work/timed/$side.rs" cpu >>"$work/$side.cpu"; done
done

# differences A B USES: milliseconds of one use, a round each. The sides of a round follow each other closely, so the differences within the
# rounds vary less than the sides.
differences() { paste "$work/$1.cpu" "$work/$2.cpu" | awk -v uses="$3" '{ print ($1 - $2) / uses * 1000 }'; }
# of A B USES: a file with these.
of() { differences "$@" >"$work/$1-$2.ms"; echo "$work/$1-$2.ms"; }
uses=$((many - few))
row() { "$program" row macros "$@"; }
figure() { "$program" figure macros "$@"; }

small=$(of small-many small-few $uses)
large=$(of large-many large-few $uses)
derive=$(of derive-many derive-few $uses)
over_session=$(of guard session $many_handlers)
over_require=$(of guard require $many_handlers)
debug=$(of debug session $many_handlers)
"$program" median macros "cargo check, a block of the README, CPU" " ms" "<=5" "$small"
"$program" median macros "cargo check, a block with every option, CPU" " ms" "<=5" "$large"
"$program" median macros "cargo check, derive(Deserialize) of 5 fields, CPU" " ms" - "$derive"
"$program" ratio macros "a block with every option / derive(Deserialize)" x - "$large" "$derive"
"$program" median macros "cargo check, a guard - Session by hand, CPU" " ms" "<=0.25" "$over_session"
"$program" median macros "cargo check, a guard - RequireSession by hand, CPU" " ms" "<=0.25" "$over_require"
"$program" median macros "cargo check, debug_handler, CPU" " ms" - "$debug"

# The same with instructions, which do not depend on the load of the machine. Programs are smaller, since valgrind is
# slow.
if ! command -v valgrind >/dev/null; then
  figure "instructions" "not counted: valgrind is not installed"
  exit 0
fi
few=1 many=21 many_handlers=50
[ "${QUICK:-}" != 1 ] || many=6 many_handlers=10
programs $few $many $many_handlers "$work/counted"
# instructions SIDE: millions of instructions.
instructions() {
  local log=$work/valgrind
  checked "$work/counted/$1.rs" valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null \
    --trace-children=yes --log-file="$log.%p" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  sed -n 's/,//g; s/^.*I *refs: *//p' "$log".* | sort -n | tail -1 | awk '{ print $1 / 1e6 }'
  rm -f "$log".*
}
for side in "${sides[@]}"; do instructions "$side" >"$work/$side.instructions"; done
millions() { paste "$work/$1.instructions" "$work/$2.instructions" | awk -v uses="$3" '{ print ($1 - $2) / uses }'; }
uses=$((many - few))
large=$(millions large-many large-few $uses)
derive=$(millions derive-many derive-few $uses)
over_session=$(millions guard session $many_handlers)
debug=$(millions debug session $many_handlers)
row "instructions, a block with every option / derive(Deserialize)" "$(ratio "$large" "$derive" a/b)" x -
row "instructions, a guard - Session by hand / debug_handler" "$(ratio "$over_session" "$debug" a/b)" x -
figure "millions of instructions" "$(printf 'README %.2f, every option %.2f, derive %.2f, guard - Session %.3f, guard - RequireSession %.3f, debug_handler %.2f' \
  "$(millions small-many small-few $uses)" "$large" "$derive" "$over_session" "$(millions guard require $many_handlers)" "$debug")"
