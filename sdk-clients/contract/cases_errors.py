"""Cases of what may go wrong: answers and the errors they become, schedules of retries, credentials' ages, kept calls."""

import json

REQUEST = "0f4ad3f2-5d0c-4c59-8f38-8b3f1c6a7e55"


def _answer(status, code=None, message=None, *, headers=(), body=None, foreign=False):
    complete = {} if foreign else {"x-amzn-requestid": REQUEST}
    if code:
        complete["x-amzn-errortype"] = code
    complete.update(dict(headers))
    if body is None:
        body = json.dumps({"Type": "User", "message": message}) if message else ""
    return {"status": status, "headers": complete, "body": body}


def _error(kind, code=None, message=None, *, retry=False, **more):
    """`retry`: another attempt may follow. `refresh`: new credentials first, once. `clock`: the server's date first, once.
    `plain`: the same body uncompressed, once."""
    return {"kind": kind, "code": code, "message": message, "retry": retry, **more}


def _function(status_header, body, *, kind="function", **more):
    return {"status": 200, "headers": {"x-amzn-requestid": REQUEST, "x-amz-function-error": status_header}, "body": body}, more | {"kind": kind}


DENIED = ("User: arn:aws:sts::000000000000:assumed-role/guest/CognitoIdentityCredentials is not authorized to perform: "
          "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:back-office because no "
          "identity-based policy allows the lambda:InvokeFunction action")
RATE = '{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate Exceeded."}'

