'use strict';

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { createPublicKey, verify } = require('node:crypto');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');

const { Sandbox, Status } = require('./support/sandbox.js');

const EXAMPLES = path.join(__dirname, '..', '..', 'examples');

const IDENTITY = { cognitoIdentityId: 'us-east-1:0a', cognitoIdentityPoolId: 'us-east-1:0b' };

async function greet(t) {
  const sandbox = new Sandbox(t);
  const bound = await sandbox.bind({ taskRoot: path.join(EXAMPLES, 'greet') });
  assert.equal(bound.ok, true);
  return sandbox;
}

test('greet tells who is calling, with what', async (t) => {
  const sandbox = await greet(t);
  const meta = {
    identity: IDENTITY,
    callgate: { signedIn: true, logins: ['accounts.example.com'], principalTags: {} },
    clientContext: {
      client: { app_title: 'Notes', app_version_name: '2.1' },
      env: { platform: 'iOS', platform_version: '26', make: 'Apple', model: 'iPhone 17', locale: 'fr_CH' },
    },
  };
  const { status, value, id } = await sandbox.invoke({ name: 'Ada' }, { meta });
  assert.equal(status, Status.VALUE);
  assert.deepEqual(value, {
    greeting: 'Bonjour, Ada!',
    caller: { identityId: IDENTITY.cognitoIdentityId, signedIn: true, logins: ['accounts.example.com'] },
    app: 'Notes 2.1',
    device: 'Apple iPhone 17, iOS 26',
    request: id,
  });
});

test('greet greets who says nothing', async (t) => {
  const sandbox = await greet(t);
  const { value, id } = await sandbox.invoke(undefined);
  assert.deepEqual(value, {
    greeting: 'Hello, stranger!',
    caller: { identityId: null, signedIn: false, logins: [] },
    app: null,
    device: null,
    request: id,
  });
});

/** A running issuer: its URL. */
async function issuer(t) {
  const child = spawn(process.execPath, [path.join(EXAMPLES, 'issuer', 'issuer.mjs')], {
    env: { PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  const [line] = await once(child.stdout, 'data');
  return JSON.parse(line).issuer;
}

test('the issuer issues ID tokens that its keys verify', async (t) => {
  const url = await issuer(t);
  const configuration = await (await fetch(`${url}/.well-known/openid-configuration`)).json();
  assert.equal(configuration.issuer, url);
  const { keys } = await (await fetch(configuration.jwks_uri)).json();
  const body = new URLSearchParams({ user: 'ada', client_id: 'demo-app' });
  const { id_token: token } = await (
    await fetch(configuration.token_endpoint, { method: 'POST', body })
  ).json();
  const [header, claims, signature] = token.split('.');
  const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url'));
  assert.equal(alg, 'RS256');
  const key = createPublicKey({ key: keys.find((each) => each.kid === kid), format: 'jwk' });
  assert.ok(verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url')));
  const { iss, sub, aud, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url'));
  assert.deepEqual([iss, sub, aud, exp - iat], [url, 'user-ada', 'demo-app', 3600]);
});

test('the issuer wants a user and an audience', async (t) => {
  const url = await issuer(t);
  for (const body of ['', 'user=ada', 'client_id=demo-app', `user=ada&client_id=${'x'.repeat(5000)}`]) {
    const response = await fetch(`${url}/token`, { method: 'POST', body });
    assert.equal(response.status, 400);
  }
  assert.equal((await fetch(`${url}/elsewhere`)).status, 404);
});
