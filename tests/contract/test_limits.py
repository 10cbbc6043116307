"""Limits by rule, by reservation and for single accounts, functions and pools: set as an operator or developer sets them, met as
an app meets them. Each gateway here has a configuration file of its own, with limits small enough to reach."""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from harness import code, raw
from harness.account import Account, fresh, refusal
from harness.gateway import ROOT_KEY_ID, ROOT_SECRET, Gateway
from harness.pool import Pool

SLEEP = "exports.handler = (ms) => new Promise((resolve) => setTimeout(() => resolve('woke'), ms));"


class Limited:
    """A gateway with a file that says its limits."""

    def __init__(self, folder, limits, **configuration):
        self.file = folder / "callgate.toml"
        self.write(limits)
        self.gateway = Gateway(folder, configuration={"CALLGATE_CONFIG": str(self.file), **configuration}).start()
        self.account = Account(self.gateway)

    def write(self, limits):
        self.file.write_text(f"[limits]\n{limits}\n")

    def reload(self, limits):
        self.write(limits)
        before = self.gateway.log.read_text().count("read again")
        os.kill(self.gateway.process.pid, signal.SIGHUP)
        raw.eventually(lambda: self.gateway.log.read_text().count("read again") > before)

    def command(self, *arguments, **how):
        done = self.gateway.command(*arguments, "--data-dir", self.gateway.data_dir, **how)
        return json.loads(done.stdout) if done.returncode == 0 else done


@pytest.fixture
def limited(tmp_path_factory):
    started = []

    def start(limits, **configuration):
        started.append(Limited(tmp_path_factory.mktemp("limits"), limits, **configuration))
        return started[-1]

    yield start
    for one in started:
        one.gateway.stop()


def throttled(call, **members):
    """The reason, the limit and the headers of a 429."""
    with pytest.raises(ClientError) as refused:
        call(**members)
    response = refused.value.response
    metadata = response["ResponseMetadata"]
    assert (metadata["HTTPStatusCode"], response["Error"]["Code"]) == (429, "TooManyRequestsException")
    headers = metadata["HTTPHeaders"]
    seconds, limit = int(headers["retry-after"]), headers["x-callgate-limit"]
    assert seconds >= 1
    # draft-ietf-httpapi-ratelimit-headers: lists of a name with parameters.
    assert headers["ratelimit"] == f'"{limit}";r=0;t={seconds}'
    assert headers["ratelimit-policy"].startswith(f'"{limit}";q=')
    return response.get("Reason"), limit, headers


def until_throttled(call, most, **members):
    """How many calls succeed before the first 429, and what that says."""
    for served in range(most + 1):
        try:
            call(**members)
        except ClientError:
            return served, throttled(call, **members)
    raise AssertionError(f"{most} calls were all let through")


# Rules of the configuration.

EACH_USER = """
[[limits.rules]]
name = "each-user"
by = "identity"
class = "invoke"
rate = 1
per = "hour"
burst = {burst}
"""


def test_each_user_has_a_rate_that_changes_while_the_gateway_runs(limited):
    one = limited(EACH_USER.format(burst=3))
    name = one.account.function(code.ECHO, Tags={"callgate:allow": "guests"})
    app = Pool(one.account).app()
    identity, greedy = app.guest()
    _, modest = app.guest()
    served, (reason, limit, headers) = until_throttled(greedy.invoke, 10, FunctionName=name)
    assert (served, reason, limit) == (3, "CallerRateLimitExceeded", "each-user")
    assert headers["ratelimit-policy"] == '"each-user";q=3;w=10800'
    assert 3590 <= int(headers["retry-after"]) <= 3600
    one.account.call(name, "mine", modest)
    # The operator learns from the request's id whose bucket it was.
    told = one.command("policy", "explain", "--request", headers["x-amzn-requestid"])
    assert (told["Decision"], told["Limit"], told["By"]) == ("Throttled", "each-user", "identity")
    assert (told["IdentityId"], told["Operation"], told["Quota"]) == (identity, "Invoke", 3)
    # Two more for everybody; what was used stays used.
    one.reload(EACH_USER.format(burst=5))
    served, _ = until_throttled(greedy.invoke, 10, FunctionName=name)
    assert served == 2
    # A file that cannot be read changes nothing.
    one.write('[[limits.rules]]\nname = "each-user"\nby = "moon"')
    os.kill(one.gateway.process.pid, signal.SIGHUP)
    raw.eventually(lambda: "the limits before stay" in one.gateway.log.read_text())
    assert throttled(greedy.invoke, FunctionName=name)[1] == "each-user"
    one.reload("")
    one.account.call(name, "free", greedy)
    metrics = raw.signed(one.gateway.management, "GET", "/metrics").body.decode()
    assert 'callgate_throttles_total{limit="each-user"}' in metrics


