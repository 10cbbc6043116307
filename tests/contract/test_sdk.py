"""The AWS SDK that functions find without packaging it, and the credentials that they sign with."""

import itertools
import json
import time

import pytest

from harness import code, npm
from harness.account import client, refusal
from harness.gateway import Gateway
from harness.pool import Pool

INSIDE = "http://127.0.0.1:9001"
ENDPOINTS = [f"AWS_ENDPOINT_URL_{service}" for service in ("COGNITO_IDENTITY", "LAMBDA", "STS")]
KEYS = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
ENVIRONMENT = "exports.handler = async () => process.env;"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    versions = ",".join(f"nodejs{major}.x={npm.node(major)}" for major in npm.NODES)
    settings = {
        "CALLGATE_RUNTIME__VERSIONS": versions,
        # Connections of functions end soon, so that some have ended while their sandbox stood still.
        "CALLGATE_SERVER__HEADER_READ_SECONDS": "2",
    }
    made = Gateway(tmp_path_factory.mktemp("gateway"), configuration=settings)
    said = made.command("setup", "--data-dir", made.data_dir, timeout=300).stdout
    assert "node_modules now." in said
    made.start()
    yield made
    made.stop()


def test_setup_is_done_once_and_leaves_nothing_half_done(gateway):
    said = gateway.command("setup", "--data-dir", gateway.data_dir).stdout
    assert said.endswith("/node_modules.\n"), said
    (installed,) = (gateway.data_dir / "sdk").iterdir()
    assert (installed / "node_modules/aws-sdk/package.json").is_file()
    shown = gateway.command("doctor", "--data-dir", gateway.data_dir, check=False).stdout
    assert f"AWS SDK           {installed}/node_modules" in shown


SECOND = """
const AWS = require('aws-sdk');
const Sts = require('aws-sdk/clients/sts');
exports.handler = async () => ({
  version: AWS.VERSION,
  endpoints: [new AWS.Lambda(), new AWS.STS(), new AWS.CognitoIdentity(), new Sts()].map((client) => client.endpoint.href),
  own: new AWS.Lambda({ endpoint: 'http://127.0.0.1:1' }).endpoint.href,
  elsewhere: new AWS.S3().endpoint.href,
  key: AWS.config.credentials.accessKeyId === process.env.AWS_ACCESS_KEY_ID,
});
"""


@pytest.mark.parametrize("major", npm.NODES)
def test_the_second_version_finds_the_gateway(account, major):
    """`require("aws-sdk")`, the first line of the launch article's example, with nothing packaged."""
    answer = account.call(account.function(SECOND, Runtime=f"nodejs{major}.x", Timeout=20))["json"]
    assert answer["version"].startswith("2."), answer
    assert set(answer["endpoints"]) == {INSIDE + "/"}
    assert answer["own"] == "http://127.0.0.1:1/"
    assert "amazonaws.com" in answer["elsewhere"]
    assert answer["key"] is True


# A server inside the function stands where the variables of the function's own point: what arrives there is what the SDK sends.
CALLS = """
%s
import http from 'node:http';

export const handler = async () => {
  const seen = [];
  const server = http.createServer((request, response) => {
    seen.push({ path: request.url, key: /Credential=([^/]+)/.exec(request.headers.authorization)[1],
      token: request.headers['x-amz-security-token'] === process.env.AWS_SESSION_TOKEN });
    response.setHeader('content-type', 'application/json');
    request.resume().on('end', () => response.end('{}'));
  });
  await new Promise((ready) => server.listen(9002, '127.0.0.1', ready));
  %s
  server.close();
  return { seen, key: process.env.AWS_ACCESS_KEY_ID };
};
"""
THIRD = CALLS % (
    "import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';",
    "await new LambdaClient().send(new InvokeCommand({ FunctionName: 'other' }));",
)
SECOND_BY_IMPORT = CALLS % ("import AWS from 'aws-sdk';", "await new AWS.Lambda().invoke({ FunctionName: 'other' }).promise();")
THIRD_BY_REQUIRE = CALLS.replace("import http from", "const http = require").replace("'node:http'", "('node:http')").replace(
    "export const handler", "exports.handler"
) % (
    "const { InvokeCommand, LambdaClient } = require('@aws-sdk/client-lambda');",
    "await new LambdaClient().send(new InvokeCommand({ FunctionName: 'other' }));",
)


@pytest.mark.parametrize("major", npm.NODES)
@pytest.mark.parametrize(
    "name, source",
    [("index.mjs", THIRD), ("index.js", THIRD_BY_REQUIRE), ("index.mjs", SECOND_BY_IMPORT)],
    ids=["third imported", "third required", "second imported"],
)
def test_what_the_sdk_sends_is_signed_by_the_role(account, name, source, major):
    variables = {"Variables": {"AWS_ENDPOINT_URL_LAMBDA": "http://127.0.0.1:9002"}}
    function = account.function({name: source}, Runtime=f"nodejs{major}.x", Environment=variables, Timeout=20)
    answer = account.call(function)
    assert "FunctionError" not in answer, answer["json"]
    (call,) = answer["json"]["seen"]
    assert call["path"] == "/2015-03-31/functions/other/invocations"
    assert call["key"] == answer["json"]["key"].strip() and call["token"] is True


