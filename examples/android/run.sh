#!/usr/bin/env bash
# Builds the app and runs what does not need a phone.
#
#   scripts/examples.sh examples/android/run.sh     # beside a gateway of its own, on an empty folder
#
# Or with CALLGATE_ENDPOINT, CALLGATE_POOL and perhaps CALLGATE_ISSUER and CALLGATE_CLIENT_ID of one that runs already.
set -euo pipefail
cd "$(dirname "$0")"
[ $# -eq 0 ] || { echo "usage: $0, with its settings in the environment" >&2; exit 2; }
./build.sh >&2
exec java -Xshare:auto -cp "target/classes:target/aar/classes.jar:$(cat target/classpath)" dev.callgate.examples.android.MainKt
