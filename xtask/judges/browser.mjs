// A real browser signs a person in through oidc-provider, at 320 px and without JavaScript, consents by
// keyboard, and is sent back with a code. Usage: node browser.mjs CHROMIUM AUTHORIZE_URL REDIRECT_URI FOLDER
import assert from 'node:assert/strict';
import http from 'node:http';
import { chromium } from 'playwright-core';

const [executablePath, start, redirectUri, folder] = process.argv.slice(2);
const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const browser = await chromium.launch({ executablePath, args });
const context = await browser.newContext({ javaScriptEnabled: false, colorScheme: 'dark',
  viewport: { width: 320, height: 720 } });
const page = await context.newPage();
page.setDefaultTimeout(120_000);
const faults = [];
page.on('console', (message) => { if (message.type() === 'error') faults.push(message.text()); });
let end;
// The client: a route would not see a request that a redirect leads to.
const client = http.createServer((request, response) => {
  if (request.url.startsWith('/callback')) end = new URL(request.url, redirectUri);
  response.setHeader('content-type', 'text/html').end('<!doctype html><title>back</title>');
});
await new Promise((ready) => client.listen(new URL(redirectUri).port, '127.0.0.1', ready));
const ours = new URL(start).origin;
await page.goto(start);
for (let step = 1; step <= 12 && !page.url().startsWith(redirectUri); step += 1) {
  await page.screenshot({ path: `${folder}/${step}.png`, fullPage: true, timeout: 120_000 });
  if (page.url().startsWith(ours)) {
    const overflow = await page.locator('html').evaluate((e) => e.scrollWidth - e.clientWidth).catch(() => 0);
    assert.ok(overflow <= 0, `${page.url()} is ${overflow} px too wide at 320 px`);
  }
  for (const [name, value] of [['email', 'alice@acme.example'], ['login', 'alice'], ['password', 'any']]) {
    const field = page.locator(`input[name=${name}]:visible`);
    if (await field.count()) await field.first().fill(value);
  }
  const button = page.locator('button[type=submit]:visible, input[type=submit]:visible').first();
  await button.focus();
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
}
await browser.close();
client.close();
assert.ok(end?.searchParams.get('code'), `no code came back: ${end ?? 'never sent back'}`);
assert.ok(end.searchParams.get('iss'), 'no iss came back');
const blocked = faults.filter((text) => /Content Security Policy|Refused/.test(text));
assert.deepEqual(blocked, [], 'the content security policy blocked something');
console.log('signed in and consented in a real browser');
