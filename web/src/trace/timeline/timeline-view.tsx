import { useEffect, useMemo, useRef, useState } from 'react';
import { useTheme } from '../../app/theme.ts';
import { useRows } from '../../ui/use-rows.ts';
import { useSize } from '../../ui/use-size.ts';
import { Axis, AXIS_HEIGHT, axisTicks, Overview, OVERVIEW_HEIGHT } from './axis.tsx';
import { Bars } from './bars.tsx';
import { nodeColor } from './colors.ts';
import { positionOf } from './model.ts';
import { ROW_HEIGHT } from './paint.ts';
import { rowElementId, TimelineRow } from './timeline-row.tsx';
import { Toolbar } from './toolbar.tsx';
import type { Timeline } from './use-timeline.ts';
import { useTimelineKeys } from './use-timeline-keys.ts';

const SCROLLBAR = 10;

/** The waterfall: names as a tree on the left, bars over time on the right. */
export function TimelineView({ timeline }: { readonly timeline: Timeline }) {
  const [frame, { width }] = useSize();
  const [nameShare, setNameShare] = useState(0.36);
  const find = useRef<HTMLInputElement>(null);
  const nameWidth = Math.round(Math.max(width * nameShare, 180));
  const barsWidth = Math.max(width - nameWidth - SCROLLBAR, 50);
  const ticks = useMemo(() => axisTicks(timeline.window, barsWidth), [timeline.window, barsWidth]);
  const columns: Columns = { nameWidth, barsWidth, ticks };
  useTimelineKeys(timeline, () => find.current?.select());
  return (
    <div ref={frame} className="flex h-full min-h-0 flex-col" data-testid="timeline">
      <Toolbar timeline={timeline} findRef={find} />
      <Head timeline={timeline} {...columns} />
      <div className="relative min-h-0 flex-1">
        {width > 0 && <Rows timeline={timeline} {...columns} />}
        <Divider left={nameWidth} onMove={(x) => setNameShare(Math.min(Math.max(x / width, 0.12), 0.75))} />
      </div>
    </div>
  );
}

interface Columns {
  readonly nameWidth: number;
  readonly barsWidth: number;
  readonly ticks: readonly number[];
}

function Head({ timeline, nameWidth, barsWidth, ticks }: Columns & { readonly timeline: Timeline }) {
  const all = timeline.model.rows.length.toLocaleString('en-US');
  const shown = timeline.visible.length.toLocaleString('en-US');
  return (
    <div className="flex shrink-0 border-b border-line" style={{ height: OVERVIEW_HEIGHT + AXIS_HEIGHT }}>
      <div style={{ width: nameWidth }} className="flex items-end border-r border-line px-3 pb-1 text-xs text-muted">
        {shown === all ? `${all} rows` : `${shown} of ${all} rows`}
      </div>
      <div>
        <Overview timeline={timeline} width={barsWidth} />
        <Axis timeline={timeline} width={barsWidth} ticks={ticks} />
      </div>
    </div>
  );
}

function Rows({ timeline, nameWidth, barsWidth, ticks }: Columns & { readonly timeline: Timeline }) {
  const { model, visible, folded, selected, matches, select, toggle, zoomToRow } = timeline;
  const { theme } = useTheme();
  const scroller = useRef<HTMLDivElement>(null);
  const matching = useMemo(() => new Set(matches), [matches]);
  const virtual = useRows({ count: visible.length, scroller, rowHeight: ROW_HEIGHT, overscan: 8 });
  const items = virtual.getVirtualItems();
  const seen = { firstSeen: items[0]?.index ?? 0, lastSeen: items.at(-1)?.index ?? 0 };
  // A neighbour comes in at the edge, a far row in the middle.
  const isNear = (position: number): boolean => position >= seen.firstSeen && position <= seen.lastSeen;
  useReveal(timeline, (position) => virtual.scrollToIndex(position, { align: isNear(position) ? 'auto' : 'center' }));
  useWheelZoom(scroller, timeline, nameWidth, barsWidth);
  return (
    <div
      ref={scroller}
      role="treegrid"
      aria-label="Timeline"
      aria-rowcount={model.rows.length}
      aria-activedescendant={selected === undefined ? undefined : rowElementId(selected)}
      tabIndex={0}
      className="relative h-full overflow-x-hidden overflow-y-scroll focus-visible:outline-offset-[-2px]"
    >
      <div className="relative overflow-clip" role="rowgroup" style={{ height: virtual.getTotalSize() }}>
        <Bars timeline={timeline} left={nameWidth} width={barsWidth} ticks={ticks} {...seen} />
        {items.map((item) => {
          const index = visible[item.index]!;
          const row = model.rows[index]!;
          return (
            <TimelineRow
              key={row.id}
              row={row}
              index={index}
              top={item.start}
              nameWidth={nameWidth}
              color={nodeColor(model.nodeIndex[index]!, theme)}
              traceStart={model.start}
              below={model.subtreeEnd[index]! - index - 1}
              folded={folded.has(index)}
              selected={selected === index}
              match={matching.has(index)}
              onSelect={select}
              onToggle={toggle}
              onZoom={zoomToRow}
            />
          );
        })}
      </div>
    </div>
  );
}

/** Scrolls to the selected row when the selection moved, not when the reader scrolls. */
function useReveal({ selected, visible }: Timeline, scrollTo: (position: number) => void): void {
  const shown = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (selected === shown.current) return;
    shown.current = selected;
    const position = selected === undefined ? -1 : positionOf(visible, selected);
    if (position >= 0) scrollTo(position);
  });
}

/** Ctrl (or a pinch) zooms around the pointer, Shift or a sideways wheel moves in time; else the list scrolls as always. */
function useWheelZoom(scroller: React.RefObject<HTMLDivElement | null>, timeline: Timeline, nameWidth: number, barsWidth: number): void {
  const latest = useRef({ timeline, nameWidth, barsWidth });
  useEffect(() => {
    latest.current = { timeline, nameWidth, barsWidth };
  });
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const listen = (event: WheelEvent): void => {
      const now = latest.current;
      const around = (event.clientX - element.getBoundingClientRect().left - now.nameWidth) / now.barsWidth;
      if (event.ctrlKey || event.metaKey)
        now.timeline.zoom(Math.exp(Math.min(Math.max(event.deltaY, -60), 60) * 0.008), Math.min(Math.max(around, 0), 1));
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        now.timeline.pan(((event.deltaX || event.deltaY) / now.barsWidth) * 1);
      else return;
      event.preventDefault();
    };
    element.addEventListener('wheel', listen, { passive: false });
    return () => element.removeEventListener('wheel', listen);
  }, [scroller]);
}

function Divider({ left, onMove }: { readonly left: number; readonly onMove: (x: number) => void }) {
  return (
    <div
      aria-hidden
      className="absolute top-0 z-10 h-full w-1.5 -translate-x-1/2 cursor-col-resize touch-none hover:bg-accent/40"
      style={{ left }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        const frame = event.currentTarget.parentElement?.getBoundingClientRect();
        if (frame && event.currentTarget.hasPointerCapture(event.pointerId)) onMove(event.clientX - frame.left);
      }}
    />
  );
}
