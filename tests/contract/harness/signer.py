"""SigV4 by the published algorithm, for requests whose signed headers are an SDK's choice and not botocore's."""

import hashlib
import hmac
from datetime import datetime, timezone
from urllib.parse import quote, urlsplit


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def canonical_query(query):
    """Of a query whose names and values are encoded as SigV4 wants them."""
    return "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in query.split("&"))) if query else ""


def authorization(method, target, headers, body, *, key_id, secret, region, service, stamp):
    """The value of `Authorization` that covers exactly these headers, (name, value) pairs."""
    parts = urlsplit(target)
    folded = sorted((name.lower(), " ".join(value.split())) for name, value in headers)
    names = ";".join(name for name, _ in folded)
    canonical = "\n".join([
        method, quote(parts.path, safe="/-_.~"), canonical_query(parts.query),
        *(f"{name}:{value}" for name, value in folded), "", names, hashlib.sha256(body).hexdigest(),
    ])
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = _hmac(key, part)
    signature = _hmac(key, to_sign).hex()
    return f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"


def now():
    return datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
