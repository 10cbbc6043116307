'use strict';

// The sandbox's side of docs/frame-protocol.md: reads the gateway's frames off a blocking socket, writes its own.

const {
  atomicsWait,
  bufferAllocate,
  bufferByteLength,
  bufferCopy,
  bufferText,
  bufferWrite,
  closeSync,
  Error,
  exit,
  readSync,
  writeSync,
} = require('./primordials.js');

/** The version of the protocol. */
const VERSION = 2;

const BIND = 0x01;
const INVOKE = 0x02;
const CANCEL = 0x03;
const READY = 0x81;
const BOUND = 0x82;
const LOG = 0x83;
const RESULT = 0x84;

/** Flag of a RESULT: the sandbox cannot be used again. */
const SPENT = 0x01;

/** How an invocation ended, as RESULT says it. */
const Status = { __proto__: null, VALUE: 0, HANDLED: 1, UNHANDLED: 2, TOO_LARGE: 3 };

const HEADER = 8;
/** Bytes of an INVOKE before its meta: id, deadline, frozen time, length of the meta. */
const INVOKE_HEAD = 32;
/** Bytes of an invocation's id. */
const ID = 16;
const RESULT_HEAD = ID + 1;

const BIND_MAX = 1 << 20;
const META_MAX = 64 * 1024;
const PAYLOAD_MAX = 6_291_456;
const INVOKE_MAX = INVOKE_HEAD + META_MAX + PAYLOAD_MAX;
const BOUND_MAX = 64 * 1024;
const LOG_MAX = 256 * 1024;
/** The largest JSON of a RESULT, in bytes. */
const RESULT_MAX = 6_291_556;

/** What is read at once, and the largest frame that needs no buffer of its own. */
const AHEAD = 64 * 1024;
/** Most bytes UTF-8 needs for one unit of a JavaScript string. */
const UTF8_MAX = 3;

