"""Revocation (ours): each scope as an attacker would try to go round it, by unmodified boto3 and by the command."""

import json
import time

import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.account import client, refusal, with_credentials
from harness.gateway import REGION
from harness.pool import Pool

_http = urllib3.PoolManager(retries=False, timeout=30)


class Answer:
    def __init__(self, response):
        self.status_code = response.status
        self.headers = response.headers
        self.text = response.data.decode()

    def json(self):
        return json.loads(self.text)


def http(method, url, body=None, headers=None):
    return Answer(_http.request(method, url, body=body, headers=headers))


ECHO = "exports.handler = (event, context) => context.succeed({ identity: context.identity || null });"


@pytest.fixture(scope="module")
def function(account):
    name = account.function(ECHO)
    account.functions.tag_resource(Resource=account.arn(name), Tags={"callgate:allow": "guests"})
    account.settled(name)
    return name


@pytest.fixture
def pool(account, issuer):
    return Pool(account, [issuer])


def revoke(gateway, *arguments):
    return json.loads(gateway.command("sessions", "revoke", *arguments, "--data-dir", gateway.data_dir).stdout)


def api(account, method, path, body=None, credentials=None):
    """A request of the gateway's own API, signed by botocore."""
    url = account.gateway.management + path
    data = json.dumps(body) if body is not None else ""
    request = AWSRequest(method=method, url=url, data=data, headers={"Content-Type": "application/json"})
    credentials = credentials or Credentials(account.key_id, account.secret)
    SigV4Auth(credentials, "callgate", REGION).add_auth(request)
    return http(method, url, data, dict(request.headers))


def later_token(issuer, subject):
    """A token of a sign-in after a revocation of this second: `iat` has seconds, and the leeway allows one that is ahead."""
    return issuer.token(subject, iat=int(time.time()) + 1)


def is_ended(functions, function):
    status, code, _ = refusal(functions.invoke, FunctionName=function, Payload=b"{}")
    return (status, code) == (403, "ExpiredTokenException")


def calls(account, functions, function):
    return account.call(function, {}, client=functions)["json"]


@pytest.mark.parametrize("scope", ["pool", "identity", "provider", "access key", "role"])
def test_each_scope_ends_a_users_sessions_at_once(gateway, account, issuer, pool, function, scope):
    app = pool.app()
    logins = {issuer.login: issuer.token("ann")}
    identity = app.get_id(logins)
    given = app.credentials(identity, logins)["Credentials"]
    functions = with_credentials("lambda", gateway.endpoint, given)
    assert calls(account, functions, function)["identity"]["cognitoIdentityId"] == identity
    arguments = {
        "pool": ["--pool", pool.id],
        "identity": ["--identity", identity],
        "provider": ["--pool", pool.id, "--provider", issuer.login],
        "access key": ["--access-key", given["AccessKeyId"]],
        "role": ["--role", pool.roles["authenticated"].rsplit("/", 1)[1]],
    }[scope]
    made = revoke(gateway, *arguments)
    assert made["NotBefore"].endswith("Z")
    assert is_ended(functions, function)
    # STS has its own words for it.
    sts = with_credentials("sts", gateway.endpoint, given)
    assert refusal(sts.get_caller_identity)[:2] == (403, "ExpiredToken")
    if scope in ("pool", "identity", "provider"):
        # The old login is no way back, with or without the id.
        for attempt in (lambda: app.get_id(logins), lambda: app.credentials(identity, logins)):
            assert refusal(attempt)[:2] == (400, "NotAuthorizedException")
    logins = {issuer.login: later_token(issuer, "ann")}
    assert app.get_id(logins) == identity
    assert calls(account, app.functions(identity, logins), function)["identity"]["cognitoIdentityId"] == identity


def test_whatever_a_deleted_pool_has_given_ends_at_once(gateway, account, issuer, function):
    pool = Pool(account, [issuer])
    guest, functions = pool.app().guest()
    assert calls(account, functions, function)["identity"]["cognitoIdentityId"] == guest
    logins = {issuer.login: issuer.token("ann")}
    identity = pool.app().get_id(logins)
    user = pool.app().functions(identity, logins)
    assert calls(account, user, function)["identity"]["cognitoIdentityId"] == identity
    account.identity.delete_identity_pool(IdentityPoolId=pool.id)
    assert is_ended(functions, function) and is_ended(user, function)


