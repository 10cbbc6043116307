"""Condition keys that the gateway's configuration and the connection answer, through boto3."""

import json

import pytest

from harness import code
from harness.account import Account, refusal

OTHER = "111122223333"
ORGANIZATION = "o-a1b2c3d4e5"


@pytest.fixture(scope="module")
def configuration():
    return {"CALLGATE_POLICY__ORG_ID": ORGANIZATION}


@pytest.fixture(scope="module")
def other(gateway):
    made = json.loads(gateway.command("accounts", "create", OTHER, "--data-dir", gateway.data_dir).stdout)
    return Account(gateway, OTHER, made["AccessKeyId"], made["SecretAccessKey"])


@pytest.mark.parametrize("organization, allowed", [(ORGANIZATION, True), ("o-0000000000", False)])
def test_accounts_of_an_organization_may_invoke(account, other, organization, allowed):
    function = account.function(code.ECHO)
    account.functions.add_permission(
        FunctionName=function,
        StatementId="organization",
        Action="lambda:InvokeFunction",
        Principal="*",
        PrincipalOrgID=organization,
    )
    arn = account.arn(function)
    if allowed:
        assert other.call(arn, {"a": 1})["json"] == {"a": 1}
    else:
        assert refusal(other.functions.invoke, FunctionName=arn)[:2] == (403, "AccessDeniedException")


def test_what_a_client_calls_itself_is_asked_for(gateway, account, other):
    function = account.function(code.ECHO)
    arn = account.arn(function)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": OTHER},
        "Action": "lambda:InvokeFunction",
        "Resource": arn,
        "Condition": {"StringLike": {"aws:UserAgent": "Shop/* *"}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    account.functions.put_resource_policy(ResourceArn=arn, Policy=json.dumps(document))
    shop = other.client("lambda", user_agent="Shop/2.1 (boto3)")
    assert json.load(shop.invoke(FunctionName=arn, Payload=b"1")["Payload"]) == 1
    assert refusal(other.functions.invoke, FunctionName=arn)[:2] == (403, "AccessDeniedException")


def test_an_organizations_id_is_checked_when_the_gateway_starts(gateway):
    done = gateway.command("config", check=False, environment={"CALLGATE_POLICY__ORG_ID": "acme"})
    assert done.returncode != 0
    assert "CALLGATE_POLICY__ORG_ID" in done.stderr and "o-a1b2c3d4e5" in done.stderr
