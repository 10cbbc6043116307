"""The AWS CLI, and the command's own subcommands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import code
from harness.account import fresh
from harness.gateway import REGION, REPOSITORY, ROOT_KEY_ID, ROOT_SECRET
from harness.issuer import Issuer

AWS = Path(sys.executable).parent / "aws"


@pytest.fixture(scope="module")
def aws(gateway, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ENDPOINT_URL": gateway.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ROOT_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }

    def run(*arguments, check=True, unsigned=False):
        words = [AWS, *map(str, arguments), "--output", "json", *(["--no-sign-request"] if unsigned else [])]
        done = subprocess.run(words, env=environment, cwd=home, capture_output=True, text=True, timeout=60)
        if check:
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout) if done.stdout.strip() else None
        return done

    run.home = home
    return run


def zip_file(aws, source):
    path = aws.home / f"{fresh('code')}.zip"
    path.write_bytes(code.package(source))
    return f"fileb://{path}"


def test_a_functions_life_by_the_aws_cli(aws):
    trust = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    })
    role = aws("iam", "create-role", "--role-name", fresh("cli"), "--assume-role-policy-document", trust)["Role"]["Arn"]
    name = fresh("cli")
    made = aws("lambda", "create-function", "--function-name", name, "--runtime", "nodejs20.x", "--handler", "index.handler",
               "--role", role, "--zip-file", zip_file(aws, code.SEES), "--tags", "team=cli")
    assert made["State"] == "Pending"
    aws("lambda", "wait", "function-active-v2", "--function-name", name)
    output = aws.home / "answer.json"
    answer = aws("lambda", "invoke", "--function-name", name, "--payload", '{"größe": 1}', "--log-type", "Tail", output)
    assert answer["StatusCode"] == 200 and "FunctionError" not in answer and answer["LogResult"]
    assert json.loads(output.read_text())["event"] == {"größe": 1}
    aws("lambda", "update-function-configuration", "--function-name", name, "--timeout", "9")
    aws("lambda", "wait", "function-updated-v2", "--function-name", name)
    aws("lambda", "update-function-code", "--function-name", name, "--zip-file", zip_file(aws, code.ECHO))
    aws("lambda", "invoke", "--function-name", name, "--payload", '"new code"', output)
    assert json.loads(output.read_text()) == "new code"
    assert name in [function["FunctionName"] for function in aws("lambda", "list-functions")["Functions"]]
    assert aws("lambda", "list-tags", "--resource", made["FunctionArn"])["Tags"] == {"team": "cli"}
    assert aws("lambda", "get-function", "--function-name", name)["Configuration"]["Timeout"] == 9
    aws("lambda", "delete-function", "--function-name", name)
    gone = aws("lambda", "get-function", "--function-name", name, check=False)
    assert gone.returncode != 0 and "(ResourceNotFoundException)" in gone.stderr


def test_an_apps_way_by_the_aws_cli(aws):
    pool = aws("cognito-identity", "create-identity-pool", "--identity-pool-name", fresh("cli"),
               "--allow-unauthenticated-identities")["IdentityPoolId"]
    identity = aws("cognito-identity", "get-id", "--identity-pool-id", pool, unsigned=True)["IdentityId"]
    refused = aws("cognito-identity", "get-credentials-for-identity", "--identity-id", identity, check=False, unsigned=True)
    assert "(InvalidIdentityPoolConfigurationException)" in refused.stderr
    assert aws("sts", "get-caller-identity")["Account"] == "000000000000"


# The command's own.


@pytest.fixture(scope="module")
def callgate(gateway):
    def run(*arguments, **how):
        return gateway.command(*arguments, "--data-dir", gateway.data_dir, **how)

    return run


def test_a_first_function_in_two_commands(callgate, tmp_path):
    folder = tmp_path / "hello"
    folder.mkdir()
    (folder / "index.js").write_text("exports.handler = async (event) => ({ hello: event.name });")
    callgate("deploy", folder)
    assert json.loads(callgate("invoke", "hello", "--payload", '{"name":"you"}').stdout) == {"hello": "you"}
    # Deploying again is an update.
    (folder / "index.js").write_text("exports.handler = async (event) => ({ goodbye: event.name });")
    callgate("deploy", folder, "--tag", "callgate:allow=guests", "--timeout", "7", "--memory", "256")
    assert json.loads(callgate("invoke", "hello", "--payload", '{"name":"you"}').stdout) == {"goodbye": "you"}


def test_deploying_the_example(callgate, account):
    callgate("deploy", REPOSITORY / "examples/greet", "--name", "greet-by-name", "--tag", "callgate:allow=guests")
    assert account.functions.get_function(FunctionName="greet-by-name")["Tags"] == {"callgate:allow": "guests"}
    assert callgate("invoke", "greet-by-name", "--payload", "{}").stdout.strip()


def test_invoke_shows_a_function_error_and_its_log(callgate, tmp_path):
    folder = tmp_path / "failing"
    folder.mkdir()
    (folder / "index.js").write_text("exports.handler = async () => { console.log('a line'); throw new TypeError('broken'); };")
    callgate("deploy", folder)
    done = callgate("invoke", "failing", "--log", check=False)
    assert done.returncode == 1
    assert "TypeError" in done.stderr and "broken" in done.stderr
    assert "a line" in done.stdout + done.stderr and "REPORT RequestId" in done.stdout + done.stderr


def test_a_pool_that_works_in_one_command(callgate, account, tmp_path):
    folder = tmp_path / "whoami"
    folder.mkdir()
    (folder / "index.js").write_text(code.SEES)
    callgate("deploy", folder, "--tag", "callgate:allow=guests")
    made = json.loads(callgate("pools", "create", "cli pool", "--with-default-roles", "--allow-guests").stdout)
    pool = made["IdentityPoolId"]
    saw = json.loads(callgate("invoke", "whoami", "--as-guest", pool).stdout)
    assert saw["identity"]["cognitoIdentityPoolId"] == pool
    context = json.dumps({"client": {"app_title": "cli"}})
    saw = json.loads(callgate("invoke", "whoami", "--as-guest", pool, "--client-context", context).stdout)
    assert saw["clientContext"]["client"]["app_title"] == "cli"
    assert set(account.identity.get_identity_pool_roles(IdentityPoolId=pool)["Roles"]) == {"authenticated", "unauthenticated"}


def test_a_pool_with_a_provider(callgate, account):
    issuer = Issuer()
    try:
        made = json.loads(
            callgate("pools", "create", "with provider", "--with-default-roles", "--provider", f"{issuer.url}={issuer.CLIENT}").stdout
        )
        described = account.identity.describe_identity_pool(IdentityPoolId=made["IdentityPoolId"])
        assert len(described["OpenIdConnectProviderARNs"]) == 1
        assert described["AllowUnauthenticatedIdentities"] is False
    finally:
        issuer.close()


def test_accounts_are_made_with_and_without_a_server(callgate, gateway, tmp_path):
    made = json.loads(callgate("accounts", "create", "222233334444").stdout)
    assert set(made) == {"AccountId", "AccessKeyId", "SecretAccessKey"} and made["AccountId"] == "222233334444"
    again = callgate("accounts", "create", "222233334444", check=False)
    assert again.returncode != 0 and "222233334444" in again.stderr
    assert callgate("accounts", "create", "12", check=False).returncode != 0
    alone = gateway.command("accounts", "create", "333344445555", "--data-dir", tmp_path / "data")
    assert json.loads(alone.stdout)["AccountId"] == "333344445555"


def test_doctor_fits_on_a_screen_and_names_what_is_there(callgate):
    done = callgate("doctor", check=False)
    lines = done.stdout.splitlines()
    assert len(lines) <= 40
    for word in ("node.js", "bwrap", "data directory", "open files"):
        assert any(word in line.lower() for line in lines), done.stdout
    # Every "no" says what to do; with none of them, a gateway can start.
    assert done.returncode == 0 or any(line.startswith("no") for line in lines), done.stdout


def test_config_shows_no_secret(callgate):
    assert ROOT_SECRET not in callgate("config").stdout