def test_a_revoked_guests_id_opens_nothing_until_it_is_restored(gateway, account, pool, function):
    app = pool.app()
    identity, functions = app.guest()
    assert calls(account, functions, function)["identity"]["cognitoIdentityId"] == identity
    revoke(gateway, "--identity", identity)
    assert is_ended(functions, function)
    assert refusal(app.credentials, identity)[:2] == (400, "NotAuthorizedException")
    gateway.command("sessions", "restore", identity, "--data-dir", gateway.data_dir)
    assert calls(account, app.functions(identity), function)["identity"]["cognitoIdentityId"] == identity
    assert is_ended(functions, function), "what was ended stays ended"


def test_a_pools_guests_keep_their_ids_unless_they_are_disabled(gateway, account, pool, function):
    app = pool.app()
    identity, functions = app.guest()
    revoke(gateway, "--pool", pool.id)
    assert is_ended(functions, function)
    functions = app.functions(identity)
    assert calls(account, functions, function)
    revoke(gateway, "--pool", pool.id, "--disable-guests")
    assert is_ended(functions, function)
    assert refusal(app.credentials, identity)[:2] == (400, "NotAuthorizedException")
    newer, functions = app.guest()
    assert newer != identity and calls(account, functions, function)


def test_a_planted_guest_id_gains_nothing_by_its_owners_sign_in(gateway, account, issuer, pool, function):
    """The attacker keeps a guest's id and its session, and waits for the owner of the device to sign in with it."""
    app = pool.app()
    identity, planted = app.guest()
    assert calls(account, planted, function)
    logins = {issuer.login: issuer.token("victim")}
    owner = app.functions(identity, logins)
    assert calls(account, owner, function)["identity"]["cognitoIdentityId"] == identity
    assert is_ended(planted, function)
    assert refusal(app.credentials, identity)[:2] == (400, "NotAuthorizedException")


def test_a_revocation_survives_kill_9_and_a_command_without_a_gateway(tmp_path, issuer):
    from harness.account import Account
    from harness.gateway import Gateway

    own = Gateway(tmp_path / "own", configuration={"CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP": "true"}).start()
    try:
        mine = Account(own)
        name = mine.function(ECHO)
        mine.functions.tag_resource(Resource=mine.arn(name), Tags={"callgate:allow": "guests"})
        mine.settled(name)
        app = Pool(mine, [issuer]).app()
        (one, one_calls), (two, two_calls) = app.guest(), app.guest()
        revoke(own, "--identity", one)
        own.kill()
        revoke(own, "--identity", two)
        listed = json.loads(own.command("sessions", "list", "--data-dir", own.data_dir).stdout)
        assert {entry["Scope"] for entry in listed["Revocations"]} == {f"identity/{one}", f"identity/{two}"}
        own.listen = own.ready["listen"].removeprefix("http://")
        own.start()
        for functions in (one_calls, two_calls):
            assert is_ended(functions, name)
    finally:
        own.stop()


def assumable(account, pool):
    """A role that the pool's signed-in role may assume, and the right to do so."""
    own = pool.roles["authenticated"]
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": own}, "Action": "sts:AssumeRole"}]}
    allow = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sts:AssumeRole", "lambda:InvokeFunction"], "Resource": "*"}]}
    role = account.role(trust, {"all": allow})
    account.iam.put_role_policy(RoleName=own.rsplit("/", 1)[1], PolicyName="assume", PolicyDocument=json.dumps(allow))
    return role


def test_a_chain_of_roles_and_a_presigned_request_lead_nowhere(gateway, account, issuer, pool, function):
    app = pool.app()
    logins = {issuer.login: issuer.token("ann")}
    identity = app.get_id(logins)
    given = app.credentials(identity, logins)["Credentials"]
    sts = with_credentials("sts", gateway.endpoint, given)
    role = assumable(account, pool)
    child = sts.assume_role(RoleArn=role, RoleSessionName="child")["Credentials"]
    functions = with_credentials("lambda", gateway.endpoint, child)
    assert calls(account, functions, function)["identity"] is None, "the identity is not handed on"
    presigned = sts.generate_presigned_url("get_caller_identity", ExpiresIn=900, HttpMethod="GET")
    assert http("GET", presigned).status_code == 200
    revoke(gateway, "--identity", identity)
    assert is_ended(functions, function)
    assert refusal(sts.assume_role, RoleArn=role, RoleSessionName="again")[:2] == (403, "ExpiredToken")
    refused = http("GET", presigned)
    assert refused.status_code == 403 and "ExpiredToken" in refused.text, refused.text


