"""Users whom a developer's own back end has verified: from the back end's signed call to the function that the app calls."""

import base64
import json
import time

import pytest

from harness import code
from harness.account import refusal, with_credentials
from harness.pool import Pool

PROVIDER = "login.contract.app"
SERVICE = "cognito-identity.amazonaws.com"
REFUSED = (400, "NotAuthorizedException")
TAGGED = {"authenticated": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"]}


@pytest.fixture(scope="module")
def pool(account, issuer):
    return Pool(account, [issuer], DeveloperProviderName=PROVIDER, trusts=TAGGED)


_users = (f"developer-{number}" for number in range(1, 10_000))


def token(account, pool, user, logins=None, **members):
    return account.identity.get_open_id_token_for_developer_identity(
        IdentityPoolId=pool.id, Logins={PROVIDER: user, **(logins or {})}, **members
    )


def claims(text):
    part = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_the_whole_flow(account, pool):
    user = next(_users)
    given = token(account, pool, user, PrincipalTags={"tier": "gold"}, TokenDuration=3600)
    says = claims(given["Token"])
    assert (says["sub"], says["aud"]) == (given["IdentityId"], pool.id)
    assert says["amr"] == ["authenticated", PROVIDER, f"{PROVIDER}:{pool.id}:{user}"]
    assert says["exp"] - says["iat"] == 3600
    app = pool.app()
    logins = {SERVICE: given["Token"]}
    functions = app.functions(given["IdentityId"], logins)
    name = account.function(code.SEES, Tags={"callgate:allow": "signed-in"})
    saw = json.loads(functions.invoke(FunctionName=name)["Payload"].read())
    assert saw["identity"] == {"cognitoIdentityId": given["IdentityId"], "cognitoIdentityPoolId": pool.id}
    assert saw["callgate"] == {"signedIn": True, "logins": [PROVIDER], "principalTags": {"tier": "gold"}}
    assert app.get_id(logins) == given["IdentityId"]
    assert token(account, pool, user)["IdentityId"] == given["IdentityId"]


def test_a_token_lasts_fifteen_minutes_unless_it_is_said_otherwise(account, pool):
    says = claims(token(account, pool, next(_users))["Token"])
    assert says["exp"] - says["iat"] == 900


def test_a_token_ends(account, pool):
    user = next(_users)
    given = token(account, pool, user, TokenDuration=1)
    app = pool.app()
    deadline = time.monotonic() + 10
    while True:
        try:
            app.credentials(given["IdentityId"], {SERVICE: given["Token"]})
        except app.identity.exceptions.NotAuthorizedException as error:
            assert "Token expired" in str(error)
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_guest_becomes_a_developers_user_and_keeps_its_id(account, pool, issuer):
    app = pool.app()
    guest, user = app.get_id(), next(_users)
    public = {issuer.login: issuer.token(user)}
    given = token(account, pool, user, public, IdentityId=guest)
    assert given["IdentityId"] == guest
    assert app.get_id(public) == guest
    second = app.get_id()
    assert token(account, pool, user, IdentityId=second)["IdentityId"] == guest
    assert refusal(app.credentials, second)[:2] == REFUSED


def test_knowing_an_id_opens_nothing_through_a_back_end_either(account, pool):
    mine, theirs = next(_users), next(_users)
    victim = token(account, pool, theirs)["IdentityId"]
    refused = refusal(token, account, pool, mine, IdentityId=victim)
    assert refused[:2] == REFUSED
    token(account, pool, mine)
    assert refusal(token, account, pool, mine, IdentityId=victim)[1] == "DeveloperUserAlreadyRegisteredException"


def test_a_token_for_others_is_no_login(account, pool):
    """What GetOpenIdToken gives is made to be shown; it would open its identity to everyone who was shown it."""
    app = pool.app()
    given = token(account, pool, next(_users))
    logins = {SERVICE: given["Token"]}
    for identity, shown in (
        (given["IdentityId"], app.identity.get_open_id_token(IdentityId=given["IdentityId"], Logins=logins)["Token"]),
        (guest := app.get_id(), app.identity.get_open_id_token(IdentityId=guest)["Token"]),
    ):
        assert refusal(app.credentials, identity, {SERVICE: shown})[:2] == REFUSED


def test_a_token_opens_its_own_identity_in_its_own_pool(account, pool):
    app = pool.app()
    ann, bob = (token(account, pool, next(_users)) for _ in range(2))
    assert refusal(app.credentials, ann["IdentityId"], {SERVICE: bob["Token"]})[:2] == REFUSED
    other = Pool(account, DeveloperProviderName=PROVIDER).app()
    assert refusal(other.get_id, {SERVICE: ann["Token"]})[:2] == REFUSED


def test_users_are_looked_up_merged_and_unlinked(account, pool):
    identity = account.identity
    ann, bob = next(_users), next(_users)
    a, b = token(account, pool, ann)["IdentityId"], token(account, pool, bob)["IdentityId"]
    found = identity.lookup_developer_identity(IdentityPoolId=pool.id, DeveloperUserIdentifier=bob)
    assert (found["IdentityId"], found["DeveloperUserIdentifierList"]) == (b, [bob])
    mismatch = refusal(identity.lookup_developer_identity, IdentityPoolId=pool.id, IdentityId=a, DeveloperUserIdentifier=bob)
    assert mismatch[1] == "ResourceConflictException"
    merged = identity.merge_developer_identities(
        SourceUserIdentifier=bob, DestinationUserIdentifier=ann, DeveloperProviderName=PROVIDER, IdentityPoolId=pool.id
    )
    assert merged["IdentityId"] == a
    users, members = [], {}
    while True:
        page = identity.lookup_developer_identity(IdentityPoolId=pool.id, IdentityId=a, MaxResults=1, **members)
        users += page["DeveloperUserIdentifierList"]
        if "NextToken" not in page:
            break
        members = {"NextToken": page["NextToken"]}
    assert users == sorted([ann, bob])
    assert token(account, pool, bob)["IdentityId"] == a
    identity.unlink_developer_identity(
        IdentityId=a, IdentityPoolId=pool.id, DeveloperProviderName=PROVIDER, DeveloperUserIdentifier=bob
    )
    assert token(account, pool, bob)["IdentityId"] not in (a, b)


def test_an_app_cannot_ask_for_a_developers_token(pool):
    """It needs the developer's signature: a guest's is refused, and none at all."""
    app = pool.app()
    credentials = app.credentials(app.get_id())["Credentials"]
    for client in (app.identity, with_credentials("cognito-identity", app.endpoint, credentials)):
        refused = refusal(
            client.get_open_id_token_for_developer_identity, IdentityPoolId=pool.id, Logins={PROVIDER: "ann"}
        )
        assert refused[0] == 400
        assert refused[1] in ("MissingAuthenticationTokenException", "AccessDeniedException")
