/**
 * Where in the grammar a text breaks off. Unlike the parser this never refuses: a text that is being typed is wrong most of the time,
 * and the best guess is still of use.
 */
import { findKey, type Cause, type KeyInfo, type Place, type RootCausePart } from './keys.ts';
import type { Token } from './lex.ts';
import { operatorOf } from './operators.ts';

type NodePart = 'name' | 'type' | 'account.id';

/** What an operator compares: a keyword, an annotation, or something that only knows `=` and `!=`. */
export type ConditionKey = KeyInfo | 'annotation' | 'equality';

/** What the next token may be. */
type Wanted =
  | { readonly kind: 'condition' | 'connective' }
  /** An operator, or what follows a condition without one. */
  | { readonly kind: 'operator'; readonly key: ConditionKey }
  | { readonly kind: 'value'; readonly key: ConditionKey }
  /** `(` after `service` or `edge`; a node; what follows a node; `{` or what follows a condition without a block. */
  | { readonly kind: 'call' | 'entity' | 'entity-end' | 'block' }
  | { readonly kind: 'id-call' | 'part' | 'part-end' }
  | { readonly kind: 'part-colon' | 'part-value'; readonly part: NodePart }
  | { readonly kind: 'annotation-key' | 'annotation-end' };

export interface CompletionState {
  readonly place: Place;
  readonly wanted: Wanted;
  /** The places around this one, innermost last: one for each open parenthesis and block. */
  readonly around: readonly Place[];
  /** Where a `{` leads. */
  readonly block: Place | undefined;
}

const TRACE: Place = { scope: 'trace', cause: undefined };

/** Follows the tokens from the start of an expression. */
export function followTokens(tokens: readonly Token[]): CompletionState {
  let state: CompletionState = { place: TRACE, wanted: { kind: 'condition' }, around: [], block: undefined };
  for (const token of tokens) state = follow(state, token);
  return state;
}

function follow(state: CompletionState, token: Token): CompletionState {
  const { wanted } = state;
  if (operatorOf(token) !== undefined && wanted.kind === 'operator') return want(state, { kind: 'value', key: wanted.key });
  if (token.kind === 'mark') return followMark(state, token.mark);
  return token.kind === 'word' ? followWord(state, token.text.toLowerCase()) : want(state, afterValue(wanted));
}

function want(state: CompletionState, wanted: Wanted): CompletionState {
  return { ...state, wanted };
}

/** After a string, a number, or a word in the place of one. */
function afterValue({ kind }: Wanted): Wanted {
  if (kind === 'entity') return { kind: 'entity-end' };
  if (kind === 'part-value') return { kind: 'part-end' };
  return { kind: kind === 'annotation-key' ? 'annotation-end' : 'connective' };
}

function followWord(state: CompletionState, word: string): CompletionState {
  switch (state.wanted.kind) {
    case 'condition':
    case 'connective':
    case 'operator':
    case 'block':
      return word === 'and' || word === 'or' ? want(state, { kind: 'condition' }) : beginCondition(state, word);
    case 'entity':
      return want(state, word === 'id' ? { kind: 'id-call' } : { kind: 'entity-end' });
    case 'part':
      return isNodePart(word) ? want(state, { kind: 'part-colon', part: word }) : state;
    default:
      return want(state, afterValue(state.wanted));
  }
}

function isNodePart(word: string): word is NodePart {
  return word === 'name' || word === 'type' || word === 'account.id';
}

const ROOT_CAUSE_BLOCK = /^rootcause\.(fault|error|responsetime)\.(service|entity|exception)$/;
const ANNOTATION = /^(?:source\.|destination\.)?annotation(?:\.|$)/;

function beginCondition(state: CompletionState, word: string): CompletionState {
  if (word === 'service' || word === 'edge') {
    return { ...state, wanted: { kind: 'call' }, block: { scope: word, cause: undefined } };
  }
  const root = ROOT_CAUSE_BLOCK.exec(word);
  if (root) {
    const block: Place = { scope: `rootcause.${root[2] as RootCausePart}`, cause: root[1] as Cause };
    return { ...state, wanted: { kind: 'block' }, block };
  }
  const key = ANNOTATION.test(word) ? 'annotation' : (findKey(word) ?? 'equality');
  return want(state, { kind: 'operator', key });
}

function followMark(state: CompletionState, mark: string): CompletionState {
  const { wanted } = state;
  switch (mark) {
    case '(':
      if (wanted.kind === 'call') return want(state, { kind: 'entity' });
      return wanted.kind === 'id-call' ? want(state, { kind: 'part' }) : enter(state, state.place);
    case '{':
      return enter(state, state.block ?? state.place);
    case ')':
    case '}':
      return followClosing(state);
    case ',':
      return want(state, { kind: wanted.kind === 'part-end' ? 'part' : 'entity' });
    case ':':
      return wanted.kind === 'part-colon' ? want(state, { kind: 'part-value', part: wanted.part }) : state;
    case '[':
      return want(state, { kind: 'annotation-key' });
    case ']':
      return want(state, { kind: 'operator', key: 'annotation' });
    default:
      return want(state, { kind: 'condition' });
  }
}

function enter(state: CompletionState, place: Place): CompletionState {
  return { place, wanted: { kind: 'condition' }, around: [...state.around, state.place], block: undefined };
}

function followClosing(state: CompletionState): CompletionState {
  switch (state.wanted.kind) {
    case 'part':
    case 'part-end':
      return want(state, { kind: 'entity-end' });
    case 'entity':
    case 'entity-end':
      return want(state, { kind: 'block' });
    default:
      return { place: state.around.at(-1) ?? TRACE, wanted: { kind: 'connective' }, around: state.around.slice(0, -1), block: undefined };
  }
}
