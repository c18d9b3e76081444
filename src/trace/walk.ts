/** Ways through a segment's tree without recursion: traces may be thousands of levels deep. */
import type { Entity } from './model.ts';

/** Visits `top`, then its subsegments at any depth, each before what it holds, in start order. Does not enter callees. */
export function forEachEntity(top: Entity, visit: (entity: Entity) => void): void {
  const pending = [top];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    visit(next);
    for (let index = next.children.length - 1; index >= 0; index -= 1) {
      const child = next.children[index];
      if (child !== undefined) pending.push(child);
    }
  }
}

/** The first entity of the tree under `top` (itself included, callees not) that `test` accepts. */
export function findEntity(top: Entity, test: (entity: Entity) => boolean): Entity | undefined {
  const pending = [top];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (test(next)) return next;
    for (let index = next.children.length - 1; index >= 0; index -= 1) {
      const child = next.children[index];
      if (child !== undefined) pending.push(child);
    }
  }
  return undefined;
}
