"""Requests byte by byte, for what no SDK would ever send; and botocore's signer to sign them with."""

import http.client
import socket
import ssl
import time
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness.gateway import REGION, ROOT_KEY_ID, ROOT_SECRET

ROOT = Credentials(ROOT_KEY_ID, ROOT_SECRET)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body

    @property
    def error(self):
        """The error's code, which every refusal carries as a header."""
        return self.headers.get("x-amzn-errortype", "").split(":")[0]

    def __repr__(self):
        return f"{self.status} {self.error} {self.body[:500]!r}"


def signed_headers(method, url, body=b"", headers=(), *, service="lambda", region=REGION, credentials=ROOT):
    """The headers, signature included, that botocore would send."""
    request = AWSRequest(method=method, url=url, data=body)
    for name, value in dict(headers).items():
        request.headers[name] = value
    SigV4Auth(credentials, service, region).add_auth(request)
    return dict(request.headers.items())


def connect(endpoint, *, timeout=30, context=None):
    parts = urlsplit(endpoint)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if parts.scheme == "https":
        context = context or ssl._create_unverified_context()
        connection = context.wrap_socket(connection, server_hostname=parts.hostname)
    return connection


def head(method, target, host, headers):
    """A request's head. `headers` is a mapping or a list of pairs, sent as they are and in that order."""
    pairs = list(headers.items()) if hasattr(headers, "items") else list(headers)
    names = {name.lower() for name, _ in pairs}
    if "host" not in names:
        pairs.insert(0, ("Host", host))
    lines = [f"{method} {target} HTTP/1.1"] + [f"{name}: {value}" for name, value in pairs]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def read_answer(connection):
    response = http.client.HTTPResponse(connection)
    response.begin()
    body = response.read()
    return Answer(response.status, response.getheaders(), body)


def exchange(endpoint, method, target, headers=(), body=b"", *, timeout=30):
    """Sends one request exactly as given and reads its answer."""
    host = urlsplit(endpoint).netloc
    pairs = list(headers.items()) if hasattr(headers, "items") else list(headers)
    names = {name.lower() for name, _ in pairs}
    if "content-length" not in names and "transfer-encoding" not in names:
        pairs.append(("Content-Length", str(len(body))))
    with connect(endpoint, timeout=timeout) as connection:
        connection.sendall(head(method, target, host, pairs))
        try:
            connection.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before the body was read; the answer is what counts
        return read_answer(connection)


def signed(endpoint, method, target, body=b"", headers=(), **how):
    """Signs like botocore, sends byte by byte."""
    complete = signed_headers(method, endpoint + target, body, headers, **how)
    return exchange(endpoint, method, target, complete, body)


def eventually(what, seconds=10):
    """Asks until the answer is true. For things that happen in another process, which nobody announces."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < deadline, "never became true"
        time.sleep(0.02)
