"""The AWS SDK for Kotlin, unmodified, on the JVM (kotlin/src): guests, sign-in, calls that wait and calls at once."""

import subprocess
from pathlib import Path

from test_java import environment  # noqa: F401, the same pool and functions on a gateway of this module's own

FOLDER = Path(__file__).parent / "kotlin"


def run(environment, flows):  # noqa: F811
    classpath = f"{FOLDER}/target/classes:{(FOLDER / 'target/classpath').read_text()}"
    done = subprocess.run(
        ["java", "-Xshare:auto", "-cp", classpath, f"flows.{flows}Kt"],
        cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stdout + done.stderr


def test_kotlin_signs_in_and_calls(environment):  # noqa: F811
    run(environment, "Kotlin")
