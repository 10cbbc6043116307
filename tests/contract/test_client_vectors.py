"""SDKs that cannot run here, by the bytes they send (tests/vectors/clients): the AWS SDK for Swift, the invokers of the AWS
SDKs for Android and iOS."""

import json
from urllib.parse import urlsplit

import make_client_vectors
import pytest
from harness import code, raw, signer
from harness.gateway import REGION, REPOSITORY
from harness.pool import Pool

VECTORS = json.loads((REPOSITORY / "tests/vectors/clients/requests.json").read_text())["vectors"]


@pytest.fixture(scope="module")
def function(account):
    return account.function(code.SEES, Tags={"callgate:allow": "guests"})


@pytest.fixture(scope="module")
def guest(account):
    app = Pool(account).app()
    identity = app.get_id()
    return identity, app.credentials(identity)["Credentials"]


def play(gateway, credentials, vector, function):
    """Sends a vector, signed now as its SDK would sign it."""
    body = vector["body"].encode()
    places = {"host": urlsplit(gateway.endpoint).netloc, "length": len(body), "function": function}
    target = vector["target"].format(**places)
    stamp = signer.now()
    headers = [(name, value.format(**places) if value.startswith("{") else value) for name, value in vector["headers"]]
    headers += [("X-Amz-Date", stamp), ("X-Amz-Security-Token", credentials["SessionToken"])]
    signed = [(name, value) for name, value in headers if name.lower() not in vector["unsigned"]]
    headers.append(("Authorization", signer.authorization(
        vector["method"], target, signed, body, key_id=credentials["AccessKeyId"], secret=credentials["SecretKey"],
        region=REGION, service=vector["service"], stamp=stamp,
    )))
    return raw.exchange(gateway.endpoint, vector["method"], target, headers, body)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_what_an_sdk_sends_is_understood(gateway, guest, function, vector):
    identity, credentials = guest
    answer = play(gateway, credentials, vector, function)
    assert answer.status == 200, answer
    saw = json.loads(answer.body)
    assert {name: saw[name] for name in vector["saw"]} == vector["saw"]
    assert saw["identity"]["cognitoIdentityId"] == identity


def test_another_signature_is_refused(gateway, guest, function):
    """The rows pass because they are signed rightly, not because nobody looks."""
    _, credentials = guest
    wrong = {**credentials, "SecretKey": credentials["SecretKey"][::-1]}
    answer = play(gateway, wrong, VECTORS[0], function)
    assert (answer.status, answer.error) == (403, "InvalidSignatureException")


def test_the_rows_are_as_their_maker_writes_them():
    assert (REPOSITORY / "tests/vectors/clients/requests.json").read_text() == make_client_vectors.text()


def test_the_signer_signs_as_botocore_does():
    known = json.loads((REPOSITORY / "tests/vectors/sigv4/requests.json").read_text())
    checked = 0
    for vector in known["requests"]:
        headers = dict(vector["headers"])
        value = headers.get("authorization", "")
        # Odd paths and queries are the business of the gateway's own tests.
        if not vector["target"].startswith("/2015-03-31/") or any(odd in vector["target"] for odd in "%+") or not value:
            continue
        names = value.split("SignedHeaders=")[1].split(",")[0].split(";")
        if len(names) != len(set(name for name, _ in vector["headers"]) & set(names)):
            continue
        again = signer.authorization(
            vector["method"], vector["target"], [(name, headers[name]) for name in names], vector["body"].encode(),
            key_id=known["access_key_id"], secret=known["secret_access_key"], region=known["region"],
            service=vector["service"], stamp=known["time"],
        )
        assert again == value, vector["id"]
        checked += 1
    assert checked >= 5
