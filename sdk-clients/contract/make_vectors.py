#!/usr/bin/env python3
"""Writes the vectors beside it: what every SDK must do, as data. `make_vectors.py --check` only compares.

Needs botocore. Signatures are botocore's, and are computed a second time here by the published algorithm; the two must agree.
The rules behind the other files are those of README.md, put down once more as a few lines of Python.
"""

import base64
import datetime
import hashlib
import hmac
import json
import math
import pathlib
import sys
from urllib.parse import quote, urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.credentials

import cases_calls
import cases_errors
import cases_json

FOLDER = pathlib.Path(__file__).parent / "vectors"
NOW = datetime.datetime(2026, 3, 14, 15, 9, 26, tzinfo=datetime.timezone.utc)
ACCESS_KEY, SECRET = "ASIACALLGATEVECTOR00", "vectors/only+Secret0123456789abcdefghij"
TOKEN = "cg1.k1." + base64.urlsafe_b64encode(bytes(range(96))).decode().rstrip("=")
CONTEXT_BYTES_MAX = 3_583

# Retries: README.md, "Retries".
BASE_MS, CAP_MS, ATTEMPTS_MAX = 200, 5_000, 4


class Fixed(datetime.datetime):
    """botocore asks the clock; this one stands still."""

    @classmethod
    def utcnow(cls):
        return NOW.replace(tzinfo=None)

    @classmethod
    def now(cls, tz=None):
        return NOW


botocore.auth.datetime.datetime = Fixed
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda *_, **__: NOW.replace(tzinfo=None)


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def by_the_book(method, url, headers, body, region, service, secret):
    """The algorithm as published: canonical request, string to sign, signature."""
    parts = urlsplit(url)
    path = "/".join(quote(piece, safe="-._~") for piece in (parts.path or "/").split("/"))
    pairs = sorted(tuple((pair + "=").split("=")[:2]) for pair in parts.query.split("&") if pair)
    query = "&".join("=".join(pair) for pair in pairs)
    named = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    names = sorted(named)
    canonical = "\n".join(
        [method, path, query, *(f"{name}:{named[name]}" for name in names), "", ";".join(names), sha256(body)]
    )
    stamp = named["x-amz-date"]
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, sha256(canonical.encode())])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return canonical, to_sign, hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest(), ";".join(names), scope


def signed(method, url, headers, body, *, region="us-east-1", service="lambda", token=TOKEN):
    """The request's headers as botocore completes them, and how it got there."""
    request = botocore.awsrequest.AWSRequest(method=method, url=url, data=body)
    for name, value in headers.items():
        request.headers[name] = value
    credentials = botocore.credentials.Credentials(ACCESS_KEY, SECRET, token)
    botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    complete = {name: value for name, value in request.headers.items()}
    unsigned = {name: value for name, value in complete.items() if name != "Authorization"}
    unsigned.setdefault("Host", urlsplit(url).netloc)
    canonical, to_sign, signature, names, scope = by_the_book(method, url, unsigned, body, region, service, SECRET)
    expected = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
    assert complete["Authorization"] == expected, (complete["Authorization"], expected)
    return {
        "canonicalRequest": canonical,
        "stringToSign": to_sign,
        "headers": dict(sorted((name.lower(), value) for name, value in complete.items())),
    }


def signatures():
    vectors = []
    for identifier, why, method, url, headers, body, how in cases_calls.SIGNED:
        data = body.encode() if isinstance(body, str) else body
        token = TOKEN if how.get("token", True) else None
        done = signed(method, url, headers, data, token=token, **{k: v for k, v in how.items() if k != "token"})
        vectors.append({
            "id": identifier, "why": why, "method": method, "url": url,
            "region": how.get("region", "us-east-1"), "service": how.get("service", "lambda"),
            "accessKeyId": ACCESS_KEY, "secretKey": SECRET, "sessionToken": token,
            "date": NOW.strftime("%Y%m%dT%H%M%SZ"), "epochMs": int(NOW.timestamp() * 1000),
            "headers": headers, "bodyBase64": base64.b64encode(data).decode(),
            "expected": done,
        })
    return vectors


