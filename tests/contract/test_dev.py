"""`callgate dev`: a folder that is live as it is saved, with the real binary."""

import os
import queue
import re
import signal
import subprocess
import threading
import time
import urllib.request

import pytest

from harness.account import Account, decoded
from harness.gateway import BINARY, ROOT_KEY_ID, ROOT_SECRET

# What the command promises, from a file that is saved to the next call's answer.
LIVE_WITHIN_SECONDS = 1.0
READY_WITHIN_SECONDS = 20


class Dev:
    """A running `callgate dev`, and what it says."""

    def __init__(self, folder, *arguments, home):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(home),
            "CALLGATE_ROOT_ACCESS_KEY_ID": ROOT_KEY_ID,
            "CALLGATE_ROOT_SECRET_ACCESS_KEY": ROOT_SECRET,
        }
        command = [BINARY, "dev", folder, "--listen", "127.0.0.1:0", *arguments]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.heard = []
        for stream in (self.process.stdout, self.process.stderr):
            threading.Thread(target=self.listen, args=[stream], daemon=True).start()

    def listen(self, stream):
        for line in stream:
            self.lines.put(line)
        self.lines.put(None)

    def hears(self, pattern, seconds=READY_WITHIN_SECONDS):
        """Waits for a line like this."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"it never said {pattern!r}: {self.heard}") from None
            assert line is not None, f"it ended: {self.heard}"
            self.heard.append(line)
            if found := re.search(pattern, line):
                return found

    def end(self):
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(20) == 0


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "greet"
    made.mkdir()
    (made / "index.js").write_text("exports.handler = async () => 'first';")
    return made


@pytest.fixture
def start(folder, tmp_path):
    running = []

    def begin(*arguments):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        dev = Dev(folder, *arguments, home=home)
        running.append(dev)
        dev.url = dev.hears(r"apps call +(http://127\.0\.0\.1:\d+)")[1]
        dev.data = dev.hears(r"data +(\S+?)(,|$)")[1]
        dev.account = Account(type("Running", (), {"management": dev.url, "endpoint": dev.url}))
        dev.hears(r"greet is live: \d+ bytes")
        return dev

    yield begin
    for dev in running:
        if dev.process.poll() is None:
            dev.end()


def answer(dev):
    got = decoded(dev.account.functions.invoke(FunctionName="greet", Payload=b"{}"))
    return got["json"] if "FunctionError" not in got else got["json"]["errorType"]


def live(dev, wanted):
    """How long it takes until a call is answered so, from now."""
    began = time.monotonic()
    while answer(dev) != wanted:
        assert time.monotonic() - began < 10, f"never live: {dev.heard}"
        time.sleep(0.01)
    return time.monotonic() - began


def save(file, text):
    """As editors do: a new file beside it, renamed over it."""
    beside = file.with_name(f".{file.name}.swp")
    beside.write_text(text)
    beside.rename(file)


def test_what_is_saved_is_live_within_a_second(start, folder):
    dev = start()
    assert answer(dev) == "first"
    took = []
    for number in range(5):
        text = f"saved {number}"
        if number % 2:
            save(folder / "index.js", f"exports.handler = async () => '{text}';")
        else:
            (folder / "index.js").write_text(f"exports.handler = async () => '{text}';")
        took.append(live(dev, text))
    # The machine may be busy with something else for a while, but not each time.
    assert sorted(took)[2] < LIVE_WITHIN_SECONDS, took


def test_it_says_what_isolates_functions_and_how_to_call(start):
    dev = start()
    said = "".join(dev.heard)
    assert re.search(r"isolation +\S*bwrap with all namespaces", said), said
    assert f"callgate invoke greet --data-dir {dev.data} --payload" in said


def test_what_the_function_logs_is_shown(start, folder):
    dev = start()
    (folder / "index.js").write_text("exports.handler = async () => { console.log('seen by who writes it'); return 'logged'; };")
    live(dev, "logged")
    dev.hears("seen by who writes it")


def test_what_cannot_be_deployed_is_told_and_the_last_good_version_stays(start, folder):
    dev = start()
    (folder / "index.js").write_text("exports.handler = async () => { oops;\n")
    dev.hears(r"greet was not deployed: it does not parse")
    dev.hears(r"index\.js:\d")
    dev.hears(r"The version before it still answers")
    assert answer(dev) == "first"
    (folder / "index.js").write_text("exports.handler = async () => 'first';")
    dev.hears(r"greet is live again")
    (folder / "index.js").write_text("exports.handler = async () => 'mended';")
    live(dev, "mended")
    (folder / "addon.node").write_bytes(b"\xcf\xfa\xed\xfe" + bytes(60))
    dev.hears(r"InvalidParameterValueException .*addon\.node.*built for macOS.*npm install --os=linux")
    assert answer(dev) == "mended"
    (folder / "addon.node").unlink()
    (folder / "callgate.toml").write_text("memori = 512\n")
    dev.hears(r"greet was not deployed: .*callgate\.toml")
    (folder / "callgate.toml").write_text("memory = 512\n[environment]\nWHO = 'you'\n")
    dev.hears(r"greet is live again")
    found = dev.account.functions.get_function_configuration(FunctionName="greet")
    assert (found["MemorySize"], found["Environment"]) == (512, {"Variables": {"WHO": "you"}})


def test_new_folders_and_modules_are_taken_up(start, folder):
    dev = start()
    (folder / "node_modules/left").mkdir(parents=True)
    (folder / "node_modules/left/index.js").write_text("module.exports = 'a module';")
    (folder / "index.js").write_text("exports.handler = async () => require('left');")
    live(dev, "a module")
    (folder / "node_modules/left/index.js").write_text("module.exports = 'a changed module';")
    live(dev, "a changed module")


def test_it_ends_by_ctrl_c_and_leaves_nothing(start):
    dev = start()
    assert answer(dev) == "first"
    assert os.path.isdir(dev.data)
    dev.end()
    assert not os.path.exists(dev.data)
    with pytest.raises(OSError):
        urllib.request.urlopen(dev.url + "/healthz", timeout=5)


def test_a_data_directory_that_is_named_is_kept(start, tmp_path):
    dev = start("--data-dir", tmp_path / "kept")
    dev.end()
    assert (tmp_path / "kept/callgate.db").is_file()
    again = start("--data-dir", tmp_path / "kept")
    assert answer(again) == "first"


def test_only_for_this_machine(folder, tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [BINARY, "dev", folder, "--listen", "0.0.0.0:0"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert "beyond loopback" in done.stderr
