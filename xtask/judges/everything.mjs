// A real client with a token talks to server-everything through the gateway: list, call, progress,
// resource, prompt, cancellation. Usage: node everything.mjs SETTINGS_JSON
import assert from 'node:assert/strict';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const { mcp, token } = JSON.parse(process.argv[2]);
const requestInit = { headers: { authorization: `Bearer ${token}` } };
const client = new Client({ name: 'judge', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL(mcp), { requestInit }));

const names = (await client.listTools()).tools.map((tool) => tool.name);
assert.ok(names.includes('echo'), `echo is not among ${names}`);
const echo = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
assert.match(JSON.stringify(echo.content), /hello/);

const { resources } = await client.listResources();
assert.ok(resources.length > 0, 'no resources');
const { contents } = await client.readResource({ uri: resources[0].uri });
assert.ok(contents.length > 0, 'an empty resource');
const { prompts } = await client.listPrompts();
assert.ok(prompts.length > 0, 'no prompts');

const long = names.find((name) => /long/i.test(name));
if (long) {
  let progress = 0;
  const options = { onprogress: () => { progress += 1; } };
  await client.callTool({ name: long, arguments: { duration: 1, steps: 3 } }, options);
  assert.ok(progress > 0, 'no progress reached the client');
  const cancel = new AbortController();
  const call = client.callTool({ name: long, arguments: { duration: 60, steps: 60 } },
    { signal: cancel.signal });
  setTimeout(() => cancel.abort(), 200);
  await assert.rejects(call);
}
await client.close();
console.log(`tools: ${names.length}, resources: ${resources.length}, prompts: ${prompts.length}`);
