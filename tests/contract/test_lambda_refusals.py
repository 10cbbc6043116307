"""What Lambda refuses, and in which words. The words are AWS's own wherever a test compares whole messages; clients match
on them. The patterns are those of botocore's `lambda` model."""

import json

import pytest

from harness import code, raw
from harness.account import fresh, refusal

CREATE_NAME = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?"
    r"(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
ANY_NAME = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?"
    r"(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
ROLE = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"


def invalid(value, member, constraint):
    return (
        400,
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {constraint}",
    )


def pattern(value, expression):
    return invalid(value, "functionName", f"satisfy regular expression pattern: {expression}")


NAMED = ["get_function", "get_function_configuration", "delete_function", "invoke"]


@pytest.mark.parametrize("operation", NAMED)
@pytest.mark.parametrize(
    "name",
    [
        "*",
        "my-function!",
        "invalid-account:function:my-function",
        "arn:aws:lambda::000000000000:function:my-function",
        "arn:aws:lambda:us-east-1::function:my-function",
        "arn:aws:lambda:us-east-1:000000000000:function:my-function:$LATES",
        "arn:aws:lambda:us-east-1:000000000000:function:my-function:1:2",
        "function:my-function:$LATEST:extra",
    ],
)
def test_names_out_of_pattern(account, operation, name):
    call = getattr(account.functions_unchecked, operation)
    assert refusal(call, FunctionName=name) == pattern(name, ANY_NAME)


@pytest.mark.parametrize("name", ["*", "my-function!", "my-function:invalid!", "my.function"])
def test_create_has_a_pattern_of_its_own(account, name):
    request = account.request(code.ECHO, FunctionName=name)
    assert refusal(account.functions_unchecked.create_function, **request) == pattern(name, CREATE_NAME)


def test_names_that_are_too_long(account):
    long = "a" * 65
    assert refusal(account.functions_unchecked.create_function, **account.request(code.ECHO, FunctionName=long)) == (
        400,
        "InvalidParameterValueException",
        invalid(long, "functionName", "have length less than or equal to 64")[2],
    )
    gone = "Function not found: " + account.arn(long)
    assert refusal(account.functions.get_function, FunctionName=long) == (404, "ResourceNotFoundException", gone)
    assert refusal(account.functions.invoke, FunctionName=long) == (404, "ResourceNotFoundException", gone + ":$LATEST")
    account.function(code.ECHO, FunctionName="b" * 64)


def test_a_qualifier_that_is_too_long(account):
    qualifier = "a" * 129
    call = account.functions_unchecked.get_function
    expected = invalid(qualifier, "qualifier", "have length less than or equal to 128")
    assert refusal(call, FunctionName="my-function", Qualifier=qualifier) == expected


@pytest.mark.parametrize("operation", NAMED)
def test_two_qualifiers_must_agree_before_anything_else(account, operation):
    """Before the check whether the function exists."""
    call = getattr(account.functions, operation)
    assert refusal(call, FunctionName=account.arn("missing") + ":$LATEST", Qualifier="1") == (
        400,
        "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.",
    )


@pytest.mark.parametrize("operation", NAMED)
def test_another_region(account, operation):
    call = getattr(account.functions, operation)
    assert refusal(call, FunctionName=account.arn("any", region="eu-west-1")) == (
        404,
        "ResourceNotFoundException",
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    )


@pytest.mark.parametrize(
    "operation, suffix",
    [("get_function", ""), ("get_function_configuration", ""), ("delete_function", ""), ("invoke", ":$LATEST")],
)
def test_a_missing_function(account, operation, suffix):
    status, error, message = refusal(getattr(account.functions, operation), FunctionName="missing")
    assert (status, error) == (404, "ResourceNotFoundException")
    assert message == f"Function not found: {account.arn('missing')}{suffix}"


def test_a_missing_functions_body_has_a_capital_message(account):
    with pytest.raises(account.functions.exceptions.ResourceNotFoundException) as refused:
        account.functions.get_function(FunctionName="missing")
    response = refused.value.response
    assert response["Type"] == "User"
    assert response["Message"] == response["Error"]["Message"]


