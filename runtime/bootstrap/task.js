'use strict';

// Turns the generic process into the function's: its variables and its working directory.

const Module = require('node:module');

const { limit } = require('./native.js');
const sdk = require('./sdk.js');

/** Takes the limits and the environment that BIND carries and goes to the task root. */
function enter(names) {
  const { environment, taskRoot } = names;
  limit(names);
  for (const [name, value] of Object.entries(environment)) {
    process.env[name] = value;
  }
  if (Object.hasOwn(environment, 'NODE_PATH')) {
    // Node.js reads it when it starts; this is how it is read again.
    Module._initPaths();
  }
  sdk.watch(environment);
  process.chdir(taskRoot);
}

module.exports = { __proto__: null, enter };
