"""How an invocation ends: the models of 2014–15 and of today, and the ends nobody asked for.

The texts are AWS's of today for the modern runtimes and of 2015 for runtime `nodejs` (Lambda developer guide, "AWS Lambda
function errors in Node.js" and the context object's `done`, `succeed` and `fail` of the guide's first edition)."""

import re
import time

import pytest

from harness.raw import eventually

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def classic(account, body, **members):
    return account.function(f"exports.handler = function (event, context, callback) {{ {body} }};", Runtime="nodejs", **members)


def modern(account, body, **members):
    return account.function(f"exports.handler = async (event, context) => {{ {body} }};", **members)


# The model of 2014–15.


@pytest.mark.parametrize(
    "body, result",
    [
        ("context.succeed({ ok: 1 });", {"ok": 1}),
        ("context.done(null, 'done');", "done"),
        ("context.done(undefined, [1]);", [1]),
        ("context.succeed();", None),
        ("setTimeout(() => context.succeed('later'), 20);", "later"),
        ("context.succeed('first'); context.fail(new Error('second'));", "first"),
        ("setInterval(() => {}, 1000); context.succeed('whatever is pending');", "whatever is pending"),
        ("callback(null, 'by callback');", "by callback"),
    ],
)
def test_classic_success(account, body, result):
    answer = account.call(classic(account, body))
    assert "FunctionError" not in answer, answer["json"]
    assert answer["json"] == result


@pytest.mark.parametrize(
    "body, error",
    [
        ("context.fail('broken');", {"errorMessage": "broken"}),
        ("context.done('broken', 'ignored');", {"errorMessage": "broken"}),
        ("context.done({ code: 7 });", {"errorMessage": "[object Object]"}),
        ("callback('broken');", {"errorMessage": "broken"}),
    ],
)
def test_classic_failure(account, body, error):
    answer = account.call(classic(account, body))
    assert answer["FunctionError"] == "Handled"
    assert {name: answer["json"].get(name) for name in error} == error


def test_classic_unpacks_an_error(account):
    answer = account.call(classic(account, "context.fail(new RangeError('too far'));"))
    assert answer["FunctionError"] == "Handled"
    assert (answer["json"]["errorMessage"], answer["json"]["errorType"]) == ("too far", "RangeError")
    assert any("exports.handler" in line for line in answer["json"]["stackTrace"])


def test_classic_exits_before_completing(account):
    """Every callback has run, and nothing completed the invocation."""
    name = classic(account, "setTimeout(() => {}, 10);")
    for _ in range(2):
        answer = account.call(name)
        assert answer["FunctionError"] == "Unhandled"
        request_id = answer["ResponseMetadata"]["RequestId"]
        assert answer["json"]["errorMessage"] == f"RequestId: {request_id} Process exited before completing request"


def test_classic_timeout(account):
    name = classic(account, "setTimeout(() => context.succeed(), 5000);", Timeout=1)
    answer = account.call(name)
    assert answer["FunctionError"] == "Unhandled"
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert set(answer["json"]) == {"errorMessage"}
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z {request_id} Task timed out after 1\.\d\d seconds",
        answer["json"]["errorMessage"],
    )


def test_classic_invokeid_and_identity(account):
    name = classic(account, "context.succeed([context.invokeid === context.awsRequestId, context.identity === undefined]);")
    assert account.call(name)["json"] == [True, True]


# The models of today.


@pytest.mark.parametrize(
    "source, result",
    [
        ("exports.handler = async () => 1;", 1),
        ("exports.handler = () => Promise.resolve('a promise');", "a promise"),
        ("exports.handler = () => ({ then: (done) => done('a thenable') });", "a thenable"),
        ("exports.handler = (event, context, callback) => callback(null, 'called');", "called"),
        ("exports.handler = (event, context, callback) => { setTimeout(() => callback(null, 'later'), 20); };", "later"),
        ("exports.handler = (event, context) => { context.succeed('as in 2014'); };", "as in 2014"),
        ("exports.handler = () => {};", None),
        (
            "exports.handler = (event, context, callback) => { context.callbackWaitsForEmptyEventLoop = false;"
            " setInterval(() => {}, 1000); callback(null, 'did not wait'); };",
            "did not wait",
        ),
    ],
)
def test_modern_success(account, source, result):
    answer = account.call(account.function(source))
    assert "FunctionError" not in answer, answer["json"]
    assert answer["json"] == result


def test_a_callback_waits_for_the_event_loop_unless_told_otherwise(account):
    source = """
      exports.handler = (event, context, callback) => {
        const began = Date.now();
        setTimeout(() => { global.waited = true; }, 100);
        callback(null, 'held back');
        process.once('beforeExit', () => {});
      };
    """
    name = account.function(source)
    began = time.monotonic()
    assert account.call(name)["json"] == "held back"
    assert time.monotonic() - began > 0.09


@pytest.mark.parametrize(
    "body, kind, message",
    [
        ("throw new TypeError('wrong');", "TypeError", "wrong"),
        ("class Own extends Error { constructor(m) { super(m); this.name = 'Own'; } } throw new Own('mine');", "Own", "mine"),
        ("throw 'a string';", "string", "a string"),
    ],
)
def test_modern_failure(account, body, kind, message):
    answer = account.call(modern(account, body))
    assert answer["FunctionError"] == "Unhandled"
    assert (answer["json"]["errorType"], answer["json"]["errorMessage"]) == (kind, message)
    assert isinstance(answer["json"]["trace"], list)


