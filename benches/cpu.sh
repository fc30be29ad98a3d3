# Functions of build-cost.sh and macro-cost.sh, which read this file. They keep their files in $work.

# CPU seconds of a command, user and system: cpu COMMAND..
cpu() {
  local TIMEFORMAT='%U %S'
  { time "$@" >"$work/log" 2>&1; } 2>"$work/time" || { cat "$work/log" >&2; exit 1; }
  awk '{ print $1 + $2 }' "$work/time"
}
# A calculation with two figures: ratio A B EXPRESSION
ratio() { awk -v a="$1" -v b="$2" "BEGIN { print $3 }"; }
