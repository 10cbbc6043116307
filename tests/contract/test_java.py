"""The AWS SDK for Java v2 and the AWS SDK for Android, unmodified, through every flow of identities (java/src)."""

import os
import subprocess
from pathlib import Path

import pytest
from harness import code
from harness.gateway import REGION
from harness.pool import Pool

FOLDER = Path(__file__).parent / "java"
DEVELOPER = "login.example"
USERS = range(1, 8)


@pytest.fixture(scope="module")
def environment(gateway, account, issuer):
    pool = Pool(account, [issuer])
    account.identity.update_identity_pool(
        IdentityPoolId=pool.id,
        IdentityPoolName="java",
        AllowUnauthenticatedIdentities=True,
        AllowClassicFlow=True,
        OpenIdConnectProviderARNs=pool.providers,
        DeveloperProviderName=DEVELOPER,
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(gateway.folder),
        "CALLGATE_ENDPOINT": gateway.endpoint,
        "CALLGATE_REGION": REGION,
        "CALLGATE_ACCOUNT": account.id,
        "CALLGATE_KEY_ID": account.key_id,
        "CALLGATE_SECRET": account.secret,
        "CALLGATE_POOL": pool.id,
        "CALLGATE_LOGIN": issuer.login,
        "CALLGATE_DEVELOPER": DEVELOPER,
        "CALLGATE_ROLE": pool.roles["authenticated"],
        "CALLGATE_FUNCTION": account.function(code.SEES, Tags={"callgate:allow": "guests"}),
    } | {f"CALLGATE_TOKEN_{user}": issuer.token(f"java-{user}") for user in USERS}


@pytest.mark.parametrize("flows", ["Java2", "Android"])
def test_every_flow_of_identities(environment, flows):
    classpath = (FOLDER / "target/classpath").read_text()
    done = subprocess.run(
        ["java", "-Xshare:auto", "-cp", classpath, f"flows.{flows}"],
        cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stdout + done.stderr