def test_versions_that_do_not_exist(account):
    name = account.function(code.ECHO)
    for operation in ["get_function", "get_function_configuration", "invoke"]:
        call = getattr(account.functions, operation)
        expected = (404, "ResourceNotFoundException", f"Function not found: {account.arn(name)}:1221")
        assert refusal(call, FunctionName=name, Qualifier="1221") == expected


def test_latest_cannot_be_deleted_alone(account):
    """Even of a function that is not there."""
    assert refusal(account.functions.delete_function, FunctionName="missing", Qualifier="$LATEST") == (
        400,
        "InvalidParameterValueException",
        "$LATEST version cannot be deleted without deleting the function.",
    )


def test_a_role_must_be_an_arn_of_a_role(account):
    request = account.request(code.ECHO, Role="r1")
    expected = invalid("r1", "role", f"satisfy regular expression pattern: {ROLE}")
    assert refusal(account.functions_unchecked.create_function, **request) == expected


def test_a_role_must_be_assumable_by_lambda(account):
    nobody = account.role(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    )
    for role in [nobody, f"arn:aws:iam::{account.id}:role/missing"]:
        assert refusal(account.functions.create_function, **account.request(code.ECHO, Role=role)) == (
            400,
            "InvalidParameterValueException",
            "The role defined for the function cannot be assumed by Lambda.",
        )


@pytest.mark.parametrize("runtime", ["non-existent-runtime", "NODEJS20.X"])
def test_unknown_runtimes(account, runtime):
    status, error, message = refusal(account.functions.create_function, **account.request(code.ECHO, Runtime=runtime))
    assert (status, error) == (400, "InvalidParameterValueException")
    # Which runtimes the list has is each gateway's matter.
    assert message.startswith(f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [")
    assert message.endswith("] or be a valid ARN")


def test_runtimes_of_other_languages_are_refused_by_name(account):
    status, error, message = refusal(account.functions.create_function, **account.request(code.ECHO, Runtime="python3.12"))
    assert (status, error) == (400, "InvalidParameterValueException")
    assert "python3.12 is not supported by Callgate: " in message


def test_retired_runtimes(account):
    status, error, message = refusal(account.functions.create_function, **account.request(code.ECHO, Runtime="nodejs14.x"))
    assert (status, error) == (400, "InvalidParameterValueException")
    assert message == (
        "The runtime parameter of nodejs14.x is no longer supported for creating or updating AWS Lambda functions. We "
        "recommend you use a supported runtime while creating or updating functions."
    )


@pytest.mark.parametrize("runtime", ["nodejs", "nodejs16.x", "nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"])
def test_accepted_runtimes(account, runtime):
    assert account.functions.create_function(**account.request(code.ECHO, Runtime=runtime))["Runtime"] == runtime


@pytest.mark.parametrize(
    "member, value, name, constraint",
    [
        ("MemorySize", 127, "memorySize", "have value greater than or equal to 128"),
        ("MemorySize", 10241, "memorySize", "have value less than or equal to 10240"),
        ("Timeout", 0, "timeout", "have value greater than or equal to 1"),
        ("Timeout", 901, "timeout", "have value less than or equal to 900"),
    ],
)
def test_numbers_out_of_range(account, member, value, name, constraint):
    """Lambda quotas: 128 to 10,240 MB, 1 to 900 seconds."""
    request = account.request(code.ECHO, **{member: value})
    assert refusal(account.functions_unchecked.create_function, **request) == invalid(value, name, constraint)


@pytest.mark.parametrize("members", [{"MemorySize": 128}, {"MemorySize": 10240}, {"Timeout": 1}, {"Timeout": 900}])
def test_the_ends_of_the_ranges_are_accepted(account, members):
    account.function(code.ECHO, **members)


@pytest.mark.parametrize(
    "architectures, constraint",
    [
        (["x86_64", "arm64"], "have length less than or equal to 1"),
        (["X86_64"], "satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"),
    ],
)
def test_architectures(account, architectures, constraint):
    request = account.request(code.ECHO, Architectures=architectures)
    shown = "[" + ", ".join(architectures) + "]"
    assert refusal(account.functions_unchecked.create_function, **request) == invalid(shown, "architectures", constraint)


def environment_of(size):
    """Variables whose JSON, `{"LARGE_VAR":"xx…"}`, has exactly this many bytes."""
    return {"LARGE_VAR": "x" * (size - len('{"LARGE_VAR":""}'))}


def test_an_environment_of_4_kib_passes_and_one_byte_more_does_not(account):
    account.function(code.ECHO, Environment={"Variables": environment_of(4096)})
    variables = environment_of(4097)
    request = account.request(code.ECHO, Environment={"Variables": variables})
    measured = json.dumps(variables, separators=(",", ":"))
    assert refusal(account.functions.create_function, **request) == (
        400,
        "InvalidParameterValueException",
        "Lambda was unable to configure your environment variables because the environment variables you have provided "
        f"exceeded the 4KB limit. String measured: {measured}",
    )
    assert refusal(account.functions.get_function, FunctionName=request["FunctionName"])[0] == 404


def test_reserved_variables_are_refused(account):
    request = account.request(code.ECHO, Environment={"Variables": {"AWS_REGION": "mars"}})
    status, error, message = refusal(account.functions.create_function, **request)
    assert (status, error) == (400, "InvalidParameterValueException")
    assert "AWS_REGION" in message and "reserved" in message


UNSUPPORTED_MEMBERS = [
    {"Code": {"S3Bucket": "bucket", "S3Key": "key"}},
    {"Code": {"ImageUri": "000000000000.dkr.ecr.us-east-1.amazonaws.com/image:1"}, "PackageType": "Image"},
    {"VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}},
    {"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:one:1"]},
    {"FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-1", "LocalMountPath": "/mnt/x"}]},
    {"SnapStart": {"ApplyOn": "PublishedVersions"}},
]


