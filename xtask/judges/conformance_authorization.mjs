// Runs the suite's `authorization` mode and stands in for the person in front of the browser.
// Usage: node conformance_authorization.mjs SUITE ISSUER CLIENT_ID PORT RESOURCE OUTPUT
import { spawn } from 'node:child_process';
import { walk } from './walk.mjs';

const [suite, issuer, clientId, port, resource, output] = process.argv.slice(2);
const fields = { login: 'alice', password: 'any', email: 'alice@acme.example' };
const run = spawn(process.execPath, [suite, 'authorization', '--url', issuer, '--client-id', clientId,
  '--resource', resource, '-p', port, '-o', output], { stdio: ['ignore', 'pipe', 'inherit'] });
let text = '';
let walked = false;
run.stdout.on('data', async (chunk) => {
  process.stdout.write(chunk);
  text += chunk;
  const url = text.match(/^\s*(https?:\/\/\S*[?&]response_type=code\S*)\s*$/m)?.[1];
  if (!url || walked) return;
  walked = true;
  try {
    await fetch(await walk(url, `http://127.0.0.1:${port}/callback`, fields));
  } catch (error) {
    console.error(error);
    run.kill();
  }
});
run.on('close', (code) => process.exit(code ?? 1));
