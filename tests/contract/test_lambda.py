"""Lambda's management operations by boto3. Shapes are those of botocore's `lambda` model; values and states are what AWS
answers (Lambda API reference, CreateFunction and its kin)."""

import base64
import hashlib
import json
import re
import threading
import urllib.error
import urllib.request

import pytest

from harness import code
from harness.account import Account, fresh, refusal

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
LAST_MODIFIED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000\Z")


def without(answer, *names):
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", *names)}


def test_create_answers_pending_with_awss_defaults(account):
    request = account.request(code.ECHO)
    zipped = request["Code"]["ZipFile"]
    answer = account.functions.create_function(**request)
    name = request["FunctionName"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert UUID.match(answer["RevisionId"])
    assert LAST_MODIFIED.match(answer["LastModified"])
    assert without(answer, "RevisionId", "LastModified", "RuntimeVersionConfig") == {
        "FunctionName": name,
        "FunctionArn": account.arn(name),
        "Runtime": "nodejs20.x",
        "Role": account.execution_role,
        "Handler": "index.handler",
        "CodeSize": len(zipped),
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "CodeSha256": base64.b64encode(hashlib.sha256(zipped).digest()).decode(),
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "PackageType": "Zip",
        "Architectures": answer["Architectures"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }


def test_a_created_function_becomes_active_with_a_new_revision(account):
    request = account.request(code.ECHO)
    created = account.functions.create_function(**request)
    account.functions.get_waiter("function_active_v2").wait(
        FunctionName=request["FunctionName"], WaiterConfig={"Delay": 1, "MaxAttempts": 10}
    )
    active = account.settled(request["FunctionName"])
    assert active["RevisionId"] != created["RevisionId"]
    assert "StateReason" not in active and "StateReasonCode" not in active


def test_create_then_invoke_needs_no_waiting(account):
    assert account.call(account.function(code.ECHO), {"at": "once"})["json"] == {"at": "once"}


def test_get_function_gives_the_package_back(account):
    request = account.request(code.ECHO, Tags={"team": "mobile"})
    name = account.functions.create_function(**request)["FunctionName"]
    account.settled(name)
    found = account.functions.get_function(FunctionName=name)
    assert found["Tags"] == {"team": "mobile"}
    assert found["Code"]["RepositoryType"] == "S3"
    assert found["Configuration"]["FunctionArn"] == account.arn(name)
    with urllib.request.urlopen(found["Code"]["Location"], timeout=10) as answer:
        assert answer.read() == request["Code"]["ZipFile"]


def test_a_forged_download_link_opens_nothing(account):
    name = account.function(code.ECHO)
    link = account.functions.get_function(FunctionName=name)["Code"]["Location"]
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(forged, timeout=10)
    assert refused.value.code == 403


@pytest.mark.parametrize("form", ["{name}", "{account}:function:{name}", "function:{name}", "{arn}", "{arn}:$LATEST"])
def test_a_function_is_named_by_name_partial_arn_or_arn(account, form):
    name = account.function(code.ECHO)
    named = form.format(name=name, account=account.id, arn=account.arn(name))
    found = account.functions.get_function_configuration(FunctionName=named)
    assert found["FunctionName"] == name
    # A qualifier that was given stands at the end of the ARN.
    assert found["FunctionArn"] == account.arn(name) + (":$LATEST" if named.endswith("$LATEST") else "")
    assert account.call(named, 7)["json"] == 7


def test_list_functions_pages(account):
    made = {account.function(code.ECHO) for _ in range(3)}
    pages = account.functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1})
    listed = []
    for page in pages:
        assert len(page["Functions"]) <= 1
        listed += [function["FunctionName"] for function in page["Functions"]]
    assert made <= set(listed)
    assert len(listed) == len(set(listed))


def test_list_functions_refuses_another_function_version(account):
    assert refusal(account.functions.list_functions, FunctionVersion="invalid") == (
        400,
        "ValidationException",
        "1 validation error detected: Value 'invalid' at 'functionVersion' failed to satisfy constraint: "
        "Member must satisfy enum value set: [ALL]",
    )