@pytest.mark.parametrize("service", ["sts", "cognito-identity"])
def test_the_third_versions_other_clients_are_there(account, service):
    source = f"exports.handler = async () => Object.keys(require('@aws-sdk/client-{service}')).length;"
    assert account.call(account.function(source, Timeout=20))["json"] > 10


def test_a_packaged_sdk_wins_over_ours(account, tmp_path):
    """The SDK of the article's year, in the function's own node_modules."""
    folder = npm.ci(npm.copy(npm.PACKAGES / "old-sdk", tmp_path / "old"))
    (folder / "index.js").write_text(
        "const AWS = require('aws-sdk');\n"
        "exports.handler = async () => [AWS.VERSION, new AWS.Lambda({ region: 'us-east-1' }).endpoint.href];\n"
    )
    answer = account.call(account.function(code.of_folder(folder)))["json"]
    assert answer == ["2.1.40", INSIDE + "/"]


def test_the_sdk_cannot_be_written(account):
    source = """
    exports.handler = async () => {
      try { require('fs').writeFileSync('/var/node_modules/aws-sdk/package.json', '{}'); return 'written'; }
      catch (error) { return error.code; }
    };
    """
    assert account.call(account.function(source))["json"] in ("EROFS", "EACCES")


def credentials(environment):
    return [environment[name] for name in KEYS]


def test_a_function_has_its_roles_credentials_and_nobody_elses(gateway, account):
    may_call = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": account.arn("callee")}],
    }
    account.function(code.ECHO, FunctionName="callee")
    trusted, plain = account.role(policies={"call": may_call}), account.role()
    caller = account.function(ENVIRONMENT, Role=trusted)
    other = account.function(ENVIRONMENT, Role=plain)
    seen, seen_by_other = account.call(caller)["json"], account.call(other)["json"]
    assert [seen[name] for name in ENDPOINTS] == [INSIDE] * 3
    assert "AWS_ENDPOINT_URL" not in seen, "calls to other services go to AWS"
    # Each is its own function's session of its own role.
    for environment, role, name in [(seen, trusted, caller), (seen_by_other, plain, other)]:
        identity = client("sts", gateway.endpoint, *credentials(environment)).get_caller_identity()
        assert identity["Arn"] == f"arn:aws:sts::{account.id}:assumed-role/{role.split('/')[-1]}/{name}"
    functions = client("lambda", gateway.endpoint, *credentials(seen))
    assert account.call("callee", "hello", client=functions)["json"] == "hello"
    assert refusal(functions.invoke, FunctionName=other)[:2] == (403, "AccessDeniedException")
    functions = client("lambda", gateway.endpoint, *credentials(seen_by_other))
    assert refusal(functions.invoke, FunctionName="callee")[:2] == (403, "AccessDeniedException")
    # One's key is worth nothing with another's token.
    crossed = [*credentials(seen)[:2], credentials(seen_by_other)[2]]
    assert refusal(client("sts", gateway.endpoint, *crossed).get_caller_identity)[0] == 403
    assert len({seen["AWS_ACCESS_KEY_ID"], seen_by_other["AWS_ACCESS_KEY_ID"]}) == 2


# By clients that are given nothing: what its role permits, and by name what is refused.
CLIENTS = """
const { InvokeCommand, LambdaClient } = require('@aws-sdk/client-lambda');
const cognito = require('@aws-sdk/client-cognito-identity');

exports.handler = async ({ callee, other, pool, otherPool, Logins }) => {
  const functions = new LambdaClient();
  const identities = new cognito.CognitoIdentityClient();
  const invoke = (FunctionName) => functions.send(new InvokeCommand({ FunctionName, Payload: '"hello"' }));
  const guest = (IdentityPoolId) => identities.send(new cognito.GetIdCommand({ IdentityPoolId }));
  const user = (IdentityPoolId) =>
    identities.send(new cognito.GetOpenIdTokenForDeveloperIdentityCommand({ IdentityPoolId, Logins }));
  const pools = () => identities.send(new cognito.ListIdentityPoolsCommand({ MaxResults: 1 }));
  const refusal = (sent) => sent.then(() => 'permitted', (error) => error.name);
  return {
    answer: Buffer.from((await invoke(callee)).Payload).toString(),
    identities: [(await guest(pool)).IdentityId, (await user(pool)).IdentityId],
    refused: [await refusal(invoke(other)), await refusal(user(otherPool)), await refusal(pools())],
  };
};
"""
PROVIDER = "login.contract.app"


