#!/usr/bin/env python3
"""Writes tests/vectors/sigv4/requests.json: requests as botocore signs them, byte for byte.

Needs boto3. The output is the same on every run of the same botocore; run it again after an update and look at the
difference. A vector holds what goes over the wire, and with which key, for which scope and when it was signed.
"""

import datetime
import hashlib
import json
import pathlib
import uuid
from urllib.parse import urlsplit

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials

KEY = "AKIDEXAMPLEAKIDEXAMP"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
REGION = "us-east-1"
ENDPOINT = "http://127.0.0.1:7070"
NOW = datetime.datetime(2015, 8, 30, 12, 36, 0, tzinfo=datetime.timezone.utc)
OUT = pathlib.Path(__file__).parents[1] / "vectors" / "sigv4" / "requests.json"

# id, why, method, target, headers, body, service
BY_HAND = [
    ("path-plain", "nothing odd", "GET", "/2015-03-31/functions", {}, "", "lambda"),
    ("path-empty", "an empty path is the root", "GET", "", {}, "", "lambda"),
    ("path-slashes", "repeated slashes fold", "GET", "//a//b///c", {}, "", "lambda"),
    ("path-trailing-slash", "a slash at the end stays", "GET", "/2015-03-31/functions/", {}, "", "lambda"),
    ("path-dots", "dot segments are resolved", "GET", "/a/./b/../c", {}, "", "lambda"),
    ("path-dots-past-root", "no way out of the root", "GET", "/../../a", {}, "", "lambda"),
    ("path-dots-at-end", "a dot at the end leaves no slash", "GET", "/a/b/.", {}, "", "lambda"),
    ("path-space", "an encoded space is encoded once more", "GET", "/a%20b", {}, "", "lambda"),
    ("path-lower-hex", "lower-case digits stay as sent", "GET", "/a%2fb", {}, "", "lambda"),
    ("path-colon", "a bare colon is encoded", "GET", "/functions/arn:aws:lambda", {}, "", "lambda"),
    ("path-reserved", "reserved characters are encoded", "GET", "/a!$&'()*+,;=@b", {}, "", "lambda"),
    ("path-unreserved", "unreserved characters are not", "GET", "/-._~azAZ09", {}, "", "lambda"),
    ("path-encoded-dots", "encoded dots are no dot segments", "GET", "/a/%2E%2E/b", {}, "", "lambda"),
    ("path-utf8", "UTF-8, encoded", "GET", "/%E1%88%B4/%F0%9F%90%8D", {}, "", "lambda"),
    ("query-order", "names are sorted", "GET", "/?b=2&a=1&c=3", {}, "", "lambda"),
    ("query-repeated", "a repeated name is sorted by value", "GET", "/?a=2&a=1&a=10", {}, "", "lambda"),
    ("query-repeated-same", "the same pair twice counts twice", "GET", "/?a=1&a=1", {}, "", "lambda"),
    ("query-empty-value", "a value may be empty", "GET", "/?b=&a=", {}, "", "lambda"),
    ("query-no-equals", "a name alone gets its sign", "GET", "/?b&a", {}, "", "lambda"),
    ("query-empty-name", "a name may be empty", "GET", "/?=1&a=2", {}, "", "lambda"),
    ("query-empty-pairs", "empty pairs are signed as they are", "GET", "/?a=1&&b=2&", {}, "", "lambda"),
    ("query-prefix-names", "names are compared, not pairs", "GET", "/?a-b=1&a=1&a%2Bb=1", {}, "", "lambda"),
    ("query-case", "capitals come first", "GET", "/?a=1&B=2&A=3", {}, "", "lambda"),
    ("query-equals-in-value", "only the first sign divides", "GET", "/?a=b=c", {}, "", "lambda"),
    ("query-plus", "a bare plus stays as sent", "GET", "/?a=b+c", {}, "", "lambda"),
    ("query-lower-hex", "lower-case digits stay as sent", "GET", "/?a=%2f", {}, "", "lambda"),
    ("query-reserved", "bare reserved characters stay as sent", "GET", "/?a=x:y/z@w,v;u", {}, "", "lambda"),
    ("query-utf8", "UTF-8, encoded", "GET", "/?%E1%88%B4=%C3%A4", {}, "", "lambda"),
    ("query-encoded-unreserved", "needless encoding stays as sent", "GET", "/?a=%41", {}, "", "lambda"),
    ("header-spaces", "runs of spaces fold", "GET", "/", {"X-Custom": "  a   b  c  "}, "", "lambda"),
    ("header-tabs", "tabs fold too", "GET", "/", {"X-Custom": "a\t\tb \t c"}, "", "lambda"),
    ("header-quoted", "quotation marks protect nothing", "GET", "/", {"X-Custom": '"a   b"'}, "", "lambda"),
    ("header-empty", "a header may be empty", "GET", "/", {"X-Custom": ""}, "", "lambda"),
    ("header-order", "names are sorted", "GET", "/", {"Zebra": "1", "Apple": "2", "x-b": "3", "x-a": "4"}, "", "lambda"),
    ("header-repeated", "repeated headers are joined in order", "GET", "/", {"X-Custom": ["b", "a", "  c "]}, "", "lambda"),
    ("header-date", "Date instead of X-Amz-Date", "GET", "/", {"Date": "replaced by botocore"}, "", "lambda"),
    ("header-unsigned", "what botocore leaves unsigned", "GET", "/",
     {"User-Agent": "x", "Expect": "100-continue", "X-Amzn-Trace-Id": "Root=1-2-3"}, "", "lambda"),
    ("header-ours", "our own headers are signed like any", "POST", "/",
     {"Idempotency-Key": "k-1", "Callgate-Timeout-Ms": "500"}, "{}", "lambda"),
    ("body-text", "a body", "POST", "/", {"Content-Type": "application/json"}, '{"a":1}', "lambda"),
    ("body-utf8", "a body of UTF-8", "POST", "/", {}, '{"a":"ሴ🐍"}', "lambda"),
    ("body-large", "a body of many blocks", "POST", "/", {}, "x" * 10000, "lambda"),
    ("body-hash-header", "the body's hash as a header", "POST", "/",
     {"X-Amz-Content-SHA256": hashlib.sha256(b"hash").hexdigest()}, "hash", "lambda"),
    ("method-delete", "another method", "DELETE", "/2015-03-31/functions/f", {}, "", "lambda"),
    ("service-sts", "another service", "POST", "/", {}, "Action=GetCallerIdentity", "sts"),
    ("service-callgate", "the gateway's own", "POST", "/callgate/v1/revoke", {}, "{}", "callgate"),
]

