"""The real binary, started on an empty folder and a free port."""

import glob
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("CALLGATE_BIN", REPOSITORY / "target/release/callgate"))

REGION = "us-east-1"
ROOT_ACCOUNT = "000000000000"
ROOT_KEY_ID = "AKIACONTRACTTESTSAAA"
ROOT_SECRET = "contract-tests/only+Secret0123456789abcd"

READY_WITHIN_SECONDS = 20
STOP_WITHIN_SECONDS = 40
# A sandbox's processes die with the gateway; the kernel needs a moment to take them away.
GONE_WITHIN_SECONDS = 10


class Gateway:
    """One gateway process. Configuration goes in as environment variables, as an operator would set them."""

    def __init__(self, folder: Path, *, listen="127.0.0.1:0", configuration=None, binary=BINARY):
        self.folder = Path(folder)
        self.data_dir = self.folder / "data"
        self.log = self.folder / "gateway.log"
        self.listen = listen
        self.binary = binary
        self.configuration = dict(configuration or {})
        self.process = None
        self.ready = None

    def environment(self):
        """An environment of its own: nothing of the machine's AWS or proxy settings reaches the gateway."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "CALLGATE_ROOT_ACCESS_KEY_ID": ROOT_KEY_ID,
            "CALLGATE_ROOT_SECRET_ACCESS_KEY": ROOT_SECRET,
        }
        if os.geteuid() != 0:
            # Tests run where there may be no subordinate users.
            environment["CALLGATE_SANDBOX__ISOLATION"] = "shared-user"
        environment.update(self.configuration)
        return environment

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [self.binary, "serve", "--listen", self.listen, "--data-dir", self.data_dir, "--ready-json"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment(), stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        line = self._read_line(READY_WITHIN_SECONDS)
        self.ready = json.loads(line)
        assert self.ready["ready"] is True, line
        return self

    def _read_line(self, seconds):
        deadline = time.monotonic() + seconds
        descriptor = self.process.stdout.fileno()
        line = b""
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
            chunk = os.read(descriptor, 65536) if readable else b""
            if not chunk:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the gateway did not become ready:\n{self.log_text()}")
            line += chunk
        return line.decode()

    @property
    def endpoint(self):
        """The URL under which apps call it."""
        return self.ready["listen"]

    @property
    def management(self):
        """The URL for management; the same as `endpoint` while the gateway listens on loopback."""
        return self.ready.get("management") or self.endpoint

    def log_text(self):
        return self.log.read_text(errors="replace")[-20_000:] if self.log.exists() else ""

    def descendants(self):
        """Every process that stems from the gateway, sandboxes and what runs inside them included."""
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    stat = Path("/proc", entry, "stat").read_text()
                except OSError:
                    continue
                parent = int(stat.rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry))
        found, look_at = [], [self.process.pid]
        while look_at:
            below = children.get(look_at.pop(), [])
            found += below
            look_at += below
        return found

    def stop(self):
        """SIGTERM, and what must follow: exit status 0, not a process and not a control group left."""
        below = self.descendants()
        self.process.send_signal(signal.SIGTERM)
        status = self.wait(STOP_WITHIN_SECONDS)
        assert status == 0, f"exit status {status} after SIGTERM:\n{self.log_text()}"
        wait_gone(below)
        # Unlike Path.glob, it minds no groups of others that go meanwhile.
        groups = glob.glob(f"/sys/fs/cgroup/**/callgate-{self.process.pid}-*", recursive=True)
        assert not groups, groups

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {seconds} s:\n{self.log_text()}") from None
        finally:
            self.process.stdout.close()

    def kill(self):
        """kill -9, as a power cut would: nothing is flushed, nobody is told."""
        below = self.descendants()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        wait_gone(below)

    def command(self, *arguments, check=True, stdin=None, environment=None, cwd=None, timeout=60):
        """Runs another of the binary's commands on the same data directory, beside the server."""
        return run([self.binary, *map(str, arguments)], {**self.environment(), **(environment or {})},
                   check=check, stdin=stdin, cwd=cwd, timeout=timeout)


def run(command, environment, *, check=True, stdin=None, cwd=None, timeout=60):
    done = subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True,
                          cwd=cwd, timeout=timeout)
    if check and done.returncode != 0:
        words = " ".join(map(str, command))
        raise AssertionError(f"{words}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_gone(pids):
    deadline = time.monotonic() + GONE_WITHIN_SECONDS
    while left := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, f"processes left behind: {left}"
        time.sleep(0.02)
