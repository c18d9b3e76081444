import { ArrowDown, ArrowUp } from 'lucide-react';

export interface SortState {
  readonly column: string;
  readonly descending: boolean;
}

/** `-start` is descending. */
export function parseSort(text: string | undefined, otherwise: string): SortState {
  const value = text ?? otherwise;
  return value.startsWith('-') ? { column: value.slice(1), descending: true } : { column: value, descending: false };
}

interface SortHeaderProps {
  readonly column: string;
  readonly label: string;
  readonly numeric: boolean;
  readonly sort: SortState;
  readonly onSort: (sort: string) => void;
}

/** A column's head: sorts by it, numbers from the largest first. */
export function SortHeader({ column, label, numeric, sort, onSort }: SortHeaderProps) {
  const active = sort.column === column;
  return (
    <th
      scope="col"
      aria-sort={active ? (sort.descending ? 'descending' : 'ascending') : 'none'}
      className={`px-3 py-2 font-medium whitespace-nowrap first:pl-4 ${numeric ? 'text-right' : ''}`}
    >
      <SortButton column={column} label={label} numeric={numeric} sort={sort} onSort={onSort} />
    </th>
  );
}

export function SortButton({ column, label, numeric, sort, onSort }: SortHeaderProps) {
  const active = sort.column === column;
  const next = active ? (sort.descending ? column : `-${column}`) : numeric ? `-${column}` : column;
  const Arrow = sort.descending ? ArrowDown : ArrowUp;
  return (
    <button
      type="button"
      onClick={() => onSort(next)}
      className={`inline-flex items-center gap-1 text-xs hover:text-text ${active ? 'text-text' : 'text-muted'} ${numeric ? 'flex-row-reverse' : ''}`}
    >
      {label}
      <Arrow size={12} aria-hidden className={active ? '' : 'invisible'} />
    </button>
  );
}
