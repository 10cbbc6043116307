"""What reaches the function: the identity exactly when there is one, and of the device every byte that it sent and no more."""

import base64
import json

import pytest

from harness import code, raw
from harness.account import refusal, with_credentials
from harness.pool import Pool

PROVIDER = "login.contract.app"
SERVICE = "cognito-identity.amazonaws.com"


@pytest.fixture(scope="module")
def pool(account, issuer):
    return Pool(account, [issuer], DeveloperProviderName=PROVIDER)


@pytest.fixture(scope="module")
def sees(account):
    return {kind: account.function(code.SEES, Tags={"callgate:allow": kind}) for kind in ("guests", "signed-in")}


def saw(functions, name, **members):
    return json.loads(functions.invoke(FunctionName=name, **members)["Payload"].read())


def test_each_flow_of_a_pool_shows_its_identity(account, pool, issuer, sees):
    app = pool.app()
    guest = app.get_id()
    logins = {issuer.login: issuer.token("function-user")}
    user = app.get_id(logins)
    given = account.identity.get_open_id_token_for_developer_identity(
        IdentityPoolId=pool.id, Logins={PROVIDER: "function-user"}
    )
    for identity, presented, providers in (
        (guest, None, []),
        (user, logins, [issuer.login]),
        (given["IdentityId"], {SERVICE: given["Token"]}, [PROVIDER]),
    ):
        context = saw(app.functions(identity, presented), sees["signed-in" if presented else "guests"])
        assert context["identity"] == {"cognitoIdentityId": identity, "cognitoIdentityPoolId": pool.id}
        assert context["callgate"] == {"signedIn": bool(presented), "logins": providers, "principalTags": {}}


def test_keys_of_the_account_show_none(account, sees):
    context = saw(account.functions, sees["guests"])
    assert context["hasIdentity"] is False and "callgate" not in context


@pytest.mark.parametrize("claimed", [
    {"identity": {"cognitoIdentityId": "us-east-1:forged", "cognitoIdentityPoolId": "us-east-1:forged"}},
    {"callgate": {"signedIn": True}},
    {"__proto__": {"identity": {"cognitoIdentityId": "us-east-1:forged"}}},
    {"constructor": {"prototype": {"identity": 1}}},
])
def test_no_claim_of_a_device_is_an_identity(account, pool, sees, claimed):
    header = base64.b64encode(json.dumps(claimed).encode()).decode()
    for functions, identity in ((account.functions, None), pool.app().guest()[::-1]):
        context = saw(functions, sees["guests"], ClientContext=header, Payload=json.dumps(claimed))
        shown = context.get("identity", {}).get("cognitoIdentityId")
        assert shown == identity
        assert context.get("callgate", {}).get("signedIn", False) is False
        assert context["clientContext"] == claimed


def test_the_client_context_arrives_as_the_device_wrote_it(account):
    """Whatever JSON can say of texts and numbers."""
    source = """
    exports.handler = async (event, context) => ({
      text: JSON.stringify(context.clientContext), big: String(context.clientContext.big),
      same: context.clientContext.Custom === context.clientContext.custom });"""
    name = account.function(source)
    sent = '{"custom":{"größe":"\\ud83c\\udf89 \\u0000\\u2028","empty":""},"big":12345678901234567000,"n":[1,-0.5,1e3,true,null]}'
    answer = account.call(name, ClientContext=base64.b64encode(sent.encode()).decode())["json"]
    assert json.loads(answer["text"]) == json.loads(sent)
    assert answer["big"] == "12345678901234567000" and answer["same"] is True


@pytest.mark.parametrize("name, text", [
    ("too deep", '{"a":' * 65 + "1" + "}" * 65),
    ("a list", "[]"), ("a text", '"a"'), ("null", "null"), ("nothing", ""), ("a number", "1"),
    ("cut off", '{"a":1'), ("something after it", "{} {}"), ("not UTF-8", b'{"a":"\xff"}'),
], ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "")
def test_hostile_client_contexts_are_refused(account, sees, name, text):
    header = base64.b64encode(text.encode() if isinstance(text, str) else text).decode()
    refused = refusal(account.functions.invoke, FunctionName=sees["guests"], ClientContext=header or "=")
    assert refused[:2] == (400, "InvalidRequestContentException")


@pytest.mark.parametrize("header", ["e30", "e30=\t.", "%%%%", "e 30=", "e30=e30=", "_-_-"])
def test_client_contexts_that_are_no_base64_are_refused(gateway, sees, header):
    path = f"/2015-03-31/functions/{sees['guests']}/invocations"
    url = gateway.endpoint + path
    headers = raw.signed_headers("POST", url, b"{}", {"X-Amz-Client-Context": header})
    answer = raw.exchange(gateway.endpoint, "POST", path, headers, b"{}")
    assert (answer.status, answer.error) == (400, "InvalidRequestContentException")


def test_after_assume_role_there_is_no_identity(account, pool, issuer, sees):
    """The session that another session assumed is nobody's of the pool, although it began with one."""
    trusting = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": pool.roles["unauthenticated"]}, "Action": "sts:AssumeRole"}],
    }
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": "*"}]}
    role = account.role(trusting, {"call": policy})
    app = pool.app()
    credentials = app.credentials(app.get_id())["Credentials"]
    account.iam.put_role_policy(
        RoleName=pool.roles["unauthenticated"].rsplit("/", 1)[1], PolicyName="assume",
        PolicyDocument=json.dumps({
            "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role}],
        }),
    )
    assumed = with_credentials("sts", app.endpoint, credentials).assume_role(RoleArn=role, RoleSessionName="device")
    functions = with_credentials("lambda", app.endpoint, assumed["Credentials"])
    context = saw(functions, sees["guests"])
    assert context["hasIdentity"] is False and "callgate" not in context


def test_the_basic_flow_shows_the_identity_too(account, pool, issuer, sees):
    app = pool.app()
    logins = {issuer.login: issuer.token("basic-user")}
    user = app.get_id(logins)
    token = app.identity.get_open_id_token(IdentityId=user, Logins=logins)["Token"]
    sts = app_sts(app)
    given = sts.assume_role_with_web_identity(
        RoleArn=pool.roles["authenticated"], RoleSessionName="basic", WebIdentityToken=token
    )
    context = saw(with_credentials("lambda", app.endpoint, given["Credentials"]), sees["signed-in"])
    assert context["identity"] == {"cognitoIdentityId": user, "cognitoIdentityPoolId": pool.id}
    assert context["callgate"]["signedIn"] is True


def app_sts(app):
    from harness.account import client

    return client("sts", app.endpoint)
