// A real MCP server of protocol 2026-07-28 (and of 2025), on the official TypeScript SDK.
// Usage: node modern_server.mjs PORT
import http from 'node:http';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import { toNodeHandler } from '@modelcontextprotocol/node';
import * as z from 'zod';

const make = () => {
  const server = new McpServer({ name: 'modern', version: '1.0.0' });
  const text = (value) => ({ content: [{ type: 'text', text: value }] });
  server.registerTool('test_simple_text', { description: 'A fixed text', inputSchema: z.object({}) },
    async () => text('This is a simple text response for testing.'));
  server.registerTool('test_error_handling', { description: 'Always fails', inputSchema: z.object({}) },
    async () => ({ ...text('This tool intentionally returns an error for testing'), isError: true }));
  server.registerTool('echo', { description: 'Repeats', inputSchema: z.object({ message: z.string() }) },
    async ({ message }) => text(`Echo: ${message}`));
  server.registerResource('static', 'test://static-text', { mimeType: 'text/plain' },
    async (uri) => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'static' }] }));
  server.registerPrompt('test_simple_prompt', { description: 'A fixed prompt' },
    async () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'hello' } }] }));
  return server;
};
const handler = toNodeHandler(createMcpHandler(make));
http.createServer((request, response) => {
  if (request.url.startsWith('/mcp')) return handler(request, response);
  return response.writeHead(404).end();
}).listen(Number(process.argv[2]), '127.0.0.1');
