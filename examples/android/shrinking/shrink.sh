#!/usr/bin/env bash
# Shrinks the app that build.sh made, by the rules of the AAR and of the libraries below it, into target/shrunk.jar.
set -euo pipefail
cd "$(dirname "$0")/.."
mvn --quiet --batch-mode -Dstyle.color=never -f shrinking/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/target/shrinker"
android=$(ls "$PWD"/target/shrinker/android-all-*.jar)
rules=target/rules
mkdir -p "$rules"
arguments=(-injars target/classes -injars 'target/aar/classes.jar(!META-INF/**)')
IFS=: read -ra jars < <(cat target/classpath; echo)
for jar in "${jars[@]}"; do
  arguments+=(-injars "$jar(!META-INF/**)")
  # Android's tools read the rules that a library's jar has in it.
  mkdir -p "$rules/$(basename "$jar")"
  unzip -q -o "$jar" 'META-INF/proguard/*' -d "$rules/$(basename "$jar")" 2>/dev/null || true
done
while IFS= read -r -d '' rule; do arguments+=(-include "$rule"); done < <(find "$rules" -name '*.pro' -print0)
java=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
for module in java.base java.logging java.sql jdk.unsupported; do
  arguments+=(-libraryjars "$java/jmods/$module.jmod(!**.jar;!module-info.class)")
done
exec java -cp "$(printf '%s:' $(ls target/shrinker/*.jar | grep -v android-all))" proguard.ProGuard "${arguments[@]}" \
  -libraryjars "$android(android/**,com/android/**)" -include target/aar/proguard.txt -include shrinking/app.pro \
  -outjars target/shrunk.jar -printmapping target/mapping.txt
