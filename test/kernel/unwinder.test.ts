// The unwinder in the kernel, sampling real processes.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, type TestContext } from 'vitest';
import { requireOrSkip, skipUnless } from '../support/require-or-skip.ts';
import { compileProgram, findNoCompiler, startProgram, type RunningProgram } from '../support/test-program.ts';
import type { Result } from '../../src/base/index.ts';
import { Assembler, type BpfObject, type ProgramSpec } from '../../src/bpf/index.ts';
import { BtfTypes } from '../../src/btf/index.ts';
import { findFileOffset, parseElf, readSymbols } from '../../src/elf/index.ts';
import { KernelObject, type RingReader } from '../../src/kernel/index.ts';
import { openTarget, type Target } from '../../src/target/index.ts';
import {
  emitLoadUnwindState,
  emitUnwinder,
  findRegisterOffset,
  ModuleTables,
  readUnwoundStack,
  STATE,
  UNWIND_FUNCTIONS,
  UNWIND_STATUS,
  unwindMaps,
  UnwindTables,
  unwindThread,
  type UnwinderOptions,
  type UnwoundStack,
} from '../../src/unwind/index.ts';

const SOURCES = fileURLToPath(new URL('../../testdata/unwind/', import.meta.url));
const CXX_LOAD = fileURLToPath(new URL('../../bench/stacks/load.cc', import.meta.url));
const FLAGS = ['-O2', '-fomit-frame-pointer', '-fno-optimize-sibling-calls'];
const RING_BYTES = 8 << 20;

function must<T>(result: Result<T, string | { readonly message: string }>): T {
  if (result.ok) return result.value;
  throw new Error(typeof result.error === 'string' ? result.error : result.error.message);
}

/** A program that unwinds one process's stack at each event and sends the whole state. */
function stackSender(
  type: Pick<ProgramSpec, 'type' | 'attach'>,
  entry: keyof typeof UNWIND_FUNCTIONS,
  options: UnwinderOptions,
): BpfObject {
  const a = new Assembler();
  a.function('send', [{ name: 'context', type: 'pointer' }]).move(6, 1);
  a.call('get_current_pid_tgid').aluImm('rsh', 0, 32).loadMapValue(1, 'wanted').load(4, 2, 1, 0).jumpIf('ne', 0, 2, 'out');
  a.move(1, 6).callFunction(UNWIND_FUNCTIONS[entry]);
  emitLoadUnwindState(a, 7, 'out');
  a.loadMap(1, 'ring').move(2, 7).moveImm(3, STATE.bytes).moveImm(4, 0).call('ringbuf_output');
  a.label('out').moveImm(0, 0).exit();
  emitUnwinder(a, [entry], options);
  return {
    maps: [
      ...unwindMaps(),
      { name: 'wanted', type: 'array', keyBytes: 4, valueBytes: 64, maxEntries: 1 },
      { name: 'ring', type: 'ringBuffer', keyBytes: 0, valueBytes: 0, maxEntries: RING_BYTES },
    ],
    programs: [{ name: 'send', ...type, ...a.assemble() }],
  };
}

class Sender {
  readonly object: KernelObject;
  readonly tables: UnwindTables;
  readonly #ring: RingReader;

  constructor(object: KernelObject) {
    this.object = object;
    this.tables = must(UnwindTables.open(object));
    this.#ring = must(object.openRing('ring'));
  }

  want(pid: number): void {
    must(
      this.object
        .map('wanted')
        .update(new Uint8Array(4), new Uint8Array(BigUint64Array.of(BigInt(pid), 0n, 0n, 0n, 0n, 0n, 0n, 0n).buffer)),
    );
  }

  drain(): UnwoundStack[] {
    const stacks: UnwoundStack[] = [];
    this.#ring.drain((bytes, offset, length) => stacks.push(readUnwoundStack(bytes.slice(offset, offset + length))));
    return stacks;
  }

  async collect(milliseconds: number): Promise<UnwoundStack[]> {
    this.drain();
    const stacks: UnwoundStack[] = [];
    for (let passed = 0; passed < milliseconds; passed += 100) {
      await sleep(100);
      stacks.push(...this.drain());
    }
    return stacks;
  }
}

const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function loadSender(
  context: Pick<TestContext, 'skip'>,
  type: Pick<ProgramSpec, 'type' | 'attach'>,
  entry: keyof typeof UNWIND_FUNCTIONS,
  options: UnwinderOptions = {},
) {
  const loaded = KernelObject.load(stackSender(type, entry, options));
  requireOrSkip(context, loaded.ok || loaded.error.kind !== 'forbidden', 'no right to load eBPF programs; run as root');
  const sender = new Sender(must(loaded));
  cleanups.push(
    () => sender.tables.close(),
    () => sender.object.close(),
  );
  return sender;
}

