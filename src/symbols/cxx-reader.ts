import { NotMangled } from './not-mangled.ts';

/** A place in a mangled name. */
export class CxxReader {
  readonly text: string;
  at: number;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  /** The character `ahead` of the place; empty beyond the end. */
  peek(ahead = 0): string {
    return this.text[this.at + ahead] ?? '';
  }

  next(): string {
    return this.text[this.at++] ?? '';
  }

  /** Passes over `expected` when it is there. */
  take(expected: string): boolean {
    if (!this.text.startsWith(expected, this.at)) return false;
    this.at += expected.length;
    return true;
  }

  expect(expected: string): void {
    if (!this.take(expected)) throw new NotMangled(`${expected} is missing`);
  }

  /** Decimal digits; 0 when there are none. */
  number(): number {
    let value = 0;
    while (/^\d$/.test(this.peek())) value = value * 10 + Number(this.next());
    return value;
  }

  /** `_` is 0, `0_` is 1: sequence numbers in decimal. */
  discriminatedIndex(): number {
    if (this.take('_')) return 0;
    if (!/^\d$/.test(this.peek())) throw new NotMangled('a number is missing');
    const value = this.number() + 1;
    this.expect('_');
    return value;
  }

  /** A name with its length in front. */
  sourceName(): string {
    const length = this.number();
    if (length === 0 || this.at + length > this.text.length) throw new NotMangled('a name is missing or cut off');
    const name = this.text.slice(this.at, this.at + length);
    this.at += length;
    return /^_GLOBAL_[._$]N/.test(name) ? '(anonymous namespace)' : name;
  }
}
