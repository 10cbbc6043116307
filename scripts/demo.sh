#!/usr/bin/env bash
# Callgate told as a story: a gateway on an empty folder, one function, one app.
#
# Starts everything on free ports of loopback, ends everything, leaves nothing behind. Expects target/release/callgate, or
# the command that is named as its argument;
# `make demo` builds it first.
set -euo pipefail
cd "$(dirname "$0")/.."

callgate=${1:-target/release/callgate}
[ -x "$callgate" ] || { echo "demo: $callgate is not there: make build" >&2; exit 1; }

if [ ! -e examples/app/node_modules/.package-lock.json ] ||
  [ examples/app/package-lock.json -nt examples/app/node_modules/.package-lock.json ]; then
  echo "Fetching the AWS SDK for JavaScript, once…"
  (cd examples/app && npm ci --silent --no-audit --no-fund)
fi

. scripts/beside.sh demo
export CALLGATE_LIMITS__CALLER_RATE=20 # low enough for one app to reach

begin "the gateway" "$callgate" serve --listen 127.0.0.1:0 --ready-json
ready=$said
begin "the issuer" env PORT=0 node examples/issuer/issuer.mjs
issued=$said
listen=$(field "$ready" listen)
issuer_url=$(field "$issued" issuer)
echo "1. A gateway listens at $listen, on an empty folder."

"$callgate" deploy examples/greet --tag callgate:allow=guests >/dev/null
"$callgate" deploy examples/greet --name back-office >/dev/null
echo "2. A function is deployed twice: as greet, tagged for guests, and as back-office, for no app."

pool=$("$callgate" pools create demo --with-default-roles --allow-guests --provider "$issuer_url=demo-app")
pool_id=$(field "$pool" IdentityPoolId)
echo "3. Identity pool $pool_id lets guests in, and who signs in at $issuer_url."
echo

CALLGATE_ENDPOINT=$listen CALLGATE_REGION=us-east-1 CALLGATE_POOL=$pool_id \
  CALLGATE_ISSUER=$issuer_url CALLGATE_CLIENT_ID=demo-app \
  CALLGATE_FUNCTION=greet CALLGATE_FORBIDDEN_FUNCTION=back-office \
  node examples/app/app.mjs

cat <<END

That was everything. To go on by hand:

  $callgate serve --data-dir ./data        # then, in another terminal:
  $callgate deploy examples/greet --data-dir ./data --tag callgate:allow=guests
  $callgate invoke greet --data-dir ./data --payload '{"name":"you"}' --log
END
