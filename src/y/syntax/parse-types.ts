/** Types and declarators: C11 6.7, with Y's types and C++ references. */
import type {
  ArrayNode,
  BasicName,
  EnumeratorNode,
  EnumNode,
  Expression,
  FunctionNode,
  Identifier,
  MemberNode,
  ParameterNode,
  RecordNode,
  Storage,
  TypeNode,
} from './ast.ts';
import { spanOver, type Span } from './span.ts';
import { toIdentifier, TokenReader } from './token-reader.ts';

const STORAGE = new Set(['typedef', 'static', 'extern', 'inline', 'register', 'auto', '_thread', '_percpu', '_lru', '_option']);
const QUALIFIERS = new Set([
  'const',
  'volatile',
  'restrict',
  '__const',
  '__volatile__',
  '__restrict',
  '__inline',
  '__inline__',
  '__extension__',
]);
const BASIC_WORDS = new Set(['void', 'char', 'short', 'int', 'long', 'float', 'double', 'signed', 'unsigned', '_Bool', 'bool', '__int128']);
const SPECIAL = new Set(['struct', 'union', 'enum', '_str', '_agg', '_bt', 'typeof', '__typeof__']);

export interface Specifiers {
  readonly type: TypeNode;
  readonly storage: Storage;
  readonly typedef: boolean;
  readonly span: Span;
}

export interface Declared {
  readonly name: Identifier | undefined;
  readonly type: TypeNode;
  /** Of an associative array. */
  readonly keys: readonly TypeNode[] | undefined;
}

/** How a declarator may look. `keys`: may be an associative array. */
export interface DeclaratorForm {
  readonly name: 'required' | 'optional' | 'none';
  readonly keys: boolean;
}

type Suffix =
  | { readonly kind: 'array'; readonly size: Expression | undefined; readonly span: Span }
  | { readonly kind: 'function'; readonly parameters: readonly ParameterNode[]; readonly variadic: boolean; readonly span: Span }
  | { readonly kind: 'keys'; readonly keys: readonly TypeNode[]; readonly span: Span };

/** Basic types by their words in order of the alphabet. */
const BASIC: Readonly<Record<string, BasicName>> = {
  void: 'void',
  _Bool: 'bool',
  bool: 'bool',
  char: 'char',
  'char signed': 'signed char',
  'char unsigned': 'unsigned char',
  short: 'short',
  'short signed': 'short',
  'int short': 'short',
  'int short signed': 'short',
  'short unsigned': 'unsigned short',
  'int short unsigned': 'unsigned short',
  int: 'int',
  signed: 'int',
  'int signed': 'int',
  unsigned: 'unsigned int',
  'int unsigned': 'unsigned int',
  long: 'long',
  'long signed': 'long',
  'int long': 'long',
  'int long signed': 'long',
  'long unsigned': 'unsigned long',
  'int long unsigned': 'unsigned long',
  'long long': 'long long',
  'long long signed': 'long long',
  'int long long': 'long long',
  'int long long signed': 'long long',
  'long long unsigned': 'unsigned long long',
  'int long long unsigned': 'unsigned long long',
  __int128: '__int128',
  '__int128 signed': '__int128',
  '__int128 unsigned': 'unsigned __int128',
  float: 'float',
  double: 'double',
  'double long': 'long double',
};

export abstract class TypeParser extends TokenReader {
  protected abstract parseExpression(): Expression;
  protected abstract parseAssignment(): Expression;
  protected abstract parseConditional(): Expression;
  protected abstract parseAdditive(): Expression;

  // ------------------------------------------------------------ what begins a type

  /** A word that only a declaration or a type begins with. */
  protected isTypeWord(ahead = 0): boolean {
    const token = this.peek(ahead);
    if (token.kind !== 'identifier') return false;
    // `_bt()` and `bool(x)` are calls; `_thread.start` is a probe point.
    if (token.text === '_bt') return !this.isMark('(', ahead + 1);
    if (BASIC_WORDS.has(token.text) || SPECIAL.has(token.text) || QUALIFIERS.has(token.text)) return true;
    return STORAGE.has(token.text);
  }

