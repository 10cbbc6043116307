"""IAM and STS by boto3: what it takes to make a provider, a role and its policy (IAM and STS API references)."""

import json

import pytest

from harness import raw
from harness.account import LAMBDA_TRUST, fresh, refusal
from harness.gateway import ROOT_KEY_ID

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}]}
TRUST = json.dumps(LAMBDA_TRUST)


def make_role(account, **members):
    name = fresh("role")
    return name, account.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **members)["Role"]


def test_get_caller_identity(account):
    who = account.sts.get_caller_identity()
    assert (who["Account"], who["UserId"]) == (account.id, account.id)
    assert who["Arn"] == f"arn:aws:iam::{account.id}:root"


def test_a_role_comes_back_as_it_was_made(account):
    name, role = make_role(
        account, Path="/apps/", Description="for <apps> & more", MaxSessionDuration=7200, Tags=[{"Key": "team:größe", "Value": "a+b=c@d"}]
    )
    assert role["Arn"] == f"arn:aws:iam::{account.id}:role/apps/{name}"
    assert role["RoleId"].startswith("AROA")
    found = account.iam.get_role(RoleName=name)["Role"]
    assert found["AssumeRolePolicyDocument"] == LAMBDA_TRUST
    assert (found["Path"], found["Description"], found["MaxSessionDuration"]) == ("/apps/", "for <apps> & more", 7200)
    assert found["Tags"] == [{"Key": "team:größe", "Value": "a+b=c@d"}]
    assert found["CreateDate"] == role["CreateDate"]


def test_a_roles_inline_policies(account):
    name, _ = make_role(account)
    account.iam.put_role_policy(RoleName=name, PolicyName="one", PolicyDocument=json.dumps(ALLOW))
    assert account.iam.get_role_policy(RoleName=name, PolicyName="one")["PolicyDocument"] == ALLOW
    assert account.iam.list_role_policies(RoleName=name)["PolicyNames"] == ["one"]
    assert account.iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
    status, error, _ = refusal(account.iam.delete_role, RoleName=name)
    assert (status, error) == (409, "DeleteConflict")
    account.iam.delete_role_policy(RoleName=name, PolicyName="one")
    assert refusal(account.iam.get_role_policy, RoleName=name, PolicyName="one")[:2] == (404, "NoSuchEntity")
    account.iam.delete_role(RoleName=name)
    assert refusal(account.iam.get_role, RoleName=name) == (
        404,
        "NoSuchEntity",
        f"The role with name {name} cannot be found.",
    )


def test_a_role_is_made_once(account):
    name, _ = make_role(account)
    assert refusal(account.iam.create_role, RoleName=name, AssumeRolePolicyDocument=TRUST) == (
        409,
        "EntityAlreadyExists",
        f"Role with name {name} already exists.",
    )


def test_a_trust_policy_is_replaced(account):
    name, _ = make_role(account)
    other = {**LAMBDA_TRUST, "Statement": [{**LAMBDA_TRUST["Statement"][0], "Principal": {"AWS": "*"}}]}
    account.iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(other))
    assert account.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"] == other


def test_roles_are_listed_in_pages(account):
    made = {make_role(account, Path="/listed/")[0] for _ in range(5)}
    pages = account.iam.get_paginator("list_roles").paginate(PathPrefix="/listed/", PaginationConfig={"PageSize": 2})
    listed = [[role["RoleName"] for role in page["Roles"]] for page in pages]
    assert [len(page) for page in listed] == [2, 2, 1]
    assert {name for page in listed for name in page} == made


def test_role_tags(account):
    name, _ = make_role(account)
    account.iam.tag_role(RoleName=name, Tags=[{"Key": "k", "Value": "v"}, {"Key": "l", "Value": ""}])
    account.iam.untag_role(RoleName=name, TagKeys=["k"])
    assert account.iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "l", "Value": ""}]


