#!/usr/bin/env bash
# Fetches the SDKs and compiles what the tests run. target/classpath says with what.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf target
mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=target/libraries
for archive in target/libraries/*.aar; do
  unzip -q -o "$archive" classes.jar -d "${archive%.aar}"
done
# Ours first, Android's own classes last: what stands in for some of them comes before.
mapfile -t jars < <(ls "$PWD"/target/libraries/*/classes.jar "$PWD"/target/libraries/*.jar | grep -v /android-all-)
classpath=$PWD/target/classes:$(printf '%s:' "${jars[@]}" "$PWD"/target/libraries/android-all-*.jar)
mapfile -d '' sources < <(find src -name '*.java' -print0)
javac --release 17 -encoding UTF-8 -nowarn -cp "$classpath" -d target/classes "${sources[@]}"
printf '%s' "$classpath" > target/classpath
