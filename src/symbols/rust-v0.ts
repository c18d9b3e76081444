/** Rust's v0 names. Source: RFC 2603 and "The Rust Book of Symbol Mangling"; each method reads the production that it is named for. */
import { NotMangled } from './not-mangled.ts';
import { decodePunycode } from './punycode.ts';

const MAX_DEPTH = 200;
/** Backward references can repeat parts over and over. */
const MAX_OUTPUT = 1 << 16;

const BASIC_TYPES: Readonly<Record<string, string>> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
};

interface Identifier {
  readonly disambiguator: number;
  readonly name: string;
}

/** Prints one name; the text begins after `_R`. */
export class RustV0Printer {
  readonly #text: string;
  #at = 0;
  #out = '';
  #depth = 0;
  #boundLifetimes = 0;
  #silent = false;

  constructor(text: string) {
    this.#text = text;
  }

  print(): string {
    this.#path(true);
    if (this.#at < this.#text.length) {
      this.#silent = true;
      this.#path(false);
    }
    if (this.#at !== this.#text.length) throw new NotMangled('text is left over');
    return this.#out;
  }

  #put(text: string): void {
    if (this.#silent) return;
    this.#out += text;
    if (this.#out.length > MAX_OUTPUT) throw new NotMangled('too long');
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #next(): string {
    const char = this.#text[this.#at++];
    if (char === undefined) throw new NotMangled('cut off');
    return char;
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #deeper(read: () => void): void {
    if (++this.#depth > MAX_DEPTH) throw new NotMangled('nested too deeply');
    read();
    this.#depth--;
  }

  /** `_` is 0, `0_` is 1. Crates' hashes have 64 bits: they lose the lowest ones here, and are never printed. */
  #base62(): number {
    if (this.#take('_')) return 0;
    let value = 0;
    for (let char = this.#next(); char !== '_'; char = this.#next()) {
      const digit = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(char);
      value = value * 62 + digit;
      if (digit < 0 || value > 2 ** 65) throw new NotMangled('a number is damaged');
    }
    return value + 1;
  }

  #optionalBase62(tag: string): number {
    return this.#take(tag) ? this.#base62() + 1 : 0;
  }

  #identifier(): Identifier {
    const disambiguator = this.#optionalBase62('s');
    const isPunycode = this.#take('u');
    const digits = /^(?:0|[1-9]\d{0,4})/.exec(this.#text.slice(this.#at, this.#at + 5));
    if (!digits) throw new NotMangled('a name has no length');
    this.#at += digits[0].length;
    this.#take('_');
    const name = this.#text.slice(this.#at, this.#at + Number(digits[0]));
    if (name.length !== Number(digits[0])) throw new NotMangled('a name is cut off');
    this.#at += name.length;
    return { disambiguator, name: isPunycode ? decodePunycode(name) : name };
  }

  /** Goes to an earlier place, reads there, and comes back. */
  #backReference(read: () => void): void {
    const here = this.#at - 1;
    const target = this.#base62();
    if (target >= here) throw new NotMangled('a reference points ahead');
    if (this.#silent) return;
    const back = this.#at;
    this.#at = target;
    this.#deeper(read);
    this.#at = back;
  }

  /** `inValue`: arguments are written `::<T>`. */
  #path(inValue: boolean): void {
    this.#deeper(() => this.#pathOf(this.#next(), inValue));
  }

  #pathOf(tag: string, inValue: boolean): void {
    switch (tag) {
      case 'C':
        return this.#put(this.#identifier().name);
      case 'N':
        return this.#nested(inValue);
      case 'M':
      case 'X':
        this.#implPath();
        return this.#implementation(tag === 'X');
      case 'Y':
        return this.#implementation(true);
      case 'I':
        this.#path(inValue);
        this.#put(inValue ? '::<' : '<');
        this.#separated(() => this.#genericArgument());
        return this.#put('>');
      case 'B':
        return this.#backReference(() => this.#path(inValue));
      default:
        throw new NotMangled(`path ${tag} is not known`);
    }
  }

