"""May they, and how often: the 403 and the 429 as apps and developers get them.

The words of a refusal are AWS's (IAM user guide, "Troubleshoot access denied error messages"; Lambda API reference,
TooManyRequestsException); which bucket it was and when to come back is said beside them."""

import json
import threading
import time

import pytest
from botocore.exceptions import ClientError

from harness import code, raw
from harness.account import Account, fresh, refusal
from harness.gateway import Gateway
from harness.pool import Pool

SLEEP = "exports.handler = (ms) => new Promise((resolve) => setTimeout(() => resolve('woke'), ms));"


@pytest.fixture(scope="module")
def pool(account, issuer):
    return Pool(account, [issuer])


@pytest.fixture(scope="module")
def functions(account):
    return {
        "guests": account.function(code.ECHO, Tags={"callgate:allow": "guests"}),
        "signed-in": account.function(code.ECHO, Tags={"callgate:allow": "signed-in"}),
        "nobody": account.function(code.ECHO),
    }


def denied(account, pool, kind, function):
    """AWS's message, which names principal, action and resource, and nothing beyond."""
    role = pool.roles[kind].rsplit("/", 1)[1]
    principal = f"arn:aws:sts::{account.id}:assumed-role/{role}/CognitoIdentityCredentials"
    return (
        403,
        "AccessDeniedException",
        f"User: {principal} is not authorized to perform: lambda:InvokeFunction on resource: {account.arn(function)} "
        "because no identity-based policy allows the lambda:InvokeFunction action",
    )


# The shipped documents.


@pytest.mark.parametrize("who", ["unauthenticated", "authenticated"])
def test_apps_call_what_is_tagged_for_them(account, pool, issuer, functions, who):
    app = pool.app()
    logins = {issuer.login: issuer.token(fresh("user"))} if who == "authenticated" else None
    client = app.functions(app.get_id(logins), logins)
    may = {"guests"} if who == "unauthenticated" else {"guests", "signed-in"}
    for tag, function in functions.items():
        if tag in may:
            assert account.call(function, 1, client)["json"] == 1
        else:
            assert refusal(client.invoke, FunctionName=function) == denied(account, pool, who, function)


def test_who_may_not_call_learns_nothing_of_what_exists(account, pool, functions):
    _, client = pool.app().guest()
    missing = fresh("missing")
    assert refusal(client.invoke, FunctionName=missing) == denied(account, pool, "unauthenticated", missing)
    assert refusal(client.invoke, FunctionName=functions["nobody"])[0] == 403
    # Neither by the form of the answer to something else that is wrong.
    for members in ({"Payload": b"{broken"}, {"Qualifier": "77"}, {"InvocationType": "DryRun"}):
        assert refusal(client.invoke, FunctionName=functions["nobody"], **members)[0] == 403
        assert refusal(client.invoke, FunctionName=missing, **members)[0] == 403


def test_an_app_does_nothing_but_invoke(account, pool, functions):
    _, client = pool.app().guest()
    name = functions["guests"]
    for call, members in [
        (client.get_function, {"FunctionName": name}),
        (client.list_functions, {}),
        (client.update_function_code, {"FunctionName": name, "ZipFile": code.package("exports.handler = 1")}),
        (client.delete_function, {"FunctionName": name}),
        (client.tag_resource, {"Resource": account.arn(name), "Tags": {"callgate:allow": "guests"}}),
        (client.create_function, account.request(code.ECHO)),
    ]:
        status, error, message = refusal(call, **members)
        assert (status, error) == (403, "AccessDeniedException"), call
        assert "is not authorized to perform: lambda:" in message
    assert account.call(name, "still there")["json"] == "still there"


def test_a_tag_opens_and_closes_at_once(account, pool):
    name = account.function(code.ECHO)
    _, client = pool.app().guest()
    assert refusal(client.invoke, FunctionName=name)[0] == 403
    account.functions.tag_resource(Resource=account.arn(name), Tags={"callgate:allow": "guests"})
    assert account.call(name, "open", client)["json"] == "open"
    account.functions.untag_resource(Resource=account.arn(name), TagKeys=["callgate:allow"])
    assert refusal(client.invoke, FunctionName=name)[0] == 403


# Policies of a developer's own.


def statement(effect, **members):
    return {"Effect": effect, "Action": "lambda:InvokeFunction", "Resource": "*", **members}


def guest_with(account, *statements):
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return Pool(account, policies={"unauthenticated": document}).app()


def test_an_explicit_deny_wins_and_is_named(account, functions):
    name = functions["guests"]
    app = guest_with(account, statement("Allow"), statement("Deny", Resource=account.arn(name)))
    _, client = app.guest()
    status, error, message = refusal(client.invoke, FunctionName=name)
    assert (status, error) == (403, "AccessDeniedException")
    assert message.endswith(f"on resource: {account.arn(name)} with an explicit deny in an identity-based policy")
    assert account.call(functions["nobody"], 2, client)["json"] == 2


