/**
 * Macro expansion: Prosser's algorithm (each token carries the macros that made it, which do not expand again), as C11 6.10.3 has it.
 * What a macro makes has the span of the macro's use, with the place in the definition as its origin; arguments keep their own.
 */
import type { Diagnostic, Note } from './diagnostics.ts';
import { lex } from './lex.ts';
import type { Span } from './span.ts';
import { isMark, type HiddenMacros, type Token } from './token.ts';

export interface Macro {
  readonly name: string;
  /** Undefined for an object-like macro. A variadic one's last is `__VA_ARGS__` or the name before `...`. */
  readonly parameters: readonly string[] | undefined;
  readonly variadic: boolean;
  readonly body: readonly Token[];
  /** Of the name in the definition; undefined for one of the command line. */
  readonly span: Span | undefined;
}

/** Tokens that all expansions of one source may make. */
const MAX_EXPANDED = 200_000;
/** Macro arguments inside of macro arguments. */
const MAX_NESTING = 200;

/** Expands the macros in runs of tokens. Keeps count over all of a program's files. */
export class Expander {
  private readonly macros: ReadonlyMap<string, Macro>;
  private readonly report: (diagnostic: Diagnostic) => void;
  private made = 0;
  private nesting = 0;

  /** `macros` may change between two calls of `expand`. */
  constructor(macros: ReadonlyMap<string, Macro>, report: (diagnostic: Diagnostic) => void) {
    this.macros = macros;
    this.report = report;
  }

  /** Expands a run of tokens. `guard` says of a token that it and what follows must be kept (`defined X`): how many tokens. */
  expand(tokens: readonly Token[], guard?: (tokens: readonly Token[], index: number) => number): readonly Token[] {
    const out: Token[] = [];
    // The tokens still to be looked at, next one last.
    const rest = tokens.toReversed();
    for (let token = rest.pop(); token !== undefined; token = rest.pop()) {
      const kept = guard === undefined ? 0 : guard([...rest.slice(-3), token].reverse(), 0);
      if (kept > 0) {
        out.push(token);
        for (let left = kept - 1; left > 0 && rest.length > 0; left--) out.push(rest.pop() as Token);
      } else if (!this.expandOne(token, rest)) out.push(token);
    }
    return out;
  }

  /** Puts what `token` expands to on `rest`; false when it stands for itself. */
  private expandOne(token: Token, rest: Token[]): boolean {
    if (token.kind !== 'identifier') return false;
    if (token.text === '__LINE__' || token.text === '__FILE__') return this.push(rest, token, [placeToken(token)]);
    const macro = this.macros.get(token.text);
    if (macro === undefined || isHidden(token.hidden, macro.name)) return false;
    if (this.made > MAX_EXPANDED || this.nesting > MAX_NESTING) return this.stop(token);
    if (macro.parameters === undefined) {
      return this.push(rest, token, this.substitute(macro, token, [], hide(token.hidden, macro.name)));
    }
    const next = rest.at(-1);
    if (next === undefined || !isMark(next, '(')) return false;
    const found = this.readArguments(macro, token, rest);
    if (found === undefined) return false;
    const hidden = hide(common(token.hidden, found.close.hidden), macro.name);
    return this.push(rest, token, this.substitute(macro, token, found.list, hidden));
  }

  /** Says once that a bound was reached, and lets everything after it stand. */
  private stop(token: Token): boolean {
    if (this.made < Number.MAX_SAFE_INTEGER) {
      this.complain(
        'macro-too-large',
        `the macro "${token.text}" expands to too much`,
        token.span,
        `at most ${MAX_EXPANDED} tokens in a program, ${MAX_NESTING} macros in each other's arguments`,
      );
    }
    this.made = Number.MAX_SAFE_INTEGER;
    return false;
  }

