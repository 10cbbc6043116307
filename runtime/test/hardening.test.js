'use strict';

// What function code may do to its own process without changing how its invocations begin and end; and what ends the
// sandbox for good, which the gateway sees as the end of the stream.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { load, loadClassic, Status } = require('./support/sandbox.js');

const POLLUTIONS = [
  ['JSON', `JSON.parse = JSON.stringify = () => { throw new Error('polluted'); };`],
  ['Promise.prototype.then', `Promise.prototype.then = function (ok) { ok('forged'); };`],
  ['Promise.prototype.constructor', `Promise.prototype.constructor = Array;`, { isAsync: false }],
  ['Promise.resolve', `Promise.resolve = () => { throw new Error('polluted'); };`],
  [
    'Function.prototype',
    `Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => 'forged';`,
  ],
  ['array iteration', `Array.prototype[Symbol.iterator] = function* () { yield 'forged'; };`],
  [
    'array methods',
    `for (const name of ['push', 'map', 'join', 'slice', 'reduce', 'shift']) Array.prototype[name] = () => 'forged';`,
  ],
  [
    'string methods',
    `for (const name of ['slice', 'split', 'replace', 'startsWith', 'trim']) String.prototype[name] = () => 'forged';`,
  ],
  ['Date', `globalThis.Date = class { static now() { throw new Error('polluted'); } };`],
  ['timers', `globalThis.setImmediate = globalThis.setTimeout = () => { throw new Error('polluted'); };`],
  [
    'Buffer',
    `Buffer.from = Buffer.alloc = Buffer.allocUnsafe = Buffer.byteLength = Buffer.prototype.write = Buffer.prototype.toString = Buffer.prototype.copy = () => { throw new Error('polluted'); };`,
  ],
  ['fs', `const fs = require('fs'); fs.readSync = fs.writeSync = () => { throw new Error('polluted'); };`],
  ['process.exit', `process.exit = () => {};`],
  ['console', `globalThis.console = null;`],
  [
    'Object.prototype',
    `Object.assign(Object.prototype, { identity: 'forged', callgate: 'forged', clientContext: 'forged', value: 1, get: 1 });`,
  ],
  ['the module cache', `for (const file of Object.keys(require.cache)) delete require.cache[file];`],
  ['errors', `Error.prepareStackTrace = () => [1]; Error.stackTraceLimit = 0;`],
];

for (const [name, pollution, { isAsync = true } = {}] of POLLUTIONS) {
  test(`a function that changes ${name} answers and fails as before`, async (t) => {
    const handler = isAsync
      ? `async (event, context) => { if (event.fails) throw new TypeError('boom'); return { event, identity: context.identity }; }`
      : `(event, context) => event.fails ? context.fail(new TypeError('boom')) : context.succeed({ event, identity: context.identity })`;
    const sandbox = await load(t, `${pollution}\nexports.handler = ${handler};`);
    const meta = { identity: { cognitoIdentityId: 'a' } };
    for (const text of ['first', 'é'.repeat(50_000)]) {
      const { status, value } = await sandbox.invoke({ text }, { meta });
      assert.deepEqual([status, value], [Status.VALUE, { event: { text }, identity: meta.identity }]);
    }
    const failed = await sandbox.invoke({ fails: true });
    assert.deepEqual(
      [failed.status, failed.value.errorType, failed.value.errorMessage],
      [Status.UNHANDLED, 'TypeError', 'boom'],
    );
    const plain = await sandbox.invoke({});
    assert.deepEqual(
      [plain.status, plain.value],
      [Status.VALUE, { event: {} }],
      'no identity where none was sent',
    );
  });
}

test('a function that changes its world in the classic model answers as before', async (t) => {
  const all = POLLUTIONS.map(([, pollution]) => `{ ${pollution} }`).filter(
    (pollution) => !pollution.includes('require.cache'),
  );
  const sandbox = await loadClassic(
    t,
    `exports.handler = (event, context) => event.fails ? context.fail(new TypeError('boom')) : context.succeed(event);
    ${all.join('\n')}`,
  );
  assert.deepEqual((await sandbox.invoke({ a: 1 })).value, { a: 1 });
  const { status, value } = await sandbox.invoke({ fails: true });
  assert.deepEqual([status, value.errorMessage, value.errorType], [Status.HANDLED, 'boom', 'TypeError']);
});

test('a socket that was made non-blocking still works', async (t) => {
  const sandbox = await load(
    t,
    `const net = require('node:net');
    // Opening a socket on a descriptor makes it non-blocking. Nothing reads from it.
    const socket = new net.Socket({ fd: 3, readable: false, writable: true });
    socket.unref();
    exports.handler = async (event) => event.length;`,
  );
  assert.equal((await sandbox.invoke('a')).value, 1);
  assert.equal((await sandbox.invoke('a'.repeat(5_000_000))).value, 5_000_000);
});

const ENDS = [
  ['closes descriptor 4', `async () => { require('fs').closeSync(4); }`, 1],
  ['removes the listeners that complete it', `() => { process.removeAllListeners(); }`, 0],
  [
    'kills its process',
    `async () => { process.kill(process.pid, 'SIGKILL'); await new Promise((ok) => setTimeout(ok, 60_000)); }`,
    null,
  ],
];

for (const [name, handler, code] of ENDS) {
  test(`a function that ${name} ends its sandbox without an answer`, async (t) => {
    const sandbox = await load(t, `exports.handler = ${handler};`);
    assert.equal((await sandbox.invoke({})).kind, undefined);
    assert.equal((await sandbox.exit()).code, code);
  });
}

test('a function that closes descriptor 3 is its sandbox\'s last', async (t) => {
  const sandbox = await load(t, `exports.handler = async () => { require('fs').closeSync(3); return 'told'; };`);
  assert.equal((await sandbox.invoke({})).value, 'told');
  assert.equal((await sandbox.exit()).code, 1);
});

test('child processes do not inherit the sockets', async (t) => {
  const sandbox = await load(
    t,
    `const { spawnSync } = require('node:child_process');
    exports.handler = async () =>
      [3, 4].map((fd) => spawnSync(process.execPath, ['-e', 'try { require("fs").fstatSync(' + fd + ').isSocket() ? console.log("socket") : console.log("other") } catch { console.log("none") }'], { env: {} }).stdout.toString().trim());`,
  );
  for (const found of (await sandbox.invoke({})).value) {
    assert.notEqual(found, 'socket');
  }
});
