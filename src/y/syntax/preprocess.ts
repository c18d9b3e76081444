/**
 * The preprocessor: C's directives and Y's target-aware ones, over the tokens of the main file and of what it includes.
 * A program's cost is bounded: files included, their depth, and tokens that macros make.
 */
import { posix } from 'node:path';
import type { Knowledge } from '../knowledge.ts';
import { evaluateCondition } from './condition.ts';
import type { Diagnostic, Note, Sources } from './diagnostics.ts';
import { lex } from './lex.ts';
import { readString } from './literals.ts';
import { Expander, type Macro } from './macros.ts';
import { didYouMean } from './similar.ts';
import { spanOver, type Span } from './span.ts';
import { evaluateTarget, TARGET_SUBJECTS, type TargetSubject } from './target-condition.ts';
import { isMark, type Comment, type Token } from './token.ts';

export interface PreprocessOptions {
  /** Name of the main file, as diagnostics show it. */
  readonly file: string;
  readonly text: string;
  /** Finds what `#include "name"` in `from` means; see `includeFrom`. */
  readonly include: (name: string, from: string) => SourceFile | undefined;
  readonly knowledge: Knowledge;
  /** Macros from the command line: name to text. */
  readonly defines?: ReadonlyMap<string, string> | undefined;
}

export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

export interface Preprocessed {
  readonly file: string;
  /** The last one is `end`. */
  readonly tokens: readonly Token[];
  /** By file, in order. */
  readonly comments: ReadonlyMap<string, readonly Comment[]>;
  readonly sources: Sources;
  readonly diagnostics: readonly Diagnostic[];
}

const MAX_INCLUDE_DEPTH = 64;
const MAX_FILES = 2000;
const MAX_DIAGNOSTICS = 100;

/** Looks for an included file beside the one that includes it, then in `folders`. `read` gives a file's text, or undefined. */
export function includeFrom(read: (path: string) => string | undefined, folders: readonly string[]): PreprocessOptions['include'] {
  return (name, from) => {
    const places = posix.isAbsolute(name) ? [name] : [posix.dirname(from), ...folders].map((folder) => posix.join(folder, name));
    for (const file of places) {
      const text = read(file);
      if (text !== undefined) return { file, text };
    }
    return undefined;
  };
}

/** Runs the preprocessor. Whatever is wrong is in `diagnostics`; the tokens are then those of a likely program. */
export function preprocess(options: PreprocessOptions): Preprocessed {
  return new Preprocessor(options).run();
}

/** An open `#if` or `##if…`. */
interface Condition {
  readonly style: '#' | '##';
  readonly span: Span;
  readonly name: string;
  /** The group around it is read. */
  readonly outer: boolean;
  /** A group of it was read, or is. */
  taken: boolean;
  /** The present group is read. */
  active: boolean;
  elseSeen: boolean;
}

interface Directive {
  readonly style: '#' | '##';
  /** Empty for `#` alone. */
  readonly name: string;
  readonly span: Span;
  /** On its line, after the name. */
  readonly rest: readonly Token[];
}

const C_DIRECTIVES = ['include', 'define', 'undef', 'if', 'ifdef', 'ifndef', 'elif', 'else', 'endif', 'error', 'warning', 'pragma', 'line'];
const TARGET_DIRECTIVES = [
  ...TARGET_SUBJECTS.flatMap((subject) => ['ifdef', 'ifndef', 'elifdef', 'elifndef'].map((form) => form + subject)),
  'else',
  'endif',
];
const TARGET_NAME = new RegExp(`^(el)?if(n?)def(${TARGET_SUBJECTS.join('|')})$`);

class Preprocessor {
  private readonly options: PreprocessOptions;
  private readonly macros = new Map<string, Macro>();
  private readonly expander: Expander;
  private readonly out: Token[] = [];
  private readonly comments = new Map<string, readonly Comment[]>();
  private readonly sources = new Map<string, string>();
  private readonly diagnostics: Diagnostic[] = [];
  private readonly once = new Set<string>();
  private readonly open: { readonly file: string; readonly from: Span | undefined }[] = [];
  private filesRead = 0;
  private readonly complain = (code: string, message: string, span: Span, hint?: string, notes: readonly Note[] = []): void => {
    this.report({ severity: 'error', code, message, span, notes, hint });
  };

  constructor(options: PreprocessOptions) {
    this.options = options;
    this.expander = new Expander(this.macros, (diagnostic) => this.report(diagnostic));
    for (const [name, text] of options.defines ?? []) {
      const { tokens } = lex('<command line>', text);
      this.macros.set(name, { name, parameters: undefined, variadic: false, body: tokens.slice(0, -1), span: undefined });
    }
  }

