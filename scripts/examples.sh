#!/usr/bin/env bash
# Runs a command beside a gateway that has the examples' functions: on an empty folder, on free ports of loopback.
#
#   scripts/examples.sh examples/java/run.sh
#
# The command finds CALLGATE_ENDPOINT, CALLGATE_POOL, CALLGATE_REGION, CALLGATE_ISSUER and CALLGATE_CLIENT_ID in its
# environment. Everything ends with it, and nothing is left behind. Expects target/release/callgate, or CALLGATE_BIN.
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
[ $# -gt 0 ] || { echo "usage: scripts/examples.sh COMMAND…" >&2; exit 2; }

callgate=${CALLGATE_BIN:-$repository/target/release/callgate}
unset CALLGATE_BIN # to the gateway every CALLGATE_… is a setting
[ -x "$callgate" ] || { echo "examples: $callgate is not there: make build" >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/callgate-examples.XXXXXX")
gateway= issuer=
clean_up() {
  local status=$? pid
  trap - EXIT
  for pid in $gateway $issuer; do kill "$pid" 2>/dev/null || true; done
  for pid in $gateway $issuer; do wait "$pid" 2>/dev/null || true; done
  [ "$status" -eq 0 ] || { echo "examples: it failed; the gateway's log:"; cat "$folder/gateway.log"; } >&2
  rm -rf "$folder"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# The first line of a program's output, through a pipe: it comes, or the program has ended.
first_line() { # pipe, what
  local line
  IFS= read -r line <"$1" || { echo "examples: $2 ended before it was ready" >&2; return 1; }
  printf '%s' "$line"
}
field() { node -p "JSON.parse(process.argv[1])[process.argv[2]]" "$1" "$2"; }

if [ "$(id -u)" -ne 0 ] && ! { command -v newuidmap && grep -q "^$(id -un):" /etc/subuid; } >/dev/null 2>&1; then
  # One account, on loopback: its functions may share this user. `callgate doctor` says how to give each its own.
  export CALLGATE_SANDBOX__ISOLATION=shared-user
fi
export CALLGATE_DATA__DIR=$folder/data CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP=true
mkfifo "$folder/ready" "$folder/issued"
"$callgate" serve --listen 127.0.0.1:0 --ready-json >"$folder/ready" 2>"$folder/gateway.log" &
gateway=$!
ready=$(first_line "$folder/ready" "the gateway")
PORT=0 node "$repository/examples/issuer/issuer.mjs" >"$folder/issued" 2>>"$folder/gateway.log" &
issuer=$!
issued=$(first_line "$folder/issued" "the issuer")
issuer_url=$(field "$issued" issuer)

for function in greeting scores; do
  "$callgate" deploy "$repository/examples/functions/$function" --tag callgate:allow=guests >/dev/null
done
pool=$("$callgate" pools create examples --with-default-roles --allow-guests --provider "$issuer_url=demo-app")
CALLGATE_ENDPOINT=$(field "$ready" listen)
CALLGATE_POOL=$(field "$pool" IdentityPoolId)
unset CALLGATE_DATA__DIR CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP CALLGATE_SANDBOX__ISOLATION
export CALLGATE_ENDPOINT CALLGATE_POOL
export CALLGATE_REGION=us-east-1 CALLGATE_ISSUER=$issuer_url CALLGATE_CLIENT_ID=demo-app
"$@"