@pytest.mark.parametrize(
    "document",
    [
        "{not json",
        "[]",
        json.dumps({**ALLOW, "Version": "2020-01-01"}),
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps", "Action": "*", "Resource": "*"}]}),
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*"}]}),
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*"}]}),
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Acton": "*"}]}),
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}]}),
        '{"Version":"2012-10-17","Statement":[],"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}',
    ],
)
def test_malformed_policies(account, document):
    name, _ = make_role(account)
    put = account.iam.put_role_policy
    assert refusal(put, RoleName=name, PolicyName="p", PolicyDocument=document)[:2] == (400, "MalformedPolicyDocument")
    assert account.iam.list_role_policies(RoleName=name)["PolicyNames"] == []


@pytest.mark.parametrize("operator", ["DateLessThan", "NumericEquals", "ForSomeValues:StringEquals", "StringSortOf"])
def test_a_condition_that_is_not_understood_is_refused_when_it_is_put(account, operator):
    """Never skipped: a skipped condition would be a permission nobody gave."""
    name, _ = make_role(account)
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {operator: {"aws:SourceIp": "10.0.0.0/8"}}}
    status, error, message = refusal(
        account.iam.put_role_policy,
        RoleName=name,
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    assert (status, error) == (400, "MalformedPolicyDocument")
    assert operator.split(":")[-1] in message or operator.split(":")[0] in message


def test_openid_connect_providers(account):
    url = f"https://{fresh('issuer')}.example.com/path"
    arn = account.iam.create_open_id_connect_provider(Url=url, ClientIDList=["one"], ThumbprintList=["a" * 40])[
        "OpenIDConnectProviderArn"
    ]
    assert arn == f"arn:aws:iam::{account.id}:oidc-provider/{url.removeprefix('https://')}"
    account.iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="two")
    account.iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="one")
    found = account.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert (found["Url"], found["ClientIDList"]) == (url.removeprefix("https://"), ["two"])
    assert arn in [provider["Arn"] for provider in account.iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
    again = refusal(account.iam.create_open_id_connect_provider, Url=url, ClientIDList=[], ThumbprintList=[])
    assert again[:2] == (409, "EntityAlreadyExists")
    account.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    assert refusal(account.iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)[:2] == (404, "NoSuchEntity")


def test_a_provider_of_plain_http_is_only_for_loopback(account):
    """`oidc.allow_loopback_http` opens loopback, and nothing else."""
    call = account.iam.create_open_id_connect_provider
    status, error, _ = refusal(call, Url="http://issuer.example.com", ClientIDList=["a"], ThumbprintList=[])
    assert (status, error) in [(400, "ValidationError"), (400, "InvalidInput")]


@pytest.mark.parametrize(
    "service, operation, members, named",
    [
        ("iam", "create_group", {"GroupName": "g"}, "CreateGroup"),
        ("iam", "create_login_profile", {"UserName": "u", "Password": "p"}, "CreateLoginProfile"),
        ("sts", "assume_role_with_saml", {"RoleArn": "arn:aws:iam::000000000000:role/r", "PrincipalArn": "arn:aws:iam::000000000000:saml-provider/s", "SAMLAssertion": "PHNhbWw+"}, "AssumeRoleWithSAML"),
        ("sts", "get_federation_token", {"Name": "someone"}, "GetFederationToken"),
    ],
)
def test_operations_that_are_not_there_are_refused_by_name(account, service, operation, members, named):
    status, error, message = refusal(getattr(account.client(service), operation), **members)
    assert status == 400 and message.startswith(f"{named} is not supported by Callgate: ")


def test_an_unknown_action_and_version(gateway):
    answer = raw.signed(
        gateway.endpoint,
        "POST",
        "/",
        b"Action=MakeCoffee&Version=2010-05-08",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        service="iam",
    )
    assert (answer.status, answer.error) == (400, "InvalidAction")
    assert b"<Message>Could not find operation MakeCoffee for version 2010-05-08</Message>" in answer.body
    assert answer.headers["x-amzn-requestid"].encode() in answer.body


def test_answers_are_xml_with_the_services_namespace(gateway):
    answer = raw.signed(
        gateway.endpoint,
        "POST",
        "/",
        b"Action=GetCallerIdentity&Version=2011-06-15",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        service="sts",
    )
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/xml")
    assert b'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"' in answer.body
    assert ROOT_KEY_ID.encode() not in answer.body
