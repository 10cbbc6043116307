"""A guest who turns out to be somebody known: merging, what a merged id opens, and the pool's merge hook."""

import json
import threading

import pytest

from harness import code
from harness.account import Account, fresh, refusal, with_credentials
from harness.gateway import Gateway
from harness.pool import Pool

REFUSED = (400, "NotAuthorizedException")
TIMEOUT_MS = 500


@pytest.fixture(scope="module")
def configuration():
    return {
        "CALLGATE_OIDC__ALLOW_LOOPBACK_HTTP": "true",
        # A hook that hangs is given up early, so that nobody waits for it here.
        "CALLGATE_IDENTITY__MERGE_HOOK_TIMEOUT_MS": str(TIMEOUT_MS),
        "CALLGATE_IDENTITY__MERGE_HOOK_RATE": "20",
    }


@pytest.fixture(scope="module")
def pool(account, issuer):
    return Pool(account, [issuer])


_subjects = (f"merging-{number}" for number in range(1, 10_000))


def login(issuer, who):
    return {issuer.login: issuer.token(who)}


def user_and_guest(app, issuer):
    who = next(_subjects)
    return who, app.get_id(login(issuer, who)), app.get_id()


def test_a_guest_who_signs_in_as_somebody_known_becomes_that_identity(account, pool, issuer):
    app = pool.app()
    who, user, guest = user_and_guest(app, issuer)
    answer = app.credentials(guest, login(issuer, who))
    assert answer["IdentityId"] == user
    name = account.function(code.SEES, Tags={"callgate:allow": "signed-in"})
    functions = with_credentials("lambda", app.endpoint, answer["Credentials"])
    saw = json.loads(functions.invoke(FunctionName=name)["Payload"].read())
    assert saw["identity"] == {"cognitoIdentityId": user, "cognitoIdentityPoolId": pool.id}
    # The device's old id goes on meaning who it has become, with the login.
    assert app.credentials(guest, login(issuer, who))["IdentityId"] == user
    assert app.get_id(login(issuer, who)) == user


def test_a_merged_guest_id_alone_opens_nothing(account, pool, issuer):
    """As whoever copied a device's guest id before its owner signed in."""
    app = pool.app()
    who, user, guest = user_and_guest(app, issuer)
    app.credentials(guest, login(issuer, who))
    app.get_id(login(issuer, mallory := next(_subjects)))
    for logins in (None, login(issuer, mallory), login(issuer, next(_subjects))):
        members = {"Logins": logins} if logins else {}
        assert refusal(app.credentials, guest, logins)[:2] == REFUSED
        assert refusal(app.identity.get_open_id_token, IdentityId=guest, **members)[:2] == REFUSED
    assert refusal(
        app.identity.unlink_identity, IdentityId=guest, Logins=login(issuer, mallory), LoginsToRemove=[issuer.login]
    )[:2] == REFUSED
    assert app.get_id(login(issuer, who)) == user


def test_two_devices_of_one_user_are_merged_at_once(pool, issuer):
    app = pool.app()
    who, user, _ = user_and_guest(app, issuer)
    guests = [app.get_id() for _ in range(6)]
    found, errors = [], []

    def sign_in(guest):
        try:
            found.append(pool.app().credentials(guest, login(issuer, who))["IdentityId"])
        except Exception as error:  # noqa: BLE001, whatever it is, the test looks at it
            errors.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=sign_in, args=(guest,)) for guest in guests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whoever lost every race is told to come again, and nothing else.
    assert set(found) == {user} and set(errors) <= {"ResourceConflictException"}
    for guest in guests:
        assert app.credentials(guest, login(issuer, who))["IdentityId"] == user


def hooked(account, issuer, source, **members):
    pool = Pool(account, [issuer])
    name = account.function(source, **members)
    account.identity.tag_resource(ResourceArn=pool.arn, Tags={"callgate:merge-hook": name})
    return pool, pool.app()


def test_the_hook_is_told_who_meets_whom(account, issuer):
    source = """
    exports.handler = async (event, context) => {
      if (context.identity !== undefined || event.claims.sub === undefined) return { decision: 'refuse' };
      delete event.claims;
      console.log(JSON.stringify(event));
      return { decision: event.claims === undefined && event.version === 1 ? 'merge' : 'refuse' };
    };"""
    pool, app = hooked(account, issuer, source)
    who, user, guest = user_and_guest(app, issuer)
    assert app.credentials(guest, login(issuer, who))["IdentityId"] == user
    assert refusal(app.credentials, guest)[:2] == REFUSED


@pytest.mark.parametrize("decision, code_, guest_stays", [
    ("merge", None, False), ("keep", None, True), ("refuse", "NotAuthorizedException", True),
])
def test_the_hook_decides(account, issuer, decision, code_, guest_stays):
    pool, app = hooked(account, issuer, f"exports.handler = async () => ({{ decision: '{decision}' }});")
    who, user, guest = user_and_guest(app, issuer)
    if code_:
        assert refusal(app.credentials, guest, login(issuer, who))[:2] == (400, code_)
    else:
        assert app.credentials(guest, login(issuer, who))["IdentityId"] == user
    if guest_stays:
        assert app.credentials(guest)["IdentityId"] == guest
    else:
        assert refusal(app.credentials, guest)[:2] == REFUSED


