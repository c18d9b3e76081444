/** What may come next in a filter expression that is being typed. */
import { followTokens, type CompletionState, type ConditionKey } from './complete-state.ts';
import { findKey, startWords, type Place } from './keys.ts';
import { lexFilter, type Token } from './lex.ts';
import { ANY_OPERATORS, EQUALITY_OPERATORS, NUMBER_OPERATORS, TEXT_OPERATORS } from './operators.ts';
import { MAX_FILTER_LENGTH } from './parse.ts';
import { annotationSuffix, literal } from './print.ts';
import type { AnyOperator } from './syntax.ts';

/** What is known of the stored traces. */
export interface CompletionNames {
  readonly nodes: readonly { readonly name: string; readonly type: string }[];
  readonly annotationKeys: readonly string[];
}

export interface CompletionOption {
  readonly label: string;
  /** Goes in the place of the text from `from` to `to`. */
  readonly apply: string;
  readonly detail: string;
  readonly kind: 'keyword' | 'operator' | 'connective' | 'node' | 'type' | 'annotation' | 'value';
}

/** Options for one place, best first; at most 100. */
export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly options: readonly CompletionOption[];
}

const MAX_OPTIONS = 100;

/** Options at the cursor (0-based, in UTF-16 units): only those that contain what is typed already, however the text goes on. */
export function completeFilter(text: string, cursor: number, names: CompletionNames): Completion {
  const at = Math.max(0, Math.min(cursor, text.length));
  if (text.length > MAX_FILTER_LENGTH) return { from: at, to: at, options: [] };
  const { before, from, prefix, quoted } = typedAt(text, at);
  const options = optionsFor(followTokens(before), prefix, names).filter(({ apply }) => !quoted || apply.startsWith('"'));
  return { from, to: endOfTyped(text, from, at), options: rank(options, prefix) };
}

interface Typed {
  readonly before: readonly Token[];
  readonly from: number;
  /** What of the word or string stands before the cursor, without its quote. */
  readonly prefix: string;
  readonly quoted: boolean;
}

function typedAt(text: string, cursor: number): Typed {
  const tokens = lexFilter(text.slice(0, cursor));
  const last = tokens.at(-1);
  if (last?.kind === 'bad' && last.opened) {
    const prefix = text.slice(last.start + 1, cursor).replace(/\\(.)/gs, '$1');
    return { before: tokens.slice(0, -1), from: last.start, prefix, quoted: true };
  }
  const word = tokens.at(-2);
  // The dot of `http.` is no part of a word until something follows it.
  const end = text[cursor - 1] === '.' ? cursor - 1 : cursor;
  if ((word?.kind === 'word' || word?.kind === 'number') && word.end === end) {
    return { before: tokens.slice(0, -2), from: word.start, prefix: text.slice(word.start, cursor), quoted: false };
  }
  return { before: tokens.slice(0, -1), from: cursor, prefix: '', quoted: false };
}

/** The end of the word or string that the cursor is in, when it is one in the whole text too. */
function endOfTyped(text: string, from: number, cursor: number): number {
  const token = lexFilter(text).find(({ start, kind }) => start === from && (kind === 'word' || kind === 'string'));
  return token === undefined ? cursor : Math.max(cursor, token.end);
}

/** First what begins as typed, then what has a part that does, then names that have it in them; otherwise the order stays. */
function rank(options: readonly CompletionOption[], prefix: string): readonly CompletionOption[] {
  const typed = prefix.toLowerCase();
  const ranked = options.map((option) => ({ option, place: placeOfMatch(option, typed) }));
  const fitting = [0, 1, 2].flatMap((place) => ranked.filter((each) => each.place === place));
  return fitting.slice(0, MAX_OPTIONS).map(({ option }) => option);
}

function placeOfMatch({ label, kind }: CompletionOption, typed: string): number {
  // A key that needs brackets is found by its dotted spelling too.
  const lower = label.toLowerCase().replace(/\["(.*)"\]$/, '.$1');
  if (lower.startsWith(typed)) return 0;
  if (lower.split(/[^\p{L}\p{N}_]+/u).some((part) => part.startsWith(typed))) return 1;
  const named = kind === 'node' || kind === 'type' || kind === 'annotation';
  return named && lower.includes(typed) ? 2 : 3;
}