# id, why, service, operation, parameters: whole requests of boto3's clients.
BY_CLIENTS = [
    ("client-invoke", "Invoke", "lambda", "invoke",
     {"FunctionName": "greet", "Payload": b'{"name":"Ada"}', "ClientContext": "eyJjdXN0b20iOnt9fQ==", "LogType": "Tail"}),
    ("client-invoke-arn", "Invoke by ARN, with a qualifier", "lambda", "invoke",
     {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:greet", "Qualifier": "$LATEST", "Payload": b"{}"}),
    ("client-invoke-utf8", "a payload of UTF-8", "lambda", "invoke",
     {"FunctionName": "greet", "Payload": '{"name":"Ådä ሴ"}'.encode()}),
    ("client-list-functions", "query parameters", "lambda", "list_functions", {"MaxItems": 10, "Marker": "a/b+c="}),
    ("client-untag", "a repeated query parameter and an ARN in the path", "lambda", "untag_resource",
     {"Resource": "arn:aws:lambda:us-east-1:000000000000:function:greet", "TagKeys": ["b", "a", "ä ö"]}),
    ("client-create-pool", "JSON 1.1", "cognito-identity", "create_identity_pool",
     {"IdentityPoolName": "pool", "AllowUnauthenticatedIdentities": True}),
    ("client-caller-identity", "a form", "sts", "get_caller_identity", {}),
    ("client-create-role", "a form with a document", "iam", "create_role",
     {"RoleName": "r", "AssumeRolePolicyDocument": '{"Version": "2012-10-17", "Statement": []}'}),
]

# id, why, method, target, headers, body, service, seconds: presigned by botocore's SigV4QueryAuth.
PRESIGNED = [
    ("presigned-get", "a signature in the query", "GET", "/2015-03-31/functions", {}, "", "lambda", 900),
    ("presigned-query", "beside other parameters", "GET", "/2015-03-31/functions?MaxItems=10&Marker=a%2Fb%3D", {}, "", "lambda", 60),
    ("presigned-form", "a form in the query", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", {}, "", "sts", 1),
    ("presigned-post", "botocore moves a body into the query", "POST", "/2015-03-31/functions/greet/invocations", {}, '{"name":"Ada"}', "lambda", 300),
    ("presigned-headers", "with signed headers", "POST", "/2015-03-31/functions/greet/invocations",
     {"X-Amz-Client-Context": "eyJjdXN0b20iOnt9fQ==", "Idempotency-Key": "k-1"}, "{}", "lambda", 300),
    ("presigned-utf8", "with UTF-8 in the query", "GET", "/?a=%E1%88%B4&b=%C3%A4%20%2B", {}, "", "lambda", 300),
]


class Captured(Exception):
    """Carries a prepared request out of a client."""


def vector(identifier, why, service, prepared, headers):
    parts = urlsplit(prepared.url)
    target = (parts.path or "/") + (f"?{parts.query}" if "?" in prepared.url else "")
    wire = [["host", parts.netloc]]
    for name, value in headers.items():
        text = value.decode() if isinstance(value, bytes) else str(value)
        if name.lower() != "host":
            wire.append([name.lower(), text])
    body = prepared.body or b""
    body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
    return {"id": identifier, "why": why, "service": service, "method": prepared.method, "target": target,
            "headers": wire, "body": body.decode()}


def by_hand(identifier, why, method, target, headers, body, service):
    request = botocore.awsrequest.AWSRequest(method=method, url=ENDPOINT + target, data=body.encode())
    for name, values in headers.items():
        for value in values if isinstance(values, list) else [values]:
            request.headers.add_header(name, value)
    credentials = botocore.credentials.Credentials(KEY, SECRET)
    botocore.auth.SigV4Auth(credentials, service, REGION).add_auth(request)
    # A prepared request has the last of repeated headers only, so these are the signed request's own.
    return vector(identifier, why, service, request.prepare(), request.headers)


def presigned(identifier, why, method, target, headers, body, service, seconds):
    request = botocore.awsrequest.AWSRequest(method=method, url=ENDPOINT + target, data=body.encode())
    for name, value in headers.items():
        request.headers.add_header(name, value)
    credentials = botocore.credentials.Credentials(KEY, SECRET)
    botocore.auth.SigV4QueryAuth(credentials, service, REGION, expires=seconds).add_auth(request)
    return vector(identifier, why, service, request.prepare(), request.headers)


def by_client(identifier, why, service, operation, parameters):
    client = boto3.client(
        service, region_name=REGION, endpoint_url=ENDPOINT, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
        config=botocore.config.Config(retries={"max_attempts": 0}, user_agent="vectors"))
    captured = []

    def capture(request, **_):
        captured.append(request)
        raise Captured

    client.meta.events.register("before-send.*.*", capture)
    try:
        getattr(client, operation)(**parameters)
    except Captured:
        pass
    return vector(identifier, why, service, captured[0], captured[0].headers)


def main():
    botocore.auth.get_current_datetime = lambda *_, **__: NOW
    uuid.uuid4 = lambda: uuid.UUID("00000000-0000-4000-8000-000000000000")
    vectors = [by_hand(*row) for row in BY_HAND] + [by_client(*row) for row in BY_CLIENTS]
    vectors += [presigned(*row) for row in PRESIGNED]
    document = {"source": f"botocore {botocore.__version__}", "access_key_id": KEY, "secret_access_key": SECRET,
                "region": REGION, "time": NOW.strftime("%Y%m%dT%H%M%SZ"), "requests": vectors}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
