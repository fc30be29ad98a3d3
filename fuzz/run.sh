#!/usr/bin/env bash
# Fuzzes every target, one after the other, and prints a table of the results.
#
#   fuzz/run.sh                      10,000,000 executions of each target
#   RUNS=100000 fuzz/run.sh          100,000 executions of each target
#   MAX_LEN=256 fuzz/run.sh config   inputs of at most 256 bytes; the default is 2048
#   fuzz/run.sh request token        these targets only
#   KEEP=1 fuzz/run.sh               adds inputs that reach new code to corpus/
#   SANITIZER=address fuzz/run.sh    with a sanitizer, several times slower
#
# Needs a nightly toolchain and a C++ compiler. Installs cargo-fuzz if it is missing. Inputs that fail are in artifacts/:
# fix the bug, and add the input to corpus/ under a name that says what it is.
set -euo pipefail
cd "$(dirname "$0")"
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked --quiet
runs=${RUNS:-10000000}
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' Cargo.toml)
# The project has no unsafe code, so a sanitizer finds little.
options=(--sanitizer "${SANITIZER:-none}")
# Logs and new inputs.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for target in "${targets[@]}"; do
  cargo +nightly fuzz build "${options[@]}" "$target" >&2
done
printf '| target | executions | seconds | executions/s | edges | findings |\n|---|---|---|---|---|---|\n'
failed=0
for target in "${targets[@]}"; do
  dict=()
  [ ! -f "dict/$target.dict" ] || dict=("-dict=dict/$target.dict")
  mkdir -p "$work/$target"
  start=$SECONDS
  # libFuzzer writes new inputs to the first folder, so the corpus does not grow.
  found=none
  cargo +nightly fuzz run "${options[@]}" "$target" "$work/$target" "corpus/$target" -- -runs="$runs" \
    -max_len="${MAX_LEN:-2048}" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 "${dict[@]}" >"$work/log" 2>&1 ||
    { found=yes; failed=1; tail -40 "$work/log" >&2; }
  seconds=$((SECONDS - start))
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")
  edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/log" | tail -1)
  printf '| %s | %s | %s | %s | %s | %s |\n' "$target" "${executions:-?}" "$seconds" \
    "$((${executions:-0} / (seconds > 0 ? seconds : 1)))" "${edges:-?}" "$found"
  if [ "${KEEP:-}" = 1 ]; then
    # `-merge=1` adds only inputs that reach new code.
    cargo +nightly fuzz run "${options[@]}" "$target" "corpus/$target" "$work/$target" -- -merge=1 -max_len=2048 >&2
  fi
done
exit "$failed"
