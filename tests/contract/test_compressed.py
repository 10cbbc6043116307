"""Compressed requests: `Content-Encoding: gzip` on Invoke. Ours; docs/cancel.md."""

import gzip
import json
import random
import zlib

import pytest

from harness import code, raw
from harness.gateway import Gateway

SIX_MIB = 6_291_456
GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture(scope="module")
def echo(account):
    return f"/2015-03-31/functions/{account.function(code.ECHO, Timeout=30, MemorySize=512)}/invocations"


def noise(length):
    """JSON text that hardly compresses."""
    return json.dumps(random.Random(length).randbytes(length // 2).hex()[: length - 2]).encode()


def sent(gateway, target, body, headers=GZIP):
    return raw.signed(gateway.endpoint, "POST", target, body, headers)


def refused(answer):
    return answer.status, answer.error, json.loads(answer.body)["message"]


@pytest.mark.parametrize("event", [b"{}", b'{"a":[1,2,"\xc3\xbc"]}', noise(100_000), b"[" + b"1," * 500 + b"1]"])
def test_what_was_compressed_is_what_the_function_gets(gateway, echo, event):
    answer = sent(gateway, echo, gzip.compress(event))
    assert (answer.status, answer.body) == (200, event)


def test_boto3_compresses_by_a_hook(account, gateway, echo):
    def compress(request, **_):
        request.data = gzip.compress(request.data)
        request.headers["Content-Encoding"] = "gzip"

    client = account.client("lambda", read_timeout=61)
    client.meta.events.register("before-sign.lambda.Invoke", compress)
    event = {"scores": list(range(2_000))}
    assert account.call(echo.split("/")[3], event, client=client)["json"] == event


def test_the_limit_is_that_of_the_payload(gateway, echo):
    largest = noise(SIX_MIB)
    answer = sent(gateway, echo, gzip.compress(largest, 1))
    assert (answer.status, answer.body == largest) == (200, True)
    answer = sent(gateway, echo, gzip.compress(noise(SIX_MIB + 1), 1))
    assert (answer.status, answer.error) == (413, "RequestTooLargeException")


@pytest.mark.parametrize(
    "body, what",
    [
        (b"", "it ends before it is whole"),
        (gzip.compress(b"[1,2]")[:-1], "it ends before it is whole"),
        (b'{"as":"it is"}', "it is no valid gzip"),
        (zlib.compress(b"[1,2]"), "it is no valid gzip"),
        (gzip.compress(b"[1,2]")[:-8] + bytes(8), "it is no valid gzip, or its checksum is wrong"),
        (gzip.compress(b"[1,2]") + b"\0", "something else follows its end"),
        (gzip.compress(b"[1,") + gzip.compress(b"2]"), "another gzip member follows its end"),
        (gzip.compress(b" " * 1_000_000), "more than 100 bytes come out of each that was sent"),
    ],
    ids=["empty", "cut", "plain", "zlib", "checksum", "trailing", "members", "dense"],
)
def test_what_cannot_be_inflated(gateway, echo, body, what):
    status, error, message = refused(sent(gateway, echo, body))
    assert (status, error) == (400, "InvalidRequestContentException")
    assert message.startswith(f"Could not decompress the request's body: {what}"), message


def test_a_bomb_leaves_nothing_behind(gateway, echo):
    answer = sent(gateway, echo, gzip.compress(bytes(1 << 27)))
    assert (answer.status, answer.error) == (413, "RequestTooLargeException")
    metrics = raw.exchange(gateway.endpoint, "GET", "/metrics").body.decode()
    assert "callgate_body_bytes_in_flight 0" in metrics


def test_what_comes_out_must_be_json(gateway, echo):
    status, error, message = refused(sent(gateway, echo, gzip.compress(b"nope")))
    assert (status, error) == (400, "InvalidRequestContentException")
    assert "Unrecognized token 'nope'" in message


def test_the_signature_is_over_what_was_sent_and_comes_first(gateway, echo):
    # Signed for what would come out, or for another body: nothing is inflated that nobody vouched for.
    for signed_for, body in ((b"[1]", gzip.compress(b"[1]")), (gzip.compress(b"[1]"), gzip.compress(b"[2]")), (b"[1]", b"no gzip")):
        headers = raw.signed_headers("POST", gateway.endpoint + echo, signed_for, GZIP)
        answer = raw.exchange(gateway.endpoint, "POST", echo, headers, body)
        assert (answer.status, answer.error) == (403, "InvalidSignatureException")


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "zstd"])
def test_other_codings_are_refused_by_name(gateway, echo, coding):
    status, error, message = refused(sent(gateway, echo, b"[1]", {"Content-Encoding": coding}))
    assert (status, error) == (415, "UnsupportedMediaTypeException")
    assert f"the content encoding gzip, not {coding}" in message


def test_identity_is_no_coding(gateway, echo):
    assert sent(gateway, echo, b"[1]", {"Content-Encoding": "identity"}).body == b"[1]"


def test_it_can_be_switched_off(tmp_path):
    gateway = Gateway(tmp_path, configuration={"CALLGATE_SERVER__COMPRESSED_REQUESTS": "false"}).start()
    try:
        target = "/2015-03-31/functions/any/invocations"
        status, error, message = refused(sent(gateway, target, gzip.compress(b"[1]")))
        assert (status, error) == (415, "UnsupportedMediaTypeException")
        assert message == "This gateway takes no compressed requests: send the body as it is, without Content-Encoding."
    finally:
        gateway.stop()
