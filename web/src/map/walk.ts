import type { GraphModel } from './graph-model.ts';
import type { MapLayout, Point } from './layout.ts';

export type Direction = 'left' | 'right' | 'up' | 'down';

/** Where an arrow key leads: left and right along calls, up and down to the next node of about the same column. */
export function neighbour(model: GraphModel, layout: MapLayout, from: string, direction: Direction): string | undefined {
  const here = layout.nodes[from];
  if (!here) return undefined;
  if (direction === 'right')
    return nearest(
      layout,
      here,
      (model.callees.get(from) ?? []).map((call) => call.to.key).filter((key) => key !== from),
    );
  if (direction === 'left')
    return nearest(
      layout,
      here,
      (model.callers.get(from) ?? []).map((call) => call.from.key).filter((key) => key !== from),
    );
  const sign = direction === 'down' ? 1 : -1;
  const beyond = model.nodes
    .map((node) => node.key)
    .filter((key) => key !== from && sign * (layout.nodes[key]?.y ?? here.y) > sign * here.y + 1);
  return nearest(layout, here, beyond, 3);
}

function nearest(layout: MapLayout, here: Point, keys: readonly string[], weightX = 0): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const key of keys) {
    const place = layout.nodes[key];
    if (!place) continue;
    const distance = Math.abs(place.y - here.y) + Math.abs(place.x - here.x) * weightX;
    if (distance < least) {
      least = distance;
      best = key;
    }
  }
  return best;
}