function optionsFor({ wanted, place }: CompletionState, prefix: string, names: CompletionNames): readonly CompletionOption[] {
  switch (wanted.kind) {
    case 'condition':
      return conditionOptions(place, prefix, names);
    case 'connective':
      return [...CONNECTIVES, ...conditionsOnceTyped(place, prefix, names)];
    case 'block':
      return [option('{', 'operator', 'conditions on it', '{ '), ...CONNECTIVES];
    case 'operator':
      return [...operatorOptions(wanted.key), ...CONNECTIVES, ...conditionsOnceTyped(place, prefix, names)];
    case 'value':
      return valueOptions(wanted.key, names);
    case 'entity':
      return [...nodeOptions(names), option('id(', 'keyword', 'select by name, type, account')];
    case 'part':
      return ['name', 'type', 'account.id'].map((part) => option(`${part}:`, 'keyword', 'of the node', `${part}: `));
    case 'part-value':
      return wanted.part === 'name' ? nodeOptions(names) : wanted.part === 'type' ? typeOptions(names) : [];
    case 'annotation-key':
      return names.annotationKeys.map((key) => option(key, 'annotation', 'annotation', literal(key)));
    default:
      return [];
  }
}

const CONNECTIVES: readonly CompletionOption[] = [
  option('AND', 'connective', 'both must hold', 'AND '),
  option('OR', 'connective', 'one must hold', 'OR '),
];

function option(label: string, kind: CompletionOption['kind'], detail: string, apply = label): CompletionOption {
  return { label, apply, detail, kind };
}

/** AND may be left out: once a letter is typed, it may begin the next condition. */
function conditionsOnceTyped(place: Place, prefix: string, names: CompletionNames): readonly CompletionOption[] {
  return prefix === '' ? [] : conditionOptions(place, prefix, names);
}

function conditionOptions(place: Place, prefix: string, names: CompletionNames): readonly CompletionOption[] {
  return startWords(place).flatMap((word) =>
    word.endsWith('annotation') ? annotationOptions(word, prefix, names) : [keywordOption(word)],
  );
}

/** The sides of an edge are offered when one of them was begun. */
function annotationOptions(word: string, prefix: string, names: CompletionNames): readonly CompletionOption[] {
  const side = word.slice(0, word.indexOf('.') + 1);
  if (side !== '' && !prefix.toLowerCase().startsWith(side)) return [option(`${word}.`, 'keyword', 'of that end of the call')];
  return names.annotationKeys.map((key) => option(word + annotationSuffix(key), 'annotation', 'annotation'));
}

const COMPLEX_DETAILS: ReadonlyMap<string, readonly [detail: string, apply: string]> = new Map([
  ['service', ['a segment of a node', 'service(']],
  ['edge', ['a call between two nodes', 'edge(']],
  ['group.name', ['the filter of a group', 'group.name = ']],
  ['group.arn', ['the filter of a group', 'group.arn = ']],
]);

function keywordOption(word: string): CompletionOption {
  const info = findKey(word);
  if (info !== undefined) return option(word, 'keyword', info.detail);
  const complex = COMPLEX_DETAILS.get(word);
  if (complex !== undefined) return option(word, 'keyword', complex[0], complex[1]);
  if (word.endsWith('.json')) return option(word, 'keyword', 'root causes by structure', `${word} = #`);
  if (word.endsWith('.client_impacting')) return option(word, 'keyword', 'the caller felt it');
  return option(word, 'keyword', 'on the way to the cause', `${word} { `);
}

function operatorOptions(key: ConditionKey): readonly CompletionOption[] {
  return operatorsOf(key).map((operator) => option(operator, 'operator', OPERATOR_DETAILS[operator], `${operator} `));
}

function operatorsOf(key: ConditionKey): readonly AnyOperator[] {
  if (key === 'annotation') return ANY_OPERATORS;
  if (key === 'equality' || key.kind === 'flag') return EQUALITY_OPERATORS;
  return key.kind === 'number' ? NUMBER_OPERATORS : TEXT_OPERATORS;
}

const OPERATOR_DETAILS: Readonly<Record<AnyOperator, string>> = {
  '=': 'equal',
  '!=': 'not equal, or not set',
  '<': 'less',
  '<=': 'less or equal',
  '>': 'greater',
  '>=': 'greater or equal',
  CONTAINS: 'has this text in it',
  BEGINSWITH: 'begins with this text',
  ENDSWITH: 'ends with this text',
};

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

function valueOptions(key: ConditionKey, names: CompletionNames): readonly CompletionOption[] {
  if (key === 'annotation' || key === 'equality') return [];
  if (key.kind === 'flag') return ['true', 'false'].map((value) => option(value, 'value', key.key));
  if (key.key === 'name') return nodeOptions(names);
  if (key.key === 'type') return typeOptions(names);
  if (key.key === 'http.method') return METHODS.map((method) => option(method, 'value', 'method', literal(method)));
  return [];
}

function nodeOptions({ nodes }: CompletionNames): readonly CompletionOption[] {
  const types = new Map<string, Set<string>>();
  for (const { name, type } of nodes) types.set(name, (types.get(name) ?? new Set()).add(type));
  return [...types].map(([name, own]) => option(name, 'node', [...own].join(', '), literal(name)));
}

function typeOptions({ nodes }: CompletionNames): readonly CompletionOption[] {
  return [...new Set(nodes.map(({ type }) => type))].map((type) => option(type, 'type', 'type of node', literal(type)));
}
