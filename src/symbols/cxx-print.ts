/** Prints the parts of a C++ name as GNU's tools do (libiberty, without its "verbose" style). */
import { resolved, type CxxFunction, type CxxNode, type CxxParameter } from './cxx-nodes.ts';
import { NotMangled } from './not-mangled.ts';

const MAX_DEPTH = 400;
/** Characters made in all, with those of parts: substitutions can repeat parts over and over. */
const MAX_CHARACTERS = 1 << 20;
/** Parts looked at for one expansion: parts that are repeated are looked at each time. */
const MAX_VISITS = 10_000;

export class CxxPrinter {
  #depth = 0;
  #left = MAX_CHARACTERS;
  /** Which item of argument packs is printed now. */
  #packIndex: number | undefined;

  /** The node's text with `declarator` at its place: `print(pointer to int, 'p')` is `int* p`. */
  print(node: CxxNode, declarator = ''): string {
    if (++this.#depth > MAX_DEPTH) throw new NotMangled('nested too deeply');
    const text = this.#print(node, declarator);
    this.#depth--;
    this.#left -= text.length + 1;
    if (this.#left < 0) throw new NotMangled('too long');
    return text;
  }

  #print(node: CxxNode, declarator: string): string {
    switch (node.kind) {
      case 'text':
        return attach(node.text, declarator);
      case 'parts':
        return attach(node.parts.map((part) => (typeof part === 'string' ? part : this.print(part))).join(''), declarator);
      case 'operand':
        return this.#operand(node.node);
      case 'list':
        return this.list(node.items);
      case 'nested':
        return attach(`${this.print(node.scope)}::${this.print(node.name)}`, declarator);
      case 'template':
        return attach(this.#template(node.name, node.args), declarator);
      case 'constructor':
        return `${node.destructor ? '~' : ''}${node.name}`;
      case 'conversion':
        return `operator ${this.print(node.type)}`;
      case 'tagged':
        return attach(`${this.print(node.name)}[abi:${node.tag}]`, declarator);
      case 'pack':
        return this.#outsidePack(() => this.list(node.items));
      case 'expansion':
        return this.#expansion(node.pattern);
      case 'parameter':
        return this.#parameter(node, declarator);
      case 'pointer':
        return this.#pointer(node.to, node.mark, declarator);
      case 'member-pointer':
        return this.#memberPointer(node.scope, node.to, declarator);
      case 'qualified':
        return this.#qualified(node.type, node.qualifiers, declarator);
      case 'array':
        return this.print(node.of, `${declarator}${declarator.endsWith(']') ? '' : ' '}[${node.size ? this.print(node.size) : ''}]`);
      case 'function':
        return this.#function(node, declarator);
      case 'encoding':
        return this.#function(node.type, this.print(node.name));
    }
  }

  list(items: readonly CxxNode[]): string {
    return items
      .map((item) => this.print(item))
      .filter((text) => text !== '')
      .join(', ');
  }

  #template(name: CxxNode, args: readonly CxxNode[]): string {
    const base = this.print(name);
    const list = this.list(args);
    return `${base}${base.endsWith('<') ? ' ' : ''}<${list}${list.endsWith('>') ? ' ' : ''}>`;
  }

  /** What a parameter stands for was written elsewhere: the pack that is expanded here does not reach into it. */
  #parameter({ text, target }: CxxParameter, declarator: string): string {
    if (!target) return attach(text, declarator);
    if (target.kind !== 'pack' || this.#packIndex === undefined) return this.#outsidePack(() => this.print(target, declarator));
    const item = target.items[this.#packIndex];
    return item ? this.#outsidePack(() => this.print(item, declarator)) : '';
  }

  #outsidePack(print: () => string): string {
    const outer = this.#packIndex;
    this.#packIndex = undefined;
    const text = print();
    this.#packIndex = outer;
    return text;
  }

  #expansion(pattern: CxxNode): string {
    const size = findPackSize(pattern, 0, { left: MAX_VISITS });
    if (size === undefined) return `${this.#operand(pattern)}...`;
    const outer = this.#packIndex;
    const items: string[] = [];
    for (let i = 0; i < size; i++) {
      this.#packIndex = i;
      items.push(this.print(pattern));
    }
    this.#packIndex = outer;
    return items.join(', ');
  }