_ANSWERS = [
    ("throttled", "too often: when to come again, why, and whose bucket it was",
     _answer(429, "TooManyRequestsException", headers={"retry-after": "2", "x-callgate-limit": "identity"}, body=RATE),
     _error("throttled", "TooManyRequestsException", "Rate Exceeded.", retry=True, retryAfterMs=2000,
            reason="CallerRateLimitExceeded", limit="identity")),
    ("throttled-concurrency", "without Retry-After the schedule decides alone",
     _answer(429, "TooManyRequestsException", body='{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}'),
     _error("throttled", "TooManyRequestsException", "Rate Exceeded.", retry=True, retryAfterMs=None,
            reason="ConcurrentInvocationLimitExceeded", limit=None)),
    ("throttled-fraction", "what is no whole number of seconds is as if absent",
     _answer(429, "TooManyRequestsException", headers={"retry-after": "soon"}, body=RATE),
     _error("throttled", "TooManyRequestsException", "Rate Exceeded.", retry=True, retryAfterMs=None, reason="CallerRateLimitExceeded", limit=None)),
    ("throttled-400", "Amazon Cognito's model answers it with 400: the code decides",
     _answer(400, body='{"__type":"TooManyRequestsException","message":"Rate exceeded"}'),
     _error("throttled", "TooManyRequestsException", "Rate exceeded", retry=True, retryAfterMs=None, reason=None, limit=None)),
    ("throttling-400", "another name for it", _answer(400, "ThrottlingException", "Rate exceeded"),
     _error("throttled", "ThrottlingException", "Rate exceeded", retry=True, retryAfterMs=None, reason=None, limit=None)),
    ("denied", "policy does not allow it", _answer(403, "AccessDeniedException", DENIED), _error("denied", "AccessDeniedException", DENIED)),
    ("denied-capital", "AWS writes Message too",
     _answer(403, "AccessDeniedException", body='{"Message":"no"}'), _error("denied", "AccessDeniedException", "no")),
    ("expired", "credentials have ended, or were revoked: new ones, once",
     _answer(403, "ExpiredTokenException", "The security token included in the request is expired"),
     _error("authentication", "ExpiredTokenException", "The security token included in the request is expired", refresh=True)),
    ("unrecognized", "the gateway does not know them (its keys changed)",
     _answer(403, "UnrecognizedClientException", "The security token included in the request is invalid."),
     _error("authentication", "UnrecognizedClientException", "The security token included in the request is invalid.", refresh=True)),
    ("skew-past", "the device's clock is behind",
     _answer(403, "InvalidSignatureException", "Signature expired: 20260314T150926Z is now earlier than 20260314T160926Z (20260314T162426Z - 15 min.)"),
     _error("authentication", "InvalidSignatureException",
            "Signature expired: 20260314T150926Z is now earlier than 20260314T160926Z (20260314T162426Z - 15 min.)", clock=True)),
    ("skew-future", "or ahead",
     _answer(403, "InvalidSignatureException", "Signature not yet current: 20260314T150926Z is still later than 20260314T145000Z (20260314T143500Z + 15 min.)"),
     _error("authentication", "InvalidSignatureException",
            "Signature not yet current: 20260314T150926Z is still later than 20260314T145000Z (20260314T143500Z + 15 min.)", clock=True)),
    ("signature", "a wrong key stays wrong",
     _answer(403, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided."),
     _error("authentication", "InvalidSignatureException", "The request signature we calculated does not match the signature you provided.", clock=True)),
    ("not-authorized", "Cognito's word for a login or an id that opens nothing",
     _answer(400, body='{"__type":"NotAuthorizedException","message":"Access to Identity is forbidden."}'),
     _error("authentication", "NotAuthorizedException", "Access to Identity is forbidden.")),
    ("not-authorized-namespaced", "a code may come with a namespace before it",
     _answer(400, body='{"__type":"com.amazonaws.cognito#NotAuthorizedException","message":"no"}'),
     _error("authentication", "NotAuthorizedException", "no")),
    ("code-with-url", "and with an address behind it", _answer(404, "ResourceNotFoundException:http://internal.amazon.com/coral/", "Function not found"),
     _error("not-found", "ResourceNotFoundException", "Function not found")),
    ("not-found", "there is no such function",
     _answer(404, "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:x"),
     _error("not-found", "ResourceNotFoundException", "Function not found: arn:aws:lambda:us-east-1:000000000000:function:x")),
    ("bad-json", "the payload is not JSON", _answer(400, "InvalidRequestContentException", "Could not parse request body into json"),
     _error("invalid-request", "InvalidRequestContentException", "Could not parse request body into json")),
    ("too-large", "the payload is too large", _answer(413, "RequestTooLargeException", "Request must be smaller than 6291456 bytes"),
     _error("invalid-request", "RequestTooLargeException", "Request must be smaller than 6291456 bytes")),
    ("no-gzip", "a gateway that takes no compressed bodies", _answer(415, "UnsupportedMediaTypeException", "Content-Encoding gzip is switched off"),
     _error("invalid-request", "UnsupportedMediaTypeException", "Content-Encoding gzip is switched off", plain=True)),
    ("key-reused", "an Idempotency-Key with another payload", _answer(422, "IdempotencyKeyReusedException", "used with another payload"),
     _error("invalid-request", "IdempotencyKeyReusedException", "used with another payload")),
    ("outcome-unknown", "a crash of the gateway cut the run short; it will not run twice",
     _answer(409, "IdempotencyOutcomeUnknownException", "was interrupted"),
     _error("outcome-unknown", "IdempotencyOutcomeUnknownException", "was interrupted")),
    ("conflict", "any other conflict", _answer(409, "ResourceConflictException", "is being updated"),
     _error("conflict", "ResourceConflictException", "is being updated")),
    ("deadline", "it had not begun by the deadline that was sent", _answer(408, "ClientDeadlineExceededException", "too late"),
     _error("deadline", "ClientDeadlineExceededException", "too late")),
    ("internal", "the gateway failed", _answer(500, "ServiceException", "internal"), _error("service", "ServiceException", "internal", retry=True)),
    ("unavailable", "it is draining, or over a size", _answer(503, "ServiceUnavailableException", "draining", headers={"retry-after": "1"}),
     _error("service", "ServiceUnavailableException", "draining", retry=True, retryAfterMs=1000)),
    ("proxy-502", "a proxy before it cannot reach it", _answer(502, foreign=True, body="<html>Bad Gateway</html>"),
     _error("service", None, "HTTP 502", retry=True)),
    ("proxy-504", "or waited too long", _answer(504, foreign=True), _error("service", None, "HTTP 504", retry=True)),
    ("portal", "a 200 that is not the gateway's: a captive portal", _answer(200, foreign=True, body="<html>Please pay</html>"),
     _error("offline", None, "HTTP 200 from something that is not the gateway", retry=True)),
    ("portal-redirect", "redirects are not followed", _answer(302, foreign=True, headers={"location": "http://hotel.example/"}),
     _error("offline", None, "HTTP 302 from something that is not the gateway", retry=True)),
    ("teapot", "what nobody foresaw", _answer(418, "Unheard", "of"), _error("invalid-request", "Unheard", "of")),
    ("no-body", "an error without a body", _answer(403, "AccessDeniedException"), _error("denied", "AccessDeniedException", "HTTP 403")),
    ("odd-body", "an error whose body is not JSON", _answer(404, "ResourceNotFoundException", body="<not json>"),
     _error("not-found", "ResourceNotFoundException", "HTTP 404")),
    ("odd-members", "members of other types than expected", _answer(429, "TooManyRequestsException", body='{"Reason":7,"message":{"a":1}}'),
     _error("throttled", "TooManyRequestsException", "HTTP 429", retry=True, retryAfterMs=None, reason=None, limit=None)),
]

_FUNCTION_ERRORS = [
    ("function-error", "the function threw",
     _function("Unhandled", '{"errorType":"TypeError","errorMessage":"no item","trace":["TypeError: no item","    at exports.handler (/var/task/index.js:3:9)"]}',
               remoteType="TypeError", remoteMessage="no item", stack=["TypeError: no item", "    at exports.handler (/var/task/index.js:3:9)"], handled=False)),
    ("function-error-classic", "context.fail, with the name of 2015 for the stack",
     _function("Handled", '{"errorMessage":"sold out","errorType":"Error","stackTrace":["a","b"]}',
               remoteType="Error", remoteMessage="sold out", stack=["a", "b"], handled=True)),
    ("function-error-frames", "a stack of frames", _function("Unhandled", '{"errorMessage":"m","stackTrace":[["index.py",3,"handler","raise"]]}',
               remoteType=None, remoteMessage="m", stack=["index.py 3 handler raise"], handled=False)),
    ("function-error-text", "a body that is no object", _function("Unhandled", '"gone"', remoteType=None, remoteMessage="gone", stack=[], handled=False)),
    ("function-error-odd", "a body that is not JSON", _function("Unhandled", "oops", remoteType=None, remoteMessage="oops", stack=[], handled=False)),
    ("function-error-empty", "no body", _function("Unhandled", "", remoteType=None, remoteMessage=None, stack=[], handled=False)),
    ("function-timeout", "the function ran out of time",
     _function("Unhandled", '{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: x Error: Task timed out after 3.00 seconds"}',
               remoteType="Sandbox.Timedout", remoteMessage="RequestId: x Error: Task timed out after 3.00 seconds", stack=[], handled=False, timedOut=True)),
    ("function-cancelled", "somebody with the right to cancelled it",
     _function("Unhandled", '{"errorType":"Callgate.Cancelled","errorMessage":"cancelled"}', kind="cancelled",
               remoteType="Callgate.Cancelled", remoteMessage="cancelled", stack=[], handled=False)),
]


def errors():
    plain = [
        {"id": identifier, "why": why, "answer": answer,
         "expected": {**error, "status": answer["status"], "requestId": answer["headers"].get("x-amzn-requestid")}}
        for identifier, why, answer, error in _ANSWERS
    ]
    remote = [
        {"id": identifier, "why": why, "answer": answer,
         "expected": {**error, "code": None, "retry": False, "status": 200, "requestId": REQUEST}}
        for identifier, why, (answer, error) in _FUNCTION_ERRORS
    ]
    return plain + remote


def _met(outcome, took=50, *, retry=None, **more):
    may = {"success": False, "denied": False, "function": False, "offline": True, "service": True, "throttled": True}
    return {"outcome": outcome, "tookMs": took, "retry": may[outcome] if retry is None else retry, **more}


# id, why, deadline, what each attempt meets, the random values in [0, 1) in the order in which they are drawn
SCHEDULES = [
    ("first-try", "nothing to wait for", 30_000, [_met("success")], []),
    ("second-try", "one wait", 30_000, [_met("offline"), _met("success")], [0.5]),
    ("all-fail", "four attempts and no more", 30_000, [_met("offline")] * 4, [0.999, 0.999, 0.999]),
    ("no-wait", "full jitter may draw nothing", 30_000, [_met("service"), _met("service"), _met("success")], [0.0, 0.0]),
    ("not-retried", "a refusal is an answer", 30_000, [_met("denied")], []),
    ("function-error", "so is a function's error", 30_000, [_met("offline"), _met("function")], [0.1]),
    ("retry-after", "the gateway's word comes first, the jitter on top", 30_000, [_met("throttled", retryAfterMs=2_000), _met("success")], [0.25]),
    ("retry-after-too-long", "what ends after the deadline is not waited for", 30_000, [_met("throttled", retryAfterMs=60_000)], [0.25]),
    ("deadline", "nor is a wait that would end after it", 1_000, [_met("offline", 900), _met("offline")], [0.9]),
    ("deadline-exact", "at the deadline is too late", 1_150, [_met("offline", 1_050)], [0.5]),
    ("deadline-just", "a millisecond before is not", 1_151, [_met("offline", 1_050), _met("success", 1)], [0.5]),
    ("refresh", "new credentials: at once, and it counts as an attempt", 30_000,
     [_met("denied", retry=True, atOnce=True), _met("offline"), _met("success")], [0.5]),
    ("mixed", "each retry doubles, whatever it meets", 30_000,
     [_met("service"), _met("throttled", retryAfterMs=1_000), _met("offline"), _met("success")], [0.5, 0.5, 0.5]),
]

CREDENTIALS = {
    "settings": {"refreshAheadMs": 300_000, "unusableBeforeEndMs": 30_000, "aheadEveryMs": 10_000,
                 "skewCorrectedFromMs": 30_000},
    # What a call does with credentials that have so long to live, of a whole life so long.
    "ages": [
        {"leftMs": left, "lifeMs": life, "expected": what} for left, life, what in [
            (3_600_000, 3_600_000, "use"), (300_001, 3_600_000, "use"), (300_000, 3_600_000, "use-and-fetch-ahead"),
            (30_001, 3_600_000, "use-and-fetch-ahead"), (30_000, 3_600_000, "wait-for-new"), (0, 3_600_000, "wait-for-new"),
            (-1, 3_600_000, "wait-for-new"),
            # Short lives: ahead is a quarter of the life, unusable a twentieth.
            (60_001, 240_000, "use"), (60_000, 240_000, "use-and-fetch-ahead"), (12_001, 240_000, "use-and-fetch-ahead"),
            (12_000, 240_000, "wait-for-new"),
        ]
    ],
    # Device's clock when the answer came, its Date header, what the SDK's clock then adds to the device's.
    "clocks": [
        {"why": why, "deviceMs": device, "date": date, "gateway": gateway, "before": before, "expected": expected}
        for why, device, date, gateway, before, expected in [
            ("right", 1_773_500_966_000, "Sat, 14 Mar 2026 15:09:26 GMT", True, 0, 0),
            ("seconds are nothing", 1_773_500_966_000, "Sat, 14 Mar 2026 15:09:55 GMT", True, 0, 0),
            ("behind by an hour", 1_773_500_966_000, "Sat, 14 Mar 2026 16:09:26 GMT", True, 0, 3_600_000),
            ("ahead by a day", 1_773_500_966_000, "Fri, 13 Mar 2026 15:09:26 GMT", True, 0, -86_400_000),
            ("put right meanwhile", 1_773_500_966_000, "Sat, 14 Mar 2026 15:09:26 GMT", True, 3_600_000, 0),
            ("corrected and still right", 1_773_500_966_000, "Sat, 14 Mar 2026 16:09:36 GMT", True, 3_600_000, 3_600_000),
            ("not the gateway's word", 1_773_500_966_000, "Sat, 14 Mar 2026 16:09:26 GMT", False, 0, 0),
            ("no date", 1_773_500_966_000, None, True, 3_600_000, 3_600_000),
            ("not a date", 1_773_500_966_000, "yesterday", True, 0, 0),
        ]
    ],
}

DAY = 86_400_000
# id, why, age of the record, age of its first sending (null: never sent), what the attempt met -> what becomes of it.
# send: it may go out. keep: it stays first in its order and is tried again. done: the result is handed over, then it is erased.
OUTBOX = [
    {"id": identifier, "why": why, "ageMs": age, "firstSentAgeMs": sent, "ageLimitMs": DAY, "keyWindowMs": DAY - 3_600_000,
     "met": met, "expected": expected}
    for identifier, why, age, sent, met, expected in [
        ("new", "nothing was tried yet", 0, None, None, "send"),
        ("old", "too old, and certainly never run", DAY + 1, None, None, "done:expired"),
        ("old-exact", "at the limit it still goes", DAY, None, None, "send"),
        ("sent-before", "it may have run: the key makes it one run", 7_200_000, 3_600_000, None, "send"),
        ("sent-long-ago", "the gateway may have forgotten the key: whether it ran is not known", DAY - 1, DAY - 3_600_000 + 1, None, "done:outcome-unknown"),
        ("sent-and-old", "what was sent goes on past its age, for as long as its key is known: what became of it is worth knowing", DAY + 1, DAY - 3_600_000, None, "send"),
        ("success", "it ran", 1, 1, "success", "done:success"),
        ("function", "it ran, and failed", 1, 1, "function", "done:function"),
        ("denied", "it will not be allowed later", 1, 1, "denied", "done:denied"),
        ("not-found", "nor found", 1, 1, "not-found", "done:not-found"),
        ("invalid", "nor understood", 1, 1, "invalid-request", "done:invalid-request"),
        ("unknown", "the gateway does not know", 1, 1, "outcome-unknown", "done:outcome-unknown"),
        ("cancelled", "somebody cancelled it", 1, 1, "cancelled", "done:cancelled"),
        ("offline", "the network may come back", 1, 1, "offline", "keep"),
        ("throttled", "the limit passes", 1, 1, "throttled", "keep"),
        ("service", "the gateway recovers", 1, 1, "service", "keep"),
        ("deadline", "a slow attempt is no answer", 1, 1, "deadline", "keep"),
        ("conflict", "an update of the function ends", 1, 1, "conflict", "keep"),
        ("authentication", "its identity signs in again", 1, 1, "authentication", "keep"),
    ]
]
