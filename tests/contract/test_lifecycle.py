"""Starting, draining, crashing: what was promised before a crash holds after it."""

import json
import os
import random
import signal
import threading
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from harness import code, raw
from harness.account import Account, refusal
from harness.gateway import Gateway
from harness.pool import Pool

ROUNDS = int(os.environ.get("CONTRACT_SOAK", "0"))
SLEEP = "exports.handler = (ms) => new Promise((resolve) => setTimeout(() => resolve('woke'), ms));"


def version(number):
    """A package whose three files all say which version they are of: half of one would show."""
    text = f"exports.number = {number};"
    index = "const a = require('./a'), b = require('./b');\nexports.handler = async () => [NUMBER, a.number, b.number];"
    padding = "//" + "x" * 200_000
    return code.package({"index.js": index.replace("NUMBER", str(number)), "a.js": text, "b.js": text + padding})


def test_what_was_answered_survives_kill_9(tmp_path):
    gateway = Gateway(tmp_path).start()
    account = Account(gateway)
    name = account.function(code.ECHO, Tags={"callgate:allow": "guests"})
    pool = Pool(account)
    guest = pool.app().get_id()
    gateway.kill()

    again = Gateway(tmp_path).start()
    try:
        account = Account(again)
        pool.account = account
        assert account.call(name, "kept")["json"] == "kept"
        assert pool.app().credentials(guest)["IdentityId"] == guest
        _, app = pool.app().guest()
        assert account.call(name, "role and policy too", app)["json"] == "role and policy too"
    finally:
        again.stop()


def crash_while_updating(tmp_path, rounds):
    """kill -9 at a random moment of UpdateFunctionCode: afterwards it is the old function or the new one, never half of
    one; and the new one if its answer had come."""
    dice = random.Random(rounds)
    gateway = Gateway(tmp_path).start()
    account = Account(gateway)
    name = account.functions.create_function(**account.request(version(0)))["FunctionName"]
    account.settled(name)
    current = 0
    for number in range(1, rounds + 1):
        answered = []

        def update(number=number, account=account):
            try:
                account.functions.update_function_code(FunctionName=name, ZipFile=version(number))
                answered.append(number)
            except (BotoCoreError, ClientError):
                pass

        thread = threading.Thread(target=update)
        thread.start()
        thread.join(dice.uniform(0, 0.05))
        gateway.kill()
        thread.join()

        gateway = Gateway(tmp_path).start()
        account = Account(gateway)
        found = account.call(name)["json"]
        allowed = [number] if answered else [current, number]
        assert found in [[one, one, one] for one in allowed], f"round {number}: {found} instead of one of {allowed}"
        current = found[0]
        account.settled(name)
    # Nothing of the interrupted updates is left lying around: as many files as a data directory that never crashed has.
    packages = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and path.stat().st_size > 190_000]
    gateway.stop()
    assert len(packages) <= 4, packages


def test_kill_9_leaves_the_old_function_or_the_new_one(tmp_path):
    crash_while_updating(tmp_path, 8)


@pytest.mark.soak
def test_kill_9_again_and_again(tmp_path):
    crash_while_updating(tmp_path, 25 * max(ROUNDS, 1))


def test_sigterm_drains(tmp_path):
    """A running call ends with its answer, no new connection is served, and the exit status is 0."""
    gateway = Gateway(tmp_path).start()
    account = Account(gateway)
    name = account.function(SLEEP, Timeout=20)
    account.call(name, 0)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(account.call(name, 1500)["json"]))
    thread.start()
    raw.eventually(lambda: running(gateway))
    gateway.process.send_signal(signal.SIGTERM)
    raw.eventually(lambda: refuses_connections(gateway), seconds=5)
    thread.join()
    assert answers == ["woke"]
    assert gateway.wait(30) == 0
    assert not gateway.descendants()


def running(gateway):
    metrics = raw.exchange(gateway.endpoint, "GET", "/metrics").body.decode()
    levels = [line for line in metrics.splitlines() if "concurren" in line and not line.startswith("#")]
    return any(float(line.rsplit(" ", 1)[1]) >= 1 for line in levels)


def refuses_connections(gateway):
    try:
        return raw.exchange(gateway.endpoint, "GET", "/readyz", timeout=2).status == 503
    except OSError:
        return True


