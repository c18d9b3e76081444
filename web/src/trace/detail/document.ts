/** Reads what the detail pane shows from a segment's document, which is whatever some SDK sent. */
import type { SegmentAnswer } from '../../core.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export interface ExceptionFrame {
  readonly path: string;
  readonly line: number | undefined;
  readonly label: string;
}

export interface ExceptionView {
  readonly id: string | undefined;
  readonly type: string;
  readonly message: string;
  readonly remote: boolean;
  /** Frames, exceptions that the SDK left out. */
  readonly truncated: number;
  readonly skipped: number;
  readonly causeId: string | undefined;
  readonly frames: readonly ExceptionFrame[];
}

export interface CauseView {
  readonly workingDirectory: string | undefined;
  /** Outermost first, each followed by its cause when that is in the list. */
  readonly exceptions: readonly ExceptionView[];
  /** Id of an exception (or of the subsegment) where the same failure was recorded. */
  readonly reference: string | undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectAt(document: JsonObject, key: string): JsonObject | undefined {
  const value = document[key];
  return isObject(value) && Object.keys(value).length > 0 ? value : undefined;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);

export function readCause(document: JsonObject): CauseView | undefined {
  const { cause } = document;
  if (typeof cause === 'string') return { workingDirectory: undefined, exceptions: [], reference: cause };
  if (!isObject(cause)) return undefined;
  const list = Array.isArray(cause['exceptions']) ? cause['exceptions'].filter(isObject).map(readException) : [];
  const reference = list.length === 0 ? text(cause['id']) : undefined;
  if (list.length === 0 && reference === undefined) return undefined;
  return { workingDirectory: text(cause['working_directory']), exceptions: inChainOrder(list), reference };
}

function readException(raw: JsonObject): ExceptionView {
  return {
    id: text(raw['id']),
    type: text(raw['type']) ?? 'Exception',
    message: text(raw['message']) ?? '',
    remote: raw['remote'] === true,
    truncated: count(raw['truncated']),
    skipped: count(raw['skipped']),
    causeId: text(raw['cause']),
    frames: Array.isArray(raw['stack'])
      ? raw['stack'].filter(isObject).map((frame) => ({
          path: text(frame['path']) ?? '',
          line: typeof frame['line'] === 'number' ? frame['line'] : undefined,
          label: text(frame['label']) ?? '',
        }))
      : [],
  };
}

function inChainOrder(list: readonly ExceptionView[]): readonly ExceptionView[] {
  const byId = new Map(list.flatMap((item) => (item.id === undefined ? [] : [[item.id, item] as const])));
  const caused = new Set(list.map((item) => item.causeId));
  const ordered = new Set<ExceptionView>();
  for (const start of [...list.filter((item) => item.id === undefined || !caused.has(item.id)), ...list]) {
    for (
      let item: ExceptionView | undefined = start;
      item && !ordered.has(item);
      item = item.causeId === undefined ? undefined : byId.get(item.causeId)
    )
      ordered.add(item);
  }
  return [...ordered];
}

/** What each tab has, so that empty ones can say so. */
export interface DetailParts {
  readonly annotations: JsonObject | undefined;
  readonly metadata: JsonObject | undefined;
  readonly cause: CauseView | undefined;
  readonly sql: JsonObject | undefined;
  readonly aws: JsonObject | undefined;
  readonly service: JsonObject | undefined;
  readonly arn: string | undefined;
}

export function readParts({ document }: SegmentAnswer): DetailParts {
  return {
    annotations: objectAt(document, 'annotations'),
    metadata: objectAt(document, 'metadata'),
    cause: readCause(document),
    sql: objectAt(document, 'sql'),
    aws: objectAt(document, 'aws'),
    service: objectAt(document, 'service'),
    arn: text(document['resource_arn']),
  };
}
