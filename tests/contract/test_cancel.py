"""Leaving and deadlines: what a client asks of a call that it may not wait for. Ours; docs/cancel.md."""

import json
import threading
import time
from urllib.parse import quote

import pytest
from botocore.credentials import Credentials

from harness import raw
from harness.account import Account, fresh, refusal
from harness.gateway import Gateway
from harness.pool import Pool
from harness.raw import eventually

# Does what it is told, and says in the gateway's log what becomes of it.
SOURCE = """
const { setTimeout: sleep } = require('node:timers/promises');
let calls = 0;
exports.handler = async (event, context) => {
  calls += 1;
  if (event.mark) console.log('begun', event.mark);
  const left = context.getRemainingTimeInMillis();
  const signal = event.listens ? context.signal : undefined;
  try {
    await sleep(event.wait || 0, undefined, { signal });
    if (event.mark) console.log('finished', event.mark);
  } catch (error) {
    console.log('stopped', event.mark, context.signal.reason);
  }
  return { calls, left };
};
"""
CANCEL = {"Callgate-On-Disconnect": "cancel"}


@pytest.fixture(scope="module")
def configuration():
    return {
        "CALLGATE_LOG__LEVEL": "info,callgate::function=debug",
        # One sandbox a function, so that there is a line.
        "CALLGATE_SANDBOX__FUNCTION_SANDBOXES_MAX": "1",
        "CALLGATE_SANDBOX__CANCEL_GRACE_MS": "300",
    }


class Caller:
    """Calls of one function, byte by byte."""

    def __init__(self, gateway, function, credentials=raw.ROOT):
        self.gateway = gateway
        self.path = f"/2015-03-31/functions/{function}/invocations"
        self.credentials = credentials

    def call(self, event, headers=()):
        body = json.dumps(event).encode()
        return raw.signed(self.gateway.endpoint, "POST", self.path, body, headers, credentials=self.credentials)

    def leave(self, event, headers=()):
        """Sends a call, and closes the connection once its function has begun."""
        body = json.dumps(event).encode()
        signed = raw.signed_headers("POST", self.gateway.endpoint + self.path, body, headers, credentials=self.credentials)
        signed["Content-Length"] = str(len(body))
        with raw.connect(self.gateway.endpoint) as connection:
            connection.sendall(raw.head("POST", self.path, self.gateway.endpoint.split("//")[1], signed) + body)
            self.logged("begun", event["mark"])

    def cancel(self, call_id, credentials=None):
        return raw.signed(
            self.gateway.endpoint, "DELETE", f"{self.path}/{call_id}", credentials=credentials or self.credentials
        )

    def logged(self, *words):
        text = " ".join(words)
        return eventually(lambda: text in self.gateway.log.read_text(errors="replace"))

    def count(self, end):
        metrics = raw.exchange(self.gateway.endpoint, "GET", "/metrics").body.decode()
        name = f'callgate_cancelled_invocations_total{{end="{end}"}} '
        return next(int(line[len(name):]) for line in metrics.splitlines() if line.startswith(name))


@pytest.fixture
def caller(gateway, account):
    return Caller(gateway, account.function(SOURCE, Timeout=30, Tags={"callgate:allow": "guests"}))


def error_type(answer):
    assert (answer.status, answer.headers.get("x-amz-function-error")) == (200, "Unhandled"), answer
    return json.loads(answer.body)["errorType"]


# Leaving.


def test_a_function_runs_on_when_its_caller_leaves(caller):
    mark = fresh("mark")
    caller.leave({"mark": mark, "wait": 700, "listens": True})
    caller.logged("finished", mark)
    assert json.loads(caller.call({}).body)["calls"] == 2


def test_one_that_was_asked_to_stop_does_and_its_sandbox_goes_on(caller):
    mark, before = fresh("mark"), caller.count("stopped")
    caller.leave({"mark": mark, "wait": 20_000, "listens": True}, CANCEL)
    caller.logged("stopped", mark, "Cancelled")
    eventually(lambda: caller.count("stopped") == before + 1)
    assert json.loads(caller.call({}).body)["calls"] == 2


def test_one_that_takes_no_notice_is_ended_with_its_sandbox(caller):
    mark, before = fresh("mark"), caller.count("killed")
    caller.leave({"mark": mark, "wait": 20_000}, CANCEL)
    eventually(lambda: caller.count("killed") == before + 1)
    assert json.loads(caller.call({}).body)["calls"] == 1, "a sandbox of its own"
    caller.logged("\tStatus: Cancelled")


