/** Whole programs: the parser's top. */
import type { Item, Unit } from './ast.ts';
import type { Diagnostic, Sources } from './diagnostics.ts';
import { readHeader } from './header.ts';
import { PointParser } from './parse-points.ts';
import { preprocess, type PreprocessOptions } from './preprocess.ts';
import { ParseFailure } from './token-reader.ts';

export interface Parsed {
  readonly unit: Unit;
  readonly sources: Sources;
  /** Of the preprocessor and of the parser, in the order of their finding. Without an error among them the unit has no error nodes. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Preprocesses and parses a program. Never fails: what could not be read is left out of the unit, and said. */
export function parse(options: PreprocessOptions): Parsed {
  const source = preprocess(options);
  const { unit, diagnostics } = new Parser(source).run();
  return { unit, sources: source.sources, diagnostics: [...source.diagnostics, ...diagnostics] };
}

class Parser extends PointParser {
  run(): { readonly unit: Unit; readonly diagnostics: readonly Diagnostic[] } {
    const { file, comments } = this.source;
    const header = readHeader(comments.get(file) ?? [], (code, message, span, hint) => this.warn(code, message, span, hint));
    const items: Item[] = [];
    while (this.peek().kind !== 'end') {
      const begin = this.at;
      try {
        for (const item of this.parseItem()) items.push(item);
      } catch (failure) {
        if (!(failure instanceof ParseFailure)) throw failure;
        this.skipItem(begin);
      }
    }
    const { span } = this.peek();
    const unit: Unit = { kind: 'unit', file, header, items, span: { ...span, start: 0, line: 1, column: 1 } };
    return { unit, diagnostics: this.diagnostics };
  }

  private parseItem(): readonly Item[] {
    if (this.takeMark(';')) return [];
    if (this.isWord('_probe') || this.isWord('_global')) return [this.parseProbe()];
    const token = this.peek();
    if (this.isMark('}')) this.fail('stray-brace', 'this closing brace closes nothing', token.span);
    const word = token.kind === 'identifier' ? token.text : '';
    const isStatement = ['if', 'for', 'while', 'do', 'switch', 'return', '_foreach', '_try', '_delete', '_clear'].includes(word);
    const isCall = this.isName() && this.isMark('(', 1) && this.known() !== 'type';
    if (isStatement || isCall)
      this.fail('stray-statement', 'a statement stands outside of any probe or function', token.span, 'put it into _probe _begin { … }');
    if (!this.isTypeStart() && !this.isName()) this.failExpected('a declaration or _probe');
    return this.parseDeclaration();
  }
}
