// A small OpenID Connect issuer for trying Callgate out: it believes everybody. It listens on loopback alone, on the port
// that PORT names (0, the default, takes a free one), and prints one line of JSON when it is ready: {"issuer": "http://…"}.
//
//   POST /token   user=ada&client_id=demo-app   →   {"id_token": "…", "token_type": "Bearer", "expires_in": 3600}

import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const LIFETIME_SECONDS = 3600;
const BODY_MAX = 4096;

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = publicKey.export({ format: 'jwk' });
// RFC 7638: the key's id is its thumbprint.
const kid = createHash('sha256')
  .update(JSON.stringify({ e: jwk.e, kty: jwk.kty, n: jwk.n }))
  .digest('base64url');

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A signed ID token that says that `user` has signed in to the application `audience`. */
function idToken(issuer, user, audience) {
  const now = Math.floor(Date.now() / 1000);
  const header = encode({ alg: 'RS256', kid, typ: 'JWT' });
  const claims = encode({
    iss: issuer,
    sub: `user-${user}`,
    aud: audience,
    iat: now,
    auth_time: now,
    exp: now + LIFETIME_SECONDS,
    name: user,
  });
  const signature = sign('sha256', Buffer.from(`${header}.${claims}`), privateKey).toString('base64url');
  return `${header}.${claims}.${signature}`;
}

function discovery(issuer) {
  return {
    issuer,
    // OpenID Connect Discovery requires it; there is no page to sign in on here.
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  };
}

/** The request's form; undefined if it is too large. */
async function form(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += chunk;
    if (text.length > BODY_MAX) {
      return undefined;
    }
  }
  return new URLSearchParams(text);
}

async function answer(issuer, request) {
  const { pathname } = new URL(request.url, issuer);
  switch (`${request.method} ${pathname}`) {
    case 'GET /.well-known/openid-configuration':
      return [200, discovery(issuer)];
    case 'GET /jwks':
      return [200, { keys: [{ ...jwk, kid, use: 'sig', alg: 'RS256' }] }];
    case 'POST /token': {
      const fields = await form(request);
      const user = fields?.get('user');
      const audience = fields?.get('client_id');
      if (!user || !audience) {
        return [400, { error: 'invalid_request', error_description: 'user and client_id are needed' }];
      }
      return [
        200,
        { id_token: idToken(issuer, user, audience), token_type: 'Bearer', expires_in: LIFETIME_SECONDS },
      ];
    }
    default:
      return [404, { error: 'not_found' }];
  }
}

const server = createServer();
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;

server.on('request', async (request, response) => {
  try {
    const [status, body] = await answer(issuer, request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  } catch (error) {
    // The client left, or asked for something that is no URL.
    console.error(error.message);
    response.destroy();
  }
});
console.log(JSON.stringify({ issuer }));
