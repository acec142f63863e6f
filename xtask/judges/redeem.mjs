// Signs in at our identity provider, exchanges the ID token for an ID-JAG and redeems it elsewhere:
// accepted once, refused the second time. Usage: node redeem.mjs SETTINGS_JSON
import assert from 'node:assert/strict';
import { signIn } from './sign_in.mjs';

const s = JSON.parse(process.argv[2]);
const post = async (url, id, secret, form) => {
  const basic = Buffer.from([id, secret].map(encodeURIComponent).join(':')).toString('base64');
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form),
    headers: { authorization: `Basic ${basic}` } });
  return { status: response.status, body: await response.json() };
};

const tokens = await signIn(s.idp, s.idp_client, s.idp_secret, s.redirect_uri, s.fields, 'openid');
const urn = 'urn:ietf:params:oauth:';
const exchanged = await post(`${s.idp}/token`, s.idp_client, s.idp_secret, {
  grant_type: `${urn}grant-type:token-exchange`, requested_token_type: `${urn}token-type:id-jag`,
  subject_token: tokens.id_token, subject_token_type: `${urn}token-type:id_token`,
  audience: s.audience, scope: s.scope, ...(s.resource ? { resource: s.resource } : {}),
});
assert.equal(exchanged.status, 200, JSON.stringify(exchanged.body));
assert.equal(exchanged.body.token_type, 'N_A');
const form = { grant_type: `${urn}grant-type:jwt-bearer`, assertion: exchanged.body.access_token,
  ...(s.redeem_scope === undefined ? { scope: s.scope } : s.redeem_scope ? { scope: s.redeem_scope } : {}) };
const redeem = () => post(s.token_endpoint, s.client_id, s.client_secret, form);
const first = await redeem();
assert.equal(first.status, 200, JSON.stringify(first.body));
assert.ok(first.body.access_token, 'no access token');
const second = await redeem();
assert.equal(second.status, 400, `the replay was answered with ${second.status}`);
console.log(`redeemed once: ${first.body.token_type}, ${first.body.scope ?? 'no scope'}; replay refused`);
