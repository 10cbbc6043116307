#!/usr/bin/env bash
# Builds the Swift SDK and runs its tests, against a gateway that is started for them, and its example.
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

folder=$(mktemp -d "${TMPDIR:-/tmp}/callgate-sdk-swift.XXXXXX")
gateway= issuer=
clean_up() {
  local status=$? pid
  trap - EXIT
  for pid in $gateway $issuer; do kill "$pid" 2>/dev/null || true; done
  for pid in $gateway $issuer; do wait "$pid" 2>/dev/null || true; done
  if [ "$status" -ne 0 ]; then
    echo "sdk-swift: it failed; the end of the gateway's log:" >&2
    tail -n 40 "$folder/gateway.log" >&2 2>/dev/null || true
  fi
  rm -rf "$folder"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# The first line that a background program prints: both say as JSON where they listen.
first_line() { # file, process, what
  local tries=0
  until [ -s "$1" ] && grep -q '}' "$1"; do
    kill -0 "$2" 2>/dev/null || { echo "sdk-swift: $3 ended before it was ready" >&2; return 1; }
    tries=$((tries + 1))
    [ "$tries" -lt 400 ] || { echo "sdk-swift: $3 did not become ready within twenty seconds" >&2; return 1; }
    sleep 0.05
  done
  head -n 1 "$1"
}
field() { node -p "JSON.parse(process.argv[1])[process.argv[2]]" "$1" "$2"; }

# Compiled before anything is started that the compiler would only keep waiting.
scripts/swift-root.sh swift build --scratch-path target/swift-build --build-tests
scripts/swift-root.sh swift build --scratch-path target/swift-example --package-path examples/swift

if [ "$(id -u)" -ne 0 ] && ! { command -v newuidmap && grep -q "^$(id -un):" /etc/subuid; } >/dev/null 2>&1; then
  export CALLGATE_SANDBOX__ISOLATION=shared-user
fi
export CALLGATE_DATA__DIR=$folder/data
export CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP=true # the issuer is a local one
serve() {
  rm -f "$folder/ready"
  "$callgate" serve --listen 127.0.0.1:0 --ready-json >"$folder/ready" 2>>"$folder/gateway.log" &
  gateway=$!
  ready=$(first_line "$folder/ready" "$gateway" "the gateway")
}
serve
PORT=0 node examples/issuer/issuer.mjs >"$folder/issuer" 2>>"$folder/gateway.log" &
issuer=$!
issued=$(first_line "$folder/issuer" "$issuer" "the issuer")
issuer_url=$(field "$issued" issuer)

functions=sdk-clients/swift/Tests/Functions
for name in sees fails counts; do
  "$callgate" deploy "$functions/$name" --tag callgate:allow=guests >/dev/null
done
"$callgate" deploy "$functions/slow" --timeout 60 --tag callgate:allow=guests >/dev/null
"$callgate" deploy "$functions/sees" --name members-only --tag callgate:allow=signed-in >/dev/null
for name in greeting scores; do
  "$callgate" deploy "examples/functions/$name" --tag callgate:allow=guests >/dev/null
done
pool=$("$callgate" pools create swift --with-default-roles --allow-guests --provider "$issuer_url=swift-app")

# Once more, with a limit low enough for a test to reach: the commands above would have reached it too.
kill "$gateway"
wait "$gateway"
export CALLGATE_LIMITS__CALLER_RATE=20
serve

export CALLGATE_TEST_ENDPOINT CALLGATE_TEST_POOL CALLGATE_TEST_ISSUER=$issuer_url CALLGATE_TEST_CLIENT_ID=swift-app
export CALLGATE_TEST_EXAMPLE=target/swift-example/debug/CallgateExample
CALLGATE_TEST_ENDPOINT=$(field "$ready" listen)
CALLGATE_TEST_POOL=$(field "$pool" IdentityPoolId)

status=0
scripts/swift-root.sh swift test --skip-build --scratch-path target/swift-build "$@" 2>&1 | tee "$folder/tests.log" |
  grep -vE "^Test Case .* started|^\[[0-9]+/[0-9]+\]" || true
[ "${PIPESTATUS[0]}" -eq 0 ] || status=1
# XCTest's last word is on all of them; scripts/test.sh counts in these words.
sed -nE 's/^[[:space:]]*Executed ([0-9]+) tests?, with ([0-9]+) failures?.*/\1 \2/p' "$folder/tests.log" | tail -n 1 | {
  read -r ran failed || { ran=0 failed=1; }
  echo "sdk-swift: $((ran - failed)) passed, $failed failed"
  [ "$ran" -gt 0 ] && [ "$failed" -eq 0 ]
} || status=1
exit "$status"
