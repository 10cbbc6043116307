"""Cases of requests: signatures, whole calls, client contexts. make_vectors.py computes what is expected."""

ENDPOINT = "https://gate.example.com"
LOCAL = "http://127.0.0.1:7070"
INVOKE = "/2015-03-31/functions/greet/invocations"
ID = "5b0f4c4e-8a62-4d0f-9f0a-2f6f3d7a1c11"

# id, why, method, url, headers, body, how (region, service, token)
SIGNED = [
    ("plain", "nothing odd", "POST", ENDPOINT + INVOKE, {"Content-Type": "application/json"}, "{}", {}),
    ("no-token", "long-lived keys have no session token", "POST", ENDPOINT + INVOKE, {}, "{}", {"token": False}),
    ("port", "a port that is not the scheme's own stands in Host", "POST", LOCAL + INVOKE, {}, "{}", {}),
    ("empty-body", "no body is a body of no bytes", "POST", ENDPOINT + INVOKE, {}, "", {}),
    ("qualifier", "a query parameter", "POST", ENDPOINT + INVOKE + "?Qualifier=prod", {}, "{}", {}),
    ("qualifier-latest", "an encoded dollar sign", "POST", ENDPOINT + INVOKE + "?Qualifier=%24LATEST", {}, "{}", {}),
    ("query-order", "names are sorted, and values under the same name", "GET", ENDPOINT + "/a?b=2&a=10&a=1", {}, "", {}),
    ("query-no-value", "a name alone gets its sign", "GET", ENDPOINT + "/a?flag", {}, "", {}),
    ("arn", "the path is encoded once more", "POST",
     ENDPOINT + "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Agreet/invocations", {}, "{}", {}),
    ("header-spaces", "runs of spaces fold", "POST", ENDPOINT + INVOKE, {"Idempotency-Key": "  a   b  "}, "{}", {}),
    ("header-order", "names are sorted in lower case", "POST", ENDPOINT + INVOKE,
     {"X-Amz-Log-Type": "Tail", "Callgate-Timeout-Ms": "900", "amz-sdk-request": "attempt=2; max=4",
      "amz-sdk-invocation-id": ID, "Idempotency-Key": "order-1"}, "{}", {}),
    ("utf8", "a body of UTF-8", "POST", ENDPOINT + INVOKE, {}, '{"name":"Ådä ሴ 🐍"}', {}),
    ("gzip", "the signature covers the bytes as sent", "POST", ENDPOINT + INVOKE, {"Content-Encoding": "gzip"},
     bytes.fromhex("1f8b08000000000000ff ab564acb57b2524a4a2c52aa050014f7 5aa10d000000".replace(" ", "")), {}),
    ("large", "a body of many blocks", "POST", ENDPOINT + INVOKE, {}, '"' + "x" * 10_000 + '"', {}),
    ("delete", "another method", "DELETE", ENDPOINT + INVOKE + "/" + ID, {}, "", {}),
    ("delete-encoded", "a key with characters that a path cannot hold", "DELETE", ENDPOINT + INVOKE + "/a%2Fb%20c%25", {}, "", {}),
    ("region", "another region", "POST", ENDPOINT + INVOKE, {}, "{}", {"region": "eu-central-2"}),
    ("service", "another service", "POST", ENDPOINT + "/", {}, "Action=GetCallerIdentity", {"service": "sts"}),
]

CONTEXT = '{"client":{"app_title":"Notes"},"env":{"platform":"Android"},"custom":{}}'
ARN = "arn:aws:lambda:us-east-1:000000000000:function:greet"

CALLS = [
    ("first", "the first attempt of a call", {"function": "greet", "payload": '{"name":"Ada"}', "invocationId": ID, "attempt": 1,
                                              "remainingMs": 30_000}),
    ("third", "a retry has the same id, the time that is left, and says which it is",
     {"function": "greet", "payload": '{"name":"Ada"}', "invocationId": ID, "attempt": 3, "remainingMs": 21_417}),
    ("no-deadline", "kept calls have no deadline to send on",
     {"function": "buy", "payload": "{}", "invocationId": ID, "attempt": 1, "idempotencyKey": "outbox-7f3a"}),
    ("keyed", "a call marked so", {"function": "buy", "payload": '{"item":7}', "invocationId": ID, "attempt": 1,
                                   "remainingMs": 30_000, "idempotencyKey": "order/2026%03"}),
    ("context", "with a client context", {"function": "greet", "payload": "{}", "invocationId": ID, "attempt": 1,
                                          "remainingMs": 5_000, "clientContext": CONTEXT}),
    ("qualifier", "an alias", {"function": "greet", "qualifier": "prod", "payload": "{}", "invocationId": ID, "attempt": 1, "remainingMs": 5_000}),
    ("latest", "a qualifier that is encoded", {"function": "greet", "qualifier": "$LATEST", "payload": "{}", "invocationId": ID,
                                               "attempt": 1, "remainingMs": 5_000}),
    ("by-arn", "a function of another account", {"function": ARN, "payload": "{}", "invocationId": ID, "attempt": 1, "remainingMs": 5_000}),
    ("empty", "no argument is no body", {"function": "greet", "payload": "", "invocationId": ID, "attempt": 1, "remainingMs": 5_000}),
    ("cancel", "leaving a call", {"function": "greet", "cancel": True, "invocationId": ID}),
    ("cancel-keyed", "a call with a key is named by it", {"function": "greet", "cancel": True, "invocationId": ID, "idempotencyKey": "order/2026%03"}),
    ("cancel-qualified", "the qualifier belongs to the call's name", {"function": "greet", "qualifier": "prod", "cancel": True, "invocationId": ID}),
]

_CLIENT = {
    "installation_id": "b2f6a1c4-8f0e-4b57-9a86-3d2c5e1f7a90", "app_title": "Notes", "app_version_name": "2.1",
    "app_version_code": "21", "app_package_name": "com.example.notes",
}
_ENV = {"platform": "Android", "platform_version": "16", "make": "Google", "model": "Pixel 10", "locale": "de_CH"}


def _padded(encoded):
    """A context whose header has so many bytes, or one quantum more."""
    empty = len('{"client":{},"env":{},"custom":{"pad":""}}')
    return {"client": {}, "env": {}, "custom": {"pad": "x" * (encoded // 4 * 3 - empty)}}


CONTEXTS = [
    ("whole", "everything an Android device says of itself", {"client": _CLIENT, "env": _ENV, "custom": {}}),
    ("empty", "nothing is known", {"client": {}, "env": {}, "custom": {}}),
    ("some", "what is unknown is absent, never null", {"client": {"app_title": "Notes"}, "env": {"platform": "iOS"}, "custom": {}}),
    ("custom", "what the app adds", {"client": {}, "env": {}, "custom": {"experiment": "b", "tenant": "7"}}),
    ("services", "for code that used the old SDK's services", {"client": {}, "env": {}, "custom": {}, "services": {"mobile_analytics": {"app_id": "x"}}}),
    ("utf8", "UTF-8 before base64", {"client": {"app_title": "Notizen für Ådä 🐍"}, "env": {"locale": "zh_Hant_TW"}, "custom": {}}),
    ("escapes", "quotes, backslashes, line ends and control characters", {"client": {"app_title": 'a "b" \\ c\n\t\u0001/<&>'}, "env": {}, "custom": {}}),
    ("longest", "the largest that fits: base64 comes in fours", _padded(3_580)),
    ("too-long", "one quantum more", _padded(3_584)),
]
