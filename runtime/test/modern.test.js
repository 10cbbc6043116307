'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { load, SPENT, Status } = require('./support/sandbox.js');

const CASES = [
  ['an async handler answers what it returns', 'async (event) => ({ hello: event.name })', '{"hello":"Ada"}'],
  ['a handler answers what its promise resolves to', '(event) => Promise.resolve(event.name)', '"Ada"'],
  ['a thenable counts as a promise', '() => ({ then: (resolve) => resolve(7) })', '7'],
  ['undefined is null', 'async () => {}', 'null'],
  ['a function has no JSON and is null', 'async () => () => {}', 'null'],
  ['a callback gives the result', '(event, context, callback) => callback(null, event.name)', '"Ada"'],
  [
    'a callback gives the result later',
    '(event, context, callback) => setImmediate(callback, undefined, 1)',
    '1',
  ],
  [
    'the last callback wins while the loop is not empty',
    '(e, c, callback) => { callback(null, 1); callback(null, 2); }',
    '2',
  ],
  ['context.succeed completes', '(event, context) => context.succeed(event.name)', '"Ada"'],
  ['context.done completes', '(event, context) => context.done(null, event.name)', '"Ada"'],
  [
    'completion methods work without their context',
    '(e, { succeed }) => Promise.resolve(3).then(succeed)',
    '3',
  ],
  ['a value that is no promise is not an answer', '() => 5', 'null'],
  ['a promise that never settles ends as null', 'async () => new Promise(() => {})', 'null'],
  [
    'the first completion wins',
    '(e, context) => { context.succeed(1); context.succeed(2); context.fail("x"); }',
    '1',
  ],
  [
    'completion from a value that completes itself happens once',
    '(e, context) => context.succeed({ toJSON() { context.succeed(1); return 2; } })',
    '1',
  ],
];

for (const [name, handler, json] of CASES) {
  test(name, async (t) => {
    const sandbox = await load(t, `exports.handler = ${handler};`);
    const first = await sandbox.invoke({ name: 'Ada' });
    assert.deepEqual([first.status, first.json, first.flags, first.logs], [Status.VALUE, json, 0, []]);
    const second = await sandbox.invoke({ name: 'Ada' });
    assert.deepEqual([second.status, second.json], [Status.VALUE, json], 'the sandbox goes on');
  });
}

test('a callback waits until nothing is left to run', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = (event, context, callback) => {
      setTimeout(() => console.log('timer'), 20);
      context.callbackWaitsForEmptyEventLoop = event.waits;
      callback(null, 'answer');
    };`,
  );
  const waited = await sandbox.invoke({ waits: true });
  assert.equal(waited.value, 'answer');
  assert.match(waited.logs.join(), /timer/);
  const prompt = await sandbox.invoke({ waits: false });
  assert.deepEqual([prompt.value, prompt.logs], ['answer', []]);
});

test('an error by callback does not wait', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = (event, context, callback) => {
      setTimeout(() => console.log('timer'), 60_000);
      callback(new Error('boom'));
    };`,
  );
  const { status, value } = await sandbox.invoke({});
  assert.deepEqual([status, value.errorMessage], [Status.UNHANDLED, 'boom']);
});

const ERRORS = [
  ['an async throw', 'async () => { throw new TypeError("boom"); }', 'TypeError', 'boom'],
  ['a throw', '() => { throw new TypeError("boom"); }', 'TypeError', 'boom'],
  ['a rejected promise', '() => Promise.reject(new RangeError("boom"))', 'RangeError', 'boom'],
  ['a callback with an error', '(event, context, callback) => callback(new Error("boom"))', 'Error', 'boom'],
  ['context.fail', '(event, context) => context.fail(new Error("boom"))', 'Error', 'boom'],
  ['context.done with an error', '(event, context) => context.done(new Error("boom"))', 'Error', 'boom'],
  [
    'an error with a name of its own',
    'async () => { class E extends Error { name = "NotFound" } throw new E("boom"); }',
    'NotFound',
    'boom',
  ],
  ['a rejected text', 'async () => { throw "boom"; }', 'string', 'boom'],
  ['a rejected number', 'async () => { throw 42; }', 'number', '42'],
  ['a rejected object', 'async () => { throw { code: 1 }; }', 'object', '[object Object]'],
  ['a rejection with nothing', 'async () => { throw undefined; }', 'string', 'handled'],
  ['context.fail with nothing', '(event, context) => context.fail()', 'string', 'handled'],
  [
    'an error of another realm',
    'async () => { throw require("node:vm").runInNewContext("new TypeError(\'boom\')"); }',
    'TypeError',
    'boom',
  ],
  [
    'a circular result',
    'async () => { const a = {}; a.a = a; return a; }',
    'Error',
    'Unable to stringify response body',
  ],
  ['a BigInt', 'async () => 1n', 'Error', 'Unable to stringify response body'],
  [
    'a result whose toJSON throws',
    'async () => ({ toJSON() { throw 1; } })',
    'Error',
    'Unable to stringify response body',
  ],
];

