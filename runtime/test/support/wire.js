'use strict';

// The gateway's side of docs/frame-protocol.md, written from the document alone, so that a mistake in the bootstrap is
// not repeated here.

const Kind = { BIND: 1, INVOKE: 2, CANCEL: 3, READY: 0x81, BOUND: 0x82, LOG: 0x83, RESULT: 0x84 };

function frame(kind, body) {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(body.length, 0);
  header.writeUInt8(kind, 4);
  return Buffer.concat([header, body]);
}

function bind(description) {
  return frame(Kind.BIND, Buffer.from(JSON.stringify(description)));
}

function invoke({ id, deadlineMs = 0, frozenMs = 0, meta = '', payload = '' }) {
  const head = Buffer.alloc(32);
  Buffer.from(id.replaceAll('-', ''), 'hex').copy(head, 0);
  head.writeBigUInt64LE(BigInt(deadlineMs), 16);
  head.writeUInt32LE(frozenMs, 24);
  head.writeUInt32LE(Buffer.byteLength(meta), 28);
  return frame(Kind.INVOKE, Buffer.concat([head, Buffer.from(meta), Buffer.from(payload)]));
}

function cancel(id) {
  return frame(Kind.CANCEL, Buffer.from(id.replaceAll('-', ''), 'hex'));
}

function uuid(bytes) {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function decode(kind, flags, body) {
  switch (kind) {
    case Kind.READY:
      return { kind: 'READY', ...JSON.parse(body) };
    case Kind.BOUND:
      return { kind: 'BOUND', ...JSON.parse(body) };
    case Kind.LOG:
      return { kind: 'LOG', text: body.toString() };
    case Kind.RESULT:
      return {
        kind: 'RESULT',
        flags,
        id: uuid(body.subarray(0, 16)),
        status: body[16],
        json: body.toString('utf8', 17),
      };
    default:
      throw new Error(`a frame of unknown kind ${kind}`);
  }
}

/** Takes the whole frames off `bytes`: `{frames, rest}`. */
function take(bytes) {
  const frames = [];
  let rest = bytes;
  while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32LE(0)) {
    const end = 8 + rest.readUInt32LE(0);
    frames.push(decode(rest[4], rest[5], rest.subarray(8, end)));
    rest = rest.subarray(end);
  }
  return { frames, rest };
}

module.exports = { bind, cancel, frame, invoke, Kind, take };