def test_wildcards_and_variables(account):
    """`${cognito-identity.amazonaws.com:sub}` is the caller's identity id, and only theirs."""
    app = guest_with(
        account,
        statement("Allow", Resource=f"arn:aws:lambda:*:{account.id}:function:open-*"),
        statement(
            "Allow",
            Resource=f"arn:aws:lambda:*:{account.id}:function:mine",
            Condition={"StringEquals": {"aws:ResourceTag/owner": "${cognito-identity.amazonaws.com:sub}"}},
        ),
    )
    open_one = account.function(code.ECHO, FunctionName=fresh("open"))
    me, client = app.guest()
    _, other = app.guest()
    account.function(code.ECHO, FunctionName="mine", Tags={"owner": me})
    assert account.call(open_one, 1, client)["json"] == 1
    assert account.call("mine", 1, client)["json"] == 1
    assert refusal(other.invoke, FunctionName="mine")[0] == 403


def test_a_changed_policy_counts_for_the_next_call(account, functions):
    app = guest_with(account, statement("Allow"))
    _, client = app.guest()
    name = functions["nobody"]
    assert account.call(name, 1, client)["json"] == 1
    role = app.pool.roles["unauthenticated"].rsplit("/", 1)[1]
    account.iam.delete_role_policy(RoleName=role, PolicyName="default")
    assert refusal(client.invoke, FunctionName=name)[0] == 403


def test_passing_a_role_needs_a_permission_of_its_own(account):
    """iam:PassRole (IAM user guide, "Grant a user permissions to pass a role to an AWS service")."""
    create = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
    app = guest_with(account, create)
    _, client = app.guest()
    status, error, message = refusal(client.create_function, **account.request(code.ECHO))
    assert (status, error) == (403, "AccessDeniedException")
    assert f"is not authorized to perform: iam:PassRole on resource: {account.execution_role}" in message


# Limits. Gateways of their own, with limits small enough to reach.


@pytest.fixture
def limited(tmp_path_factory):
    started = []

    def start(**limits):
        configuration = {f"CALLGATE_LIMITS__{name.upper()}": str(value) for name, value in limits.items()}
        gateway = Gateway(tmp_path_factory.mktemp("limited"), configuration=configuration).start()
        started.append(gateway)
        return Account(gateway)

    yield start
    for gateway in started:
        gateway.stop()


def throttled(call, **members):
    with pytest.raises(ClientError) as refused:
        call(**members)
    response = refused.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert response["Error"]["Code"] == "TooManyRequestsException"
    assert (response["Type"], response["message"]) == ("User", "Rate Exceeded.")
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert int(headers["retry-after"]) >= 1
    assert headers["x-callgate-limit"]
    return response["Reason"], headers


def test_concurrent_executions(limited):
    account = limited(account_concurrency=2)
    name = account.function(SLEEP, Timeout=30)
    account.call(name, 0)

    def hold():
        while True:
            try:
                return account.call(name, 3000)
            except ClientError:
                # The third call was faster: it has the slot for a moment.
                continue

    holding = [threading.Thread(target=hold) for _ in range(2)]
    for thread in holding:
        thread.start()
    reason = headers = None
    deadline = time.monotonic() + 2.5
    while reason is None and time.monotonic() < deadline:
        try:
            # Until both are running, a third is let in; it ends at once.
            account.call(name, 0)
        except ClientError:
            reason, headers = throttled(account.functions.invoke, FunctionName=name, Payload=b"0")
    assert reason == "ConcurrentInvocationLimitExceeded"
    assert "concurrency" in headers["x-callgate-limit"]
    # What does not run takes no slot: DryRun and management go on.
    assert account.functions.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204
    for thread in holding:
        thread.join()
    assert account.call(name, 0)["json"] == "woke"


def test_invocations_a_second(limited):
    account = limited(account_rate=5)
    name = account.function(code.ECHO)
    reasons = []
    for _ in range(50):
        try:
            account.call(name, 1)
        except ClientError as error:
            reasons.append(error.response.get("Reason"))
    assert reasons and set(reasons) <= {"FunctionInvocationRateLimitExceeded", "CallerRateLimitExceeded"}
    raw.eventually(lambda: not_throttled(account, name))


def not_throttled(account, name):
    try:
        return account.call(name, 1)["StatusCode"] == 200
    except ClientError:
        return False


def test_a_source_address(limited):
    """Before any cryptography: also for requests that no key has signed."""
    account = limited(address_rate=5, address_burst=20)
    answers = [raw.exchange(account.gateway.endpoint, "POST", "/2015-03-31/functions/f/invocations", {}, b"{}") for _ in range(60)]
    over = [answer for answer in answers if answer.status == 429]
    assert over and over[0].error == "TooManyRequestsException"
    assert json.loads(over[0].body)["Reason"] == "CallerRateLimitExceeded"
    assert int(over[0].headers["retry-after"]) >= 1 and "address" in over[0].headers["x-callgate-limit"]


def test_one_caller_does_not_use_up_anothers_rate(limited):
    account = limited(caller_rate=30)
    name = account.function(code.ECHO, Tags={"callgate:allow": "guests"})
    app = Pool(account).app()
    _, greedy = app.guest()
    _, modest = app.guest()
    refused = 0
    for _ in range(200):
        try:
            account.call(name, 1, greedy)
        except ClientError as error:
            assert error.response["Reason"] == "CallerRateLimitExceeded"
            refused += 1
    assert refused
    assert account.call(name, "mine", modest)["json"] == "mine"
