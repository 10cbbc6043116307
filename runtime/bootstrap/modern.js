'use strict';

// The model of today (runtimes `nodejs16.x` and later): a handler returns a promise, or calls back.

const { isPromise, promiseResolve, promiseThen } = require('./primordials.js');
const { describeModern, logged } = require('./errors.js');
const { Status } = require('./frames.js');

/** How an error that escaped the function is told. */
const describe = describeModern;

/** How an error is logged; `label` says where it came from. */
function logLine(label, error) {
  return `${label} \t${logged(error)}`;
}

/** The promise that a handler returned, or undefined if it returned anything else and is going to call back. */
function promiseOf(returned) {
  if (isPromise(returned)) {
    return returned;
  }
  const isThenable =
    (typeof returned === 'object' || typeof returned === 'function') &&
    returned !== null &&
    typeof returned.then === 'function';
  return isThenable ? promiseResolve(returned) : undefined;
}

/** Calls the handler. */
function run(handler, event, context, invocation, log) {
  const fail = (reason) => {
    const error = reason ?? 'handled';
    if (invocation.isOpen) {
      log.write('ERROR', logLine('Invoke Error', error));
      invocation.fail(Status.UNHANDLED, describeModern(error));
    }
  };
  const succeed = (result) => invocation.succeed(result, fail);
  const done = (error, result) => {
    if (error === undefined || error === null) {
      succeed(result);
    } else {
      fail(error);
    }
  };
  const callback = (error, result) => {
    const isHeld = (error === undefined || error === null) && context.callbackWaitsForEmptyEventLoop;
    if (isHeld) {
      invocation.held = () => succeed(result);
    } else {
      done(error, result);
    }
  };
  context.callbackWaitsForEmptyEventLoop = true;
  context.done = done;
  context.succeed = succeed;
  context.fail = fail;
  invocation.held = () => succeed(null);
  try {
    const promise = promiseOf(handler(event, context, callback));
    if (promise !== undefined) {
      promiseThen(promise, succeed, fail);
    }
  } catch (error) {
    fail(error);
  }
}

/** Nothing is left to run: what was called back with is the result, or null if nothing was. */
function emptied(invocation) {
  invocation.held();
}

module.exports = { __proto__: null, describe, emptied, logLine, run };
