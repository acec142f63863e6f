// Signs a person in at an identity provider with authorization code + PKCE and prints the token answer.
// Usage: node sign_in.mjs ISSUER CLIENT_ID CLIENT_SECRET REDIRECT_URI FIELDS_JSON [SCOPE] [RESOURCE]
import { createHash, randomBytes } from 'node:crypto';
import { walk } from './walk.mjs';

/** `method` is how the client is registered: client_secret_basic or client_secret_post. */
export async function signIn(issuer, clientId, clientSecret, redirectUri, fields, scope, resource,
  method = 'client_secret_basic') {
  const at = new URL(issuer);
  const place = `${at.origin}/.well-known/oauth-authorization-server${at.pathname.replace(/\/$/, '')}`;
  const metadata = await (await fetch(place)).json();
  if (metadata.issuer !== issuer) throw new Error(`issuer is ${metadata.issuer}, not ${issuer}`);
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const query = new URLSearchParams({
    response_type: 'code', client_id: clientId, redirect_uri: redirectUri, scope, state,
    nonce: randomBytes(16).toString('base64url'), code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    ...(resource ? { resource } : {}),
  });
  const end = new URL(await walk(`${metadata.authorization_endpoint}?${query}`, redirectUri, fields));
  const answer = end.searchParams;
  if (answer.get('state') !== state || answer.get('iss') !== issuer || !answer.get('code')) {
    throw new Error(`unexpected authorization response: ${end.href}`);
  }
  const pair = [clientId, clientSecret].map(encodeURIComponent).join(':');
  const isPost = method === 'client_secret_post';
  const response = await fetch(metadata.token_endpoint, {
    method: 'POST',
    headers: isPost ? {} : { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'authorization_code', code: answer.get('code'), redirect_uri: redirectUri,
      code_verifier: verifier, ...(resource ? { resource } : {}),
      ...(isPost ? { client_id: clientId, client_secret: clientSecret } : {}),
    }),
  });
  const tokens = await response.json();
  if (!response.ok) throw new Error(`token endpoint: ${response.status} ${JSON.stringify(tokens)}`);
  return tokens;
}

if (process.argv[1].endsWith('sign_in.mjs')) {
  const [issuer, id, secret, redirect, fields, scope = 'openid', resource] = process.argv.slice(2);
  const tokens = await signIn(issuer, id, secret, redirect, JSON.parse(fields), scope, resource);
  console.log(JSON.stringify(tokens));
}
