// The emitted code, run without a kernel, must do what `unwindThread` does: for both processors, on stacks of random words among which there are
// return addresses and stack addresses, so that all kinds of rules and of endings are met.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { ok, type Result } from '../base/index.ts';
import { Assembler, Interpreter, type InterpreterMap } from '../bpf/index.ts';
import type { FrameArchitecture } from '../dwarf/index.ts';
import type { Mapping, Memory, Registers, Target, TargetModule } from '../target/index.ts';
import { compileModule } from './compact-table.ts';
import { emitUnwinder, UNWIND_FUNCTIONS, type UnwinderOptions } from './emit-unwinder.ts';
import { COUNTERS, REGISTER_SLOTS, type SHARD_SPEC, STATE, UNWIND_MAPS, unwindMaps } from './layout.ts';
import { UNWIND_STATUS } from './status.ts';
import { ModuleTables, unwindThread } from './unwind-thread.ts';
import { UnwindTables, type UnwindMap, type UnwindObject } from './unwind-tables.ts';
import { readUnwoundStack } from './unwound-stack.ts';

const STACK = 0x7fff_0000_0000n;
const STACK_BYTES = 64 * 1024;
const CODE = 0x5555_0000_0000n;
const PID = 77;

/** The interpreter as a loaded object. */
class InterpretedObject implements UnwindObject {
  readonly interpreter: Interpreter;
  readonly #inner: InterpreterMap[] = [];

  constructor(interpreter: Interpreter) {
    this.interpreter = interpreter;
  }

  map(name: string): UnwindMap {
    return this.#wrap(this.interpreter.map(name), -1);
  }