  protected isTypeStart(ahead = 0): boolean {
    return this.isTypeWord(ahead) || this.known(ahead) === 'type';
  }

  /** A name that may be a type of the target: not a variable of the script. */
  protected mayBeType(ahead = 0): boolean {
    return this.isTypeStart(ahead) || (this.isName(ahead) && this.known(ahead) !== 'value');
  }

  /** Whether a declaration begins here; for a name of the target, told by what follows it. */
  protected isDeclaration(): boolean {
    if (this.isTypeWord()) return true;
    if (this.known() === 'type') return !this.isMark('::', 1);
    if (!this.isName() || this.known() === 'value') return false;
    let ahead = 1;
    while (this.isWord('const', ahead) || this.isWord('volatile', ahead)) ahead++;
    if (this.isName(ahead)) return !this.isWord('in', ahead) || this.isMark('=', ahead + 1) || this.isMark(';', ahead + 1);
    // `T (*name)(int)`: of a call's result that is called with an expression it cannot be told, and that is rare.
    const isPointer = this.isMark('(', ahead) && this.isMark('*', ahead + 1) && this.isName(ahead + 2) && this.isMark(')', ahead + 3);
    if (isPointer) return this.isMark('(', ahead + 4) && (this.isTypeStart(ahead + 5) || this.isMark(')', ahead + 5));
    const reference = this.isMark('&', ahead) || this.isMark('&&', ahead);
    if (reference) return this.isName(ahead + 1) && this.isMark('=', ahead + 2);
    const first = ahead;
    while (this.isMark('*', ahead) || this.isWord('const', ahead) || this.isWord('restrict', ahead)) ahead++;
    if (ahead === first || !this.isName(ahead)) return false;
    return ['=', ';', ',', '[', ')'].some((mark) => this.isMark(mark, ahead + 1));
  }

  // ------------------------------------------------------------ specifiers

  /** Everything before the declarators. A name that nobody knows is taken for a type where one must stand. */
  protected parseSpecifiers(): Specifiers {
    const begin = this.peek().span;
    const flags = new Set<string>();
    const words: string[] = [];
    let type: TypeNode | undefined;
    for (;;) {
      const token = this.peek();
      if (this.skipAttribute()) continue;
      if (token.kind === 'identifier' && (STORAGE.has(token.text) || QUALIFIERS.has(token.text)))
        flags.add(this.next().text.replaceAll('__', ''));
      else if (type === undefined && token.kind === 'identifier' && BASIC_WORDS.has(token.text)) words.push(this.next().text);
      else if (type === undefined && words.length === 0 && (SPECIAL.has(token.text) || this.isName())) type = this.parseSpecial();
      else break;
    }
    const span = spanOver(begin, this.last().span);
    const marks = { constant: flags.has('const'), volatile: flags.has('volatile'), span };
    if (type === undefined && words.length === 0) this.failExpected('a type');
    const basic: TypeNode = { kind: 'basic', name: this.toBasic(words, span), ...marks };
    const storage: Storage = {
      thread: flags.has('_thread'),
      percpu: flags.has('_percpu'),
      lru: flags.has('_lru'),
      option: flags.has('_option'),
      static: flags.has('static'),
      extern: flags.has('extern'),
    };
    return { type: type === undefined ? basic : { ...type, ...marks, span: type.span }, storage, typedef: flags.has('typedef'), span };
  }

  private toBasic(words: readonly string[], span: Span): BasicName {
    if (words.length === 0) return 'int';
    const found = BASIC[words.toSorted().join(' ')];
    if (found === undefined) this.complain('bad-type', `"${words.join(' ')}" is no type of C`, span);
    return found ?? 'int';
  }

