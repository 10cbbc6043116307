'use strict';

// The bootstrap's native part: limits that BIND lowers, and what happens without it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { folder, load, unpacked } = require('./support/sandbox.js');

const MIB = 2 ** 20;
const LIMITS = `const fs = require('node:fs');
const { Worker } = require('node:worker_threads');
const heap = 'require("node:v8").getHeapStatistics().heap_size_limit';
exports.handler = () => new Promise((resolve, reject) => {
  const worker = new Worker('require("node:worker_threads").parentPort.postMessage(' + heap + ')', { eval: true });
  worker.on('error', reject);
  worker.on('message', (ofWorker) => resolve({
    heap: eval(heap),
    ofWorker,
    data: Number(fs.readFileSync('/proc/self/limits', 'utf8').match(/^Max data size +(\\S+)/m)[1]),
    hadData: Number(fs.readFileSync('/proc/self/status', 'utf8').match(/^VmData:\\s*(\\d+)/m)[1]) * 1024,
  }));
});`;

test('BIND lowers the limits of heap and private memory', async (t) => {
  const sandbox = await load(t, LIMITS, { heapLimitMb: 100, dataLimitMb: 300 });
  const { value } = await sandbox.invoke({});
  // The youngest part of a heap comes on top: three semi-spaces of 16 or, in newer versions, 64 MiB.
  for (const limit of [value.heap, value.ofWorker]) {
    assert.ok(limit >= 100 * MIB && limit <= (100 + 3 * 64) * MIB, `${limit / MIB} MiB`);
  }
  if (value.data === null) {
    assert.ok(value.hadData > 300 * MIB, 'not limited where space for code counts');
  } else {
    assert.ok(value.data > 300 * MIB && value.data < 300 * MIB + value.hadData, `${value.data / MIB} MiB`);
  }
});

test('without limits in BIND those of the boot stay', async (t) => {
  const sandbox = await load(t, LIMITS);
  const { value } = await sandbox.invoke({});
  assert.ok(value.heap > 400 * MIB, `${value.heap / MIB} MiB`);
  assert.equal(value.data, null, 'unlimited');
});

test('a limit that is none is refused', async (t) => {
  const sandbox = await load(
    t,
    `const addon = { exports: {} };
    process.dlopen(addon, require('node:path').join(process.argv[1], '..', 'sandbox.node'));
    const said = (value) => { try { addon.exports.setHeapLimit(value); return 'ok'; } catch (error) { return error.message; } };
    exports.handler = async () => [said(), said('1'), said(0), said(-1), said(2 ** 40)];`,
  );
  const { value } = await sandbox.invoke({});
  assert.deepEqual(value, Array(5).fill('a number of MiB is wanted'));
});

test('without its native part the bootstrap does not start', (t) => {
  const root = folder(t, {});
  fs.cpSync(unpacked(), root, { recursive: true });
  fs.rmSync(path.join(root, 'sandbox.node'));
  const { status, stderr } = spawnSync(process.execPath, [path.join(root, 'index.js')], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /sandbox\.node/);
});
