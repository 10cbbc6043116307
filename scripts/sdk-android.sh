#!/usr/bin/env bash
# Builds and tests the SDK for Android, looks into its AAR, and runs the app of examples/android beside target/release/callgate
# (or CALLGATE_BIN): as it is, and shrunk by the rules of the AAR. Then it tries the code that `callgate generate kotlin` writes.
set -uo pipefail
cd "$(dirname "$0")/.."
sdk=sdk-clients/android
app=examples/android
passed=0
failed=0

tell() { # what, outcome
  if [ "$2" -eq 0 ]; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "sdk-android: FAILED: $1"
  fi
}

rm -rf "$sdk/target/surefire-reports"
# The core comes from this tree, as an app would find it in a public repository.
mvn --quiet --batch-mode -Dstyle.color=never -f sdk-clients/java/pom.xml install -DskipTests &&
  mvn --quiet --batch-mode -Dstyle.color=never -f "$sdk/pom.xml" verify
built=$?
# Maven is silent about what went well.
attribute() { cat "$sdk"/target/surefire-reports/*.xml 2>/dev/null | sed -nE "s/^<testsuite .* $1=\"([0-9]+)\".*/\1/p" | awk '{ sum += $1 } END { print sum + 0 }'; }
broken=$(($(attribute failures) + $(attribute errors)))
echo "sdk-android: $(($(attribute tests) - broken)) passed, $broken failed"
[ "$built" -eq 0 ] || exit 1

aar=$sdk/target/callgate-android-0.1.0.aar
echo "sdk-android: $(wc -c <"$aar") bytes of AAR"
names=$(unzip -Z1 "$aar" | grep -v '/$' | LC_ALL=C sort | tr '\n' ' ')
wanted="AndroidManifest.xml META-INF/LICENSE META-INF/com/android/build/gradle/aar-metadata.properties R.txt classes.jar proguard.txt "
[ "$names" = "$wanted" ]
tell "the AAR has $names" $?
grep -q '<packaging>aar</packaging>' "$sdk/target/publish/pom.xml" && ! grep -qF '${' "$sdk/target/publish/pom.xml"
tell "the POM to publish lacks something" $?

says() { # what, command…
  local said
  said=$(scripts/examples.sh "${@:2}")
  diff <(printf '%s\n' "$said") "$app/expected.txt"
  tell "$1 says something else than $app/expected.txt" $?
}
says "the app" "$app/run.sh"
"$app/shrinking/shrink.sh" >"$app/target/shrinking.log" 2>&1 || cat "$app/target/shrinking.log"
says "the shrunk app" java -Xshare:auto -cp "$app/target/shrunk.jar" dev.callgate.examples.android.MainKt
echo "sdk-android: $passed passed, $failed failed"

scripts/generated.sh kotlin && [ "$failed" -eq 0 ]
