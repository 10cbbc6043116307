#!/usr/bin/env bash
# Makes the SDK's AAR and compiles the app against it. target/classpath says what it needs beside target/classes.
set -euo pipefail
cd "$(dirname "$0")"
mvn --quiet --batch-mode -Dstyle.color=never -f ../../sdk-clients/java/pom.xml install -DskipTests
mvn --quiet --batch-mode -Dstyle.color=never -f ../../sdk-clients/android/pom.xml package -DskipTests
rm -rf target
mkdir -p target/aar
unzip -q ../../sdk-clients/android/target/callgate-android-*.aar -d target/aar
mvn --quiet --batch-mode -Dstyle.color=never compile
