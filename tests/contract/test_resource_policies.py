"""Resource policies, set through boto3: what the launch article says of them, decided for callers and for event sources."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from harness import code, raw
from harness.account import Account, fresh, refusal
from harness.gateway import REGION, ROOT_ACCOUNT
from harness.pool import Pool

OTHER = "111122223333"
INVOKE = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def policy(account, function, **members):
    return json.loads(account.functions.get_policy(FunctionName=function, **members)["Policy"])


@pytest.fixture(scope="module")
def other(gateway):
    made = json.loads(gateway.command("accounts", "create", OTHER, "--data-dir", gateway.data_dir).stdout)
    return Account(gateway, OTHER, made["AccessKeyId"], made["SecretAccessKey"])


@pytest.fixture
def function(account):
    return account.function(code.ECHO)


def asked(gateway, question, **signer):
    """What ExplainPolicy answers."""
    body = json.dumps(question).encode()
    return raw.signed(gateway.management, "POST", "/callgate/v1/explain-policy", body, service="callgate", **signer)


def explained(gateway, function, *arguments):
    """What the entry of event sources decides, by the operator's command."""
    done = gateway.command(
        "policy", "explain", "--data-dir", gateway.data_dir, "--action", "lambda:InvokeFunction", "--resource", function, *arguments
    )
    return json.loads(done.stdout)


def test_a_bucket_may_invoke(gateway, account, function):
    account.functions.add_permission(
        FunctionName=function,
        StatementId="photos",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::photos",
        SourceAccount=ROOT_ACCOUNT,
    )
    arn = account.arn(function)
    bucket = ["--service", "s3.amazonaws.com", "--source-arn", "arn:aws:s3:::photos", "--source-account", ROOT_ACCOUNT]
    assert explained(gateway, arn, *bucket)["Decision"] == "Allowed"
    for wrong in (
        ["--service", "s3.amazonaws.com", "--source-arn", "arn:aws:s3:::secrets", "--source-account", ROOT_ACCOUNT],
        ["--service", "s3.amazonaws.com", "--source-arn", "arn:aws:s3:::photos", "--source-account", OTHER],
        ["--service", "s3.amazonaws.com"],
        ["--service", "sns.amazonaws.com", "--source-arn", "arn:aws:s3:::photos", "--source-account", ROOT_ACCOUNT],
    ):
        decided = explained(gateway, arn, *wrong)
        assert decided["Decision"] == "Denied", wrong
        assert decided["Reason"] == "ResourceAllowsNot"
        assert decided["Statements"][0]["Sid"] == "photos"
    account.functions.remove_permission(FunctionName=function, StatementId="photos")
    assert explained(gateway, arn, *bucket)["Decision"] == "Denied"


def test_a_topic_may_invoke(gateway, account, function):
    topic = f"arn:aws:sns:us-east-1:{ROOT_ACCOUNT}:news"
    account.functions.add_permission(
        FunctionName=function, StatementId="news", Action="lambda:*", Principal="sns.amazonaws.com", SourceArn=topic
    )
    arn = account.arn(function)
    assert explained(gateway, arn, "--service", "sns.amazonaws.com", "--source-arn", topic)["Decision"] == "Allowed"
    assert (
        explained(gateway, arn, "--service", "sns.amazonaws.com", "--source-arn", topic + "2")["Decision"] == "Denied"
    )


def test_another_account_needs_both_sides(gateway, account, other, function):
    arn = account.arn(function)
    status, name, text = refusal(other.functions.invoke, FunctionName=arn)
    assert (status, name) == (403, "AccessDeniedException")
    assert text.endswith("because no resource-based policy allows the lambda:InvokeFunction action")
    account.functions.add_permission(
        FunctionName=function, StatementId="other", Action="lambda:InvokeFunction", Principal=OTHER
    )
    assert policy(account, function)["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{OTHER}:root"}
    # The other account's root needs no identity policy; its own is all of it.
    assert other.call(arn, {"a": 1})["json"] == {"a": 1}
    assert refusal(other.functions.get_function, FunctionName=arn)[0] == 403
    account.functions.remove_permission(FunctionName=function, StatementId="other")
    assert refusal(other.functions.invoke, FunctionName=arn)[0] == 403


def test_a_deny_holds_for_the_root_too_and_can_be_taken_back(account, function):
    arn = account.arn(function)
    deny = document({"Sid": "Closed", "Effect": "Deny", "Principal": "*", "Action": "lambda:*", "Resource": arn})
    put = account.functions.put_resource_policy(ResourceArn=arn, Policy=json.dumps(deny))
    assert json.loads(put["Policy"]) == deny
    status, name, text = refusal(account.functions.invoke, FunctionName=function)
    assert (status, name) == (403, "AccessDeniedException")
    assert text.endswith("with an explicit deny in a resource-based policy")
    assert account.functions.get_resource_policy(ResourceArn=arn)["RevisionId"] == put["RevisionId"]
    account.functions.delete_resource_policy(ResourceArn=arn, RevisionId=put["RevisionId"])
    assert account.call(function, 1)["json"] == 1


