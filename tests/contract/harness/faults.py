"""A bad network between a client and the gateway: `tests/tools/fault_proxy.py`, run beside the test."""

import json
import subprocess
import sys
from urllib.parse import urlsplit

from harness.gateway import REPOSITORY

PROXY = REPOSITORY / "tests/tools/fault_proxy.py"


class FaultProxy:
    """A proxy to this endpoint that gives Invoke's requests these cuts, one after the other."""

    def __init__(self, endpoint, *cuts):
        command = [sys.executable, PROXY, "--to", urlsplit(endpoint).netloc, "--match", "/invocations", "--until-eof"]
        for cut in cuts:
            command += ["--cut", cut]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.endpoint = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.requests = [json.loads(line) for line in self.process.stdout]
        self.process.wait(10)

    @property
    def seen(self):
        """The cuts of the requests that came; once the proxy has ended."""
        return [request["cut"] for request in self.requests]
