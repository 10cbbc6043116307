'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { BIND, CANCEL, FrameReader, FrameWriter, INVOKE, SPENT, text } = require('../bootstrap/frames.js');
const { Invocation } = require('../bootstrap/invocation.js');
const { folder, load, Status } = require('./support/sandbox.js');
const wire = require('./support/wire.js');

const VECTORS = path.join(__dirname, '..', '..', 'tests', 'vectors', 'frames');

function rows(name) {
  return JSON.parse(fs.readFileSync(path.join(VECTORS, name), 'utf8')).rows;
}

function bytesOf({ bytes }) {
  return Buffer.concat(
    bytes.map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'hex') : Buffer.alloc(part.count, part.repeat, 'hex'),
    ),
  );
}

function expand(value) {
  return typeof value === 'object' ? value.repeat.repeat(value.count) : value;
}

/** A descriptor that reads as `bytes`. */
function readable(t, bytes) {
  const file = path.join(folder(t, { bytes: '' }), 'bytes');
  fs.writeFileSync(file, bytes);
  const fd = fs.openSync(file, 'r');
  t.after(() => fs.closeSync(fd));
  return fd;
}

/** What `write(writer)` writes. */
function written(t, write) {
  const file = path.join(folder(t, { bytes: '' }), 'bytes');
  const fd = fs.openSync(file, 'w');
  write(new FrameWriter(fd));
  fs.closeSync(fd);
  return fs.readFileSync(file);
}

function read(t, reader) {
  assert.ok(reader.next());
  if (reader.kind === BIND) {
    return { kind: 'BIND', json: text(reader.body, reader.start, reader.end) };
  }
  if (reader.kind === CANCEL) {
    const id = Buffer.from(reader.body.subarray(reader.start, reader.end));
    const invoked = new FrameReader(readable(t, wire.invoke({ id: id.toString('hex').padEnd(32, '0') })));
    invoked.next();
    const invocation = new Invocation(invoked);
    assert.ok(invocation.isMeantBy(reader));
    return { kind: 'CANCEL', id: invocation.requestId };
  }
  assert.equal(reader.kind, INVOKE);
  const { requestId, deadlineMs, frozenMs, metaJson, payloadJson } = new Invocation(reader);
  return { kind: 'INVOKE', id: requestId, deadlineMs, frozenMs, meta: metaJson, payload: payloadJson };
}

for (const row of rows('gateway.json')) {
  test(`gateway.json: ${row.id}: ${row.why}`, (t) => {
    const reader = new FrameReader(readable(t, bytesOf(row)));
    if (row.violation !== undefined) {
      assert.throws(() => read(t, reader), { name: 'Violation', rule: row.violation });
      return;
    }
    const expected = Object.fromEntries(
      Object.entries(row.frame).map(([name, value]) => [name, expand(value)]),
    );
    assert.deepEqual(read(t, reader), expected);
    assert.equal(reader.next(), false, 'nothing is left');
  });
}

for (const row of rows('sandbox.json').filter(({ frame }) => frame !== undefined)) {
  test(`sandbox.json: ${row.id}: ${row.why}`, (t) => {
    const { kind, id, status, spent, json, text: event } = row.frame;
    const bytes = written(t, (writer) => {
      switch (kind) {
        case 'READY':
          return writer.ready(expand(json));
        case 'BOUND':
          return writer.bound(expand(json));
        case 'LOG':
          return writer.log(expand(event));
        default:
          return writer.result(
            Buffer.from(id.replaceAll('-', ''), 'hex'),
            status,
            spent ? SPENT : 0,
            expand(json),
          );
      }
    });
    assert.ok(bytes.equals(bytesOf(row)));
  });
}

test('frames are read whatever their sizes, in one stream', (t) => {
  // Around the sizes at which a frame is read ahead, moved to the front, or given a buffer of its own.
  const sizes = [
    0, 1, 1000, 65_000, 65_495, 65_496, 65_497, 65_527, 65_528, 65_529, 100, 200_000, 3, 70_000, 50_000,
    50_000,
  ];
  const payloads = sizes.map((size, at) => String.fromCharCode(97 + at).repeat(size));
  const id = '01234567-89ab-cdef-0123-456789abcdef';
  const reader = new FrameReader(
    readable(t, Buffer.concat(payloads.map((payload) => wire.invoke({ id, payload })))),
  );
  for (const payload of payloads) {
    assert.equal(read(t, reader).payload, payload);
  }
  assert.equal(reader.next(), false);
});

test('a stream that ends within a frame is at its end', (t) => {
  const frame = wire.invoke({ id: '01234567-89ab-cdef-0123-456789abcdef', payload: '1'.repeat(100_000) });
  for (const length of [0, 1, 7, 8, 40, 70_000]) {
    const reader = new FrameReader(readable(t, frame.subarray(0, length)));
    assert.equal(reader.next(), false);
  }
});

test('a log event over its cap is cut between characters, and nothing is lost', (t) => {
  const event = `x${'🚀'.repeat(150_000)}`;
  const { frames, rest } = wire.take(written(t, (writer) => writer.log(event)));
  assert.equal(rest.length, 0);
  assert.equal(frames.length, 3);
  assert.equal(frames.map(({ text }) => text).join(''), event);
  for (const { text } of frames) {
    assert.ok(Buffer.byteLength(text) <= 262_144);
  }
});

const SIZES = [0, 65_494, 65_511, 65_512, 300_000, 6_000_000];

test('payloads of all sizes come back as they were, over a socket', async (t) => {
  const sandbox = await load(t, 'exports.handler = async (event) => event;');
  for (const size of SIZES) {
    const value = { text: 'é'.repeat(size / 2) };
    assert.deepEqual((await sandbox.invoke(value)).value, value);
  }
});

test('a response over the limit is told as such, and the sandbox goes on', async (t) => {
  const sandbox = await load(t, 'exports.handler = async (size) => "x".repeat(size - 2);');
  const { status, json, flags } = await sandbox.invoke(6_291_557);
  assert.deepEqual([status, json, flags], [Status.TOO_LARGE, '', 0]);
  const largest = await sandbox.invoke(6_291_556);
  assert.deepEqual([largest.status, largest.json.length], [Status.VALUE, 6_291_556]);
});

test('an INVOKE in pieces is one INVOKE', async (t) => {
  const sandbox = await load(t, 'exports.handler = async (event) => event;');
  const frame = wire.invoke({ id: '01234567-89ab-cdef-0123-456789abcdef', payload: '{"a":1}' });
  for (const byte of frame) {
    sandbox.send(Buffer.of(byte));
  }
  const { id, json } = await sandbox.answer();
  assert.deepEqual([id, json], ['01234567-89ab-cdef-0123-456789abcdef', '{"a":1}']);
});
