"""Retries that run once: over a bad network, over a restart, over a crash; with boto3, the AWS SDK for JavaScript and raw sockets.

One sandbox serves every call of a function here, so that a function can count its own runs."""

import json
import os
import subprocess
import threading
import uuid
from pathlib import Path

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from harness import raw
from harness.account import Account, client, refusal
from harness.faults import PROXY, FaultProxy
from harness.gateway import REGION, ROOT_KEY_ID, ROOT_SECRET, Gateway
from harness.pool import Pool

COUNTS = """
const runs = {};
exports.handler = async (event) => {
  if (event.ask) return runs[event.ask] ?? 0;
  runs[event.call] = (runs[event.call] ?? 0) + 1;
  if (event.wait) await new Promise((done) => setTimeout(done, event.wait));
  if (event.fail) throw new Error('on purpose');
  return { call: event.call, runs: runs[event.call], chance: Math.random(), padding: 'x'.repeat(event.pad ?? 0) };
};
"""
ONE_SANDBOX = {"CALLGATE_SANDBOX__FUNCTION_SANDBOXES_MAX": "1"}
# boto3's own choice is `legacy`.
MODES = ["legacy", "standard"]
CUTS = ["none", "before-request", "in-request", "before-answer", "leave", "after-answer"]
FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def configuration():
    return {"CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP": "true", **ONE_SANDBOX}


@pytest.fixture(scope="module")
def function(account):
    name = account.function(COUNTS, Timeout=30)
    account.settled(name)
    return name


@pytest.fixture(scope="module")
def hasty(account):
    """A function with the shortest time-out that there is."""
    return account.function(COUNTS, Timeout=1)


def fresh():
    return str(uuid.uuid4())


def keyed(made, key):
    """Has a boto3 client send this key with each call: a header that it signs like any other."""
    made.meta.events.register("before-call.lambda.Invoke", lambda params, **_: params["headers"].update({"Idempotency-Key": key}))
    return made


def retrying(endpoint, mode):
    retries = {"mode": mode, "total_max_attempts": 4}
    return client("lambda", endpoint, ROOT_KEY_ID, ROOT_SECRET, retries=retries)


def runs_of(account, function, call):
    return account.call(function, {"ask": call})["json"]


def post(endpoint, function, event, headers, **how):
    body = json.dumps(event).encode()
    return raw.signed(endpoint, "POST", f"/2015-03-31/functions/{function}/invocations", body, headers, **how)


def credentials_of(app, identity, logins=None):
    found = app.credentials(identity, logins)["Credentials"]
    return Credentials(found["AccessKeyId"], found["SecretKey"], found["SessionToken"])


def metric(gateway, name):
    text = raw.exchange(gateway.management, "GET", "/metrics").body.decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


