import { describe, expect, test } from 'vitest';
import { stateKnowledge } from '../../../../test/support/y-state-target.ts';
import { compile } from '../../compile.ts';
import { dumpIr } from '../dump.ts';
import type { Program } from '../program.ts';
import { decodeProgram, encodeProgram } from './index.ts';

const SOURCE = `
_option double share = -0.5; _agg sizes[_bt, enum color]; long big = -1;
_probe one(int a) / a > 7 / { sizes[_ubt(), record.color] <<< a; if (_comm() ~~ rx/(a+)/) printf("%s %e", $1, record.color); }
_probe _kfunc.wake_up_new_task(p) { printf("%d %s", p->pid, p->comm); const char *s = _user(const char *, 5); }
_probe _usdt("state", "step")(int i) { const char *g = "GET"; if (g) big += i; }
_probe _end { _flame(sizes, _sum, "bytes"); }
`;

function build(): Program {
  const compiled = compile({ file: 't.y', text: SOURCE, resolveInclude: () => undefined }, stateKnowledge());
  if (!compiled.ok) throw new Error(compiled.error.diagnostics.map((one) => one.message).join('\n'));
  return compiled.value.program;
}

const program = build();
const bytes = encodeProgram(program);

test('a program comes back as it was, without the types of functions', () => {
  const decoded = decodeProgram(bytes);
  if (!decoded.ok) throw new Error(decoded.error.message);
  expect(dumpIr(decoded.value)).toBe(dumpIr(program));
  const { probes: _own, ...rest } = program;
  expect(decoded.value).toMatchObject(rest);
  const [point] = decoded.value.probes.map((probe) => probe.point);
  expect(point).toMatchObject({ kind: 'function', sites: [{ name: 'one', module: '/bin/fake' }] });
  expect(JSON.stringify(point, (_key, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))).not.toContain('parameters');
});

test('relocations name kernel fields, variables and literals', () => {
  const shown = (program.relocations ?? []).map(({ function: fn, block, instruction, target }) => {
    const one = program.functions[fn]!.blocks[block]!.instructions[instruction]!;
    return `${one.op} ${target.kind === 'kernel-field' ? `${target.type}.${target.path}` : target.kind === 'variable' ? target.name : new TextDecoder().decode(target.bytes)}`;
  });
  expect(shown).toEqual(['move record', 'move record', 'read struct task_struct.pid', 'binary struct task_struct.comm', 'move GET']);
});

describe('decodeProgram() refuses', () => {
  test.each([
    ['nothing', new Uint8Array(), 'not-a-program'],
    ['another file', new TextEncoder().encode('#!/bin/sh and some more'), 'not-a-program'],
    ['a file cut short', bytes.subarray(0, bytes.length - 1), 'damaged'],
    ['a file with more behind it', Uint8Array.from([...bytes, 0]), 'damaged'],
    ['a changed byte', bytes.with(bytes.length - 9, bytes.at(-9)! ^ 1), 'damaged'],
    ['another version', bytes.with(4, 77), 'other-version'],
  ] as const)('%s', (_name, damaged, kind) => {
    const decoded = decodeProgram(damaged);
    expect(decoded.ok ? 'read' : decoded.error.kind).toBe(kind);
  });

  test('a value that is no program, though its checksum is right', () => {
    const strange = encodeProgram({ ...program, functions: [] });
    const decoded = decodeProgram(strange);
    expect(decoded.ok ? '' : decoded.error.message).toContain('no function 0');
  });
});
