/** Values of `_option`s from outside: the command line, the console's form. */
import { err, ok, type Result } from '../../base/index.ts';
import type { GlobalSpec, Program } from './program.ts';

export interface OptionError {
  readonly option: string;
  /** The option, the value, and what it should be. */
  readonly message: string;
}

/**
 * The program with these options set; `values` are texts as written on a command line, by name (`min-bytes` is `min_bytes`).
 * Integers may be decimal or `0x…`, truth values `true`, `false`, 1 or 0. All that is wrong is in the error.
 */
export function applyOptions(program: Program, values: ReadonlyMap<string, string>): Result<Program, readonly OptionError[]> {
  const errors: OptionError[] = [];
  const globals = [...program.globals];
  for (const [given, value] of values) {
    const name = given.replaceAll('-', '_');
    const option = program.options.find((one) => one.name === name);
    if (option === undefined) {
      errors.push({ option: given, message: `there is no option "${given}"; ${listOptions(program)}` });
      continue;
    }
    const spec = globals[option.global]!;
    const bytes = toBytes(spec, value);
    if (typeof bytes === 'string') errors.push({ option: given, message: `option "${given}" is ${bytes}, and "${value}" is not` });
    else globals[option.global] = { ...spec, initial: bytes };
  }
  return errors.length > 0 ? err(errors) : ok({ ...program, globals });
}

function listOptions({ options }: Program): string {
  return options.length === 0 ? 'the program has none' : `there are ${options.map((one) => one.name.replaceAll('_', '-')).join(', ')}`;
}

/** The value's bytes, or what it should have been. */
function toBytes(spec: GlobalSpec, value: string): Uint8Array | string {
  if (spec.kind === 'text') {
    const bytes = new TextEncoder().encode(value);
    return bytes.length <= spec.size ? bytes : `a text of at most ${spec.size} bytes`;
  }
  return spec.kind === 'float' ? floatBytes(value) : integerBytes(spec, value);
}

function floatBytes(value: string): Uint8Array | string {
  const number = /^\s*$/.test(value) ? Number.NaN : Number(value);
  if (!Number.isFinite(number)) return 'a number';
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, number, true);
  return bytes;
}

function integerBytes(spec: GlobalSpec, value: string): Uint8Array | string {
  const bits = spec.size * 8;
  const [low, high] = spec.signed ? [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n] : [0n, (1n << BigInt(bits)) - 1n];
  const number = toInteger(spec, value.trim());
  if (number === undefined || number < low || number > high) return `an integer from ${low} to ${high}`;
  const bytes = new Uint8Array(spec.size);
  for (let index = 0; index < spec.size; index++) bytes[index] = Number((BigInt.asUintN(64, number) >> BigInt(index * 8)) & 0xffn);
  return bytes;
}

function toInteger(spec: GlobalSpec, value: string): bigint | undefined {
  if (spec.size === 1 && (value === 'true' || value === 'false')) return value === 'true' ? 1n : 0n;
  const match = /^([-+]?)(0x[0-9a-f]+|\d+)$/i.exec(value);
  if (match === null) return undefined;
  const number = BigInt(match[2]!);
  return match[1] === '-' ? -number : number;
}
