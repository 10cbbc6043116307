"""Signatures, against botocore's own signer: what it signs is accepted, whatever the path, query and headers look like;
and nothing else is (AWS General Reference, "Create a signed AWS API request")."""

import datetime
import random
import string
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness import code, raw
from harness.gateway import REGION, ROOT_KEY_ID, ROOT_SECRET
from harness.pool import Pool

# Wrong signatures end here; a right one gets on to the question what was asked.
UNKNOWN = ("UnknownOperationException", "ResourceNotFoundException", "ValidationException", "InvalidParameterValueException")


@pytest.fixture(scope="module")
def echo(account):
    return account.function(code.ECHO, Tags={"callgate:allow": "guests"})


def passes(answer):
    """The signature was right, whatever came of the request."""
    return answer.status < 300 or answer.error in UNKNOWN or (answer.status == 400 and "Signature" not in answer.error)


ODD_QUERIES = [
    "",
    "?",
    "?Qualifier=%24LATEST",
    "?b=2&a=1&a=0",
    "?a&b=&=c",
    "?a=%20b%2Bc",
    "?A=1&a=2&aa=3&a-=4&a%2D=5",
    "?q=%C3%BC%F0%9F%8E%89",
    "?marker=a%2Fb%3Dc%26d",
    "?x=1&x=1&x=",
    "?long=" + "y" * 2000,
]


@pytest.mark.parametrize("query", ODD_QUERIES)
def test_odd_queries(gateway, query):
    answer = raw.signed(gateway.endpoint, "GET", "/2015-03-31/functions" + query)
    assert passes(answer), answer


@pytest.mark.parametrize(
    "name",
    ["plain", "a.b", "a b", "a%2Fb", "ü", "日本", "a+b", "a=b", "a:b", "a~b", "(a)", "a'b", "a%25b", "a%2525b", "$LATEST", "*", "a;b", "@"],
)
def test_odd_paths(gateway, name):
    """The path that is signed is the path as sent, encoded once more; `name` goes onto the wire percent-encoded."""
    target = "/2015-03-31/functions/" + quote(name, safe="%:~")
    answer = raw.signed(gateway.endpoint, "GET", target)
    assert passes(answer), answer


@pytest.mark.parametrize("target", ["/2015-03-31/functions/", "/2015-03-31//functions", "/2015-03-31/./functions", "/2015-03-31/x/../functions"])
def test_paths_that_normalise(gateway, target):
    """botocore signs the normal form of a path; what is served is the path as sent."""
    answer = raw.signed(gateway.endpoint, "GET", target)
    assert answer.error not in ("InvalidSignatureException", "IncompleteSignatureException"), answer


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Amz-Meta": "  folded   inner    spaces  "},
        {"x-amz-upper": "A", "X-AMZ-lower": "b"},
        {"X-Custom": "not signed by need", "Content-Type": "application/json; charset=utf-8"},
        {"X-Amz-Empty": ""},
        {"X-Amz-Comma": "a,b, c"},
        {"X-Amz-Quoted": '"a  b"'},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_odd_headers(gateway, headers):
    answer = raw.signed(gateway.endpoint, "GET", "/2015-03-31/functions", b"", headers)
    assert passes(answer), answer


def test_random_requests(gateway, echo):
    """A seeded crowd: paths, queries, headers and bodies nobody thought of."""
    dice = random.Random(20150709)
    alphabet = string.ascii_letters + string.digits + "-._~ !$&'()*+,;=:@%/?#[]\"<>\\^`{|}äß€𐍈\u00a0"
    word = lambda longest: "".join(dice.choice(alphabet) for _ in range(dice.randint(0, longest)))
    for number in range(150):
        query = "&".join(
            quote(word(8), safe="") + dice.choice(["", "=" + quote(word(12), safe="")]) for _ in range(dice.randint(0, 5))
        )
        target = f"/2015-03-31/functions/{quote(word(12) or 'x', safe='')}" + ("?" + query if query else "")
        # botocore sends header values as they are; HTTP allows visible ASCII.
        visible = lambda: "".join(dice.choice(string.ascii_letters + string.digits + " ,;=/-") for _ in range(dice.randint(0, 20)))
        headers = {f"X-Amz-{number}-{index}": visible() for index in range(dice.randint(0, 3))}
        answer = raw.signed(gateway.endpoint, "GET", target, b"", headers)
        assert passes(answer), (number, target, headers, answer)
        body = b'"' + bytes(dice.choices(string.ascii_letters.encode(), k=dice.randint(0, 300))) + b'"'
        answer = raw.signed(gateway.endpoint, "POST", f"/2015-03-31/functions/{echo}/invocations", body, headers)
        assert (answer.status, answer.body) == (200, body)


