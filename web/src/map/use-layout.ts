import { useEffect, useRef, useState } from 'react';
import type { GraphModel } from './graph-model.ts';
import type { MapLayout } from './layout.ts';

/** The layout of a graph, made in a worker and only when nodes or edges come or go; the last one stays until the next is ready. */
export function useLayout(model: GraphModel | undefined): MapLayout | undefined {
  const [layout, setLayout] = useState<MapLayout | undefined>();
  const worker = useRef<Worker | undefined>(undefined);
  const topology = model?.topology;
  useEffect(() => {
    if (model === undefined || model.nodes.length === 0) return;
    worker.current ??= new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
    let wanted = true;
    worker.current.onmessage = (event: MessageEvent<MapLayout>) => wanted && setLayout(event.data);
    worker.current.postMessage({
      topology,
      nodes: model.nodes.map((node) => ({ key: node.key, client: node.type === 'client' })),
      edges: model.edges.map((edge) => ({ key: edge.key, from: edge.from.key, to: edge.to.key })),
    });
    return () => {
      wanted = false;
    };
    // The model changes with every answer; its shape does not.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [topology]);
  useEffect(
    () => () => {
      worker.current?.terminate();
      worker.current = undefined;
    },
    [],
  );
  return layout;
}
