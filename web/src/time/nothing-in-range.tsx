import type { View } from '../app/view.ts';
import { Button } from '../ui/button.tsx';
import { Notice } from '../ui/notice.tsx';
import { describeRange } from './range-picker.tsx';
import { RELATIVE_CHOICES, widerRange } from './range.ts';

/** Nothing found: says where was looked and offers the two ways out, a wider range and no filter. */
export function NothingInRange({ view, what }: { readonly view: View; readonly what: string }) {
  const wider = widerRange(view.range);
  const label = RELATIVE_CHOICES.find(([text]) => text === wider)?.[1].toLowerCase();
  return (
    <Notice
      title={`${what} in this time range`}
      actions={
        <>
          {wider && (
            <Button look="solid" onClick={() => view.set({ range: wider })}>
              Look at the {label}
            </Button>
          )}
          {view.filter !== '' && <Button onClick={() => view.set({ filter: undefined })}>Without the filter</Button>}
        </>
      }
    >
      Looked at: {describeRange(view.range)}
      {view.filter !== '' && (
        <>
          {' '}
          with <code className="font-mono text-xs break-all">{view.filter}</code>
        </>
      )}
      .
    </Notice>
  );
}
