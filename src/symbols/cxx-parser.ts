/** Names and types of the Itanium C++ ABI, section 5.1. Each method reads the production that it is named for. */
import { parseExpression, parseLiteral } from './cxx-expression.ts';
import { resolved, text, type CxxExpressions, type CxxFunction, type CxxNode, type CxxParameter } from './cxx-nodes.ts';
import { NotMangled } from './not-mangled.ts';
import { CxxPrinter } from './cxx-print.ts';
import { CxxReader } from './cxx-reader.ts';
import { BUILTIN_TYPES, EXTENDED_TYPES, OPERATORS, SPECIAL_NAMES, STANDARD_SUBSTITUTIONS } from './cxx-tables.ts';

const MAX_DEPTH = 200;

/** A name, and what of it decides how the function around it is printed. */
interface ParsedName {
  readonly node: CxxNode;
  /** ` const`, ` &&`, … of a member function. */
  readonly suffix: string;
}

export class CxxParser implements CxxExpressions {
  readonly reader: CxxReader;
  readonly #substitutions: CxxNode[] = [];
  #templateArgs: readonly CxxNode[] = [];
  #forward: CxxParameter[] = [];
  #allowForward = false;
  #inLambda = false;
  /** Whether template arguments that are read now are those that `T_` means: the ones of the function's own name. */
  #ownArgs = false;
  #depth = 0;
  /** Parts that may still be copied: bounds the work on repeated repetitions. */
  #rebindings = 10_000;
  #hasParameters = false;

  constructor(name: string, at: number) {
    this.reader = new CxxReader(name, at);
  }

  /** The whole name, with what compilers append to copies (`.isra.0`, `.cold`). */
  parse(): string {
    const encoding = this.encoding(true);
    const printed = new CxxPrinter().print(encoding);
    const rest = this.reader.text.slice(this.reader.at);
    if (!/^(?:\.(?:[a-zA-Z_]+|\d+))*$/.test(rest)) throw new NotMangled('text is left over');
    const clones = rest.match(/\.(?:[a-zA-Z_]+(?:\.\d+)*|\d+(?:\.\d+)*)/g) ?? [];
    return printed + clones.map((clone) => ` [clone ${clone}]`).join('');
  }