@pytest.mark.parametrize("major", npm.NODES)
def test_a_function_calls_lambda_and_cognito_identity_by_its_environment_alone(account, major):
    callee, other = account.function(code.ECHO), account.function(code.ECHO)
    pool, other_pool = (Pool(account, roles=False, DeveloperProviderName=PROVIDER) for _ in range(2))
    may = [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": account.arn(callee)},
        {"Effect": "Allow", "Action": "cognito-identity:GetOpenIdTokenForDeveloperIdentity", "Resource": pool.arn},
        {"Effect": "Allow", "Action": "cognito-identity:ListIdentityPools", "Resource": "*"},
    ]
    role = account.role(policies={"call": {"Version": "2012-10-17", "Statement": may}})
    # Without a network there is loopback alone: nobody else can have answered.
    tags = {"callgate:network": "none"}
    name = account.function(CLIENTS, Role=role, Runtime=f"nodejs{major}.x", Tags=tags, Timeout=20)
    event = {"callee": callee, "other": other, "pool": pool.id, "otherPool": other_pool.id, "Logins": {PROVIDER: name}}
    answer = account.call(name, event)["json"]
    assert answer.get("answer") == '"hello"', answer
    known = [account.identity.describe_identity(IdentityId=identity)["Logins"] for identity in answer["identities"]]
    assert known == [[], [PROVIDER]], "a guest, and the user whom the function vouched for"
    # Management is not served inside, whatever a role permits.
    assert answer["refused"] == ["AccessDeniedException", "AccessDeniedException", "UnknownOperationException"]


def test_a_function_with_a_name_of_one_letter(gateway, account):
    seen = account.call(account.function(ENVIRONMENT, FunctionName="f"))["json"]
    arn = client("sts", gateway.endpoint, *credentials(seen)).get_caller_identity()["Arn"]
    assert arn.endswith("/f@lambda_function")


def test_no_credentials_without_the_role_that_lambda_may_assume(account):
    role = account.role()
    name = account.function(ENVIRONMENT, Role=role)
    denying = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}]}
    account.iam.update_assume_role_policy(RoleName=role.split("/")[-1], PolicyDocument=json.dumps(denying))
    seen = account.call(name)["json"]
    assert [key for key in KEYS if key in seen] == []


def test_credentials_of_its_own_for_a_function_that_is_tagged_so(account):
    own = {"AWS_ACCESS_KEY_ID": "AKIAOWN", "AWS_SECRET_ACCESS_KEY": "own", "AWS_REGION": "eu-west-1"}
    request = account.request(ENVIRONMENT, Environment={"Variables": own})
    status, _, message = refusal(account.functions.create_function, **request)
    assert status == 400 and "reserved keys" in message
    name = account.function(ENVIRONMENT, Environment={"Variables": own}, Tags={"callgate:credentials": "own"})
    seen = account.call(name)["json"]
    assert {key: seen[key] for key in own} == own
    assert "AWS_SESSION_TOKEN" not in seen and not [name for name in ENDPOINTS if name in seen]


# Without another attempt, the client keeps its connection: the SDK's usual agent does.
KEEPS = """
const { STSClient, GetCallerIdentityCommand } = require('@aws-sdk/client-sts');
const client = new STSClient({ maxAttempts: 1 });
exports.handler = async (event, context) => {
  const answer = await client.send(new GetCallerIdentityCommand({}));
  const { sockets, freeSockets } = (await client.config.requestHandler.configProvider).httpAgent;
  const kept = Object.values(freeSockets).concat(Object.values(sockets)).flat();
  return { arn: answer.Arn, frozen: context.frozenMs, ports: kept.map((socket) => socket.localPort) };
};
"""


@pytest.mark.parametrize("major", npm.NODES)
def test_the_sdk_succeeds_at_once_after_a_thaw(account, major):
    """Its connection to the gateway is used again if it is open, and not if the gateway closed it while all stood still."""
    name = account.function(KEEPS, Runtime=f"nodejs{major}.x", Timeout=20)
    used, slept = [], []
    deadline = time.monotonic() + 60
    for pause in itertools.chain([0, 0.2, 0.2], itertools.repeat(3)):
        time.sleep(pause)
        answer = account.call(name)
        assert "FunctionError" not in answer, answer["json"]
        assert answer["json"]["arn"].endswith("/" + name), answer["json"]
        slept.append(answer["json"]["frozen"])
        used.append(answer["json"]["ports"])
        # Both have been seen, however busy the machine is.
        again = any(late and one == other for late, one, other in zip(slept[1:], used[1:], used))
        anew = any(late > 2000 and one != other for late, one, other in zip(slept[1:], used[1:], used))
        if again and anew:
            return
        assert time.monotonic() < deadline, (slept, used)