def test_a_call_that_does_not_end_is_not_waited_for_for_ever(tmp_path):
    gateway = Gateway(tmp_path, configuration={"CALLGATE_SERVER__DRAIN_SECONDS": "1"}).start()
    account = Account(gateway)
    name = account.function(SLEEP, Timeout=60)
    account.call(name, 0)
    thread = threading.Thread(target=lambda: refused_or_cut(account, name))
    thread.start()
    raw.eventually(lambda: running(gateway))
    below = gateway.descendants()
    assert below, "the sandbox is a process of the gateway's"
    gateway.stop()
    thread.join()


def refused_or_cut(account, name):
    try:
        account.call(name, 50_000)
    except (BotoCoreError, ClientError):
        pass


def test_one_data_directory_has_one_gateway(tmp_path):
    gateway = Gateway(tmp_path).start()
    try:
        second = gateway.command("serve", "--listen", "127.0.0.1:0", "--data-dir", gateway.data_dir, check=False)
        assert second.returncode != 0
        assert str(gateway.process.pid) in second.stderr
    finally:
        gateway.stop()


def test_a_root_key_is_made_where_none_is_given(tmp_path):
    gateway = Gateway(tmp_path)
    environment = gateway.environment()
    for name in ("CALLGATE_ROOT_ACCESS_KEY_ID", "CALLGATE_ROOT_SECRET_ACCESS_KEY"):
        environment.pop(name)
    gateway.environment = lambda: environment
    gateway.start()
    try:
        file = Path(gateway.ready["root_key_file"])
        assert file.parent == gateway.data_dir
        assert file.stat().st_mode & 0o777 == 0o600
        assert gateway.data_dir.stat().st_mode & 0o777 == 0o700
        made = json.loads(file.read_text())
        account = Account(gateway, key_id=made["AccessKeyId"], secret=made["SecretAccessKey"])
        assert account.sts.get_caller_identity()["Account"] == "000000000000"
        assert made["SecretAccessKey"] not in gateway.log_text()
    finally:
        gateway.stop()


@pytest.mark.parametrize(
    "variable, value, words",
    [
        ("CALLGATE_LIMITS__ACCOUNT_CONCURENCY", "10", ["CALLGATE_LIMITS__ACCOUNT_CONCURRENCY"]),
        ("CALLGATE_LIMIT__ACCOUNT_RATE", "10", ["CALLGATE_LIMITS__ACCOUNT_RATE"]),
        ("CALLGATE_LIMITS__ACCOUNT_RATE", "many", ['"many"', "whole number"]),
    ],
)
def test_a_wrong_variable_is_named_with_what_was_meant(tmp_path, variable, value, words):
    refuses_to_start(Gateway(tmp_path, configuration={variable: value}), [], [variable, *words])


@pytest.mark.parametrize(
    "text, words",
    [
        ("[limits]\naccount_concurency = 10\n", ["limits", "account_concurency", "account_concurrency"]),
        ("[limit]\naccount_rate = 10\n", ["limit", "limits"]),
        ("[limits]\naccount_rate = 'many'\n", ["limits", "account_rate"]),
        ("[limits\n", ["line 1"]),
    ],
)
def test_a_wrong_line_of_the_file_is_named_with_what_was_meant(tmp_path, text, words):
    file = tmp_path / "callgate.toml"
    file.write_text(text)
    refuses_to_start(Gateway(tmp_path), ["--config", file], [str(file), *words])


def refuses_to_start(gateway, arguments, words):
    done = gateway.command("serve", "--listen", "127.0.0.1:0", "--data-dir", gateway.data_dir, *arguments, check=False)
    assert done.returncode != 0
    for word in words:
        assert word in done.stderr, done.stderr
    assert "panicked" not in done.stderr


def test_secrets_are_not_logged(tmp_path):
    gateway = Gateway(tmp_path, configuration={"CALLGATE_LOG__LEVEL": "trace"}).start()
    account = Account(gateway)
    secret = "environment-secret-0123456789"
    name = account.function(code.ECHO, Environment={"Variables": {"SECRET": secret}}, Tags={"callgate:allow": "guests"})
    app = Pool(account).app()
    credentials = app.credentials(app.get_id())["Credentials"]
    account.call(name, {"payload": "private-payload-0123456789"})
    assert refusal(account.functions.get_function, FunctionName="missing")[0] == 404
    gateway.stop()
    log = gateway.log.read_text(errors="replace")
    for hidden in (secret, credentials["SecretKey"], credentials["SessionToken"], "contract-tests/only", "private-payload"):
        assert hidden not in log
    for path in gateway.data_dir.rglob("*"):
        if path.is_file() and "unpacked" not in path.parts and "packages" not in path.parts:
            assert secret.encode() not in path.read_bytes(), path