  private push(rest: Token[], site: Token, made: readonly Token[]): boolean {
    this.made += made.length + 1;
    for (let index = made.length - 1; index >= 0; index--) {
      const token = made[index] as Token;
      rest.push(index === 0 ? { ...token, spaced: site.spaced, lineStart: site.lineStart } : token);
    }
    return true;
  }

  /** Takes `( … )` from `rest`. Undefined, with nothing taken, when they do not fit. */
  private readArguments(macro: Macro, name: Token, rest: Token[]): { list: Token[][]; close: Token } | undefined {
    const list: Token[][] = [[]];
    const count = macro.parameters?.length ?? 0;
    let depth = 0;
    for (let at = rest.length - 1; at >= 0; at--) {
      const token = rest[at] as Token;
      if (isMark(token, '(') && depth++ === 0) continue;
      if (isMark(token, ')') && --depth === 0) {
        if (!this.checkCount(macro, name, list)) return undefined;
        rest.length = at;
        return { list, close: token };
      }
      const separates = depth === 1 && isMark(token, ',') && !(macro.variadic && list.length === count);
      if (separates) list.push([]);
      else list.at(-1)?.push(token);
    }
    // What was looked through in vain counts: many such would take long.
    this.made += rest.length;
    this.complain(
      'open-arguments',
      `the arguments of the macro "${macro.name}" have no closing parenthesis before the text or the next directive ends`,
      name.span,
      undefined,
      defined(macro),
    );
    return undefined;
  }

  private checkCount(macro: Macro, name: Token, list: Token[][]): boolean {
    const wanted = macro.parameters?.length ?? 0;
    if (wanted === 0 && list.length === 1 && list[0]?.length === 0) list.pop();
    if (macro.variadic && list.length === wanted - 1) list.push([]);
    if (list.length === wanted) return true;
    const wants = `${macro.variadic ? `at least ${wanted - 1}` : wanted}`;
    this.complain(
      'macro-arguments',
      `the macro "${macro.name}" takes ${wants} arguments, not ${list.length}`,
      name.span,
      undefined,
      defined(macro),
    );
    return false;
  }

  /** The macro's body with its arguments in place. */
  private substitute(macro: Macro, site: Token, list: readonly Token[][], hidden: HiddenMacros): readonly Token[] {
    const out: Token[] = [];
    const { body } = macro;
    const argumentOf = (token: Token | undefined): Token[] | undefined => {
      const index = token?.kind === 'identifier' ? (macro.parameters?.indexOf(token.text) ?? -1) : -1;
      return index < 0 ? undefined : list[index];
    };
    for (let at = 0; at < body.length; at++) {
      const token = body[at] as Token;
      const next = body[at + 1];
      const pasted = at > 0 && isMark(body[at - 1] as Token, '##');
      const quoted = macro.parameters !== undefined && isMark(token, '#') ? argumentOf(next) : undefined;
      if (quoted !== undefined) {
        out.push({ ...derive(token, macro, site), kind: 'string', text: stringify(quoted) });
        at++;
      } else if (isMark(token, '##') && at > 0 && next !== undefined) {
        at += this.paste(out, macro, site, next, argumentOf);
      } else {
        const given = argumentOf(token);
        const raw = pasted || (next !== undefined && isMark(next, '##'));
        if (given === undefined) out.push(derive(token, macro, site));
        else if (raw && given.length === 0) out.push({ ...token, kind: 'mark', text: '' });
        else for (const one of spread(raw ? given : this.expandArgument(given), token, raw)) out.push(one);
      }
    }
    return out.filter((token) => token.text !== '').map((token) => ({ ...token, hidden: union(token.hidden, hidden) }));
  }

  private expandArgument(tokens: readonly Token[]): readonly Token[] {
    this.nesting++;
    const expanded = this.expand(tokens);
    this.nesting--;
    return expanded;
  }

