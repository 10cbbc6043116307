#!/usr/bin/env bash
# Proves what `callgate generate` writes: compiles it, warnings being errors, for the schemas of tests/vectors/generate and of the
# examples' functions; sends random values of the schemas through its types and back, and wrong ones, which it must refuse; and
# calls the examples' functions by it.
#
#   scripts/generated.sh java|kotlin|swift
#
# Each builds on what scripts/sdk-<…>.sh has built before: it runs at the end of those. Expects target/release/callgate, or
# CALLGATE_BIN.
set -euo pipefail
cd "$(dirname "$0")/.."

language=${1:-}
case $language in java | kotlin | swift) ;; *) echo "usage: scripts/generated.sh java|kotlin|swift" >&2; exit 2 ;; esac
callgate=${CALLGATE_BIN:-target/release/callgate}
[ -x "$callgate" ] || { echo "generated: $callgate is not there: make build" >&2; exit 1; }

tests=tests/generated
folder=target/generated/$language
sources=(tests/vectors/generate/* examples/functions/greeting examples/functions/scores)
rm -rf "$folder"
mkdir -p "$folder"

lint=(-Xlint:all,-options,-processing -Werror)
generate() { env -u CALLGATE_BIN "$callgate" generate "$language" "${sources[@]}" --name Backend --out "$folder/src" "$@" >"$folder/said"; }

# Sets `round_trip`, which reads values and writes what became of them, and `calls`, which says "called".
case $language in
  java)
    generate --package generated
    # What the SDK needs is what its example needs.
    classes=$folder/classes:$(cat examples/java/target/classpath)
    mkdir "$folder/classes"
    find "$folder/src" -name '*.java' >"$folder/files"
    # The language and the library that Android has; and no character that depends on how files are read.
    javac --release 8 "${lint[@]}" -encoding US-ASCII -cp "$classes" -d "$folder/classes" @"$folder/files" "$tests"/jvm/*.java
    round_trip=(java -Xshare:auto -cp "$classes" RoundTrip generated.Backend)
    calls=(java -Xshare:auto -cp "$classes" Calls)
    ;;
  kotlin)
    generate --package generated
    mvn --quiet --batch-mode -Dstyle.color=never -f "$tests/kotlin/pom.xml" compile
    classes=$folder/build/classes:$(cat "$folder/build/classpath")
    javac --release 8 "${lint[@]}" -cp "$classes" -d "$folder/build/classes" "$tests/jvm/RoundTrip.java"
    round_trip=(java -Xshare:auto -cp "$classes" RoundTrip generated.Backend)
    calls=(java -Xshare:auto -cp "$classes" CallsKt)
    ;;
  swift)
    generate
    # Against the SDK as the example has built it: a package would compile it once more.
    sdk=target/swift-example/debug
    scripts/swift-root.sh swiftc -parse-as-library -swift-version 6 -warnings-as-errors -module-name Generated -package-name callgate \
      -I "$sdk/Modules" -Xcc -fmodule-map-file=sdk-clients/swift/Sources/CallgateZlib/module.modulemap \
      "$folder/src/Backend.swift" "$tests/swift/main.swift" "$sdk"/Callgate.build/*.o -lz -o "$folder/Generated"
    round_trip=(scripts/swift-root.sh "$folder/Generated" there-and-back)
    calls=(scripts/swift-root.sh "$folder/Generated" calls)
    ;;
esac

status=0
python3 "$tests/check.py" draw "${sources[@]}" >"$folder/values"
"${round_trip[@]}" <"$folder/values" >"$folder/answers" || status=1
python3 "$tests/check.py" judge "$language" "$folder/answers" "${sources[@]}" || status=1

if [ "$(scripts/examples.sh "${calls[@]}")" = called ]; then echo "generated-$language: 1 passed, 0 failed: its calls"; else
  echo "generated-$language: 0 passed, 1 failed: its calls"
  status=1
fi
exit "$status"
