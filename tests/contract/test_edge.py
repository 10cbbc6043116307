"""The edge: what is refused before any operation runs, and how connections live and end."""

import json
import socket
import time

import pytest

from harness import code, raw
from harness.account import Account
from harness.gateway import Gateway
from harness.pool import Pool

INVOKE = "/2015-03-31/functions/{}/invocations"


@pytest.fixture(scope="module")
def configuration():
    return {
        "CALLGATE_SERVER__CORS_ALLOWED_ORIGINS": "https://app.example.com",
        "CALLGATE_SERVER__BODY_READ_SECONDS": "3",
        "CALLGATE_SERVER__HEADER_READ_SECONDS": "1",
        "CALLGATE_SERVER__BYTES_IN_FLIGHT_MAX": str(16 << 20),
    }


@pytest.fixture(scope="module")
def echo(account):
    return account.function(code.ECHO, Timeout=30, MemorySize=512, Tags={"callgate:allow": "guests"})


def json_target(operation):
    return {"X-Amz-Target": f"AWSCognitoIdentityService.{operation}", "Content-Type": "application/x-amz-json-1.1"}


# What is not there, and what is broken.


@pytest.mark.parametrize("target", ["/2015-03-31/nothing", "/2099-01-01/functions", "/..", "/%00", "/callgate/v1/nothing"])
def test_an_unknown_path(gateway, target):
    answer = raw.signed(gateway.endpoint, "GET", target)
    assert answer.status == 404
    assert answer.headers["x-amzn-requestid"]


def test_an_unknown_target(gateway):
    answer = raw.exchange(gateway.endpoint, "POST", "/", json_target("MakeCoffee"), b"{}")
    assert (answer.status, answer.error) == (400, "UnknownOperationException")
    assert json.loads(answer.body)["__type"] == "UnknownOperationException"
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b'{"IdentityPoolId": 7}'])
def test_a_broken_body(gateway, body):
    answer = raw.exchange(gateway.endpoint, "POST", "/", json_target("GetId"), body)
    assert answer.status == 400, answer
    assert answer.error in ("SerializationException", "ValidationException", "InvalidParameterException"), answer


@pytest.mark.parametrize("kind", ["text/html", "multipart/form-data; boundary=x", "application/xml", "nonsense"])
def test_a_wrong_content_type(gateway, kind):
    headers = {**json_target("GetId"), "Content-Type": kind}
    answer = raw.exchange(gateway.endpoint, "POST", "/", headers, b"{}")
    assert (answer.status, answer.error) == (415, "UnsupportedMediaTypeException")


def test_a_body_announced_as_too_large_is_never_read(gateway, echo):
    """The refusal comes without a byte of the body having been sent."""
    for length in (6_291_457, 10**15):
        headers = raw.signed_headers("POST", gateway.endpoint + INVOKE.format(echo), b"{}")
        headers["Content-Length"] = str(length)
        answer = raw.exchange(gateway.endpoint, "POST", INVOKE.format(echo), headers, timeout=5)
        assert (answer.status, answer.error) == (413, "RequestTooLargeException")


def test_a_chunked_body_ends_at_the_limit_too(gateway, echo):
    target = INVOKE.format(echo)
    headers = raw.signed_headers("POST", gateway.endpoint + target, b"{}")
    headers.pop("Content-Length", None)
    headers["Transfer-Encoding"] = "chunked"
    chunk = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
    with raw.connect(gateway.endpoint, timeout=10) as connection:
        connection.sendall(raw.head("POST", target, connection_host(gateway), headers))
        try:
            for _ in range(8):
                connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = raw.read_answer(connection)
    assert (answer.status, answer.error) == (413, "RequestTooLargeException")


def connection_host(gateway):
    return gateway.endpoint.split("//")[1]