def test_an_error_leaves_the_sandbox_in_use(account):
    name = account.function("let n = 0; exports.handler = async () => { n += 1; if (n === 2) throw new Error('x'); return n; };")
    assert account.call(name)["json"] == 1
    assert account.call(name)["FunctionError"] == "Unhandled"
    assert account.call(name)["json"] == 3


@pytest.mark.parametrize("body", ["const a = {}; a.a = a; return a;", "return 1n;"], ids=["circular", "BigInt"])
def test_a_result_that_is_no_json(account, body):
    answer = account.call(modern(account, body))
    assert answer["FunctionError"] == "Unhandled"
    assert "Unable to stringify response body" in answer["json"]["errorMessage"]


def test_an_unhandled_rejection(account):
    answer = account.call(modern(account, "Promise.reject(new Error('nobody waits')); await new Promise((r) => setTimeout(r, 500));"))
    assert answer["FunctionError"] == "Unhandled"
    assert answer["json"]["errorType"] == "Runtime.UnhandledPromiseRejection"
    assert "nobody waits" in answer["json"]["errorMessage"]


# The ends without the function's consent. After each of them the next call finds a sandbox that has seen nothing.

ONCE = "globalThis.calls = (globalThis.calls || 0) + 1; if (event !== 'die') return globalThis.calls;"


def ends(account, body, **members):
    """Lets a function live, die and live again; returns the answer of its death."""
    name = modern(account, f"{ONCE} {body}", **members)
    assert account.call(name, "live")["json"] == 1
    answer = account.call(name, "die")
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    assert account.call(name, "live")["json"] == 1, "the sandbox was used again"
    return answer


def of_request(answer, text):
    return f"RequestId: {answer['ResponseMetadata']['RequestId']} Error: {text}"


@pytest.mark.parametrize(
    "body", ["await new Promise((resolve) => setTimeout(resolve, 30000));", "for (;;);"], ids=["waiting", "busy"]
)
def test_timeout(account, body):
    began = time.monotonic()
    answer = ends(account, body, Timeout=1)
    assert time.monotonic() - began < 15
    assert answer["json"] == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": of_request(answer, "Task timed out after 1.00 seconds"),
    }


def test_a_timeout_kills_child_processes_too(account):
    source = """
      const { spawn } = require('child_process');
      exports.handler = async (event) => {
        if (event === 'list') return require('fs').readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).length;
        spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
        await new Promise((resolve) => setTimeout(resolve, 30000));
      };
    """
    name = account.function(source, Timeout=1)
    alone = account.call(name, "list")["json"]
    before = set(account.gateway.descendants())
    assert account.call(name)["json"]["errorType"] == "Sandbox.Timedout"
    assert account.call(name, "list")["json"] == alone
    eventually(lambda: len(account.gateway.descendants()) <= len(before))


@pytest.mark.parametrize("status, text", [
    (0, "Runtime exited without providing a reason"),
    (3, "Runtime exited with error: exit status 3"),
    (127, "Runtime exited with error: exit status 127"),
])
def test_exit(account, status, text):
    answer = ends(account, f"process.exit({status});")
    assert answer["json"] == {"errorType": "Runtime.ExitError", "errorMessage": of_request(answer, text)}


def test_signal(account):
    answer = ends(account, "process.kill(process.pid, 'SIGKILL'); for (;;);")
    assert answer["json"] == {
        "errorType": "Runtime.ExitError",
        "errorMessage": of_request(answer, "Runtime exited with error: signal: killed"),
    }


def test_uncaught_exception(account):
    answer = ends(account, "setTimeout(() => { throw new Error('from a timer'); }, 1); await new Promise(() => {});")
    assert "from a timer" in answer["json"]["errorMessage"]


def test_writing_nonsense_to_the_gateway_ends_the_sandbox(account):
    """Every frame from a sandbox is hostile (docs/frame-protocol.md)."""
    answer = ends(account, "require('fs').writeSync(4, Buffer.alloc(64, 0xff)); await new Promise(() => {});", Timeout=5)
    assert answer["json"]["errorType"] == "Runtime.ExitError"


# Initialisation.


@pytest.mark.parametrize(
    "files, handler, kind, text",
    [
        ("exports.handler = async () => 1;", "missing.handler", "Runtime.ImportModuleError", "Cannot find module 'missing'"),
        ("require('not-there');", "index.handler", "Runtime.ImportModuleError", "Cannot find module 'not-there'"),
        ("exports.other = async () => 1;", "index.handler", "Runtime.HandlerNotFound", "index.handler is undefined or not exported"),
        ("exports.handler = async () => {", "index.handler", "Runtime.UserCodeSyntaxError", "SyntaxError"),
        ("throw new RangeError('while loading');", "index.handler", "RangeError", "while loading"),
    ],
    ids=["no module", "no dependency", "no handler", "syntax", "throws"],
)
def test_what_goes_wrong_while_loading(account, files, handler, kind, text):
    name = account.function(files, Handler=handler)
    for _ in range(2):
        answer = account.call(name)
        assert answer["FunctionError"] == "Unhandled"
        assert answer["json"]["errorType"] == kind
        assert text in answer["json"]["errorMessage"]


@pytest.mark.parametrize("status, text", [
    (0, "Runtime exited without providing a reason"),
    (1, "Runtime exited with error: exit status 1"),
])
def test_exit_while_loading(account, status, text):
    answer = account.call(account.function(f"process.exit({status});"))
    assert answer["json"] == {"errorType": "Runtime.ExitError", "errorMessage": of_request(answer, text)}
