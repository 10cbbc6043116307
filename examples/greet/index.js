'use strict';

// Greets whoever calls. What the gateway verified (identity, callgate) is kept apart from what the device says of itself
// (clientContext): the first may decide what somebody is allowed to see, the second only how it is shown.

const GREETINGS = { de: 'Guten Tag', en: 'Hello', fr: 'Bonjour', it: 'Buongiorno' };

exports.handler = async (event, context) => {
  const { identity, callgate, clientContext } = context;
  const { client = {}, env = {} } = clientContext ?? {};
  const language = (env.locale ?? 'en').slice(0, 2);
  console.log('greeting', event.name ?? 'nobody by name');
  return {
    greeting: `${GREETINGS[language] ?? GREETINGS.en}, ${event.name ?? 'stranger'}!`,
    caller: {
      identityId: identity?.cognitoIdentityId ?? null,
      signedIn: callgate?.signedIn ?? false,
      logins: callgate?.logins ?? [],
    },
    app: client.app_title ? `${client.app_title} ${client.app_version_name ?? ''}`.trim() : null,
    device: env.model
      ? `${env.make ?? ''} ${env.model}, ${env.platform ?? ''} ${env.platform_version ?? ''}`.trim()
      : null,
    request: context.awsRequestId,
  };
};
