import { Clock, ZoomOut } from 'lucide-react';
import { useState } from 'react';
import { Button, IconButton } from '../ui/button.tsx';
import { Popover } from '../ui/popover.tsx';
import { formatClock, formatDay, formatDuration } from './format.ts';
import { absoluteRange, parseMoment, parseRange, RELATIVE_CHOICES, resolveRange, zoomOut, type TimeRange } from './range.ts';

interface RangePickerProps {
  readonly range: TimeRange;
  readonly onChange: (text: string) => void;
}

export function RangePicker({ range, onChange }: RangePickerProps) {
  const [open, setOpen] = useState(false);
  const choose = (text: string): void => {
    setOpen(false);
    onChange(text);
  };
  return (
    <span className="flex items-center">
      <Popover
        label="Time range"
        open={open}
        onOpenChange={setOpen}
        trigger={
          <Button className="min-w-40 justify-start rounded-r-none" aria-label={`Time range: ${describeRange(range)}`} data-testid="range">
            <Clock size={14} aria-hidden />
            {describeRange(range)}
          </Button>
        }
      >
        <div className="flex gap-4">
          <ul className="w-40">
            {RELATIVE_CHOICES.map(([text, label]) => (
              <li key={text}>
                <button
                  type="button"
                  aria-current={range.text === text}
                  onClick={() => choose(text)}
                  className="w-full rounded px-2 py-1 text-left hover:bg-sunken aria-current:bg-accent-soft aria-current:text-accent"
                >
                  {label}
                </button>
              </li>
            ))}
          </ul>
          <CustomRange key={range.text} range={range} choose={choose} />
        </div>
      </Popover>
      <IconButton
        look="plain"
        label="Zoom out: twice the time range"
        className="rounded-l-none border-l-0"
        onClick={() => onChange(zoomOut(range).text)}
      >
        <ZoomOut size={14} />
      </IconButton>
    </span>
  );
}

export function describeRange(range: TimeRange): string {
  if (range.kind === 'relative') {
    const known = RELATIVE_CHOICES.find(([text]) => text === range.text);
    return known ? known[1] : `Last ${formatDuration(range.seconds)}`;
  }
  const sameDay = formatDay(range.from) === formatDay(range.to);
  return `${formatDay(range.from)} ${formatClock(range.from)} – ${sameDay ? '' : `${formatDay(range.to)} `}${formatClock(range.to)}`;
}

const FIELD = 'h-7.5 w-52 rounded-md border border-line-strong bg-panel px-2 font-mono text-xs';

function CustomRange({ range, choose }: { readonly range: TimeRange; readonly choose: (text: string) => void }) {
  const bounds = resolveRange(range);
  const [from, setFrom] = useState(() => toLocalText(bounds.from));
  const [to, setTo] = useState(() => toLocalText(bounds.to));
  const [last, setLast] = useState('');
  const [problem, setProblem] = useState('');
  const applyAbsolute = (event: React.FormEvent): void => {
    event.preventDefault();
    const start = parseMoment(from);
    const end = parseMoment(to);
    if (start === undefined || end === undefined) setProblem('Write a time like 2026-08-03 14:05:00, or epoch seconds.');
    else if (end <= start) setProblem('The end must be after the start.');
    else choose(absoluteRange(start, end).text);
  };
  const applyLast = (event: React.FormEvent): void => {
    event.preventDefault();
    const parsed = parseRange(last.trim());
    if (parsed) choose(parsed.text);
    else setProblem('Write a length like 90m, 8h or 3d.');
  };
  return (
    <div className="flex flex-col gap-4 border-l border-line pl-4">
      <form onSubmit={applyLast} className="flex flex-col gap-1.5">
        <label htmlFor="range-last" className="font-medium">
          The last…
        </label>
        <span className="flex gap-2">
          <input
            id="range-last"
            value={last}
            onChange={(event) => setLast(event.target.value)}
            placeholder="90m, 8h, 3d"
            className={`${FIELD} w-32!`}
          />
          <Button type="submit">Apply</Button>
        </span>
      </form>
      <form onSubmit={applyAbsolute} className="flex flex-col gap-1.5">
        <label htmlFor="range-from" className="font-medium">
          From
        </label>
        <input id="range-from" value={from} onChange={(event) => setFrom(event.target.value)} className={FIELD} spellCheck={false} />
        <label htmlFor="range-to" className="font-medium">
          To
        </label>
        <input id="range-to" value={to} onChange={(event) => setTo(event.target.value)} className={FIELD} spellCheck={false} />
        <span className="text-xs text-muted">Local time; add Z for UTC.</span>
        <Button type="submit" look="solid" className="mt-1">
          Show this range
        </Button>
      </form>
      <p role="alert" className="h-4 text-xs text-fault">
        {problem}
      </p>
    </div>
  );
}

function toLocalText(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number): string => value.toString().padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${formatClock(seconds)}`;
}