# Every way to forge. Each changes one thing of a request that is good.


def good(gateway, echo, body=b'{"a":1}', credentials=None, headers=()):
    target = f"/2015-03-31/functions/{echo}/invocations"
    sent = {"X-Amz-Log-Type": "None", **dict(headers)}
    how = {"credentials": credentials} if credentials else {}
    return target, raw.signed_headers("POST", gateway.endpoint + target, body, sent, **how), body


def send(gateway, target, headers, body, method="POST"):
    return raw.exchange(gateway.endpoint, method, target, headers, body)


def authorization(headers, **changes):
    """The Authorization header with some of Credential, SignedHeaders and Signature replaced."""
    algorithm, rest = headers["Authorization"].split(" ", 1)
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    parts.update(changes)
    text = ", ".join(f"{name}={value}" for name, value in parts.items() if value is not None)
    return {**headers, "Authorization": f"{algorithm} {text}"}


def test_the_request_that_the_forgers_start_from_is_good(gateway, echo):
    target, headers, body = good(gateway, echo)
    assert send(gateway, target, headers, body).body == body


def flip(text, at=-1):
    other = "0" if text[at] != "0" else "1"
    return text[: at % len(text)] + other + text[at % len(text) + 1 :]


FORGERIES = {
    "another body": lambda t, h, b: (t, h, b'{"a":2}'),
    "no body": lambda t, h, b: (t, h, b""),
    "another path": lambda t, h, b: (t.replace("functions/", "functions/x"), h, b),
    "another query": lambda t, h, b: (t + "?Qualifier=%24LATEST", h, b),
    "another signed header's value": lambda t, h, b: (t, {**h, "X-Amz-Log-Type": "Tail"}, b),
    "a signed header is gone": lambda t, h, b: (t, {n: v for n, v in h.items() if n != "X-Amz-Log-Type"}, b),
    "another host": lambda t, h, b: (t, {**h, "Host": "example.com"}, b),
    "another date": lambda t, h, b: (t, {**h, "X-Amz-Date": flip(h["X-Amz-Date"], -2)}, b),
    "another signature": lambda t, h, b: (t, {**h, "Authorization": flip(h["Authorization"])}, b),
    "an empty signature": lambda t, h, b: (t, authorization(h, Signature=""), b),
    "a signature in capitals": lambda t, h, b: (t, authorization(h, Signature=h["Authorization"][-64:].upper().translate(str.maketrans("ABCDEF", "ABCDE0"))), b),
    "fewer signed headers": lambda t, h, b: (t, authorization(h, SignedHeaders="host;x-amz-date"), b),
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_forgeries(gateway, echo, kind):
    answer = send(gateway, *FORGERIES[kind](*good(gateway, echo)))
    assert answer.status in (400, 403), answer
    assert answer.error in ("InvalidSignatureException", "IncompleteSignatureException"), answer
    assert b'{"a"' not in answer.body


def test_a_header_that_had_to_be_signed(gateway, echo):
    """Added on the way: every x-amz-*, callgate-* and idempotency-key header that is there must be signed."""
    for name in ("X-Amz-Client-Context", "X-Amz-Invocation-Type", "Callgate-Timeout-Ms", "Idempotency-Key"):
        target, headers, body = good(gateway, echo)
        answer = send(gateway, target, {**headers, name: "e30="}, body)
        assert answer.status in (400, 403) and "Signature" in answer.error, (name, answer)


def test_a_header_twice_of_which_one_was_signed(gateway, echo):
    target, headers, body = good(gateway, echo)
    for pairs in ([*headers.items(), ("X-Amz-Log-Type", "Tail")], [("X-Amz-Log-Type", "Tail"), *headers.items()]):
        answer = send(gateway, target, pairs, body)
        assert (answer.status, answer.error) == (403, "InvalidSignatureException"), answer


def test_headers_of_sdks_need_not_be_signed(gateway, echo):
    target, headers, body = good(gateway, echo)
    answer = send(gateway, target, {**headers, "amz-sdk-request": "attempt=2; max=3", "amz-sdk-invocation-id": "x"}, body)
    assert answer.status == 200


def signed_at(gateway, echo, offset, monkeypatch):
    moment = datetime.datetime.now(datetime.timezone.utc) + offset
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: moment.replace(tzinfo=None))
    made = good(gateway, echo)
    assert made[1]["X-Amz-Date"] == moment.strftime("%Y%m%dT%H%M%SZ"), "botocore took its time from elsewhere"
    return made


