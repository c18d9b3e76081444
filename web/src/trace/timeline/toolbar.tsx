import { ChevronDown, ChevronUp, ChevronsDownUp, ChevronsUpDown, OctagonX, Search, ZoomIn } from 'lucide-react';
import { formatCount } from '../../time/format.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import type { Timeline } from './use-timeline.ts';

export function Toolbar({
  timeline,
  findRef,
}: {
  readonly timeline: Timeline;
  readonly findRef: React.RefObject<HTMLInputElement | null>;
}) {
  const { model, find, matches, selected } = timeline;
  const at = selected === undefined ? 0 : matches.indexOf(selected) + 1;
  return (
    <div role="toolbar" aria-label="Timeline tools" className="flex h-11 shrink-0 items-center gap-2 border-b border-line px-3">
      <label className="flex h-7.5 w-64 items-center gap-2 rounded-md border border-line-strong bg-panel px-2.5 focus-within:border-accent">
        <Search size={14} className="shrink-0 text-muted" aria-hidden />
        <input
          ref={findRef}
          aria-label="Find in this trace"
          value={find}
          onChange={(event) => timeline.setFind(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter') timeline.step(matches, event.shiftKey ? -1 : 1);
            if (event.key === 'Escape') {
              timeline.setFind('');
              event.currentTarget.blur();
            }
          }}
          placeholder="Find name, URL, status, id"
          className="min-w-0 flex-1 bg-transparent outline-none placeholder:text-faint"
        />
        <kbd>/</kbd>
      </label>
      {find !== '' && (
        <>
          <span role="status" className="text-xs whitespace-nowrap text-muted" data-testid="find-count">
            {matches.length === 0 ? 'none found' : `${at > 0 ? `${formatCount(at)} of ` : ''}${formatCount(matches.length)} found`}
          </span>
          <IconButton label="Previous match (N)" disabled={matches.length === 0} onClick={() => timeline.step(matches, -1)}>
            <ChevronUp size={15} />
          </IconButton>
          <IconButton label="Next match (n)" disabled={matches.length === 0} onClick={() => timeline.step(matches, 1)}>
            <ChevronDown size={15} />
          </IconButton>
        </>
      )}
      <span className="ml-auto flex items-center gap-1">
        {model.failing.length > 0 && (
          <Button onClick={() => timeline.step(model.failing, 1)} title="To the next row that failed (f)">
            <OctagonX size={14} className="text-fault" aria-hidden /> {formatCount(model.failing.length)} failed
          </Button>
        )}
        <IconButton label="Fold all (c)" onClick={timeline.foldAll}>
          <ChevronsDownUp size={15} />
        </IconButton>
        <IconButton label="Unfold all (e)" onClick={timeline.unfoldAll}>
          <ChevronsUpDown size={15} />
        </IconButton>
        <IconButton
          label="Zoom to the selected row (z)"
          disabled={selected === undefined}
          onClick={() => selected !== undefined && timeline.zoomToRow(selected)}
        >
          <ZoomIn size={15} />
        </IconButton>
        <Button look="ghost" disabled={!timeline.zoomed} onClick={timeline.resetZoom} title="See the whole trace (0)">
          All
        </Button>
      </span>
    </div>
  );
}