@pytest.mark.parametrize("source", [
    "exports.handler = () => new Promise(() => setInterval(() => {}, 1000));",
    "exports.handler = async () => { throw new Error('no'); };",
    "exports.handler = async () => 'merge';",
    "exports.handler = async () => ({ decision: 'MERGE' });",
    "exports.handler = async () => ({ decision: 'merge'.padEnd(20000) });",
    "process.exit(1);",
], ids=["hangs", "throws", "a string", "another word", "too much", "exits"])
def test_a_hook_that_fails_changes_nothing(account, issuer, source):
    pool, app = hooked(account, issuer, source, Timeout=2)
    who, user, guest = user_and_guest(app, issuer)
    status, error, message = refusal(app.credentials, guest, login(issuer, who))
    assert (status, error) == (400, "ResourceConflictException")
    assert message == "The identity pool's merge hook failed; nothing was changed."
    assert app.credentials(guest)["IdentityId"] == guest
    assert app.credentials(user, login(issuer, who))["IdentityId"] == user


def test_a_hook_that_is_gone_changes_nothing(account, issuer):
    pool, app = hooked(account, issuer, code.ECHO)
    account.identity.tag_resource(ResourceArn=pool.arn, Tags={"callgate:merge-hook": fresh("gone")})
    who, user, guest = user_and_guest(app, issuer)
    assert refusal(app.credentials, guest, login(issuer, who))[:2] == (400, "ResourceConflictException")
    assert app.credentials(guest)["IdentityId"] == guest


def test_a_hook_may_call_the_gateway_back(account, issuer):
    """About the very guest: nothing is held while it is asked, and its own call is refused the second hook by the rate or
    answered by it; whatever wins, the two identities are whole."""
    source = """
    const http = require('http');
    let asked = 0;
    const ask = (target, body) => new Promise((resolve, reject) => {
      const url = new URL(process.env.AWS_ENDPOINT_URL_COGNITO_IDENTITY);
      const request = http.request({ host: url.hostname, port: url.port, method: 'POST', path: '/',
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSCognitoIdentityService.' + target } },
        (answer) => { let text = ''; answer.on('data', (part) => text += part); answer.on('end', () => resolve(text)); });
      request.on('error', reject);
      request.end(JSON.stringify(body));
    });
    exports.handler = async (event) => {
      const answer = JSON.parse(await ask('GetCredentialsForIdentity', { IdentityId: event.from }));
      return { decision: answer.IdentityId === event.from ? 'merge' : 'refuse' };
    };"""
    pool, app = hooked(account, issuer, source)
    who, user, guest = user_and_guest(app, issuer)
    assert app.credentials(guest, login(issuer, who))["IdentityId"] == user


def test_a_hook_is_asked_only_so_often(account, issuer):
    pool, app = hooked(account, issuer, "exports.handler = async () => ({ decision: 'keep' });")
    who, user, guest = user_and_guest(app, issuer)
    token = login(issuer, who)
    codes, headers = [], []
    for _ in range(200):
        try:
            app.credentials(guest, token)
        except app.identity.exceptions.TooManyRequestsException as error:
            codes.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
            headers.append(error.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"])
            break
    assert codes == [429] and int(headers[0]) >= 1


def test_naming_a_hook_needs_the_right_to_call_it(account, issuer):
    pool = Pool(account, [issuer])
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "cognito-identity:*", "Resource": "*"}],
    }
    # Somebody who may do everything with pools, and nothing with functions: an identity with such a role.
    manager = Pool(account, policies={"unauthenticated": policy})
    credentials = manager.app().credentials(manager.app().get_id())["Credentials"]
    client = with_credentials("cognito-identity", account.gateway.management, credentials)
    client.tag_resource(ResourceArn=pool.arn, Tags={"a": "b"})
    refused = refusal(client.tag_resource, ResourceArn=pool.arn, Tags={"callgate:merge-hook": "any"})
    assert refused[1] == "AccessDeniedException" and "lambda:InvokeFunction" in refused[2]


@pytest.mark.parametrize("before_kill", [1, 3, 6])
def test_a_kill_in_the_middle_leaves_whole_identities(tmp_path, configuration, issuer, before_kill):
    """Guests sign in as one user while the gateway is killed: afterwards each is a guest still, or is that user."""
    gateway = Gateway(tmp_path, configuration=configuration).start()
    try:
        pool = Pool(Account(gateway), [issuer])
        app = pool.app()
        who, user, _ = user_and_guest(app, issuer)
        guests = [app.get_id() for _ in range(12)]
        token = login(issuer, who)
        merged = threading.Semaphore(0)

        def sign_in():
            for guest in guests:
                try:
                    app.credentials(guest, token)
                    merged.release()
                except Exception:  # noqa: BLE001, the gateway goes away under it
                    return

        thread = threading.Thread(target=sign_in)
        thread.start()
        for _ in range(before_kill):
            assert merged.acquire(timeout=30)
        gateway.kill()
        thread.join()
        gateway.start()
        app = pool.app()
        for number, guest in enumerate(guests):
            try:
                assert app.credentials(guest)["IdentityId"] == guest
                assert number >= before_kill, "what was answered is kept"
            except app.identity.exceptions.NotAuthorizedException:
                pass
            assert app.credentials(guest, token)["IdentityId"] == user
            assert refusal(app.credentials, guest)[:2] == REFUSED
        assert app.get_id(token) == user
    finally:
        gateway.stop()
