/** Statements and declarations: C11 6.7 and 6.8, with `_foreach`, `_try`, `_delete` and `_clear`. */
import type {
  Block,
  CaseLabel,
  Declaration,
  DeclarationStatement,
  Expression,
  ExpressionStatement,
  ForeachStatement,
  FunctionDeclaration,
  Identifier,
  Statement,
  SwitchSection,
  TypedefDeclaration,
  VariableDeclaration,
} from './ast.ts';
import { ExpressionParser } from './parse-expressions.ts';
import type { Declared, Specifiers } from './parse-types.ts';
import { spanOver, type Span } from './span.ts';
import { ParseFailure } from './token-reader.ts';

export abstract class StatementParser extends ExpressionParser {
  // ------------------------------------------------------------ declarations

  /** Declarations that share their specifiers, to the `;`. */
  protected parseDeclaration(): readonly (Declaration | FunctionDeclaration)[] {
    const begin = this.peek().span;
    const specifiers = this.parseSpecifiers();
    const { type } = specifiers;
    if (this.isMark(';') && (type.kind === 'record' || type.kind === 'enum' || type.kind === 'tag')) {
      this.next();
      return [{ kind: 'type-declaration', type, span: spanOver(begin, this.last().span) }];
    }
    const declarations: (Declaration | FunctionDeclaration)[] = [];
    do {
      const declared = this.parseDeclarator(type, { name: 'required', keys: !specifiers.typedef });
      const one = this.finishDeclaration(specifiers, declared, declarations.length === 0);
      declarations.push(one);
      if (one.kind === 'function' && one.body !== undefined) return declarations;
    } while (this.takeMark(','));
    this.expectSemicolon('after the declaration');
    return specifiers.storage.option ? this.addHelp(declarations) : declarations;
  }

  private finishDeclaration(specifiers: Specifiers, declared: Declared, first: boolean): Declaration | FunctionDeclaration {
    const name = declared.name ?? this.failExpected('a name');
    const { type, keys } = declared;
    const { storage } = specifiers;
    if (specifiers.typedef) {
      this.declare(name, 'type');
      const node: TypedefDeclaration = { kind: 'typedef', name, type, span: spanOver(specifiers.span, this.last().span) };
      return node;
    }
    this.declare(name, 'value');
    if (type.kind === 'function-type') {
      const body = first && this.isMark('{') ? this.parseFunctionBody(type.parameters) : undefined;
      return { kind: 'function', name, type, body, storage, span: spanOver(specifiers.span, this.last().span) };
    }
    const colon = this.peek().span;
    const capacity = this.takeMark(':') ? this.parseConditional() : undefined;
    if (capacity !== undefined && keys === undefined) {
      this.complain(
        'stray-capacity',
        'only an associative array has a capacity',
        spanOver(colon, capacity.span),
        'name the types of its keys: x[int] : 1024',
      );
    }
    const initializer = this.takeMark('=') ? this.parseInitializer() : undefined;
    const span = spanOver(specifiers.span, this.last().span);
    const node: VariableDeclaration = { kind: 'variable', name, type, keys, capacity, initializer, storage, help: '', span };
    return node;
  }

  private parseFunctionBody(parameters: readonly { readonly name: Identifier | undefined }[]): Block {
    return this.scoped(() => {
      for (const parameter of parameters) this.declare(parameter.name, 'value');
      return this.parseBlock();
    });
  }

