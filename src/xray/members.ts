/**
 * Reads the members of a request: wrong JSON types end the reading, broken rules are collected, so that one answer names them all.
 * An explicit null is the same as an absent member; members that are not asked for are not looked at.
 */
import { err, ok, type Result } from '../base/index.ts';
import { type AwsError, type ConstraintFailure, serializationError, validationError } from './errors.ts';

/** A wrong JSON type; thrown inside and returned at the border. */
class WrongType extends Error {}

export interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Milliseconds when above: 1e11 seconds are in the year 5138. Java's SDK and OpenTelemetry's Java sampler send them. */
const LARGEST_SECONDS = 1e11;
/** 9999-12-31 in milliseconds. */
const LARGEST_MILLISECONDS = 253_402_300_800_000;

export class Members {
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #failures: ConstraintFailure[];

  constructor(members: Readonly<Record<string, unknown>>, path = '', failures: ConstraintFailure[] = []) {
    this.#members = members;
    this.#path = path;
    this.#failures = failures;
  }

  text(name: string, length: Range = {}): string | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') return this.#wrong(name, 'a string', value);
    this.#checkLength(this.#pathOf(name), value, length);
    return value;
  }

  neededText(name: string, length: Range = {}): string {
    return this.text(name, length) ?? this.#missing(name, '');
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const found = allowed.find((one) => one === value);
    if (found === undefined) this.fail(name, value, `satisfy enum value set: [${allowed.join(', ')}]`);
    return found;
  }

  boolean(name: string): boolean | undefined {
    const value = this.#value(name);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.#wrong(name, 'a boolean', value);
  }

  number(name: string, range: Range = {}): number | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isFinite(value)) return this.#wrong(name, 'a number', value);
    this.#checkRange(name, value, range);
    return value;
  }

  integer(name: string, range: Range = {}): number | undefined {
    const value = this.number(name, range);
    return value === undefined || Number.isInteger(value) ? value : this.#wrong(name, 'an integer', value);
  }

  neededInteger(name: string, range: Range = {}): number {
    return this.integer(name, range) ?? this.#missing(name, 0);
  }

  /** A time in epoch seconds: sent as seconds (a fraction is allowed), as milliseconds, or as ISO 8601 text. */
  time(name: string): number | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    const number = typeof value === 'string' ? parseTimeText(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) return this.#wrong(name, 'a timestamp', value);
    if (number < 0 || number > LARGEST_MILLISECONDS) {
      this.fail(name, value, 'be a time between 1970 and 9999');
      return 0;
    }
    return number > LARGEST_SECONDS ? number / 1000 : number;
  }

  neededNumber(name: string, range: Range = {}): number {
    return this.number(name, range) ?? this.#missing(name, 0);
  }

  neededTime(name: string): number {
    return this.time(name) ?? this.#missing(name, 0);
  }

  /** A list of strings; nulls in it are left out. */
  texts(name: string, length: Range = {}): readonly string[] | undefined {
    return this.#list(name)?.map((value, index) => {
      if (typeof value !== 'string') return this.#wrong(`${name}.${index + 1}.member`, 'a string', value);
      this.#checkLength(`${this.#pathOf(name)}.${index + 1}.member`, value, length);
      return value;
    });
  }

  /** A list of objects; nulls in it are left out. */
  objects(name: string): readonly Members[] | undefined {
    return this.#list(name)?.map((value, index) => {
      if (!isRecord(value)) return this.#wrong(`${name}.${index + 1}.member`, 'an object', value);
      return new Members(value, `${this.#pathOf(name)}.${index + 1}.member.`, this.#failures);
    });
  }

  /** An object whose members are all texts, at most `most` of them. */
  textMap(name: string, most: number, length: Range): Readonly<Record<string, string>> | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!isRecord(value)) return this.#wrong(name, 'an object', value);
    const entries = Object.entries(value).filter(([, text]) => text !== null);
    if (entries.length > most) this.fail(name, entries.length, `have length less than or equal to ${most}`);
    for (const [key, text] of entries) {
      if (typeof text !== 'string') return this.#wrong(`${name}.${key}`, 'a string', text);
      this.#checkLength(`${this.#pathOf(name)}.key`, key, length);
      this.#checkLength(`${this.#pathOf(name)}.value`, text, length);
    }
    return Object.fromEntries(entries) as Record<string, string>;
  }

  /** The names of the members that are there, in the order in which they came. */
  get names(): readonly string[] {
    return Object.keys(this.#members);
  }

  object(name: string): Members | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!isRecord(value)) return this.#wrong(name, 'an object', value);
    return new Members(value, `${this.#pathOf(name)}.`, this.#failures);
  }

  /** A list that must be there. */
  needed<T>(name: string, list: readonly T[] | undefined): readonly T[] {
    return list ?? this.#missing<readonly T[]>(name, []);
  }

  /** An object that must be there; an empty one stands for it. */
  neededObject(name: string): Members {
    // What is missing inside of what is missing is not told.
    return this.object(name) ?? new Members({}, this.#missing(name, `${this.#pathOf(name)}.`));
  }

  /** Notes a broken rule; see `ConstraintFailure.rule`. */
  fail(name: string, value: unknown, rule: string): void {
    this.#failures.push({ path: this.#pathOf(name), value, rule });
  }

  #list(name: string): readonly unknown[] | undefined {
    const value = this.#value(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return this.#wrong(name, 'a list', value);
    return (value as readonly unknown[]).filter((item) => item !== null);
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#members, name) ? (this.#members[name] ?? undefined) : undefined;
  }

  #missing<T>(name: string, instead: T): T {
    this.fail(name, undefined, 'not be null');
    return instead;
  }

  #wrong(name: string, wanted: string, value: unknown): never {
    const found = Array.isArray(value)
      ? 'a list'
      : typeof value === 'object'
        ? 'an object'
        : `the ${typeof value} ${String(value).slice(0, 50)}`;
    throw new WrongType(`${this.#path}${name} must be ${wanted}, not ${found}`);
  }

  #checkLength(path: string, value: string, { min = 0, max = Infinity }: Range): void {
    if (value.length < min) this.#failures.push({ path, value, rule: `have length greater than or equal to ${min}` });
    if (value.length > max) this.#failures.push({ path, value, rule: `have length less than or equal to ${max}` });
  }

  #checkRange(name: string, value: number, { min = -Infinity, max = Infinity }: Range): void {
    if (value < min) this.fail(name, value, `have value greater than or equal to ${min}`);
    if (value > max) this.fail(name, value, `have value less than or equal to ${max}`);
  }

  #pathOf(name: string): string {
    return `${this.#path}${name.charAt(0).toLowerCase()}${name.slice(1)}`;
  }
}

/** Reads a request's members with `read`. */
export function readMembers<T>(body: Readonly<Record<string, unknown>>, read: (members: Members) => T): Result<T, AwsError> {
  const failures: ConstraintFailure[] = [];
  try {
    const value = read(new Members(body, '', failures));
    return failures.length === 0 ? ok(value) : err(validationError(failures));
  } catch (thrown) {
    if (thrown instanceof WrongType) return err(serializationError(thrown.message));
    throw thrown;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseTimeText(text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return Number.isNaN(number) ? Date.parse(text) / 1000 : number;
}
