"""Who runs the gateway, and what follows: the rows of the table in docs/isolation-levels.md that are not root's, by the real
binary, each on a stage that root sets in mounts of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.account import Account, fresh
from harness.gateway import BINARY, Gateway

# A user that this machine does not have, and the first of those that are subordinate to it.
NAME, UID, SUBORDINATE = "callgate-test", 12_345, 7_000_000
UIDMAP = ("newuidmap", "newgidmap")
WEAKER = 'isolation = "shared-user"'
SYSCTL = "sysctl -w user.max_user_namespaces=15000"

# It becomes the gateway without a fork, so that its number is the gateway's.
STAGE = """#!/bin/sh
exec unshare --mount sh -ec '
for name in passwd group subuid subgid; do touch /etc/$name; mount --bind $0/$name /etc/$name; done
mount -t tmpfs tun /dev/net
{prepare}
exec setpriv --reuid {uid} --regid {uid} --clear-groups {confine} $0/../callgate "$@"' {folder} "$@"
"""
CONFINE = f"unshare --user --map-user={UID} --map-group={UID} --keep-caps $0/../without-namespaces"
WITHOUT_NAMESPACES = """#!/bin/sh -e
echo 0 >/proc/sys/user/max_user_namespaces
exec setpriv --ambient-caps=-all --inh-caps=-all "$@"
"""

INTERFACES = "exports.handler = async () => Object.keys(require('os').networkInterfaces()).sort();"


def program(path, text):
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(scope="module")
def folder():
    """Where everybody may run the gateway: where the tests lie may be closed to others."""
    with tempfile.TemporaryDirectory() as made:
        path = Path(made)
        path.chmod(0o755)
        shutil.copy(BINARY, path / "callgate")
        program(path / "without-namespaces", WITHOUT_NAMESPACES)
        yield path


def gateway_of_user(folder, *, subordinate=False, hidden=(), tun=False, confine="", **settings):
    """A gateway of a user who has that much; `settings` are those of [sandbox]."""
    own = folder / fresh("stage")
    home = own / "home"
    home.mkdir(parents=True)
    own.chmod(0o755)
    os.chown(home, UID, UID)
    ids = f"{NAME}:{SUBORDINATE}:65536\n" if subordinate else ""
    (own / "passwd").write_text(Path("/etc/passwd").read_text() + f"{NAME}:x:{UID}:{UID}::/tmp:/bin/sh\n")
    (own / "group").write_text(Path("/etc/group").read_text() + f"{NAME}:x:{UID}:\n")
    for name in ("subuid", "subgid"):
        (own / name).write_text(ids)
    prepare = [f"mount --bind /dev/null {path}" for name in hidden if (path := shutil.which(name))]
    # As udev makes it.
    prepare += ["mknod -m 666 /dev/net/tun c 10 200"] * tun
    program(own / "gateway", STAGE.format(prepare="\n".join(prepare), uid=UID, confine=confine, folder=own))
    configuration = {f"CALLGATE_SANDBOX__{name.upper()}": value for name, value in settings.items()}
    configuration["CALLGATE_SERVER__LISTEN"] = "127.0.0.1:0"
    return Gateway(home, configuration=configuration, binary=own / "gateway")


def refused(gateway):
    """What `serve` says that does not start."""
    done = gateway.command("serve", "--data-dir", gateway.data_dir, check=False)
    assert done.returncode == 1, done
    return done.stderr


def doctor(gateway, name):
    """What `doctor` says about this beforehand: its status, the verdict, and the two lines."""
    done = gateway.command("doctor", "--data-dir", gateway.data_dir, check=False)
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line[6:].startswith(name))
    return done.returncode, lines[at].split()[0], "\n".join(lines[at : at + 2])


def users(gateway):
    """The host users of everything that stems from the gateway."""
    found = set()
    for pid in gateway.descendants():
        try:
            found.add(int(re.search(r"^Uid:\t(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]))
        except OSError:
            pass  # it has ended meanwhile
    return found


@pytest.mark.parametrize(
    "stage, mends",
    [
        ({}, f"in /etc/subuid: as root, usermod --add-subuids 2000000-2065535 --add-subgids 2000000-2065535 {NAME}"),
        ({"subordinate": True, "hidden": UIDMAP}, "apt-get install uidmap"),
    ],
    ids=["no ids", "no uidmap"],
)
def test_without_subordinate_users_it_does_not_start_and_says_what_mends_it(folder, stage, mends):
    gateway = gateway_of_user(folder, network="none", **stage)
    status, verdict, told = doctor(gateway, "separate users")
    assert (status, verdict) == (1, "NO")
    for said in (told, refused(gateway)):
        assert mends in said and WEAKER in said, said


@pytest.mark.parametrize(
    "stage, verdict, interfaces",
    [
        ({"isolation": "shared-user", "network": "none"}, "weak", ["lo"]),
        ({"isolation": "shared-user", "tun": True}, "weak", ["eth0", "lo"]),
        ({"subordinate": True, "network": "none"}, "yes", ["lo"]),
        ({"subordinate": True, "tun": True}, "yes", ["eth0", "lo"]),
    ],
    ids=["shared, no network", "shared, slirp4netns", "separate, no network", "separate, slirp4netns"],
)
def test_a_level_that_is_there_or_set_by_name_starts_and_answers(folder, stage, verdict, interfaces):
    gateway = gateway_of_user(folder, **stage)
    assert doctor(gateway, "separate users")[:2] == (0, verdict)
    if "tun" in stage:
        assert "slirp4netns: sandboxes reach public addresses" in doctor(gateway, "network")[2]
    gateway.start()
    try:
        account = Account(gateway)
        for _ in range(2):
            assert account.call(account.function(INTERFACES))["json"] == interfaces
        # Each of the two functions has a sandbox, and that a host user, unless they share the gateway's.
        others = users(gateway) - {UID}
        assert (len(others) >= 2 and min(others) >= SUBORDINATE) if "subordinate" in stage else not others, others
    finally:
        gateway.stop()


@pytest.mark.parametrize("settings", [{}, {"isolation": "shared-user"}], ids=["separate", "shared"])
def test_where_no_user_namespaces_are_to_be_had_it_does_not_start_at_any_level(folder, settings):
    gateway = gateway_of_user(folder, network="none", subordinate=True, confine=CONFINE, **settings)
    status, verdict, told = doctor(gateway, "isolation")
    assert (status, verdict) == (1, "NO")
    for said in (told, refused(gateway)):
        assert SYSCTL in said, said


def test_without_an_uplink_it_does_not_start_unless_it_is_to_have_none(folder):
    gateway = gateway_of_user(folder, isolation="shared-user")
    for said in (doctor(gateway, "network")[2], refused(gateway)):
        assert "/dev/net/tun cannot be opened by users" in said and '[sandbox] network = "none"' in said, said


def test_dev_takes_the_strongest_there_is_and_says_what_it_does_without(folder):
    gateway = gateway_of_user(folder)
    source = folder / "hello"
    source.mkdir(mode=0o755)
    (source / "index.js").write_text("exports.handler = async () => 'hello';")
    command = [gateway.binary, "dev", source, "--data-dir", gateway.data_dir]
    dev = subprocess.Popen(command, env=gateway.environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        said = []
        while not said or "hello is live" not in said[-1]:
            said.append(dev.stdout.readline())
            assert said[-1], said
        text = "".join(said)
        assert re.search(r"weaker +shared-user, because .*usermod --add-subuids", text), text
        assert re.search(r"weaker +no network, because .*/dev/net/tun cannot be opened", text), text
        assert json.loads(gateway.command("invoke", "hello", "--data-dir", gateway.data_dir).stdout) == "hello"
        dev.send_signal(signal.SIGINT)
        assert dev.wait(20) == 0
    finally:
        dev.kill()
        dev.wait()
        dev.stdout.close()