  /** The comment on the same line, after the `;`. */
  private addHelp<T extends Declaration | FunctionDeclaration>(declarations: readonly T[]): readonly T[] {
    const { file, end, line } = this.last().span;
    const comments = this.source.comments.get(file) ?? [];
    // The first one that begins behind the `;`: comments are in order.
    let low = 0;
    let high = comments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((comments[middle]?.span.start ?? 0) < end) low = middle + 1;
      else high = middle;
    }
    const found = comments[low];
    if (found === undefined || found.span.line !== line) return declarations;
    const help = found.text.trim().replace(/\s+/g, ' ');
    return declarations.map((one) => (one.kind === 'variable' ? { ...one, help } : one));
  }

  // ------------------------------------------------------------ blocks

  protected parseBlock(): Block {
    const open = this.expectMark('{', 'before the statements');
    return this.nested(() =>
      this.scoped(() => {
        const statements = this.parseStatements(() => false);
        if (!this.isMark('}')) this.fail('open-brace', 'this brace is not closed', open.span);
        return { kind: 'block', statements, span: spanOver(open.span, this.next().span) };
      }),
    );
  }

  /** Statements to a `}`, which is not read, or to what `ends`. Damaged ones are left out. */
  private parseStatements(ends: () => boolean): readonly Statement[] {
    const statements: Statement[] = [];
    while (!this.isMark('}') && this.peek().kind !== 'end' && !this.isItemStart() && !ends()) {
      const begin = this.at;
      try {
        statements.push(this.parseStatement());
      } catch (failure) {
        if (!(failure instanceof ParseFailure)) throw failure;
        this.skipStatement(begin);
        // Nothing was read and nothing skipped: go over it, or this would never end.
        if (this.at === begin && !this.isMark('}') && !this.isItemStart()) this.at++;
      }
    }
    return statements;
  }

  private parseStatement(): Statement {
    const token = this.peek();
    if (token.kind === 'mark' && token.text === '{') return this.parseBlock();
    if (token.kind === 'mark' && token.text === ';') return { kind: 'empty', span: this.next().span };
    const special = token.kind === 'identifier' ? this.nested(() => this.parseWordStatement(token.text, token.span)) : undefined;
    if (special !== undefined) return special;
    if (this.isDeclaration()) return this.parseDeclarationStatement();
    return this.parseExpressionStatement();
  }

  private parseExpressionStatement(): ExpressionStatement {
    const expression = this.parseExpression();
    this.expectSemicolon('after the expression');
    return { kind: 'expression', expression, span: spanOver(expression.span, this.last().span) };
  }

  private parseDeclarationStatement(): DeclarationStatement {
    const begin = this.peek().span;
    const declarations: Declaration[] = [];
    for (const one of this.parseDeclaration()) {
      if (one.kind !== 'function') declarations.push(one);
      else
        this.complain(
          'nested-function',
          `the function "${one.name.text}" is declared inside of another`,
          one.span,
          'declare it at the top of the file',
        );
    }
    return { kind: 'declaration', declarations, span: spanOver(begin, this.last().span) };
  }

  /** A statement that begins with a word of the language; undefined when it does not. */
  private parseWordStatement(word: string, begin: Span): Statement | undefined {
    switch (word) {
      case 'if':
        return this.parseIf();
      case 'for':
        return this.parseFor();
      case 'while':
      case 'do':
        return word === 'do' ? this.parseDo() : this.parseWhile();
      case 'switch':
        return this.parseSwitch();
      case 'break':
      case 'continue':
        this.next();
        this.expectSemicolon(`after ${word}`);
        return { kind: word, span: begin };
      case 'return':
        return this.parseReturn();
      case '_foreach':
        return this.parseForeach();
      case '_try':
        return this.parseTry();
      case '_delete':
        return this.parseDelete();
      case '_clear':
        return this.parseClear();
      default:
        return this.refuseWord(word, begin);
    }
  }

  /** Says of what C has and Y has not, and of what stands in the wrong place, that it is so. */
  private refuseWord(word: string, begin: Span): undefined {
    if (word === 'goto') this.fail('no-goto', 'there is no goto', begin, 'use a loop with break');
    if (word === 'case' || word === 'default')
      this.fail('stray-case', `"${word}" outside of a switch`, begin, 'it stands directly in the braces of the switch');
    if (word === 'else') this.fail('stray-else', '"else" without an "if" before it', begin);
    if (word === '_catch') this.fail('stray-catch', '"_catch" without a "_try" before it', begin);
    if (word === '_option') this.fail('nested-option', 'an option is declared at the top of the file', begin);
    if (this.isMark(':', 1) && this.isName()) this.fail('no-goto', `there are no labels, as "${word}" here`, begin);
    return undefined;
  }

  // ------------------------------------------------------------ control

  private parseCondition(of: string): Expression {
    this.expectMark('(', `after ${of}`);
    const condition = this.parseExpression();
    this.expectMark(')', 'after the condition');
    return condition;
  }

  private parseBody(): Statement {
    return this.scoped(() => {
      if (this.isDeclaration() && !this.isMark('{')) {
        this.complain('declaration-alone', 'a declaration cannot be a whole body', this.peek().span, 'put braces around it');
      }
      return this.parseStatement();
    });
  }

  private parseIf(): Statement {
    const begin = this.next().span;
    const condition = this.parseCondition('if');
    const then = this.parseBody();
    const otherwise = this.takeWord('else') ? this.parseBody() : undefined;
    // oxlint-disable-next-line unicorn/no-thenable -- a node, never awaited
    return { kind: 'if', condition, then, else: otherwise, span: spanOver(begin, this.last().span) };
  }

  private parseFor(): Statement {
    const begin = this.next().span;
    return this.scoped(() => {
      this.expectMark('(', 'after for');
      const initial = this.takeMark(';')
        ? undefined
        : this.isDeclaration()
          ? this.parseDeclarationStatement()
          : this.parseExpressionStatement();
      const condition = this.isMark(';') ? undefined : this.parseExpression();
      this.expectMark(';', 'after the condition of the loop');
      const step = this.isMark(')') ? undefined : this.parseExpression();
      this.expectMark(')', 'after the head of the loop');
      const body = this.parseBody();
      return { kind: 'for', initial, condition, step, body, span: spanOver(begin, this.last().span) };
    });
  }

  private parseWhile(): Statement {
    const begin = this.next().span;
    const condition = this.parseCondition('while');
    const body = this.parseBody();
    return { kind: 'while', condition, body, span: spanOver(begin, this.last().span) };
  }

  private parseDo(): Statement {
    const begin = this.next().span;
    const body = this.parseBody();
    if (!this.takeWord('while')) this.failExpected('"while" after the body of "do"');
    const condition = this.parseCondition('while');
    this.expectSemicolon('after the loop');
    return { kind: 'do-while', condition, body, span: spanOver(begin, this.last().span) };
  }

  private parseSwitch(): Statement {
    const begin = this.next().span;
    const subject = this.parseCondition('switch');
    const open = this.expectMark('{', 'after the head of the switch');
    const sections = this.scoped(() => this.parseSections());
    if (!this.isMark('}')) this.fail('open-brace', 'this brace is not closed', open.span);
    this.next();
    return { kind: 'switch', subject, sections, span: spanOver(begin, this.last().span) };
  }

  private parseSections(): readonly SwitchSection[] {
    const sections: SwitchSection[] = [];
    while (!this.isMark('}') && this.peek().kind !== 'end' && !this.isItemStart()) {
      const begin = this.peek().span;
      const labels: CaseLabel[] = [];
      while (this.isWord('case') || this.isWord('default')) labels.push(this.parseLabel());
      if (labels.length === 0) this.failExpected('"case" or "default" in the switch');
      const statements = this.parseStatements(() => this.isWord('case') || this.isWord('default'));
      sections.push({ labels, statements, span: spanOver(begin, this.last().span) });
    }
    return sections;
  }

  private parseLabel(): CaseLabel {
    const word = this.next();
    if (word.text === 'default') {
      const colon = this.expectMark(':', 'after default');
      return { kind: 'default', span: spanOver(word.span, colon.span) };
    }
    const value = this.parseConditional();
    const to = this.takeMark('...') ? this.parseConditional() : undefined;
    const colon = this.expectMark(':', 'after the value of the case');
    return { kind: 'case', value, to, span: spanOver(word.span, colon.span) };
  }

  private parseReturn(): Statement {
    const begin = this.next().span;
    const value = this.isMark(';') || this.isMark('}') ? undefined : this.parseExpression();
    this.expectSemicolon('after return');
    return { kind: 'return', value, span: spanOver(begin, this.last().span) };
  }

  // ------------------------------------------------------------ Y's own

  private parseForeach(): Statement {
    const begin = this.next().span;
    return this.scoped(() => {
      this.expectMark('(', 'after _foreach');
      const keys: Identifier[] = [];
      do keys.push(this.expectName('a name for the key'));
      while (this.takeMark(','));
      if (!this.takeWord('in')) this.failExpected('"in" after the keys');
      const array = this.parseConditional();
      let sort: ForeachStatement['sort'];
      let limit: Expression | undefined;
      for (const key of keys) this.declare(key, 'value');
      while (this.takeMark(';')) {
        const word = this.peek();
        if (sort === undefined && this.takeWord('sort')) sort = this.parseSort(word.span);
        else if (limit === undefined && this.takeWord('limit')) limit = this.parseConditional();
        else this.failExpected('"sort" or "limit", each once', 'write _foreach (k in arr; sort desc; limit 10)');
      }
      this.expectMark(')', 'after the head of _foreach');
      const body = this.parseBody();
      return { kind: 'foreach', keys, array, sort, limit, body, span: spanOver(begin, this.last().span) };
    });
  }

  private parseSort(begin: Span): NonNullable<ForeachStatement['sort']> {
    const descending = this.takeWord('desc');
    if (!descending) this.takeWord('asc');
    const by = this.takeWord('by') ? this.parseConditional() : undefined;
    return { descending, by, span: spanOver(begin, this.last().span) };
  }

  private parseTry(): Statement {
    const begin = this.next().span;
    const body = this.parseBlock();
    if (!this.takeWord('_catch')) this.failExpected('"_catch" after the block of "_try"');
    const handler = this.parseBlock();
    return { kind: 'try', body, handler, span: spanOver(begin, handler.span) };
  }

  private parseDelete(): Statement {
    const begin = this.next().span;
    const target = this.parseConditional();
    this.expectSemicolon('after _delete');
    return { kind: 'delete', target, span: spanOver(begin, this.last().span) };
  }

  private parseClear(): Statement {
    const begin = this.next().span;
    this.expectMark('(', 'after _clear');
    const array = this.parseConditional();
    this.expectMark(')', 'after the array');
    this.expectSemicolon('after _clear');
    return { kind: 'clear', array, span: spanOver(begin, this.last().span) };
  }
}
