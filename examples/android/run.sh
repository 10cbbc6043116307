#!/usr/bin/env bash
# Makes the SDK's AAR, compiles the app against it, and runs what does not need a phone.
#
#   scripts/examples.sh examples/android/run.sh     # beside a gateway of its own, on an empty folder
#
# Or with CALLGATE_ENDPOINT, CALLGATE_POOL and perhaps CALLGATE_ISSUER and CALLGATE_CLIENT_ID of one that runs already.
set -euo pipefail
cd "$(dirname "$0")"
[ $# -eq 0 ] || { echo "usage: $0, with its settings in the environment" >&2; exit 2; }
mvn --quiet --batch-mode -f ../../sdk-clients/pom.xml install -DskipTests
mkdir -p target/aar
unzip -q -o ../../sdk-clients/android/target/callgate-android-*.aar -d target/aar
mvn --quiet --batch-mode compile
exec java -Xshare:auto -cp "target/classes:target/aar/classes.jar:$(cat target/classpath)" dev.callgate.examples.android.MainKt
