#!/usr/bin/env bash
# Fetches the SDKs and compiles what the tests run. target/classpath says with what.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf target
mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory=target/libraries
for archive in target/libraries/*.aar; do
  unzip -q -o "$archive" classes.jar -d "${archive%.aar}"
done
# Ours first: what stands in for Android's own classes.
classpath=$PWD/target/classes:$(printf '%s:' "$PWD"/target/libraries/*/classes.jar "$PWD"/target/libraries/*.jar)
mapfile -d '' sources < <(find src -name '*.java' -print0)
javac --release 17 -encoding UTF-8 -nowarn -cp "$classpath" -d target/classes "${sources[@]}"
printf '%s' "$classpath" > target/classpath
