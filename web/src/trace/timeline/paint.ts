/**
 * Draws the bars of the rows in a window of the timeline. Works on visible rows only: a frame costs the same for 100 rows and for 100,000.
 */
import type { TimelineRow } from '../../core.ts';
import { formatDuration } from '../../time/format.ts';
import type { PaintColors } from './colors.ts';
import type { TimelineModel } from './model.ts';

export const ROW_HEIGHT = 26;

/** Seconds since the trace's start at both edges of the canvas. */
export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

export interface Painting {
  readonly model: TimelineModel;
  readonly visible: Int32Array;
  /** Window of `visible`, end exclusive. */
  readonly first: number;
  readonly last: number;
  readonly window: TimeWindow;
  readonly width: number;
  readonly colors: PaintColors;
  readonly ticks: readonly number[];
}

const SEGMENT_HEIGHT = 14;
const SUBSEGMENT_HEIGHT = 9;
const LEAST_WIDTH = 2;
const FONT = '11px ui-sans-serif, system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif';

// hot: once per frame while zooming; 60 rows.
export function paintRows(context: CanvasRenderingContext2D, painting: Painting): void {
  const { visible, first, last, width, colors, ticks, window } = painting;
  const height = (last - first) * ROW_HEIGHT;
  context.clearRect(0, 0, width, height);
  const scale = width / (window.to - window.from);
  context.fillStyle = colors.line;
  for (const tick of ticks) context.fillRect(Math.round((tick - window.from) * scale), 0, 1, height);
  context.font = FONT;
  context.textBaseline = 'middle';
  for (let position = first; position < last; position++)
    paintRow(context, painting, visible[position]!, (position - first) * ROW_HEIGHT, scale);
}

function paintRow(context: CanvasRenderingContext2D, painting: Painting, index: number, top: number, scale: number): void {
  const { model, window, width, colors } = painting;
  const row = model.rows[index]!;
  const open = row.endSeconds === undefined;
  const end = row.endSeconds ?? model.end;
  const left = (row.startSeconds - model.start - window.from) * scale;
  const right = Math.max((end - model.start - window.from) * scale, left + LEAST_WIDTH);
  const middle = top + ROW_HEIGHT / 2;
  if (right < 0 || left > width) {
    paintArrow(context, right < 0, width, middle, colors.muted);
    return;
  }
  const tall = row.kind === 'segment' ? SEGMENT_HEIGHT : SUBSEGMENT_HEIGHT;
  const x = Math.max(left, -4);
  const wide = Math.min(right, width + 4) - x;
  const color = row.outcome === 'ok' ? colors.node(model.nodeIndex[index]!) : colors[row.outcome];
  context.globalAlpha = row.placeholder ? 0 : row.inferred ? 0.3 : open ? 0.35 : row.kind === 'segment' ? 1 : 0.7;
  context.fillStyle = color;
  bar(context, x, middle - tall / 2, wide, tall);
  context.fill();
  context.globalAlpha = 1;
  if (row.inferred || row.placeholder || row.orphan) outline(context, x, middle, wide, tall, color, row.orphan || row.placeholder);
  if (open) hatch(context, x, middle, wide, tall, color);
  const overhang = overhangStart(model, row);
  if (overhang !== undefined) {
    const from = Math.max((overhang - model.start - window.from) * scale, x);
    hatch(context, from, middle, x + wide - from, tall, colors.background);
  }
  paintLabel(context, painting, row, left, right, middle);
}

/** When the row goes on after its caller has ended (work that nobody waited for), where the caller ended. */
function overhangStart(model: TimelineModel, row: TimelineRow): number | undefined {
  const parentEnd = model.rows[row.parent]?.endSeconds;
  const end = row.endSeconds ?? model.end;
  // Clocks of two machines differ: a millisecond over is not worth a mark.
  return parentEnd !== undefined && end - parentEnd > 0.001 ? Math.max(parentEnd, row.startSeconds) : undefined;
}