  run(): Preprocessed {
    const { file, text } = this.options;
    const end = this.readFile({ file, text }, undefined);
    this.out.push(end);
    const { out: tokens, comments, sources, diagnostics } = this;
    return { file, tokens, comments, sources, diagnostics };
  }

  /** Adds the file's tokens, and gives its end. */
  private readFile(source: SourceFile, from: Span | undefined): Token {
    this.filesRead++;
    this.open.push({ file: source.file, from });
    this.sources.set(source.file, source.text);
    const { tokens, comments } = lex(source.file, source.text);
    this.comments.set(source.file, comments);
    const conditions: Condition[] = [];
    let run: Token[] = [];
    for (let at = 0; at < tokens.length - 1;) {
      const token = tokens[at] as Token;
      if (token.lineStart && (isMark(token, '#') || isMark(token, '##'))) {
        this.emit(run);
        run = [];
        const end = findLineEnd(tokens, at);
        this.direct(readDirective(tokens.slice(at, end)), conditions);
        at = end;
      } else {
        if (conditions.at(-1)?.active !== false) run.push(token);
        at++;
      }
    }
    this.emit(run);
    for (const { style, name, span } of conditions) {
      this.complain('open-condition', `${style}${name} has no ${style}endif`, span, `close it with ${style}endif`);
    }
    this.open.pop();
    return tokens.at(-1) as Token;
  }

  private emit(run: readonly Token[]): void {
    for (const token of this.expander.expand(run)) this.out.push(token);
  }

  private direct(directive: Directive, conditions: Condition[]): void {
    const { style, name } = directive;
    if (name === 'else') this.onElse(directive, conditions);
    else if (name === 'endif') this.onEndif(directive, conditions);
    else if (style === '##') this.onTarget(directive, conditions);
    else if (name === 'elif') this.onElif(directive, conditions, () => this.test(directive));
    else if (name === 'if' || name === 'ifdef' || name === 'ifndef') this.openCondition(directive, conditions, () => this.test(directive));
    else if (conditions.at(-1)?.active !== false) this.onPlain(directive);
  }

  // ------------------------------------------------------------ conditions

  private openCondition({ style, name, span }: Directive, conditions: Condition[], test: () => boolean): void {
    const outer = conditions.at(-1)?.active !== false;
    const active = outer && test();
    conditions.push({ style, name, span, outer, active, taken: active, elseSeen: false });
  }

  private onElif(directive: Directive, conditions: Condition[], test: () => boolean): void {
    const condition = this.findOpen(directive, conditions);
    if (condition === undefined) return;
    if (condition.elseSeen)
      this.complain('bad-directive', `${directive.style}${directive.name} after ${condition.style}else`, directive.span);
    const active = condition.outer && !condition.taken && test();
    condition.active = active;
    condition.taken ||= active;
  }

  private onElse(directive: Directive, conditions: Condition[]): void {
    const condition = this.findOpen(directive, conditions);
    if (condition === undefined) return;
    if (condition.elseSeen) this.complain('bad-directive', `a second ${directive.style}else`, directive.span);
    condition.active = condition.outer && !condition.taken;
    condition.taken = true;
    condition.elseSeen = true;
  }

  private onEndif(directive: Directive, conditions: Condition[]): void {
    if (this.findOpen(directive, conditions) !== undefined) conditions.pop();
  }

  /** The innermost open condition. Of the wrong style it is taken all the same, after a complaint. */
  private findOpen({ style, name, span }: Directive, conditions: readonly Condition[]): Condition | undefined {
    const condition = conditions.at(-1);
    if (condition === undefined)
      this.complain('stray-directive', `${style}${name} without ${style === '#' ? '#if' : '##if…'} before it`, span);
    else if (condition.style !== style) {
      const message = `${style}${name} cannot go with ${condition.style}${condition.name}: directives with # and with ## are never mixed`;
      const notes = [{ message: `${condition.style}${condition.name} is here`, span: condition.span }];
      this.complain('mixed-directives', message, span, `write ${condition.style}${name.replace(/^elif.*/, 'elif…')}`, notes);
    }
    return condition;
  }

  private test(directive: Directive): boolean {
    const { name, rest, span } = directive;
    if (name === 'ifdef' || name === 'ifndef') {
      const [macro] = rest;
      if (macro?.kind !== 'identifier') this.complain('bad-directive', `#${name} needs the name of a macro`, span);
      else this.expectNothing(rest.slice(1), directive);
      return this.isDefined(macro?.text ?? '') === (name === 'ifdef');
    }
    const expanded = this.expander.expand(rest, definedTokens);
    return (evaluateCondition(this.replaceDefined(expanded), span, this.complain) ?? 0n) !== 0n;
  }

  private isDefined(name: string): boolean {
    return this.macros.has(name) || name === '__LINE__' || name === '__FILE__';
  }

