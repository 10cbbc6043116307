"""The AWS SDKs for Java v1 and v2 and the AWS SDK for Android, unmodified (java/src, java/v1/src): every flow of identities,
functions called by interface and by request, errors as each SDK's own exceptions."""

import os
import subprocess
from pathlib import Path

import pytest
from harness import code
from harness.gateway import REGION
from harness.pool import Pool

FOLDER = Path(__file__).parent / "java"
DEVELOPER = "login.example"
USERS = range(1, 10)
GUESTS = {"callgate:allow": "guests"}

# What the interface of an app of 2015 names (java/v1/src/flows/Game.java).
FUNCTIONS = {
    "scores": """
        exports.handler = async ({ player, points }, context) => {
          console.log(`${player} has ${points} points`);
          const best = [{ player, points: points + 1 }, { player: 'Ada', points: 7 }];
          return { identity: context.identity?.cognitoIdentityId, best: points === 1 ? best.reverse() : best };
        };
    """,
    "echoes": code.ECHO,
    "fails": "exports.handler = async (why) => { throw new RangeError(why); };",
}


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
    for name, source in FUNCTIONS.items():
        account.function(source, FunctionName=name, Tags=GUESTS)
    account.function(
        "exports.handler = (why, context) => context.fail(new RangeError(why));",
        FunctionName="fails-2015", Runtime="nodejs", Tags=GUESTS,
    )
    account.function(code.ECHO, FunctionName="closed")
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
        "CALLGATE_FUNCTION": account.function(code.SEES, Tags=GUESTS),
    } | {f"CALLGATE_TOKEN_{user}": issuer.token(f"java-{user}") for user in USERS}


def run(environment, flows, libraries="target", *arguments):
    """Runs one class of flows; what it must not find, it throws."""
    done = subprocess.run(
        ["java", "-Xshare:auto", "-Dcom.amazonaws.sdk.disableEc2Metadata=true",
         "-cp", (FOLDER / libraries / "classpath").read_text(), f"flows.{flows}", *arguments],
        cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stdout + done.stderr


@pytest.mark.parametrize("flows", ["Java2", "Android"])
def test_every_flow_of_identities(environment, flows):
    run(environment, flows)


def test_java_v2_calls_functions_waiting_and_not(environment):
    run(environment, "Java2Invoke")


def test_androids_lambda_invoker_over_its_core(environment):
    run(environment, "AndroidInvoker")


@pytest.mark.parametrize("libraries", ["target/v1", "target/v1-2015"])
def test_java_v1_calls_functions_by_interface(environment, issuer, libraries):
    # Each signs in somebody new.
    run(environment | {"CALLGATE_TOKEN_8": issuer.token(f"java-{libraries}")}, "Java1", libraries)


def test_java_v1_calls_one_version_or_alias(environment):
    run(environment, "Aliases", "target/v1")