function bar(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number): void {
  context.beginPath();
  if (width < 5) context.rect(x, y, width, height);
  else context.roundRect(x, y, width, height, 2.5);
}

function outline(
  context: CanvasRenderingContext2D,
  x: number,
  middle: number,
  width: number,
  tall: number,
  color: string,
  dashed: boolean,
): void {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.setLineDash(dashed ? [3, 2] : []);
  bar(context, x + 0.5, middle - tall / 2 + 0.5, Math.max(width - 1, 1), tall - 1);
  context.stroke();
  context.setLineDash([]);
}

function hatch(context: CanvasRenderingContext2D, x: number, middle: number, width: number, tall: number, color: string): void {
  if (width <= 0) return;
  context.save();
  context.beginPath();
  context.rect(x, middle - tall / 2, width, tall);
  context.clip();
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let at = x - (x % 6) - tall; at < x + width; at += 6) {
    context.moveTo(at, middle + tall / 2);
    context.lineTo(at + tall, middle - tall / 2);
  }
  context.stroke();
  context.restore();
}

/** Beside the bar where there is room: right of it, else left of it, else inside. */
function paintLabel(
  context: CanvasRenderingContext2D,
  painting: Painting,
  row: TimelineRow,
  left: number,
  right: number,
  middle: number,
): void {
  const { width, colors, model } = painting;
  const text = row.placeholder
    ? 'not received'
    : row.endSeconds === undefined
      ? `in progress, at least ${formatDuration(model.end - row.startSeconds)}`
      : formatDuration(row.endSeconds - row.startSeconds);
  const room = context.measureText(text).width + 6;
  context.fillStyle = row.outcome === 'ok' ? colors.muted : colors.text;
  if (right + room <= width) context.fillText(text, right + 6, middle + 0.5);
  else if (left - room >= 0) context.fillText(text, left - room, middle + 0.5);
  else {
    context.fillStyle = row.inferred || row.endSeconds === undefined ? colors.text : colors.background;
    context.fillText(text, Math.max(Math.min(right, width) - room, 4), middle + 0.5);
  }
}

/** The bar lies outside of the zoomed window: points where. */
function paintArrow(context: CanvasRenderingContext2D, toLeft: boolean, width: number, middle: number, color: string): void {
  const x = toLeft ? 3 : width - 3;
  const reach = toLeft ? 5 : -5;
  context.fillStyle = color;
  context.globalAlpha = 0.6;
  context.beginPath();
  context.moveTo(x, middle);
  context.lineTo(x + reach, middle - 3.5);
  context.lineTo(x + reach, middle + 3.5);
  context.fill();
  context.globalAlpha = 1;
}

/** The whole trace at once, rows pressed together: a line for each, failures on top. */
export function paintOverview(
  context: CanvasRenderingContext2D,
  model: TimelineModel,
  width: number,
  height: number,
  colors: PaintColors,
): void {
  context.clearRect(0, 0, width, height);
  const scale = width / (model.end - model.start);
  const each = Math.min(height / Math.max(model.rows.length, 1), 4);
  const draw = (index: number, least: number): void => {
    const row = model.rows[index]!;
    const x = (row.startSeconds - model.start) * scale;
    const wide = Math.max(((row.endSeconds ?? model.end) - row.startSeconds) * scale, least);
    context.fillRect(x, index * each, wide, Math.max(each * 0.8, least));
  };
  context.globalAlpha = model.rows.length > 400 ? 0.5 : 0.85;
  for (let index = 0; index < model.rows.length; index++) {
    context.fillStyle = colors.node(model.nodeIndex[index]!);
    draw(index, 0.6);
  }
  context.globalAlpha = 1;
  for (const index of model.failing) {
    const { outcome } = model.rows[index]!;
    context.fillStyle = outcome === 'ok' ? colors.text : colors[outcome];
    draw(index, 1.5);
  }
}
