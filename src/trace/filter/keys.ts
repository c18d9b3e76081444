/** The language's keywords: their types, the blocks that they may stand in, and what they mean. */

/** `trace` is outside of any block; the others are the blocks of `service()`, `edge()` and `rootcause.<cause>.<part>`. */
export type Scope = 'trace' | 'service' | 'edge' | 'rootcause.service' | 'rootcause.entity' | 'rootcause.exception';

export type Cause = 'fault' | 'error' | 'responsetime';
export type RootCausePart = 'service' | 'entity' | 'exception';

export type FlagKey = 'ok' | 'error' | 'throttle' | 'fault' | 'partial' | 'inferred' | 'root' | 'first' | 'last' | 'remote';
export type NumberKey = 'responsetime' | 'duration' | 'http.status' | 'index' | 'coverage';
export type TextKey =
  | 'http.url'
  | 'http.method'
  | 'http.useragent'
  | 'http.clientip'
  | 'user'
  | 'name'
  | 'type'
  | 'message'
  | 'availabilityzone'
  | 'instance.id'
  | 'resource.arn';

interface KeyFacts<Kind extends string, Key extends string> {
  readonly kind: Kind;
  readonly key: Key;
  readonly scopes: readonly Scope[];
  /** One line for people. */
  readonly detail: string;
}

export type KeyInfo = KeyFacts<'flag', FlagKey> | KeyFacts<'number', NumberKey> | KeyFacts<'text', TextKey>;

const REQUEST: readonly Scope[] = ['trace', 'service', 'edge'];
const POSITION: readonly Scope[] = ['rootcause.service', 'rootcause.entity', 'rootcause.exception'];

/** All keywords with a value, in the order in which completion offers them. */
export const KEYS: readonly KeyInfo[] = [
  { kind: 'flag', key: 'ok', scopes: REQUEST, detail: 'ended without error, throttle or fault' },
  { kind: 'flag', key: 'error', scopes: REQUEST, detail: 'client error (4xx)' },
  { kind: 'flag', key: 'throttle', scopes: REQUEST, detail: 'throttled (429)' },
  { kind: 'flag', key: 'fault', scopes: REQUEST, detail: 'server fault (5xx) or exception' },
  { kind: 'flag', key: 'partial', scopes: REQUEST, detail: 'not complete yet' },
  { kind: 'flag', key: 'inferred', scopes: ['trace', 'service', 'rootcause.service'], detail: 'known only from its caller' },
  { kind: 'flag', key: 'root', scopes: ['service'], detail: 'the node that the request entered by' },
  { kind: 'flag', key: 'first', scopes: POSITION, detail: 'first of its list' },
  { kind: 'flag', key: 'last', scopes: POSITION, detail: 'last of its list' },
  { kind: 'flag', key: 'remote', scopes: ['rootcause.entity'], detail: 'a call to another service' },
  { kind: 'number', key: 'responsetime', scopes: REQUEST, detail: 'seconds until the answer' },
  { kind: 'number', key: 'duration', scopes: REQUEST, detail: 'seconds, asynchronous work included' },
  { kind: 'number', key: 'http.status', scopes: REQUEST, detail: 'status code of the answer' },
  { kind: 'number', key: 'index', scopes: POSITION, detail: 'position in its list, from 0' },
  { kind: 'number', key: 'coverage', scopes: ['rootcause.entity'], detail: 'share of the response time, 0 to 1' },
  { kind: 'text', key: 'http.url', scopes: REQUEST, detail: 'URL of the request' },
  { kind: 'text', key: 'http.method', scopes: REQUEST, detail: 'method of the request' },
  { kind: 'text', key: 'http.useragent', scopes: REQUEST, detail: 'user agent of the requester' },
  { kind: 'text', key: 'http.clientip', scopes: REQUEST, detail: 'address of the requester' },
  { kind: 'text', key: 'user', scopes: REQUEST, detail: 'user recorded on a segment' },
  {
    kind: 'text',
    key: 'name',
    scopes: ['service', 'rootcause.service', 'rootcause.entity', 'rootcause.exception'],
    detail: 'name of the node, entity or exception',
  },
  { kind: 'text', key: 'type', scopes: ['service', 'rootcause.service'], detail: 'type of the node' },
  { kind: 'text', key: 'message', scopes: ['rootcause.exception'], detail: 'message of the exception' },
  { kind: 'text', key: 'availabilityzone', scopes: REQUEST, detail: 'zone that a segment ran in' },
  { kind: 'text', key: 'instance.id', scopes: REQUEST, detail: 'EC2 instance that a segment ran on' },
  { kind: 'text', key: 'resource.arn', scopes: REQUEST, detail: 'ARN of the resource that ran a segment' },
];

/** Second spellings, seen in AWS's samples. */
const ALIASES: ReadonlyMap<string, string> = new Map([['http.statuscode', 'http.status']]);

const BY_NAME: ReadonlyMap<string, KeyInfo> = new Map(KEYS.map((info) => [info.key, info]));

/** The keyword of this name, in any case or by its alias. */
export function findKey(word: string): KeyInfo | undefined {
  const lower = word.toLowerCase();
  return BY_NAME.get(ALIASES.get(lower) ?? lower);
}

const NUMBER_KEYS: ReadonlySet<string> = new Set(KEYS.filter(({ kind }) => kind === 'number').map(({ key }) => key));

/** Whether the keyword's values are numbers. */
export function isNumberKey(key: NumberKey | TextKey): key is NumberKey {
  return NUMBER_KEYS.has(key);
}

/** Whether the keyword may stand in this block; `coverage` is known for response time only. */
export function fitsScope(info: KeyInfo, scope: Scope, cause: Cause | undefined): boolean {
  if (info.key === 'coverage' && cause !== 'responsetime') return false;
  return info.scopes.includes(scope);
}

export const CAUSES: readonly Cause[] = ['fault', 'error', 'responsetime'];

/** The blocks of a cause; what makes a response slow has no exceptions. */
export function partsOf(cause: Cause): readonly RootCausePart[] {
  return cause === 'responsetime' ? ['service', 'entity'] : ['service', 'entity', 'exception'];
}

/** Where a condition stands: what its keys mean depends on it. */
export interface Place {
  readonly scope: Scope;
  /** Of the root cause whose block it is. */
  readonly cause: Cause | undefined;
}

/** Keywords of root causes. */
export const ROOT_CAUSE_WORDS: readonly string[] = [
  'rootcause.json',
  ...CAUSES.flatMap((cause) => [...partsOf(cause), 'client_impacting', 'json'].map((part) => `rootcause.${cause}.${part}`)),
];

/** Everything that may begin a condition at this place. */
export function startWords({ scope, cause }: Place): readonly string[] {
  const keys = KEYS.filter((info) => fitsScope(info, scope, cause)).map((info) => info.key);
  switch (scope) {
    case 'trace':
      return [...keys, 'service', 'edge', 'annotation', 'group.name', 'group.arn', ...ROOT_CAUSE_WORDS];
    case 'service':
      return [...keys, 'annotation'];
    case 'edge':
      return [...keys, 'annotation', 'source.annotation', 'destination.annotation'];
    default:
      return keys;
  }
}

/** How a block is called in messages. */
export function describeScope(scope: Scope): string {
  switch (scope) {
    case 'trace':
      return 'outside of blocks';
    case 'service':
      return 'in the block of service()';
    case 'edge':
      return 'in the block of edge()';
    default:
      return `in the block of rootcause.<cause>.${scope.slice('rootcause.'.length)}`;
  }
}