def test_a_slow_body_is_not_waited_for(gateway, echo):
    target = INVOKE.format(echo)
    headers = raw.signed_headers("POST", gateway.endpoint + target, b'{"slow":1}')
    headers["Content-Length"] = "10"
    began = time.monotonic()
    with raw.connect(gateway.endpoint, timeout=10) as connection:
        connection.sendall(raw.head("POST", target, connection_host(gateway), headers) + b'{"sl')
        answer = raw.read_answer(connection)
    assert (answer.status, answer.error) == (408, "RequestTimeoutException")
    assert 2 < time.monotonic() - began < 9


def test_slow_headers_end_the_connection(gateway):
    with raw.connect(gateway.endpoint, timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        answered = b""
        while chunk := connection.recv(65536):
            answered += chunk
    # Closed within the timeout above: without a word, or with the word for it.
    assert answered == b"" or answered.startswith(b"HTTP/1.1 408"), answered


def test_too_many_bytes_in_flight(gateway, account, echo):
    """Four bodies of 5 MiB do not fit into 16 MiB. Whoever is over gets 503 and goes; whoever is in is served."""
    body = b'"' + b"x" * (5 << 20) + b'"'
    target = INVOKE.format(echo)
    held = []
    headers = {**raw.signed_headers("POST", gateway.endpoint + target, body), "Content-Length": str(len(body))}
    try:
        for _ in range(3):
            connection = raw.connect(gateway.endpoint, timeout=10)
            connection.sendall(raw.head("POST", target, connection_host(gateway), headers) + body[:-1])
            held.append(connection)
        answer = raw.exchange(gateway.endpoint, "POST", target, headers, body, timeout=10)
        assert (answer.status, answer.error) == (503, "ServiceUnavailableException"), answer
        assert int(answer.headers["retry-after"]) >= 1
        for connection in held:
            connection.sendall(body[-1:])
        assert [raw.read_answer(connection).status for connection in held] == [200, 200, 200]
    finally:
        for connection in held:
            connection.close()
    assert account.call(echo, "room again")["json"] == "room again"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(500)) + b"\r\n",
    ],
)
def test_what_is_no_http_costs_a_connection_and_nothing_else(gateway, request_bytes):
    with raw.connect(gateway.endpoint, timeout=10) as connection:
        try:
            connection.sendall(request_bytes)
            first = connection.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            first = b""
    assert first == b"" or first.split(b" ")[1] in (b"400", b"431", b"505"), first
    assert raw.exchange(gateway.endpoint, "GET", "/healthz").status == 200


def test_every_refusal_has_a_request_id_of_its_own(gateway):
    seen = [raw.exchange(gateway.endpoint, "POST", INVOKE.format("f"), {}, b"{}").headers["x-amzn-requestid"] for _ in range(5)]
    assert len(set(seen)) == 5


def test_a_connection_serves_many_requests(gateway):
    with raw.connect(gateway.endpoint, timeout=10) as connection:
        for _ in range(5):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert raw.read_answer(connection).status == 200


# What operators look at.


def test_health_and_metrics(gateway, account, echo):
    assert raw.exchange(gateway.endpoint, "GET", "/healthz").status == 200
    assert raw.exchange(gateway.endpoint, "GET", "/readyz").status == 200
    account.call(echo, 1)
    answer = raw.exchange(gateway.endpoint, "GET", "/metrics")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.body.decode().splitlines()
    assert any(line.startswith("# TYPE callgate_") for line in lines)


# Browsers.


HEADERS = (
    "authorization", "x-amz-date", "x-amz-security-token", "x-amz-client-context", "content-type",
    "content-encoding", "callgate-timeout-ms", "callgate-on-disconnect",
)


def preflight(gateway, origin):
    return raw.exchange(
        gateway.endpoint,
        "OPTIONS",
        INVOKE.format("any"),
        {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": ",".join(HEADERS),
        },
    )


def test_browsers_of_a_listed_origin_may_call(gateway):
    answer = preflight(gateway, "https://app.example.com")
    assert answer.status in (200, 204)
    assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
    allowed = answer.headers["access-control-allow-headers"].lower()
    for header in HEADERS:
        assert header in allowed or allowed == "*"
    for method in ("POST", "DELETE"):
        assert method in answer.headers["access-control-allow-methods"] or answer.headers["access-control-allow-methods"] == "*"


