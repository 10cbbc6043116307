"""Packages from npm, installed as a developer does: in a folder of the test's own, by a lock file with pinned versions."""

import os
import shutil
import subprocess

from harness.gateway import REPOSITORY

PACKAGES = REPOSITORY / "tests/contract/packages"
MACHINE = {"x86_64": "x64", "aarch64": "arm64"}[os.uname().machine]
OTHER_MACHINE = {"x64": "arm64", "arm64": "x64"}[MACHINE]
NODES = {major: REPOSITORY / f"tests/nodes/node_modules/node{major}-{MACHINE}" for major in (20, 22, 24)}


def node(major):
    """The executable of that major version."""
    return NODES[major] / "bin/node"


def copy(source, folder):
    """The folder's sources, without what was installed there before."""
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("node_modules", "build"))
    return folder


def run(folder, *arguments, **environment):
    done = subprocess.run(
        ["npm", *arguments, "--no-audit", "--no-fund"],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300,
    )
    assert done.returncode == 0, f"npm {' '.join(arguments)}:\n{done.stdout}{done.stderr}"


def ci(folder, *arguments):
    run(folder, "ci", *arguments)
    return folder


def build(folder, major=22):
    """Compiles the folder's add-on with the headers that npm brought along: nothing is downloaded."""
    # It must not find anything by a network either.
    run(folder, "rebuild", npm_config_nodedir=str(NODES[major]), npm_config_offline="true")
    return folder