  /** `left ## next`: joins the last token of `out` with the first of what `next` stands for. Always uses up one token of the body. */
  private paste(out: Token[], macro: Macro, site: Token, next: Token, argumentOf: (token: Token) => Token[] | undefined): 1 {
    const given = argumentOf(next);
    // GNU: a comma before an empty `__VA_ARGS__` goes away, before another it stays.
    const isRest = macro.variadic && next.text === macro.parameters?.at(-1);
    if (isRest && out.at(-1)?.text === ',') {
      if (given?.length === 0) out.pop();
      else out.push(...(given ?? []));
      return 1;
    }
    const [first, ...others] = given ?? [derive(next, macro, site)];
    const left = out.pop();
    if (first !== undefined) out.push(...(left === undefined ? [first] : this.join(left, first, site)), ...others);
    else if (left !== undefined) out.push(left);
    return 1;
  }

  /** An empty text is C's placemarker: an argument without tokens. */
  private join(left: Token, right: Token, site: Token): readonly Token[] {
    if (left.text === '') return [right];
    const { tokens } = lex(left.span.file, left.text + right.text);
    const [joined, end] = tokens;
    if (tokens.length === 2 && joined !== undefined && end?.kind === 'end' && joined.kind !== 'bad') {
      return [{ ...left, kind: joined.kind, text: joined.text, hidden: common(left.hidden, right.hidden) }];
    }
    this.complain('bad-paste', `"${left.text}" and "${right.text}" do not make one token`, site.span);
    return [left, right];
  }

  private complain(code: string, message: string, span: Span, hint?: string, notes: readonly Note[] = []): void {
    this.report({ severity: 'error', code, message, span, notes, hint });
  }
}

function defined(macro: Macro): readonly Note[] {
  return macro.span === undefined ? [] : [{ message: `"${macro.name}" is defined here`, span: macro.span }];
}

function placeToken(token: Token): Token {
  const { line, file } = token.span;
  return token.text === '__LINE__'
    ? { ...token, kind: 'number', text: String(line) }
    : { ...token, kind: 'string', text: JSON.stringify(file) };
}

/** A token of the body as it stands at the macro's use. */
function derive(token: Token, macro: Macro, site: Token): Token {
  return { ...token, span: { ...site.span, macro: { name: macro.name, span: token.span } } };
}

/** An argument's tokens in the place of its parameter. What is pasted keeps no blank before it. */
function spread(tokens: readonly Token[], parameter: Token, raw: boolean): readonly Token[] {
  return tokens.map((token, index) =>
    index === 0 ? { ...token, spaced: raw ? token.spaced : parameter.spaced, lineStart: false } : token,
  );
}

/** C11 6.10.3.2: one blank for any, quotes and backslashes in literals escaped. */
function stringify(tokens: readonly Token[]): string {
  const text = tokens.map((token, index) => `${index > 0 && token.spaced ? ' ' : ''}${spelling(token)}`).join('');
  return `"${text}"`;
}

function spelling(token: Token): string {
  if (token.kind === 'quoted') return `\`${token.text}\``;
  if (token.kind === 'string' || token.kind === 'character') return token.text.replace(/["\\]/g, '\\$&');
  return token.text.replace(/"/g, '\\"');
}

function isHidden(list: HiddenMacros | undefined, name: string): boolean {
  for (let one = list; one !== undefined; one = one.next) if (one.name === name) return true;
  return false;
}

function hide(list: HiddenMacros | undefined, name: string): HiddenMacros {
  return { name, next: list };
}

function common(a: HiddenMacros | undefined, b: HiddenMacros | undefined): HiddenMacros | undefined {
  if (a === b) return a;
  let both: HiddenMacros | undefined;
  for (let one = a; one !== undefined; one = one.next) if (isHidden(b, one.name)) both = hide(both, one.name);
  return both;
}

function union(a: HiddenMacros | undefined, b: HiddenMacros): HiddenMacros {
  let both = b;
  for (let one = a; one !== undefined; one = one.next) if (!isHidden(both, one.name)) both = hide(both, one.name);
  return both;
}
