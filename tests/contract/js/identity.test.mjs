// Who an app's user is, across devices: merging and developer-authenticated identities, with the unmodified SDK.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  CognitoIdentityClient,
  GetOpenIdTokenForDeveloperIdentityCommand,
} from '@aws-sdk/client-cognito-identity';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { fromCognitoIdentity, fromCognitoIdentityPool } from '@aws-sdk/credential-providers';

const { CALLGATE_ENDPOINT: endpoint, CALLGATE_REGION: region, CALLGATE_POOL: identityPoolId } = process.env;
const FunctionName = process.env.CALLGATE_FUNCTION;
const clientConfig = { endpoint, region };

async function seen(credentials) {
  const functions = new LambdaClient({ endpoint, region, credentials, maxAttempts: 1 });
  const answer = await functions.send(new InvokeCommand({ FunctionName, Payload: '{}' }));
  return JSON.parse(Buffer.from(answer.Payload).toString('utf8'));
}

/** A device: it keeps the identity id, as the SDK does in a browser. */
function device() {
  const kept = new Map();
  const cache = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
  return (logins) => fromCognitoIdentityPool({ identityPoolId, logins, clientConfig, cache, userIdentifier: 'device' });
}

test('a second device that was a guest becomes its user', async () => {
  const logins = { [process.env.CALLGATE_LOGIN]: process.env.CALLGATE_MERGING_TOKEN };
  const first = await seen(device()(logins));
  const second = device();
  const guest = await seen(second());
  assert.notEqual(guest.identity.cognitoIdentityId, first.identity.cognitoIdentityId);
  const user = await seen(second(logins));
  assert.equal(user.identity.cognitoIdentityId, first.identity.cognitoIdentityId);
  assert.equal(user.callgate.signedIn, true);
  // The device keeps the guest's id, and goes on with it: with the login it means the user, without it nothing.
  assert.equal((await seen(second(logins))).identity.cognitoIdentityId, first.identity.cognitoIdentityId);
  await assert.rejects(seen(second()), { name: 'NotAuthorizedException' });
});

test('a user whom the developer’s own back end has verified', async () => {
  const backEnd = new CognitoIdentityClient({
    endpoint,
    region,
    credentials: { accessKeyId: process.env.CALLGATE_KEY_ID, secretAccessKey: process.env.CALLGATE_SECRET },
  });
  const Logins = { [process.env.CALLGATE_DEVELOPER]: 'javascript' };
  const { IdentityId: identityId, Token } = await backEnd.send(
    new GetOpenIdTokenForDeveloperIdentityCommand({ IdentityPoolId: identityPoolId, Logins }),
  );
  const logins = { 'cognito-identity.amazonaws.com': Token };
  const saw = await seen(fromCognitoIdentity({ identityId, logins, clientConfig }));
  assert.equal(saw.identity.cognitoIdentityId, identityId);
  assert.deepEqual(saw.callgate.logins, [process.env.CALLGATE_DEVELOPER]);
  // By the pool, too: the SDK asks for the id itself.
  assert.equal((await seen(device()(logins))).identity.cognitoIdentityId, identityId);
});
