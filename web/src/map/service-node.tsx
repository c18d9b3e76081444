import { Handle, Position, type NodeProps } from '@xyflow/react';
import { memo } from 'react';
import { describeOutcomes, meanSeconds, notableOutcome, OUTCOME_STYLE, OUTCOMES, shares } from '../health/health.ts';
import { OutcomeIcon } from '../health/outcome-icon.tsx';
import { HealthRing } from '../health/ring.tsx';
import { formatDuration, formatTraffic, formatShare } from '../time/format.ts';
import type { ServiceFlowNode } from './flow-types.ts';
import type { MapNode } from './graph-model.ts';
import { CLIENT_HEIGHT, CLIENT_WIDTH, NODE_HEIGHT, NODE_WIDTH } from './layout.ts';
import { NodeIcon, typeLabel } from './node-icon.tsx';

/** Where the element with the keyboard's focus is found again. */
export const nodeElementId = (key: string): string => `map-node-${key}`;

export const ServiceNode = memo(function ServiceNode({ data }: NodeProps<ServiceFlowNode>) {
  const { node, rangeSeconds, emphasis, current } = data;
  const client = node.type === 'client';
  const size = client ? { width: CLIENT_WIDTH, height: CLIENT_HEIGHT } : { width: NODE_WIDTH, height: NODE_HEIGHT };
  return (
    <div
      id={nodeElementId(node.key)}
      role="button"
      tabIndex={current ? 0 : -1}
      aria-pressed={emphasis === 'chosen'}
      aria-label={describeNode(node, rangeSeconds)}
      data-emphasis={emphasis}
      data-health={notableOutcome(node.outcomes)}
      data-testid="map-node"
      style={size}
      className={`map-node flex items-center gap-2 border bg-panel px-2 transition-opacity ${client ? 'rounded-full' : 'rounded-xl'} ${node.active || client ? 'border-line-strong' : 'border-dashed border-line-strong'}`}
    >
      <Handle type="target" position={Position.Left} isConnectable={false} className="invisible" />
      {client ? (
        <span className="pl-1.5 text-muted">
          <NodeIcon type={node.type} />
        </span>
      ) : (
        <HealthRing outcomes={node.outcomes} size={46}>
          <NodeIcon type={node.type} />
        </HealthRing>
      )}
      <div className="min-w-0 flex-1 leading-tight">
        <div className="truncate font-semibold" title={node.name}>
          {client ? 'Clients' : node.name}
        </div>
        {client ? <div className="truncate text-2xs text-muted">of {node.name}</div> : <Figures node={node} rangeSeconds={rangeSeconds} />}
      </div>
      <Handle type="source" position={Position.Right} isConnectable={false} className="invisible" />
    </div>
  );
});

function Figures({ node, rangeSeconds }: { readonly node: MapNode; readonly rangeSeconds: number }) {
  if (!node.outcomes) return <div className="truncate text-2xs text-muted">{typeLabel(node.type)}</div>;
  const parts = shares(node.outcomes);
  const failing = OUTCOMES.filter((outcome) => outcome !== 'ok' && parts[outcome] > 0);
  return (
    <div className="map-figures">
      <div className="truncate text-xs">
        {formatTraffic(node.outcomes.total, rangeSeconds)}{' '}
        <span className="text-muted">· avg {formatDuration(meanSeconds(node.outcomes))}</span>
      </div>
      <div className="flex gap-2 text-2xs whitespace-nowrap">
        {failing.length === 0 ? (
          <span className="truncate text-muted">{typeLabel(node.type)}</span>
        ) : (
          failing.slice(0, 2).map((outcome) => (
            <span key={outcome} className="inline-flex items-center gap-0.5 font-medium" style={{ color: OUTCOME_STYLE[outcome].text }}>
              <OutcomeIcon outcome={outcome} size={11} /> {formatShare(parts[outcome])}
            </span>
          ))
        )}
      </div>
    </div>
  );
}

export function describeNode(node: MapNode, rangeSeconds: number): string {
  if (node.type === 'client') return `Clients of ${node.name}`;
  if (!node.outcomes) return `${node.name}, ${typeLabel(node.type)}`;
  return `${node.name}, ${typeLabel(node.type)}, ${formatTraffic(node.outcomes.total, rangeSeconds)}, average ${formatDuration(meanSeconds(node.outcomes))}, ${describeOutcomes(node.outcomes, formatShare)}`;
}
