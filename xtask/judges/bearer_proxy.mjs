// Adds an access token to every request, because the suite's server mode cannot send one.
// Usage: node bearer_proxy.mjs PORT UPSTREAM_URL TOKEN
import http from 'node:http';

const [port, upstream, token] = process.argv.slice(2);
const target = new URL(upstream);
http.createServer((request, response) => {
  // The suite's own Host is kept where it attacks with one, so that the product sees the attack.
  const local = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(request.headers.host ?? '');
  const headers = { ...request.headers, authorization: `Bearer ${token}` };
  if (local) headers.host = target.host;
  if (request.headers.origin && /^https?:\/\/(localhost|127\.0\.0\.1)(:\d+)?$/.test(request.headers.origin)) {
    headers.origin = target.origin;
  }
  const options = { method: request.method, headers, host: target.hostname, port: target.port,
    path: target.pathname + (request.url.includes('?') ? request.url.slice(request.url.indexOf('?')) : '') };
  const forwarded = http.request(options, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  forwarded.on('error', () => response.destroy());
  response.on('close', () => forwarded.destroy());
  request.pipe(forwarded);
}).listen(Number(port), '127.0.0.1');
