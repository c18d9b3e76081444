import { useMemo } from 'react';
import type { GraphModel } from './graph-model.ts';
import type { Emphasis } from './flow-types.ts';

export interface Emphases {
  readonly node: (key: string) => Emphasis;
  readonly edge: (key: string, from: string, to: string) => Emphasis;
}

interface Focus {
  readonly node: string | undefined;
  readonly edge: string | undefined;
  readonly hovered: string | undefined;
  readonly find: string;
}

/** A search dims what does not match; else the chosen (or pointed at) node lights its neighbours and dims the rest. */
export function useEmphasis(model: GraphModel | undefined, { node, edge, hovered, find }: Focus): Emphases {
  return useMemo(() => {
    const text = find.trim().toLowerCase();
    const center = node !== undefined && model?.byKey.has(node) ? node : undefined;
    const matches = (key: string): boolean => key.toLowerCase().includes(text);
    if (text !== '') {
      return {
        node: (key) => (key === center ? 'chosen' : matches(key) ? 'plain' : 'dim'),
        edge: (key, from, to) => (key === edge ? 'chosen' : matches(from) || matches(to) ? 'plain' : 'dim'),
      };
    }
    const lit = center ?? hovered;
    if (lit !== undefined && model) {
      const near = new Set([
        lit,
        ...(model.callers.get(lit) ?? []).map((call) => call.from.key),
        ...(model.callees.get(lit) ?? []).map((call) => call.to.key),
      ]);
      return {
        node: (key) => (key === center ? 'chosen' : near.has(key) ? 'near' : center ? 'dim' : 'plain'),
        edge: (key, from, to) => (key === edge ? 'chosen' : from === lit || to === lit ? 'near' : center ? 'dim' : 'plain'),
      };
    }
    return { node: () => 'plain', edge: (key) => (key === edge ? 'chosen' : 'plain') };
  }, [model, node, edge, hovered, find]);
}
