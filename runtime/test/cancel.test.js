'use strict';

// CANCEL: the invocation that runs is to stop, and hears of it by `context.signal`.

const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { test } = require('node:test');

const { load, loadClassic, Status } = require('./support/sandbox.js');
const wire = require('./support/wire.js');

/** Answers with the signal's reason once it aborts; says first that it listens. */
const OBEYS = `let calls = 0;
exports.handler = (event, context, callback) => {
  calls += 1;
  if (event.quick) return callback(null, calls);
  const alive = setInterval(() => {}, 1000);
  context.signal.addEventListener('abort', () => {
    clearInterval(alive);
    callback(null, { reason: context.signal.reason, calls });
  });
  console.log('listens');
};`;

/** Sends an INVOKE, and what comes with it, in one piece. */
function begin(sandbox, event, ...more) {
  const id = randomUUID();
  const frames = more.map((frame) => frame(id));
  sandbox.send(
    Buffer.concat([wire.invoke({ id, deadlineMs: Date.now() + 3000, payload: JSON.stringify(event) }), ...frames]),
  );
  return id;
}

/** Sends a CANCEL once the function says that it listens. */
async function cancelWhenItListens(sandbox, id) {
  assert.match((await sandbox.next()).text, /listens$/);
  sandbox.send(wire.cancel(id));
}

test('the signal aborts with the reason Cancelled, and the sandbox goes on', async (t) => {
  const sandbox = await load(t, OBEYS);
  for (const calls of [1, 3, 5]) {
    const id = begin(sandbox, {});
    await cancelWhenItListens(sandbox, id);
    const { status, json, flags, id: answered } = await sandbox.answer();
    assert.deepEqual([status, flags, answered], [Status.VALUE, 0, id]);
    assert.deepEqual(JSON.parse(json), { reason: 'Cancelled', calls });
    assert.equal((await sandbox.invoke({ quick: true })).value, calls + 1);
  }
});

test('what takes a signal stops by it', async (t) => {
  const sandbox = await load(
    t,
    `const { setTimeout: sleep } = require('node:timers/promises');
    exports.handler = async (event, { signal }) => {
      console.log('listens');
      try {
        await sleep(60_000, undefined, { signal });
      } catch (error) {
        return [error.name, error.cause, signal instanceof AbortSignal];
      }
    };`,
  );
  await cancelWhenItListens(sandbox, begin(sandbox, {}));
  assert.deepEqual(JSON.parse((await sandbox.answer()).json), ['AbortError', 'Cancelled', true]);
});

test('a CANCEL that came before the function asked for the signal is known when it asks', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = async (event, context) => {
      if (event.late) await new Promise((resolve) => setTimeout(resolve, event.late));
      const { aborted } = context.signal;
      // Who waits for the signal alone leaves the event loop nothing to do, and so ends.
      const alive = setInterval(() => {}, 1000);
      if (!aborted) await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      clearInterval(alive);
      return [aborted, context.signal.reason];
    };`,
  );
  // With the INVOKE it has been read ahead; after it, it waits in the socket.
  begin(sandbox, {}, wire.cancel);
  assert.deepEqual(JSON.parse((await sandbox.answer()).json), [true, 'Cancelled']);
  const id = begin(sandbox, { late: 50 });
  sandbox.send(wire.cancel(id));
  const [, reason] = JSON.parse((await sandbox.answer()).json);
  assert.equal(reason, 'Cancelled');
});

test('who does not ask for the signal is not told, and goes on', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = async () => { await new Promise((resolve) => setTimeout(resolve, 20)); return 'done'; };`,
  );
  for (let calls = 0; calls < 3; calls += 1) {
    const id = begin(sandbox, {});
    sandbox.send(wire.cancel(id));
    const { json, id: answered } = await sandbox.answer();
    assert.deepEqual([json, answered], ['"done"', id]);
  }
});

test('a CANCEL that crosses with the RESULT stops nothing else', async (t) => {
  const sandbox = await load(t, OBEYS);
  const first = await sandbox.invoke({ quick: true });
  sandbox.send(wire.cancel(first.id));
  assert.equal((await sandbox.invoke({ quick: true })).value, 2);
  const id = begin(sandbox, {});
  assert.match((await sandbox.next()).text, /listens$/);
  sandbox.send(Buffer.concat([wire.cancel(id), wire.cancel(id)]));
  assert.equal(JSON.parse((await sandbox.answer()).json).reason, 'Cancelled');
  assert.equal((await sandbox.invoke({ quick: true })).value, 4);
});

test('the signal of an invocation that has ended never aborts', async (t) => {
  const sandbox = await load(
    t,
    `let kept;
    exports.handler = async (event, context) => {
      if (kept !== undefined && event.ask) return [kept.signal.aborted, kept.signal === kept.signal];
      kept = context;
      return null;
    };`,
  );
  const { id } = await sandbox.invoke({});
  sandbox.send(wire.cancel(id));
  assert.deepEqual((await sandbox.invoke({ ask: true })).value, [false, true]);
});