@pytest.mark.parametrize("members", UNSUPPORTED_MEMBERS, ids=lambda members: next(reversed(members)))
def test_members_that_are_not_there_are_refused_by_name(account, members):
    request = {**account.request(code.ECHO), **members}
    status, error, message = refusal(account.functions_unchecked.create_function, **request)
    assert (status, error) == (400, "InvalidParameterValueException")
    assert "is not supported by Callgate: " in message
    first = next(iter(members.values()))
    names = set(members) | (set(first) if isinstance(first, dict) else set())
    assert any(name in message for name in names), message
    assert refusal(account.functions.get_function, FunctionName=request["FunctionName"])[0] == 404


@pytest.mark.parametrize(
    "operation, members",
    [
        ("list_layers", {}),
        ("list_event_source_mappings", {}),
        ("put_function_event_invoke_config", {"FunctionName": "f", "MaximumRetryAttempts": 1}),
        ("invoke_async", {"FunctionName": "f", "InvokeArgs": b"{}"}),
    ],
)
def test_operations_that_are_not_there_are_refused_by_name(account, operation, members):
    status, error, message = refusal(getattr(account.functions, operation), **members)
    assert (status, error) == (400, "InvalidParameterValueException")
    assert message.startswith(operation.replace("_", " ").title().replace(" ", "") + " is not supported by Callgate: "), message


def test_a_body_that_is_not_json(gateway, account):
    answer = raw.signed(gateway.endpoint, "POST", "/2015-03-31/functions", b"{not json", {"Content-Type": "application/json"})
    assert answer.status == 400, answer
    assert answer.error in ("SerializationException", "InvalidRequestContentException"), answer


def test_missing_members_are_named(account):
    request = account.request(code.ECHO, FunctionName=fresh("f"))
    del request["Role"]
    status, error, message = refusal(account.functions_unchecked.create_function, **request)
    assert (status, error) == (400, "ValidationException")
    assert "'role' failed to satisfy constraint: Member must not be null" in message