def test_guests_exchanges_and_management_have_rates_of_their_own(limited):
    rule = '[[limits.rules]]\nname = "{0}"\nby = "{1}"\nclass = "{2}"\nrate = 1\nper = "hour"\nburst = {3}\n'
    one = limited(
        rule.format("new-guests", "pool", "guests", 3)
        + rule.format("tokens", "pool", "exchange", 5)
        + rule.format("operators", "identity", "management", 200)
    )
    app = Pool(one.account).app()
    identity = app.get_id()
    unsigned = app.identity
    served, (_, limit, _) = until_throttled(unsigned.get_id, 10, IdentityPoolId=app.pool.id)
    assert (served, limit) == (2, "new-guests")
    served, (_, limit, _) = until_throttled(unsigned.get_credentials_for_identity, 10, IdentityId=identity)
    assert (served, limit) == (5, "tokens")
    # Another pool is another bucket.
    Pool(one.account).app().guest()
    served, (_, limit, _) = until_throttled(one.account.functions.list_functions, 200)
    assert limit == "operators"


def test_an_app_that_the_configuration_names_has_a_rate(limited):
    one = limited('[[limits.rules]]\nname = "game"\nby = "app"\nonly = ["com.example.game"]\nrate = 1\nper = "hour"\nburst = 2\n')
    name = one.account.function(code.ECHO)

    def claims(package):
        context = json.dumps({"client": {"app_package_name": package}})
        return {"FunctionName": name, "ClientContext": base64.b64encode(context.encode()).decode()}

    served, (reason, limit, _) = until_throttled(one.account.functions.invoke, 5, **claims("com.example.game"))
    assert (served, reason, limit) == (2, "CallerRateLimitExceeded", "game")
    for _ in range(5):
        one.account.functions.invoke(**claims("com.example.other"))


