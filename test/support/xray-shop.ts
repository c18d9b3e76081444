// Requests to a shop of two services and a table, as segment documents, and many small traces before them.

/** Everything happens in the five minutes before this minute, so that no range cuts through a minute of statistics. */
export const now = Math.floor(Date.now() / 60_000) * 60;
export const from = new Date((now - 300) * 1000);
export const to = new Date(now * 1000);
/** Many small traces, an hour before. */
export const BULK = 250;
export const bulkFrom = new Date((now - 3_900) * 1000);
export const bulkTo = new Date((now - 3_600) * 1000);

export const traceId = (number: number): string => `1-${Math.floor(now).toString(16)}-${number.toString(16).padStart(24, '0')}`;
export const id = (number: number): string => number.toString(16).padStart(16, '0');

/** A request to `shop` that asks `users` and a table; `number` makes its ids. */
export function requestDocuments(number: number, status: number): string[] {
  const start = now - 240 + number;
  const flags = status >= 500 ? { fault: true } : status === 429 ? { error: true, throttle: true } : status >= 400 ? { error: true } : {};
  const common = { trace_id: traceId(number) };
  const cause = status >= 500 ? { cause: { exceptions: [{ id: id(number * 16 + 9), type: 'TableGone', message: 'no such table' }] } } : {};
  const shop = {
    ...common,
    ...flags,
    name: 'shop',
    id: id(number * 16 + 1),
    origin: 'AWS::ECS::Container',
    start_time: start,
    end_time: start + 0.4,
    user: 'alice',
    http: {
      request: { method: 'GET', url: `http://shop.example/cart/${number}`, client_ip: '10.0.0.7', user_agent: 'curl' },
      response: { status },
    },
    annotations: { customer: `c${number}`, items: number, vip: number === 1 },
    subsegments: [
      {
        name: 'users',
        id: id(number * 16 + 2),
        start_time: start + 0.1,
        end_time: start + 0.3,
        namespace: 'remote',
        http: { response: { status: 200 } },
      },
      {
        ...flags,
        ...cause,
        name: 'DynamoDB',
        id: id(number * 16 + 3),
        start_time: start + 0.3,
        end_time: start + 0.35,
        namespace: 'aws',
        aws: { table_name: 'carts', operation: 'GetItem' },
      },
    ],
  };
  const users = {
    ...common,
    name: 'users',
    id: id(number * 16 + 4),
    parent_id: id(number * 16 + 2),
    start_time: start + 0.15,
    end_time: start + 0.25,
  };
  return [JSON.stringify(shop), JSON.stringify(users)];
}

/** Of each trace: its number and the status of its answer. */
export const REQUESTS: readonly (readonly [number, number])[] = [
  [1, 200],
  [2, 200],
  [3, 404],
  [4, 429],
  [5, 503],
];
