import { useMemo } from 'react';
import { meanSeconds, OUTCOME_STYLE, shares, type Shares } from '../health/health.ts';
import { OutcomeIcon } from '../health/outcome-icon.tsx';
import { HealthRing } from '../health/ring.tsx';
import { formatDuration, formatRate, formatShare } from '../time/format.ts';
import { SortHeader, type SortState } from '../ui/sort-header.tsx';
import type { GraphModel, MapNode } from './graph-model.ts';
import { NodeIcon, typeLabel } from './node-icon.tsx';

const VALUES = {
  name: (node: MapNode) => node.name.toLowerCase(),
  type: (node: MapNode) => typeLabel(node.type).toLowerCase(),
  rate: (node: MapNode) => node.outcomes?.total ?? 0,
  average: (node: MapNode) => (node.outcomes ? meanSeconds(node.outcomes) : 0),
  p50: (node: MapNode) => node.latency?.p50 ?? 0,
  p90: (node: MapNode) => node.latency?.p90 ?? 0,
  p99: (node: MapNode) => node.latency?.p99 ?? 0,
  error: (node: MapNode) => share(node, 'error'),
  throttle: (node: MapNode) => share(node, 'throttle'),
  fault: (node: MapNode) => share(node, 'fault'),
} as const;

type Column = keyof typeof VALUES;

const COLUMNS: readonly (readonly [Column, string, boolean])[] = [
  ['name', 'Service', false],
  ['type', 'Kind', false],
  ['rate', 'Requests', true],
  ['average', 'Average', true],
  ['p50', 'p50', true],
  ['p90', 'p90', true],
  ['p99', 'p99', true],
  ['error', 'Errors', true],
  ['throttle', 'Throttles', true],
  ['fault', 'Faults', true],
];

interface MapListProps {
  readonly model: GraphModel;
  readonly find: string;
  readonly chosen: string | undefined;
  readonly sort: SortState;
  readonly onSort: (sort: string) => void;
  readonly onNode: (key: string) => void;
}

/** The map as a table: the same nodes, sortable; also the form for screen readers. */
export function MapList({ model, find, chosen, sort, onSort, onNode }: MapListProps) {
  const column: Column = sort.column in VALUES ? (sort.column as Column) : 'fault';
  const rows = useMemo(() => {
    const read = VALUES[column];
    const sign = sort.descending ? -1 : 1;
    const text = find.trim().toLowerCase();
    return model.nodes
      .filter((node) => node.type !== 'client' && node.key.toLowerCase().includes(text))
      .toSorted((a, b) => sign * compare(read(a), read(b)) || VALUES.rate(b) - VALUES.rate(a));
  }, [model, find, column, sort.descending]);
  const rangeSeconds = model.toSeconds - model.fromSeconds;
  return (
    <div className="h-full overflow-auto pt-14">
      <table className="w-full border-collapse text-left" aria-label="Services">
        <thead className="sticky top-0 z-10 bg-bg">
          <tr>
            {COLUMNS.map(([key, label, numeric]) => (
              <SortHeader
                key={key}
                column={key}
                label={label}
                numeric={numeric}
                sort={{ column, descending: sort.descending }}
                onSort={onSort}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((node) => (
            <tr
              key={node.key}
              aria-selected={chosen === node.key}
              onClick={() => onNode(node.key)}
              className="cursor-pointer border-t border-line hover:bg-panel aria-selected:bg-accent-soft"
            >
              <td className="max-w-80 py-1.5 pl-4">
                <button type="button" className="flex max-w-full items-center gap-2 text-left font-medium">
                  <HealthRing outcomes={node.outcomes} size={26} />
                  <span className="truncate" title={node.name}>
                    {node.name}
                  </span>
                </button>
              </td>
              <td className="px-3 text-muted">
                <span className="flex items-center gap-1.5 whitespace-nowrap">
                  <NodeIcon type={node.type} size={14} />
                  {typeLabel(node.type)}
                </span>
              </td>
              <td className="px-3 text-right">{node.outcomes ? formatRate(node.outcomes.total, rangeSeconds) : '–'}</td>
              {(['average', 'p50', 'p90', 'p99'] as const).map((key) => (
                <td key={key} className="px-3 text-right">
                  {node.outcomes ? formatDuration(VALUES[key](node)) : '–'}
                </td>
              ))}
              {(['error', 'throttle', 'fault'] as const).map((key) => (
                <td key={key} className="px-3 text-right">
                  <Share outcome={key} value={share(node, key)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function share(node: MapNode, outcome: keyof Shares): number {
  return node.outcomes ? shares(node.outcomes)[outcome] : 0;
}

function Share({ outcome, value }: { readonly outcome: 'error' | 'throttle' | 'fault'; readonly value: number }) {
  if (value === 0) return <span className="text-faint">{formatShare(0)}</span>;
  return (
    <span className="inline-flex items-center gap-1 font-medium" style={{ color: OUTCOME_STYLE[outcome].text }}>
      <OutcomeIcon outcome={outcome} size={11} /> {formatShare(value)}
    </span>
  );
}

function compare(a: string | number, b: string | number): number {
  return typeof a === 'string' || typeof b === 'string' ? String(a).localeCompare(String(b)) : a - b;
}
