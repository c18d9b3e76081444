import type { TimelineModel } from '../timeline/model.ts';
import { CopyIconButton } from '../../ui/copy.tsx';
import type { CauseView, ExceptionView } from './document.ts';

interface ExceptionsProps {
  readonly cause: CauseView;
  readonly model: TimelineModel;
  readonly onSelect: (index: number) => void;
}

export function Exceptions({ cause, model, onSelect }: ExceptionsProps) {
  return (
    <div className="flex flex-col gap-4">
      {cause.reference !== undefined && <Reference id={cause.reference} model={model} onSelect={onSelect} />}
      {cause.exceptions.map((exception, index) => (
        <Exception
          key={exception.id ?? index}
          exception={exception}
          directory={cause.workingDirectory}
          chained={index > 0 && cause.exceptions[index - 1]!.causeId === exception.id}
        />
      ))}
      {cause.workingDirectory && (
        <p className="text-xs text-muted">
          Working directory: <span className="font-mono">{cause.workingDirectory}</span>
        </p>
      )}
    </div>
  );
}

function Reference({
  id,
  model,
  onSelect,
}: {
  readonly id: string;
  readonly model: TimelineModel;
  readonly onSelect: (index: number) => void;
}) {
  const index = model.indexById.get(id);
  return (
    <p>
      The same failure is recorded{' '}
      {index === undefined ? (
        <>
          on a row further down, as exception <code className="font-mono text-xs">{id}</code>. Press <kbd>f</kbd> to go to the next row that
          failed.
        </>
      ) : (
        <>
          on{' '}
          <button type="button" className="text-accent underline" onClick={() => onSelect(index)}>
            {model.rows[index]!.name}
          </button>
          .
        </>
      )}
    </p>
  );
}

function Exception({
  exception,
  directory,
  chained,
}: {
  readonly exception: ExceptionView;
  readonly directory: string | undefined;
  readonly chained: boolean;
}) {
  return (
    <section>
      {chained && <p className="mb-1 text-xs font-semibold text-muted">Caused by</p>}
      <header className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <h3 className="font-mono text-[13px] font-semibold break-words text-fault">{exception.type}</h3>
          <p className="break-words whitespace-pre-wrap">{exception.message}</p>
          {exception.remote && <p className="text-xs text-muted">Thrown by the service that was called.</p>}
        </div>
        <CopyIconButton text={toText(exception)} label="Copy the exception" />
      </header>
      {exception.frames.length > 0 && (
        <ol className="mt-1.5 overflow-x-auto rounded-md bg-sunken px-3 py-2 font-mono text-xs leading-5">
          {exception.frames.map((frame, index) => (
            <li key={index} className={`whitespace-nowrap ${isForeign(frame.path, directory) ? 'text-muted' : ''}`}>
              <span className="font-medium">{frame.label || '(anonymous)'}</span>{' '}
              <span className="text-muted">
                {frame.path}
                {frame.line === undefined ? '' : `:${frame.line}`}
              </span>
            </li>
          ))}
        </ol>
      )}
      {(exception.truncated > 0 || exception.skipped > 0) && (
        <p className="mt-1 text-xs text-muted">
          The SDK left out{' '}
          {[exception.truncated > 0 && `${exception.truncated} frames`, exception.skipped > 0 && `${exception.skipped} exceptions`]
            .filter(Boolean)
            .join(' and ')}
          .
        </p>
      )}
    </section>
  );
}

/** Frames of libraries are drawn quieter than the application's own. */
function isForeign(path: string, directory: string | undefined): boolean {
  return (
    /node_modules|site-packages|dist-packages|^node:|<frozen/.test(path) ||
    (path.startsWith('/') && directory !== undefined && !path.startsWith(directory))
  );
}

function toText(exception: ExceptionView): string {
  const frames = exception.frames.map(
    (frame) => `    at ${frame.label || '(anonymous)'} (${frame.path}${frame.line === undefined ? '' : `:${frame.line}`})`,
  );
  return [`${exception.type}: ${exception.message}`, ...frames].join('\n');
}
