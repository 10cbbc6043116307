'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { folder, Sandbox } = require('./support/sandbox.js');

const CJS = `exports.handler = async () => typeof require;`;
const ESM = `export const handler = async () => typeof import.meta;`;

const LOADS = [
  ['a .js file', { 'index.js': CJS }, 'index.handler', 'function'],
  ['a .cjs file', { 'index.cjs': CJS }, 'index.handler', 'function'],
  ['a .mjs file', { 'index.mjs': ESM }, 'index.handler', 'object'],
  [
    'a .js file of a module package',
    { 'index.js': ESM, 'package.json': '{"type":"module"}' },
    'index.handler',
    'object',
  ],
  [
    'the nearest package.json',
    { 'lib/index.js': CJS, 'lib/package.json': '{}', 'package.json': '{"type":"module"}' },
    'lib/index.handler',
    'function',
  ],
  [
    'a .cjs file of a module package',
    { 'index.cjs': CJS, 'package.json': '{"type":"module"}' },
    'index.handler',
    'function',
  ],
  ['a file in a folder', { 'a/b/index.js': CJS }, 'a/b/index.handler', 'function'],
  ['a folder with a dot', { 'v1.2/index.js': CJS }, 'v1.2/index.handler', 'function'],
  ['.js before .mjs', { 'index.js': CJS, 'index.mjs': ESM }, 'index.handler', 'function'],
  ['a nested export', { 'index.js': `exports.a = { b: { c: async () => 'deep' } };` }, 'index.a.b.c', 'deep'],
  ['a default export', { 'index.mjs': `export default async () => 'default';` }, 'index.default', 'default'],
  ['a package', { 'node_modules/pkg/index.js': CJS }, 'pkg.handler', 'function'],
  [
    'top-level await',
    {
      'index.mjs': `const x = await new Promise((ok) => setTimeout(ok, 5, 'late')); export const handler = async () => x;`,
    },
    'index.handler',
    'late',
  ],
  [
    'a module that requires another',
    {
      'index.js': `const { x } = require('./lib/x'); exports.handler = async () => x;`,
      'lib/x.js': 'exports.x = 1;',
    },
    'index.handler',
    1,
  ],
  [
    'a module that imports another',
    {
      'index.mjs': `import { x } from './x.mjs'; export const handler = async () => x;`,
      'x.mjs': 'export const x = 2;',
    },
    'index.handler',
    2,
  ],
];

for (const [name, files, handler, value] of LOADS) {
  test(`loads ${name}`, async (t) => {
    const sandbox = new Sandbox(t);
    const bound = await sandbox.bind({ taskRoot: folder(t, files), handler });
    assert.deepEqual(bound, { kind: 'BOUND', ok: true, logs: [] });
    assert.deepEqual((await sandbox.invoke({})).value, value);
  });
}

test('an absolute handler is found where it is', async (t) => {
  const layer = folder(t, { 'wrap.js': CJS });
  const sandbox = new Sandbox(t);
  const bound = await sandbox.bind({ taskRoot: folder(t, {}), handler: `${layer}/wrap.handler` });
  assert.equal(bound.ok, true);
});

