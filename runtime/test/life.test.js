'use strict';

const assert = require('node:assert/strict');
const net = require('node:net');
const { once } = require('node:events');
const { test } = require('node:test');

const { folder, load, loadClassic, Sandbox } = require('./support/sandbox.js');
const wire = require('./support/wire.js');

test('READY comes first and tells protocol and Node.js version', async (t) => {
  const ready = await new Sandbox(t).next();
  assert.deepEqual(ready, { kind: 'READY', protocol: 2, node: process.version });
});

test('the function is initialised once', async (t) => {
  const sandbox = await load(t, `let calls = 0; exports.handler = async () => (calls += 1);`);
  for (const calls of [1, 2, 3]) {
    assert.equal((await sandbox.invoke({})).value, calls);
  }
});

test('when the gateway leaves, the sandbox ends', async (t) => {
  const idle = await load(t, 'exports.handler = async () => {};');
  idle.leave();
  assert.deepEqual(await idle.exit(), { code: 0, signal: null });
  const unbound = new Sandbox(t);
  await unbound.next();
  unbound.leave();
  assert.deepEqual(await unbound.exit(), { code: 0, signal: null });
});

test('an answer that nobody reads any more ends the sandbox', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = (event, context, callback) => {
      console.log('running');
      setTimeout(() => { for (;;) console.log('x'); }, 1);
    };`,
  );
  sandbox.send(wire.invoke({ id: '01234567-89ab-cdef-0123-456789abcdef' }));
  assert.match((await sandbox.next()).text, /running$/);
  sandbox.leave();
  assert.deepEqual(await sandbox.exit(), { code: 1, signal: null });
});

const BROKEN = [
  ['an INVOKE before BIND', () => wire.invoke({ id: '01234567-89ab-cdef-0123-456789abcdef' })],
  ['a CANCEL before BIND', () => wire.cancel('01234567-89ab-cdef-0123-456789abcdef')],
  ['a BIND of another version', () => wire.bind({ protocol: 1 })],
  ['an unknown kind', () => wire.frame(0x3f, Buffer.alloc(0))],
];

for (const [name, bytes] of BROKEN) {
  test(`${name} ends the sandbox before any function is there`, async (t) => {
    const sandbox = new Sandbox(t);
    await sandbox.next();
    sandbox.send(bytes());
    const { kind, logs } = await sandbox.answer();
    assert.equal(kind, undefined);
    assert.match(logs[0], /"errorType":"Violation"/);
    assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
  });
}

test('a second BIND ends the sandbox', async (t) => {
  const sandbox = await load(t, 'exports.handler = async () => {};');
  sandbox.send(wire.bind({}));
  assert.equal((await sandbox.answer()).kind, undefined);
  assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
});

test('timers of an invocation go on in the next one', async (t) => {
  const sandbox = await loadClassic(
    t,
    `let fired = false;
    exports.handler = (event, context) => {
      if (event.first) {
        setTimeout(() => { fired = true; }, 1);
        context.succeed(fired);
      } else {
        setTimeout(() => context.succeed(fired), 20);
      }
    };`,
  );
  assert.equal((await sandbox.invoke({ first: true })).value, false);
  assert.equal((await sandbox.invoke({})).value, true);
});

test('what is ready at the answer runs before the sandbox sleeps', async (t) => {
  const sandbox = await load(
    t,
    `let ran = [];
    exports.handler = (event, context) => {
      const before = ran;
      ran = [];
      setImmediate(() => ran.push('immediate'));
      process.nextTick(() => ran.push('tick'));
      Promise.resolve().then(() => ran.push('microtask'));
      context.succeed(before);
    };`,
  );
  await sandbox.invoke({});
  assert.deepEqual((await sandbox.invoke({})).value, ['tick', 'microtask', 'immediate']);
});

test('AsyncLocalStorage of one invocation is not seen by the next', async (t) => {
  const sandbox = await load(
    t,
    `const { AsyncLocalStorage } = require('node:async_hooks');
    const entered = new AsyncLocalStorage();
    const run = new AsyncLocalStorage();
    exports.handler = (event, context) => {
      const seen = [entered.getStore() ?? null, run.getStore() ?? null];
      entered.enterWith(event.user);
      run.run(event.user, () => setImmediate(() => context.succeed([seen, entered.getStore(), run.getStore()])));
    };`,
  );
  for (const user of ['ada', 'bob', 'cyd']) {
    // A pause takes the way with more turns.
    for (const frozenMs of [0, 10]) {
      const { value } = await sandbox.invoke({ user }, { frozenMs });
      assert.deepEqual(value, [[null, null], user, user]);
    }
  }
});

for (const [how, handler] of [
  ['at once', `(event, context) => { context.succeed(see()); entered.enterWith(event); }`],
  ['before its first await', `async (event) => { const seen = see(); entered.enterWith(event); await null; return seen; }`],
  ['after an await', `async (event) => { await null; const seen = see(); entered.enterWith(event); return seen; }`],
  ['in a next tick', `(event, context) => process.nextTick(() => { context.succeed(see()); entered.enterWith(event); })`],
]) {
  test(`what an invocation that ends without the event loop enters ${how} is not seen by the next`, async (t) => {
    const sandbox = await load(
      t,
      `const { AsyncLocalStorage } = require('node:async_hooks');
      const entered = new AsyncLocalStorage();
      const see = () => entered.getStore() ?? null;
      exports.handler = ${handler};`,
    );
    for (const user of ['ada', 'bob', 'cyd']) {
      assert.equal((await sandbox.invoke({ user })).value, null);
    }
  });
}

test('a sandbox that slept turns its event loop twice more before the handler', async (t) => {
  const sandbox = await load(
    t,
    `let turns = 0;
    const turn = () => { turns += 1; setImmediate(turn).unref(); };
    turn();
    exports.handler = (event, context) => { context.succeed([turns, context.frozenMs]); turns = 0; };`,
  );
  await sandbox.invoke({});
  assert.deepEqual((await sandbox.invoke({})).value, [1, 0]);
  assert.deepEqual((await sandbox.invoke({}, { frozenMs: 1234 })).value, [3, 1234]);
});

test('a connection that died while the sandbox slept is not used again', async (t) => {
  // The server answers once on each connection, and closes it while the sandbox sleeps.
  let connections = 0;
  const server = net.createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'));
    server.once('callgate-close', () => socket.destroy());
  });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sandbox = await load(
    t,
    `const http = require('node:http');
    const agent = new http.Agent({ keepAlive: true });
    exports.handler = (port) => new Promise((resolve, reject) => {
      const request = http.request({ port, agent, method: 'POST' }, (response) => {
        response.resume().on('end', () => setImmediate(resolve, 'answered'));
      });
      request.on('error', reject).end('body');
    });`,
  );
  const { port } = server.address();
  for (const round of [1, 2, 3]) {
    const { value } = await sandbox.invoke(port, { frozenMs: 50 });
    assert.equal(value, 'answered');
    assert.equal(connections, round);
    server.emit('callgate-close');
  }
});

test('many calls keep apart', async (t) => {
  const sandbox = await load(
    t,
    'exports.handler = async (event, { awsRequestId }) => ({ event, awsRequestId });',
  );
  for (let at = 0; at < 500; at += 1) {
    const { value, id } = await sandbox.invoke({ at, pad: 'x'.repeat((at * 997) % 70_000) });
    assert.deepEqual([value.event.at, value.awsRequestId], [at, id]);
  }
});

test('the cache of require holds nothing of the bootstrap', async (t) => {
  const sandbox = new Sandbox(t);
  const taskRoot = folder(t, { 'index.js': 'exports.handler = async () => Object.keys(require.cache);' });
  await sandbox.bind({ taskRoot });
  assert.deepEqual((await sandbox.invoke({})).value, [`${taskRoot}/index.js`]);
});
