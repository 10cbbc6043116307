'use strict';

// The model of 2014–15 (runtime `nodejs`): an invocation lasts until the function says that it is done.

const { jsonStringify } = require('./primordials.js');
const { describeClassic, toText } = require('./errors.js');
const { Status } = require('./frames.js');

function isNothing(value) {
  return value === undefined || value === null;
}

/** An error's stringified form: JSON of an unpacked Error, the text of any other value. */
function stringified(error) {
  const described = describeClassic(error);
  return described.errorType === undefined ? described.errorMessage : jsonStringify(described);
}

function messageText(message) {
  if (typeof message === 'string') {
    return message;
  }
  try {
    return jsonStringify(message) ?? toText(message);
  } catch {
    return toText(message);
  }
}

/** How an error that escaped the function is told. */
const describe = describeClassic;

/** How an error that escaped the function is logged. */
function logLine(_label, error) {
  return stringified(error);
}

/** Calls the handler. What it throws is a crash: nobody would complete the invocation after it. */
function run(handler, event, context, invocation, log) {
  const refused = (error) => {
    log.write('ERROR', stringified(error));
    invocation.fail(Status.UNHANDLED, describeClassic(error));
  };
  const succeed = (result) => invocation.succeed(result, refused);
  const done = (error, message) => {
    if (isNothing(error)) {
      succeed(message);
      return;
    }
    if (!invocation.isOpen) {
      return;
    }
    const described = describeClassic(error);
    log.write('ERROR', stringified(error));
    if (message !== undefined) {
      // The last event of the log, so that a test invocation shows it below the others. On success the answer says it.
      log.write('INFO', messageText(message));
    }
    invocation.fail(Status.HANDLED, described);
  };
  context.invokeid = invocation.requestId;
  context.done = done;
  context.succeed = succeed;
  context.fail = (error) => done(isNothing(error) ? 'handled' : error);
  handler(event, context, done);
}

/** Nothing is left to run, and nothing has completed the invocation. */
function emptied(invocation, log) {
  const message = `RequestId: ${invocation.requestId} Process exited before completing request`;
  log.platform(message);
  invocation.fail(Status.UNHANDLED, { errorMessage: message });
}

module.exports = { __proto__: null, describe, emptied, logLine, run };
