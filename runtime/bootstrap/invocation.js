'use strict';

// One invocation, from the INVOKE that opens it to the RESULT that ends it, once.

const {
  AsyncResource,
  bufferAllocate,
  bufferCopy,
  bufferText,
  Error,
  jsonParse,
  jsonStringify,
  newAbortController,
  runInAsyncScope,
  stringSlice,
} = require('./primordials.js');
const {
  ID,
  INVOKE_HEAD,
  META_MAX,
  PAYLOAD_MAX,
  readU32,
  SPENT,
  Status,
  text,
  Violation,
} = require('./frames.js');

const TWO_TO_THE_32 = 0x1_0000_0000;

/** Why a signal aborts. */
const CANCELLED = 'Cancelled';

/** The text of the UUID whose 16 bytes are `id`. */
function uuid(id) {
  const hex = bufferText(id, 'hex');
  const part = (from, to) => stringSlice(hex, from, to);
  return `${part(0, 8)}-${part(8, 12)}-${part(12, 16)}-${part(16, 20)}-${part(20, 32)}`;
}

/** An invocation and the ways to end it; every way but the first is ignored. */
class Invocation {
  #id = bufferAllocate(ID);
  #writer;
  #ended;
  #listen;
  #controller;
  #scope;

  /** Whether nothing has ended it yet. */
  isOpen = true;
  /** The request id, a UUID's text. */
  requestId;
  /** When the gateway ends it, in milliseconds since the Unix epoch. */
  deadlineMs;
  /** How long the sandbox slept before it, in milliseconds. */
  frozenMs;
  /** JSON of what the gateway says beside the payload; empty for nothing, and once it was taken. */
  metaJson;
  /** The payload as it was sent; empty for none, and once it was taken. */
  payloadJson;
  /** How it ends when nothing is left to run; the model's business. */
  held;

  /**
   * Reads the INVOKE that `reader` stands at. `ended` is called once, when the RESULT is written, with whether the
   * sandbox is spent; `listen` at most once before it, when the function wants to hear of a CANCEL.
   */
  constructor(reader, writer, ended, listen) {
    const { body, start, end } = reader;
    if (end - start < INVOKE_HEAD) {
      throw new Violation('body', 'an INVOKE without all of its head');
    }
    const metaLength = readU32(body, start + 28);
    const payload = start + INVOKE_HEAD + metaLength;
    if (metaLength > META_MAX || payload > end || end - payload > PAYLOAD_MAX) {
      throw new Violation('body', `an INVOKE of ${end - start} bytes with ${metaLength} bytes of meta`);
    }
    this.#writer = writer;
    this.#ended = ended;
    this.#listen = listen;
    bufferCopy(body, this.#id, 0, start, start + ID);
    this.requestId = uuid(this.#id);
    this.deadlineMs = readU32(body, start + 16) + readU32(body, start + 20) * TWO_TO_THE_32;
    this.frozenMs = readU32(body, start + 24);
    this.metaJson = text(body, start + INVOKE_HEAD, payload);
    this.payloadJson = text(body, payload, end);
  }

  /**
   * Takes the handler's event, once: what the function does not keep need not stay in memory while it runs. A call
   * without a payload has an empty object for it, as on AWS.
   */
  takeEvent() {
    const json = this.payloadJson;
    this.payloadJson = '';
    return json === '' ? {} : jsonParse(json);
  }

  /** Takes the parsed meta, once. */
  takeMeta() {
    const json = this.metaJson;
    this.metaJson = '';
    return json === '' ? {} : jsonParse(json);
  }

  /** What tells the function to stop, made when it first asks: most never do. */
  get signal() {
    if (this.#controller === undefined) {
      this.#controller = newAbortController();
      // Listeners are called as the invocation's own, with its AsyncLocalStorage.
      this.#scope = new AsyncResource('CallgateSignal');
      if (this.isOpen) {
        this.#listen();
      }
    }
    return this.#controller.signal;
  }

  /** Whether the CANCEL that `reader` stands at is for this invocation. */
  isMeantBy({ body, start, end }) {
    if (end - start !== ID) {
      throw new Violation('body', `a CANCEL of ${end - start} bytes`);
    }
    for (let at = 0; at < ID; at += 1) {
      if (body[start + at] !== this.#id[at]) {
        return false;
      }
    }
    return true;
  }

  /** Tells the function to stop, if it has asked to be told. */
  cancel() {
    const controller = this.#controller;
    if (controller !== undefined) {
      runInAsyncScope(this.#scope, () => controller.abort(CANCELLED));
    }
  }

  /** Ends it with a value, or calls `refused` with an error if the value cannot be told in JSON. */
  succeed(value, refused) {
    if (!this.isOpen) {
      return;
    }
    let json;
    try {
      // A function or a symbol has no JSON; like undefined it is no value.
      json = jsonStringify(value) ?? 'null';
    } catch {
      refused(new Error('Unable to stringify response body'));
      return;
    }
    this.#end(Status.VALUE, 0, json);
  }

  /** Ends it with an error: `status` says whether the function gave it (HANDLED) or not. */
  fail(status, described) {
    this.#end(status, 0, jsonStringify(described));
  }

  /** Ends it with an error after which nothing can run here any more. */
  crash(described) {
    this.#end(Status.UNHANDLED, SPENT, jsonStringify(described));
  }

  #end(status, flags, json) {
    if (this.isOpen) {
      this.isOpen = false;
      this.held = undefined;
      this.#writer.result(this.#id, status, flags, json);
      this.#ended(flags === SPENT);
    }
  }
}

module.exports = { __proto__: null, Invocation };
