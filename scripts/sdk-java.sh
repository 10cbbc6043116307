#!/usr/bin/env bash
# Builds and tests the SDK for Java, on target/release/callgate (or CALLGATE_BIN), runs its example, and tries the code that
# `callgate generate java` writes for it.
set -uo pipefail
cd "$(dirname "$0")/.."
sdk=sdk-clients/java
failed=0

rm -rf "$sdk/target/surefire-reports"
# install: the example finds it in the local repository, as an app would find it in a public one.
mvn --quiet --batch-mode -Dstyle.color=never -f "$sdk/pom.xml" install || failed=1

# Maven is silent about what went well.
attribute() { cat "$sdk"/target/surefire-reports/*.xml 2>/dev/null | sed -nE "s/^<testsuite .* $1=\"([0-9]+)\".*/\1/p" | awk '{ sum += $1 } END { print sum + 0 }'; }
broken=$(($(attribute failures) + $(attribute errors)))
echo "sdk-java: $(($(attribute tests) - broken)) passed, $broken failed"
[ "$failed" -eq 0 ] || exit 1
echo "sdk-java: $(wc -c <"$sdk/target/callgate-client-0.1.0.jar") bytes of jar"

said=$(scripts/examples.sh examples/java/run.sh) && printf '%s\n' "$said" &&
  diff <(printf '%s\n' "$said") examples/java/expected.txt && echo "sdk-java: 1 passed, 0 failed" ||
  { echo "sdk-java: 0 passed, 1 failed: the example says something else than examples/java/expected.txt"; exit 1; }

scripts/generated.sh java