def test_a_tag_says_the_same_of_every_call(account, gateway):
    tags = {"callgate:on-disconnect": "cancel"}
    caller = Caller(gateway, account.function(SOURCE, Timeout=30, Tags=tags))
    mark = fresh("mark")
    caller.leave({"mark": mark, "wait": 20_000, "listens": True})
    caller.logged("stopped", mark, "Cancelled")
    function = caller.path.split("/")[3]
    account.functions.untag_resource(Resource=account.arn(function), TagKeys=list(tags))
    mark = fresh("mark")
    caller.leave({"mark": mark, "wait": 500, "listens": True})
    caller.logged("finished", mark)
    refused = refusal(account.functions.tag_resource, Resource=account.arn(function), Tags={"callgate:on-disconnect": "stop"})
    assert refused[:2] == (400, "InvalidParameterValueException")


@pytest.mark.parametrize("value", ["continue", "Cancel", "cancel, cancel"])
def test_only_cancel_can_be_asked_for(caller, value):
    answer = caller.call({}, {"Callgate-On-Disconnect": value})
    assert (answer.status, answer.error) == (400, "InvalidParameterValueException")


# Deadlines.


def deadline(millis):
    return {"Callgate-Timeout-Ms": str(millis)}


def test_the_smaller_time_counts(caller):
    assert 4_000 < json.loads(caller.call({}, deadline(5_000)).body)["left"] <= 5_000
    assert 25_000 < json.loads(caller.call({}, deadline(600_000)).body)["left"] <= 30_000


def test_what_has_begun_times_out(caller):
    caller.call({})
    began = time.monotonic()
    answer = caller.call({"wait": 20_000}, deadline(400))
    assert 0.3 < time.monotonic() - began < 10
    assert error_type(answer) == "Sandbox.Timedout"
    assert "Task timed out after 0." in json.loads(answer.body)["errorMessage"]


def test_what_has_not_begun_is_never_started(caller):
    assert json.loads(caller.call({}).body)["calls"] == 1
    mark = fresh("mark")
    first = threading.Thread(target=caller.call, args=({"mark": mark, "wait": 1_500},))
    first.start()
    caller.logged("begun", mark)
    answer = caller.call({}, deadline(200))
    assert (answer.status, answer.error) == (408, "ClientDeadlineExceededException")
    assert json.loads(answer.body)["Type"] == "User"
    first.join()
    assert json.loads(caller.call({}).body)["calls"] == 3


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "1e3", "soon", "86400001", "9" * 40, "5, 5"])
def test_a_time_that_is_none(caller, value):
    answer = caller.call({}, {"Callgate-Timeout-Ms": value})
    assert (answer.status, answer.error) == (400, "InvalidParameterValueException")
    assert "from 1 to 86400000" in json.loads(answer.body)["message"]


def test_boto3_sends_both_by_a_hook(account, caller):
    def add(request, **_):
        request.headers["Callgate-Timeout-Ms"] = "5000"
        request.headers["Callgate-On-Disconnect"] = "cancel"

    functions = account.client("lambda", read_timeout=62)
    functions.meta.events.register("before-sign.lambda.Invoke", add)
    answer = account.call(caller.path.split("/")[3], {}, client=functions)
    assert 4_000 < answer["json"]["left"] <= 5_000


# Cancels by DELETE.


class Waiting(threading.Thread):
    """A call that somebody waits for."""

    def __init__(self, caller, event, headers):
        super().__init__()
        self.caller, self.event, self.headers, self.answer = caller, event, headers, None
        self.start()
        caller.logged("begun", event["mark"])

    def run(self):
        self.answer = self.caller.call(self.event, self.headers)

    def end(self):
        self.join()
        return self.answer


@pytest.mark.parametrize("header", ["Idempotency-Key", "amz-sdk-invocation-id", "aws-sdk-invocation-id"])
def test_a_call_is_cancelled_by_its_id(caller, header):
    mark, call_id = fresh("mark"), fresh("id")
    call = Waiting(caller, {"mark": mark, "wait": 20_000, "listens": True}, {header: call_id})
    answer = caller.cancel(call_id)
    assert (answer.status, answer.body) == (202, b"")
    first = call.end()
    assert error_type(first) == "Callgate.Cancelled"
    caller.logged("stopped", mark, "Cancelled")
    # A retry learns the same, and there is nothing left to be cancelled.
    again = caller.call(call.event, {header: call_id})
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    answer = caller.cancel(call_id)
    assert (answer.status, answer.error) == (404, "ResourceNotFoundException")
    assert json.loads(caller.call({}).body)["calls"] == 2


def test_an_id_may_be_any_visible_text(caller):
    call_id = "a/b?c%20+~#1"
    mark = fresh("mark")
    call = Waiting(caller, {"mark": mark, "wait": 20_000, "listens": True}, {"Idempotency-Key": call_id})
    assert caller.cancel(quote(call_id, safe="")).status == 202
    assert error_type(call.end()) == "Callgate.Cancelled"


