// JSON over HTTP with node:http, which the SDKs capture.
import http from 'node:http';

/** An answer that is not 2xx. */
export class CallError extends Error {
  constructor(url, status, body) {
    super(`${url.host} answered ${status}: ${body.message ?? 'no reason given'}`);
    this.name = 'CallError';
    this.status = status;
  }
}

/** Every name is this machine: in the shop's traces services are called by their names, as with a real name service. */
const lookup = (_name, { all }, done) => (all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4));

export const get = (url) => call('GET', url);
export const post = (url, body) => call('POST', url, body);

function call(method, address, body) {
  const url = new URL(address);
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers: { 'content-type': 'application/json' }, timeout: 10_000, lookup }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const answer = JSON.parse(Buffer.concat(chunks).toString() || '{}');
        if (response.statusCode < 300) resolve(answer);
        else reject(new CallError(url, response.statusCode, answer));
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${url.host} did not answer in 10 s`)));
    request.on('error', reject);
    request.end(body && JSON.stringify(body));
  });
}
