"""Cognito Identity by boto3: who an app's user is, row by row of the table of logins (Cognito developer guide, "Identity
pools authentication flow"; API reference of GetId and GetCredentialsForIdentity)."""

import base64
import datetime
import json
import re
import threading
import urllib.request

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from harness import code, raw
from harness.account import refusal, with_credentials
from harness.issuer import Issuer
from harness.pool import Pool

IDENTITY = r"us-east-1:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
REFUSED = (400, "NotAuthorizedException")


@pytest.fixture(scope="module")
def second_issuer():
    made = Issuer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def pool(account, issuer, second_issuer):
    return Pool(account, [issuer, second_issuer])


@pytest.fixture(scope="module")
def app(pool):
    return pool.app()


@pytest.fixture(scope="module")
def sees(account):
    return account.function(code.SEES, Tags={"callgate:allow": "guests"})


_subjects = iter(range(1, 10_000))


def subject():
    return f"user-{next(_subjects)}"


def login(issuer, who):
    return {issuer.login: issuer.token(who)}


# The rows.


def test_nothing_presented_is_a_new_guest(app):
    first, second = app.get_id(), app.get_id()
    assert re.fullmatch(IDENTITY, first)
    assert first != second


def test_a_pool_without_guests_makes_none(account):
    closed = Pool(account, guests=False)
    assert refusal(closed.app().get_id) == (
        *REFUSED,
        "Unauthenticated access is not supported for this identity pool.",
    )


def test_a_new_login_is_a_new_identity_and_a_known_one_is_that_identity(app, issuer):
    who = subject()
    user = app.get_id(login(issuer, who))
    assert app.get_id(login(issuer, who)) == user
    assert app.get_id(login(issuer, subject())) != user


def test_a_known_login_with_a_new_one_adds_it(app, issuer, second_issuer):
    who, other = subject(), subject()
    user = app.get_id(login(issuer, who))
    both = {**login(issuer, who), **login(second_issuer, other)}
    assert app.get_id(both) == user
    assert app.get_id(login(second_issuer, other)) == user


def test_a_guest_stays_who_it_is(app, sees, pool):
    guest, functions = app.guest()
    assert app.credentials(guest)["IdentityId"] == guest
    saw = json.loads(functions.invoke(FunctionName=sees)["Payload"].read())
    assert saw["identity"] == {"cognitoIdentityId": guest, "cognitoIdentityPoolId": pool.id}
    assert saw["callgate"]["signedIn"] is False
    assert saw["callgate"]["logins"] == []


def test_a_guest_who_signs_in_is_the_same_identity(app, issuer, sees, pool):
    guest = app.get_id()
    who = subject()
    answer = app.credentials(guest, login(issuer, who))
    assert answer["IdentityId"] == guest
    assert app.get_id(login(issuer, who)) == guest
    functions = with_credentials("lambda", app.endpoint, answer["Credentials"])
    saw = json.loads(functions.invoke(FunctionName=sees)["Payload"].read())
    assert saw["identity"] == {"cognitoIdentityId": guest, "cognitoIdentityPoolId": pool.id}
    assert saw["callgate"]["signedIn"] is True
    assert saw["callgate"]["logins"] == [issuer.login]


def test_knowing_an_id_opens_nothing(app, issuer, second_issuer):
    mine, theirs = subject(), subject()
    user = app.get_id(login(issuer, mine))
    app.get_id(login(issuer, theirs))
    assert refusal(app.credentials, user) == (*REFUSED, f"Access to Identity '{user}' is forbidden.")
    for logins in (login(issuer, subject()), login(issuer, theirs), login(second_issuer, subject())):
        assert refusal(app.credentials, user, logins)[:2] == REFUSED
    assert app.credentials(user, login(issuer, mine))["IdentityId"] == user


def test_an_identitys_own_login_with_a_new_one_adds_it(app, issuer, second_issuer):
    who, other = subject(), subject()
    user = app.get_id(login(issuer, who))
    assert app.credentials(user, {**login(issuer, who), **login(second_issuer, other)})["IdentityId"] == user
    assert app.credentials(user, login(second_issuer, other))["IdentityId"] == user


