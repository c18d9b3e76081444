import { useKeys } from '../../app/keys.ts';
import { hasChildren } from './model.ts';
import { moved, type Timeline } from './use-timeline.ts';

const PAGE_ROWS = 20;

export function useTimelineKeys(timeline: Timeline, focusFind: () => void): void {
  const { model, selected, folded, visible } = timeline;
  const move = (by: number) => () => timeline.select(moved(timeline, by));
  const right = (): void => {
    if (selected === undefined) return timeline.select(visible[0]);
    if (folded.has(selected)) timeline.toggle(selected);
    else if (hasChildren(model, selected)) timeline.select(selected + 1);
  };
  const left = (): void => {
    if (selected === undefined) return;
    const parent = model.rows[selected]!.parent;
    if (hasChildren(model, selected) && !folded.has(selected)) timeline.toggle(selected);
    else if (parent >= 0) timeline.select(parent);
  };
  useKeys({
    ArrowDown: move(1),
    ArrowUp: move(-1),
    j: move(1),
    k: move(-1),
    PageDown: move(PAGE_ROWS),
    PageUp: move(-PAGE_ROWS),
    Home: move(-1e9),
    End: move(1e9),
    ArrowRight: right,
    ArrowLeft: left,
    e: timeline.unfoldAll,
    c: timeline.foldAll,
    n: () => timeline.step(timeline.matches, 1),
    N: () => timeline.step(timeline.matches, -1),
    f: () => timeline.step(model.failing, 1),
    F: () => timeline.step(model.failing, -1),
    z: () => selected !== undefined && (timeline.zoomToRow(selected), true),
    '0': timeline.resetZoom,
    '+': () => timeline.zoom(0.6),
    '=': () => timeline.zoom(0.6),
    '-': () => timeline.zoom(1 / 0.6),
    a: () => timeline.pan(-0.2),
    d: () => timeline.pan(0.2),
    '/': focusFind,
    Escape: () => (timeline.selected === undefined ? timeline.resetZoom() : timeline.select(undefined)),
  });
}
