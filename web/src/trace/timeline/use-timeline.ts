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
  const [find, setFind] = useState(search.find ?? '');
  const [selectedId, setSelectedId] = useSelectedId(search.row, find, set);
  const zoom = useZoom(model);
  const folds = useFolds(model);
  const matches = useMemo(() => findRows(model, find), [model, find]);
  const selected = selectedId === undefined ? undefined : model.indexById.get(selectedId);
  const { unfold } = folds;
  const select = useCallback(
    (index: number | undefined) => {
      setSelectedId(index === undefined ? undefined : model.rows[index]?.id);
      if (index !== undefined) unfold(ancestorsOf(model, index));
    },
    [model, setSelectedId, unfold],
  );
  return {
    model,
    ...zoom,
    ...folds,
    selected,
    find,
    matches,
    setFind,
    select,
    foldAll: () => {
      folds.foldAll();
      if (selected !== undefined) setSelectedId(model.rows[topOf(model, selected)]?.id);
    },
    step: (rows, by) => {
      const next =
        by > 0
          ? (rows.find((row) => row > (selected ?? -1)) ?? rows[0])
          : (rows.findLast((row) => row < (selected ?? Number.POSITIVE_INFINITY)) ?? rows.at(-1));
      if (next !== undefined) select(next);
    },
  };
}

type Zoom = Pick<Timeline, 'window' | 'zoomed' | 'setWindow' | 'zoom' | 'pan' | 'zoomToRow' | 'resetZoom'>;

/** Which part of the trace's time is shown; never more than all of it. */
function useZoom(model: TimelineModel): Zoom {
  const span = model.end - model.start;
  const [chosen, setChosen] = useState<TimeWindow | undefined>();
  const whole = useMemo((): TimeWindow => ({ from: -span * 0.005, to: span * 1.005 }), [span]);
  const window = chosen ?? whole;
  const length = window.to - window.from;
  const setWindow = useCallback(
    (next: TimeWindow) => {
      const most = whole.to - whole.from;
      const wanted = Math.min(Math.max(next.to - next.from, LEAST_WINDOW), most);
      const from = Math.min(Math.max(next.from, whole.from), whole.to - wanted);
      setChosen(wanted >= most * 0.999 ? undefined : { from, to: from + wanted });
    },
    [whole],
  );
  const zoomToRow = useCallback(
    (index: number) => {
      const row = model.rows[index]!;
      const from = row.startSeconds - model.start;
      const wide = Math.max((row.endSeconds ?? model.end) - row.startSeconds, span * 1e-5);
      setWindow({ from: from - wide * 0.1, to: from + wide * 1.25 });
    },
    [model, span, setWindow],
  );
  return {
    window,
    zoomed: chosen !== undefined,
    setWindow,
    zoomToRow,
    zoom: (factor, around = 0.5) => {
      const point = window.from + length * around;
      setWindow({ from: point - length * factor * around, to: point + length * factor * (1 - around) });
    },
    pan: (share) => setWindow({ from: window.from + length * share, to: window.to + length * share }),
    resetZoom: () => setChosen(undefined),
  };
}

interface Folds {
  readonly folded: ReadonlySet<number>;
  readonly visible: Int32Array;
  readonly toggle: (index: number) => void;
  readonly unfold: (indexes: readonly number[]) => void;
  readonly foldAll: () => void;
  readonly unfoldAll: () => void;
}

/** Folded rows are remembered by id: a trace that still grows gets new indexes. */
function useFolds(model: TimelineModel): Folds {
  const [ids, setIds] = useState<ReadonlySet<string>>(() => new Set());
  const folded = useMemo(() => new Set([...ids].flatMap((id) => model.indexById.get(id) ?? [])), [ids, model]);
  const visible = useMemo(() => visibleRows(model, folded), [model, folded]);
  const toggle = useCallback(
    (index: number) => {
      const { id } = model.rows[index]!;
      setIds((before) => {
        const next = new Set(before);
        if (!next.delete(id) && hasChildren(model, index)) next.add(id);
        return next;
      });
    },
    [model],
  );
  const unfold = useCallback(
    (indexes: readonly number[]) => {
      const open = new Set(indexes.map((index) => model.rows[index]!.id));
      setIds((before) => ([...open].some((id) => before.has(id)) ? new Set([...before].filter((id) => !open.has(id))) : before));
    },
    [model],
  );
  return {
    folded,
    visible,
    toggle,
    unfold,
    foldAll: () => setIds(new Set(model.rows.flatMap((row, index) => (row.parent >= 0 && hasChildren(model, index) ? [row.id] : [])))),
    unfoldAll: () => setIds(new Set()),
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
