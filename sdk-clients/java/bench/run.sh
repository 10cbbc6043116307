#!/usr/bin/env bash
# What a call costs an app with the SDK for Java, beside the AWS SDK for Java v2, over one gateway. Prints both.
#
#   sdk-clients/java/bench/run.sh [runs of the first call, default 10]
set -euo pipefail
cd "$(dirname "$0")"
runs=${1:-10}

if [ -z "${CALLGATE_ENDPOINT:-}" ]; then
  # Nothing is to be throttled here: what is measured is the app.
  exec env CALLGATE_LIMITS__ACCOUNT_RATE=100000 CALLGATE_LIMITS__ADDRESS_RATE=100000 CALLGATE_LIMITS__ADDRESS_BURST=100000 \
    ../../../scripts/examples.sh "$PWD/run.sh" "$runs"
fi
mvn --quiet --batch-mode -Dstyle.color=never -f ../pom.xml install -DskipTests
mvn --quiet --batch-mode -Dstyle.color=never compile dependency:build-classpath -Dmdep.outputFile=target/classpath
classpath=target/classes:$(cat target/classpath)

java -cp "$classpath" org.openjdk.jmh.Main -prof gc -rff target/calls.json -rf json "Calls" >target/calls.log
node -e '
const median = (values) => values.sort((one, other) => one - other)[values.length >> 1];
for (const { benchmark, primaryMetric, secondaryMetrics } of JSON.parse(require("fs").readFileSync("target/calls.json"))) {
  const of = (metric) => median(metric.rawData.flat()).toFixed(0);
  console.log(`warm call, ${benchmark.split(".").pop()}: median ${of(primaryMetric)} µs, processor ${of(secondaryMetrics.cpuMicros)} µs, `
    + `${of(secondaryMetrics["gc.alloc.rate.norm"] ?? secondaryMetrics["·gc.alloc.rate.norm"])} bytes allocated`);
}'

median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
rm -f target/first
for ((run = 0; run < runs; run++)); do
  # In turn, so that what else the machine does meets both.
  for who in callgate aws; do java -Xshare:auto -cp "$classpath" dev.callgate.bench.FirstCall $who >>target/first; done
done
for who in callgate aws; do
  echo "first call, $who: median $(awk -v who=$who '$1 == who { print $2 }' target/first | median) ms," \
    "processor $(awk -v who=$who '$1 == who { print $3 }' target/first | median) ms, of $runs"
done
