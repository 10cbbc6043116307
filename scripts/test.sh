#!/usr/bin/env bash
# Runs every test, part by part, and says how long each took against the budget that CONTRIBUTING.md gives it.
#
#   scripts/test.sh [part…]      one or more of: lint build rust bootstrap nodes contract sdk-java sdk-android sdk-swift
#
# A part that fails does not keep the others from running, except the build. The last line counts.
set -uo pipefail
cd "$(dirname "$0")/.."

logs=target/test-logs
mkdir -p "$logs"
wanted=("$@")
began=$SECONDS
passed=0
failed=0
summary=()
broken=()

is_wanted() {
  [ ${#wanted[@]} -eq 0 ] && return 0
  local part
  for part in "${wanted[@]}"; do [ "$part" = "$1" ] && return 0; done
  return 1
}

sum() { awk '{ total += $1 } END { print total + 0 }'; }

# Adds up what the runners report: cargo's "N passed; M failed", pytest's "M failed, N passed", node's "# pass N" or "ℹ pass N".
count() {
  local log=$1
  passed=$((passed + $(grep -oE '[0-9]+ passed' "$log" | sum) + $(sed -nE 's/^(#|ℹ) pass ([0-9]+)$/\2/p' "$log" | sum)))
  failed=$((failed + $(grep -oE '[0-9]+ (failed|errors?)\b' "$log" | sum) + $(sed -nE 's/^(#|ℹ) fail ([0-9]+)$/\2/p' "$log" | sum)))
}

part() { # name, budget in seconds, command…
  local name=$1 budget=$2 from=$SECONDS outcome
  shift 2
  is_wanted "$name" || return 0
  printf '\n== %s (budget %s s): %s\n' "$name" "$budget" "$*"
  if "$@" 2>&1 | tee "$logs/$name.log"; then outcome=ok; else
    outcome=FAILED
    broken+=("$name")
  fi
  local took=$((SECONDS - from))
  [ "$name" = lint ] || [ "$name" = build ] || count "$logs/$name.log"
  [ "$took" -le "$budget" ] || outcome="$outcome, over its budget"
  summary+=("$(printf '%-10s %5d s of %5d s  %s' "$name" "$took" "$budget" "$outcome")")
  [[ $outcome != FAILED* ]]
}

lint() {
  # What is fetched or built is no source; tracked, it would hide a missing step from an empty clone.
  local ignored
  ignored=$(git ls-files --cached --ignored --exclude-standard 2>/dev/null | head -n 5)
  if [ -n "$ignored" ]; then
    printf 'tracked, although .gitignore names it:\n%s\n' "$ignored" >&2
    return 1
  fi
  cargo fmt --check && cargo clippy --release --locked --all-targets -- -D warnings
}

bootstrap() {
  node --test runtime/test/*.test.js
}

part lint 270 lint
if part build 780 cargo test --release --locked --lib --bins --tests --no-run; then
  part rust 90 cargo test --release --locked --lib --bins --tests
  part bootstrap 30 bootstrap
  part nodes 120 make --no-print-directory nodes
  part contract 510 make --no-print-directory contract
  part sdk-java 120 make --no-print-directory sdk-java
  part sdk-android 150 make --no-print-directory sdk-android
  part sdk-swift 300 make --no-print-directory sdk-swift
fi

printf '\n%-10s\n' "Times:"
printf '  %s\n' "${summary[@]}"
total=$((SECONDS - began))
if [ ${#broken[@]} -gt 0 ]; then
  echo "make test: $passed passed, $failed failed in $total s; broken: ${broken[*]}"
  exit 1
fi
echo "make test: $passed passed, 0 failed in $total s"
