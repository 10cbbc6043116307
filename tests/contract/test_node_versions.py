"""`[runtime] versions`: a Node.js of its own for some runtimes."""

import subprocess

import pytest

from harness import npm
from harness.gateway import BINARY, Gateway, run


def environment(tmp_path, versions):
    return {**Gateway(tmp_path).environment(), "CALLGATE_RUNTIME__VERSIONS": versions}


@pytest.mark.parametrize(
    "versions, said",
    [
        ("nodejs20.x=/nowhere/node", "[runtime] versions, nodejs20.x: /nowhere/node does not run"),
        ("nodejs20.x=/bin/true", "[runtime] versions, nodejs20.x:"),
        ("nodejs21.x=/usr/bin/node", "CALLGATE_RUNTIME__VERSIONS: must be a table of absolute paths by runtime"),
        ("nodejs20.x=node", "CALLGATE_RUNTIME__VERSIONS: must be a table of absolute paths by runtime"),
    ],
    ids=["missing", "no Node.js", "unknown runtime", "relative path"],
)
def test_what_cannot_be_run_keeps_the_gateway_from_starting(tmp_path, versions, said):
    command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", tmp_path / "data"]
    done = subprocess.run(command, env=environment(tmp_path, versions), capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert said in done.stderr, done.stderr


def test_doctor_lists_them(tmp_path):
    versions = ",".join(f"nodejs{major}.x={npm.node(major)}" for major in npm.NODES) + ",nodejs26.x=/nowhere/node"
    command = [BINARY, "doctor", "--data-dir", tmp_path / "data"]
    done = run(command, environment(tmp_path, versions), check=False)
    assert done.returncode == 1
    for major in npm.NODES:
        assert f"yes   nodejs{major}.x" in done.stdout and f"at {npm.node(major)}" in done.stdout
    assert "NO    nodejs26.x" in done.stdout and "correct [runtime] versions" in done.stdout


def test_the_file_sets_them_as_a_table(tmp_path):
    file = tmp_path / "callgate.toml"
    file.write_text(f'[runtime.versions]\n"nodejs20.x" = "{npm.node(20)}"\n')
    command = [BINARY, "config", "--config", file]
    shown = run(command, Gateway(tmp_path).environment()).stdout
    assert f'versions = {{ "nodejs20.x" = "{npm.node(20)}" }}' in shown
