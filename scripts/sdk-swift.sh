#!/usr/bin/env bash
# Builds the Swift SDK and runs its tests, against a gateway that is started for them, its example, and the code that
# `callgate generate swift` writes for it.
#
#   scripts/sdk-swift.sh [argument of swift test…]      for example --filter OutboxTests
#
# Swift runs in a folder of Debian (scripts/swift-root.sh); the gateway, target/release/callgate or what CALLGATE_BIN names,
# runs outside it. Everything is on free ports of loopback and ends with the script.
set -euo pipefail
cd "$(dirname "$0")/.."

callgate=${CALLGATE_BIN:-target/release/callgate}
unset CALLGATE_BIN # to the gateway every CALLGATE_… is a setting
[ -x "$callgate" ] || { echo "sdk-swift: $callgate is not there: make build" >&2; exit 1; }
scripts/swift-root.sh

# Compiled before anything is started that the compiler would only keep waiting.
scripts/swift-root.sh swift build --scratch-path target/swift-build --build-tests
scripts/swift-root.sh swift build --scratch-path target/swift-example --package-path examples/swift

# What `callgate generate swift` writes, on the SDK as the example has it.
status=0
CALLGATE_BIN=$callgate scripts/generated.sh swift || status=1

. scripts/beside.sh sdk-swift
serve() { begin "the gateway" "$callgate" serve --listen 127.0.0.1:0 --ready-json; }
serve
gateway=$process
begin "the issuer" env PORT=0 node examples/issuer/issuer.mjs
issued=$said
issuer_url=$(field "$issued" issuer)

functions=sdk-clients/swift/Tests/Functions
for function in sees fails counts; do
  "$callgate" deploy "$functions/$function" --tag callgate:allow=guests >/dev/null
done
"$callgate" deploy "$functions/slow" --timeout 60 --tag callgate:allow=guests >/dev/null
"$callgate" deploy "$functions/sees" --name members-only --tag callgate:allow=signed-in >/dev/null
for function in greeting scores; do
  "$callgate" deploy "examples/functions/$function" --tag callgate:allow=guests >/dev/null
done
pool=$("$callgate" pools create swift --with-default-roles --allow-guests --provider "$issuer_url=swift-app")

# Once more, with a limit low enough for a test to reach: the commands above would have reached it too.
kill "$gateway"
wait "$gateway"
export CALLGATE_LIMITS__CALLER_RATE=20
serve
ready=$said

export CALLGATE_TEST_ENDPOINT CALLGATE_TEST_POOL CALLGATE_TEST_ISSUER=$issuer_url CALLGATE_TEST_CLIENT_ID=swift-app
export CALLGATE_TEST_EXAMPLE=target/swift-example/debug/CallgateExample
CALLGATE_TEST_ENDPOINT=$(field "$ready" listen)
CALLGATE_TEST_POOL=$(field "$pool" IdentityPoolId)

{
  scripts/swift-root.sh swift test --skip-build --scratch-path target/swift-build "$@" 2>&1 || touch "$folder/failed"
} | tee "$folder/tests.log" | grep -vE "^Test Case .* started|^\[[0-9]+/[0-9]+\]" || true
[ ! -e "$folder/failed" ] || status=1
# XCTest's last word is on all of them; scripts/test.sh counts in these words.
sed -nE 's/^[[:space:]]*Executed ([0-9]+) tests?, with ([0-9]+) failures?.*/\1 \2/p' "$folder/tests.log" | tail -n 1 | {
  read -r ran failed || { ran=0 failed=1; }
  echo "sdk-swift: $((ran - failed)) passed, $failed failed"
  [ "$ran" -gt 0 ] && [ "$failed" -eq 0 ]
} || status=1
exit "$status"
