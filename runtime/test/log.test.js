'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { folder, load, Sandbox } = require('./support/sandbox.js');

test('each console method is one event with its level and the request id', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = async () => {
      console.trace('a'); console.debug('b'); console.log('c %s %d', 'x', 5); console.info({ a: 1 }); console.warn('d'); console.error('e');
    };`,
  );
  const { logs, id } = await sandbox.invoke({});
  assert.deepEqual(
    logs.map((line) => line.split('\t').slice(1)),
    [
      [id, 'TRACE', 'a'],
      [id, 'DEBUG', 'b'],
      [id, 'INFO', 'c x 5'],
      [id, 'INFO', '{ a: 1 }'],
      [id, 'WARN', 'd'],
      [id, 'ERROR', 'e'],
    ],
  );
  for (const line of logs) {
    assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t/);
  }
});

test('an event keeps its newlines and tabs', async (t) => {
  const sandbox = await load(t, `exports.handler = async (event) => console.log(event);`);
  const text = 'one\n\ttwo\r\nthree';
  const { logs } = await sandbox.invoke(text);
  assert.equal(logs.length, 1);
  assert.ok(logs[0].endsWith(`\tINFO\t${text}`));
});

test('console methods work without their console', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = async () => { ['a', 'b'].forEach((x) => x); [1].map(console.log); };`,
  );
  const { logs } = await sandbox.invoke({});
  assert.match(logs[0], /\tINFO\t1 0 \[ 1 \]$/);
});

test('what is logged while loading has no request id', async (t) => {
  const sandbox = new Sandbox(t);
  const bound = await sandbox.bind({
    taskRoot: folder(t, { 'index.js': `console.log('loading'); exports.handler = async () => {};` }),
  });
  assert.equal(bound.ok, true);
  assert.match(bound.logs[0], /\tundefined\tINFO\tloading$/);
});

test('what is logged after the answer has the id of the invocation that was answered', async (t) => {
  const sandbox = await load(
    t,
    `exports.handler = (event, context) => { context.succeed(1); console.log('after'); };`,
  );
  const { id } = await sandbox.invoke({});
  const late = await sandbox.next();
  assert.match(late.text, new RegExp(`\\t${id}\\tINFO\\tafter$`));
});

test('what is written past the console goes to the pipes', async (t) => {
  const sandbox = await load(
    t,
    `const { execFileSync } = require('node:child_process');
    exports.handler = async () => {
      process.stdout.write('from stdout;');
      execFileSync(process.execPath, ['-e', 'process.stdout.write("from a child;")'], { stdio: 'inherit' });
    };`,
  );
  const { logs } = await sandbox.invoke({});
  assert.deepEqual(logs, []);
  sandbox.leave();
  await sandbox.exit();
  assert.equal(sandbox.output, 'from stdout;from a child;');
});
