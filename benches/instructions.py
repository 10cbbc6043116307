#!/usr/bin/env python3
"""The instructions of user space that the gateway's serving thread executes for a warm call, counted one by one.

    tests/contract/.venv/bin/python benches/instructions.py [PROGRAM…]

Counts hold on a noisy machine, and they are of the code that really runs: valgrind has no SHA extensions and none of the system
calls that a sandbox is started with. The thread is single-stepped (ptrace(2), PTRACE_SINGLESTEP) while a guest of an identity
pool calls a function that answers with what it is given, one call after another; a step of a repeated string instruction counts
once. It prints a plain call and one with an SDK's id, remembered and not; of each further PROGRAM, another build of the
gateway, the plain call. Linux on x86-64; as root, or where ptrace of children is allowed.
"""

import base64
import ctypes
import json
import os
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/contract"))

from botocore.credentials import Credentials  # noqa: E402

from harness import code, raw  # noqa: E402
from harness.account import Account, client  # noqa: E402
from harness.gateway import BINARY, Gateway  # noqa: E402
from harness.pool import Pool  # noqa: E402

CALLS = 10
WARM = 3000
LIMITS = ["ACCOUNT_CONCURRENCY", "ACCOUNT_RATE", "ADDRESS_RATE", "ADDRESS_BURST", "CALLER_RATE"]
# What is counted is the call, not freezing in between: each takes long enough for that while it is stepped.
SETTINGS = {**{f"CALLGATE_LIMITS__{name}": "1000000" for name in LIMITS}, "CALLGATE_SANDBOX__FREEZE_DELAY_MS": "1000"}
FORGETS = {"CALLGATE_IDEMPOTENCY__SDK_WINDOW_SECONDS": "0"}
DEVICE = {
    "client": {
        "installation_id": "1f8b3b4e-2f60-4ab9-8f5c-000000000000",
        "app_title": "Bench",
        "app_version_name": "1.4.2",
        "app_version_code": "142",
        "app_package_name": "com.example.bench",
    },
    "env": {"platform": "Android", "platform_version": "15", "make": "Example", "model": "Nine", "locale": "en_GB"},
    "custom": {"screen": "home"},
}

# <sys/ptrace.h>, <sys/user.h> of x86-64
PEEKUSER, SINGLESTEP, DETACH, SEIZE, INTERRUPT = 3, 9, 17, 0x4206, 0x4207
RIP = 16 * 8
WALL = 0x40000000
TRAP = 5

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, thread, data=0, address=0):
    result = libc.ptrace(request, thread, address, data)
    if result == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), f"ptrace({request})")
    return result


class Steps:
    """Counts a thread's steps from `begin` to `end`. Everything of ptrace(2) has to come from one thread of ours."""

    def __init__(self, thread):
        self.thread = thread
        self.count = 0
        self.ending = threading.Event()
        self.begun = threading.Event()
        self.stepper = threading.Thread(target=self.run)
        self.stepper.start()
        self.begun.wait()

    def run(self):
        ptrace(SEIZE, self.thread)
        ptrace(INTERRUPT, self.thread)
        os.waitpid(self.thread, WALL)
        ptrace(SINGLESTEP, self.thread)
        self.begun.set()
        last = 0
        while True:
            _, status = os.waitpid(self.thread, WALL)
            signal, event = status >> 8 & 0xFF, status >> 16
            if self.ending.is_set():
                ptrace(DETACH, self.thread)
                return
            if signal == TRAP and not event:
                at = ptrace(PEEKUSER, self.thread, address=RIP)
                self.count += at != last
                last = at
                signal = 0
            ptrace(SINGLESTEP, self.thread, 0 if event else signal)

    def end(self):
        """Called while the thread waits for its next request, it stops where it would be woken."""
        self.ending.set()
        return self.count


class Caller:
    """An app's one connection, and its requests byte by byte."""

    def __init__(self, gateway, function, pool):
        unsigned = client("cognito-identity", gateway.endpoint)
        identity = unsigned.get_id(IdentityPoolId=pool.id)["IdentityId"]
        given = unsigned.get_credentials_for_identity(IdentityId=identity)["Credentials"]
        credentials = Credentials(given["AccessKeyId"], given["SecretKey"], given["SessionToken"])
        self.body = json.dumps({"text": "x" * 188}).encode()
        target = f"/2015-03-31/functions/{function}/invocations"
        context = base64.b64encode(json.dumps(DEVICE).encode()).decode()
        headers = {"content-type": "application/json", "x-amz-client-context": context}
        signed = raw.signed_headers("POST", gateway.endpoint + target, self.body, headers, credentials=credentials)
        host = gateway.endpoint.split("//")[1]
        lines = [f"POST {target} HTTP/1.1", f"host: {host}", f"content-length: {len(self.body)}"]
        self.head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in signed.items())])
        self.connection = raw.connect(gateway.endpoint, timeout=60)
        self.number = 0

    def call(self, with_id):
        self.number += 1
        more = f"\r\namz-sdk-invocation-id: 0b6b5a52-1f0e-4e0c-9d3f-{self.number:012}" if with_id else ""
        self.connection.sendall(f"{self.head}{more}\r\n\r\n".encode() + self.body)
        answer = b""
        while True:
            answer += self.connection.recv(65536)
            head, found, body = answer.partition(b"\r\n\r\n")
            lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
            if found and len(body) >= int(lengths[0]):
                assert head.startswith(b"HTTP/1.1 200 "), answer
                return


def busiest(process, work):
    """The thread of a process that this work keeps busy."""

    def spent():
        threads = os.listdir(f"/proc/{process}/task")
        return {int(thread): int(Path(f"/proc/{process}/task/{thread}/schedstat").read_text().split()[0]) for thread in threads}

    before = spent()
    work()
    after = spent()
    return max(after, key=lambda thread: after[thread] - before.get(thread, 0))


def counted(program, with_id=False, settings=()):
    """Instructions a call."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        gateway = Gateway(Path(folder), configuration={**SETTINGS, **dict(settings)}, binary=program).start()
        try:
            account = Account(gateway)
            function = account.function(code.ECHO)
            account.functions.tag_resource(Resource=account.arn(function), Tags={"callgate:allow": "guests"})
            caller = Caller(gateway, function, Pool(account))
            calls = lambda number: [caller.call(with_id) for _ in range(number)]  # noqa: E731
            calls(WARM)
            steps = Steps(busiest(gateway.process.pid, lambda: calls(WARM)))
            calls(CALLS)
            counts = steps.end()
            caller.call(with_id)
            steps.stepper.join()
            return counts / CALLS
        finally:
            gateway.kill()


def main(others):
    own = {
        "a call": counted(BINARY),
        "a call with an SDK's id, remembered": counted(BINARY, with_id=True),
        "the same, not remembered": counted(BINARY, with_id=True, settings=FORGETS.items()),
    }
    print("\n### Instructions of the serving thread for a warm call\n")
    print("| | instructions |\n|---|---|")
    for name, count in own.items():
        print(f"| {name} | {count:,.0f} |")
    plain, remembered, forgotten = own.values()
    print(f"| remembered ÷ not | {remembered / forgotten:.3f} |")
    for program in others:
        other = counted(Path(program))
        print(f"| a call, {program} | {other:,.0f} |")
        print(f"| this build ÷ that one | {plain / other:.3f} |")


if __name__ == "__main__":
    main(sys.argv[1:])
