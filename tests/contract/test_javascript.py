"""The AWS SDK for JavaScript v3, run by Node.js's own test runner against a gateway that is made ready here."""

import os
import subprocess
from pathlib import Path

from harness import code
from harness.gateway import REGION
from harness.pool import Pool

FOLDER = Path(__file__).parent / "js"


def test_the_sdk_for_javascript(gateway, account, issuer):
    pool = Pool(account, [issuer], DeveloperProviderName="login.javascript")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(gateway.folder),
        "CALLGATE_ENDPOINT": gateway.endpoint,
        "CALLGATE_REGION": REGION,
        "CALLGATE_KEY_ID": account.key_id,
        "CALLGATE_SECRET": account.secret,
        "CALLGATE_POOL": pool.id,
        "CALLGATE_LOGIN": issuer.login,
        "CALLGATE_TOKEN": issuer.token("javascript"),
        "CALLGATE_MERGING_TOKEN": issuer.token("javascript-merging"),
        "CALLGATE_DEVELOPER": "login.javascript",
        "CALLGATE_FUNCTION": account.function(code.SEES, Tags={"callgate:allow": "guests"}),
        "CALLGATE_FORBIDDEN": account.function(code.ECHO),
        "CALLGATE_ROLE": account.execution_role,
    }
    done = subprocess.run(
        ["node", "--test", *sorted(map(str, FOLDER.glob("*.test.mjs")))],
        cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