def test_put_resource_policy_replaces_what_add_permission_made(account, function):
    arn = account.arn(function)
    account.functions.add_permission(
        FunctionName=function, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
    account.functions.put_resource_policy(
        ResourceArn=arn, Policy=json.dumps(document({**INVOKE, "Sid": "all", "Principal": {"AWS": OTHER}}))
    )
    assert [one["Sid"] for one in policy(account, function)["Statement"]] == ["all"]
    status, name, text = refusal(
        account.functions.put_resource_policy, ResourceArn=arn, Policy=json.dumps(document(INVOKE))
    )
    assert (status, name, text) == (
        400,
        "InvalidParameterValueException",
        "Statement 1, Principal: Missing required field Principal.",
    )


def test_revisions_sids_and_size(account, function):
    add = {"FunctionName": function, "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    account.functions.add_permission(StatementId="one", **add)
    revision = account.functions.get_policy(FunctionName=function)["RevisionId"]
    assert refusal(account.functions.add_permission, StatementId="one", **add)[:2] == (409, "ResourceConflictException")
    account.functions.add_permission(StatementId="two", RevisionId=revision, **add)
    stale = refusal(account.functions.add_permission, StatementId="three", RevisionId=revision, **add)
    assert stale[:2] == (412, "PreconditionFailedException")
    for number in range(2):
        long = "arn:aws:s3:::" + "x" * 9_000
        account.functions.add_permission(StatementId=f"long{number}", SourceArn=long, **add)
    status, name, text = refusal(account.functions.add_permission, StatementId="last", SourceArn=long, **add)
    assert (status, name) == (400, "PolicyLengthExceededException")
    assert text.startswith("The final policy size (28") and text.endswith("is bigger than the limit (20480).")


def test_versions_and_aliases(gateway, account, other, function):
    account.settled(function)
    version = account.functions.publish_version(FunctionName=function)["Version"]
    account.functions.create_alias(FunctionName=function, Name="PROD", FunctionVersion=version)
    arn = account.arn(function)
    account.functions.add_permission(
        FunctionName=function, Qualifier="PROD", StatementId="other", Action="lambda:InvokeFunction", Principal=OTHER
    )
    answer = other.call(f"{arn}:PROD", {"a": 1})
    assert (answer["ExecutedVersion"], answer["json"]) == (version, {"a": 1})
    for named in (arn, f"{arn}:{version}"):
        assert refusal(other.functions.invoke, FunctionName=named)[0] == 403
    changed = account.functions.update_function_code(FunctionName=function, ZipFile=code.package("exports.handler = async () => 2;"))
    assert changed["Version"] == "$LATEST"
    assert account.call(function)["json"] == 2
    assert account.call(function, {"a": 1}, Qualifier="PROD")["json"] == {"a": 1}
    assert account.call(function, {"a": 1}, Qualifier=version)["ExecutedVersion"] == version
    pages = account.functions.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    assert [one["Version"] for page in pages for one in page["Versions"]] == ["$LATEST", version]


def test_the_cli_says_the_same(gateway, account, function, tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": gateway.management,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": account.key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }

    def aws(*arguments):
        words = [Path(sys.executable).parent / "aws", "lambda", *arguments, "--function-name", function, "--output", "json"]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    added = aws("add-permission", "--statement-id", "cli", "--action", "lambda:InvokeFunction",
                "--principal", "s3.amazonaws.com", "--source-arn", "arn:aws:s3:::b")
    assert json.loads(added["Statement"])["Sid"] == "cli"
    assert json.loads(aws("get-policy")["Policy"]) == policy(account, function)
    aws("remove-permission", "--statement-id", "cli")
    assert refusal(account.functions.get_policy, FunctionName=function)[:2] == (404, "ResourceNotFoundException")


def test_a_refusal_is_explained_from_its_request_id(gateway, account, other, function):
    arn = account.arn(function)
    account.functions.add_permission(
        FunctionName=function,
        StatementId="org",
        Action="lambda:InvokeFunction",
        Principal="*",
        PrincipalOrgID="o-1234567890",
    )
    with pytest.raises(ClientError) as refused:
        other.functions.invoke(FunctionName=arn)
    request = refused.value.response["ResponseMetadata"]["RequestId"]
    # Policies of now do not matter: the explanation is of those that were.
    account.functions.remove_permission(FunctionName=function, StatementId="org")
    done = gateway.command("policy", "explain", "--request", request, "--data-dir", gateway.data_dir)
    explained = json.loads(done.stdout)
    assert (explained["Decision"], explained["Reason"]) == ("Denied", "ResourceAllowsNot")
    assert explained["Principal"] == f"arn:aws:iam::{OTHER}:root"
    statement = explained["Statements"][0]
    assert (statement["Sid"], statement["Nearly"]) == ("org", True)
    assert statement["Mismatches"] == [
        {"Element": "Condition", "Operator": "StringEquals", "Key": "aws:PrincipalOrgID", "Wanted": ["o-1234567890"], "Found": None}
    ]
    unknown = gateway.command("policy", "explain", "--request", "none", "--data-dir", gateway.data_dir, check=False)
    assert unknown.returncode != 0 and "no refusal of request none is remembered" in unknown.stderr
    # By the operator's API alike, and for no other account.
    assert json.loads(asked(gateway, {"RequestId": request}).body) == explained
    assert asked(gateway, {"RequestId": "none"}).error == "ValidationException"
    own = Credentials(other.key_id, other.secret)
    answer = asked(gateway, {"RequestId": request}, credentials=own)
    assert (answer.status, answer.error) == (403, "AccessDeniedException")


def test_the_operators_api_explains_what_would_be_decided(gateway, account, function):
    arn = account.arn(function)
    question = {"Caller": "root", "Action": "lambda:InvokeFunction", "Resource": arn}
    assert json.loads(asked(gateway, question).body)["Decision"] == "Allowed"
    bucket = {"Service": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::photos", "Action": "lambda:InvokeFunction", "Resource": arn}
    assert json.loads(asked(gateway, bucket).body)["Decision"] == "Denied"
    for wrong in [{}, {"Resource": arn}, {"Caller": "nobody", **bucket, "Service": None}, {"Ressource": arn}]:
        answer = asked(gateway, wrong)
        assert (answer.status, answer.error) == (400, "ValidationException"), wrong


def test_a_role_is_explained_by_what_it_would_be_decided(gateway, account, function):
    role = account.role(policies={
        "tagged": document({**INVOKE, "Sid": "T", "Condition": {"StringEquals": {"aws:ResourceTag/open": "yes"}}}),
    }).rsplit("/", 1)[1]
    arguments = ["--as", f"role/{role}", "--data-dir", gateway.data_dir]
    denied = explained(gateway, account.arn(function), *arguments[:2])
    assert (denied["Decision"], denied["Reason"]) == ("Denied", "IdentityAllowsNot")
    assert denied["Statements"][0]["Policy"] == "identity policy tagged"
    account.functions.tag_resource(Resource=account.arn(function), Tags={"open": "yes"})
    assert explained(gateway, account.arn(function), *arguments[:2])["Decision"] == "Allowed"
    given = explained(gateway, account.arn(function), *arguments[:2], "--context", "aws:ResourceTag/open=no")
    assert given["Decision"] == "Denied"


def context_of(**client):
    env = {"platform": "Android", "platform_version": "15", "model": "One"}
    return base64.b64encode(json.dumps({"client": client, "env": env}).encode()).decode()


def test_old_apps_are_turned_away_and_others_are_not(account, function):
    old = {**INVOKE, "Effect": "Deny", "Condition": {"NumericLessThan": {"callgate:AppVersionCode": "42"}}}
    android = {**INVOKE, "Effect": "Deny", "Condition": {"StringNotEquals": {"callgate:Platform": "Android"}}}
    app = Pool(account, policies={"unauthenticated": document(INVOKE, old, android)}).app()
    _, guest = app.guest()

    def call(**client):
        return guest.invoke(FunctionName=function, Payload=b"1", ClientContext=context_of(**client))

    assert call(app_version_code="42")["Payload"].read() == b"1"
    assert call(app_package_name="com.example")["Payload"].read() == b"1"
    assert refusal(call, app_version_code="41")[0] == 403
    # Without a context there is no platform, and a negated operator is true of what is not there.
    assert refusal(guest.invoke, FunctionName=function, Payload=b"1")[0] == 403


def test_who_signed_in_and_how_old_an_identity_is(account, issuer, function):
    signed_in = {**INVOKE, "Condition": {"Bool": {"callgate:SignedIn": "true"}}}
    fresh_guest = {**INVOKE, "Condition": {
        "NumericGreaterThan": {"callgate:IdentityAgeSeconds": "3600"}, "Bool": {"callgate:SignedIn": "false"}}}
    rules = document(signed_in, fresh_guest)
    pool = Pool(account, [issuer], policies={"unauthenticated": rules, "authenticated": rules})
    _, guest = pool.app().guest()
    assert refusal(guest.invoke, FunctionName=function, Payload=b"1")[0] == 403
    logins = {issuer.login: issuer.token(fresh("user"))}
    client = pool.app().functions(pool.app().get_id(logins), logins)
    assert account.call(function, 1, client)["json"] == 1


def test_the_linter_names_rule_and_statement(gateway):
    everyone = json.dumps(document({**INVOKE, "Sid": "All", "Principal": "*"}))
    done = gateway.command("policy", "lint", "-", "--kind", "resource", stdin=everyone, check=False)
    assert done.returncode == 1
    assert [(one["Statement"], one["Sid"], one["Rule"]) for one in json.loads(done.stdout)] == [(1, "All", "everyone")]
    fine = json.dumps(document(INVOKE))
    assert gateway.command("policy", "lint", "-", stdin=fine).returncode == 0
    broken = gateway.command("policy", "lint", "-", stdin="{}", check=False)
    assert broken.returncode == 1 and "Missing required field Statement" in broken.stderr
