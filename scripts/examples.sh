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

. "$repository/scripts/beside.sh" examples
begin "the gateway" "$callgate" serve --listen 127.0.0.1:0 --ready-json
ready=$said
begin "the issuer" env PORT=0 node "$repository/examples/issuer/issuer.mjs"
issued=$said
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
