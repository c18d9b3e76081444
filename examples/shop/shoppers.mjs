// The load: about ten requests a second of twenty people, not traced themselves.
import { endWithStarter, sleep } from './lib/service.mjs';

const { WEB_URL } = process.env;
const PER_SECOND = Number(process.env.SHOP_RATE ?? 10);
const MOST_AT_ONCE = 60;
const GIFT_CARD = 13;
const PEOPLE = [
  'ada',
  'ben',
  'cleo',
  'dan',
  'eve',
  'finn',
  'gus',
  'hana',
  'ivo',
  'jan',
  'kim',
  'lea',
  'max',
  'nora',
  'otto',
  'pia',
  'quinn',
  'rosa',
  'sam',
  'zoe',
];

const any = (list) => list[Math.floor(Math.random() * list.length)];
const product = () => 1 + Math.floor(Math.random() * 12);
const checkout = (id, card) => ['POST', '/checkout', { product: id, card }];

/** What happens how often in a hundred requests. */
const MIX = [
  [33, () => ['GET', '/']],
  [28, () => ['GET', `/products/${product()}`]],
  [2, () => ['GET', `/products/${900 + product()}`]], // an old link: 404
  [12, () => ['GET', `/search?q=${any(['lamp', 'te', 'chair', 'cup'])}`]], // more than the front allows: some 429
  [16, () => checkout(product(), 'good')],
  [1, () => checkout(product(), 'declined')], // 402
  [1, () => checkout(GIFT_CARD, 'good')], // an exception in orders: 500
  [5, () => ['GET', '/account/orders']],
  [2, () => ['GET', '/account/orders', undefined, 'mira']], // has ordered a lot: slow
];

/** Each hundred requests hold exactly the mix, in any order. */
function shuffled() {
  const deck = MIX.flatMap(([count, plan]) => Array.from({ length: count }, () => plan));
  for (let at = deck.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [deck[at], deck[other]] = [deck[other], deck[at]];
  }
  return deck;
}

async function visit([method, path, body, user = any(PEOPLE)]) {
  const plan = user === 'mira' ? 'business' : 'private';
  const headers = { 'x-user': user, 'x-plan': plan, 'user-agent': 'shoppers/1.0', ...(body && { 'content-type': 'application/json' }) };
  const response = await fetch(`${WEB_URL}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  await response.arrayBuffer();
}

endWithStarter();
process.stdout.write('listening 0\n');
let running = 0;
for (;;) {
  for (const plan of shuffled()) {
    await sleep((-Math.log(1 - Math.random()) * 1000) / PER_SECOND);
    if (running >= MOST_AT_ONCE) continue;
    running++;
    visit(plan())
      .catch(() => undefined) // the front is being started again
      .finally(() => running--);
  }
}
