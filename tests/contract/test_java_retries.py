"""The AWS SDKs for Java v1 and v2, for Android and for Kotlin over a bad network: one run a call, and its answer wherever the SDK tries again."""

import pytest
import test_java
import test_kotlin
from harness.faults import PROXY
from test_java import environment  # noqa: F401, the same pool and keys on a gateway of this module's own
from test_retries import COUNTS, ONE_SANDBOX


@pytest.fixture(scope="module")
def configuration():
    return {"CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP": "true", **ONE_SANDBOX}


@pytest.fixture(scope="module")
def counted(environment, account):  # noqa: F811
    name = account.function(COUNTS, Timeout=30)
    account.settled(name)
    return environment | {"CALLGATE_FUNCTION": name, "CALLGATE_FAULT_PROXY": str(PROXY)}


@pytest.mark.parametrize("flows, libraries", [
    ("Java2Retries", "target"),
    ("AndroidRetries", "target"),
    ("Java1Retries", "target/v1"),
])
def test_a_call_runs_once_wherever_the_connection_breaks(counted, flows, libraries):
    test_java.run(counted, flows, libraries)


def test_the_sdk_of_2015_sends_no_id_and_runs_once_with_a_key(counted):
    test_java.run(counted, "Java1Retries", "target/v1-2015", "2015")


def test_kotlin_runs_a_call_once_wherever_the_connection_breaks(counted):
    test_kotlin.run(counted, "KotlinRetries")
