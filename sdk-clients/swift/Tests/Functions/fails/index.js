'use strict';

// Fails as it is told to.
exports.handler = async ({ how }) => {
  switch (how) {
    case 'throw':
      throw new TypeError('no item');
    case 'busy':
      for (;;);
    case 'text':
      return 'no number';
    case 'nothing':
      return undefined;
    default:
      return process.exit(3);
  }
};
