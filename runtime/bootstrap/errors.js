'use strict';

// Errors as callers and logs see them. What a function throws can be anything, with getters that throw in turn: nothing
// here lets that through.

const {
  defineProperty,
  Error,
  isNativeError,
  jsonStringify,
  objectAssign,
  String,
  stringSlice,
  stringSplit,
  stringStartsWith,
  stringTrim,
} = require('./primordials.js');
const { BOUND_MAX } = require('./frames.js');

/** A character that JSON escapes takes six bytes; the rest of BOUND and the type need little room. */
const MESSAGE_IN_BOUND_MAX = BOUND_MAX / 8;
const TYPE_IN_BOUND_MAX = 256;

/** Text for anything, also for what refuses to be told. */
function toText(value) {
  try {
    return String(value);
  } catch {
    return '[value without text]';
  }
}

function linesOf(stack) {
  return typeof stack === 'string' ? stringSplit(stack, '\n') : [];
}

/** Whether `value` is an error, also one of another realm or one that only looks like it. */
function isError(value) {
  return (
    isNativeError(value) ||
    value instanceof Error ||
    (typeof value === 'object' &&
      value !== null &&
      typeof value.name === 'string' &&
      typeof value.message === 'string' &&
      typeof value.stack === 'string')
  );
}

/** An error as AWS's runtimes of today tell it: `{errorType, errorMessage, trace}`. */
function describeModern(error) {
  try {
    if (!isError(error)) {
      return { errorType: typeof error, errorMessage: String(error), trace: [] };
    }
    return {
      errorType: toText(error.name),
      errorMessage: toText(error.message),
      trace: linesOf(error.stack),
    };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
      trace: [],
    };
  }
}

/** An error as in 2014–15: `{errorMessage, errorType, stackTrace}` of an Error, `{errorMessage}` of any other value. */
function describeClassic(error) {
  try {
    if (!isError(error)) {
      return { errorMessage: toText(error) };
    }
    const stackTrace = [];
    const lines = linesOf(error.stack);
    for (let at = 0; at < lines.length; at += 1) {
      const line = stringTrim(lines[at]);
      if (stringStartsWith(line, 'at ')) {
        stackTrace[stackTrace.length] = stringSlice(line, 3);
      }
    }
    return { errorMessage: toText(error.message), errorType: toText(error.name), stackTrace };
  } catch {
    return { errorMessage: 'the error could not be read' };
  }
}

function withDetails(_key, value) {
  if (!isNativeError(value)) {
    return value;
  }
  const details = objectAssign(
    { errorType: value.name, errorMessage: value.message, code: value.code },
    value,
  );
  details.stack = linesOf(value.stack);
  return details;
}

/** JSON of an error for the log: with its code and whatever else it carries, as far as that is JSON. */
function logged(error) {
  try {
    return jsonStringify(isError(error) ? error : new Error(toText(error)), withDetails);
  } catch {
    return jsonStringify(describeModern(error));
  }
}

/** An error of the runtime's own: `type` is its errorType. */
function runtimeError(type, message) {
  const error = new Error(message);
  error.stack = `${type}: ${message}`;
  // Not enumerable, like the name of any error, so that logs do not show it twice.
  // The descriptor has no prototype of its own: it would be read through one that the function may have changed.
  defineProperty(error, 'name', { __proto__: null, value: type, configurable: true, writable: true });
  return error;
}

/** What loading the function threw, under a name of the runtime's own. */
function wrapped(type, cause) {
  const error = runtimeError(type, toText(cause));
  if (typeof cause.stack === 'string') {
    error.stack = `${type}: ${cause.stack}`;
  }
  return error;
}

/** The error of a rejection that nobody handled. */
function unhandledRejection(reason, promise) {
  const error = runtimeError('Runtime.UnhandledPromiseRejection', toText(reason));
  error.reason = reason;
  error.promise = promise;
  return error;
}

/** JSON of `{ok: false, error}` that fits into BOUND: a message of megabytes is cut. */
function boundError(error) {
  const described = describeModern(error);
  const json = jsonStringify({ ok: false, error: described });
  if (json.length * 3 <= BOUND_MAX) {
    return json;
  }
  const errorType = stringSlice(described.errorType, 0, TYPE_IN_BOUND_MAX);
  const errorMessage = stringSlice(described.errorMessage, 0, MESSAGE_IN_BOUND_MAX);
  return jsonStringify({ ok: false, error: { errorType, errorMessage, trace: [] } });
}

module.exports = {
  __proto__: null,
  boundError,
  describeClassic,
  describeModern,
  logged,
  runtimeError,
  toText,
  unhandledRejection,
  wrapped,
};
