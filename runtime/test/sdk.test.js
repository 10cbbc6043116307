'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { folder, Sandbox } = require('./support/sandbox.js');

// Laid out as the SDK's second version is, as far as this is about it; the real one is in tests/contract/test_sdk.py.
const SDK = {
  'node_modules/aws-sdk/package.json': '{"main":"lib/aws.js"}',
  'node_modules/aws-sdk/lib/aws.js': `require('./node_loader'); module.exports = require('./core');`,
  'node_modules/aws-sdk/lib/core.js': 'module.exports = { config: {} };',
  'node_modules/aws-sdk/lib/node_loader.js': `require('./core').config = { region: 'set' };`,
  'node_modules/aws-sdk/clients/sts.js': `require('../lib/node_loader'); module.exports = require('../lib/core');`,
};
const ENDPOINTS = {
  AWS_ENDPOINT_URL_COGNITO_IDENTITY: 'http://127.0.0.1:9001',
  AWS_ENDPOINT_URL_LAMBDA: 'http://127.0.0.1:9001',
  AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:9001',
};
const endpoint = 'http://127.0.0.1:9001';
const ALL = { region: 'set', cognitoidentity: { endpoint }, lambda: { endpoint }, sts: { endpoint } };

const WAYS = [
  ['is required', { 'index.js': `const aws = require('aws-sdk'); exports.handler = async () => aws.config;` }],
  ['is imported', { 'index.mjs': `import aws from 'aws-sdk'; export const handler = async () => aws.config;` }],
  [
    'is imported late',
    { 'index.mjs': `export const handler = async () => (await import('aws-sdk')).default.config;` },
  ],
  [
    'is required for one client',
    { 'index.js': `const aws = require('aws-sdk/clients/sts'); exports.handler = async () => aws.config;` },
  ],
];

async function configuration(t, files, environment) {
  const sandbox = new Sandbox(t);
  const bound = await sandbox.bind({ taskRoot: folder(t, { ...SDK, ...files }), environment });
  assert.equal(bound.ok, true, JSON.stringify(bound));
  return (await sandbox.invoke({})).value;
}

for (const [way, files] of WAYS) {
  test(`the SDK's second version that ${way} finds the gateway`, async (t) => {
    assert.deepEqual(await configuration(t, files, ENDPOINTS), ALL);
  });
}

test('something else of the same name is left alone', async (t) => {
  const sandbox = new Sandbox(t);
  const files = {
    'index.js': `const own = require('./aws-sdk/lib/aws.js'); exports.handler = async () => own;`,
    'aws-sdk/lib/aws.js': `module.exports = 'mine';`,
  };
  const bound = await sandbox.bind({ taskRoot: folder(t, files), environment: ENDPOINTS });
  assert.equal(bound.ok, true, JSON.stringify(bound));
  assert.equal((await sandbox.invoke({})).value, 'mine');
});

test('without endpoints the SDK is left as it is', async (t) => {
  assert.deepEqual(await configuration(t, WAYS[0][1], {}), { region: 'set' });
});

test('an endpoint that the function sets in its variables counts', async (t) => {
  const environment = { ...ENDPOINTS, AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:1' };
  const expected = { ...ALL, sts: { endpoint: 'http://127.0.0.1:1' } };
  assert.deepEqual(await configuration(t, WAYS[0][1], environment), expected);
});
