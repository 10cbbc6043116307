// What an app does, with the AWS SDK for JavaScript as it is: nothing but the endpoint tells it that this is not AWS.
// It becomes a guest, calls a function, signs in, calls again, and meets a policy and a limit that refuse it.

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { fromCognitoIdentity, fromCognitoIdentityPool } from '@aws-sdk/credential-providers';

/** A setting without which there is no story. */
function setting(name) {
  const value = process.env[name];
  if (!value) {
    console.error(`app: ${name} is not set`);
    process.exit(2);
  }
  return value;
}

const endpoint = setting('CALLGATE_ENDPOINT');
const identityPoolId = setting('CALLGATE_POOL');
const issuer = setting('CALLGATE_ISSUER');
const clientId = setting('CALLGATE_CLIENT_ID');
const region = process.env.CALLGATE_REGION ?? 'us-east-1';
const functionName = process.env.CALLGATE_FUNCTION ?? 'greet';
const forbiddenName = process.env.CALLGATE_FORBIDDEN_FUNCTION ?? 'back-office';

/** More calls than any limit of a demonstration lets through. */
const CALLS_MAX = 500;

// The SDK's word on which Node.js its versions of next year need is not part of the story.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const clientConfig = { endpoint, region };

/** What the device says of itself, as the mobile SDKs send it with every call. */
const device = {
  client: {
    installation_id: 'b2f6a1c4-8f0e-4b57-9a86-3d2c5e1f7a90',
    app_title: 'Notes',
    app_version_name: '2.1',
    app_version_code: '21',
    app_package_name: 'com.example.notes',
  },
  env: { platform: 'Android', platform_version: '16', make: 'Google', model: 'Pixel 10', locale: 'de_CH' },
  custom: {},
};
const ClientContext = Buffer.from(JSON.stringify(device)).toString('base64');

/** Calls a function as whoever the client is, and gives back what it answered and the end of its log. */
async function logged(client, name, event, LogType = 'Tail') {
  const { Payload, FunctionError, LogResult } = await client.send(
    new InvokeCommand({ FunctionName: name, ClientContext, LogType, Payload: JSON.stringify(event) }),
  );
  const answer = JSON.parse(Payload.transformToString());
  if (FunctionError) {
    throw new Error(`the function failed: ${answer.errorMessage}`);
  }
  return { answer, log: Buffer.from(LogResult ?? '', 'base64').toString() };
}

/** The same without the log. */
async function call(client, name, event) {
  return (await logged(client, name, event, 'None')).answer;
}

/** How long a sandbox was made ready for the call with this log, and how long the function ran, as its REPORT line has it. */
function coldStart(log) {
  const [, ran] = /\tDuration: ([\d.]+) ms/.exec(log) ?? [];
  const [, init] = /\tInit Duration: ([\d.]+) ms/.exec(log) ?? [];
  if (!ran || !init) {
    throw new Error(`the first call was no cold start: ${log}`);
  }
  return `${init} ms until the function was loaded, ${ran} ms in it`;
}

/** An ID token of the issuer, as its sign-in page would give the app. */
async function signIn(user) {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({ user, client_id: clientId }),
  });
  if (!response.ok) {
    throw new Error(`the issuer answered ${response.status}`);
  }
  return (await response.json()).id_token;
}

function show(answer) {
  const { caller } = answer;
  console.log(`   It answers   "${answer.greeting}"`);
  console.log(`   It saw       identity ${caller.identityId}`);
  console.log(`                ${caller.signedIn ? `signed in by ${caller.logins.join(', ')}` : 'a guest'}`);
  console.log(`                ${answer.app} on ${answer.device}`);
  console.log();
}

/** Text in lines of readable length, below what it belongs to. */
function indented(text) {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (lines.at(-1).length + word.length > 90) {
      lines.push('');
    }
    lines[lines.length - 1] += `${word} `;
  }
  return lines.map((line) => `                ${line.trimEnd()}`).join('\n');
}

/** The error with which `attempt` is refused. What is not refused as expected ends the story. */
async function refusal(attempt, name) {
  try {
    await attempt();
  } catch (error) {
    if (error.name === name) {
      return error;
    }
    throw error;
  }
  throw new Error(`the call should have been refused with ${name}`);
}

console.log('4. The app starts for the first time and becomes a guest.');
const asGuest = fromCognitoIdentityPool({ identityPoolId, clientConfig });
const { identityId } = await asGuest();
const guest = new LambdaClient({ ...clientConfig, credentials: asGuest });
const { answer: first, log } = await logged(guest, functionName, {});
console.log(`   Cold start   ${coldStart(log)}`);
show(first);

console.log(`5. Ada signs in at ${issuer}; the app keeps its identity.`);
const login = await signIn('ada');
const asAda = fromCognitoIdentity({
  identityId,
  // A login is filed under its issuer's name without the scheme.
  logins: { [new URL(issuer).host]: login },
  clientConfig,
});
// The app shows refusals to its user at once, instead of trying three times.
const ada = new LambdaClient({ ...clientConfig, credentials: asAda, maxAttempts: 1 });
const second = await call(ada, functionName, { name: 'Ada' });
show(second);
if (first.caller.identityId !== identityId || second.caller.identityId !== identityId) {
  throw new Error('the identity changed on the way');
}

console.log(`6. She calls ${forbiddenName}, which no policy allows her.`);
const denied = await refusal(() => call(ada, forbiddenName, {}), 'AccessDeniedException');
console.log(`   Refused      ${denied.$metadata.httpStatusCode} ${denied.name}`);
console.log(indented(denied.message));
console.log();

console.log('7. Her app has a bug and calls without a pause.');
let answered = 0;
const throttled = await refusal(async () => {
  for (; answered < CALLS_MAX; answered += 1) {
    await call(ada, functionName, { name: 'Ada' });
  }
}, 'TooManyRequestsException');
console.log(
  `   Refused      ${throttled.$metadata.httpStatusCode} ${throttled.name}, after ${answered} answers`,
);
console.log(`                ${throttled.Reason}: come back in ${throttled.retryAfterSeconds} s`);
