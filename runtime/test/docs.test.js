'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

test('docs/runtime.md names tests that exist', () => {
  const text = fs.readFileSync(path.join(__dirname, '..', '..', 'docs', 'runtime.md'), 'utf8');
  const named = [...text.replace(/\s+/g, ' ').matchAll(/\*(\w+): ([^*]+)\*/g)].filter(
    ([, file]) => file !== 'file',
  );
  assert.ok(named.length > 20, `${named.length} names`);
  for (const [, file, name] of named) {
    const source = fs.readFileSync(path.join(__dirname, `${file}.test.js`), 'utf8');
    // A test of several rows has its name in a template; what stands between its placeholders is there to the letter.
    for (const part of name.split('…')) {
      assert.ok(source.includes(part.trim()), `${file}: ${name}`);
    }
  }
});
