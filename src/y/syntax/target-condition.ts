/** The target-aware directives: `##ifdeftype T` and its like, asked of the target's and the kernel's debug information. */
import type { CType } from '../../ctypes/index.ts';
import type { Knowledge } from '../knowledge.ts';
import { readString, type Complain } from './literals.ts';
import { spanOver, type Span } from './span.ts';
import type { Token } from './token.ts';

export const TARGET_SUBJECTS = ['type', 'field', 'func', 'var', 'enum', 'module'] as const;
export type TargetSubject = (typeof TARGET_SUBJECTS)[number];

const WANTED: Readonly<Record<TargetSubject, string>> = {
  type: 'a type: ##ifdeftype ngx_http_request_t',
  field: 'a type and a field: ##ifdeffield ngx_http_request_t upstream',
  func: 'a function: ##ifdeffunc SSL_read',
  var: 'a variable: ##ifdefvar ngx_cycle',
  enum: 'an enum or an enumerator: ##ifdefenum NGX_LOG_DEBUG',
  module: 'a file name or glob in quotes: ##ifdefmodule "libssl.so*"',
};
/** Typedefs of typedefs that are followed. */
const MAX_TYPEDEFS = 64;

/** Whether the target has what the directive's `tokens` name; undefined after a complaint. `at` is the directive. */
export function evaluateTarget(
  subject: TargetSubject,
  tokens: readonly Token[],
  at: Span,
  knowledge: Knowledge,
  complain: Complain,
): boolean | undefined {
  const found = ask(subject, tokens, knowledge, complain);
  if (found === undefined) complain('bad-directive', `this directive needs ${WANTED[subject]}`, spanOver(at, tokens.at(-1)?.span ?? at));
  return found;
}

function ask(subject: TargetSubject, tokens: readonly Token[], knowledge: Knowledge, complain: Complain): boolean | undefined {
  if (subject === 'module') {
    const [file, ...rest] = tokens;
    return file?.kind === 'string' && rest.length === 0 ? knowledge.hasModule(readString([file], complain).text) : undefined;
  }
  if (subject === 'type') return hasType(tokens, knowledge);
  if (subject === 'field') return hasField(tokens, knowledge);
  const { scope, name } = splitScope(tokens, complain);
  if (name === undefined) return undefined;
  if (subject === 'func') return knowledge.findFunctions(name, scope).length > 0;
  if (subject === 'var') return knowledge.findVariables(name, scope).length > 0;
  return knowledge.findEnumerator(name) !== undefined || findIn(knowledge, name, 'enum') !== undefined;
}

function hasType(tokens: readonly Token[], knowledge: Knowledge): boolean | undefined {
  const named = readType(tokens);
  return named === undefined || named.rest.length > 0 ? undefined : findIn(knowledge, named.name, named.tag) !== undefined;
}

/** `T f`, where `f` may go on: `f.g`. */
function hasField(tokens: readonly Token[], knowledge: Knowledge): boolean | undefined {
  const named = readType(tokens);
  if (named === undefined || named.rest.length % 2 === 0) return undefined;
  const path = named.rest.filter((_, index) => index % 2 === 0);
  const dots = named.rest.filter((_, index) => index % 2 === 1);
  if (path.some((token) => !isName(token)) || dots.some((token) => token.text !== '.')) return undefined;
  let type = findIn(knowledge, named.name, named.tag);
  for (const token of path) type = type === undefined ? undefined : findMember(type, token.text);
  return type !== undefined;
}

interface NamedType {
  readonly name: string;
  readonly tag: 'struct' | 'union' | 'enum' | 'any';
  readonly rest: readonly Token[];
}

function readType(tokens: readonly Token[]): NamedType | undefined {
  const [first, second] = tokens;
  if (first === undefined || !isName(first)) return undefined;
  const tag = first.text;
  const tagged = first.kind === 'identifier' && (tag === 'struct' || tag === 'union' || tag === 'enum');
  if (!tagged) return { name: first.text, tag: 'any', rest: tokens.slice(1) };
  return second !== undefined && isName(second) ? { name: second.text, tag, rest: tokens.slice(2) } : undefined;
}

function isName(token: Token): boolean {
  return token.kind === 'identifier' || token.kind === 'quoted';
}

function splitScope(tokens: readonly Token[], complain: Complain): { scope: string | undefined; name: string | undefined } {
  const [first, second, third] = tokens;
  if (tokens.length === 1 && first !== undefined && isName(first)) return { scope: undefined, name: first.text };
  const scoped = tokens.length === 3 && first?.kind === 'string' && second?.text === '::' && third !== undefined && isName(third);
  return scoped ? { scope: readString([first], complain).text, name: third.text } : { scope: undefined, name: undefined };
}

function findIn(knowledge: Knowledge, name: string, tag: NamedType['tag']): CType | undefined {
  return knowledge.findType(name, tag, 'user') ?? knowledge.findType(name, tag, 'kernel');
}

/** The type of the member `name`, which may be in an anonymous member or in a base class. */
function findMember(type: CType, name: string, depth = 0): CType | undefined {
  if (depth > MAX_TYPEDEFS) return undefined;
  if (type.kind === 'named') return findMember(type.target, name, depth + 1);
  if (type.kind !== 'record') return undefined;
  for (const member of type.members) {
    const found = member.name === name ? member.type : member.name === undefined ? findMember(member.type, name, depth + 1) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
