import { expect, test } from 'vitest';
import { parseEntitySelector } from './entity-selector.ts';

test.each([
  ['service("api")', { kind: 'node', to: { name: 'api' } }],
  ['service()', { kind: 'node' }],
  ['service(id(name: "api", type: "AWS::ECS::Container"))', { kind: 'node', to: { name: 'api', type: 'AWS::ECS::Container' } }],
  ['edge("a", "b")', { kind: 'edge', from: { name: 'a' }, to: { name: 'b' } }],
  ['edge(id(type: "client"), "b")', { kind: 'edge', from: { type: 'client' }, to: { name: 'b' } }],
  ['edge("a",)', { kind: 'edge', from: { name: 'a' } }],
  ['edge(, "b")', { kind: 'edge', to: { name: 'b' } }],
  [
    ' Edge ( id(name:"a",type:"t1"), id(name:"b",type:"t2") ) ',
    { kind: 'edge', from: { name: 'a', type: 't1' }, to: { name: 'b', type: 't2' } },
  ],
])('parseEntitySelector() reads %s', (text, expected) => {
  expect(parseEntitySelector(text)).toEqual({ ok: true, value: expected });
});

test.each([
  ['fault', 'it must be service(…) or edge(…)'],
  ['', 'it must be service(…) or edge(…)'],
  ['service("a") AND service("b")', 'it must be service(…) or edge(…)'],
  ['!service("a")', 'it must be service(…) or edge(…)'],
  ['service("a") { fault }', 'a block has no meaning here (position 15)'],
  ['service(id(account.id: "123456789012"))', 'leave account.id out'],
  ['service("a"', 'to close service('],
])('parseEntitySelector() refuses %s', (text, message) => {
  const result = parseEntitySelector(text);
  expect(result).toMatchObject({ ok: false, error: { type: 'InvalidRequestException' } });
  expect(result.ok ? '' : result.error.message).toContain(message);
});
