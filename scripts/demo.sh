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

folder=$(mktemp -d "${TMPDIR:-/tmp}/callgate-demo.XXXXXX")
gateway= issuer=
clean_up() {
  local status=$? pid
  trap - EXIT
  for pid in $gateway $issuer; do kill "$pid" 2>/dev/null || true; done
  for pid in $gateway $issuer; do wait "$pid" 2>/dev/null || true; done
  if [ "$status" -ne 0 ]; then
    echo >&2
    echo "demo: it failed; the gateway's log:" >&2
    cat "$folder/gateway.log" >&2 2>/dev/null || true
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
    kill -0 "$2" 2>/dev/null || { echo "demo: $3 ended before it was ready" >&2; return 1; }
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || { echo "demo: $3 did not become ready within ten seconds" >&2; return 1; }
    sleep 0.05
  done
  head -n 1 "$1"
}
field() { node -p "JSON.parse(process.argv[1])[process.argv[2]]" "$1" "$2"; }

export CALLGATE_DATA__DIR=$folder/data
export CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP=true # the issuer of this demo is a local one
export CALLGATE_LIMITS__CALLER_RATE=20         # low enough for one app to reach

if [ "$(id -u)" -ne 0 ] && ! { command -v newuidmap && grep -q "^$(id -un):" /etc/subuid; } >/dev/null 2>&1; then
  # One account, on loopback: its functions may share this user. `callgate doctor` says how to give each its own.
  export CALLGATE_SANDBOX__ISOLATION=shared-user
fi
"$callgate" serve --listen 127.0.0.1:0 --ready-json >"$folder/ready" 2>"$folder/gateway.log" &
gateway=$!
PORT=0 node examples/issuer/issuer.mjs >"$folder/issuer" 2>>"$folder/gateway.log" &
issuer=$!
ready=$(first_line "$folder/ready" "$gateway" "the gateway")
listen=$(field "$ready" listen)
issued=$(first_line "$folder/issuer" "$issuer" "the issuer")
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