  private parseSpecial(): TypeNode {
    const token = this.next();
    const marks = { constant: false, volatile: false, span: token.span };
    if (token.kind === 'quoted') return { kind: 'named', name: toIdentifier(token), ...marks };
    if (token.text === 'struct' || token.text === 'union') return this.parseRecord(token.text, token.span);
    if (token.text === 'enum') return this.parseEnum(token.span);
    if (token.text === '_agg') return { kind: 'aggregate-type', ...marks };
    if (token.text === '_bt') return { kind: 'backtrace-type', ...marks };
    if (token.text === '_str') return this.parseStringType(token.span);
    if (token.text === 'typeof' || token.text === '__typeof__') {
      this.expectMark('(', 'after typeof');
      const operand = this.parseExpression();
      const close = this.expectMark(')', 'after the operand of typeof');
      return { kind: 'typeof', operand, ...marks, span: spanOver(token.span, close.span) };
    }
    if (this.isMark('::'))
      this.fail('plain-cpp-name', 'a C++ name is written in backquotes', this.peek().span, `write \`${token.text}::…\``);
    return { kind: 'named', name: toIdentifier(token), ...marks };
  }

  private parseStringType(begin: Span): TypeNode {
    let capacity: Expression | undefined;
    if (this.takeMark('<')) {
      capacity = this.parseAdditive();
      this.expectMark('>', 'after the capacity of _str');
    }
    return { kind: 'string-type', capacity, constant: false, volatile: false, span: spanOver(begin, this.last().span) };
  }

  /** `__attribute__((…))`; true when there was one. */
  private skipAttribute(): boolean {
    if (!this.isWord('__attribute__') && !this.isWord('__attribute')) return false;
    this.readAttribute();
    return true;
  }

  /** Reads an attribute and tells whether it says `packed`. */
  private readAttribute(): boolean {
    this.next();
    let packed = false;
    this.expectMark('(', 'after __attribute__');
    for (let depth = 1; depth > 0;) {
      const token = this.next();
      if (token.kind === 'end') this.failExpected('")" of __attribute__');
      if (token.text === '(') depth++;
      else if (token.text === ')') depth--;
      packed ||= token.text === 'packed' || token.text === '__packed__';
    }
    return packed;
  }

  private readAttributes(): boolean {
    let packed = false;
    while (this.isWord('__attribute__') || this.isWord('__attribute')) packed = this.readAttribute() || packed;
    return packed;
  }

  // ------------------------------------------------------------ struct, union, enum

  private parseRecord(tag: 'struct' | 'union', begin: Span): TypeNode {
    const packed = this.readAttributes();
    const name = this.isName() ? toIdentifier(this.next()) : undefined;
    const marks = { constant: false, volatile: false };
    if (!this.isMark('{')) {
      if (name === undefined) this.failExpected(`a name or "{" after ${tag}`);
      return { kind: 'tag', tag, name, ...marks, span: spanOver(begin, name.span) };
    }
    const members = this.nested(() => this.parseMembers());
    const span = spanOver(begin, this.last().span);
    const record: RecordNode = { kind: 'record', tag, name, members, packed: this.readAttributes() || packed, ...marks, span };
    return record;
  }

  private parseMembers(): readonly MemberNode[] {
    const open = this.next();
    const members: MemberNode[] = [];
    while (!this.takeMark('}')) {
      if (this.peek().kind === 'end') this.fail('open-brace', 'this brace is not closed', open.span);
      if (!this.takeMark(';')) members.push(...this.parseMember());
    }
    return members;
  }

  private parseMember(): readonly MemberNode[] {
    const { type, span: begin } = this.parseSpecifiers();
    const members: MemberNode[] = [];
    if (this.isMark(';')) {
      if (type.kind === 'record') members.push({ name: undefined, type, bits: undefined, span: begin });
      // `enum { A } ;` in a struct declares only its enumerators.
      else if (type.kind !== 'enum') this.failExpected('the name of the member');
    }
    while (!this.isMark(';')) {
      const at = this.peek().span;
      const declared: Declared = this.isMark(':')
        ? { name: undefined, type, keys: undefined }
        : this.parseDeclarator(type, { name: 'required', keys: false });
      const bits = this.takeMark(':') ? this.parseConditional() : undefined;
      this.readAttributes();
      members.push({ name: declared.name, type: declared.type, bits, span: spanOver(at, this.last().span) });
      if (!this.takeMark(',')) break;
    }
    this.expectSemicolon('after the member');
    return members;
  }

