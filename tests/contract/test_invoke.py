"""Invoke by boto3: what goes in, what the function sees, what comes out (Lambda API reference, Invoke)."""

import base64
import json
import re

import pytest

from harness import code, raw
from harness.account import client, refusal
from harness.gateway import ROOT_KEY_ID, ROOT_SECRET

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SIX_MIB = 6_291_456


@pytest.fixture(scope="module")
def echo(account):
    return account.function(code.ECHO, Timeout=30, MemorySize=512)


@pytest.fixture(scope="module")
def sees(account):
    return account.function(code.SEES)


@pytest.mark.parametrize(
    "event",
    [{}, {"a": [1, 2.5, None, True]}, [], "text", 0, -1.5, True, None, {"ü": "\u2028 日本 🎉"}, {"deep": [[[[[[]]]]]]}],
    ids=json.dumps,
)
def test_what_goes_in_comes_out(account, echo, event):
    answer = account.call(echo, event)
    assert answer["json"] == event
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer and "LogResult" not in answer


def test_an_empty_body_is_an_empty_object(account, sees):
    """As on AWS: no payload is the event {}."""
    assert account.call(sees, b"")["json"]["event"] == {}


def test_a_function_that_returns_nothing_answers_null(account):
    assert account.call(account.function("exports.handler = async () => {};"))["text"] == b"null"