def test_an_open_id_token_from_before_is_exchanged_for_nothing(gateway, account, issuer):
    pool = Pool(account, [issuer])
    made = account.identity.describe_identity_pool(IdentityPoolId=pool.id)
    made.pop("ResponseMetadata")
    account.identity.update_identity_pool(**{**made, "AllowClassicFlow": True})
    app = pool.app()
    identity = app.get_id()
    token = app.identity.get_open_id_token(IdentityId=identity)["Token"]
    sts = client("sts", gateway.endpoint)
    exchange = {"RoleArn": pool.roles["unauthenticated"], "RoleSessionName": "basic", "WebIdentityToken": token}
    session = sts.assume_role_with_web_identity(**exchange)["Credentials"]
    caller = with_credentials("sts", gateway.endpoint, session)
    assert caller.get_caller_identity()["Arn"]
    revoke(gateway, "--identity", identity)
    assert refusal(caller.get_caller_identity)[:2] == (403, "ExpiredToken")
    assert refusal(sts.assume_role_with_web_identity, **exchange)[1] in ("ExpiredTokenException", "InvalidIdentityToken")


def test_a_user_and_its_key_end_with_the_sessions_that_they_began(gateway, account):
    for scope in ("--user", "--access-key"):
        name = f"ann{scope.strip('-').replace('-', '')}"
        account.iam.create_user(UserName=name)
        allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        account.iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(allow))
        key = account.iam.create_access_key(UserName=name)["AccessKey"]
        sts = client("sts", gateway.endpoint, key["AccessKeyId"], key["SecretAccessKey"])
        session = sts.get_session_token()["Credentials"]
        caller = with_credentials("sts", gateway.endpoint, session)
        assert caller.get_caller_identity()["Arn"].endswith(name)
        revoke(gateway, scope, name if scope == "--user" else key["AccessKeyId"])
        assert refusal(caller.get_caller_identity)[:2] == (403, "ExpiredToken")
        # A long-lived key has no issue time: it goes on until it is deactivated.
        fresh = with_credentials("sts", gateway.endpoint, sts.get_session_token()["Credentials"])
        assert fresh.get_caller_identity()["Arn"].endswith(name)


def test_the_api_is_signed_authorised_and_minds_its_own_account(gateway, account, pool):
    body = {"IdentityPoolId": pool.id}
    assert http("POST", gateway.management + "/callgate/v1/revoke-sessions", json.dumps(body)).status_code == 403
    _, guest = pool.app().guest()
    keys = guest._request_signer._credentials
    refused = api(account, "POST", "/callgate/v1/revoke-sessions", body, keys)
    assert refused.status_code == 403 and "callgate:RevokeSessions" in refused.text
    made = api(account, "POST", "/callgate/v1/revoke-sessions", body)
    assert made.status_code == 200 and made.json()["Scope"] == f"pool/{pool.id}"
    listed = api(account, "GET", "/callgate/v1/revocations").json()
    assert made.json()["Scope"] in {entry["Scope"] for entry in listed["Revocations"]}
    for wrong in ({}, {"IdentityPoolId": pool.id, "RoleName": "r"}, {"IdentityPool": pool.id}):
        assert api(account, "POST", "/callgate/v1/revoke-sessions", wrong).status_code == 400, wrong
    stranger = json.loads(gateway.command("accounts", "create", "333333333333", "--data-dir", gateway.data_dir).stdout)
    keys = Credentials(stranger["AccessKeyId"], stranger["SecretAccessKey"])
    assert api(account, "POST", "/callgate/v1/revoke-sessions", body, keys).status_code == 400
    assert api(account, "GET", "/callgate/v1/revocations", credentials=keys).json()["Revocations"] == []


# Invoke tokens


def invoke_token(gateway, identity, logins=None):
    body = {"IdentityId": identity, **({"Logins": logins} if logins else {})}
    return http("POST", gateway.endpoint + "/callgate/public/invoke-tokens", json.dumps(body))


def bearer(gateway, function, token):
    url = f"{gateway.endpoint}/2015-03-31/functions/{function}/invocations"
    return http("POST", url, "{}", {"Authorization": f"Bearer {token}"})


