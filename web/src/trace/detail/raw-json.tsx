import { useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy.tsx';

interface RawJsonProps {
  readonly document: Readonly<Record<string, unknown>>;
  readonly span: Readonly<Record<string, unknown>> | undefined;
}

export function RawJson({ document, span }: RawJsonProps) {
  const [asSent, setAsSent] = useState(false);
  const text = JSON.stringify(asSent && span ? span : document, null, 2);
  return (
    <div className="flex flex-col gap-2">
      <div className="flex gap-2">
        <CopyButton text={text}>Copy</CopyButton>
        {span && (
          <Button pressed={asSent} onClick={() => setAsSent(!asSent)} title="The OpenTelemetry span as it was sent">
            As sent (OTLP)
          </Button>
        )}
      </div>
      <pre data-testid="raw-json" className="overflow-x-auto rounded-md bg-sunken p-3 font-mono text-xs leading-5">
        {paint(text)}
      </pre>
    </div>
  );
}

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** A document larger than this is shown without colours: each token is an element. */
const MOST_PAINTED = 60_000;

function paint(text: string): React.ReactNode {
  if (text.length > MOST_PAINTED) return text;
  const parts: React.ReactNode[] = [];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    parts.push(text.slice(at, match.index));
    const [whole, string, colon] = match;
    const color = string ? (colon ? 'text-accent' : 'text-ok') : /[\d]/.test(whole) ? 'text-error' : 'text-throttle';
    parts.push(
      <span key={match.index} className={color}>
        {string ?? whole}
      </span>,
      colon ?? '',
    );
    at = match.index + whole.length;
  }
  return [...parts, text.slice(at)];
}
