'use strict';

// Counts its runs. One sandbox serves calls that come one after another; `sandbox` says whether it did.
const sandbox = Math.random();
let run = 0;

exports.handler = async (event) => {
  run += 1;
  await new Promise((resolve) => setTimeout(resolve, event.ms ?? 0));
  return { sandbox, run, pad: 'x'.repeat(event.pad ?? 0) };
};
