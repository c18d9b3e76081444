import { describe, expect, test } from 'vitest';
import { EMPTY_KNOWLEDGE } from '../../../test/support/y-knowledge.ts';
import { compile } from '../compile.ts';
import { applyOptions } from './options.ts';

const TEXT =
  '_option int min_bytes = 5; // smaller ones are ignored\n_option bool all = false; _option double share = 0.5; _option _str<4> name = "a"; _probe _oneshot { }';
const compiled = compile({ file: 't.y', text: TEXT, resolveInclude: () => undefined }, EMPTY_KNOWLEDGE);
if (!compiled.ok) throw new Error('the program does not compile');
const { program } = compiled.value;

function bytesOf(name: string, value: string): string {
  const applied = applyOptions(program, new Map([[name, value]]));
  if (!applied.ok) return applied.error.map((one) => one.message).join();
  const option = program.options.find((one) => one.name === name.replaceAll('-', '_'))!;
  return Buffer.from(applied.value.globals[option.global]!.initial!).toString('hex');
}

describe('applyOptions()', () => {
  test.each([
    ['min-bytes', '100', '64000000'],
    ['min_bytes', '-1', 'ffffffff'],
    ['min-bytes', '0x10', '10000000'],
    ['min-bytes', '3000000000', 'option "min-bytes" is an integer from -2147483648 to 2147483647, and "3000000000" is not'],
    ['min-bytes', 'many', 'option "min-bytes" is an integer from -2147483648 to 2147483647, and "many" is not'],
    ['all', 'true', '01'],
    ['share', '0.25', '000000000000d03f'],
    ['share', 'x', 'option "share" is a number, and "x" is not'],
    ['name', 'abc', '616263'],
    ['name', 'abcde', 'option "name" is a text of at most 4 bytes, and "abcde" is not'],
    ['nme', 'a', 'there is no option "nme"; there are min-bytes, all, share, name'],
  ])('%s=%s gives %s', (name, value, expected) => {
    expect(bytesOf(name, value)).toBe(expected);
  });

  test('does not change the program it is given', () => {
    applyOptions(program, new Map([['min-bytes', '7']]));
    expect(Buffer.from(program.globals[0]!.initial!).toString('hex')).toBe('05000000');
    expect(program.options[0]).toMatchObject({ name: 'min_bytes', help: 'smaller ones are ignored' });
  });
});
