// What an app in JavaScript does, with the unmodified SDK and nothing set but endpoint, region and pool.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CognitoIdentityClient, GetOpenIdTokenCommand } from '@aws-sdk/client-cognito-identity';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { fromCognitoIdentityPool } from '@aws-sdk/credential-providers';

const { CALLGATE_ENDPOINT: endpoint, CALLGATE_REGION: region, CALLGATE_POOL: identityPoolId } = process.env;
const FunctionName = process.env.CALLGATE_FUNCTION;

const decoded = (answer) => JSON.parse(Buffer.from(answer.Payload).toString('utf8'));
const context = (value) => Buffer.from(JSON.stringify(value), 'utf8').toString('base64');

/** An app's Lambda client and its credentials; `logins` signs it in. `cache` keeps the identity id, as on a device. */
function app(logins, cache = new Map()) {
  const credentials = fromCognitoIdentityPool({
    identityPoolId,
    logins,
    clientConfig: { endpoint, region },
    cache: { getItem: (key) => cache.get(key) ?? null, setItem: (key, value) => void cache.set(key, value), removeItem: (key) => void cache.delete(key) },
    userIdentifier: 'device',
  });
  return { credentials, functions: new LambdaClient({ endpoint, region, credentials, maxAttempts: 1 }) };
}

test('a guest calls a function', async () => {
  const { credentials, functions } = app();
  const answer = await functions.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ größe: '🎉' }) }));
  const saw = decoded(answer);
  assert.equal(answer.StatusCode, 200);
  assert.equal(answer.FunctionError, undefined);
  assert.equal(answer.$metadata.requestId, saw.awsRequestId);
  assert.deepEqual(saw.event, { größe: '🎉' });
  assert.deepEqual(saw.identity, { cognitoIdentityId: (await credentials()).identityId, cognitoIdentityPoolId: identityPoolId });
  assert.equal(saw.callgate.signedIn, false);
});

test('a guest who signs in keeps its identity id', async () => {
  const device = new Map();
  const guest = app(undefined, device);
  await guest.functions.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
  const before = (await guest.credentials()).identityId;
  const user = app({ [process.env.CALLGATE_LOGIN]: process.env.CALLGATE_TOKEN }, device);
  const saw = decoded(await user.functions.send(new InvokeCommand({ FunctionName, Payload: '{}' })));
  assert.equal(saw.identity.cognitoIdentityId, before);
  assert.equal(saw.callgate.signedIn, true);
  assert.deepEqual(saw.callgate.logins, [process.env.CALLGATE_LOGIN]);
});

test('the device and the app arrive as they are', async () => {
  const device = {
    client: { installation_id: 'i-1', app_title: 'Contract', app_version_code: '7', app_package_name: 'com.example.app' },
    env: { platform: 'iOS', model: 'Phone', locale: 'de_DE' },
    custom: { theme: 'dunkel' },
  };
  const { functions } = app();
  const answer = await functions.send(new InvokeCommand({ FunctionName, Payload: '{}', ClientContext: context(device) }));
  assert.deepEqual(decoded(answer).clientContext, device);
});

test('a refusal is the SDK’s own exception', async () => {
  const { functions } = app();
  await assert.rejects(
    functions.send(new InvokeCommand({ FunctionName: process.env.CALLGATE_FORBIDDEN, Payload: '{}' })),
    (error) => {
      assert.equal(error.name, 'AccessDeniedException');
      assert.equal(error.$metadata.httpStatusCode, 403);
      assert.match(error.message, /is not authorized to perform: lambda:InvokeFunction on resource: /);
      return true;
    },
  );
});

test('the log tail', async () => {
  const credentials = { accessKeyId: process.env.CALLGATE_KEY_ID, secretAccessKey: process.env.CALLGATE_SECRET };
  const functions = new LambdaClient({ endpoint, region, credentials });
  const answer = await functions.send(new InvokeCommand({ FunctionName, Payload: '{}', LogType: 'Tail' }));
  const log = Buffer.from(answer.LogResult, 'base64').toString('utf8');
  assert.match(log, /^START RequestId: [0-9a-f-]{36} Version: \$LATEST\n/);
  assert.match(log, /REPORT RequestId: /);
});

test('an identity is somebody for STS and for others', async () => {
  const { credentials } = app();
  const who = await new STSClient({ endpoint, region, credentials }).send(new GetCallerIdentityCommand({}));
  assert.match(who.Arn, /:assumed-role\/.*\/CognitoIdentityCredentials$/);
  const { identityId } = await credentials();
  const identities = new CognitoIdentityClient({ endpoint, region, credentials });
  const { Token } = await identities.send(new GetOpenIdTokenCommand({ IdentityId: identityId }));
  const claims = JSON.parse(Buffer.from(Token.split('.')[1], 'base64url').toString('utf8'));
  assert.equal(claims.sub, identityId);
});