  #nested(inValue: boolean): void {
    const namespace = this.#next();
    this.#path(inValue);
    const { disambiguator, name } = this.#identifier();
    if (/^[A-Z]$/.test(namespace)) {
      const kind = namespace === 'C' ? 'closure' : namespace === 'S' ? 'shim' : namespace;
      this.#put(`::{${kind}${name === '' ? '' : `:${name}`}#${disambiguator}}`);
    } else if (name !== '') this.#put(`::${name}`);
  }

  /** Where an implementation stands is not printed. */
  #implPath(): void {
    const outer = this.#silent;
    this.#optionalBase62('s');
    this.#silent = true;
    this.#path(false);
    this.#silent = outer;
  }

  #implementation(ofTrait: boolean): void {
    this.#put('<');
    this.#type();
    if (ofTrait) {
      this.#put(' as ');
      this.#path(false);
    }
    this.#put('>');
  }

  #separated(item: () => void, separator = ', '): number {
    let count = 0;
    for (; !this.#take('E'); count++) {
      if (count > 0) this.#put(separator);
      item();
    }
    return count;
  }

  #genericArgument(): void {
    if (this.#take('L')) this.#lifetime(this.#base62());
    else if (this.#take('K')) this.#constant();
    else this.#type();
  }

  #lifetime(index: number): void {
    if (index === 0) return this.#put("'_");
    const depth = this.#boundLifetimes - index;
    if (depth < 0) throw new NotMangled('a lifetime is not bound');
    this.#put(depth < 26 ? `'${String.fromCharCode(97 + depth)}` : `'_${depth}`);
  }

  #type(): void {
    this.#deeper(() => this.#typeOf(this.#next()));
  }

  #typeOf(tag: string): void {
    const basic = BASIC_TYPES[tag];
    if (basic !== undefined) return this.#put(basic);
    switch (tag) {
      case 'R':
      case 'Q':
        return this.#reference(tag === 'Q');
      case 'P':
      case 'O':
        this.#put(tag === 'P' ? '*const ' : '*mut ');
        return this.#type();
      case 'A':
      case 'S':
        this.#put('[');
        this.#type();
        if (tag === 'A') {
          this.#put('; ');
          this.#constant();
        }
        return this.#put(']');
      case 'T': {
        this.#put('(');
        const count = this.#separated(() => this.#type());
        return this.#put(count === 1 ? ',)' : ')');
      }
      case 'F':
        return this.#withBinder(() => this.#functionType());
      case 'D':
        return this.#dynamicType();
      case 'B':
        return this.#backReference(() => this.#type());
      default:
        return this.#pathOf(tag, false);
    }
  }

  #reference(isMutable: boolean): void {
    this.#put('&');
    if (this.#take('L')) {
      const index = this.#base62();
      if (index !== 0) {
        this.#lifetime(index);
        this.#put(' ');
      }
    }
    if (isMutable) this.#put('mut ');
    this.#type();
  }

  #withBinder(read: () => void): void {
    const count = this.#optionalBase62('G');
    if (count > this.#text.length) throw new NotMangled('too many lifetimes');
    const outer = this.#boundLifetimes;
    if (count > 0) {
      this.#put('for<');
      for (let i = 0; i < count; i++) {
        if (i > 0) this.#put(', ');
        this.#boundLifetimes++;
        this.#lifetime(1);
      }
      this.#put('> ');
    }
    read();
    this.#boundLifetimes = outer;
  }

  #functionType(): void {
    if (this.#take('U')) this.#put('unsafe ');
    if (this.#take('K')) {
      const abi = this.#take('C') ? 'C' : this.#identifier().name.replaceAll('_', '-');
      this.#put(`extern "${abi}" `);
    }
    this.#put('fn(');
    this.#separated(() => this.#type());
    this.#put(')');
    if (this.#take('u')) return;
    this.#put(' -> ');
    this.#type();
  }

  #dynamicType(): void {
    this.#put('dyn ');
    this.#withBinder(() => void this.#separated(() => this.#dynamicTrait(), ' + '));
    if (!this.#take('L')) throw new NotMangled('a trait object has no lifetime');
    const index = this.#base62();
    if (index === 0) return;
    this.#put(' + ');
    this.#lifetime(index);
  }

  /** A trait, whose associated types are written among its arguments. */
  #dynamicTrait(): void {
    let open = this.#openPath();
    while (this.#take('p')) {
      this.#put(open ? ', ' : '<');
      open = true;
      this.#put(`${this.#identifier().name} = `);
      this.#type();
    }
    if (open) this.#put('>');
  }

  /** A path whose list of arguments is left open; tells whether there is one. */
  #openPath(): boolean {
    let open = false;
    if (this.#take('B')) this.#backReference(() => void (open = this.#openPath()));
    else if (this.#take('I')) {
      this.#path(false);
      this.#put('<');
      this.#separated(() => this.#genericArgument());
      open = true;
    } else this.#path(false);
    return open;
  }

  #constant(): void {
    this.#deeper(() => {
      const tag = this.#next();
      if (tag === 'B') return this.#backReference(() => this.#constant());
      if (tag === 'p') return this.#put('_');
      if (tag === 'R' || tag === 'Q') {
        if (tag === 'R' && this.#take('e')) return this.#put(JSON.stringify(textOfHex(this.#hex())));
        this.#put(tag === 'R' ? '&' : '&mut ');
        return this.#constant();
      }
      if (!/^[abchijlmnostxy]$/.test(tag)) throw new NotMangled(`a constant of type ${tag}`);
      const sign = /^[ailnsx]$/.test(tag) && this.#take('n') ? '-' : '';
      const digits = this.#hex();
      if (tag === 'b') return this.#put(digits === '1' ? 'true' : 'false');
      if (tag === 'c') return this.#put(spellChar(Number.parseInt(digits || '0', 16)));
      this.#put(sign + BigInt(`0x${digits || '0'}`).toString());
    });
  }

  #hex(): string {
    const end = this.#text.indexOf('_', this.#at);
    const digits = this.#text.slice(this.#at, Math.max(end, this.#at));
    if (end < 0 || !/^[0-9a-f]*$/.test(digits)) throw new NotMangled('a constant is damaged');
    this.#at = end + 1;
    return digits;
  }
}

function textOfHex(digits: string): string {
  return Buffer.from(digits, 'hex').toString('utf8');
}

function spellChar(point: number): string {
  if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) throw new NotMangled('no such character');
  return point < 32 ? `'\\u{${point.toString(16)}}'` : `'${String.fromCodePoint(point)}'`;
}
