// Catalogue and orders: Express, SQL and a queue, all captured by the AWS X-Ray SDK.
import http from 'node:http';
import net from 'node:net';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import AWSXRay from 'aws-xray-sdk';
import express from 'express';
import mysql from 'mysql2';
import { serve } from './lib/service.mjs';

const { DATABASE_PORT, QUEUE_URL } = process.env;

AWSXRay.captureHTTPsGlobal(http, true);
AWSXRay.captureMySQL(mysql);
const database = mysql.createConnection({
  host: 'database', // its name in traces; `stream` goes there without a name service
  stream: () => net.connect(Number(DATABASE_PORT), '127.0.0.1'),
  user: 'orders',
  database: 'shop',
});
const queue = AWSXRay.captureAWSv3Client(
  new SQSClient({
    endpoint: new URL(QUEUE_URL).origin,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'shop', secretAccessKey: 'shop' },
  }),
);

const query = (sql, values = []) =>
  new Promise((resolve, reject) => database.query(sql, values, (error, rows) => (error ? reject(error) : resolve(rows))));

const app = express();
app.use(AWSXRay.express.openSegment('orders'));
app.use(express.json());

app.get('/products', async (request, response) => {
  response.json(await query('SELECT id, name, price FROM products WHERE name LIKE ? LIMIT 20', [`%${request.query.name}%`]));
});

app.get('/products/:id', async (request, response) => {
  const [product] = await query('SELECT id, name, price FROM products WHERE id = ?', [Number(request.params.id)]);
  if (product) response.json(product);
  else response.status(404).json({ message: `there is no product ${request.params.id}` });
});

app.post('/orders', async (request, response) => {
  const { user, product: id } = request.body;
  const [product] = await query('SELECT id, name, price FROM products WHERE id = ?', [id]);
  const order = AWSXRay.captureFunc('price order', () => priceOrder(product));
  const { insertId } = await query('INSERT INTO orders (user, product, total) VALUES (?, ?, ?)', [user, id, order.total]);
  AWSXRay.getSegment().addAnnotation('order', insertId);
  response.status(201).json({ id: insertId, ...order });
});

/** Forgets that the gift card has no price: this is the fault that the demo shows. */
function priceOrder({ name, price }) {
  return { product: name, total: Number(price.toFixed(2)) };
}

app.post('/orders/:id/paid', async (request, response) => {
  const id = Number(request.params.id);
  await query('UPDATE orders SET state = ? WHERE id = ?', ['paid', id]);
  await queue.send(new SendMessageCommand({ QueueUrl: QUEUE_URL, MessageBody: JSON.stringify({ order: id }) }));
  response.json({ id, state: 'paid' });
});

app.post('/orders/:id/shipped', async (request, response) => {
  await query('UPDATE orders SET state = ? WHERE id = ?', ['shipped', Number(request.params.id)]);
  response.json({ id: Number(request.params.id), state: 'shipped' });
});

/** The demo's slow path: one query for the list, then one for each order. Nobody notices until someone has ordered a lot. */
app.get('/history/:user', async (request, response) => {
  const orders = await query('SELECT id FROM orders WHERE user = ? ORDER BY id LIMIT 70', [request.params.user]);
  const history = [];
  for (const { id } of orders) {
    const [order] = await query('SELECT o.id, o.state, o.total, p.name FROM orders o JOIN products p ON p.id = o.product WHERE o.id = ?', [
      id,
    ]);
    history.push(order);
  }
  response.json(history);
});

app.use(AWSXRay.express.closeSegment());
app.use((error, _request, response, _next) => response.status(500).json({ message: error.message }));

serve(app);