  deeper<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new NotMangled('nested too deeply');
    const result = read();
    this.#depth--;
    return result;
  }

  /** Functions have parameters after the name, variables do not. Within others the result's type is left out. */
  encoding(isOutermost: boolean): CxxNode {
    return this.deeper(() => {
      const reader = this.reader;
      if (reader.peek() === 'T' || (reader.peek() === 'G' && reader.peek(1) !== '_')) return this.#special();
      const { node, suffix } = this.#nameWithForward();
      if (reader.peek() === '' || reader.peek() === 'E' || reader.peek() === '.') return node;
      const result = returnsType(node) ? this.type() : undefined;
      const parameters = this.#typesUntilEnd();
      const type: CxxFunction = { kind: 'function', result: isOutermost ? result : undefined, parameters, suffix };
      return { kind: 'encoding', name: node, type };
    });
  }

  /** A name of its own within an expression: its template arguments are not those of the names around it. */
  separateEncoding(): CxxNode {
    const outer = this.#templateArgs;
    const found = this.encoding(true);
    this.#templateArgs = outer;
    return found;
  }

  /** The type of a conversion may use template arguments that come after it. */
  #nameWithForward(): ParsedName {
    const outer = this.#forward;
    this.#forward = [];
    const wasOwn = this.#ownArgs;
    this.#ownArgs = true;
    const name = this.name();
    this.#ownArgs = wasOwn;
    for (const parameter of this.#forward) parameter.target = this.#templateArgs[parameter.index];
    this.#forward = outer;
    return name;
  }

  #typesUntilEnd(): CxxNode[] {
    const types: CxxNode[] = [];
    while (!/^[E.]?$/.test(this.reader.peek()) && !(/^[RO]$/.test(this.reader.peek()) && this.reader.peek(1) === 'E'))
      types.push(this.type());
    if (types.length === 0) throw new NotMangled('parameters are missing');
    return types;
  }

  #special(): CxxNode {
    const reader = this.reader;
    const code = reader.next() + reader.next();
    const known = SPECIAL_NAMES[code];
    if (known) return { kind: 'parts', parts: [known[0], known[1] === 'type' ? this.type() : this.name().node] };
    if (code === 'TC') {
      const derived = this.type();
      reader.number();
      reader.expect('_');
      return { kind: 'parts', parts: ['construction vtable for ', this.type(), '-in-', derived] };
    }
    if (code === 'Th' || code === 'Tv') {
      this.#callOffset(code[1]!);
      return { kind: 'parts', parts: [code === 'Th' ? 'non-virtual thunk to ' : 'virtual thunk to ', this.encoding(false)] };
    }
    if (code === 'Tc') {
      this.#callOffset(reader.next());
      this.#callOffset(reader.next());
      return { kind: 'parts', parts: ['covariant return thunk to ', this.encoding(false)] };
    }
    if (code === 'GR') {
      const name = this.name().node;
      const index = reader.peek() === '' ? 0 : this.#sequence();
      return { kind: 'parts', parts: [`reference temporary #${index} for `, name] };
    }
    if (code === 'GT')
      return {
        kind: 'parts',
        parts: [reader.next() === 'n' ? 'non-transaction clone for ' : 'transaction clone for ', this.encoding(false)],
      };
    throw new NotMangled(`special name ${code} is not known`);
  }

  #callOffset(kind: string): void {
    const offset = (): void => {
      this.reader.take('n');
      this.reader.number();
      this.reader.expect('_');
    };
    offset();
    if (kind === 'v') offset();
  }

  name(): ParsedName {
    return this.deeper(() => {
      const reader = this.reader;
      const plain = (node: CxxNode): ParsedName => ({ node, suffix: '' });
      if (reader.peek() === 'N') return this.#nestedName();
      if (reader.peek() === 'Z') return this.#localName();
      if (reader.peek() === 'S' && reader.peek(1) !== 't') {
        const node = this.#substitution();
        return plain(reader.peek() === 'I' ? { kind: 'template', name: node, args: this.templateArgs(true) } : node);
      }
      const inStd = reader.take('St');
      const unqualified = this.unqualifiedName(undefined);
      const node: CxxNode = inStd ? { kind: 'nested', scope: text('std', true), name: unqualified } : unqualified;
      if (reader.peek() !== 'I') return plain(node);
      this.#substitutions.push(node);
      return plain({ kind: 'template', name: node, args: this.templateArgs(true) });
    });
  }

  /** `N [qualifiers] parts E`. */
  #nestedName(): ParsedName {
    const reader = this.reader;
    reader.expect('N');
    reader.take('H');
    let suffix = this.#qualifiers();
    if (reader.take('R')) suffix += ' &';
    else if (reader.take('O')) suffix += ' &&';
    const node = this.#prefix();
    reader.expect('E');
    return { node, suffix };
  }

  #prefix(): CxxNode {
    const reader = this.reader;
    let node: CxxNode | undefined;
    for (;;) {
      const char = reader.peek();
      if (char === 'E') {
        if (!node) throw new NotMangled('a nested name is empty');
        return node;
      }
      const isSubstitution = char === 'S';
      if (char === 'M' && node) {
        reader.next();
        continue;
      }
      if (char === 'I') {
        if (!node) throw new NotMangled('template arguments without a name');
        node = { kind: 'template', name: node, args: this.templateArgs(true) };
      } else if (isSubstitution && !node) node = this.#substitution();
      else if (char === 'T' && !node) node = this.templateParameter();
      else if (char === 'D' && /^[tT]$/.test(reader.peek(1)) && !node) node = this.type();
      else {
        const name = this.unqualifiedName(node);
        node = node ? { kind: 'nested', scope: node, name } : name;
      }
      if (!isSubstitution && reader.peek() !== 'E') this.#substitutions.push(node);
    }
  }

  /** `Z function E name`, `Z function E s`, `Z function E d n _ name`. */
  #localName(): ParsedName {
    const reader = this.reader;
    reader.expect('Z');
    const outer = this.#templateArgs;
    const found = this.#localEntity();
    // Within a type the arguments of that function are no longer those that `T_` means.
    if (!this.#ownArgs) this.#templateArgs = outer;
    return found;
  }

  #localEntity(): ParsedName {
    const reader = this.reader;
    const scope = this.encoding(false);
    reader.expect('E');
    if (reader.take('s')) {
      this.#discriminator();
      return { node: { kind: 'nested', scope, name: text('string literal', true) }, suffix: '' };
    }
    const argument = reader.take('d') ? reader.discriminatedIndex() : undefined;
    const { node, suffix } = this.name();
    if (!isUnnamed(node)) this.#discriminator();
    const inner: CxxNode =
      argument === undefined ? node : { kind: 'nested', scope: text(`{default arg#${argument + 1}}`, true), name: node };
    return { node: { kind: 'nested', scope, name: inner }, suffix };
  }

  #discriminator(): void {
    if (!this.reader.take('_')) return;
    const isLong = this.reader.take('_');
    this.reader.number();
    if (isLong) this.reader.expect('_');
  }

  /** `scope` is what the name is a member of, for constructors. */
  unqualifiedName(scope: CxxNode | undefined): CxxNode {
    const reader = this.reader;
    const char = reader.peek();
    let node: CxxNode;
    if (/^\d$/.test(char)) node = text(reader.sourceName(), true);
    else if (char === 'L') {
      reader.next();
      node = text(reader.sourceName(), true);
      this.#discriminator();
    } else if (char === 'D' && reader.peek(1) === 'C') node = this.#structuredBinding();
    else if ((char === 'C' || char === 'D') && scope) node = this.#structor(scope);
    else if (char === 'U') node = this.#unnamed();
    else node = this.operatorName();
    while (reader.take('B')) node = { kind: 'tagged', name: node, tag: reader.sourceName() };
    return node;
  }

  #structuredBinding(): CxxNode {
    this.reader.at += 2;
    const names: CxxNode[] = [];
    while (!this.reader.take('E')) names.push(text(this.reader.sourceName(), true));
    return { kind: 'parts', parts: ['[', { kind: 'list', items: names }, ']'] };
  }

  #structor(scope: CxxNode): CxxNode {
    const reader = this.reader;
    const destructor = reader.next() === 'D';
    const inherits = !destructor && reader.take('I');
    if (!/^[0-5]$/.test(reader.next())) throw new NotMangled('a constructor has no kind');
    const name = lastName(scope);
    if (inherits) this.type();
    return { kind: 'constructor', name, destructor };
  }

  #unnamed(): CxxNode {
    const reader = this.reader;
    reader.next();
    const kind = reader.next();
    if (kind === 't') return text(`{unnamed type#${reader.discriminatedIndex() + 1}}`, true);
    if (kind !== 'l') throw new NotMangled('an unnamed entity of unknown kind');
    const outer = this.#inLambda;
    this.#inLambda = true;
    const parameters = this.#typesUntilEnd();
    this.#inLambda = outer;
    reader.expect('E');
    const type: CxxFunction = { kind: 'function', result: undefined, parameters, suffix: '' };
    return { kind: 'parts', parts: ['{lambda', type, `#${reader.discriminatedIndex() + 1}}`] };
  }

  #remember(node: CxxNode): CxxNode {
    this.#substitutions.push(node);
    return node;
  }

  operatorName(): CxxNode {
    const reader = this.reader;
    if (reader.take('cv')) {
      const outer = this.#allowForward;
      this.#allowForward = true;
      const type = this.type();
      this.#allowForward = outer;
      return { kind: 'conversion', type };
    }
    if (reader.take('li')) return text(`operator"" ${reader.sourceName()}`, true);
    const operator = OPERATORS[reader.next() + reader.next()];
    if (!operator) throw new NotMangled('an operator is not known');
    const spelled = operator[0].trimEnd();
    return text(`operator${/^[a-z]/.test(spelled) ? ' ' : ''}${spelled}`, true);
  }

  templateArgs(replaces: boolean): CxxNode[] {
    return this.deeper(() => {
      this.reader.expect('I');
      const args: CxxNode[] = [];
      const wasOwn = this.#ownArgs;
      this.#ownArgs = false;
      while (!this.reader.take('E')) args.push(this.#templateArg());
      this.#ownArgs = wasOwn;
      if (replaces && wasOwn) this.#templateArgs = args;
      return args;
    });
  }

  #templateArg(): CxxNode {
    const reader = this.reader;
    if (reader.take('X')) {
      const expression = parseExpression(this);
      reader.expect('E');
      return expression;
    }
    if (reader.peek() === 'L') return parseLiteral(this);
    if (reader.peek() !== 'J' && reader.peek() !== 'I') return this.type();
    return this.deeper(() => {
      reader.next();
      const items: CxxNode[] = [];
      while (!reader.take('E')) items.push(this.#templateArg());
      return { kind: 'pack', items };
    });
  }

  templateParameter(): CxxNode {
    this.reader.expect('T');
    const index = this.reader.discriminatedIndex();
    this.#hasParameters = true;
    if (this.#allowForward) {
      const parameter: CxxParameter = { kind: 'parameter', index, text: '', target: this.#templateArgs[index] };
      this.#forward.push(parameter);
      return parameter;
    }
    if (!this.#inLambda && !this.#templateArgs[index]) throw new NotMangled('a template parameter stands for nothing');
    return this.#bind(index);
  }

  /** The parameter as it is meant here. */
  #bind(index: number): CxxParameter {
    const target = this.#inLambda ? undefined : this.#templateArgs[index];
    return { kind: 'parameter', index, text: `auto:${index + 1}`, target };
  }

  /** A substitution repeats text: parameters in it mean those of the place where it is repeated. */
  #rebind(node: CxxNode): CxxNode {
    if (this.#rebindings-- <= 0) return node;
    switch (node.kind) {
      case 'parameter':
        return this.#inLambda || this.#templateArgs[node.index] ? this.#bind(node.index) : node;
      case 'pointer':
        return { ...node, to: this.#rebind(node.to) };
      case 'qualified':
        return { ...node, type: this.#rebind(node.type) };
      case 'expansion':
        return { ...node, pattern: this.#rebind(node.pattern) };
      case 'template':
        return { ...node, args: node.args.map((arg) => this.#rebind(arg)) };
      default:
        return node;
    }
  }

  #sequence(): number {
    if (this.reader.take('_')) return 0;
    const digits = /^[0-9A-Z]{1,6}(?=_)/.exec(this.reader.text.slice(this.reader.at, this.reader.at + 8));
    if (!digits) throw new NotMangled('a substitution has no number');
    this.reader.at += digits[0].length + 1;
    return Number.parseInt(digits[0], 36) + 1;
  }

  /** `S_`, `S1_`: what came before. `St`, `Sa`, …: parts of the standard library. */
  #substitution(): CxxNode {
    const reader = this.reader;
    reader.expect('S');
    if (/^[0-9A-Z_]$/.test(reader.peek())) {
      const found = this.#substitutions[this.#sequence()];
      if (!found) throw new NotMangled('a substitution stands for nothing');
      return this.#hasParameters ? this.#rebind(found) : found;
    }
    if (reader.take('t')) return text('std', true);
    const known = STANDARD_SUBSTITUTIONS[reader.next()];
    if (!known) throw new NotMangled('a substitution is not known');
    let node = text(/^[CD]$/.test(reader.peek()) && reader.peek(1) !== 'T' ? known[2] : known[0], true);
    while (reader.take('B')) node = this.#remember({ kind: 'tagged', name: node, tag: reader.sourceName() });
    return node;
  }

  #qualifiers(): string {
    let found = '';
    for (;;) {
      if (this.reader.take('r')) found = ` __restrict${found}`;
      else if (this.reader.take('V')) found = ` volatile${found}`;
      else if (this.reader.take('K')) found = ` const${found}`;
      else return found;
    }
  }

  type(): CxxNode {
    return this.deeper(() => {
      const wasOwn = this.#ownArgs;
      this.#ownArgs = false;
      const found = this.#type();
      this.#ownArgs = wasOwn;
      return found;
    });
  }

  #type(): CxxNode {
    const reader = this.reader;
    const char = reader.peek();
    const builtin = BUILTIN_TYPES[char];
    if (builtin !== undefined) {
      reader.next();
      return text(builtin);
    }
    switch (char) {
      case 'r':
      case 'V':
      case 'K': {
        const qualifiers = this.#qualifiers();
        if (reader.peek() === 'F') return this.#remember(this.#functionType(qualifiers));
        return this.#remember({ kind: 'qualified', type: this.type(), qualifiers });
      }
      case 'P':
      case 'R':
      case 'O': {
        const mark = ({ P: '*', R: '&', O: '&&' } as const)[char];
        reader.next();
        return this.#remember({ kind: 'pointer', to: this.type(), mark });
      }
      case 'F':
        return this.#remember(this.#functionType(''));
      case 'A':
        return this.#remember(this.#arrayType());
      case 'M': {
        reader.next();
        const scope = this.type();
        return this.#remember({ kind: 'member-pointer', scope, to: this.type() });
      }
      case 'C':
      case 'G':
        reader.next();
        return this.#remember({ kind: 'parts', parts: [this.type(), char === 'C' ? ' _Complex' : ' _Imaginary'] });
      case 'T':
        return this.#parameterType();
      case 'S':
        return this.#substitutedType();
      case 'D':
        return this.#extendedType();
      case 'u':
        reader.next();
        return this.#remember(text(reader.sourceName()));
      case 'U':
        return this.#vendorQualified();
      default:
        return this.#remember(this.name().node);
    }
  }

  #functionType(suffix: string): CxxFunction {
    const reader = this.reader;
    reader.expect('F');
    reader.take('Y');
    const result = this.type();
    const parameters = this.#typesUntilEnd();
    const reference = reader.take('R') ? ' &' : reader.take('O') ? ' &&' : '';
    reader.expect('E');
    return { kind: 'function', result, parameters, suffix: suffix + reference };
  }

  #arrayType(): CxxNode {
    const reader = this.reader;
    reader.expect('A');
    let size: CxxNode | undefined;
    if (/^\d$/.test(reader.peek())) size = text(String(reader.number()));
    else if (reader.peek() !== '_') size = parseExpression(this);
    reader.expect('_');
    return { kind: 'array', of: this.type(), size };
  }

  #parameterType(): CxxNode {
    const parameter = this.#remember(this.templateParameter());
    if (this.reader.peek() !== 'I' || this.#allowForward) return parameter;
    return this.#remember({ kind: 'template', name: parameter, args: this.templateArgs(false) });
  }

  #substitutedType(): CxxNode {
    const reader = this.reader;
    if (reader.peek(1) === 't') return this.#remember(this.name().node);
    const found = this.#substitution();
    if (reader.peek() !== 'I') return found;
    return this.#remember({ kind: 'template', name: found, args: this.templateArgs(false) });
  }

  #vendorQualified(): CxxNode {
    // `Ut`, `Ul`: unnamed types; else a qualifier with its own name.
    if (/^[tl]$/.test(this.reader.peek(1))) return this.#remember(this.unqualifiedName(undefined));
    this.reader.next();
    const name = this.reader.sourceName();
    const args = this.reader.peek() === 'I' ? this.templateArgs(false) : undefined;
    const qualifier: CxxNode = args ? { kind: 'template', name: text(name), args } : text(name);
    return this.#remember({ kind: 'parts', parts: [this.type(), ' ', qualifier] });
  }

  #extendedType(): CxxNode {
    const reader = this.reader;
    reader.expect('D');
    const code = reader.next();
    const known = EXTENDED_TYPES[code];
    if (known !== undefined) return text(known);
    if (code === 't' || code === 'T') {
      const expression = parseExpression(this);
      reader.expect('E');
      return this.#remember({ kind: 'parts', parts: ['decltype (', expression, ')'] });
    }
    if (code === 'p') return this.#remember({ kind: 'expansion', pattern: this.type() });
    if (code === 'v') return this.#remember(this.#vectorType());
    if (code === 'o') return this.#remember(this.#functionType(' noexcept'));
    if (code === 'F' || code === 'B' || code === 'U') {
      const bits = reader.number();
      const extended = code === 'F' && reader.take('x');
      if (!extended) reader.expect('_');
      return text(code === 'F' ? `_Float${bits}${extended ? 'x' : ''}` : `${code === 'U' ? 'unsigned ' : ''}_BitInt(${bits})`);
    }
    throw new NotMangled(`type D${code} is not known`);
  }

  #vectorType(): CxxNode {
    const reader = this.reader;
    const size = /^\d$/.test(reader.peek()) ? text(String(reader.number())) : reader.take('_') ? parseExpression(this) : undefined;
    reader.expect('_');
    const element = this.type();
    return { kind: 'parts', parts: size ? [element, ' __vector(', size, ')'] : [element, ' __vector()'] };
  }
}

/** Functions made from templates state what they return; constructors and conversions do not. */
function returnsType(node: CxxNode): boolean {
  if (node.kind === 'nested') return returnsType(node.name);
  if (node.kind !== 'template') return false;
  const last = lastNode(node.name);
  return last.kind !== 'constructor' && last.kind !== 'conversion';
}

function lastNode(node: CxxNode): CxxNode {
  let at = node;
  for (;;) {
    if (at.kind === 'nested' || at.kind === 'template' || at.kind === 'tagged') at = at.name;
    else return at;
  }
}

function isUnnamed(node: CxxNode): boolean {
  const last = lastNode(node);
  return last.kind === 'parts' || (last.kind === 'text' && last.text.startsWith('{unnamed'));
}

/** Of a class: what its constructors are called. */
function lastName(scope: CxxNode): string {
  const last = lastNode(resolved(scope));
  if (last.kind !== 'text') return new CxxPrinter().print(last);
  const known = Object.values(STANDARD_SUBSTITUTIONS).find(([short, , whole]) => short === last.text || whole === last.text);
  return known ? known[1] : last.text;
}