def calls():
    """Whole requests: from what an app asks for to what goes over the wire."""
    vectors = []
    for identifier, why, call in cases_calls.CALLS:
        path = f"/2015-03-31/functions/{quote(call['function'], safe='-._~')}/"
        query = f"?Qualifier={quote(call['qualifier'], safe='-._~')}" if call.get("qualifier") else ""
        key = call.get("idempotencyKey")
        if call.get("cancel"):
            method, body, headers = "DELETE", b"", {}
            path += f"invocations/{quote(key or call['invocationId'], safe='-._~')}"
        else:
            method, body = "POST", call["payload"].encode()
            path += "invocations"
            headers = {
                "Content-Type": "application/json",
                "amz-sdk-invocation-id": call["invocationId"],
                "amz-sdk-request": f"attempt={call['attempt']}; max={ATTEMPTS_MAX}",
            }
            if call.get("remainingMs"):
                headers["Callgate-Timeout-Ms"] = str(call["remainingMs"])
            if key:
                headers["Idempotency-Key"] = key
            if call.get("clientContext"):
                headers["X-Amz-Client-Context"] = base64.b64encode(call["clientContext"].encode()).decode()
        url = cases_calls.ENDPOINT + path + query
        done = signed(method, url, headers, body)
        vectors.append({
            "id": identifier, "why": why, "call": call, "region": "us-east-1",
            "accessKeyId": ACCESS_KEY, "secretKey": SECRET, "sessionToken": TOKEN, "epochMs": int(NOW.timestamp() * 1000),
            "expected": {"method": method, "url": url, "headers": done["headers"]},
        })
    return vectors


def contexts():
    vectors = []
    for identifier, why, members in cases_calls.CONTEXTS:
        text = compact(members)
        header = base64.b64encode(text.encode()).decode()
        vectors.append({
            "id": identifier, "why": why, "context": members, "json": text, "header": header,
            "headerBytes": len(header), "fits": len(header) <= CONTEXT_BYTES_MAX,
        })
    return vectors


def delay_ms(retry, random, retry_after_ms=0):
    return retry_after_ms + math.floor(random * min(CAP_MS, BASE_MS * 2 ** (retry - 1)))


def retries():
    """Whole calls: what each attempt meets, the random values drawn, the waits that follow, and how the call ends."""
    vectors = []
    for identifier, why, deadline_ms, attempts, randoms in cases_errors.SCHEDULES:
        now, waits, draws, ended = 0, [], list(randoms), None
        for number, attempt in enumerate(attempts, start=1):
            now += attempt["tookMs"]
            if attempt["outcome"] == "success":
                ended = "success"
            elif not attempt["retry"] or number == ATTEMPTS_MAX:
                ended = attempt["outcome"]
            elif attempt.get("atOnce"):
                waits.append(0)
                continue
            else:
                wait = delay_ms(number, draws.pop(0), attempt.get("retryAfterMs", 0))
                if now + wait >= deadline_ms:
                    # Waiting past the deadline helps nobody: the call ends at once with what it met last.
                    ended = attempt["outcome"]
                else:
                    now += wait
                    waits.append(wait)
                    continue
            break
        assert ended, identifier
        vectors.append({
            "id": identifier, "why": why, "deadlineMs": deadline_ms, "attempts": attempts, "randoms": randoms,
            "expected": {"waitsMs": waits, "attempts": len(waits) + 1, "endsWith": ended, "endsAtMs": now},
        })
    return vectors


def documents():
    settings = {"baseMs": BASE_MS, "capMs": CAP_MS, "attemptsMax": ATTEMPTS_MAX}
    single = [
        {"retry": retry, "random": random, "retryAfterMs": after, "delayMs": delay_ms(retry, random, after)}
        for retry in range(1, 9) for random in (0.0, 0.25, 0.5, 0.999) for after in (0, 2000)
    ]
    return {
        "signatures": {"about": "Requests and their signatures (SigV4), as botocore makes them.", "vectors": signatures()},
        "calls": {"about": "What an app asks for, and the request that goes out. Header names are in lower case.", "vectors": calls()},
        "client-contexts": {"about": "The header's value; compare the decoded JSON. What does not fit is refused before sending.",
                            "bytesMax": CONTEXT_BYTES_MAX, "vectors": contexts()},
        "errors": {"about": "An answer, and the typed error that an app gets. null: the member is absent.", "vectors": cases_errors.errors()},
        "retries": {"about": "Waits of full jitter, alone and in whole calls.", "settings": settings, "delays": single, "vectors": retries()},
        "credentials": {"about": "Whether credentials are used, fetched ahead or waited for; and the clock.", **cases_errors.CREDENTIALS},
        "outbox": {"about": "What becomes of a kept call after an attempt.", "vectors": cases_errors.OUTBOX},
        "json": {"about": "JSON that a function answers, by the type an app asks for, and what that value is as JSON again.",
                 "types": cases_json.TYPES, "vectors": cases_json.VECTORS},
    }


def main():
    stale = []
    for name, document in documents().items():
        names = [vector["id"] for vector in document.get("vectors", [])]
        assert len(names) == len(set(names)), f"{name}: an id twice"
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        path = FOLDER / f"{name}.json"
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                stale.append(path.name)
        else:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(text)
    if stale:
        sys.exit(f"not as make_vectors.py writes them: {', '.join(stale)}")


if __name__ == "__main__":
    main()
