// The shop's front: Express with the AWS X-Ray SDK. Traces start here.
import http from 'node:http';
import AWSXRay from 'aws-xray-sdk';
import express from 'express';
import { CallError, get, post } from './lib/call.mjs';
import { serve } from './lib/service.mjs';

const { ORDERS_URL, PAYMENTS_URL, RECOMMEND_URL } = process.env;

AWSXRay.captureHTTPsGlobal(http, true);
// All requests are traced. Without these two lines the SDK asks Fluoroscope, which allows one a second and 5 % of the rest.
AWSXRay.middleware.disableCentralizedSampling();
AWSXRay.middleware.setSamplingRules({ version: 2, default: { fixed_target: 1, rate: 1 } });

const app = express();
app.use(AWSXRay.express.openSegment('web'));
app.use(express.json());

// Who asks: found with `user = "mira"` and `annotation.plan = "business"`.
app.use((request, _response, next) => {
  const segment = AWSXRay.getSegment();
  const { 'x-user': user, 'x-plan': plan } = request.headers;
  if (user) segment.setUser(user);
  if (plan) segment.addAnnotation('plan', plan);
  next();
});

app.get('/', async (request, response) => {
  response.json({ recommended: await recommendations(request.headers['x-user']) });
});

/** The page goes on without recommendations when there are none: the call's fault does not become the visitor's. */
async function recommendations(user) {
  if (!RECOMMEND_URL) return [];
  try {
    return (await get(`${RECOMMEND_URL}/for/${user}`)).products;
  } catch {
    return [];
  }
}

app.get('/products/:id', async (request, response) => {
  response.json(await get(`${ORDERS_URL}/products/${request.params.id}`));
});

// One search a second, two at once: what is above is throttled.
const searches = { left: 2, at: Date.now() };
function limitSearches(_request, response, next) {
  const now = Date.now();
  searches.left = Math.min(2, searches.left + (now - searches.at) / 1000);
  searches.at = now;
  if (searches.left < 1) return response.status(429).set('retry-after', '1').json({ message: 'too many searches' });
  searches.left -= 1;
  next();
}

app.get('/search', limitSearches, async (request, response) => {
  response.json(await get(`${ORDERS_URL}/products?name=${encodeURIComponent(request.query.q)}`));
});

app.get('/account/orders', async (request, response) => {
  response.json(await get(`${ORDERS_URL}/history/${request.headers['x-user']}`));
});

app.post('/checkout', async (request, response) => {
  const { product, card } = request.body;
  const order = await post(`${ORDERS_URL}/orders`, { user: request.headers['x-user'], product });
  AWSXRay.getSegment().addMetadata('order', order);
  await post(`${PAYMENTS_URL}/charges`, { order: order.id, amount: order.total, card });
  await post(`${ORDERS_URL}/orders/${order.id}/paid`);
  response.status(201).json(order);
});

// 4xx of a service behind is the visitor's mistake too; anything else is ours, and the SDK's handler writes it down.
app.use((error, _request, response, next) => {
  if (error instanceof CallError && error.status < 500) return response.status(error.status).json({ message: error.message });
  next(error);
});
app.use(AWSXRay.express.closeSegment());
app.use((_error, _request, response, _next) => response.status(500).json({ message: 'something went wrong' }));

serve(app);