function loadSampler(context: Pick<TestContext, 'skip'>, options: UnwinderOptions = {}): Sender {
  const sender = loadSender(context, { type: 'perfEvent' }, 'context', options);
  must(sender.object.attachSampler('send', { event: 'cpu-clock', frequency: 199 }));
  return sender;
}

async function start(command: string, args: readonly string[]): Promise<RunningProgram> {
  const program = await startProgram(command, args);
  cleanups.push(() => program.stop());
  return program;
}

function startStacks(context: Pick<TestContext, 'skip'>, ...args: string[]): Promise<RunningProgram> {
  skipUnless(context, findNoCompiler());
  return start(compileProgram(`${SOURCES}stacks.c`, [...FLAGS, '-ldl', '-lpthread']), args);
}

function open(pid: number, freeze = false): Target {
  const target = must(openTarget({ pid }, { freeze }));
  cleanups.push(() => target.close());
  return target;
}

function countComplete(stacks: readonly UnwoundStack[]): number {
  return stacks.filter((stack) => stack.status === 'complete').length / stacks.length;
}

const LOADS: readonly { readonly name: string; readonly command: string; readonly args: readonly string[]; readonly deepest: number }[] = [
  {
    name: 'python',
    command: '/usr/bin/python3',
    args: ['-c', 'import json\nprint("ready", flush=True)\ndef f(n):\n  return f(n-1) if n else json.dumps([1]*5000)\nwhile 1: f(10)'],
    deepest: 10,
  },
  {
    name: 'perl, much in the vDSO,',
    command: 'perl',
    args: ['-MTime::HiRes=time', '-e', '$| = 1; print "ready\\n"; time() while 1'],
    deepest: 5,
  },
  {
    name: 'perl',
    command: 'perl',
    args: ['-e', '$| = 1; print "ready\\n"; sub f { my $n = shift; $n ? f($n - 1) : join(",", map { $_ * 2 } 1..500) } f(8) while 1'],
    deepest: 7,
  },
  {
    name: 'bash',
    command: 'bash',
    args: ['-c', 'echo ready; f() { for ((i = 0; i < 1000; i++)); do x=$((x + i)); done; }; while :; do f; done'],
    deepest: 15,
  },
  // PCRE's generated code: no call-frame information, and the frame pointer is used for something else.
  { name: 'grep -P', command: 'bash', args: ['-c', 'echo ready; exec grep -caP "([a-f]+x|[0-9]+y)+z" /dev/urandom'], deepest: 5 },
  { name: 'gzip', command: 'bash', args: ['-c', 'echo ready; exec gzip -9 -c < /dev/urandom > /dev/null'], deepest: 5 },
  {
    name: 'node',
    command: process.execPath,
    args: [
      '-e',
      'console.log("ready"); const f = (n) => n ? f(n - 1) : JSON.stringify(Array.from({ length: 1000 }, (_, i) => ({ i }))); for (;;) f(10)',
    ],
    deepest: 20,
  },
];

async function expectCompleteStacks(sender: Sender, program: RunningProgram, deepest: number): Promise<void> {
  await sleep(500);
  const target = open(program.pid);
  must(target.refresh());
  must(sender.tables.addProcess(target));
  sender.want(program.pid);
  const stacks: UnwoundStack[] = [];
  for (let round = 0; round < 8; round++) {
    must(sender.tables.refresh(target));
    stacks.push(...(await sender.collect(200)));
  }
  expect(stacks.length).toBeGreaterThan(50);
  expect(countComplete(stacks)).toBeGreaterThanOrEqual(0.98);
  expect(Math.max(...stacks.map((stack) => stack.frames.length))).toBeGreaterThanOrEqual(deepest);
  const stats = must(sender.tables.stats());
  expect(stats.stacks.complete).toBeGreaterThanOrEqual(stacks.length * 0.98);
  expect(stats.failedModules.size).toBe(0);
}

