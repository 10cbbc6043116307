'use strict';

// What the SDKs' tests call: it does as it is told by event.do, and otherwise answers its event.

const seen = new Map();

exports.handler = async (event, context) => {
  switch (event?.do) {
    case 'see': {
      const { identity, clientContext, callgate } = context;
      return { identity, clientContext, callgate, remainingMs: context.getRemainingTimeInMillis() };
    }
    case 'throw':
      throw new TypeError(event.message);
    case 'sleep':
      await new Promise((resolve) => setTimeout(resolve, event.ms));
      return 'slept';
    case 'count':
      // How often it was called with this name, in this sandbox.
      seen.set(event.name, (seen.get(event.name) ?? 0) + 1);
      return seen.get(event.name);
    case 'large':
      return 'x'.repeat(event.length);
    default:
      return event;
  }
};
