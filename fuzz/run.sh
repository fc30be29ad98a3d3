#!/usr/bin/env bash
# Fuzzes every target, one after the other, and prints what came of it.
#
#   fuzz/run.sh                      10,000,000 executions of each
#   RUNS=100000 fuzz/run.sh          so many
#   MAX_LEN=256 fuzz/run.sh config   inputs of so many bytes at most; 2048 unless said
#   fuzz/run.sh request token        these targets only
#   SANITIZER=address fuzz/run.sh    with a sanitizer, and several times slower
#
# Needs a nightly toolchain and a C++ compiler; cargo-fuzz is installed where it is missing. What is found is
# kept in corpus/, and what fails in artifacts/: mend it, and give the input a name in corpus/.
set -euo pipefail
cd "$(dirname "$0")"
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked --quiet
runs=${RUNS:-10000000}
targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(sed -n 's/^name = "\([a-z]*\)"$/\1/p' Cargo.toml)
# There is no unsafe code of the project's own, so that none of the sanitizers has much to look at.
options=(--sanitizer "${SANITIZER:-none}")
# The numbers of the first run, before what was found is in the corpus.
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
  # New inputs go to the first folder, so that the corpus stays as small as it is kept.
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
    # Only what reaches something new.
    cargo +nightly fuzz run "${options[@]}" "$target" "corpus/$target" "$work/$target" -- -merge=1 -max_len=2048 >&2
  fi
done
exit "$failed"
