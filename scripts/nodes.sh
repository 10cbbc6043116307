#!/usr/bin/env bash
# Runs the bootstrap's tests, and the sandboxes' that depend on Node.js most, on each version that npm brings along.
#
#   scripts/nodes.sh [major…]      20, 22 and 24 unless named
#
# With CALLGATE_TEST_ALL in its environment all tests of sandboxes run, as `make soak` has it.
set -euo pipefail
cd "$(dirname "$0")/.."

case $(uname -m) in
  x86_64) machine=x64 ;;
  aarch64) machine=arm64 ;;
  *) echo "nodes: npm has no Node.js for $(uname -m)" >&2; exit 1 ;;
esac
[ $# -gt 0 ] || set -- 20 22 24

modules=(sandbox::answers sandbox::cold_starts sandbox::ends sandbox::inside sandbox::jail sandbox::logs sandbox::thawing)
[ -z "${CALLGATE_TEST_ALL:-}" ] || modules=(sandbox::)

status=0
for major in "$@"; do
  node=$PWD/tests/nodes/node_modules/node$major-$machine/bin/node
  printf '\n-- Node.js %s\n' "$("$node" --version)"
  "$node" --test runtime/test/*.test.js || status=1
  CALLGATE_TEST_NODE=$node cargo test --release --locked --test it -- "${modules[@]}" || status=1
done
exit "$status"