def test_only_a_listed_proxy_says_where_a_request_comes_from(limited):
    rule = '[[limits.rules]]\nname = "calls"\nby = "address"\nclass = "invoke"\nrate = 1\nper = "hour"\nburst = 2\n'
    path = "/2015-03-31/functions/f/invocations"

    def refused_after(one, addresses):
        answers = [
            raw.exchange(one.gateway.endpoint, "POST", path, {"X-Forwarded-For": address}, b"{}").status
            for address in addresses
        ]
        return [status == 429 for status in answers]

    anyone = limited(rule)
    # What a client says of itself counts for nothing.
    assert refused_after(anyone, ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) == [False, False, True]
    listed = limited(rule, CALLGATE_SERVER__TRUSTED_PROXIES="127.0.0.1")
    assert refused_after(listed, ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.1"]) == [False, False, False, True]
    # IPv6 by /64.
    assert refused_after(listed, ["2001:db8::1", "2001:db8::2", "2001:db8::3"]) == [False, False, True]


# Reserved concurrency, as developers set it.


def hold(account, name, milliseconds):
    def until_served():
        while True:
            try:
                return account.call(name, milliseconds)
            except ClientError:
                # Another call was faster: it has the slot for a moment.
                continue

    thread = threading.Thread(target=until_served)
    thread.start()
    return thread


def test_a_function_has_what_is_reserved_for_it_and_no_more(limited):
    one = limited("account_concurrency = 12")
    functions = one.account.functions
    own = one.account.function(SLEEP, Timeout=30)
    other = one.account.function(SLEEP, Timeout=30)
    for name in (own, other):
        one.account.call(name, 0)
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=own)
    put = functions.put_function_concurrency(FunctionName=own, ReservedConcurrentExecutions=1)
    assert put["ReservedConcurrentExecutions"] == 1
    assert functions.get_function(FunctionName=own)["Concurrency"] == {"ReservedConcurrentExecutions": 1}
    settings = functions.get_account_settings()
    assert settings["AccountLimit"]["ConcurrentExecutions"] == 12
    assert settings["AccountLimit"]["UnreservedConcurrentExecutions"] == 11
    assert settings["AccountUsage"]["FunctionCount"] == 2
    holding = hold(one.account, own, 3000)
    seen = []
    raw.eventually(lambda: seen.append(attempt(functions, own)) or seen[-1] is not None, 2.5)
    reason, limit, headers = seen[-1]
    assert (reason, limit) == ("ReservedFunctionConcurrentInvocationLimitExceeded", "reserved_concurrency")
    assert headers["ratelimit-policy"] == '"reserved_concurrency";q=1;qu="concurrent-requests"'
    one.account.call(other, 0)
    holding.join()
    # None at all turns it off.
    functions.put_function_concurrency(FunctionName=own, ReservedConcurrentExecutions=0)
    assert throttled(functions.invoke, FunctionName=own)[0] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    functions.delete_function_concurrency(FunctionName=own)
    one.account.call(own, 0)
    status, error, message = refusal(
        functions.put_function_concurrency, FunctionName=own, ReservedConcurrentExecutions=3
    )
    assert (status, error) == (400, "InvalidParameterValueException")
    assert message == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        "minimum value of [10]."
    )


def attempt(functions, name):
    try:
        functions.invoke(FunctionName=name, Payload=b"0")
    except ClientError:
        return throttled(functions.invoke, FunctionName=name, Payload=b"0")
    return None


def test_ten_calls_a_second_go_with_each_reserved_unit(limited):
    one = limited("")
    name = one.account.function(code.ECHO)
    one.account.call(name, 1)
    one.account.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    # One after the other, so that there is never more than one at a time.
    served, (reason, limit, _) = until_throttled(one.account.functions.invoke, 500, FunctionName=name)
    assert (reason, limit) == ("ReservedFunctionInvocationRateLimitExceeded", "reserved_rate")
    assert served >= 10


