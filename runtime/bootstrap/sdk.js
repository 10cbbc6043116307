'use strict';

// The AWS SDK's second version knows no variable for the endpoint of a service, and functions find this gateway by such a
// variable (the third version reads it itself). So when its first file has been loaded, from wherever, the services that
// the gateway serves get their endpoints in its configuration. What the function's code sets itself still wins, and other
// services go to AWS.

const Module = require('node:module');

const { hasOwn, stringEndsWith } = require('./primordials.js');

/** The file that puts the SDK's configuration together; any of its clients loads it first. In 2015 it was its main file. */
const LOADER = '/aws-sdk/lib/node_loader.js';
const MAIN = '/aws-sdk/lib/aws.js';
/** Services as the SDK calls them, and the variables of their endpoints. */
const SERVICES = [
  ['cognitoidentity', 'AWS_ENDPOINT_URL_COGNITO_IDENTITY'],
  ['lambda', 'AWS_ENDPOINT_URL_LAMBDA'],
  ['sts', 'AWS_ENDPOINT_URL_STS'],
];

function setEndpoints(loader) {
  let config;
  try {
    config = loader.require('./core').config;
  } catch {
    // Something else of that name.
    return;
  }
  if (typeof config !== 'object' || config === null) {
    return;
  }
  for (let at = 0; at < SERVICES.length; at += 1) {
    const endpoint = process.env[SERVICES[at][1]];
    if (endpoint) {
      config[SERVICES[at][0]] = { endpoint };
    }
  }
}

/** Looks at every module that the function loads; does so only where the gateway named endpoints. */
function watch(environment) {
  if (!hasOwn(environment, 'AWS_ENDPOINT_URL_LAMBDA')) {
    return;
  }
  const load = Module._extensions['.js'];
  Module._extensions['.js'] = (module, file) => {
    load(module, file);
    if (stringEndsWith(file, LOADER) || stringEndsWith(file, MAIN)) {
      setEndpoints(module);
    }
  };
}

module.exports = { __proto__: null, watch };