  /** `defined X` and `defined(X)` as 1 or 0. */
  private replaceDefined(tokens: readonly Token[]): readonly Token[] {
    const out: Token[] = [];
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at] as Token;
      const size = definedTokens(tokens, at);
      if (size === 0) out.push(token);
      else out.push({ ...token, kind: 'number', text: this.isDefined(tokens[at + (size === 4 ? 2 : 1)]?.text ?? '') ? '1' : '0' });
      at += Math.max(0, size - 1);
    }
    return out;
  }

  private onTarget(directive: Directive, conditions: Condition[]): void {
    const { name, span, rest } = directive;
    const parts = TARGET_NAME.exec(name);
    if (parts === null) {
      const known = C_DIRECTIVES.includes(name) ? `write #${name}` : undefined;
      this.complain('unknown-directive', `there is no directive ##${name}`, span, known ?? didYouMean(name, TARGET_DIRECTIVES));
      // Its group is not read, and its end is found.
      if (/^(el)?if/.test(name)) (name.startsWith('el') ? this.onElif : this.openCondition).call(this, directive, conditions, () => false);
      return;
    }
    const [, elif, negated, subject] = parts;
    const test = (): boolean => {
      const found = evaluateTarget(subject as TargetSubject, rest, span, this.options.knowledge, this.complain);
      return found !== undefined && found === (negated === '');
    };
    if (elif === undefined) this.openCondition(directive, conditions, test);
    else this.onElif(directive, conditions, test);
  }

  // ------------------------------------------------------------ the others

  private onPlain(directive: Directive): void {
    const { name, span, rest } = directive;
    if (name === 'define') this.onDefine(directive);
    else if (name === 'undef') this.onUndef(directive);
    else if (name === 'include') this.onInclude(directive);
    else if (name === 'error' || name === 'warning') this.onError(directive);
    else if (name === 'pragma') {
      if (rest[0]?.text === 'once') this.once.add(span.file);
      else this.warn('unknown-pragma', `#pragma ${rest[0]?.text ?? ''} is ignored`, span);
    } else if (name === 'line') this.complain('unknown-directive', '#line is not supported', span);
    else if (name !== '') {
      const target = TARGET_DIRECTIVES.includes(name) ? `write ##${name}` : undefined;
      this.complain('unknown-directive', `there is no directive #${name}`, span, target ?? didYouMean(name, C_DIRECTIVES));
    }
  }

  private onUndef(directive: Directive): void {
    const [name] = directive.rest;
    if (name?.kind !== 'identifier') this.complain('bad-directive', '#undef needs the name of a macro', directive.span);
    else this.macros.delete(name.text);
    this.expectNothing(directive.rest.slice(1), directive);
  }

  private onError({ name, span, rest }: Directive): void {
    const [first, last] = [rest[0], rest.at(-1)];
    const text = this.sources.get(span.file) ?? '';
    const said = first === undefined || last === undefined ? `#${name}` : text.slice(first.span.start, last.span.end);
    this.report({
      severity: name === 'error' ? 'error' : 'warning',
      code: `hash-${name}`,
      message: said,
      span,
      notes: [],
      hint: undefined,
    });
  }

  private onDefine({ span, rest }: Directive): void {
    const [name, open] = rest;
    if (name?.kind !== 'identifier') return this.complain('bad-directive', '#define needs a name', name?.span ?? span);
    if (name.text === 'defined' || name.text === '__LINE__' || name.text === '__FILE__') {
      return this.complain('bad-directive', `"${name.text}" cannot be defined`, name.span);
    }
    const macro =
      open !== undefined && isMark(open, '(') && !open.spaced
        ? this.readFunctionMacro(name, rest)
        : { name: name.text, parameters: undefined, variadic: false, body: rest.slice(1), span: name.span };
    if (macro === undefined) return;
    const [first, last] = [macro.body[0], macro.body.at(-1)];
    for (const token of [first, last]) {
      if (token !== undefined && isMark(token, '##'))
        return this.complain('bad-directive', '## has nothing to paste on one side', token.span);
    }
    const before = this.macros.get(name.text);
    if (before !== undefined && !isSame(before, macro)) {
      const notes = before.span === undefined ? [] : [{ message: 'it was defined here', span: before.span }];
      this.warn(
        'redefined-macro',
        `the macro "${name.text}" is defined again, differently`,
        name.span,
        `#undef ${name.text} before it`,
        notes,
      );
    }
    this.macros.set(name.text, macro);
  }

  /** `NAME(a, b, ...) body`; `rest` begins with the name. */
  private readFunctionMacro(name: Token, rest: readonly Token[]): Macro | undefined {
    const close = rest.findIndex((token) => isMark(token, ')'));
    const inside = rest.slice(2, Math.max(2, close));
    const parameters: string[] = [];
    let variadic = false;
    let good = close > 0 && (inside.length === 0 || !isMark(inside.at(-1) as Token, ','));
    for (let at = 0; at < inside.length; at++) {
      const token = inside[at] as Token;
      const next = inside[at + 1];
      good &&= !variadic && (token.kind === 'identifier' || isMark(token, '...')) && !parameters.includes(token.text);
      variadic = isMark(token, '...') || (next !== undefined && isMark(next, '...'));
      parameters.push(isMark(token, '...') ? '__VA_ARGS__' : token.text);
      if (next !== undefined && isMark(next, '...') && !isMark(token, '...')) at++;
      const separator = inside[++at];
      good &&= separator === undefined || isMark(separator, ',');
    }
    if (good) return { name: name.text, parameters, variadic, body: rest.slice(close + 1), span: name.span };
    this.complain(
      'bad-directive',
      `the parameters of the macro "${name.text}" are malformed`,
      name.span,
      'write #define NAME(a, b, ...) text',
    );
    return undefined;
  }

  private onInclude(directive: Directive): void {
    const { span, rest } = directive;
    const [name, ...more] = rest[0]?.kind === 'identifier' ? this.expander.expand(rest) : rest;
    if (name === undefined || name.kind !== 'string') {
      const hint =
        name !== undefined && isMark(name, '<') ? 'system headers are not included: types come from the target' : 'write #include "file.y"';
      return this.complain('bad-directive', '#include needs a file name in quotes', name?.span ?? span, hint);
    }
    this.expectNothing(more, directive);
    const wanted = readString([name], this.complain).text;
    if (this.open.length >= MAX_INCLUDE_DEPTH || this.filesRead >= MAX_FILES) {
      const chain = this.open
        .slice(-3)
        .flatMap(({ file, from }) => (from === undefined ? [] : [{ message: `"${file}" is included here`, span: from }]));
      const message = `"${wanted}" is included too deeply, or too many files are: at most ${MAX_INCLUDE_DEPTH} in each other, ${MAX_FILES} in all`;
      return this.complain('include-depth', message, name.span, 'begin the included file with #pragma once', chain);
    }
    const source = this.options.include(wanted, span.file);
    if (source === undefined) {
      return this.complain('include-not-found', `"${wanted}" was found neither beside this file nor in the standard library`, name.span);
    }
    if (!this.once.has(source.file)) this.readFile(source, name.span);
  }

  private expectNothing(tokens: readonly Token[], { style, name }: Directive): void {
    const [first] = tokens;
    if (first !== undefined) this.warn('extra-tokens', `"${first.text}" after ${style}${name} is ignored`, first.span);
  }

  private warn(code: string, message: string, span: Span, hint?: string, notes: readonly Note[] = []): void {
    this.report({ severity: 'warning', code, message, span, notes, hint });
  }

  private report(diagnostic: Diagnostic): void {
    const count = this.diagnostics.length;
    if (count > MAX_DIAGNOSTICS) return;
    if (count < MAX_DIAGNOSTICS) this.diagnostics.push(diagnostic);
    else
      this.diagnostics.push({
        ...diagnostic,
        code: 'too-many',
        message: `more than ${MAX_DIAGNOSTICS} mistakes`,
        notes: [],
        hint: undefined,
      });
  }
}

