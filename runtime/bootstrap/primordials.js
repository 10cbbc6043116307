'use strict';

// Everything the bootstrap calls once function code has run is taken here, before any of that code is loaded. A library
// that replaces JSON.parse, patches Promise.prototype or wraps fs then changes its own world and not the way in which its
// invocations begin and end. This is about correctness: what the gateway trusts does not depend on it.

const { AsyncResource } = require('node:async_hooks');
const fs = require('node:fs');
const util = require('node:util');

/** Turns a method into a function that takes its `this` as first argument, whatever becomes of Function.prototype. */
const uncurryThis = Function.prototype.bind.bind(Function.prototype.call);

const resolve = uncurryThis(Promise.resolve);

/** Node.js loads this class when it is first named. Most functions never need it, so it is not named here. */
const abortController = Object.getOwnPropertyDescriptor(globalThis, 'AbortController');

module.exports = {
  __proto__: null,
  apply: Reflect.apply,
  AsyncResource,
  atomicsWait: Atomics.wait,
  bufferAllocate: Buffer.allocUnsafeSlow,
  bufferByteLength: Buffer.byteLength,
  bufferCopy: uncurryThis(Buffer.prototype.copy),
  bufferText: uncurryThis(Buffer.prototype.toString),
  bufferWrite: uncurryThis(Buffer.prototype.write),
  closeSync: fs.closeSync,
  Date,
  dateNow: Date.now,
  dateToISOString: uncurryThis(Date.prototype.toISOString),
  defineProperty: Object.defineProperty,
  Error,
  exit: process.exit.bind(process),
  format: util.format,
  hasOwn: Object.hasOwn,
  isNativeError: util.types.isNativeError,
  isPromise: util.types.isPromise,
  jsonParse: JSON.parse,
  jsonStringify: JSON.stringify,
  newAbortController: () => new (abortController.value ?? abortController.get())(),
  objectAssign: Object.assign,
  // What Node.js does itself between two callbacks of its event loop: next ticks and promises, until none are left.
  processTicks: process._tickCallback.bind(process),
  promiseResolve: (value) => resolve(Promise, value),
  promiseThen: uncurryThis(Promise.prototype.then),
  readSync: fs.readSync,
  runInAsyncScope: uncurryThis(AsyncResource.prototype.runInAsyncScope),
  setImmediate,
  String,
  stringEndsWith: uncurryThis(String.prototype.endsWith),
  stringSlice: uncurryThis(String.prototype.slice),
  stringSplit: uncurryThis(String.prototype.split),
  stringStartsWith: uncurryThis(String.prototype.startsWith),
  stringTrim: uncurryThis(String.prototype.trim),
  writeSync: fs.writeSync,
};
