"""The SDKs' vectors are what make_vectors.py writes: by the botocore that is pinned here, and by the published algorithm."""

import subprocess
import sys

from harness.gateway import REPOSITORY


def test_vectors_are_up_to_date():
    done = subprocess.run(
        [sys.executable, REPOSITORY / "sdk-clients/contract/make_vectors.py", "--check"],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
