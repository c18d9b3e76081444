// Somebody else's service: not traced, known only from those who call it.
import http from 'node:http';
import { about, serve, sleep } from './lib/service.mjs';

serve(
  http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { card } = JSON.parse(Buffer.concat(chunks).toString());
    await sleep(about(60));
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ approved: card !== 'declined' }));
  }),
);