# Over a bad network.


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["sdk", "key"])
@pytest.mark.parametrize("cut", CUTS)
def test_boto3_runs_a_call_once_wherever_the_connection_breaks(gateway, account, function, cut, kind, mode):
    call = fresh()
    with FaultProxy(gateway.endpoint, cut) as proxy:
        made = retrying(proxy.endpoint, mode)
        answer = account.call(function, {"call": call, "wait": 50}, keyed(made, call) if kind == "key" else made)
    assert answer["json"]["call"] == call and answer["json"]["runs"] == 1
    assert runs_of(account, function, call) == 1
    assert len(proxy.seen) == (1 if cut in ("none", "after-answer") else 2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", ["sdk", "key"])
def test_boto3_gives_up_in_the_middle_of_an_answer_and_the_call_has_run_once(gateway, account, function, kind, mode):
    call = fresh()
    with FaultProxy(gateway.endpoint, "in-answer") as proxy:
        made = retrying(proxy.endpoint, mode)
        with pytest.raises((BotoCoreError, OSError)):
            account.call(function, {"call": call, "pad": 10_000}, keyed(made, call) if kind == "key" else made)
    assert proxy.seen == ["in-answer"]
    assert runs_of(account, function, call) == 1


@pytest.mark.parametrize("mode", MODES)
def test_cut_after_cut_the_answer_is_that_of_the_one_run(gateway, account, function, mode):
    call = fresh()
    with FaultProxy(gateway.endpoint, "leave", "before-answer", "before-answer") as proxy:
        made = retrying(proxy.endpoint, mode)
        answer = account.call(function, {"call": call, "wait": 300}, made)
    assert proxy.seen == ["leave", "before-answer", "before-answer", "none"]
    assert answer["json"]["runs"] == 1 and runs_of(account, function, call) == 1
    assert answer["ResponseMetadata"]["HTTPHeaders"]["idempotent-replayed"] == "true"


def test_the_sdk_for_javascript_runs_a_call_once_wherever_the_connection_breaks(gateway, function):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(gateway.folder),
        "CALLGATE_ENDPOINT": gateway.endpoint,
        "CALLGATE_REGION": REGION,
        "CALLGATE_KEY_ID": ROOT_KEY_ID,
        "CALLGATE_SECRET": ROOT_SECRET,
        "CALLGATE_FUNCTION": function,
        "CALLGATE_FAULT_PROXY": str(PROXY),
    }
    done = subprocess.run(
        ["node", "--test", "js/faults/retries.test.mjs"],
        cwd=FOLDER, env=environment, capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# What a second request gets.


@pytest.mark.parametrize("header", ["Idempotency-Key", "amz-sdk-invocation-id", "aws-sdk-invocation-id"])
@pytest.mark.parametrize(
    "event, error",
    [({"pad": 100_000}, None), ({"fail": True}, "Error"), ({"wait": 20_000}, "Sandbox.Timedout")],
    ids=["value", "error", "time-out"],
)
def test_a_stored_answer_is_given_again_byte_for_byte(gateway, function, hasty, header, event, error):
    call = fresh()
    called = hasty if error == "Sandbox.Timedout" else function
    headers = {header: call, "X-Amz-Log-Type": "Tail"}
    first, second = (post(gateway.endpoint, called, {"call": call, **event}, headers) for _ in range(2))
    assert first.status == second.status == 200
    assert json.loads(first.body).get("errorType") == error
    assert second.headers.pop("idempotent-replayed") == "true"
    assert "idempotent-replayed" not in first.headers
    for answer in (first, second):
        answer.headers.pop("date", None)
    assert second.headers == first.headers and second.body == first.body


def test_requests_that_come_while_it_runs_wait_for_it_and_the_tenth_is_refused(gateway, account, function):
    call = fresh()
    answers = []

    def send():
        answers.append(post(gateway.endpoint, function, {"call": call, "wait": 3000}, {"Idempotency-Key": call}))

    threads = [threading.Thread(target=send) for _ in range(9)]
    joins = metric(gateway, "callgate_idempotency_joins_total")
    for thread in threads:
        thread.start()
    raw.eventually(lambda: metric(gateway, "callgate_idempotency_joins_total") == joins + 8)
    tenth = post(gateway.endpoint, function, {"call": call, "wait": 3000}, {"Idempotency-Key": call})
    assert (tenth.status, tenth.error) == (429, "TooManyRequestsException")
    assert json.loads(tenth.body)["Reason"] == "CallerRateLimitExceeded"
    assert tenth.headers["x-callgate-limit"] == "idempotency.joins" and tenth.headers["retry-after"] == "1"
    for thread in threads:
        thread.join()
    assert {answer.body for answer in answers} == {answers[0].body} and answers[0].status == 200
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 8
    assert runs_of(account, function, call) == 1


def test_two_identities_with_the_same_id_never_share_an_answer(gateway, account):
    function = account.function(COUNTS, Tags={"callgate:allow": "guests"})
    app = Pool(account).app()
    guests = [credentials_of(app, app.get_id()) for _ in range(2)]
    for header in ("Idempotency-Key", "amz-sdk-invocation-id"):
        call = fresh()
        answers = [
            post(gateway.endpoint, function, {"call": call}, {header: call}, credentials=guest)
            for guest in guests
            for _ in range(2)
        ]
        assert [answer.status for answer in answers] == [200] * 4, answers
        bodies = [answer.body for answer in answers]
        assert bodies[0] == bodies[1] != bodies[2] == bodies[3], header


def test_a_replay_is_authorised_anew(gateway, account):
    function = account.function(COUNTS, Tags={"callgate:allow": "guests"})
    _, functions = Pool(account).app().guest()
    call = fresh()
    assert account.call(function, {"call": call}, keyed(functions, call))["json"]["runs"] == 1
    account.functions.untag_resource(Resource=account.arn(function), TagKeys=["callgate:allow"])
    status, code, _ = refusal(functions.invoke, FunctionName=function, Payload=json.dumps({"call": call}))
    assert (status, code) == (403, "AccessDeniedException")


def test_another_payload_with_a_key_is_refused_and_with_an_sdks_id_runs(gateway, account, function):
    call = fresh()
    assert post(gateway.endpoint, function, {"call": call}, {"Idempotency-Key": call}).status == 200
    other = post(gateway.endpoint, function, {"call": call, "pad": 1}, {"Idempotency-Key": call})
    assert (other.status, other.error) == (422, "IdempotencyKeyReusedException")
    assert runs_of(account, function, call) == 1
    for pad in (1, 2):
        assert post(gateway.endpoint, function, {"call": call, "pad": pad}, {"amz-sdk-invocation-id": call}).status == 200
    assert runs_of(account, function, call) == 3


@pytest.mark.parametrize("key", ["", "a b", "k" * 256], ids=["empty", "blank", "long"])
def test_a_key_that_is_none_is_refused(gateway, account, function, key):
    answer = post(gateway.endpoint, function, {"call": "never"}, {"Idempotency-Key": key})
    assert (answer.status, answer.error) == (400, "InvalidParameterValueException"), answer
    assert runs_of(account, function, "never") == 0


def test_refusals_before_the_run_may_be_tried_again(gateway, account, function):
    call = fresh()
    headers = {"Idempotency-Key": call}
    missing = post(gateway.endpoint, "not-yet", {"call": call}, headers)
    assert missing.status == 404
    account.function(COUNTS, FunctionName="not-yet")
    assert post(gateway.endpoint, "not-yet", {"call": call}, headers).status == 200
    dry = post(gateway.endpoint, function, {"call": call}, {**headers, "X-Amz-Invocation-Type": "DryRun"})
    assert dry.status == 204 and runs_of(account, function, call) == 0


# Over the gateway's end.


@pytest.fixture
def other(tmp_path):
    """A gateway that a test may kill, with one execution at a time and little room for anybody's keys."""
    configuration = {
        **ONE_SANDBOX,
        "CALLGATE_LIMITS__ACCOUNT_CONCURRENCY": "1",
        "CALLGATE_IDEMPOTENCY__KEY_IDENTITY_MIB": "1",
        "CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP": "true",
    }
    made = Gateway(tmp_path / "other", configuration=configuration).start()
    yield made
    if made.process.poll() is None:
        made.stop()


def test_a_joined_and_a_replayed_request_take_no_slot(other):
    account = Account(other)
    function = account.function(COUNTS, Timeout=30)
    account.settled(function)
    call, answers = fresh(), []

    def send():
        answers.append(post(other.endpoint, function, {"call": call, "wait": 3000}, {"amz-sdk-invocation-id": call}))

    first = threading.Thread(target=send)
    first.start()
    raw.eventually(lambda: metric(other, "callgate_concurrent_executions") == 1)
    assert post(other.endpoint, function, {"call": "other"}, {}).status == 429
    joined = post(other.endpoint, function, {"call": call, "wait": 3000}, {"amz-sdk-invocation-id": call})
    first.join()
    assert joined.body == answers[0].body and joined.status == 200


@pytest.mark.parametrize("header", ["Idempotency-Key", "amz-sdk-invocation-id"])
def test_a_call_refused_for_want_of_a_slot_may_be_tried_again_and_runs_once(other, header):
    account = Account(other)
    function, busy = account.function(COUNTS), account.function(COUNTS, Timeout=30)
    call, holds = fresh(), fresh()
    event, key = {"call": holds, "wait": 25_000}, {"Idempotency-Key": holds}
    holder = threading.Thread(target=post, args=(other.endpoint, busy, event, key))
    holder.start()
    raw.eventually(lambda: metric(other, "callgate_concurrent_executions") == 1)
    refused = post(other.endpoint, function, {"call": call}, {header: call})
    assert (refused.status, refused.error) == (429, "TooManyRequestsException")
    assert json.loads(refused.body)["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert raw.signed(other.endpoint, "DELETE", f"/2015-03-31/functions/{busy}/invocations/{holds}").status == 202
    holder.join()
    raw.eventually(lambda: metric(other, "callgate_concurrent_executions") == 0)
    first, second = (post(other.endpoint, function, {"call": call}, {header: call}) for _ in range(2))
    assert first.status == 200 and "idempotent-replayed" not in first.headers
    assert second.body == first.body and second.headers["idempotent-replayed"] == "true"
    assert runs_of(account, function, call) == 1


def test_a_guest_whose_keys_have_no_room_left_is_refused_before_the_run_and_another_is_not(other):
    account = Account(other)
    function = account.function(COUNTS, Tags={"callgate:allow": "guests"})
    app = Pool(account).app()
    greedy, modest = (credentials_of(app, app.get_id()) for _ in range(2))
    fills, over, fits = fresh(), fresh(), fresh()

    def send(guest, call, **event):
        return post(other.endpoint, function, {"call": call, **event}, {"Idempotency-Key": call}, credentials=guest)

    # Shares are looked at before a run: an answer of more than the 1 MiB is kept, and takes all of it.
    assert send(greedy, fills, pad=1 << 20).status == 200
    refused = send(greedy, over)
    assert (refused.status, refused.error) == (503, "ServiceUnavailableException")
    assert refused.headers["x-callgate-limit"] == "idempotency.key_identity_mib"
    assert send(modest, fits).status == 200
    assert [runs_of(account, function, call) for call in (fills, over, fits)] == [1, 0, 1]
    # What is kept is still a promise.
    assert send(greedy, fills, pad=1 << 20).headers["idempotent-replayed"] == "true"


def test_a_caller_who_leaves_finds_the_answer_waiting(other):
    account = Account(other)
    function = account.function(COUNTS, Timeout=30)
    account.settled(function)
    for header in ("Idempotency-Key", "amz-sdk-invocation-id"):
        # Who leaves before the key is on disk has not begun, and takes the slot along: then the next one is tried.
        for _ in range(10):
            call = fresh()
            event = {"call": call, "wait": 500}
            body = json.dumps(event).encode()
            target = f"/2015-03-31/functions/{function}/invocations"
            sent = {header: call, "Content-Length": str(len(body))}
            headers = raw.signed_headers("POST", other.endpoint + target, body, sent)
            with raw.connect(other.endpoint) as connection:
                connection.sendall(raw.head("POST", target, other.endpoint.split("//")[1], headers) + body)
                raw.eventually(lambda: metric(other, "callgate_concurrent_executions") == 1)
            # It runs on, and so holds the one slot, until it has ended.
            raw.eventually(lambda: metric(other, "callgate_concurrent_executions") == 0)
            answer = post(other.endpoint, function, event, {header: call})
            assert json.loads(answer.body)["runs"] == 1
            if answer.headers.get("idempotent-replayed") == "true":
                break
        else:
            raise AssertionError(f"no answer was waiting for {header}")


def test_after_a_crash_a_key_tells_what_is_known_and_runs_nothing_twice(other):
    account = Account(other)
    function = account.function(COUNTS, Timeout=30)
    account.settled(function)
    done, cut, courtesy = fresh(), fresh(), fresh()
    answer = post(other.endpoint, function, {"call": done}, {"Idempotency-Key": done})
    assert answer.status == 200
    assert post(other.endpoint, function, {"call": courtesy}, {"amz-sdk-invocation-id": courtesy}).status == 200

    def send():
        try:
            post(other.endpoint, function, {"call": cut, "wait": 20_000}, {"Idempotency-Key": cut})
        except OSError:
            pass

    running = threading.Thread(target=send)
    running.start()
    raw.eventually(lambda: metric(other, "callgate_concurrent_executions") == 1)
    other.kill()
    running.join()
    other.start()

    again = post(other.endpoint, function, {"call": done}, {"Idempotency-Key": done})
    assert again.body == answer.body and again.headers["idempotent-replayed"] == "true"
    unknown = post(other.endpoint, function, {"call": cut, "wait": 20_000}, {"Idempotency-Key": cut})
    assert (unknown.status, unknown.error) == (409, "IdempotencyOutcomeUnknownException")
    reused = post(other.endpoint, function, {"call": cut}, {"Idempotency-Key": cut})
    assert (reused.status, reused.error) == (422, "IdempotencyKeyReusedException")
    # An SDK's id is a courtesy, which a crash ends.
    lost = post(other.endpoint, function, {"call": courtesy}, {"amz-sdk-invocation-id": courtesy})
    assert "idempotent-replayed" not in lost.headers
    for mode in MODES:
        made = keyed(retrying(other.endpoint, mode), cut)
        with pytest.raises(ClientError) as refused:
            made.invoke(FunctionName=function, Payload=json.dumps({"call": cut, "wait": 20_000}))
        assert refused.value.response["Error"]["Code"] == "IdempotencyOutcomeUnknownException"


def test_both_kinds_of_id_outlive_a_clean_restart(other):
    account = Account(other)
    function = account.function(COUNTS, Timeout=30)
    account.settled(function)
    kept = {}
    for header in ("Idempotency-Key", "amz-sdk-invocation-id"):
        call = fresh()
        kept[header] = call, post(other.endpoint, function, {"call": call}, {header: call})
    other.stop()
    other.start()
    for header, (call, answer) in kept.items():
        again = post(other.endpoint, function, {"call": call}, {header: call})
        assert again.body == answer.body and again.headers["idempotent-replayed"] == "true", header


def test_what_a_guest_sent_counts_as_the_merged_identitys_and_over_a_restart(other, issuer):
    account = Account(other)
    function = account.function(COUNTS, Tags={"callgate:allow": "guests"})
    pool = Pool(account, [issuer])
    app, login = pool.app(), {issuer.login: issuer.token("known")}
    user, guest = app.get_id(login), app.get_id()
    sent = {"Idempotency-Key": fresh(), "amz-sdk-invocation-id": fresh()}

    def send(header, credentials):
        call = sent[header]
        answer = post(other.endpoint, function, {"call": call}, {header: call}, credentials=credentials)
        assert answer.status == 200, answer
        return answer

    as_guest = credentials_of(app, guest)
    first = {header: send(header, as_guest) for header in sent}
    # The device hands its guest id in together with the login, and so becomes who is known.
    assert app.credentials(guest, login)["IdentityId"] == user
    for restarts in (False, True):
        if restarts:
            other.stop()
            other.start()
        as_user = credentials_of(pool.app(), user, login)
        for header, answer in first.items():
            again = send(header, as_user)
            assert again.headers.get("idempotent-replayed") == "true", (header, restarts)
            assert again.body == answer.body
            # A restart ends the sandbox that counts.
            assert runs_of(Account(other), function, sent[header]) == (0 if restarts else 1)


@pytest.mark.parametrize("deleted", ["identity", "pool"])
def test_a_deleted_identitys_calls_leave_the_disk(other, deleted):
    account = Account(other)
    function = account.function(COUNTS, Tags={"callgate:allow": "guests"})
    pool = Pool(account)
    identity, functions = pool.app().guest()
    call = fresh()
    account.call(function, {"call": call}, keyed(functions, call))
    raw.eventually(lambda: metric(other, "callgate_idempotency_key_entries") == 1)
    if deleted == "pool":
        account.identity.delete_identity_pool(IdentityPoolId=pool.id)
    else:
        account.identity.delete_identities(IdentityIdsToDelete=[identity])
    assert metric(other, "callgate_idempotency_key_entries") == 0
    # Purged before the answer: no file of keys has anything in it.
    left = [path for path in (other.data_dir / "idempotency").glob("*.seg") if path.stat().st_size > 0]
    assert not left, left
