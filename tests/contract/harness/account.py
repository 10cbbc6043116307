"""An account as its developer sees it: unmodified boto3 clients, with nothing set but endpoint, region and keys."""

import itertools
import json
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from harness import code
from harness.gateway import REGION, ROOT_ACCOUNT, ROOT_KEY_ID, ROOT_SECRET

LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
# One request a call, so that a test sees what the gateway answers and not what a retry made of it.
PLAIN = {"retries": {"total_max_attempts": 1}, "read_timeout": 60, "connect_timeout": 5}

_numbers = itertools.count(1)


def fresh(prefix="thing"):
    """A name that no other test uses."""
    return f"{prefix}-{next(_numbers)}"


def client(service, endpoint, key_id=None, secret=None, token=None, **config):
    """A boto3 client; without keys, one that sends unsigned requests, as apps do before they have any."""
    if key_id is None:
        from botocore import UNSIGNED

        config["signature_version"] = UNSIGNED
    return boto3.session.Session().client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(**{**PLAIN, **config}),
    )


def with_credentials(service, endpoint, credentials, **config):
    """A client for Cognito's or STS's temporary credentials."""
    secret = credentials.get("SecretKey") or credentials["SecretAccessKey"]
    return client(service, endpoint, credentials["AccessKeyId"], secret, credentials["SessionToken"], **config)


class Account:
    """The developer of one account, by its root key."""

    def __init__(self, gateway, account=ROOT_ACCOUNT, key_id=ROOT_KEY_ID, secret=ROOT_SECRET):
        self.gateway = gateway
        self.id = account
        self.key_id = key_id
        self.secret = secret
        self._clients = {}
        self._role = None

    def client(self, service, **config):
        key = (service, tuple(sorted(config.items())))
        if key not in self._clients:
            self._clients[key] = client(service, self.gateway.management, self.key_id, self.secret, **config)
        return self._clients[key]

    @property
    def functions(self):
        return self.client("lambda")

    @property
    def functions_unchecked(self):
        """Without boto3's own checks of parameters, which would keep some faults from ever being sent."""
        return self.client("lambda", parameter_validation=False)

    @property
    def identity(self):
        return self.client("cognito-identity")

    @property
    def iam(self):
        return self.client("iam")

    @property
    def sts(self):
        return self.client("sts")

    def arn(self, function, region=REGION):
        return f"arn:aws:lambda:{region}:{self.id}:function:{function}"

    def role(self, trust=None, policies=None):
        """Makes a role with inline policies; returns its ARN."""
        name = fresh("role")
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust or LAMBDA_TRUST))["Role"]["Arn"]
        for policy, document in (policies or {}).items():
            self.iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))
        return arn

    @property
    def execution_role(self):
        """A role that functions may run as; one for all."""
        if self._role is None:
            self._role = self.role()
        return self._role

    def request(self, source, **members):
        """CreateFunction's members for this code; `source` is a module's text, a dict of files or a zip's bytes."""
        return {
            "FunctionName": fresh("function"),
            "Runtime": "nodejs20.x",
            "Handler": "index.handler",
            "Role": self.execution_role,
            "Code": {"ZipFile": code.package(source)},
            **members,
        }

    def function(self, source, **members):
        """Deploys code; returns the function's name. Like the apps of 2015, nobody waits for it to become active."""
        return self.functions.create_function(**self.request(source, **members))["FunctionName"]

    def settled(self, function, **wanted):
        """The function's configuration once nothing is pending."""
        deadline = time.monotonic() + 10
        while True:
            found = self.functions.get_function_configuration(FunctionName=function)
            if found["State"] == "Active" and found["LastUpdateStatus"] == "Successful":
                assert {key: found[key] for key in wanted} == wanted
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.02)

    def call(self, function, event=None, client=None, **members):
        """Invokes; returns boto3's answer with `Payload` decoded under `json`."""
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        answer = (client or self.functions).invoke(FunctionName=function, Payload=payload, **members)
        return decoded(answer)


def decoded(answer):
    text = answer["Payload"].read()
    answer["text"] = text
    answer["json"] = json.loads(text) if text else None
    return answer


def refusal(call, /, *arguments, **members):
    """Calls and returns what was refused: (HTTP status, code, message). Fails if it was not refused."""
    try:
        answer = call(*arguments, **members)
    except ClientError as error:
        return (
            error.response["ResponseMetadata"]["HTTPStatusCode"],
            error.response["Error"]["Code"],
            error.response["Error"].get("Message"),
        )
    raise AssertionError(f"was not refused: {answer}")