@pytest.fixture
def bearer_pool(account, issuer):
    pool = Pool(account, [issuer])
    arn = f"arn:aws:cognito-identity:{REGION}:{account.id}:identitypool/{pool.id}"
    try:
        account.identity.tag_resource(ResourceArn=arn, Tags={"callgate:bearer": "allow"})
    except Exception:  # where tagging is not served yet, a pool is tagged when it is made
        made = account.identity.create_identity_pool(
            IdentityPoolName="bearer", AllowUnauthenticatedIdentities=True,
            OpenIdConnectProviderARNs=pool.providers, IdentityPoolTags={"callgate:bearer": "allow"},
        )
        pool = retarget(account, pool, made["IdentityPoolId"])
    return pool


def retarget(account, pool, pool_id):
    from harness.pool import document

    pool.id = pool_id
    for kind, name in (("unauthenticated", "guest"), ("authenticated", "signed-in")):
        pool.roles[kind] = account.role(document(f"trust-{name}", pool_id), {"default": document(name, pool_id)})
    account.identity.set_identity_pool_roles(IdentityPoolId=pool_id, Roles=pool.roles)
    return pool


def test_an_invoke_token_calls_functions_as_its_identity_and_nothing_else(gateway, account, issuer, bearer_pool, function):
    app = bearer_pool.app()
    identity = app.get_id()
    given = invoke_token(gateway, identity)
    assert given.status_code == 200, given.text
    token = given.json()["Token"]
    assert 590 <= given.json()["Expiration"] - time.time() <= 601
    answer = bearer(gateway, function, token)
    assert answer.status_code == 200 and answer.json()["identity"]["cognitoIdentityId"] == identity
    # It cancels calls too. None of this identity's has this id.
    url = f"{gateway.endpoint}/2015-03-31/functions/{function}/invocations/never-sent"
    answer = http("DELETE", url, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")
    # Elsewhere it is no signature.
    for method, path in (("GET", "/2015-03-31/functions/"), ("GET", "/callgate/v1/revocations")):
        refused = http(method, gateway.management + path, headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 403, refused.text
    # Nor does another token stand in for it.
    open_id = None
    try:
        open_id = app.identity.get_open_id_token(IdentityId=identity)["Token"]
    except app.identity.exceptions.ClientError:
        pass  # where the pool's basic flow is off
    for other in filter(None, [open_id, issuer.token("ann"), token[:-2] + "AA", "x"]):
        assert bearer(gateway, function, other).status_code == 403
    revoke(gateway, "--identity", identity)
    ended = bearer(gateway, function, token)
    assert (ended.status_code, ended.headers["x-amzn-errortype"]) == (403, "ExpiredTokenException")
    assert invoke_token(gateway, identity).status_code == 400


def test_an_invoke_token_of_a_guest_ends_with_its_first_login(gateway, account, issuer, bearer_pool, function):
    app = bearer_pool.app()
    identity = app.get_id()
    token = invoke_token(gateway, identity).json()["Token"]
    assert bearer(gateway, function, token).status_code == 200
    logins = {issuer.login: issuer.token("somebody")}
    own = invoke_token(gateway, identity, logins)
    assert own.status_code == 200, own.text
    assert bearer(gateway, function, token).status_code == 403
    assert bearer(gateway, function, own.json()["Token"]).status_code == 200


def test_invoke_tokens_are_off_unless_the_pool_is_tagged(gateway, pool):
    refused = invoke_token(gateway, pool.app().get_id())
    assert refused.status_code == 400 and "callgate:bearer" in refused.text


# The limit on new guests


def test_new_guests_are_limited_by_address_and_the_refusal_explains_itself(tmp_path):
    from harness.account import Account
    from harness.gateway import Gateway

    limits = {"CALLGATE_LIMITS__GUEST_ADDRESS_RATE": "1", "CALLGATE_LIMITS__GUEST_ADDRESS_BURST": "3"}
    own = Gateway(tmp_path / "own", configuration=limits).start()
    try:
        app = Pool(Account(own), roles=False).app()
        made = {app.get_id() for _ in range(3)}
        assert len(made) == 3
        status, code, message = refusal(app.get_id)
        assert (status, code) == (429, "TooManyRequestsException") and "guest_address_rate" in message, message
        raw = http(
            "POST", own.endpoint, json.dumps({"IdentityPoolId": app.pool.id}),
            {"X-Amz-Target": "AWSCognitoIdentityService.GetId", "Content-Type": "application/x-amz-json-1.1"},
        )
        assert raw.headers["x-callgate-limit"] == "guest_address_rate" and int(raw.headers["Retry-After"]) >= 1
    finally:
        own.stop()