def test_new_code_is_what_the_next_call_runs(account):
    name = account.function("exports.handler = async () => 'old';")
    assert account.call(name)["json"] == "old"
    before = account.settled(name)
    answer = account.functions.update_function_code(
        FunctionName=name, ZipFile=code.package("exports.handler = async () => 'new';")
    )
    assert answer["LastUpdateStatus"] == "InProgress"
    assert answer["LastUpdateStatusReason"] == "The function is being created."
    assert answer["LastUpdateStatusReasonCode"] == "Creating"
    assert answer["State"] == "Active"
    assert answer["CodeSha256"] != before["CodeSha256"]
    assert account.call(name)["json"] == "new"
    assert account.settled(name)["RevisionId"] != before["RevisionId"]


def test_update_code_dry_run_changes_nothing(account):
    name = account.function("exports.handler = async () => 'kept';")
    before = account.settled(name)
    account.functions.update_function_code(
        FunctionName=name, ZipFile=code.package("exports.handler = async () => 'other';"), DryRun=True
    )
    assert without(account.settled(name)) == without(before)
    assert account.call(name)["json"] == "kept"


def test_new_configuration_is_what_the_next_call_sees(account):
    name = account.function(
        "exports.handler = async (event, context) => [process.env.COLOUR, context.memoryLimitInMB];",
        Environment={"Variables": {"COLOUR": "red"}},
    )
    assert account.call(name)["json"] == ["red", "128"]
    account.settled(name)
    answer = account.functions.update_function_configuration(
        FunctionName=name,
        Description="now blue",
        Timeout=30,
        MemorySize=256,
        Environment={"Variables": {"COLOUR": "blue"}},
    )
    assert (answer["Description"], answer["Timeout"], answer["MemorySize"]) == ("now blue", 30, 256)
    assert answer["Environment"] == {"Variables": {"COLOUR": "blue"}}
    assert answer["LastUpdateStatus"] == "InProgress"
    assert account.call(name)["json"] == ["blue", "256"]


def test_environment_is_absent_unless_sent(account):
    name = account.function(code.ECHO)
    assert "Environment" not in account.settled(name)
    account.functions.update_function_configuration(FunctionName=name, Environment={"Variables": {"KEY": "1"}})
    assert account.settled(name)["Environment"] == {"Variables": {"KEY": "1"}}


def test_a_stale_revision_is_refused(account):
    name = account.function(code.ECHO)
    account.settled(name)
    stale = "00000000-0000-4000-8000-000000000000"
    text = (
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
        "the latest Revision Id"
    )
    for call, members in [
        (account.functions.update_function_configuration, {"Description": "x"}),
        (account.functions.update_function_code, {"ZipFile": code.package(code.ECHO)}),
    ]:
        assert refusal(call, FunctionName=name, RevisionId=stale, **members) == (412, "PreconditionFailedException", text)