for (const [name, handler, errorType, errorMessage] of ERRORS) {
  test(`${name} is an unhandled function error`, async (t) => {
    const sandbox = await load(t, `exports.handler = ${handler};`);
    const { status, value, flags, logs, id } = await sandbox.invoke({});
    assert.deepEqual([status, flags], [Status.UNHANDLED, 0]);
    assert.deepEqual(Object.keys(value), ['errorType', 'errorMessage', 'trace']);
    assert.deepEqual([value.errorType, value.errorMessage], [errorType, errorMessage]);
    assert.ok(Array.isArray(value.trace));
    const [, line, json] = logs[0].match(/^\d{4}-\d\d-\d\dT[\d:.]+Z\t(.*?) \t(\{.*\})$/s);
    assert.equal(line, `${id}\tERROR\tInvoke Error`);
    assert.equal(JSON.parse(json).errorMessage, errorMessage);
    assert.equal((await sandbox.invoke({})).status, Status.UNHANDLED, 'the sandbox goes on');
  });
}

test('the trace begins with the error and names the place', async (t) => {
  const sandbox = await load(t, `exports.handler = async () => {\n  throw new Error('boom');\n};`);
  const { value } = await sandbox.invoke({});
  assert.equal(value.trace[0], 'Error: boom');
  assert.match(value.trace[1], /^ {4}at .*index\.js:2:9\)?$/);
});

test('an error that cannot be read is told as AWS tells it', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = async () => {
      throw Object.defineProperty(new Error('boom'), 'message', { get() { throw new Error('no'); } });
    };`,
  );
  const { value } = await sandbox.invoke({});
  assert.equal(value.errorType, 'handled');
  assert.match(value.errorMessage, /there was a problem while retrieving/);
});

test('the log tells what an error carries', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = async () => { throw Object.assign(new Error('boom'), { code: 'E1', detail: { a: 1 } }); };`,
  );
  const { logs } = await sandbox.invoke({});
  const { stack, ...rest } = JSON.parse(logs[0].split(' \t')[1]);
  assert.deepEqual(rest, { errorType: 'Error', errorMessage: 'boom', code: 'E1', detail: { a: 1 } });
  assert.equal(stack[0], 'Error: boom');
});

test('an uncaught exception ends invocation and sandbox', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = () => new Promise(() => setImmediate(() => { throw new TypeError('boom'); }));`,
  );
  const { status, value, flags, logs } = await sandbox.invoke({});
  assert.deepEqual(
    [status, flags, value.errorType, value.errorMessage],
    [Status.UNHANDLED, SPENT, 'TypeError', 'boom'],
  );
  assert.match(logs[0], /\tERROR\tUncaught Exception \t\{"errorType":"TypeError"/);
  assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
});

test('a rejection that nobody handles ends invocation and sandbox', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = () => new Promise(() => { Promise.reject(new Error('boom')); });`,
  );
  const { status, value, flags, logs } = await sandbox.invoke({});
  assert.deepEqual([status, flags], [Status.UNHANDLED, SPENT]);
  assert.deepEqual(
    [value.errorType, value.errorMessage],
    ['Runtime.UnhandledPromiseRejection', 'Error: boom'],
  );
  assert.match(logs[0], /Unhandled Promise Rejection \t\{"errorType":"Runtime.UnhandledPromiseRejection"/);
  assert.deepEqual(await sandbox.exit(), { code: 128, signal: null });
});

test('an exception between invocations ends the sandbox without a RESULT', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = (event, context) => { setImmediate(() => { throw new Error('late'); }); context.succeed(1); };`,
  );
  assert.equal((await sandbox.invoke({})).value, 1);
  const { kind, logs } = await sandbox.answer();
  assert.equal(kind, undefined);
  assert.match(logs[0], /late/);
  assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
});

test('process.exit ends the sandbox with its status and no RESULT', async (t) => {
  const sandbox = await load(t, `exports.handler = async () => process.exit(7);`);
  assert.equal((await sandbox.invoke({})).kind, undefined);
  assert.deepEqual(await sandbox.exit(), { code: 7, signal: null });
});