@pytest.mark.parametrize("call_id", ["never-sent", "%20", "%ff", "a" * 256])
def test_what_is_not_running_cannot_be_cancelled(caller, call_id):
    answer = caller.cancel(call_id)
    assert (answer.status, answer.error) in [(404, "ResourceNotFoundException"), (400, "InvalidRequestContentException")], answer


def test_one_that_is_in_the_line_never_begins(caller):
    assert json.loads(caller.call({}).body)["calls"] == 1
    first = Waiting(caller, {"mark": fresh("mark"), "wait": 2_000}, {})
    call_id, before = fresh("id"), caller.count("never_began")
    answers = []
    second = threading.Thread(target=lambda: answers.append(caller.call({"mark": "never"}, {"Idempotency-Key": call_id})))
    second.start()
    eventually(lambda: caller.cancel(call_id).status == 202)
    second.join()
    assert error_type(answers[0]) == "Callgate.Cancelled"
    assert caller.count("never_began") == before + 1
    first.end()
    assert json.loads(caller.call({}).body)["calls"] == 3


def test_a_cancelled_call_is_counted_as_neither_a_success_nor_an_error(tmp_path, configuration):
    """On a gateway that has no other calls to count."""
    gateway = Gateway(tmp_path / "counted", configuration=configuration).start()

    def counted():
        metrics = raw.exchange(gateway.endpoint, "GET", "/metrics").body.decode()
        name = 'callgate_requests_total{operation="Invoke",outcome="'
        found = (line[len(name):].split('"} ') for line in metrics.splitlines() if line.startswith(name))
        return {outcome: int(count) for outcome, count in found if int(count)}

    try:
        caller = Caller(gateway, Account(gateway).function(SOURCE, Timeout=30))
        call_id = fresh("id")
        event = {"mark": fresh("mark"), "wait": 20_000, "listens": True}
        call = Waiting(caller, event, {"Idempotency-Key": call_id})
        assert caller.cancel(call_id).status == 202
        assert error_type(call.end()) == "Callgate.Cancelled"
        assert eventually(counted) == {"cancelled": 1}
        # One that ends by itself is a success, on the same counter.
        assert json.loads(caller.call({}).body)["calls"] == 2
        eventually(lambda: counted() == {"cancelled": 1, "success": 1})
    finally:
        gateway.stop()


@pytest.fixture(scope="module")
def guests(account):
    app = Pool(account).app()

    def guest():
        keys = app.credentials(app.get_id())["Credentials"]
        return Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])

    return guest


def test_only_its_caller_cancels_a_call(caller, guests):
    one, other = guests(), guests()
    caller.credentials = one
    mark, call_id = fresh("mark"), fresh("id")
    call = Waiting(caller, {"mark": mark, "wait": 1_500, "listens": True}, {"Idempotency-Key": call_id})
    for stranger in (other, raw.ROOT):
        answer = caller.cancel(call_id, stranger)
        assert (answer.status, answer.error) == (404, "ResourceNotFoundException")
    assert json.loads(call.end().body)["calls"] == 1
    caller.logged("finished", mark)


def test_who_may_not_call_may_not_cancel(account, gateway, guests):
    private = Caller(gateway, account.function(SOURCE), guests())
    answer = private.cancel("any")
    assert (answer.status, answer.error) == (403, "AccessDeniedException")
    assert "lambda:InvokeFunction" in json.loads(answer.body)["message"]
    answer = raw.exchange(gateway.endpoint, "DELETE", private.path + "/any")
    assert (answer.status, answer.error) == (403, "MissingAuthenticationTokenException")


def test_of_several_that_wait_the_last_to_leave_counts(caller):
    mark, call_id = fresh("mark"), fresh("id")
    event, headers = {"mark": mark, "wait": 3_000, "listens": True}, {"Idempotency-Key": call_id, **CANCEL}
    call = Waiting(caller, event, headers)
    # Another request of the call comes and goes; the first still waits.
    caller.leave(event, headers)
    assert json.loads(call.end().body)["calls"] == 1
    caller.logged("finished", mark)


def test_one_that_nobody_waits_for_any_more_is_stopped_and_its_retry_is_told(caller):
    mark, call_id = fresh("mark"), fresh("id")
    event, headers = {"mark": mark, "wait": 20_000, "listens": True}, {"Idempotency-Key": call_id, **CANCEL}
    caller.leave(event, headers)
    caller.logged("stopped", mark, "Cancelled")
    answer = caller.call(event, headers)
    assert error_type(answer) == "Callgate.Cancelled"
    assert answer.headers["idempotent-replayed"] == "true"
