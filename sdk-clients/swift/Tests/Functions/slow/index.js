'use strict';

// Takes its time, unless it is told to stop; says what became of the call before.
let before = 'nothing';

exports.handler = async ({ ms = 0 }, context) => {
  const told = before;
  before = 'running';
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    context.signal?.addEventListener('abort', () => {
      before = 'aborted';
      clearTimeout(timer);
      resolve();
    });
  });
  if (before === 'running') before = 'finished';
  return { before: told };
};
