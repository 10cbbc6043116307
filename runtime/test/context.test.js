'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { load, loadClassic } = require('./support/sandbox.js');

const META = {
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:greet',
  identity: { cognitoIdentityId: 'us-east-1:0a', cognitoIdentityPoolId: 'us-east-1:0b' },
  clientContext: {
    client: { installation_id: 'i', app_title: 'Notes', app_package_name: 'com.example.notes' },
    custom: { theme: 'dark' },
    env: { platform: 'Android', locale: 'de_CH' },
    services: {},
  },
  callgate: { signedIn: true, logins: ['accounts.example.com'], principalTags: { plan: 'free' } },
};

/** The fields that both models have, as JSON shows them. */
function fields(id) {
  return {
    functionName: 'greet',
    functionVersion: '$LATEST',
    memoryLimitInMB: '128',
    logGroupName: '/aws/lambda/greet',
    logStreamName: '2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef',
    awsRequestId: id,
  };
}

test('the context has the documented fields', async (t) => {
  const sandbox = await load(t, 'exports.handler = async (event, context) => context;');
  const { value, id } = await sandbox.invoke({}, { meta: META });
  assert.deepEqual(value, { ...fields(id), ...META, callbackWaitsForEmptyEventLoop: true });
});

test('the classic context has invokeid', async (t) => {
  const sandbox = await loadClassic(t, 'exports.handler = (event, context) => context.succeed(context);');
  const { value, id } = await sandbox.invoke({}, { meta: META });
  assert.deepEqual(value, { ...fields(id), ...META, invokeid: id });
});

test('methods are own and enumerable: a spread context works', async (t) => {
  const code = `exports.handler = (event, context) => {
    const { succeed, getRemainingTimeInMillis } = { ...context };
    succeed([typeof getRemainingTimeInMillis(), Object.keys(context).filter((key) => typeof context[key] === 'function').sort()]);
  };`;
  for (const start of [load, loadClassic]) {
    const sandbox = await start(t, code);
    const { value } = await sandbox.invoke({});
    assert.deepEqual(value, ['number', ['done', 'fail', 'getRemainingTimeInMillis', 'succeed']]);
  }
});

test('without an identity and a client context there is none', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = async (event, context) =>
      [context.identity === undefined, context.clientContext === undefined, 'callgate' in context];`,
  );
  const { value } = await sandbox.invoke({}, { meta: { invokedFunctionArn: META.invokedFunctionArn } });
  assert.deepEqual(value, [true, true, false]);
});

test("one caller's identity is not the next one's", async (t) => {
  const sandbox = await load(
    t,
    'exports.handler = async (event, { identity, clientContext, callgate }) => ({ identity, clientContext, callgate });',
  );
  const { identity, clientContext, callgate } = META;
  assert.deepEqual((await sandbox.invoke({}, { meta: META })).value, { identity, clientContext, callgate });
  assert.deepEqual((await sandbox.invoke({})).value, {});
});

for (const [sent, other] of [
  ['custom', 'Custom'],
  ['Custom', 'custom'],
]) {
  test(`what the app sent as ${sent} can be read as ${other} and is not shown twice`, async (t) => {
    const sandbox = await load(
      t,
      `exports.handler = async (event, { clientContext }) => [clientContext.custom, clientContext.Custom, clientContext];`,
    );
    const clientContext = { [sent]: { a: 1 } };
    const { json } = await sandbox.invoke({}, { meta: { clientContext } });
    assert.equal(json, `[{"a":1},{"a":1},{"${sent}":{"a":1}}]`);
  });
}

test('custom and Custom stay apart when the app sent both, and absent when it sent neither', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = async (event, { clientContext }) => ['custom' in clientContext, clientContext.custom, clientContext.Custom];`,
  );
  const both = await sandbox.invoke({}, { meta: { clientContext: { custom: 1, Custom: 2 } } });
  assert.deepEqual(both.value, [true, 1, 2]);
  const neither = await sandbox.invoke({}, { meta: { clientContext: { client: {} } } });
  assert.deepEqual(neither.value, [false, null, null]);
});

test('the remaining time runs towards the deadline', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = async (event, context) => {
      const left = context.getRemainingTimeInMillis();
      return [left, context.getRemainingTimeInMillis() <= left];
    };`,
  );
  const { value } = await sandbox.invoke({}, { deadlineMs: Date.now() + 100_000 });
  assert.ok(value[0] > 0 && value[0] <= 100_000, `${value[0]} ms`);
  assert.equal(value[1], true);
  const far = await sandbox.invoke({}, { deadlineMs: 2 ** 45 });
  assert.ok(Math.abs(far.value[0] - (2 ** 45 - Date.now())) < 60_000, 'beyond 32 bits');
});

test('a call without a payload has an empty object for its event', async (t) => {
  const sandbox = await load(t, 'exports.handler = async (event) => event;');
  assert.equal((await sandbox.invoke(undefined)).json, '{}');
});

test('environment, working directory and time zone are those of BIND', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = async () => [process.env.TABLE, process.cwd() === __dirname, new Date(0).getHours(), process.env.EMPTY];`,
    { environment: { TABLE: 'notes', TZ: 'Asia/Tokyo', EMPTY: '' } },
  );
  assert.deepEqual((await sandbox.invoke({})).value, ['notes', true, 9, '']);
});
