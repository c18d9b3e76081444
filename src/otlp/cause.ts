import type { CauseBlock, ExceptionBlock } from '../trace/index.ts';
import { siblingId } from './derived-id.ts';
import { findText } from './known-attributes.ts';
import { SpanKind, StatusCode, type OtlpEvent, type OtlpSpan } from './model.ts';
import { parseStack, type ParsedException } from './stack.ts';

/** Exceptions beyond these are counted in `skipped`. */
const MAX_EXCEPTIONS = 50;

/**
 * Why the span failed: its exception events, each with the chain of causes in its stack trace; for a failed span without any, its
 * status message. Undefined when it says nothing.
 */
export function causeOf(span: OtlpSpan): CauseBlock | undefined {
  const exceptions: ExceptionBlock[] = [];
  let skipped = 0;
  for (const event of span.events) {
    if (event.name !== 'exception') continue;
    const chain = parseEvent(event);
    if (exceptions.length + chain.length > MAX_EXCEPTIONS) skipped += chain.length;
    else pushChain(exceptions, chain, span);
  }
  if (skipped > 0) exceptions[0] = { ...exceptions[0], skipped };
  if (exceptions.length > 0) return { exceptions };
  if (span.statusCode !== StatusCode.error || span.statusMessage === '') return undefined;
  return { exceptions: [{ id: siblingId(span.spanId, 1), message: span.statusMessage, ...remoteMember(span) }] };
}

function parseEvent({ attributes }: OtlpEvent): readonly ParsedException[] {
  const type = findText(attributes, 'exception.type');
  const message = findText(attributes, 'exception.message');
  return parseStack(type, message, findText(attributes, 'exception.stacktrace') ?? '');
}

function pushChain(exceptions: ExceptionBlock[], chain: readonly ParsedException[], span: OtlpSpan): void {
  for (const [index, { type, message, frames, truncated }] of chain.entries()) {
    // Index 0 is the id of the segment around a call without a parent.
    const number = exceptions.length + 1;
    exceptions.push({
      id: siblingId(span.spanId, number),
      ...(message === undefined ? {} : { message }),
      ...(type === undefined ? {} : { type }),
      ...remoteMember(span),
      ...(frames.length === 0 ? {} : { stack: frames }),
      ...(truncated === 0 ? {} : { truncated }),
      ...(index === chain.length - 1 ? {} : { cause: siblingId(span.spanId, number + 1) }),
    });
  }
}

/** The exception was raised by a call, and perhaps came from the callee. */
function remoteMember(span: OtlpSpan): { remote?: boolean } {
  return span.kind === SpanKind.client ? { remote: true } : {};
}
