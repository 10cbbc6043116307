'use strict';

// What a function sees of its caller.
exports.handler = async (event, context) => ({
  event,
  identityId: context.identity?.cognitoIdentityId ?? null,
  signedIn: context.callgate?.signedIn ?? false,
  clientContext: context.clientContext ?? null,
  remaining: context.getRemainingTimeInMillis(),
});
