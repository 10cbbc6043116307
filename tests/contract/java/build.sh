#!/usr/bin/env bash
# Fetches the SDKs and compiles what the tests run. target/classpath, target/v1/classpath and target/v1-2015/classpath say with what.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf target

fetch() { # pom, folder, what else to tell Maven…
  mvn --quiet --batch-mode -f "$1" dependency:copy-dependencies -DoutputDirectory="$PWD/$2/libraries" "${@:3}"
}

compile() { # folder, class path of the libraries, sources…
  local classpath=$PWD/$1/classes:$2
  javac --release 17 -encoding UTF-8 -nowarn -cp "$classpath" -d "$1/classes" "${@:3}"
  printf '%s' "$classpath" > "$1/classpath"
}

fetch pom.xml target
for archive in target/libraries/*.aar; do
  unzip -q -o "$archive" classes.jar -d "${archive%.aar}"
done
# Ours first, Android's own classes last: what stands in for some of them comes before.
mapfile -t jars < <(ls "$PWD"/target/libraries/*/classes.jar "$PWD"/target/libraries/*.jar | grep -v /android-all-)
mapfile -d '' sources < <(find common src -name '*.java' -print0)
compile target "$(printf '%s:' "${jars[@]}" "$PWD"/target/libraries/android-all-*.jar)" "${sources[@]}"

fetch v1/pom.xml target/v1
compile target/v1 "$PWD/target/v1/libraries/*" common/flows/*.java v1/src/flows/*.java

# The SDK of the launch knew neither aliases nor builders.
fetch v1/pom.xml target/v1-2015 -Daws.version=1.10.6
mapfile -t sources < <(ls common/flows/*.java v1/src/flows/*.java | grep -v /Aliases.java)
compile target/v1-2015 "$PWD/target/v1-2015/libraries/*" "${sources[@]}"
