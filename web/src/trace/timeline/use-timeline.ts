import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useView } from '../../app/view.ts';
import { ancestorsOf, findRows, hasChildren, positionOf, visibleRows, type TimelineModel } from './model.ts';
import type { TimeWindow } from './paint.ts';

/** The URL follows the selection when it has stood still this long: holding an arrow key must stay fluent. */
const URL_DELAY_MS = 120;
const LEAST_WINDOW = 1e-6;

export interface Timeline {
  readonly model: TimelineModel;
  readonly visible: Int32Array;
  readonly folded: ReadonlySet<number>;
  readonly selected: number | undefined;
  readonly window: TimeWindow;
  readonly zoomed: boolean;
  readonly find: string;
  readonly matches: readonly number[];
  readonly setFind: (text: string) => void;
  readonly select: (index: number | undefined) => void;
  readonly toggle: (index: number) => void;
  readonly foldAll: () => void;
  readonly unfoldAll: () => void;
  /** Seconds since the trace's start. */
  readonly setWindow: (window: TimeWindow) => void;
  /** `factor` < 1 zooms in, around a point of the window (0–1). */
  readonly zoom: (factor: number, around?: number) => void;
  /** By a share of the window. */
  readonly pan: (share: number) => void;
  readonly zoomToRow: (index: number) => void;
  readonly resetZoom: () => void;
  /** The next of some rows after the selected one, around the end; selects it. */
  readonly step: (rows: readonly number[], by: 1 | -1) => void;
}

export function useTimeline(model: TimelineModel): Timeline {
  const { search, set } = useView();
  const span = model.end - model.start;
  const [folded, setFolded] = useState<ReadonlySet<number>>(() => new Set());
  const [window, setRawWindow] = useState<TimeWindow | undefined>();
  const [find, setFind] = useState(search.find ?? '');
  const [selectedId, setSelectedId] = useSelectedId(search.row, find, set);
  const visible = useMemo(() => visibleRows(model, folded), [model, folded]);
  const matches = useMemo(() => findRows(model, find), [model, find]);
  const selected = selectedId === undefined ? undefined : model.indexById.get(selectedId);
  const whole = useMemo((): TimeWindow => ({ from: -span * 0.005, to: span * 1.005 }), [span]);
  const shown = window ?? whole;

  const setWindow = useCallback(
    (next: TimeWindow) => {
      const length = Math.min(Math.max(next.to - next.from, LEAST_WINDOW), whole.to - whole.from);
      const from = Math.min(Math.max(next.from, whole.from), whole.to - length);
      setRawWindow(length >= (whole.to - whole.from) * 0.999 ? undefined : { from, to: from + length });
    },
    [whole],
  );
  const select = useCallback(
    (index: number | undefined) => {
      const row = index === undefined ? undefined : model.rows[index];
      setSelectedId(row?.id);
      if (index === undefined) return;
      const above = ancestorsOf(model, index);
      setFolded((before) =>
        above.some((item) => before.has(item)) ? new Set([...before].filter((item) => !above.includes(item))) : before,
      );
    },
    [model, setSelectedId],
  );
  const zoom = useCallback(
    (factor: number, around = 0.5) => {
      const length = shown.to - shown.from;
      const point = shown.from + length * around;
      setWindow({ from: point - length * factor * around, to: point + length * factor * (1 - around) });
    },
    [shown, setWindow],
  );
  return {
    model,
    visible,
    folded,
    selected,
    window: shown,
    zoomed: window !== undefined,
    find,
    matches,
    setFind,
    select,
    toggle: useCallback(
      (index: number) =>
        setFolded((before) => {
          const next = new Set(before);
          if (!next.delete(index) && hasChildren(model, index)) next.add(index);
          return next;
        }),
      [model],
    ),
    foldAll: () => {
      setFolded(new Set(model.rows.flatMap((row, index) => (row.parent >= 0 && hasChildren(model, index) ? [index] : []))));
      if (selected !== undefined) setSelectedId(model.rows[topOf(model, selected)]?.id);
    },
    unfoldAll: () => setFolded(new Set()),
    setWindow,
    zoom,
    pan: (share) => setWindow({ from: shown.from + (shown.to - shown.from) * share, to: shown.to + (shown.to - shown.from) * share }),
    zoomToRow: (index) => {
      const row = model.rows[index]!;
      const from = row.startSeconds - model.start;
      const length = Math.max((row.endSeconds ?? model.end) - row.startSeconds, span * 1e-5);
      setWindow({ from: from - length * 0.1, to: from + length * 1.25 });
    },
    resetZoom: () => setRawWindow(undefined),
    step: (rows, by) => {
      const next =
        by > 0
          ? (rows.find((row) => row > (selected ?? -1)) ?? rows[0])
          : (rows.findLast((row) => row < (selected ?? Number.POSITIVE_INFINITY)) ?? rows.at(-1));
      if (next !== undefined) select(next);
    },
  };
}

/** The row at depth 1 or 0 that holds `index`: what stays visible when all is folded. */
function topOf(model: TimelineModel, index: number): number {
  let row = index;
  while ((model.rows[row]?.depth ?? 0) > 1) row = model.rows[row]!.parent;
  return row;
}

/** The selection lives here for speed and in the URL for sharing; the URL's changes (going back) win. */
function useSelectedId(
  inUrl: string | undefined,
  find: string,
  set: ReturnType<typeof useView>['set'],
): readonly [string | undefined, (id: string | undefined) => void] {
  const [id, setId] = useState(inUrl);
  const written = useRef(inUrl);
  useEffect(() => {
    if (inUrl === written.current) return;
    written.current = inUrl;
    setId(inUrl);
  }, [inUrl]);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    const timer = setTimeout(() => {
      written.current = id;
      set({ row: id, find: find || undefined }, true);
    }, URL_DELAY_MS);
    return () => clearTimeout(timer);
  }, [id, find, set]);
  return [id, setId];
}

/** The neighbour among visible rows; the first when nothing is selected. */
export function moved(timeline: Timeline, by: number): number | undefined {
  const { visible, selected } = timeline;
  const position = selected === undefined ? (by > 0 ? -1 : visible.length) : positionOf(visible, selected);
  return visible[Math.min(Math.max(position + by, 0), visible.length - 1)];
}
