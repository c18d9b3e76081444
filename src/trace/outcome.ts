/** How a request ended, from the flags of a document or, when it has none, from its HTTP status. */
import type { SegmentDocument } from './document.ts';
import { httpStatus } from './http.ts';

/** Worst first: fault (5xx, exception), throttle (429), error (4xx), ok. */
export type Outcome = 'ok' | 'error' | 'throttle' | 'fault';

/** Not exclusive: a throttle is an error too, and a fault may come with either. */
export interface OutcomeFlags {
  readonly error: boolean;
  readonly throttle: boolean;
  readonly fault: boolean;
}

const OK: OutcomeFlags = Object.freeze({ error: false, throttle: false, fault: false });
const ERROR: OutcomeFlags = Object.freeze({ error: true, throttle: false, fault: false });
const THROTTLE: OutcomeFlags = Object.freeze({ error: true, throttle: true, fault: false });
const FAULT: OutcomeFlags = Object.freeze({ error: false, throttle: false, fault: true });
const FAULT_ERROR: OutcomeFlags = Object.freeze({ error: true, throttle: false, fault: true });
const FAULT_THROTTLE: OutcomeFlags = Object.freeze({ error: true, throttle: true, fault: true });

/** The one outcome to show and count: fault before throttle before error. */
export function outcomeOf(flags: OutcomeFlags): Outcome {
  if (flags.fault) return 'fault';
  if (flags.throttle) return 'throttle';
  return flags.error ? 'error' : 'ok';
}

/**
 * The document's flags as sent; `throttle` sets `error`. A document with none of the three (not even `false`) is judged by
 * `http.response.status`. The answer is one of six shared frozen objects.
 */
export function outcomeFlags(document: SegmentDocument): OutcomeFlags {
  const { error, throttle, fault } = document;
  if (typeof error !== 'boolean' && typeof throttle !== 'boolean' && typeof fault !== 'boolean') {
    return statusFlags(httpStatus(document));
  }
  if (fault === true) return throttle === true ? FAULT_THROTTLE : error === true ? FAULT_ERROR : FAULT;
  return throttle === true ? THROTTLE : error === true ? ERROR : OK;
}

function statusFlags(status: number | undefined): OutcomeFlags {
  if (status === undefined || status < 400) return OK;
  if (status === 429) return THROTTLE;
  return status < 500 ? ERROR : FAULT;
}