/** One past the last token of the line that begins at `at`. */
function findLineEnd(tokens: readonly Token[], at: number): number {
  let end = at + 1;
  while (end < tokens.length - 1 && tokens[end]?.lineStart === false) end++;
  return end;
}

function readDirective(line: readonly Token[]): Directive {
  const [mark, name] = line as [Token, Token | undefined];
  const named = name?.kind === 'identifier';
  const span = name === undefined ? mark.span : spanOver(mark.span, name.span);
  return { style: mark.text === '#' ? '#' : '##', name: named ? name.text : (name?.text ?? ''), span, rest: line.slice(2) };
}

/** How many tokens from `at` are a `defined X` or `defined(X)`; 0 if they are none. */
function definedTokens(tokens: readonly Token[], at: number): number {
  const token = tokens[at];
  if (token?.kind !== 'identifier' || token.text !== 'defined') return 0;
  if (tokens[at + 1]?.kind === 'identifier') return 2;
  const call = tokens[at + 1]?.text === '(' && tokens[at + 2]?.kind === 'identifier' && tokens[at + 3]?.text === ')';
  return call ? 4 : 0;
}

function isSame(a: Macro, b: Macro): boolean {
  const text = (macro: Macro): string => JSON.stringify([macro.parameters, macro.variadic, macro.body.map((token) => token.text)]);
  return text(a) === text(b);
}