@pytest.mark.parametrize("minutes, passes", [(-14, True), (14, True), (-16, False), (16, False), (-1440, False)])
def test_fifteen_minutes_of_skew(gateway, echo, monkeypatch, minutes, passes):
    answer = send(gateway, *signed_at(gateway, echo, datetime.timedelta(minutes=minutes), monkeypatch))
    if passes:
        assert answer.status == 200, answer
    else:
        assert (answer.status, answer.error) == (403, "InvalidSignatureException"), answer
        assert b"Signature expired" in answer.body or b"Signature not yet current" in answer.body


@pytest.mark.parametrize("scope", [
    {"service": "s3"}, {"service": "iam"}, {"region": "eu-west-1"},
])
def test_another_scope(gateway, echo, scope):
    target = f"/2015-03-31/functions/{echo}/invocations"
    headers = raw.signed_headers("POST", gateway.endpoint + target, b"{}", **scope)
    answer = send(gateway, target, headers, b"{}")
    assert (answer.status, answer.error) == (403, "InvalidSignatureException"), answer
    assert b"Credential should be scoped to" in answer.body


@pytest.mark.parametrize(
    "header, error",
    [
        (None, "MissingAuthenticationTokenException"),
        ("", "IncompleteSignatureException"),
        ("Basic dXNlcjpwYXNz", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=x", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=AKIA/20150709/us-east-1/lambda/aws4_request, SignedHeaders=host;x-amz-date", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=AKIA, SignedHeaders=host, Signature=00", "IncompleteSignatureException"),
    ],
)
def test_authorization_headers_that_are_none(gateway, echo, header, error):
    headers = {} if header is None else {"Authorization": header}
    answer = send(gateway, f"/2015-03-31/functions/{echo}/invocations", headers, b"{}")
    assert answer.error in (error, "MissingAuthenticationTokenException"), answer
    assert answer.status in (400, 403)


def test_an_unknown_key(gateway, echo):
    target, headers, body = good(gateway, echo, credentials=Credentials("AKIANOSUCHKEYAAAAAAA", ROOT_SECRET))
    answer = send(gateway, target, headers, body)
    assert (answer.status, answer.error) == (403, "UnrecognizedClientException")
    assert b"The security token included in the request is invalid" in answer.body


def test_keys_and_tokens_of_different_callers(gateway, account, echo):
    app = Pool(account).app()
    one, other = (app.credentials(app.get_id())["Credentials"] for _ in range(2))
    of = lambda key, secret, token: Credentials(key["AccessKeyId"], secret["SecretKey"], token["SessionToken"])
    assert send(gateway, *good(gateway, echo, credentials=of(one, one, one))).status == 200
    for mixed in (of(one, one, other), of(one, other, one), of(other, one, one)):
        answer = send(gateway, *good(gateway, echo, credentials=mixed))
        assert answer.status == 403 and answer.error in ("UnrecognizedClientException", "InvalidSignatureException"), answer
    without = Credentials(one["AccessKeyId"], one["SecretKey"])
    assert send(gateway, *good(gateway, echo, credentials=without)).status == 403
    with_token = Credentials(ROOT_KEY_ID, ROOT_SECRET, one["SessionToken"])
    assert send(gateway, *good(gateway, echo, credentials=with_token)).status == 403


@pytest.mark.parametrize("hash", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0" * 64])
def test_the_bodys_hash_is_always_checked(gateway, echo, hash):
    target = f"/2015-03-31/functions/{echo}/invocations"
    request = AWSRequest(method="POST", url=gateway.endpoint + target, data=b"{}", headers={"X-Amz-Content-SHA256": hash})

    class Signer(SigV4Auth):
        def payload(self, _request):
            return hash

    Signer(raw.ROOT, "lambda", REGION).add_auth(request)
    answer = send(gateway, target, dict(request.headers.items()), b"{}")
    assert answer.status in (400, 403) and "Signature" in answer.error, answer


class BodySigner(SigV4QueryAuth):
    """botocore moves a body into the query when it presigns; this one signs it where it is."""

    def _modify_request_before_signing(self, request):
        body, request.data = request.data, b""
        super()._modify_request_before_signing(request)
        request.data = body


def presigned(gateway, target, body=b"", method="POST", service="lambda", credentials=raw.ROOT, expires=60, headers=()):
    request = AWSRequest(method=method, url=gateway.endpoint + target, data=body)
    for name, value in dict(headers).items():
        request.headers[name] = value
    BodySigner(credentials, service, REGION, expires=expires).add_auth(request)
    return request.url.removeprefix(gateway.endpoint)


def test_a_presigned_invocation(gateway, account, echo):
    target = f"/2015-03-31/functions/{echo}/invocations"
    url = presigned(gateway, target, b'{"a":1}')
    assert send(gateway, url, {}, b'{"a":1}').body == b'{"a":1}'
    answer = send(gateway, url, {}, b'{"a":2}')
    assert (answer.status, answer.error) == (403, "InvalidSignatureException")
    app = Pool(account).app()
    key = app.credentials(app.get_id())["Credentials"]
    guest = Credentials(key["AccessKeyId"], key["SecretKey"], key["SessionToken"])
    url = presigned(gateway, target, b"{}", credentials=guest, headers={"Idempotency-Key": "k"})
    assert send(gateway, url, {"Idempotency-Key": "k"}, b"{}").body == b"{}"
    answer = send(gateway, url, {"Idempotency-Key": "l"}, b"{}")
    assert (answer.status, answer.error) == (403, "InvalidSignatureException")
    answer = send(gateway, url, {"Idempotency-Key": "k", "X-Amz-Log-Type": "Tail"}, b"{}")
    assert (answer.status, answer.error) == (403, "InvalidSignatureException"), "a header that had to be signed"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_presigned_url_of_boto3(gateway, account, method):
    """What `aws eks get-token` and its like hand to others, who need nothing but the URL."""
    url = account.sts.generate_presigned_url("get_caller_identity", ExpiresIn=900, HttpMethod=method)
    answer = raw.exchange(gateway.management, method, "/" + url.split("/", 3)[3])
    assert answer.status == 200 and f"<Account>{account.id}</Account>".encode() in answer.body, answer
    flipped = raw.exchange(gateway.management, method, "/" + url.split("/", 3)[3].replace("Expires=900", "Expires=899"))
    assert (flipped.status, flipped.error) == (403, "SignatureDoesNotMatch"), flipped


def test_presigned_requests_that_are_good_for_too_long_or_no_longer(gateway, echo, monkeypatch):
    target = f"/2015-03-31/functions/{echo}/invocations"
    answer = send(gateway, presigned(gateway, target, expires=901), {}, b"")
    assert (answer.status, answer.error) == (403, "IncompleteSignatureException"), answer
    past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=120)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: past.replace(tzinfo=None))
    answer = send(gateway, presigned(gateway, target, expires=60), {}, b"")
    assert (answer.status, answer.error) == (403, "InvalidSignatureException"), answer
    assert b"Signature expired" in answer.body
    assert send(gateway, presigned(gateway, target, expires=300), {}, b"").status == 200


def test_random_presigned_requests(gateway):
    """A seeded crowd, each as botocore signs it, and each with one character changed."""
    dice = random.Random(20150831)
    alphabet = string.ascii_letters + string.digits + "-._~ !$&'()*+,;=:@%/?#äß€𐍈"
    word = lambda longest: "".join(dice.choice(alphabet) for _ in range(dice.randint(0, longest)))
    for number in range(100):
        query = "&".join(f"q{index}{quote(word(8), safe='')}={quote(word(12), safe='')}" for index in range(dice.randint(0, 4)))
        target = f"/2015-03-31/functions/{quote(word(12) or 'x', safe='')}" + ("?" + query if query else "")
        url = presigned(gateway, target, method="GET")
        answer = send(gateway, url, {}, b"", "GET")
        assert passes(answer), (number, url, answer)
        at = url.index("X-Amz-Signature=") + 16 + dice.randrange(64)
        answer = send(gateway, flip(url, at), {}, b"", "GET")
        assert (answer.status, answer.error) == (403, "InvalidSignatureException"), (number, answer)
