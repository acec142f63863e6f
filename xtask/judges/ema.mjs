// Enterprise-managed authorization with the official TypeScript client: sign-in, ID-JAG, access token,
// tool result. Usage: node ema.mjs SETTINGS_JSON
import { Client, CrossAppAccessProvider, StreamableHTTPClientTransport, discoverAndRequestJwtAuthGrant }
  from '@modelcontextprotocol/client';
import { signIn } from './sign_in.mjs';

const s = JSON.parse(process.argv[2]);
// The exchange of this client sends its secret in the body, whatever the metadata prefers.
const tokens = await signIn(s.idp, s.idp_post_client, s.idp_secret, s.redirect_uri, s.fields, 'openid',
  undefined, 'client_secret_post');
const authProvider = new CrossAppAccessProvider({
  clientId: s.as_client,
  clientSecret: s.as_secret,
  expectedIssuer: s.as,
  assertion: async (context) => {
    const grant = await discoverAndRequestJwtAuthGrant({
      idpUrl: s.idp, audience: context.authorizationServerUrl, resource: context.resourceUrl,
      idToken: tokens.id_token, clientId: s.idp_post_client, clientSecret: s.idp_secret,
      scope: context.scope, fetchFn: context.fetchFn,
    });
    return grant.jwtAuthGrant;
  },
});
const client = new Client({ name: 'judge', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL(s.mcp), { authProvider }));
const { tools } = await client.listTools();
const result = await client.callTool({ name: s.tool, arguments: s.arguments ?? {} });
await client.close();
if (!tools.some((tool) => tool.name === s.tool)) throw new Error(`${s.tool} is not listed`);
if (result.isError || !result.content?.length) throw new Error(JSON.stringify(result));
console.log(`tool result: ${JSON.stringify(result.content)}`);