const FAILURES = [
  [
    'no module',
    {},
    'index.handler',
    'Runtime.ImportModuleError',
    /^Error: Cannot find module 'index'\nRequire stack:\n- /,
  ],
  [
    'a module that requires what is not there',
    { 'index.js': `require('left-pad');` },
    'index.handler',
    'Runtime.ImportModuleError',
    /^Error: Cannot find module 'left-pad'\nRequire stack:\n- .*index\.js/,
  ],
  [
    'a module that imports what is not there',
    { 'index.mjs': `import 'left-pad';` },
    'index.handler',
    'Runtime.ImportModuleError',
    /^Error(?: \[ERR_MODULE_NOT_FOUND\])?: Cannot find package 'left-pad'/,
  ],
  [
    'no export',
    { 'index.js': `exports.other = 1;` },
    'index.handler',
    'Runtime.HandlerNotFound',
    /^index\.handler is undefined or not exported$/,
  ],
  [
    'no export of an ES module',
    { 'index.mjs': `export const other = 1;` },
    'index.handler',
    'Runtime.HandlerNotFound',
    /^index\.handler is undefined or not exported$/,
  ],
  [
    'no nested export',
    { 'index.js': `exports.a = null;` },
    'index.a.b',
    'Runtime.HandlerNotFound',
    /^index\.a\.b is undefined or not exported$/,
  ],
  [
    'an export that cannot be called',
    { 'index.js': `exports.handler = 'text';` },
    'index.handler',
    'Runtime.HandlerNotFound',
    /^index\.handler is not a function$/,
  ],
  [
    'a syntax error',
    { 'index.js': `exports.handler = {;` },
    'index.handler',
    'Runtime.UserCodeSyntaxError',
    /^SyntaxError: Unexpected token ';'$/,
  ],
  [
    'a syntax error in an ES module',
    { 'index.mjs': `export const handler = {;` },
    'index.handler',
    'Runtime.UserCodeSyntaxError',
    /^SyntaxError: Unexpected token ';'$/,
  ],
  ['a handler without a dot', { 'index.js': CJS }, 'index', 'Runtime.MalformedHandlerName', /^Bad handler$/],
  [
    'a handler without an export',
    { 'index.js': CJS },
    'index.',
    'Runtime.MalformedHandlerName',
    /^Bad handler$/,
  ],
  [
    'a handler that goes up',
    { 'index.js': CJS },
    '../index.handler',
    'Runtime.MalformedHandlerName',
    /^'\.\.\/index\.handler' is not a valid handler name\./,
  ],
  [
    'a module that throws',
    { 'index.js': `throw new RangeError('boom');` },
    'index.handler',
    'RangeError',
    /^boom$/,
  ],
  ['a module that throws a text', { 'index.js': `throw 'boom';` }, 'index.handler', 'string', /^boom$/],
  [
    'an ES module that throws',
    { 'index.mjs': `throw new RangeError('boom');` },
    'index.handler',
    'RangeError',
    /^boom$/,
  ],
  [
    'an await that never settles',
    { 'index.mjs': `await new Promise(() => {}); export const handler = 1;` },
    'index.handler',
    'Runtime.ImportModuleError',
    /^Error: the module of 'index\.handler' never finished loading/,
  ],
];

for (const [name, files, handler, errorType, errorMessage] of FAILURES) {
  test(`${name} is ${errorType}`, async (t) => {
    const sandbox = new Sandbox(t);
    const bound = await sandbox.bind({ taskRoot: folder(t, files), handler });
    assert.deepEqual([bound.kind, bound.ok, bound.error.errorType], ['BOUND', false, errorType]);
    assert.match(bound.error.errorMessage, errorMessage);
    assert.match(bound.logs[0], /\tundefined\tERROR\tUncaught Exception \t\{"errorType":/);
    assert.deepEqual(await sandbox.exit(), { code: 1, signal: null });
  });
}

test('the trace of a syntax error names the place', async (t) => {
  const sandbox = new Sandbox(t);
  const { error } = await sandbox.bind({ taskRoot: folder(t, { 'index.js': '\nexports.handler = {;' }) });
  assert.match(error.trace.join('\n'), /^Runtime\.UserCodeSyntaxError: .*index\.js:2/s);
});

test('an exception outside of the loading module is told, too', async (t) => {
  const sandbox = new Sandbox(t);
  const code = `setTimeout(() => { throw new TypeError('boom'); }, 1); await new Promise((ok) => setTimeout(ok, 60_000));`;
  const { ok, error } = await sandbox.bind({ taskRoot: folder(t, { 'index.mjs': code }) });
  assert.deepEqual([ok, error.errorType, error.errorMessage], [false, 'TypeError', 'boom']);
  assert.deepEqual(await sandbox.exit(), { code: 129, signal: null });
});

test('an error too large for BOUND is cut', async (t) => {
  const sandbox = new Sandbox(t);
  const code = `throw Object.assign(new Error('\\u0001'.repeat(10_000_000)), { name: 'E'.repeat(1_000_000) });`;
  const { ok, error } = await sandbox.bind({ taskRoot: folder(t, { 'index.js': code }) });
  assert.deepEqual([ok, error.errorType, error.trace], [false, 'E'.repeat(256), []]);
  assert.equal(error.errorMessage, '\u0001'.repeat(8192));
});

test('process.exit while loading says nothing', async (t) => {
  const sandbox = new Sandbox(t);
  const bound = await sandbox.bind({ taskRoot: folder(t, { 'index.js': 'process.exit(0);' }) });
  assert.equal(bound.kind, undefined);
  assert.deepEqual(await sandbox.exit(), { code: 0, signal: null });
});

test('NODE_PATH of BIND is searched', async (t) => {
  const layer = folder(t, { 'node_modules/shared/index.js': 'exports.x = 3;' });
  const sandbox = new Sandbox(t);
  const bound = await sandbox.bind({
    taskRoot: folder(t, { 'index.js': `const { x } = require('shared'); exports.handler = async () => x;` }),
    environment: { NODE_PATH: `${layer}/node_modules` },
  });
  assert.equal(bound.ok, true);
  assert.equal((await sandbox.invoke({})).value, 3);
});
