/** The view as it stands in the URL. All values are plain strings, so that links can be read and written by hand. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import { DEFAULT_RANGE, rangeOrDefault, type TimeRange } from '../time/range.ts';

export interface ViewSearch {
  /** `1h` or `<from>~<to>`. */
  range?: string;
  /** Filter expression. */
  filter?: string;
  /** Map: the selected node or edge, `name@type`, `name@type -> name@type`. */
  node?: string;
  edge?: string;
  /** Map: only this node with its callers and callees. */
  only?: string;
  /** Map: `list` for the table. */
  view?: string;
  /** Trace list: `column` or `-column`. */
  sort?: string;
  /** Trace: the selected row's id, the tab of its pane. */
  row?: string;
  tab?: string;
  /** Search within the map or the trace. */
  find?: string;
}

const KEYS = [
  'range',
  'filter',
  'node',
  'edge',
  'only',
  'view',
  'sort',
  'row',
  'tab',
  'find',
] as const satisfies readonly (keyof ViewSearch)[];

export function validateView(raw: Record<string, unknown>): ViewSearch {
  const view: ViewSearch = {};
  for (const key of KEYS) {
    const value = raw[key] ?? (key === 'range' ? raw['timeRange'] : undefined);
    if (typeof value === 'string' && value !== '') view[key] = value;
  }
  return view;
}

export function parseQuery(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Readable query strings: `~:@,/()"` stay as they are where a URL allows them. */
export function stringifyQuery(view: Record<string, unknown>): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(view)) {
    if (typeof value !== 'string' || value === '') continue;
    const encoded = encodeURIComponent(value)
      .replace(/%20/g, '+')
      .replace(/%3A/g, ':')
      .replace(/%40/g, '@')
      .replace(/%2F/g, '/')
      .replace(/%2C/g, ',');
    parts.push(`${key}=${encoded}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

export type ViewPatch = { readonly [K in keyof ViewSearch]?: string | undefined };

export interface View {
  readonly search: ViewSearch;
  readonly range: TimeRange;
  readonly filter: string;
  /** Changes parts of the view; `undefined` removes one. `replace` leaves no step in the history. */
  readonly set: (patch: ViewPatch, replace?: boolean) => void;
}

export function useView(): View {
  const search = useSearch({ strict: false }) as ViewSearch;
  const navigate = useNavigate();
  const set = useCallback(
    (patch: ViewPatch, replace = false) => void navigate({ to: '.', search: (before) => applyPatch(before as ViewSearch, patch), replace }),
    [navigate],
  );
  const range = useMemo(() => rangeOrDefault(search.range), [search.range]);
  return { search, range, filter: search.filter ?? '', set };
}

export function applyPatch(before: ViewSearch, patch: ViewPatch): ViewSearch {
  const after: Record<string, string> = {};
  for (const [key, value] of Object.entries({ ...before, ...patch })) if (value !== undefined && value !== '') after[key] = value;
  if (after['range'] === DEFAULT_RANGE) delete after['range'];
  return after;
}

/** What stays when going to another page. */
export function carried(search: ViewSearch, patch: ViewPatch = {}): ViewSearch {
  return applyPatch({ ...(search.range ? { range: search.range } : {}), ...(search.filter ? { filter: search.filter } : {}) }, patch);
}