def test_the_aws_cli_reserves_too(limited, tmp_path):
    one = limited("")
    name = one.account.function(code.ECHO)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": ROOT_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }

    def aws(*arguments, check=True):
        command = [os.path.join(os.path.dirname(sys.executable), "aws"), "lambda", *arguments]
        command += ["--endpoint-url", one.gateway.endpoint, "--output", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or not check, done.stderr
        return done

    aws("put-function-concurrency", "--function-name", name, "--reserved-concurrent-executions", "0")
    shown = json.loads(aws("get-function-concurrency", "--function-name", name).stdout)
    assert shown == {"ReservedConcurrentExecutions": 0}
    refused = aws("invoke", "--function-name", name, str(tmp_path / "answer"), check=False)
    assert "(TooManyRequestsException)" in refused.stderr and "Rate Exceeded." in refused.stderr
    aws("delete-function-concurrency", "--function-name", name)
    aws("invoke", "--function-name", name, str(tmp_path / "answer"))


# Limits of single accounts, functions and pools, as the operator lifts them.


def test_limits_are_lifted_by_command_and_api(limited):
    one = limited('[[limits.rules]]\nname = "each-function"\nby = "function"\nrate = 1\nper = "hour"\nburst = 2\n')
    name = one.account.function(code.ECHO)
    served, (reason, limit, _) = until_throttled(one.account.functions.invoke, 5, FunctionName=name)
    assert (served, reason, limit) == (2, "FunctionInvocationRateLimitExceeded", "each-function")
    put = one.command("limits", "put", "each-function", "--function", name, "--rate", 1, "--per", "hour", "--burst", 4)
    expected = {"AccountId": "000000000000", "FunctionName": name, "Limit": "each-function"}
    assert put == {**expected, "Rate": 1, "Per": "hour", "Burst": 4}
    assert one.command("limits", "list") == {"Limits": [put]}
    served, _ = until_throttled(one.account.functions.invoke, 5, FunctionName=name)
    assert served == 2
    # The same by the signed API, which the command speaks to another gateway.
    endpoint = ("--endpoint", one.gateway.endpoint)
    keys = {"AWS_ACCESS_KEY_ID": ROOT_KEY_ID, "AWS_SECRET_ACCESS_KEY": ROOT_SECRET}

    def remote(*arguments, **how):
        return one.gateway.command("limits", *arguments, *endpoint, environment=keys, **how)

    remote("put", "account_concurrency", "--concurrency", 250)
    assert one.account.functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 250
    assert len(json.loads(remote("list").stdout)["Limits"]) == 2
    remote("delete", "account_concurrency")
    assert one.account.functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 100
    missing = remote("put", "each-function", "--function", fresh("missing"), "--rate", 1, check=False)
    assert missing.returncode != 0 and "not found" in missing.stderr
    wrong = remote("put", "moon", "--function", name, "--rate", 1, check=False)
    assert "no limit moon is by function" in wrong.stderr
    # With the function its limits go.
    one.account.functions.delete_function(FunctionName=name)
    assert one.command("limits", "list") == {"Limits": []}


def test_an_account_does_not_lift_its_own_limits(limited):
    one = limited("")
    made = one.command("accounts", "create", "123456789012")
    own = Credentials(made["AccessKeyId"], made["SecretAccessKey"])
    credentials = dict(credentials=own, service="callgate")
    body = json.dumps({"Limit": "account_concurrency", "Concurrency": 1000}).encode()
    answer = raw.signed(one.gateway.endpoint, "POST", "/callgate/v1/put-limit", body, **credentials)
    assert (answer.status, answer.error) == (403, "AccessDeniedException")
    assert raw.signed(one.gateway.endpoint, "GET", "/callgate/v1/limits", **credentials).status == 200
    # The operator's account does it for them.
    named = json.dumps({"AccountId": "123456789012", "Limit": "account_concurrency", "Concurrency": 7}).encode()
    answer = raw.signed(one.gateway.endpoint, "POST", "/callgate/v1/put-limit", named, service="callgate")
    assert answer.status == 200
    theirs = Account(one.gateway, "123456789012", made["AccessKeyId"], made["SecretAccessKey"])
    assert theirs.functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 7


def test_lifted_limits_outlive_a_restart(tmp_path):
    gateway = Gateway(tmp_path).start()
    gateway.command("limits", "put", "account_concurrency", "--concurrency", 33, "--data-dir", gateway.data_dir)
    gateway.stop()
    # Without a gateway the command works on the store.
    gateway.command("limits", "put", "account_rate", "--rate", 44, "--data-dir", gateway.data_dir)
    gateway.start()
    try:
        listed = json.loads(gateway.command("limits", "list", "--data-dir", gateway.data_dir).stdout)["Limits"]
        assert [(limit["Limit"], limit.get("Concurrency"), limit.get("Rate")) for limit in listed] == [
            ("account_concurrency", 33, None),
            ("account_rate", None, 44),
        ]
        assert Account(gateway).functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"] == 33
    finally:
        gateway.stop()