def test_the_answers_headers(gateway, echo):
    answer = raw.signed(gateway.endpoint, "POST", f"/2015-03-31/functions/{echo}/invocations", b'{"a":1}')
    assert (answer.status, answer.body) == (200, b'{"a":1}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-amz-executed-version"] == "$LATEST"
    assert re.fullmatch(UUID, answer.headers["x-amzn-requestid"])


def test_what_a_function_sees_of_a_call_with_a_key(account, sees):
    answer = account.call(sees, {"x": 1})
    saw = answer["json"]
    assert saw["awsRequestId"] == answer["ResponseMetadata"]["RequestId"]
    assert saw["functionName"] == sees
    assert saw["functionVersion"] == "$LATEST"
    assert saw["invokedFunctionArn"] == account.arn(sees)
    assert saw["memoryLimitInMB"] == "128"
    assert saw["logGroupName"] == f"/aws/lambda/{sees}"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", saw["logStreamName"])
    assert 0 < saw["remaining"] <= 3000
    # No identity pool stands behind a root key, and nothing may look as if one did.
    assert saw["hasIdentity"] is False
    assert "callgate" not in saw and "clientContext" not in saw


def test_the_invoked_arn_is_the_one_that_was_named(account, sees):
    assert account.call(sees, Qualifier="$LATEST")["json"]["invokedFunctionArn"] == account.arn(sees) + ":$LATEST"


DEVICE = {
    "client": {
        "installation_id": "2f8f5f9e-0001",
        "app_title": "Contract",
        "app_version_name": "1.4",
        "app_version_code": "14",
        "app_package_name": "com.example.contract",
    },
    "env": {"platform": "Android", "platform_version": "5.1", "make": "Example", "model": "Nine", "locale": "de_DE"},
    "custom": {"größe": "🎉", "nested": {"list": [1, {"two": 2}]}},
    "services": {"mobile_analytics": {"app_id": "x"}},
}


def context_of(value):
    text = value if isinstance(value, (bytes, str)) else json.dumps(value)
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def test_the_client_context_arrives_as_it_was_sent(account, sees):
    assert account.call(sees, ClientContext=context_of(DEVICE))["json"]["clientContext"] == DEVICE


def test_custom_is_offered_under_both_names(account):
    name = account.function(
        "exports.handler = async (event, context) => [context.clientContext.custom, context.clientContext.Custom];"
    )
    for sent in ({"custom": {"a": "1"}}, {"Custom": {"a": "1"}}):
        assert account.call(name, ClientContext=context_of(sent))["json"] == [{"a": "1"}, {"a": "1"}]


@pytest.mark.parametrize("claimed", ["identity", "callgate", "awsRequestId"])
def test_a_client_context_claims_nothing_for_the_context(account, sees, claimed):
    """What the gateway knows of a caller never comes from what the client says of itself."""
    saw = account.call(sees, ClientContext=context_of({claimed: {"cognitoIdentityId": "us-east-1:forged"}}))["json"]
    assert saw["hasIdentity"] is False and "callgate" not in saw
    assert re.fullmatch(UUID, saw["awsRequestId"])


@pytest.mark.parametrize(
    "header",
    ["%%%", context_of("{not json"), context_of("[1]"), context_of('"text"'), context_of(b"\xff\xfe"), "e30"],
    ids=["no base64", "no json", "array", "string", "no utf-8", "no padding"],
)
def test_client_contexts_that_are_no_json_object(account, echo, header):
    answer = refusal(account.functions.invoke, FunctionName=echo, ClientContext=header)
    assert answer[:2] == (400, "InvalidRequestContentException"), answer


def test_a_client_context_has_at_most_3583_bytes(account, echo):
    def sized(length):
        # Base64 has four characters for each three bytes.
        return context_of(json.dumps({"custom": {"k": "x" * (length // 4 * 3 - len('{"custom": {"k": ""}}'))}}))

    longest = sized(3580)
    assert len(longest) == 3580
    assert account.call(echo, ClientContext=longest)["StatusCode"] == 200
    too_long = sized(3584)
    assert len(too_long) == 3584
    assert refusal(account.functions.invoke, FunctionName=echo, ClientContext=too_long)[:2] == (
        400,
        "InvalidRequestContentException",
    )


@pytest.mark.parametrize(
    "body, what",
    [
        (b"{", None),
        (b"nope", "Unrecognized token 'nope'"),
        (b"\x99\xeb,j", "Unexpected character ((CTRL-CHAR, code 153)): expected a valid value (JSON String, Number, Array, "
         "Object or token 'null', 'true' or 'false')"),
        (b"{} {}", None),
        (b'"\xff"', None),
    ],
)
def test_a_payload_that_is_not_json(account, echo, body, what):
    status, error, message = refusal(account.functions.invoke, FunctionName=echo, Payload=body)
    assert (status, error) == (400, "InvalidRequestContentException")
    assert message.startswith("Could not parse request body into json: Could not parse payload into json: " + (what or ""))


def test_payloads_up_to_6_mib(account, echo):
    event = "x" * (SIX_MIB - 2)
    answer = account.call(echo, json.dumps(event).encode())
    assert answer["json"] == event
    status, error, message = refusal(account.functions.invoke, FunctionName=echo, Payload=b'"' + b"x" * (SIX_MIB - 1) + b'"')
    assert (status, error) == (413, "RequestTooLargeException")
    assert "6291457" in message


def test_answers_up_to_6291556_bytes(account):
    name = account.function(
        "exports.handler = async (size) => 'x'.repeat(size - 2);", Timeout=30, MemorySize=512
    )
    assert len(account.call(name, 6_291_556)["text"]) == 6_291_556
    answer = account.call(name, 6_291_557)
    assert answer["FunctionError"] == "Unhandled"
    assert answer["json"] == {
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "errorType": "Function.ResponseSizeTooLarge",
    }
    assert len(account.call(name, 100)["text"]) == 100


def test_dry_run_checks_and_does_not_run(account):
    name = account.function("throw new Error('must not run');")
    answer = account.functions.invoke(FunctionName=name, InvocationType="DryRun")
    assert (answer["StatusCode"], answer["Payload"].read()) == (204, b"")
    assert "FunctionError" not in answer
    assert refusal(account.functions.invoke, FunctionName="missing", InvocationType="DryRun")[0] == 404


def test_what_is_not_there_yet_is_refused_by_name(account, echo):
    status, error, message = refusal(account.functions.invoke, FunctionName=echo, InvocationType="Event")
    assert (status, error) == (400, "InvalidParameterValueException")
    assert "Event" in message and "is not supported by Callgate: " in message


def test_an_unknown_invocation_type(account, echo):
    status, error, message = refusal(account.functions.invoke, FunctionName=echo, InvocationType="Later")
    assert (status, error) == (400, "ValidationException")
    assert "'Later' at 'invocationType'" in message


def test_a_tenant_header_is_refused_by_name(gateway, echo):
    answer = raw.signed(
        gateway.endpoint, "POST", f"/2015-03-31/functions/{echo}/invocations", b"{}", {"X-Amz-Tenant-Id": "one"}
    )
    assert (answer.status, answer.error) == (400, "InvalidParameterValueException")
    assert b"x-amz-tenant-id is not supported by callgate: " in answer.body.lower()


def test_the_log_tail(account):
    name = account.function("exports.handler = async (event) => { console.log(JSON.stringify(event)); return event; };")
    answer = account.call(name, {"a": 1}, LogType="Tail")
    request_id = answer["ResponseMetadata"]["RequestId"]
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines(keepends=True)
    assert lines[0] == f"START RequestId: {request_id} Version: $LATEST\n"
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{request_id}\tINFO\t{{\"a\":1}}\n", lines[1])
    assert lines[2] == f"END RequestId: {request_id}\n"
    assert re.fullmatch(
        rf"REPORT RequestId: {request_id}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: \d+\.\d\d ms\t\n",
        lines[3],
    )
    assert len(lines) == 4
    # A warm call initialises nothing, and shows nothing of the call before.
    warm = base64.b64decode(account.call(name, {"b": 2}, LogType="Tail")["LogResult"]).decode()
    assert "Init Duration" not in warm and request_id not in warm and '{"a":1}' not in warm


def test_the_log_tail_has_the_last_4_kib(account):
    name = account.function("exports.handler = async () => { for (let i = 0; i < 2000; i++) console.log('line ' + i); };")
    tail = base64.b64decode(account.call(name, LogType="Tail")["LogResult"]).decode()
    assert 3000 < len(tail) <= 4096
    assert "line 1999\n" in tail and "line 1\n" not in tail


def test_a_function_without_credentials_of_ours_in_its_environment(account):
    """The environment is exactly what AWS documents (Using environment variables, defined runtime variables)."""
    name = account.function("exports.handler = async () => process.env;", Environment={"Variables": {"OWN": "value"}})
    seen = account.call(name)["json"]
    expected = {
        "OWN": "value",
        "_HANDLER": "index.handler",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LAMBDA_TASK_ROOT": "/var/task",
        "TZ": ":UTC",
    }
    assert {name: seen.get(name) for name in expected} == expected
    assert not [name for name in seen if name.startswith("CALLGATE")]
    assert ROOT_SECRET not in json.dumps(seen) and ROOT_KEY_ID not in json.dumps(seen)


def test_sandboxes_are_reused_and_new_code_gets_new_ones(account):
    source = "let calls = 0;\nexports.handler = async () => [{version}, ++calls];"
    name = account.function(source.replace("{version}", "1"))
    assert [account.call(name)["json"] for _ in range(3)] == [[1, 1], [1, 2], [1, 3]]
    account.settled(name)
    account.functions.update_function_code(FunctionName=name, ZipFile=code.package(source.replace("{version}", "2")))
    assert [account.call(name)["json"] for _ in range(2)] == [[2, 1], [2, 2]]


def test_an_account_only_calls_what_it_may_name(gateway, echo):
    stranger = client("lambda", gateway.endpoint, ROOT_KEY_ID, "not-the-secret")
    assert refusal(stranger.invoke, FunctionName=echo)[:2] == (403, "InvalidSignatureException")