  /** What a node stands for where it is printed now: parameters followed, packs replaced by their item. */
  #actual(node: CxxNode): CxxNode {
    const target = resolved(node);
    if (node.kind !== 'parameter' || target.kind !== 'pack' || this.#packIndex === undefined) return target;
    const item = target.items[this.#packIndex];
    return item ? resolved(item) : target;
  }

  /** Functions and arrays are written around what points to them. */
  #wraps(node: CxxNode): boolean {
    if (node.kind === 'qualified') return this.#wraps(this.#actual(node.type));
    return node.kind === 'function' || node.kind === 'array';
  }

  #pointer(to: CxxNode, mark: string, declarator: string): string {
    const target = this.#actual(to);
    // A reference to a reference is one: `&&` gives way to `&`.
    if (mark !== '*' && target.kind === 'pointer' && target.mark !== '*') {
      return this.#pointer(target.to, mark === '&' ? '&' : target.mark, declarator);
    }
    return this.print(to, this.#wraps(target) ? `(${mark}${declarator})` : attach(mark, declarator));
  }

  #memberPointer(scope: CxxNode, to: CxxNode, declarator: string): string {
    const target = this.#actual(to);
    const mark = `${this.print(scope)}::*`;
    return this.print(to, this.#wraps(target) ? `(${mark}${declarator})` : ` ${attach(mark, declarator)}`);
  }

  #qualified(type: CxxNode, qualifiers: string, declarator: string): string {
    const target = this.#actual(type);
    if (target.kind === 'function') return this.#function({ ...target, suffix: `${qualifiers}${target.suffix}` }, declarator);
    if (target.kind === 'array') return this.print({ ...target, of: { kind: 'qualified', type: target.of, qualifiers } }, declarator);
    if (target.kind === 'pointer' && target.mark !== '*') return this.print(target, declarator);
    if (target.kind === 'qualified') {
      const missing = qualifiers.split(/(?= )/).filter((one) => !target.qualifiers.split(/(?= )/).includes(one));
      return this.print(target.type, attach(target.qualifiers + missing.join(''), declarator));
    }
    return this.print(type, attach(qualifiers, declarator));
  }

  #function(node: CxxFunction, declarator: string): string {
    const [only] = node.parameters;
    const isEmpty = node.parameters.length === 1 && only!.kind === 'text' && only!.text === 'void';
    const text = `${declarator}(${isEmpty ? '' : this.list(node.parameters)})${node.suffix}`;
    return node.result ? this.print(node.result, text) : text;
  }

  #operand(node: CxxNode): string {
    const isSimple = (node.kind === 'text' && node.simple === true) || node.kind === 'nested';
    const text = this.print(node);
    return isSimple ? text : `(${text})`;
  }
}

/** `int` and `*`: `int*`; `int` and `(*)(char)`: `int (*)(char)`; `*` and `name`: `* name`. */
function attach(text: string, declarator: string): string {
  return declarator === '' || /^[*& [)]/.test(declarator) ? text + declarator : `${text} ${declarator}`;
}

/** How many items the packs within a pattern have; undefined when there is none. Patterns within patterns count for themselves. */
function findPackSize(node: CxxNode, depth: number, visits: { left: number }): number | undefined {
  if (depth > MAX_DEPTH || visits.left-- <= 0) throw new NotMangled('nested too deeply');
  const among = (nodes: readonly (CxxNode | string | undefined)[]): number | undefined => {
    for (const one of nodes) {
      const size = one === undefined || typeof one === 'string' ? undefined : findPackSize(one, depth + 1, visits);
      if (size !== undefined) return size;
    }
    return undefined;
  };
  switch (node.kind) {
    case 'parameter':
      return node.target?.kind === 'pack' ? node.target.items.length : undefined;
    case 'parts':
      return among(node.parts);
    case 'operand':
      return among([node.node]);
    case 'list':
      return among(node.items);
    case 'nested':
      return among([node.scope, node.name]);
    case 'template':
      return among([node.name, ...node.args]);
    case 'conversion':
      return among([node.type]);
    case 'tagged':
      return among([node.name]);
    case 'pointer':
      return among([node.to]);
    case 'member-pointer':
      return among([node.scope, node.to]);
    case 'qualified':
      return among([node.type]);
    case 'array':
      return among([node.of, node.size]);
    case 'function':
      return among([node.result, ...node.parameters]);
    case 'encoding':
      return among([node.name, node.type]);
    case 'text':
    case 'pack':
    case 'constructor':
    case 'expansion':
      return undefined;
  }
}