  createMap(name: string, shape: typeof SHARD_SPEC): Result<UnwindMap, { message: string }> {
    const map = this.interpreter.createMap(`${name}${this.#inner.length}`, shape);
    this.#inner.push(map);
    return ok(this.#wrap(map, this.#inner.length - 1));
  }

  #wrap(map: InterpreterMap, fd: number): UnwindMap {
    return {
      fd,
      lookup: (key) => ok(map.lookup(key)),
      update: (key, value) => ok(void map.update(key, value)),
      updateDescriptor: (key, innerFd) => ok(void map.update(key, this.#inner[innerFd]!)),
      delete: (key) => ok(map.delete(key) === 0),
      mapped: () => ok({ write: (_index: number, offset: number, bytes: Uint8Array) => map.lookup(new Uint8Array(4))!.set(bytes, offset) }),
      close: () => undefined,
    };
  }
}

/** A process that is one module and one stack. */
class MadeUpTarget implements Target {
  readonly kind = 'core';
  readonly architecture: FrameArchitecture;
  readonly pid = PID;
  readonly map: readonly Mapping[];
  readonly modules: readonly TargetModule[];
  readonly memory: Memory;
  readonly auxv = new Map<number, bigint>();
  readonly identity = {
    exe: '',
    comm: '',
    commandLine: [],
    namespacePid: PID,
    parentPid: 1,
    processGroup: 1,
    uid: 0,
    gid: 0,
    container: undefined,
  };
  readonly problems = [];
  readonly stack = new BigUint64Array(STACK_BYTES / 8);

  constructor(architecture: FrameArchitecture, bytes: Uint8Array) {
    this.architecture = architecture;
    const common = { readable: true, writable: false, executable: true, shared: false, fileOffset: 0, device: '', deleted: false };
    const code: Mapping = { ...common, start: CODE, end: CODE + BigInt(bytes.length), inode: 1, path: '/module' };
    const generated: Mapping = { ...common, start: CODE - 0x10_0000n, end: CODE - 0x8_0000n, inode: 0, path: '' };
    this.map = [generated, code];
    const { start, end } = code;
    this.modules = [
      {
        path: '/module',
        name: 'module',
        buildId: 'aa',
        bias: CODE,
        start,
        end,
        mappings: [code],
        note: undefined,
        hostPath: undefined,
        bytes: () => ok(bytes),
      },
    ];
    const read = (address: bigint, length: number): Uint8Array | undefined => {
      const offset = address - STACK;
      if (offset < 0n || offset + BigInt(length) > BigInt(STACK_BYTES)) return undefined;
      return new Uint8Array(this.stack.buffer).slice(Number(offset), Number(offset) + length);
    };
    const readU64 = (address: bigint): bigint | undefined => {
      const word = read(address, 8);
      return word === undefined ? undefined : new DataView(word.buffer).getBigUint64(0, true);
    };
    const none = (): undefined => undefined;
    this.memory = { read, readU64, readU8: none, readU16: none, readU32: none, readText: none, readMany: () => [], drop: none };
  }

  refresh(): Result<void, never> {
    return ok(undefined);
  }

  threads(): Result<readonly never[], never> {
    return ok([]);
  }

  close(): void {}
}

/** Numerical Recipes' generator: the same numbers at each run. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function makeInterpreter(target: MadeUpTarget, options: UnwinderOptions): InterpretedObject {
  const a = new Assembler();
  a.function('main', [{ name: 'context', type: 'pointer' }])
    .callFunction(UNWIND_FUNCTIONS.context)
    .exit();
  emitUnwinder(a, ['context'], { ...options, taskRegisters: { stackOffset: 0, stackBytes: 16_384 } });
  const object = { maps: unwindMaps(), programs: [{ name: 'main', type: 'perfEvent' as const, ...a.assemble() }] };
  return new InterpretedObject(
    new Interpreter(object, {
      helpers: { get_current_pid_tgid: () => BigInt(PID) << 32n, get_current_task: () => 0n },
      readOutside: (_space, address, length) => target.memory.read(address, length),
    }),
  );
}

/** Registers as struct pt_regs has them, in user mode. */
function encodeRegisters(architecture: FrameArchitecture, registers: Registers): Uint8Array {
  const words = new BigUint64Array(42);
  const places =
    architecture === 'x86-64' ? [10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16] : Array.from({ length: 33 }, (_, i) => i);
  for (const [dwarf, place] of places.entries()) words[place] = registers.byDwarf[dwarf] ?? 0n;
  if (architecture === 'x86-64') words[17] = 3n;
  return new Uint8Array(words.buffer);
}

const MODULES: Readonly<Record<FrameArchitecture, string>> = {
  'x86-64': '/lib/x86_64-linux-gnu/libc.so.6',
  aarch64: '/usr/aarch64-linux-gnu/lib/libc.so.6',
};

const ROUNDS: readonly { readonly architecture: FrameArchitecture; readonly options: UnwinderOptions }[] = [
  { architecture: 'x86-64', options: {} },
  { architecture: 'x86-64', options: { repeat: 'bounded', maxFrames: 100 } },
  { architecture: 'aarch64', options: {} },
  { architecture: 'aarch64', options: { maxFrames: 20 } },
];

describe('emitUnwinder()', () => {
  test.for(ROUNDS)('does what unwindThread() does ($architecture, $options)', { timeout: 60_000 }, ({ architecture, options }, context) => {
    const path = MODULES[architecture];
    requireOrSkip(context, existsSync(path), `no ${path}; install it: apt-get install libc6-arm64-cross`);
    const bytes = readFileSync(path);
    const compiled = compileModule(bytes);
    if (!compiled.ok) throw new Error(compiled.error.message);
    const target = new MadeUpTarget(architecture, bytes);
    const object = makeInterpreter(target, { ...options, architecture });
    const opened = UnwindTables.open(object);
    if (!opened.ok) throw new Error(opened.error);
    expect(opened.value.addProcess(target)).toEqual({ ok: true, value: undefined });
    const tables = new ModuleTables();
    const random = makeRandom(42);
    const { pc: rows, base } = compiled.value;
    const someCode = (): bigint => CODE + BigInt(base + rows[random(rows.length)]! + random(12));
    const someStack = (): bigint => STACK + BigInt(random(STACK_BYTES / 8) * 8);
    const someWord = (): bigint =>
      [someCode, someCode, someCode, someCode, someCode, someCode, someStack, someStack, () => CODE - 0x9_0000n, () => 0n, () => 12_345n][
        random(11)
      ]!();
    const statuses = new Map<string, number>();
    let deepest = 0;
    for (let round = 0; round < 400; round++) {
      for (let i = 0; i < target.stack.length; i++) if (round === 0 || random(8) === 0) target.stack[i] = someWord();
      const byDwarf = Array.from({ length: 33 }, () => someWord());
      const [spNumber, pcNumber] = architecture === 'x86-64' ? [7, 16] : [31, 32];
      byDwarf[spNumber!] = STACK + BigInt(random(64) * 8);
      byDwarf[REGISTER_SLOTS[architecture].dwarf[1]!] = STACK + BigInt(random(1024) * 8);
      byDwarf[pcNumber!] = someCode();
      const registers: Registers = { byDwarf, ip: byDwarf[pcNumber!]!, sp: byDwarf[spNumber!]!, threadPointer: undefined };
      const expected = unwindThread(target, registers, tables, { maxFrames: options.maxFrames ?? 127 });
      const ran = object.interpreter.run('main', encodeRegisters(architecture, registers));
      if (!ran.ok) throw new Error(`slot ${ran.error.slot}: ${ran.error.message}`);
      expect(Number(ran.value.returnValue)).toBe(UNWIND_STATUS[expected.status]);
      const state = object.map(UNWIND_MAPS.state).lookup(new Uint8Array(4));
      const stack = readUnwoundStack((state as { value: Uint8Array }).value.subarray(0, STATE.bytes));
      expect(stack).toMatchObject({ frames: expected.frames, status: expected.status });
      statuses.set(expected.status, (statuses.get(expected.status) ?? 0) + 1);
      deepest = Math.max(deepest, expected.frames.length);
    }
    // The comparison is worth something only if it met many kinds of stacks.
    expect(statuses.size).toBeGreaterThanOrEqual(5);
    expect(deepest).toBeGreaterThanOrEqual(10);
    const stats = opened.value.stats();
    expect(stats).toMatchObject({ ok: true, value: { processes: 1, modules: 1, stacks: Object.fromEntries(statuses) } });
    expect(COUNTERS.frames).toBeGreaterThan(Math.max(...Object.values(UNWIND_STATUS)));
  });
});