describe('the unwinder in the kernel', () => {
  test.for(LOADS)('finds complete stacks of $name under load', async ({ command, args, deepest }, context) => {
    const sender = loadSampler(context);
    await expectCompleteStacks(sender, await start(command, args), deepest);
  });

  test('finds complete stacks of C++ that is optimised as a whole', async (context) => {
    skipUnless(context, findNoCompiler('g++'));
    const sender = loadSampler(context);
    const path = compileProgram(CXX_LOAD, ['-std=c++17', '-O3', '-flto=1'], 'g++');
    await expectCompleteStacks(sender, await start(path, []), 20);
  });

  const shapes: readonly { readonly args: readonly string[]; readonly options?: UnwinderOptions }[] = [
    { args: ['recurse', '100'] },
    { args: ['recurse', '30'], options: { repeat: 'bounded', maxFrames: 64 } },
    { args: ['recurse', '200'], options: { maxFrames: 255 } },
    { args: ['alloca', '10'] },
    { args: ['realigned', '10'] },
    { args: ['qsort', '0'] },
    { args: ['signal', '0'] },
    { args: ['altstack', '0'] },
    { args: ['mappings', '400'] },
  ];
  test.for(shapes)('finds the very frames of $args (options $options)', async ({ args, options }, context) => {
    const sender = loadSampler(context, options);
    const program = await startStacks(context, ...args, 'spin');
    await sleep(100); // past the writing of "ready"
    const frozen = open(program.pid, true);
    const expected = unwindThread(frozen, must(frozen.threads())[0]!.registers!, new ModuleTables());
    expect(expected.status).toBe('complete');
    must(sender.tables.addProcess(frozen));
    frozen.close();
    sender.want(program.pid);
    const stacks = await sender.collect(500);
    expect(stacks.length).toBeGreaterThan(10);
    for (const stack of stacks) {
      expect(stack.status).toBe('complete');
      expect(stack.frames.slice(1)).toEqual(expected.frames.slice(1));
      expect(stack.exact).toEqual(expected.exact);
    }
  });

  test.for(['loop-helper', 'bounded'] as const)('shows each frame’s registers to the program (%s)', async (repeat, context) => {
    const registers = [3, 6, 7, 12, 13, 14, 15];
    // Into the value of `wanted`, which has room behind the process id, go the registers of frame 2.
    const onFrame = (a: Assembler): void => {
      const other = a.newLabel('other');
      a.load(8, 1, 9, STATE.count).jumpIfImm('ne', 1, 3, other).loadMapValue(2, 'wanted');
      for (const [i, dwarf] of registers.entries()) {
        a.load(8, 1, 9, findRegisterOffset('x86-64', dwarf)!).store(8, 2, 8 + 8 * i, 1);
      }
      a.label(other);
    };
    const sender = loadSampler(context, { onFrame, repeat, maxFrames: 60 });
    const program = await startStacks(context, 'recurse', '20', 'spin');
    await sleep(100); // past the writing of "ready"
    const frozen = open(program.pid, true);
    const expected: (bigint | undefined)[] = [];
    unwindThread(frozen, must(frozen.threads())[0]!.registers!, new ModuleTables(), {
      onFrame: ({ index, register }) => {
        if (index === 2) expected.push(...registers.map(register));
      },
    });
    must(sender.tables.addProcess(frozen));
    frozen.close();
    sender.want(program.pid);
    expect((await sender.collect(300)).length).toBeGreaterThan(5);
    const value = must(sender.object.map('wanted').lookup(new Uint8Array(4)))!;
    expect([...new BigUint64Array(value.slice().buffer, 8, registers.length)]).toEqual(expected);
    expect(expected.every((word) => word !== undefined)).toBe(true);
  });

  test('says that a stack is longer than what is kept', async (context) => {
    const sender = loadSampler(context, { maxFrames: 20 });
    const program = await startStacks(context, 'recurse', '60', 'spin');
    must(sender.tables.addProcess(open(program.pid)));
    sender.want(program.pid);
    const stacks = await sender.collect(300);
    expect(stacks.length).toBeGreaterThan(5);
    for (const { status, frames } of stacks) expect({ status, length: frames.length }).toEqual({ status: 'maxFrames', length: 20 });
  });

  test('says that a process is not known, takes a forked child’s from its parent, and forgets', async (context) => {
    const sender = loadSampler(context);
    const program = await startStacks(context, 'recurse', '10', 'spin');
    sender.want(program.pid);
    const statuses = async (): Promise<string[]> => [...new Set((await sender.collect(300)).map((stack) => stack.status))];
    expect(await statuses()).toEqual(['noProcess']);
    // Another run of the same program stands for the parent; only its executable's place differs, so the mappings are not the child's own.
    expect(must(sender.tables.addChild(999_999, program.pid))).toBe(false);
    must(sender.tables.addProcess(open(program.pid)));
    expect(await statuses()).toEqual(['complete']);
    expect(must(sender.tables.addChild(program.pid, 999_998))).toBe(true);
    sender.tables.removeProcess(999_998);
    expect(await statuses()).toEqual(['complete']);
    sender.tables.removeProcess(program.pid);
    expect(await statuses()).toEqual(['noProcess']);
    expect(must(sender.tables.stats()).modules).toBe(0);
  });

  test('unwinds a forked child by its parent’s mappings', async (context) => {
    const sender = loadSampler(context);
    const parent = await start('perl', ['-e', '$| = 1; $SIG{USR1} = sub { if (!fork) { 1 while 1 } }; print "ready\\n"; sleep 1 while 1']);
    const target = open(parent.pid);
    must(sender.tables.addProcess(target));
    parent.child.kill('SIGUSR1');
    await sleep(200);
    const child = Number(must(readChildren(parent.pid))[0]);
    cleanups.push(() => void process.kill(child, 'SIGKILL'));
    expect(must(sender.tables.addChild(parent.pid, child))).toBe(true);
    sender.want(child);
    const stacks = await sender.collect(400);
    expect(stacks.length).toBeGreaterThan(10);
    expect(countComplete(stacks)).toBeGreaterThanOrEqual(0.98);
  });

  test('tells of code that was mapped since, until the tables are brought up to date', async (context) => {
    const sender = loadSampler(context);
    const program = await start('/usr/bin/python3', [
      '-c',
      'import signal, sys\ndef load(*_):\n  import _json, _decimal\n  while 1: _decimal.Decimal(7).sqrt(_decimal.Context(prec=3000))\nsignal.signal(signal.SIGUSR1, load)\nprint("ready", flush=True)\nwhile 1: signal.pause()',
    ]);
    const target = open(program.pid);
    must(sender.tables.addProcess(target));
    sender.want(program.pid);
    program.child.kill('SIGUSR1');
    await sleep(300);
    const before = await sender.collect(300);
    expect(before.some((stack) => stack.status === 'unmapped')).toBe(true);
    expect(must(sender.tables.refresh(target))).toBe('changed');
    const after = await sender.collect(300);
    expect(countComplete(after)).toBeGreaterThanOrEqual(0.98);
    expect(must(sender.tables.refresh(target))).toBe('same');
  });

  test('unwinds where a uprobe hits, at a function’s first instruction', async (context) => {
    const sender = loadSender(context, { type: 'kprobe', attach: 'uprobeMulti' }, 'context');
    const path = compileProgram(`${SOURCES}stacks.c`, [...FLAGS, '-ldl', '-lpthread']);
    const elf = must(parseElf(readFileSync(path)));
    const symbols = must(readSymbols(elf, 'symtab', 'functions'))!;
    const index = Array.from({ length: symbols.count }, (_, i) => i).find((i) => symbols.name(i) === 'compare')!;
    const address = symbols.base + symbols.starts[index]!;
    must(sender.object.attachUprobes('send', { path, places: [{ offset: findFileOffset(elf, address)! }], kind: 'entry' }));
    const program = await startStacks(context, 'sort', '0');
    must(sender.tables.addProcess(open(program.pid)));
    sender.want(program.pid);
    const stacks = await sender.collect(300);
    expect(stacks.length).toBeGreaterThan(3);
    for (const stack of stacks) {
      expect(stack.status).toBe('complete');
      expect(Number(stack.frames[0]! & 0xfffn)).toBe(address & 0xfff);
      expect(stack.frames.length).toBeGreaterThanOrEqual(5);
    }
    expect(must(sender.tables.stats()).stacks.complete).toBeGreaterThanOrEqual(stacks.length);
    expect(UNWIND_STATUS.complete).toBe(0);
  });

  test.for(['helper', 'stack'] as const)('unwinds from a tracepoint by the task’s saved registers (%s)', async (how, context) => {
    const taskRegisters = how === 'helper' ? how : { stackOffset: findStackOffset(), stackBytes: 16_384 };
    const sender = loadSender(context, { type: 'rawTracepoint' }, 'task', { taskRegisters });
    must(sender.object.attachRawTracepoint('send', 'sys_enter'));
    const program = await start('perl', ['-e', '$| = 1; print "ready\\n"; while (1) { getppid(); select(undef, undef, undef, 0.002) }']);
    must(sender.tables.addProcess(open(program.pid)));
    sender.want(program.pid);
    const stacks = await sender.collect(400);
    expect(stacks.length).toBeGreaterThan(20);
    expect(countComplete(stacks)).toBe(1);
    expect(Math.min(...stacks.map((stack) => stack.frames.length))).toBeGreaterThan(4);
  });
});

/** Offset of `stack` in the kernel's struct task_struct. */
function findStackOffset(): number {
  const types = must(BtfTypes.open(readFileSync('/sys/kernel/btf/vmlinux')));
  const task = types.findType('struct task_struct');
  const member = task !== undefined && 'members' in task ? task.members.find(({ name }) => name === 'stack') : undefined;
  if (member === undefined) throw new Error('struct task_struct has no member stack');
  return member.offset;
}

function readChildren(pid: number): Result<string[], string> {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? { ok: false, error: 'no children' } : { ok: true, value: text.split(' ') };
}
