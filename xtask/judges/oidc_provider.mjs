// A real OpenID provider (oidc-provider) with two people, for sign-in. Usage: node oidc_provider.mjs PORT REDIRECT_URI
import http from 'node:http';
import { Provider } from 'oidc-provider';

const [port, redirectUri] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const people = {
  alice: { email: 'alice@acme.example', name: 'Alice Adams', groups: ['engineering', 'admins'] },
  bob: { email: 'bob@acme.example', name: 'Bob Brown', groups: ['sales'] },
};
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'symbolon', client_secret: 'judge-connection-secret-0123456789abcdef',
    redirect_uris: [redirectUri], grant_types: ['authorization_code'], response_types: ['code'],
  }],
  claims: {
    openid: ['sub', 'acr', 'amr', 'auth_time'], email: ['email', 'email_verified'],
    profile: ['name'], groups: ['groups'],
  },
  scopes: ['openid', 'email', 'profile', 'groups'],
  // Claims in the ID token itself, as the large providers send them.
  conformIdTokenClaims: false,
  findAccount: (_, id) => people[id] && {
    accountId: id,
    claims: () => ({ sub: id, email_verified: true, ...people[id] }),
  },
  cookies: { keys: ['a judge keeps no secrets'] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
});
http.createServer(provider.callback()).listen(Number(port), '127.0.0.1');
