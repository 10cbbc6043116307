"""ID tokens of an OpenID Connect issuer: the good, and every way to be bad (OpenID Connect Core 1.0 §3.1.3.7; RFC 7519;
RFC 8725, JSON Web Token Best Current Practices). A bad token is refused and leaves nothing behind."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from harness.account import refusal
from harness.issuer import Issuer, RsaKey, base64url
from harness.pool import Pool
from harness.raw import eventually


@pytest.fixture(scope="module")
def app(account, issuer):
    return Pool(account, [issuer]).app()


NOW = time.time
STRANGER = RsaKey("rsa-1")  # the name of a key of the issuer's, but another key


def changed(issuer):
    """The payload is changed after signing."""
    head, _, signature = issuer.token("user").split(".")
    payload = {"iss": issuer.url, "aud": issuer.CLIENT, "sub": "root", "iat": int(NOW()), "exp": int(NOW()) + 600}
    return f"{head}.{base64url(json.dumps(payload))}.{signature}"


def unsigned(issuer, algorithm):
    head, payload, _ = issuer.token("user", header={"alg": algorithm}).split(".")
    return f"{head}.{payload}."


def twice(issuer):
    """A claim that stands there twice: two readers might see two users."""
    now = int(NOW())
    payload = f'{{"iss":"{issuer.url}","aud":"{issuer.CLIENT}","sub":"user","sub":"root","iat":{now},"exp":{now + 600}}}'
    key = issuer.keys[0]
    return issuer.signed(json.dumps({"typ": "JWT", "alg": "RS256", "kid": key.kid}), payload, key)


BAD = {
    "expired": lambda issuer: issuer.token("user", iat=int(NOW()) - 1200, exp=int(NOW()) - 120),
    "never expires": lambda issuer: issuer.token("user", drop=["exp"]),
    "expiry is no number": lambda issuer: issuer.token("user", exp="tomorrow"),
    "not valid yet": lambda issuer: issuer.token("user", nbf=int(NOW()) + 300),
    "from the future": lambda issuer: issuer.token("user", iat=int(NOW()) + 300),
    "for another client": lambda issuer: issuer.token("user", aud="another-app"),
    "for a client of almost that name": lambda issuer: issuer.token("user", aud=Issuer.CLIENT + "2"),
    "for nobody": lambda issuer: issuer.token("user", drop=["aud"]),
    "for several, of which one is ours, on nobody's behalf": lambda issuer: issuer.token("user", aud=[Issuer.CLIENT, "other"]),
    "on another client's behalf": lambda issuer: issuer.token("user", aud=[Issuer.CLIENT, "other"], azp="other"),
    "of another issuer": lambda issuer: issuer.token("user", iss="https://accounts.example.com"),
    "of the issuer with a slash": lambda issuer: issuer.token("user", iss=issuer.url + "/"),
    "of no issuer": lambda issuer: issuer.token("user", drop=["iss"]),
    "about nobody": lambda issuer: issuer.token("user", drop=["sub"]),
    "about an empty name": lambda issuer: issuer.token(""),
    "says a claim twice": twice,
    "algorithm none": lambda issuer: unsigned(issuer, "none"),
    "algorithm None": lambda issuer: unsigned(issuer, "None"),
    "signature cut off": lambda issuer: issuer.token("user").rsplit(".", 1)[0] + ".",
    "signed with the public key as a secret": lambda issuer: issuer.token_with_hmac_of_public_key("user"),
    "algorithm of another kind of key": lambda issuer: issuer.token("user", header={"alg": "ES256"}),
    "signed by a stranger": lambda issuer: issuer.token("user", key=STRANGER),
    "changed after signing": changed,
    "brings its own key": lambda issuer: issuer.token("user", key=STRANGER, header={"jwk": STRANGER.jwk()}),
    "names its own keys": lambda issuer: issuer.token("user", key=STRANGER, header={"jku": "http://127.0.0.1:1/keys"}),
    "asks to be understood": lambda issuer: issuer.token("user", header={"crit": ["exp"], "exp": 1}),
    "larger than any real one": lambda issuer: issuer.token("user", filler="x" * 20_000),
    "of two parts": lambda issuer: issuer.token("user").rsplit(".", 1)[0],
    "of five parts": lambda issuer: issuer.token("user") + ".a.b",
    "no token": lambda issuer: "token",
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_tokens(app, issuer, kind):
    status, error, message = refusal(app.get_id, {issuer.login: BAD[kind](issuer)})
    assert (status, error) == (400, "NotAuthorizedException"), message


def test_the_same_tokens_sign_nobody_in_who_knows_an_id(app, issuer):
    guest = app.get_id()
    for kind, make in BAD.items():
        assert refusal(app.credentials, guest, {issuer.login: make(issuer)})[1] == "NotAuthorizedException", kind
    assert app.credentials(guest)["IdentityId"] == guest, "a bad token has changed the guest"


def test_a_good_login_beside_a_bad_one_counts_for_nothing(account, issuer):
    other = Issuer()
    try:
        both = Pool(account, [issuer, other]).app()
        logins = {issuer.login: issuer.token("good"), other.login: other.token("bad", exp=int(NOW()) - 300)}
        assert refusal(both.get_id, logins)[1] == "NotAuthorizedException"
    finally:
        other.close()


@pytest.mark.parametrize(
    "claims",
    [{}, {"aud": [Issuer.CLIENT]}, {"aud": [Issuer.CLIENT, "other"], "azp": Issuer.CLIENT}, {"nbf": 1}, {"azp": Issuer.CLIENT}],
    ids=["plain", "a list of one", "several with azp", "nbf in the past", "azp"],
)
@pytest.mark.parametrize("key", [0, 1], ids=["RSA", "EC"])
def test_good_tokens(app, issuer, claims, key):
    assert app.get_id({issuer.login: issuer.token("somebody", key=issuer.keys[key], **claims)})


def test_a_login_of_an_issuer_that_the_pool_does_not_trust(app):
    stranger = Issuer()
    try:
        assert refusal(app.get_id, {stranger.login: stranger.token("user")})[1] == "NotAuthorizedException"
        assert stranger.requests == [], "an issuer that nobody trusts must not even be asked"
    finally:
        stranger.close()


def test_one_issuers_token_under_anothers_name(account, issuer):
    other = Issuer()
    try:
        both = Pool(account, [issuer, other]).app()
        assert refusal(both.get_id, {other.login: issuer.token("user")})[1] == "NotAuthorizedException"
    finally:
        other.close()


def test_more_than_ten_logins_in_a_request(app, issuer):
    logins = {f"issuer-{number}.example.com": "x" for number in range(11)}
    assert refusal(app.get_id, logins)[1] in ("InvalidParameterException", "NotAuthorizedException", "LimitExceededException")


def test_keys_are_fetched_once_and_a_new_key_is_found(account):
    rotating = Issuer()
    try:
        rotated = Pool(account, [rotating]).app()
        for number in range(5):
            assert rotated.get_id({rotating.login: rotating.token(f"user-{number}")})
        assert rotating.requests == ["/.well-known/openid-configuration", "/keys"]
        rotating.keys.insert(0, RsaKey("rsa-2"))

        def accepted():
            try:
                return rotated.get_id({rotating.login: rotating.token("user-0")})
            except ClientError:
                return None

        # An unknown key makes the gateway ask again, at a bounded rate.
        eventually(accepted, seconds=30)
        asked = len(rotating.requests)
        for number in range(20):
            refusal(rotated.get_id, {rotating.login: rotating.token("user", header={"kid": f"unknown-{number}"})})
        assert len(rotating.requests) <= asked + 2
    finally:
        rotating.close()


def test_an_issuer_that_is_gone_is_named_as_such(account):
    gone = Issuer()
    pool = Pool(account, [gone])
    token = gone.token("user")
    gone.close()
    began = time.monotonic()
    status, error, _ = refusal(pool.app().get_id, {gone.login: token})
    assert (status, error) in [(400, "NotAuthorizedException"), (400, "ExternalServiceException")]
    assert time.monotonic() - began < 10
