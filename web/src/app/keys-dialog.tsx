import { Dialog } from '../ui/popover.tsx';

const GROUPS: readonly { readonly title: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    title: 'Everywhere',
    keys: [
      ['Ctrl K', 'Jump to a trace, service or page'],
      ['g m · g t · g s', 'Map, traces, status'],
      ['p', 'Pause or go on with live updates'],
      ['/', 'Search on this page'],
      ['Esc', 'Close what is open'],
      ['?', 'These keys'],
    ],
  },
  {
    title: 'Service map',
    keys: [
      ['← →', 'To the caller, to the callee'],
      ['↑ ↓', 'To the neighbour above, below'],
      ['Enter', 'Open the panel'],
      ['+ − 0', 'Zoom in, out, fit'],
      ['v', 'Map or list'],
    ],
  },
  {
    title: 'Traces',
    keys: [
      ['j k', 'Next, previous trace'],
      ['Enter', 'Open the trace'],
      ['Ctrl Space', 'Complete in the filter box'],
    ],
  },
  {
    title: 'One trace',
    keys: [
      ['↑ ↓ · j k', 'Previous, next row'],
      ['← →', 'Fold, unfold; to the parent, to the child'],
      ['n N', 'Next, previous match'],
      ['f', 'Next row that failed'],
      ['z · 0', 'Zoom to the row, see all'],
      ['+ − · a d', 'Zoom in, out; move left, right'],
      ['e c', 'Unfold all, fold all'],
    ],
  },
];

export function KeysDialog({ open, onOpenChange }: { readonly open: boolean; readonly onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog title="Keys" open={open} onOpenChange={onOpenChange} className="w-[780px]">
      <div className="columns-2 gap-8 p-4">
        {GROUPS.map((group) => (
          <section key={group.title} className="mb-4 break-inside-avoid">
            <h3 className="mb-1.5 text-xs font-semibold text-muted">{group.title}</h3>
            <dl className="grid grid-cols-[9.5rem_1fr] gap-x-3 gap-y-1.5">
              {group.keys.map(([key, meaning]) => (
                <div key={key} className="contents">
                  <dt className="whitespace-nowrap">
                    {key.split(' ').map((part, index) =>
                      part === '·' ? (
                        <span key={index}> </span>
                      ) : (
                        <kbd key={index} className="mr-1">
                          {part}
                        </kbd>
                      ),
                    )}
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
