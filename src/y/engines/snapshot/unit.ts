/** What the closures of one function share while they are made: its constants, and the machine that they run on. */
import { assert } from '../../../base/index.ts';
import type {
  AggregatePlace,
  IrFunction,
  KeyArgument,
  KeySpec,
  Loss,
  Operand,
  Program,
  SourcePlace,
  Space,
  TextPlace,
} from '../../ir/program.ts';
import type { planAggregates } from '../aggregate-layout.ts';
import { copyOf, type RegisterKind } from './bytes.ts';
import type { SnapshotEnvironment } from './environment.ts';
import { ConstantPool, getInteger, type Frame } from './frame.ts';
import { HitEnded, type Step } from './step.ts';
import type { AggregateTarget, Key, KeyPart, Storage } from './storage.ts';
import type { TargetReader } from './target-reader.ts';

/** A function that can be run: its frame is filled with arguments in between. */
export interface Callable {
  readonly source: IrFunction;
  acquire(): Frame;
  run(frame: Frame): void;
  release(frame: Frame): void;
}

/** What every function of a program runs on. */
export interface Machine {
  readonly program: Program;
  readonly environment: SnapshotEnvironment;
  readonly storage: Storage;
  readonly layouts: ReturnType<typeof planAggregates>;
  reader(space: Space): TargetReader;
  /** Counts what goes on without a value. */
  countLoss(why: Loss, at: SourcePlace | undefined): void;
  callable(index: number): Callable;
}

export interface Unit {
  readonly machine: Machine;
  readonly source: IrFunction;
  readonly constants: ConstantPool;
}

export type TextSource = (frame: Frame) => Uint8Array;
export type TextSink = (frame: Frame, text: Uint8Array) => void;
export type KeySource = (frame: Frame) => Key;

export function makeUnit(machine: Machine, source: IrFunction): Unit {
  return { machine, source, constants: new ConstantPool(source.registers.length) };
}

/** The register that holds an operand: its own, or that of a constant. */
export function registerOf(unit: Unit, operand: Operand): number {
  return 'register' in operand ? operand.register : unit.constants.registerOf(operand.constant);
}

export function kindOf(unit: Unit, register: number): RegisterKind {
  return unit.source.registers[register] ?? 'integer';
}

/** Kind of an operand's register; constants are integers. */
export function kindOfOperand(unit: Unit, operand: Operand): RegisterKind {
  return 'register' in operand ? kindOf(unit, operand.register) : 'integer';
}

/** Goes to the `_catch`, here or of a caller, or ends the hit. */
export function compileFailure(onFail: number | undefined, why: Loss, at: SourcePlace | undefined, detail: string): Step {
  if (onFail !== undefined) return () => onFail;
  return () => {
    throw new HitEnded(why, at, detail, true);
  };
}

/** The bytes of a text. Its buffer may be written by the next instruction: use it at once. */
export function compileTextSource(unit: Unit, place: TextPlace): TextSource {
  if ('local' in place) {
    const { local } = place;
    return (frame) => frame.texts[local]!.view();
  }
  const { program, storage } = unit.machine;
  if ('literal' in place) {
    const literal = program.literals[place.literal];
    assert(literal !== undefined, `no literal ${place.literal}`);
    return () => literal;
  }
  const { global } = place;
  return () => storage.loadGlobal(global);
}

/** Writes a text, cut at the place's capacity. */
export function compileTextSink(unit: Unit, place: TextPlace): TextSink {
  if ('local' in place) {
    const { local } = place;
    return (frame, text) => frame.texts[local]!.set(text);
  }
  assert('global' in place, 'a literal is never written');
  const { global } = place;
  const { storage } = unit.machine;
  const capacity = capacityOf(unit, place);
  return (_frame, text) => storage.storeGlobal(global, 0, text.subarray(0, capacity));
}

/** Most bytes that a text place holds. */
export function capacityOf(unit: Unit, place: TextPlace): number {
  if ('local' in place) return unit.source.texts[place.local] ?? 0;
  const { program } = unit.machine;
  return 'global' in place ? (program.globals[place.global]?.size ?? 0) : (program.literals[place.literal]?.length ?? 0);
}

/** The key of an array from registers and texts, in the range of the key's types. */
export function compileKey(unit: Unit, array: number, keys: readonly KeyArgument[]): KeySource {
  const spec = unit.machine.program.arrays[array];
  assert(spec !== undefined && spec.keys.length === keys.length, `array ${array} got ${keys.length} keys`);
  const parts = keys.map((key, index) => compileKeyPart(unit, spec.keys[index]!, key));
  if (parts.length === 1) {
    const only = parts[0]!;
    return (frame) => [only(frame)];
  }
  return (frame) => parts.map((part) => part(frame));
}

function compileKeyPart(unit: Unit, spec: KeySpec, key: KeyArgument): (frame: Frame) => KeyPart {
  if (spec.kind === 'text') {
    assert('text' in key, 'a text key got a number');
    const text = compileTextSource(unit, key.text);
    return (frame) => copyOf(text(frame), spec.capacity);
  }
  assert(!('text' in key), 'a number key got a text');
  const register = registerOf(unit, key);
  if (spec.kind === 'stack') return (frame) => BigInt.asUintN(64, getInteger(frame, register));
  const bits = spec.size * 8;
  const resize = spec.signed ? BigInt.asIntN : BigInt.asUintN;
  return (frame) => resize(bits, getInteger(frame, register));
}

export function compileAggregateTarget(unit: Unit, place: AggregatePlace): (frame: Frame) => AggregateTarget {
  if ('global' in place) return () => place;
  const key = compileKey(unit, place.array, place.keys);
  return (frame) => ({ array: place.array, key: key(frame) });
}