def test_a_browser_sees_answers_and_their_headers(gateway, echo):
    answer = raw.signed(gateway.endpoint, "POST", INVOKE.format(echo), b"1", {"Origin": "https://app.example.com"})
    assert (answer.status, answer.body) == (200, b"1")
    assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
    exposed = answer.headers["access-control-expose-headers"].lower()
    for header in ("x-amzn-requestid", "x-amz-function-error", "x-amz-log-result", "x-amzn-errortype"):
        assert header in exposed


def test_other_origins_may_not(gateway):
    for origin in ("https://evil.example.com", "https://app.example.com.evil.com", "http://app.example.com", "null"):
        assert "access-control-allow-origin" not in preflight(gateway, origin).headers, origin


# Leaving.


def test_a_client_that_leaves_costs_nothing(gateway, account):
    """The function runs on, its answer is read, and its sandbox serves the next call."""
    name = account.function(
        "let calls = 0;\nexports.handler = async (ms) => { await new Promise((r) => setTimeout(r, ms)); return ++calls; };",
        Timeout=10,
    )
    assert account.call(name, 0)["json"] == 1
    target = INVOKE.format(name)
    with raw.connect(gateway.endpoint) as connection:
        headers = {**raw.signed_headers("POST", gateway.endpoint + target, b"300"), "Content-Length": "3"}
        connection.sendall(raw.head("POST", target, connection_host(gateway), headers) + b"300")
        # Long enough for the call to have begun, and too short for it to have ended.
        connection.settimeout(0.15)
        with pytest.raises(socket.timeout):
            connection.recv(1)
    raw.eventually(lambda: account.call(name, 0)["json"] >= 3)


# The two doors.


@pytest.fixture
def beyond_loopback(tmp_path):
    gateway = Gateway(
        tmp_path,
        listen="0.0.0.0:0",
        configuration={
            "CALLGATE_SERVER__ALLOW_PLAINTEXT": "true",
            "CALLGATE_SERVER__PUBLIC_URL": "http://gate.example.com",
            "CALLGATE_SERVER__MANAGEMENT_LISTEN": "127.0.0.1:0",
        },
    ).start()
    yield gateway
    gateway.stop()


def test_management_has_a_door_of_its_own_beyond_loopback(beyond_loopback):
    gateway = beyond_loopback
    data = gateway.endpoint.replace("0.0.0.0", "127.0.0.1")
    gateway.ready["listen"] = data
    assert gateway.management != data
    account = Account(gateway)
    name = account.function(code.ECHO, Tags={"callgate:allow": "guests"})
    _, app = Pool(account).app().guest()
    assert account.call(name, "by the data door", app)["json"] == "by the data door"
    for method, target in [("GET", "/2015-03-31/functions"), ("DELETE", f"/2015-03-31/functions/{name}")]:
        answer = raw.signed(data, method, target)
        assert (answer.status, answer.error) == (404, "UnknownOperationException"), answer
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = raw.signed(data, "POST", "/", b"Action=ListRoles&Version=2010-05-08", form, service="iam")
    assert answer.status == 404
    assert raw.exchange(data, "GET", "/metrics").status == 404
    assert raw.exchange(data, "GET", "/healthz").status == 200
    assert raw.exchange(gateway.management, "GET", "/metrics").status == 200


@pytest.mark.parametrize(
    "configuration, complaint",
    [
        ({}, "public_url"),
        ({"CALLGATE_SERVER__PUBLIC_URL": "https://gate.example.com"}, "allow_plaintext"),
    ],
)
def test_beyond_loopback_it_must_be_safe_to_serve(tmp_path, configuration, complaint):
    gateway = Gateway(tmp_path, listen="0.0.0.0:0", configuration=configuration)
    done = gateway.command("serve", "--listen", "0.0.0.0:0", "--data-dir", gateway.data_dir, "--ready-json", check=False)
    assert done.returncode != 0 and complaint in done.stderr
