#!/usr/bin/env bash
# Builds the example and the SDK below it, and runs it with the arguments that follow.
#
#   examples/java/run.sh --endpoint http://127.0.0.1:7070 --pool us-east-1:…   # any gateway with the two functions
#   scripts/examples.sh examples/java/run.sh                                   # one of its own, on an empty folder
set -euo pipefail
cd "$(dirname "$0")"
mvn --quiet --batch-mode -Dstyle.color=never -f ../../sdk-clients/java/pom.xml install -DskipTests >&2
mvn --quiet --batch-mode -Dstyle.color=never compile dependency:build-classpath -Dmdep.outputFile=target/classpath >&2
exec java -Xshare:auto -cp "target/classes:$(cat target/classpath)" dev.callgate.examples.App "$@"