/** The gateway broke the protocol: `rule` is kind, length, reserved, body, order or version. */
class Violation extends Error {
  constructor(rule, message) {
    super(message);
    this.name = 'Violation';
    this.rule = rule;
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/**
 * What to do about a failed system call on the socket: interrupted calls are made again. The socket blocks, unless the
 * function made it non-blocking; then the wait is ours. Everything else means that the gateway is gone or that the
 * function closed the descriptor, and that ends the sandbox.
 */
function retryOrExit(error) {
  if (error.code === 'EINTR') {
    return;
  }
  if (error.code === 'EAGAIN') {
    atomicsWait(sleeper, 0, 0, 1);
    return;
  }
  exit(1);
}

/**
 * Closes a descriptor, so that the gateway sees at once that this sandbox ends; whoever stands still half ended would look
 * alive. The function may have closed it.
 */
function close(fd) {
  try {
    closeSync(fd);
  } catch {
    // It is closed, which is all that is wanted.
  }
}

/** Reads at least one byte into `buffer` from `start` on; returns how many, 0 at the end of the stream. */
function readSome(fd, buffer, start, length) {
  for (;;) {
    try {
      return readSync(fd, buffer, start, length, null);
    } catch (error) {
      retryOrExit(error);
    }
  }
}

/** Writes the first `length` bytes of `buffer`, however many calls that takes. */
function writeAll(fd, buffer, length) {
  let written = 0;
  while (written < length) {
    try {
      written += writeSync(fd, buffer, written, length - written, null);
    } catch (error) {
      retryOrExit(error);
    }
  }
}

function readU32(buffer, at) {
  return (buffer[at] | (buffer[at + 1] << 8) | (buffer[at + 2] << 16) | (buffer[at + 3] << 24)) >>> 0;
}

function writeHeader(buffer, kind, flags, length) {
  buffer[0] = length & 0xff;
  buffer[1] = (length >>> 8) & 0xff;
  buffer[2] = (length >>> 16) & 0xff;
  buffer[3] = length >>> 24;
  buffer[4] = kind;
  buffer[5] = flags;
  buffer[6] = 0;
  buffer[7] = 0;
}

function longest(kind) {
  switch (kind) {
    case BIND:
      return BIND_MAX;
    case INVOKE:
      return INVOKE_MAX;
    case CANCEL:
      return ID;
    default:
      throw new Violation('kind', `a frame of unknown kind ${kind}`);
  }
}

/**
 * Reads frames, as much of the stream at once as is there: a warm call costs one system call. After `next()` the frame
 * is `kind`, and its body the bytes of `body` from `start` to `end`, which the following `next()` overwrites.
 */
class FrameReader {
  #fd;
  #ahead = bufferAllocate(AHEAD);
  /** The bytes of `#ahead` that were read and not yet handed out. */
  #from = 0;
  #to = 0;

  kind = 0;
  body = this.#ahead;
  start = 0;
  end = 0;

  constructor(fd) {
    this.#fd = fd;
  }

  /** Blocks until the next frame is there; false when the gateway has closed the stream. */
  next() {
    this.release();
    if (!this.#have(HEADER)) {
      return false;
    }
    const at = this.#from;
    const length = readU32(this.#ahead, at);
    this.kind = this.#ahead[at + 4];
    if (length > longest(this.kind)) {
      throw new Violation('length', `a frame of kind ${this.kind} with a body of ${length} bytes`);
    }
    if (this.#ahead[at + 5] !== 0 || this.#ahead[at + 6] !== 0 || this.#ahead[at + 7] !== 0) {
      throw new Violation('reserved', 'a frame with reserved bits set');
    }
    if (HEADER + length > AHEAD) {
      this.#from += HEADER;
      return this.#large(length);
    }
    if (!this.#have(HEADER + length)) {
      return false;
    }
    this.start = this.#from + HEADER;
    this.end = this.start + length;
    this.#from = this.end;
    return true;
  }

  /** Whether bytes of a further frame have been read already. */
  get isAhead() {
    return this.#from < this.#to;
  }

  /** Lets go of the frame's body, which may be large. */
  release() {
    this.body = this.#ahead;
    this.start = this.end = 0;
  }

  /** Reads until `count` bytes are in the buffer in one piece. */
  #have(count) {
    if (this.#from === this.#to) {
      this.#from = this.#to = 0;
    }
    while (this.#to - this.#from < count) {
      if (AHEAD - this.#from < count) {
        bufferCopy(this.#ahead, this.#ahead, 0, this.#from, this.#to);
        this.#to -= this.#from;
        this.#from = 0;
      }
      const read = readSome(this.#fd, this.#ahead, this.#to, AHEAD - this.#to);
      if (read === 0) {
        return false;
      }
      this.#to += read;
    }
    return true;
  }

  /** Collects a body in a buffer of its own size: what is there already, then the rest where it belongs. */
  #large(length) {
    const body = bufferAllocate(length);
    let filled = bufferCopy(this.#ahead, body, 0, this.#from, this.#to);
    this.#from += filled;
    while (filled < length) {
      const read = readSome(this.#fd, body, filled, length - filled);
      if (read === 0) {
        return false;
      }
      filled += read;
    }
    this.body = body;
    this.start = 0;
    this.end = length;
    return true;
  }
}

/** Writes frames, each by one system call where the socket takes it whole. */
class FrameWriter {
  #fd;
  #scratch = bufferAllocate(AHEAD);

  constructor(fd) {
    this.#fd = fd;
  }

  /** Says that the sandbox can be bound to a function. */
  ready(json) {
    this.#text(READY, json);
  }

  /** Says how loading the function ended. */
  bound(json) {
    this.#text(BOUND, json);
  }

  /** Sends one log event; a longer one than a frame holds goes in pieces, cut between characters. */
  log(text) {
    if (text.length * UTF8_MAX <= LOG_MAX) {
      this.#text(LOG, text);
      return;
    }
    const size = bufferByteLength(text);
    const bytes = bufferAllocate(size);
    bufferWrite(bytes, text, 0, size);
    const frame = bufferAllocate(HEADER + LOG_MAX);
    for (let from = 0, to; from < size; from = to) {
      to = size - from > LOG_MAX ? from + LOG_MAX : size;
      while (to < size && (bytes[to] & 0xc0) === 0x80) {
        to -= 1;
      }
      bufferCopy(bytes, frame, HEADER, from, to);
      writeHeader(frame, LOG, 0, to - from);
      writeAll(this.#fd, frame, HEADER + to - from);
    }
  }

  /**
   * Sends the end of the invocation whose 16 bytes of id are `id`. A result that is larger than the protocol allows is
   * told as such, without its JSON.
   */
  result(id, status, flags, json) {
    const before = HEADER + RESULT_HEAD;
    let frame = this.#scratch;
    if (before + json.length * UTF8_MAX > AHEAD) {
      const size = bufferByteLength(json);
      if (size > RESULT_MAX) {
        this.result(id, Status.TOO_LARGE, flags, '');
        return;
      }
      frame = bufferAllocate(before + size);
    }
    const length = RESULT_HEAD + (json === '' ? 0 : bufferWrite(frame, json, before));
    writeHeader(frame, RESULT, flags, length);
    for (let at = 0; at < ID; at += 1) {
      frame[HEADER + at] = id[at];
    }
    frame[HEADER + ID] = status;
    writeAll(this.#fd, frame, HEADER + length);
  }

  #text(kind, text) {
    const frame =
      HEADER + text.length * UTF8_MAX <= AHEAD
        ? this.#scratch
        : bufferAllocate(HEADER + bufferByteLength(text));
    const length = text === '' ? 0 : bufferWrite(frame, text, HEADER);
    writeHeader(frame, kind, 0, length);
    writeAll(this.#fd, frame, HEADER + length);
  }
}

/** The text of `buffer` from `start` to `end`. */
function text(buffer, start, end) {
  return bufferText(buffer, 'utf8', start, end);
}

module.exports = {
  __proto__: null,
  BIND,
  BOUND_MAX,
  CANCEL,
  close,
  FrameReader,
  FrameWriter,
  ID,
  INVOKE,
  INVOKE_HEAD,
  META_MAX,
  PAYLOAD_MAX,
  readU32,
  RESULT_MAX,
  SPENT,
  Status,
  text,
  VERSION,
  Violation,
};
