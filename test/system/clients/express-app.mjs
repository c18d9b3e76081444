// An application with the unmodified aws-xray-sdk: Express, outgoing HTTP and SQL. `express-app.mjs NAME`, with
// DOWNSTREAM (a URL) and DATABASE_PORT where it shall call something. Says `listening PORT`.
import http from 'node:http';
import AWSXRay from 'aws-xray-sdk';
import express from 'express';
import mysql from 'mysql2';

const { DATABASE_PORT, DOWNSTREAM } = process.env;
const name = process.argv[2];

AWSXRay.captureHTTPsGlobal(http, true);
AWSXRay.captureMySQL(mysql);
const database =
  DATABASE_PORT && mysql.createConnection({ host: '127.0.0.1', port: Number(DATABASE_PORT), user: 'tester', database: 'shop' });

const query = (sql, values) =>
  new Promise((resolve, reject) => database.query(sql, values, (error, rows) => (error ? reject(error) : resolve(rows))));

const get = (url) =>
  new Promise((resolve, reject) => {
    const request = http.get(url, (response) => response.resume().on('end', () => resolve(response.statusCode)));
    request.on('error', reject);
  });

const app = express();
app.use(AWSXRay.express.openSegment(name));

app.get('/order/:id', async (request, response) => {
  const segment = AWSXRay.getSegment();
  segment.setUser('mira');
  segment.addAnnotation('order', Number(request.params.id));
  segment.addAnnotation('tier', 'gold');
  segment.addAnnotation('gift', true);
  segment.addMetadata('cart', { lines: [1, 2] });
  segment.addMetadata('flag', 'x', 'experiments');
  if (DATABASE_PORT) await query('SELECT name FROM products WHERE id = ?', [3]);
  const status = DOWNSTREAM ? await get(`${DOWNSTREAM}${request.path}`) : 200;
  response.status(status).json({ status });
});
app.get('/busy', (_request, response) => response.status(429).json({}));
app.get('/missing', (_request, response) => response.status(404).json({}));
app.get('/bad-query', async () => query('SELECT nothing FROM nowhere', []));
app.get('/broken', () => {
  throw new RangeError('the shelf is too short');
});
app.get('/unreachable', async () => get('http://127.0.0.1:1/'));

app.use(AWSXRay.express.closeSegment());
app.use((_error, _request, response, _next) => response.status(500).json({}));

const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${server.address().port}\n`));
process.stdin.resume().on('end', () => process.exit(0));