test('listeners run as what they belong to', async (t) => {
  const sandbox = await load(
    t,
    `const { AsyncLocalStorage } = require('node:async_hooks');
    const storage = new AsyncLocalStorage();
    exports.handler = (event, context) => storage.run(event.who, () => new Promise((resolve) => {
      const alive = setInterval(() => {}, 1000);
      context.signal.addEventListener('abort', () => {
        clearInterval(alive);
        Promise.resolve().then(() => resolve(storage.getStore() ?? null));
      });
      console.log('listens');
    }));`,
  );
  for (const who of ['one', 'two']) {
    await cancelWhenItListens(sandbox, begin(sandbox, { who }));
    assert.equal(JSON.parse((await sandbox.answer()).json), who);
  }
});

test('a listener that throws is a crash of the function', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = (event, context, callback) => {
      setInterval(() => {}, 1000);
      context.signal.addEventListener('abort', () => { throw new RangeError('in a listener'); });
      console.log('listens');
    };`,
  );
  await cancelWhenItListens(sandbox, begin(sandbox, {}));
  const { status, json } = await sandbox.answer();
  assert.equal(status, Status.UNHANDLED);
  assert.equal(JSON.parse(json).errorType, 'RangeError');
  assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
});

test('a signal keeps nothing alive', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = (event, context) => { context.signal.addEventListener('abort', () => {}); };`,
  );
  for (let calls = 0; calls < 3; calls += 1) {
    assert.equal((await sandbox.invoke({})).value, null);
  }
});

test('the signal is a field like others, and not shown', async (t) => {
  const code = `exports.handler = (event, context, callback) => {
    const { signal } = context;
    const before = [Object.keys(context).includes('signal'), 'signal' in context, 'signal' in { ...context }];
    const shown = require('node:util').inspect(context);
    const wrapped = [Object.create(context), new Proxy(context, {})].every((wrapper) => wrapper.signal === signal);
    context.signal = 'own';
    context.succeed([...before, signal.aborted, wrapped, context.signal, shown.startsWith('{'), context.constructor === Object]);
  };`;
  for (const start of [load, loadClassic]) {
    const sandbox = await start(t, code);
    const { value } = await sandbox.invoke({});
    assert.deepEqual(value, [false, true, false, false, true, 'own', true, true]);
  }
});

test('one that replaced AbortController gets the one of Node.js', async (t) => {
  const sandbox = await load(
    t,
    `const own = globalThis.AbortSignal;
    globalThis.AbortController = class { constructor() { throw new Error('not this one'); } };
    exports.handler = async (event, { signal }) => signal instanceof own;`,
  );
  assert.equal((await sandbox.invoke({})).value, true);
});

test('when the gateway leaves, one that listens ends', async (t) => {
  const sandbox = await load(t, OBEYS);
  begin(sandbox, {});
  assert.match((await sandbox.next()).text, /listens$/);
  sandbox.leave();
  assert.deepEqual(await sandbox.exit(), { code: 0, signal: null });
});

const OTHER = '01234567-89ab-cdef-0123-456789abcdef';
const BROKEN = [
  ['a CANCEL of another invocation', () => wire.cancel(OTHER)],
  ['an INVOKE while one runs', () => wire.invoke({ id: OTHER })],
  ['a CANCEL that is too short', () => wire.frame(wire.Kind.CANCEL, Buffer.alloc(15))],
  ['a CANCEL that is too long', () => wire.frame(wire.Kind.CANCEL, Buffer.alloc(17))],
];

for (const [name, bytes] of BROKEN) {
  test(`${name} ends the sandbox of one that listens`, async (t) => {
    const sandbox = await load(t, OBEYS);
    begin(sandbox, {});
    assert.match((await sandbox.next()).text, /listens$/);
    sandbox.send(bytes());
    const { logs } = await sandbox.answer();
    assert.ok(logs.some((text) => text.includes('Violation')), `${logs}`);
    assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
  });
}

for (const [name, bytes] of BROKEN.filter(([name]) => name.startsWith('a CANCEL'))) {
  test(`${name} ends the sandbox that waits for the next INVOKE`, async (t) => {
    const sandbox = await load(t, OBEYS);
    await sandbox.invoke({ quick: true });
    sandbox.send(bytes());
    assert.equal((await sandbox.answer()).kind, undefined);
    assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
  });
}

test('a CANCEL before the first INVOKE ends the sandbox', async (t) => {
  const sandbox = await load(t, OBEYS);
  sandbox.send(wire.cancel(OTHER));
  assert.equal((await sandbox.answer()).kind, undefined);
  assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
});