def test_logins_of_two_identities_conflict_and_change_nothing(app, issuer, second_issuer):
    one, other = subject(), subject()
    u, v = app.get_id(login(issuer, one)), app.get_id(login(second_issuer, other))
    both = {**login(issuer, one), **login(second_issuer, other)}
    for call, arguments in ((app.get_id, ()), (app.credentials, (u,)), (app.credentials, (v,))):
        assert refusal(call, *arguments, both)[:2] == (400, "ResourceConflictException")
    assert app.get_id(login(issuer, one)) == u
    assert app.get_id(login(second_issuer, other)) == v


def test_two_devices_at_once_are_one_identity(app, issuer):
    who = subject()
    found, errors = [], []

    def sign_in():
        try:
            found.append(app.get_id(login(issuer, who)))
        except Exception as error:  # noqa: BLE001, whatever it is, the test fails with it
            errors.append(error)

    threads = [threading.Thread(target=sign_in) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(set(found)) == 1 and len(found) == 8


def test_an_unknown_identity_and_an_unknown_pool(app):
    missing = "us-east-1:00000000-0000-4000-8000-000000000000"
    assert refusal(app.credentials, missing)[:2] == (400, "ResourceNotFoundException")
    status, error, message = refusal(app.identity.get_id, IdentityPoolId=missing)
    assert error == "ResourceNotFoundException"
    assert message == f"IdentityPool '{missing}' not found."


# Credentials.


def test_credentials_say_who_they_are(app):
    guest = app.get_id()
    credentials = app.credentials(guest)["Credentials"]
    assert re.fullmatch(r"ASIA[A-Z2-7]{16}", credentials["AccessKeyId"])
    assert len(credentials["SecretKey"]) == 40
    assert len(credentials["SessionToken"]) <= 1536
    left = credentials["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=55) < left <= datetime.timedelta(minutes=60, seconds=5)
    caller = with_credentials("sts", app.endpoint, credentials).get_caller_identity()
    assert re.fullmatch(r"arn:aws:sts::000000000000:assumed-role/role-\d+/CognitoIdentityCredentials", caller["Arn"])


@pytest.mark.parametrize("part", ["AccessKeyId", "SecretKey", "SessionToken"])
def test_credentials_belong_together(app, part):
    """Of two guests, any part of one's credentials with the rest of the other's opens nothing."""
    mine, theirs = (app.credentials(app.get_id())["Credentials"] for _ in range(2))
    mixed = {**mine, part: theirs[part]}
    status, error, _ = refusal(with_credentials("sts", app.endpoint, mixed).get_caller_identity)
    assert status == 403 and error in ("InvalidClientTokenId", "SignatureDoesNotMatch"), error


def test_a_changed_session_token_opens_nothing(app):
    credentials = app.credentials(app.get_id())["Credentials"]
    token = credentials["SessionToken"]
    for at in (0, len(token) // 2, len(token) - 3):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        client = with_credentials("sts", app.endpoint, {**credentials, "SessionToken": changed})
        assert refusal(client.get_caller_identity)[0] == 403


def test_a_pool_without_roles_says_so(account):
    bare = Pool(account, roles=False).app()
    assert refusal(bare.credentials, bare.get_id())[1] == "InvalidIdentityPoolConfigurationException"


def test_a_role_that_does_not_trust_the_pool_is_not_given(account):
    """The trust policy's `aud` and `amr` decide (IAM user guide, keys for AWS web identity federation)."""
    one, other = Pool(account), Pool(account)
    account.identity.set_identity_pool_roles(IdentityPoolId=one.id, Roles=other.roles)
    assert refusal(one.app().credentials, one.app().get_id())[1] == "InvalidIdentityPoolConfigurationException"
    account.identity.set_identity_pool_roles(
        IdentityPoolId=one.id, Roles={"unauthenticated": one.roles["authenticated"], "authenticated": one.roles["authenticated"]}
    )
    assert refusal(one.app().credentials, one.app().get_id())[1] == "InvalidIdentityPoolConfigurationException"


def test_a_custom_role_that_nothing_offers_is_not_given(app, account):
    call = app.identity.get_credentials_for_identity
    refused = refusal(call, IdentityId=app.get_id(), CustomRoleArn=account.execution_role)
    assert refused[:2] == (400, "NotAuthorizedException")


# Open-id tokens.


def part(token, number):
    text = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_open_id_tokens_can_be_verified_by_others(app, issuer, pool):
    guest = app.get_id()
    for logins, amr in ((None, "unauthenticated"), (login(issuer, subject()), "authenticated")):
        members = {"Logins": logins} if logins else {}
        answer = app.identity.get_open_id_token(IdentityId=guest, **members)
        assert answer["IdentityId"] == guest
        claims = part(answer["Token"], 1)
        assert (claims["sub"], claims["aud"]) == (guest, pool.id)
        assert amr in claims["amr"]
        assert 0 < claims["exp"] - claims["iat"] <= 900
        verify(app.endpoint, claims["iss"], answer["Token"])


def verify(endpoint, issuer, token):
    """As a back end of somebody else's would: discovery, key by `kid`, signature."""
    fetch = lambda url: json.loads(urllib.request.urlopen(url, timeout=10).read())
    configuration = fetch(endpoint + "/.well-known/openid-configuration")
    assert configuration["issuer"] == issuer
    keys = fetch(endpoint + configuration["jwks_uri"].removeprefix(issuer))["keys"]
    head = part(token, 0)
    (key,) = [key for key in keys if key["kid"] == head["kid"]]
    number = lambda text: int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
    public = rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
    signed, signature = token.rsplit(".", 1)
    digest = {"RS256": hashes.SHA256, "RS512": hashes.SHA512}[head["alg"]]()
    public.verify(base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4)), signed.encode(), padding.PKCS1v15(), digest)


def test_an_open_id_token_is_no_session(gateway, app, sees):
    token = app.identity.get_open_id_token(IdentityId=app.get_id())["Token"]
    answer = raw.exchange(
        gateway.endpoint, "POST", f"/2015-03-31/functions/{sees}/invocations", {"Authorization": f"Bearer {token}"}, b"{}"
    )
    assert answer.status in (400, 403)
    assert answer.error in ("MissingAuthenticationTokenException", "IncompleteSignatureException")


# Pools.


def test_pools_are_described_listed_and_deleted(account, issuer):
    made = Pool(account, [issuer])
    described = account.identity.describe_identity_pool(IdentityPoolId=made.id)
    assert described["AllowUnauthenticatedIdentities"] is True
    assert described["OpenIdConnectProviderARNs"] == made.providers
    assert account.identity.get_identity_pool_roles(IdentityPoolId=made.id)["Roles"] == made.roles
    listed = [
        pool["IdentityPoolId"]
        for page in account.identity.get_paginator("list_identity_pools").paginate(PaginationConfig={"PageSize": 2})
        for pool in page["IdentityPools"]
    ]
    assert made.id in listed and len(listed) == len(set(listed))
    guest = made.app().get_id()
    account.identity.delete_identity_pool(IdentityPoolId=made.id)
    assert refusal(account.identity.describe_identity_pool, IdentityPoolId=made.id)[1] == "ResourceNotFoundException"
    assert refusal(made.app().credentials, guest)[1] == "ResourceNotFoundException"


def test_the_basic_flow_is_off_unless_the_pool_has_it(account):
    """Cognito's own words; without AllowClassicFlow a pool has the enhanced flow alone."""
    enhanced = Pool(account, AllowClassicFlow=False).app()
    guest = enhanced.get_id()
    assert refusal(enhanced.identity.get_open_id_token, IdentityId=guest) == (
        400,
        "InvalidParameterException",
        "Basic (classic) flow is not enabled, please use enhanced flow.",
    )
    assert enhanced.credentials(guest)["IdentityId"] == guest


# Managing pools and identities.


def test_a_pool_is_updated_as_a_whole(account, issuer):
    made = Pool(account, [issuer], IdentityPoolTags={"team": "blue"})
    updated = account.identity.update_identity_pool(
        IdentityPoolId=made.id, IdentityPoolName="renamed", AllowUnauthenticatedIdentities=False
    )
    assert "OpenIdConnectProviderARNs" not in updated and "AllowClassicFlow" not in updated
    assert updated["IdentityPoolTags"] == {"team": "blue"}
    assert refusal(made.app().get_id)[:2] == REFUSED


def test_guests_switched_off_are_off_at_once(account):
    made = Pool(account)
    guest = made.app().get_id()
    account.identity.update_identity_pool(
        IdentityPoolId=made.id, IdentityPoolName="closed", AllowUnauthenticatedIdentities=False
    )
    assert refusal(made.app().credentials, guest)[:2] == REFUSED


def test_pools_are_tagged(account):
    made = Pool(account)
    account.identity.tag_resource(ResourceArn=made.arn, Tags={"a": "1", "b": "2"})
    account.identity.untag_resource(ResourceArn=made.arn, TagKeys=["a"])
    assert account.identity.list_tags_for_resource(ResourceArn=made.arn)["Tags"] == {"b": "2"}


def test_identities_are_described_listed_and_deleted(account, issuer):
    made = Pool(account, [issuer])
    app = made.app()
    who = subject()
    ids = sorted([app.get_id(login(issuer, who)), *(app.get_id() for _ in range(4))])
    described = account.identity.describe_identity(IdentityId=app.get_id(login(issuer, who)))
    assert described["Logins"] == [issuer.login]
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs(now - described["CreationDate"]) < datetime.timedelta(minutes=1)
    seen, members = [], {}
    while True:
        page = account.identity.list_identities(IdentityPoolId=made.id, MaxResults=2, **members)
        seen += [one["IdentityId"] for one in page["Identities"]]
        if "NextToken" not in page:
            break
        members = {"NextToken": page["NextToken"]}
    assert seen == ids
    unknown = "us-east-1:00000000-0000-4000-8000-000000000000"
    answer = account.identity.delete_identities(IdentityIdsToDelete=[*ids, unknown])
    assert answer["UnprocessedIdentityIds"] == [{"IdentityId": unknown, "ErrorCode": "AccessDenied"}]
    assert account.identity.list_identities(IdentityPoolId=made.id, MaxResults=60)["Identities"] == []
    assert refusal(app.credentials, ids[0])[1] == "ResourceNotFoundException"


def test_an_unlinked_login_is_new_and_the_last_one_leaves_a_dead_identity(app, account, pool, issuer, second_issuer):
    who, other = subject(), subject()
    both = {**login(issuer, who), **login(second_issuer, other)}
    user = app.get_id(both)
    app.identity.unlink_identity(IdentityId=user, Logins=login(issuer, who), LoginsToRemove=[second_issuer.login])
    assert app.get_id(login(second_issuer, other)) != user
    assert app.credentials(user, login(issuer, who))["IdentityId"] == user
    app.identity.unlink_identity(IdentityId=user, Logins=login(issuer, who), LoginsToRemove=[issuer.login])
    for logins in (None, login(issuer, who), login(issuer, subject())):
        assert refusal(app.credentials, user, logins)[:2] == REFUSED
    assert app.get_id(login(issuer, who)) != user
    hidden = account.identity.list_identities(IdentityPoolId=pool.id, MaxResults=60, HideDisabled=True)
    assert user not in [one["IdentityId"] for one in hidden["Identities"]]


def test_unlinking_needs_a_login_of_the_identity(app, issuer):
    user = app.get_id(login(issuer, subject()))
    app.get_id(login(issuer, someone := subject()))
    for logins in (login(issuer, someone), login(issuer, subject())):
        refused = refusal(
            app.identity.unlink_identity, IdentityId=user, Logins=logins, LoginsToRemove=[issuer.login]
        )
        assert refused[:2] == REFUSED
