"""Fixtures: one gateway a test module, so that modules do not see each other's functions, pools and limits."""

import os

import pytest

from harness.account import Account
from harness.gateway import BINARY, Gateway
from harness.issuer import Issuer

# Only root can become a user who has, or lacks, what a row of the table in docs/isolation-levels.md says.
collect_ignore = [] if os.geteuid() == 0 else ["test_isolation.py"]


def pytest_configure(config):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: make build", returncode=2)


@pytest.fixture(scope="module")
def configuration():
    """What a module's gateway is configured with; modules override it."""
    return {"CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP": "true"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, configuration):
    started = Gateway(tmp_path_factory.mktemp("gateway"), configuration=configuration).start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def account(gateway):
    return Account(gateway)


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.close()