  private parseEnum(begin: Span): TypeNode {
    this.readAttributes();
    const name = this.isName() ? toIdentifier(this.next()) : undefined;
    const marks = { constant: false, volatile: false };
    if (!this.isMark('{')) {
      if (name === undefined) this.failExpected('a name or "{" after enum');
      return { kind: 'tag', tag: 'enum', name, ...marks, span: spanOver(begin, name.span) };
    }
    this.next();
    const enumerators: EnumeratorNode[] = [];
    while (!this.isMark('}')) {
      const one = this.expectName('the name of an enumerator');
      const value = this.takeMark('=') ? this.parseConditional() : undefined;
      this.declare(one, 'value');
      enumerators.push({ name: one, value, span: spanOver(one.span, this.last().span) });
      if (!this.takeMark(',')) break;
    }
    const close = this.expectMark('}', 'after the enumerators');
    const node: EnumNode = { kind: 'enum', name, enumerators, ...marks, span: spanOver(begin, close.span) };
    return node;
  }

  // ------------------------------------------------------------ declarators

  /** Reads a declarator and applies it to `base`. */
  protected parseDeclarator(base: TypeNode, form: DeclaratorForm): Declared {
    return this.nested(() => this.readDeclarator(form))(base);
  }

  /** A declarator as a function from what it is applied to: C writes types inside out. */
  private readDeclarator(form: DeclaratorForm): (base: TypeNode) => Declared {
    const pointers: ((to: TypeNode) => TypeNode)[] = [];
    while (this.isMark('*') || this.isMark('&') || this.isMark('&&')) {
      pointers.push(this.readPointer());
      this.checkChain(pointers.length * 10);
    }
    let inner: ((base: TypeNode) => Declared) | undefined;
    let name: Identifier | undefined;
    if (this.isInnerDeclarator(form)) {
      this.next();
      inner = this.nested(() => this.readDeclarator({ ...form, keys: false }));
      this.expectMark(')', 'after the declarator');
    } else if (form.name === 'required' || (form.name === 'optional' && this.isName())) name = this.expectName('a name');
    const suffixes = this.readSuffixes(form);
    this.readAttributes();
    return (base) => {
      const keys = suffixes.find((suffix) => suffix.kind === 'keys');
      let type = pointers.reduce((to, pointer) => pointer(to), base);
      for (const suffix of suffixes.toReversed()) type = applySuffix(type, suffix);
      return inner === undefined ? { name, type, keys: keys?.keys } : inner(type);
    };
  }

  private readPointer(): (to: TypeNode) => TypeNode {
    const mark = this.next();
    const flags = new Set<string>();
    while (this.peek().kind === 'identifier' && QUALIFIERS.has(this.peek().text)) flags.add(this.next().text.replaceAll('__', ''));
    return (to) => {
      const marks = { to, constant: flags.has('const'), volatile: flags.has('volatile'), span: spanOver(to.span, mark.span) };
      return mark.text === '*' ? { kind: 'pointer', ...marks } : { kind: 'reference', rvalue: mark.text === '&&', ...marks };
    };
  }

  /** `(*name)…` and the like, not the parameters of a function without a name. */
  private isInnerDeclarator(form: DeclaratorForm): boolean {
    if (!this.isMark('(')) return false;
    if (this.isMark('*', 1) || this.isMark('(', 1)) return true;
    return form.name === 'required' && this.isName(1) && this.known(1) !== 'type';
  }

  private readSuffixes(form: DeclaratorForm): readonly Suffix[] {
    const suffixes: Suffix[] = [];
    for (;;) {
      this.checkChain(suffixes.length * 10);
      const begin = this.peek().span;
      if (this.takeMark('[')) suffixes.push(this.readBrackets(form.keys && suffixes.length === 0, begin));
      else if (this.isMark('(')) {
        const { parameters, variadic } = this.parseParameters('function');
        suffixes.push({ kind: 'function', parameters, variadic, span: spanOver(begin, this.last().span) });
      } else return suffixes;
    }
  }