def test_concurrent_updates_are_done_or_refused_and_never_mixed(account):
    """AWS answers 409 while an update is in progress. Whichever wins, the function is one of the versions sent."""
    name = account.function("exports.handler = async () => -1;")
    account.settled(name)
    outcomes = {}

    def update(number):
        try:
            account.functions.update_function_code(
                FunctionName=name, ZipFile=code.package(f"exports.handler = async () => {number};")
            )
            outcomes[number] = None
        except account.functions.exceptions.ResourceConflictException as error:
            outcomes[number] = error.response["Error"]["Message"]

    threads = [threading.Thread(target=update, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = {number for number, refused in outcomes.items() if refused is None}
    assert len(outcomes) == 8 and done
    assert {refused for refused in outcomes.values() if refused} <= {
        "The operation cannot be performed at this time. An update is in progress for resource: " + account.arn(name)
    }
    account.settled(name)
    assert account.call(name)["json"] in done


def test_a_name_is_used_once(account):
    request = account.request(code.ECHO)
    account.functions.create_function(**request)
    status, error, message = refusal(account.functions.create_function, **request)
    assert (status, error) == (409, "ResourceConflictException")
    assert message == f"Function already exist: {request['FunctionName']}"


def test_a_deleted_function_is_gone_and_its_name_is_free(account):
    request = account.request("exports.handler = async () => 'first';")
    name = account.functions.create_function(**request)["FunctionName"]
    assert account.call(name)["json"] == "first"
    assert account.functions.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    gone = "Function not found: " + account.arn(name)
    assert refusal(account.functions.get_function, FunctionName=name) == (404, "ResourceNotFoundException", gone)
    assert refusal(account.functions.delete_function, FunctionName=name) == (404, "ResourceNotFoundException", gone)
    assert refusal(account.functions.invoke, FunctionName=name) == (404, "ResourceNotFoundException", gone + ":$LATEST")
    account.functions.create_function(**{**request, "Code": {"ZipFile": code.package("exports.handler = async () => 'second';")}})
    assert account.call(name)["json"] == "second"


def test_tags(account):
    name = account.function(code.ECHO, Tags={"key_a": "value_a"})
    arn = account.arn(name)
    tags = lambda: account.functions.list_tags(Resource=arn)["Tags"]
    assert tags() == {"key_a": "value_a"}
    answer = account.functions.tag_resource(Resource=arn, Tags={"key_b": "value_b", "key_a": "changed"})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags() == {"key_a": "changed", "key_b": "value_b"}
    assert account.functions.get_function(FunctionName=name)["Tags"] == tags()
    account.functions.untag_resource(Resource=arn, TagKeys=["key_a", "unknown"])
    assert tags() == {"key_b": "value_b"}
    account.functions.untag_resource(Resource=arn, TagKeys=["key_b"])
    assert tags() == {}
    assert "Tags" not in account.functions.get_function(FunctionName=name)


def test_tag_refusals(account):
    arn = account.arn(account.function(code.ECHO))
    tag, untag = account.functions.tag_resource, account.functions.untag_resource
    missing = account.arn("doesnotexist")
    assert refusal(tag, Resource=missing, Tags={"a": "b"}) == (404, "ResourceNotFoundException", f"Function not found: {missing}")
    assert refusal(tag, Resource=arn + ":v1", Tags={"a": "b"}) == (
        400,
        "InvalidParameterValueException",
        "Tags on function aliases and versions are not supported. Please specify a function ARN.",
    )
    assert refusal(tag, Resource=arn, Tags={}) == (
        400,
        "InvalidParameterValueException",
        "An error occurred and the request cannot be processed.",
    )
    assert refusal(untag, Resource=arn, TagKeys=[]) == (
        400,
        "ValidationException",
        "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
    )
    status, error, message = refusal(tag, Resource="arn:aws:something", Tags={"a": "b"})
    assert (status, error) == (400, "ValidationException")
    assert message.startswith("1 validation error detected: Value 'arn:aws:something' at 'resource' failed to satisfy constraint: ")


def test_accounts_have_functions_of_their_own(gateway, account):
    made = json.loads(gateway.command("accounts", "create", "111122223333", "--data-dir", gateway.data_dir).stdout)
    other = Account(gateway, made["AccountId"], made["AccessKeyId"], made["SecretAccessKey"])
    name = fresh("same-name")
    account.functions.create_function(**account.request("exports.handler = async () => 'mine';", FunctionName=name))
    assert refusal(other.functions.get_function, FunctionName=name)[0] == 404
    other.functions.create_function(**other.request("exports.handler = async () => 'theirs';", FunctionName=name))
    assert account.call(name)["json"] == "mine"
    assert other.call(name)["json"] == "theirs"
    # Another account's function, named by its ARN, does not even exist for who may not call it.
    status, error, _ = refusal(other.functions.invoke, FunctionName=account.arn(name))
    assert (status, error) == (403, "AccessDeniedException")
