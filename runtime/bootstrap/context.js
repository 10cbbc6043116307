'use strict';

// The context object of an invocation. It has own properties, as on AWS: functions log it, spread it and hand its methods on
// without it. What is made only when somebody asks for it stands on its prototype, which is otherwise that of any object:
// accessors of each object's own would cost every call ten times as much as the object itself.

const { dateNow, defineProperty, hasOwn } = require('./primordials.js');

/**
 * A property that is no enumerable one. Without a prototype, since a descriptor's would be read, and used over and over,
 * since such an object is slow to make.
 */
const HIDDEN = { __proto__: null, value: undefined, writable: true, configurable: true, enumerable: false };

function hide(object, name, value) {
  HIDDEN.value = value;
  defineProperty(object, name, HIDDEN);
  HIDDEN.value = undefined;
}

/** Documentation of the first SDKs calls the app's own fields `Custom`, their wire format `custom`: both can be read. */
function offerBothNames(clientContext) {
  const hasLower = hasOwn(clientContext, 'custom');
  if (hasLower !== hasOwn(clientContext, 'Custom')) {
    const value = hasLower ? clientContext.custom : clientContext.Custom;
    // Not enumerable, so that the context's JSON stays what the app sent.
    hide(clientContext, hasLower ? 'Custom' : 'custom', value);
  }
}

/** An object that knows its invocation; the function cannot see that. */
class Context {
  #invocation;
  static #latest;

  constructor(invocation) {
    this.#invocation = invocation;
    Context.#latest = this;
  }

  /** What tells the function to stop. A wrapper of a context has the signal of the invocation that runs. */
  get signal() {
    return (#invocation in this ? this : Context.#latest).#invocation.signal;
  }

  /** Like any other field it can be written to. */
  set signal(value) {
    hide(this, 'signal', value);
  }
}

// So that it is shown, and says of itself, what a plain object does.
delete Context.prototype.constructor;

/**
 * Makes the context of one invocation. `names` is what BIND said, `meta` the parsed meta of INVOKE; identity and
 * `callgate` come from what the gateway verified, `clientContext` is what the device says of itself.
 */
function createContext(names, meta, invocation) {
  const { deadlineMs } = invocation;
  const clientContext = hasOwn(meta, 'clientContext') ? meta.clientContext : undefined;
  if (typeof clientContext === 'object' && clientContext !== null) {
    offerBothNames(clientContext);
  }
  const context = new Context(invocation);
  context.functionName = names.functionName;
  context.functionVersion = names.functionVersion;
  context.invokedFunctionArn = hasOwn(meta, 'invokedFunctionArn') ? meta.invokedFunctionArn : undefined;
  context.memoryLimitInMB = names.memoryLimitInMB;
  context.logGroupName = names.logGroupName;
  context.logStreamName = names.logStreamName;
  context.awsRequestId = invocation.requestId;
  context.identity = hasOwn(meta, 'identity') ? meta.identity : undefined;
  context.clientContext = clientContext;
  context.getRemainingTimeInMillis = () => deadlineMs - dateNow();
  // Ours, and not enumerable, so that a context that is logged or answered has the fields that AWS's has.
  hide(context, 'frozenMs', invocation.frozenMs);
  if (hasOwn(meta, 'callgate')) {
    context.callgate = meta.callgate;
  }
  return context;
}

module.exports = { __proto__: null, createContext };
