'use strict';

// What JavaScript has no words for, `runtime/native/sandbox.c`. Loading it makes this process undumpable, so that no child of
// it can trace it, read its memory or take its socket. It comes before everything else, and without it nothing starts.

const path = require('node:path');

const addon = { exports: {} };
process.dlopen(addon, path.join(__dirname, 'sandbox.node'));
const { isLoopAlive, setDataLimit, setHeapLimit, unwatch, watch } = addon.exports;

/** Lowers the limits that every sandbox boots with to those of the function it becomes. */
function limit({ dataLimitMb, heapLimitMb }) {
  if (heapLimitMb !== undefined) {
    setHeapLimit(heapLimitMb);
  }
  if (dataLimitMb !== undefined) {
    setDataLimit(dataLimitMb);
  }
}

module.exports = { __proto__: null, isLoopAlive, limit, unwatch, watch };
