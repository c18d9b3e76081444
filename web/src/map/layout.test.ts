import { expect, test } from 'vitest';
import type { GraphAnswer } from '../core.ts';
import { around, toGraphModel } from './graph-model.ts';
import { layOut, NODE_HEIGHT, NODE_WIDTH, type MapLayout } from './layout.ts';
import { neighbour } from './walk.ts';

/** `a>b b>c`; nodes in order of appearance. */
function graphOf(text: string): GraphAnswer {
  const names = [...new Set(text.split(/[> ]/))];
  const outcomes = { ok: 1, error: 0, throttle: 0, fault: 0, total: 1, totalSeconds: 1 };
  const latency = { p50: 1, p90: 1, p99: 1, histogram: [] };
  return {
    from: 0,
    to: 60,
    nodes: names.map((name, id) => ({ id, name, type: 't', root: id === 0, active: true, outcomes, latency })),
    edges: text.split(' ').map((pair) => {
      const [from, to] = pair.split('>').map((name) => names.indexOf(name)) as [number, number];
      return { from, to, outcomes, latency };
    }),
  };
}

function place(answer: GraphAnswer): MapLayout {
  const model = toGraphModel(answer);
  return layOut({
    topology: model.topology,
    nodes: model.nodes.map((node) => ({ key: node.key, client: false })),
    edges: model.edges.map((edge) => ({ key: edge.key, from: edge.from.key, to: edge.to.key })),
  });
}

function overlaps(layout: MapLayout): number {
  const places = Object.values(layout.nodes);
  return places.filter((a, index) =>
    places.slice(index + 1).some((b) => Math.abs(a.x - b.x) < NODE_WIDTH && Math.abs(a.y - b.y) < NODE_HEIGHT),
  ).length;
}

test('callees stand right of their callers, cycles and self calls included', () => {
  const { nodes } = place(graphOf('a>b b>c b>b c>a a>d'));
  expect(nodes['a@t']!.x).toBeLessThan(nodes['b@t']!.x);
  expect(nodes['b@t']!.x).toBeLessThan(nodes['c@t']!.x);
});

test('the layout does not depend on the order of the answer', () => {
  const answer = graphOf('a>b b>c a>d d>c');
  const shuffled = { ...answer, nodes: answer.nodes.toReversed(), edges: answer.edges.toReversed() };
  expect(place(shuffled).nodes).toEqual(place(answer).nodes);
});

test('a wide graph is folded to the shape of a screen without overlaps', () => {
  const layout = place(graphOf(Array.from({ length: 300 }, (_, index) => `hub>leaf${index}`).join(' ')));
  const xs = Object.values(layout.nodes).map((point) => point.x);
  const ys = Object.values(layout.nodes).map((point) => point.y);
  const ratio = (Math.max(...xs) - Math.min(...xs)) / (Math.max(...ys) - Math.min(...ys));
  expect(ratio).toBeGreaterThan(0.7);
  expect(ratio).toBeLessThan(4);
  expect(overlaps(layout)).toBe(0);
});

test('arrow keys lead along calls', () => {
  const answer = graphOf('a>b a>c b>d');
  const model = toGraphModel(answer);
  const layout = place(answer);
  expect(neighbour(model, layout, 'b@t', 'right')).toBe('d@t');
  expect(neighbour(model, layout, 'b@t', 'left')).toBe('a@t');
  expect(neighbour(model, layout, 'd@t', 'right')).toBeUndefined();
});

test('around() keeps callers and callees of all degrees, and not their other neighbours', () => {
  const model = around(toGraphModel(graphOf('a>b b>c a>x y>c')), 'b@t');
  expect(model.nodes.map((node) => node.name)).toEqual(['a', 'b', 'c']);
  expect(model.edges).toHaveLength(2);
});
