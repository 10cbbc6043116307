'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { loadClassic, SPENT, Status } = require('./support/sandbox.js');

const VALUES = [
  ['context.done(null, result)', '(event, context) => context.done(null, event.name)', '"Ada"'],
  ['context.done(undefined, result)', '(event, context) => context.done(undefined, event.name)', '"Ada"'],
  [
    'context.succeed(result)',
    '(event, context) => context.succeed({ hello: event.name })',
    '{"hello":"Ada"}',
  ],
  ['context.done()', '(event, context) => context.done()', 'null'],
  ['the third parameter', '(event, context, callback) => callback(null, event.name)', '"Ada"'],
  ['completion methods on their own', '(event, { succeed }) => setImmediate(succeed, 1)', '1'],
];

for (const [name, handler, json] of VALUES) {
  test(`${name} is success`, async (t) => {
    const sandbox = await loadClassic(t, `exports.handler = ${handler};`);
    const { status, json: answered, logs } = await sandbox.invoke({ name: 'Ada' });
    assert.deepEqual([status, answered, logs], [Status.VALUE, json, []]);
    assert.equal((await sandbox.invoke({ name: 'Ada' })).json, json, 'the sandbox goes on');
  });
}

test('the first completion ends it, whatever else is pending', async (t) => {
  const sandbox = await loadClassic(
    t,
    `exports.handler = (event, context) => {
      setTimeout(() => context.fail('never'), 60_000);
      context.succeed(1);
      context.done(null, 2);
      context.fail('3');
    };`,
  );
  assert.deepEqual((await sandbox.invoke({})).value, 1);
  assert.deepEqual((await sandbox.invoke({})).value, 1);
});

test('a completion that comes late does not end the next invocation', async (t) => {
  const sandbox = await loadClassic(
    t,
    `let late;
    exports.handler = (event, context) => {
      if (late) {
        late.succeed('of the first');
        context.succeed('of the second');
      } else {
        late = context;
        context.succeed('of the first');
      }
    };`,
  );
  assert.equal((await sandbox.invoke({})).value, 'of the first');
  assert.equal((await sandbox.invoke({})).value, 'of the second');
});

const TEXTS = [
  ['a text', '"boom"', 'boom'],
  ['a number', '0', '0'],
  ['false', 'false', 'false'],
  ['an empty text', '""', ''],
  ['an object', '({ code: 1 })', '[object Object]'],
  ['an object without text', 'Object.create(null)', '[value without text]'],
];

for (const [name, error, errorMessage] of TEXTS) {
  for (const method of ['fail', 'done']) {
    test(`context.${method} with ${name} is a handled error with its text`, async (t) => {
      const sandbox = await loadClassic(
        t,
        `exports.handler = (event, context) => context.${method}(${error});`,
      );
      const { status, value, logs, id } = await sandbox.invoke({});
      assert.deepEqual([status, value], [Status.HANDLED, { errorMessage }]);
      assert.equal(logs[0].slice(logs[0].indexOf('\t')), `\t${id}\tERROR\t${errorMessage}`);
    });
  }
}

test('an Error is unpacked', async (t) => {
  const sandbox = await loadClassic(
    t,
    `exports.handler = (event, context) => {\n  context.fail(new TypeError('boom'));\n};`,
  );
  const { status, value, flags, logs } = await sandbox.invoke({});
  assert.deepEqual([status, flags], [Status.HANDLED, 0]);
  assert.deepEqual(Object.keys(value), ['errorMessage', 'errorType', 'stackTrace']);
  assert.deepEqual([value.errorMessage, value.errorType], ['boom', 'TypeError']);
  assert.match(value.stackTrace[0], /^exports\.handler \(.*index\.js:2:16\)$/);
  assert.deepEqual(JSON.parse(logs[0].split('\tERROR\t')[1]), value);
});

test('context.fail with nothing is a failure all the same', async (t) => {
  const sandbox = await loadClassic(t, `exports.handler = (event, context) => context.fail();`);
  const { status, value } = await sandbox.invoke({});
  assert.deepEqual([status, value], [Status.HANDLED, { errorMessage: 'handled' }]);
});

test("done's second argument is the last log event of a failure", async (t) => {
  const sandbox = await loadClassic(
    t,
    `exports.handler = (event, context) => { console.log('first'); context.done('boom', event); };`,
  );
  const text = await sandbox.invoke('see the manual');
  assert.deepEqual(
    text.logs.map((line) => line.split('\t').slice(2)),
    [
      ['INFO', 'first'],
      ['ERROR', 'boom'],
      ['INFO', 'see the manual'],
    ],
  );
  const object = await sandbox.invoke({ hint: 1 });
  assert.deepEqual(object.logs.at(-1).split('\t').slice(2), ['INFO', '{"hint":1}']);
});

test('nothing left to run and nothing completed is an error', async (t) => {
  const sandbox = await loadClassic(t, `exports.handler = (event, context) => { setTimeout(() => {}, 5); };`);
  const { status, value, logs, id } = await sandbox.invoke({});
  const errorMessage = `RequestId: ${id} Process exited before completing request`;
  assert.deepEqual([status, value, logs], [Status.UNHANDLED, { errorMessage }, [errorMessage]]);
  assert.equal((await sandbox.invoke({})).status, Status.UNHANDLED, 'the sandbox goes on');
});

test('what an async handler returns completes nothing', async (t) => {
  const sandbox = await loadClassic(t, `exports.handler = async () => 1;`);
  const { status, value } = await sandbox.invoke({});
  assert.equal(status, Status.UNHANDLED);
  assert.match(value.errorMessage, /Process exited before completing request$/);
});

test('a result without JSON is an error', async (t) => {
  const sandbox = await loadClassic(t, `exports.handler = (event, context) => context.succeed(1n);`);
  const { status, value } = await sandbox.invoke({});
  assert.deepEqual([status, value.errorMessage], [Status.UNHANDLED, 'Unable to stringify response body']);
});

test('a throw is a crash: told, unpacked, and the end of the sandbox', async (t) => {
  const sandbox = await loadClassic(t, `exports.handler = () => { throw new RangeError('boom'); };`);
  const { status, value, flags } = await sandbox.invoke({});
  assert.deepEqual(
    [status, flags, value.errorType, value.errorMessage],
    [Status.UNHANDLED, SPENT, 'RangeError', 'boom'],
  );
  assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
});

test('a throw after completion does not change the answer', async (t) => {
  const sandbox = await loadClassic(
    t,
    `exports.handler = (event, context) => { context.succeed(1); throw new Error('late'); };`,
  );
  const { status, value, flags } = await sandbox.invoke({});
  assert.deepEqual([status, value, flags], [Status.VALUE, 1, 0]);
  assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
});
