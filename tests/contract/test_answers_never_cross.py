"""Nobody ever gets another caller's answer: with distinct bodies, under load, with clients that leave in the middle.

Equal bodies would hide the fault this looks for, a sandbox that serves the next caller while it still owes an answer."""

import json
import os
import random
import threading
import time

import pytest
from botocore.credentials import Credentials

from harness import raw
from harness.pool import Pool

SOAK = int(os.environ.get("CONTRACT_SOAK", "0"))

# Answers after a moment that differs from call to call, so that calls overtake each other; says who it thinks is calling.
FUNCTION = """
exports.handler = async (event, context) => {
  await new Promise((resolve) => setTimeout(resolve, event.wait));
  return { number: event.number, filler: event.filler, id: context.awsRequestId, identity: context.identity && context.identity.cognitoIdentityId };
};
"""


@pytest.fixture(scope="module")
def configuration():
    return {
        # Few sandboxes and many callers, so that every sandbox changes hands all the time.
        "CALLGATE_LIMITS__ACCOUNT_CONCURRENCY": "1000",
        "CALLGATE_LIMITS__ACCOUNT_RATE": "100000",
        "CALLGATE_LIMITS__ADDRESS_RATE": "100000",
        "CALLGATE_LIMITS__ADDRESS_BURST": "100000",
    }


@pytest.fixture(scope="module")
def function(account):
    return account.function(FUNCTION, Timeout=10, Tags={"callgate:allow": "guests"})


@pytest.fixture(scope="module")
def callers(account):
    """(identity id or None, botocore credentials) of some guests and of the root key."""
    app = Pool(account).app()
    found = [(None, raw.ROOT)]
    for _ in range(6):
        identity = app.get_id()
        keys = app.credentials(identity)["Credentials"]
        found.append((identity, Credentials(keys["AccessKeyId"], keys["SecretKey"], keys["SessionToken"])))
    return found


class Load:
    """Threads that call, and sometimes leave, for some seconds; collects whatever was wrong."""

    def __init__(self, gateway, function, callers, *, leaving):
        self.gateway = gateway
        self.target = f"/2015-03-31/functions/{function}/invocations"
        self.callers = callers
        self.leaving = leaving
        self.wrong = []
        self.answered = 0
        self.left = 0
        self.ids = set()
        self.lock = threading.Lock()

    def event(self, dice, number):
        return {"number": number, "wait": dice.choice([0, 0, 0, 1, 5]), "filler": "x" * dice.choice([0, 10, 2_000, 100_000])}

    def call(self, dice, number):
        identity, credentials = dice.choice(self.callers)
        event = self.event(dice, number)
        body = json.dumps(event).encode()
        headers = raw.signed_headers("POST", self.gateway.endpoint + self.target, body, credentials=credentials)
        headers["Content-Length"] = str(len(body))
        with raw.connect(self.gateway.endpoint, timeout=20) as connection:
            connection.sendall(raw.head("POST", self.target, self.gateway.endpoint.split("//")[1], headers))
            if dice.random() < self.leaving:
                # In the head, in the body, while it runs, or while the answer comes: then gone.
                connection.sendall(body[: dice.choice([0, len(body) // 2, len(body)])])
                connection.settimeout(dice.choice([0.0005, 0.002, 0.005]))
                try:
                    connection.recv(dice.choice([1, 200]))
                except OSError:
                    pass
                with self.lock:
                    self.left += 1
                return
            connection.sendall(body)
            answer = raw.read_answer(connection)
        self.judge(answer, identity, event)

    def judge(self, answer, identity, event):
        with self.lock:
            if answer.status != 200 or "x-amz-function-error" in answer.headers:
                self.wrong.append(f"refused: {answer}")
                return
            found = json.loads(answer.body)
            expected = {"number": event["number"], "filler": event["filler"]}
            if {name: found[name] for name in expected} != expected:
                self.wrong.append(f"asked with {event['number']}, answered {found['number']}")
            if found.get("identity") != identity:
                self.wrong.append(f"called as {identity}, seen as {found.get('identity')}")
            if found["id"] != answer.headers["x-amzn-requestid"] or found["id"] in self.ids:
                self.wrong.append(f"request id {found['id']} of {answer.headers['x-amzn-requestid']}")
            self.ids.add(found["id"])
            self.answered += 1

    def run(self, seconds, threads):
        until = time.monotonic() + seconds

        def work(seed):
            dice = random.Random(seed)
            count = 0
            while time.monotonic() < until and not self.wrong:
                count += 1
                try:
                    self.call(dice, seed * 1_000_000 + count)
                except OSError as error:
                    with self.lock:
                        self.wrong.append(f"connection: {error!r}")

        workers = [threading.Thread(target=work, args=(seed,)) for seed in range(1, threads + 1)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()


def check(gateway, function, callers, seconds):
    load = Load(gateway, function, callers, leaving=0.3)
    load.run(seconds, threads=12)
    assert not load.wrong, load.wrong[:5]
    assert load.answered > 100 and load.left > 30, "there was no load to speak of"
    # And afterwards, when every owed answer should have been read: one after the other, each its own.
    probes = Load(gateway, function, callers, leaving=0)
    dice = random.Random(7)
    for number in range(40):
        probes.call(dice, -number)
    assert not probes.wrong, probes.wrong[:5]
    assert probes.answered == 40


def test_answers_never_cross(gateway, function, callers):
    check(gateway, function, callers, seconds=12)


@pytest.mark.soak
def test_answers_never_cross_for_long(gateway, function, callers):
    for _ in range(max(SOAK, 1)):
        check(gateway, function, callers, seconds=30)


def test_concurrent_calls_get_sandboxes_of_their_own(account):
    name = account.function(
        "let running = 0;\nexports.handler = async () => { running += 1; await new Promise((r) => setTimeout(r, 200)); "
        "const seen = running; running -= 1; return seen; };",
        Timeout=10,
    )
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(account.call(name)["json"])) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 6, "two invocations ran in one sandbox at once"
