"""Sessions of roles with boto3 and the AWS CLI, and what a function sees of who has one (STS API reference, 2011-06-15)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness import code
from harness.account import client, decoded, fresh, refusal, with_credentials
from harness.gateway import REGION
from harness.pool import Pool, provider_of

INVOKE = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}]}


def trust(principal, **condition):
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
    return {"Version": "2012-10-17", "Statement": [{**statement, **({"Condition": condition} if condition else {})}]}


def allow(*actions, resource="*"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}]}


@pytest.fixture(scope="module")
def sees(account):
    return account.function(code.SEES, Tags={"callgate:allow": "guests"})


@pytest.fixture(scope="module")
def user(account):
    name = fresh("user")
    account.iam.create_user(UserName=name)
    policy = allow("sts:AssumeRole", "sts:TagSession")
    account.iam.put_user_policy(UserName=name, PolicyName="assume", PolicyDocument=json.dumps(policy))
    account.user_key = account.iam.create_access_key(UserName=name)["AccessKey"]
    return client("sts", account.gateway.endpoint, account.user_key["AccessKeyId"], account.user_key["SecretAccessKey"])


def call(account, function, credentials):
    functions = with_credentials("lambda", account.gateway.endpoint, credentials)
    return decoded(functions.invoke(FunctionName=function, Payload=b"{}"))["json"]


def test_assume_role_and_what_a_function_sees(account, user, sees):
    arn = account.role(trust(account.id), {"invoke": INVOKE})
    given = user.assume_role(RoleArn=arn, RoleSessionName="work")
    name = arn.rsplit("/", 1)[1]
    assert given["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/{name}/work"
    assert given["AssumedRoleUser"]["AssumedRoleId"].startswith("AROA")
    who = with_credentials("sts", account.gateway.endpoint, given["Credentials"]).get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (given["AssumedRoleUser"]["Arn"], given["AssumedRoleUser"]["AssumedRoleId"])
    saw = call(account, sees, given["Credentials"])
    assert not saw["hasIdentity"] and "callgate" not in saw


def test_after_assume_role_a_guest_is_nobody_to_a_function(account, sees):
    pool = Pool(account)
    app = pool.app()
    guest = app.credentials(app.get_id())["Credentials"]
    assert call(account, sees, guest)["hasIdentity"]
    arn = account.role(trust(pool.roles["unauthenticated"]), {"invoke": INVOKE})
    assumed = with_credentials("sts", account.gateway.endpoint, guest).assume_role(RoleArn=arn, RoleSessionName="work")
    saw = call(account, sees, assumed["Credentials"])
    assert not saw["hasIdentity"] and "callgate" not in saw


def test_the_basic_flow_keeps_the_identity(account, issuer, sees):
    """GetId, GetOpenIdToken, AssumeRoleWithWebIdentity: the credentials came from the pool, so the function knows the identity."""
    pool = Pool(account, [issuer], policies={"authenticated": INVOKE})
    app = pool.app()
    sts = client("sts", account.gateway.endpoint)
    logins = {issuer.login: issuer.token(fresh("subject"))}
    for kind, logins in (("unauthenticated", {}), ("authenticated", logins)):
        identity = app.get_id(logins)
        token = app.identity.get_open_id_token(IdentityId=identity, **({"Logins": logins} if logins else {}))["Token"]
        given = sts.assume_role_with_web_identity(RoleArn=pool.roles[kind], RoleSessionName="app", WebIdentityToken=token)
        assert (given["SubjectFromWebIdentityToken"], given["Audience"]) == (identity, pool.id)
        assert given["Provider"] == "cognito-identity.amazonaws.com"
        saw = call(account, sees, given["Credentials"])
        assert saw["identity"] == {"cognitoIdentityId": identity, "cognitoIdentityPoolId": pool.id}
        assert (saw["callgate"]["signedIn"], saw["callgate"]["logins"]) == (bool(logins), list(logins))
        other = {"unauthenticated": "authenticated", "authenticated": "unauthenticated"}[kind]
        assert refusal(sts.assume_role_with_web_identity, RoleArn=pool.roles[other], RoleSessionName="app", WebIdentityToken=token) == (
            403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")


def test_tokens_of_a_provider(account, issuer, sees):
    provider = provider_of(account, issuer)
    condition = {"StringEquals": {f"{issuer.login}:aud": issuer.CLIENT, f"{issuer.login}:sub": "ci-1"}}
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": condition}
    arn = account.role({"Version": "2012-10-17", "Statement": [statement]}, {"invoke": INVOKE})
    sts = client("sts", account.gateway.endpoint)
    assume = lambda token: sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="ci", WebIdentityToken=token)
    given = assume(issuer.token("ci-1"))
    assert (given["SubjectFromWebIdentityToken"], given["Provider"], given["Audience"]) == ("ci-1", provider, issuer.CLIENT)
    assert not call(account, sees, given["Credentials"])["hasIdentity"]
    assert refusal(assume, issuer.token("ci-2"))[:2] == (403, "AccessDenied")
    for wrong in (issuer.token("ci-1", aud="another"), issuer.token("ci-1", drop=["sub"]), issuer.token_with_hmac_of_public_key("ci-1"),
                  issuer.token("ci-1", header={"alg": "none"})):
        assert refusal(assume, wrong)[:2] == (400, "InvalidIdentityToken")
    assert refusal(assume, issuer.token("ci-1", exp=1_000_000_000, iat=999_999_000))[:2] == (400, "ExpiredTokenException")
    unknown = issuer.token("ci-1", iss="https://nobody.example.com")
    assert refusal(assume, unknown) == (
        400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://nobody.example.com")


def test_session_policies_and_tags(account, user):
    arn = account.role(trust(account.id), {"all": allow("iam:ListRoles", "iam:ListUsers")})
    policy = account.iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=json.dumps(allow("iam:ListUsers")))["Policy"]["Arn"]
    inline = user.assume_role(RoleArn=arn, RoleSessionName="work", Policy=json.dumps(allow("iam:ListRoles")))
    managed = user.assume_role(RoleArn=arn, RoleSessionName="work", PolicyArns=[{"arn": policy}])
    assert 0 < inline["PackedPolicySize"] <= 100
    iam = lambda given: with_credentials("iam", account.gateway.management, given["Credentials"])
    iam(inline).list_roles()
    iam(managed).list_users()
    status, error, message = refusal(iam(inline).list_users)
    assert (status, error) == (403, "AccessDenied") and "because no session policy allows" in message
    assert refusal(iam(managed).list_roles)[:2] == (403, "AccessDenied")
    too_many = [{"Key": f"key-{number:04}-{'x' * 100}", "Value": "v" * 256} for number in range(5)]
    assert refusal(user.assume_role, RoleArn=arn, RoleSessionName="work", Tags=too_many)[:2] == (400, "PackedPolicyTooLarge")
    assert refusal(user.assume_role, RoleArn=arn, RoleSessionName="work", Policy="{}")[:2] == (400, "MalformedPolicyDocument")


def test_an_external_id_and_durations(account, user):
    arn = account.role(trust(account.id, StringEquals={"sts:ExternalId": "x-1"}))
    for members in ({}, {"ExternalId": "x-2"}):
        assert refusal(user.assume_role, RoleArn=arn, RoleSessionName="work", **members)[:2] == (403, "AccessDenied")
    user.assume_role(RoleArn=arn, RoleSessionName="work", ExternalId="x-1", DurationSeconds=900)
    status, error, message = refusal(user.assume_role, RoleArn=arn, RoleSessionName="work", ExternalId="x-1", DurationSeconds=3601)
    assert (status, error, message) == (
        400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


def test_get_session_token(account, user):
    given = user.get_session_token(DurationSeconds=900)["Credentials"]
    session = with_credentials("sts", account.gateway.endpoint, given)
    assert session.get_caller_identity()["Arn"] == user.get_caller_identity()["Arn"]
    assert refusal(session.get_session_token)[:2] == (403, "AccessDenied")
    assert account.sts.get_session_token()["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert refusal(account.sts.assume_role, RoleArn=account.role(trust("*")), RoleSessionName="work") == (
        403, "AccessDenied", "Roles may not be assumed by root accounts.")


def test_the_aws_cli_assumes_a_role_by_its_profile(account, user, tmp_path):
    """What a developer has in ~/.aws/config: a source profile with a user's key, and a role."""
    role = account.role(trust(account.id), {"roles": allow("iam:GetRole")})
    name = role.rsplit("/", 1)[1]
    key = account.user_key
    (tmp_path / "config").write_text(
        f"[profile user]\nregion = {REGION}\naws_access_key_id = {key['AccessKeyId']}\n"
        f"aws_secret_access_key = {key['SecretAccessKey']}\n"
        f"[profile worker]\nregion = {REGION}\nrole_arn = {role}\nsource_profile = user\nrole_session_name = cli\n"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config"),
                   "AWS_ENDPOINT_URL": account.gateway.endpoint, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
    aws = Path(sys.executable).parent / "aws"
    run = lambda *words: subprocess.run([aws, *words, "--profile", "worker", "--output", "json"], env=environment,
                                        capture_output=True, text=True, timeout=60)
    done = run("sts", "get-caller-identity")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/{name}/cli"
    assert json.loads(run("iam", "get-role", "--role-name", name).stdout)["Role"]["Arn"] == role
    denied = run("iam", "list-roles")
    assert denied.returncode != 0 and "AccessDenied" in denied.stderr