  private readBrackets(mayBeKeys: boolean, begin: Span): Suffix {
    if (mayBeKeys && this.isKeyList()) {
      const keys = [this.parseTypeName()];
      while (this.takeMark(',')) keys.push(this.parseTypeName());
      const close = this.expectMark(']', 'after the types of the keys');
      return { kind: 'keys', keys, span: spanOver(begin, close.span) };
    }
    const size = this.isMark(']') ? undefined : this.parseAssignment();
    const close = this.expectMark(']', 'after the size of the array');
    return { kind: 'array', size, span: spanOver(begin, close.span) };
  }

  /** After `[` of a variable: types follow, not a size. */
  private isKeyList(): boolean {
    if (this.isTypeStart()) return true;
    if (!this.mayBeType()) return false;
    let ahead = 1;
    while (this.isMark('*', ahead)) ahead++;
    return this.isMark(']', ahead) || this.isMark(',', ahead);
  }

  /** A type without a name: of a cast, of `sizeof`. */
  protected parseTypeName(): TypeNode {
    const { type, storage, typedef, span } = this.parseSpecifiers();
    if (typedef || Object.values(storage).includes(true)) this.complain('bad-type', 'a type alone has no storage class', span);
    return this.parseDeclarator(type, { name: 'none', keys: false }).type;
  }

  // ------------------------------------------------------------ parameters

  /** `( … )`. In a probe a lone unknown name is a parameter without a type. */
  protected parseParameters(form: 'function' | 'probe'): { readonly parameters: readonly ParameterNode[]; readonly variadic: boolean } {
    const open = this.expectMark('(', 'before the parameters');
    const parameters: ParameterNode[] = [];
    if (this.isWord('void') && this.isMark(')', 1)) this.next();
    if (this.takeMark(')')) return { parameters, variadic: false };
    for (;;) {
      if (this.peek().kind === 'end') this.fail('open-parenthesis', 'this parenthesis is not closed', open.span);
      if (this.takeMark('...')) {
        this.expectMark(')', 'after "..."');
        return { parameters, variadic: true };
      }
      parameters.push(this.parseParameter(form));
      if (!this.takeMark(',')) break;
    }
    this.expectMark(')', 'after the parameters');
    return { parameters, variadic: false };
  }

  protected parseParameter(form: 'function' | 'probe'): ParameterNode {
    const begin = this.peek().span;
    if (form === 'probe' && this.isName() && this.known() !== 'type' && !this.isTypeWord() && !this.isParameterType()) {
      const name = toIdentifier(this.next());
      return { name, type: undefined, span: name.span };
    }
    const { type, storage, span } = this.parseSpecifiers();
    if (storage.thread || storage.percpu || storage.lru || storage.option)
      this.complain('bad-storage', 'a parameter has no storage class', span);
    const declared = this.parseDeclarator(type, { name: 'optional', keys: false });
    return { name: declared.name, type: declared.type, span: spanOver(begin, this.last().span) };
  }

  /** A name that something of a declarator follows. */
  private isParameterType(): boolean {
    const next = this.peek(1);
    return this.isName(1) || ['*', '&', '&&', '::'].includes(next.text) || (next.kind === 'identifier' && QUALIFIERS.has(next.text));
  }
}

function applySuffix(type: TypeNode, suffix: Suffix): TypeNode {
  const marks = { constant: false, volatile: false, span: spanOver(type.span, suffix.span) };
  if (suffix.kind === 'keys') return type;
  if (suffix.kind === 'array') {
    const array: ArrayNode = { kind: 'array', of: type, size: suffix.size, ...marks };
    return array;
  }
  const { parameters, variadic } = suffix;
  const node: FunctionNode = { kind: 'function-type', result: type, parameters, variadic, ...marks };
  return node;
}
