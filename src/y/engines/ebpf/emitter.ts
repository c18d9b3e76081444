/**
 * Emits one function of a program: operands, places of texts, failures. What each instruction becomes is in the `emit-*.ts` beside.
 *
 * Throughout, r10 is the stack, r9 the frame (where the program has one), r6 the context (where it is needed); r0–r5 are for the moment.
 */
import { assert } from '../../../base/index.ts';
import type { AccessSize, Assembler, Register } from '../../../bpf/index.ts';
import type { IrFunction, Loss, Operand, Program, SourcePlace, TextPlace } from '../../ir/program.ts';
import { LOSSES, TEXT_HEADER_BYTES, type GlobalLayout } from './ebpf-program.ts';
import { STACK, type FunctionPlan } from './function-plan.ts';
import { emitProcessAndThread } from './hit-task.ts';
import { capacityOf, MAPS, roundUp } from './storage-plan.ts';
import type { ProgramContext, UnitBody } from './program-context.ts';

/** Where bytes are: off a register, in the only entry of a map, or behind a pointer that lies on the stack. */
export type Place =
  | { readonly kind: 'register'; readonly register: Register; readonly offset: number }
  | { readonly kind: 'map'; readonly map: string; readonly offset: number }
  | { readonly kind: 'pointer'; readonly slot: number; readonly offset: number };

/** A text somewhere: header and bytes, zeros up to the next 8 bytes after its capacity. */
export interface TextAt {
  readonly place: Place;
  readonly capacity: number;
}

/** How the function was entered, and so what its end must do. */
export type Mode = 'inline' | 'callback' | 'subprogram';

/** What a function that is called answers: it is done, it ended the hit, or it failed where its caller may have a handler. */
export const OUTCOME = { done: 0, ended: 1, 'failed-read': 2, 'division-by-zero': 3 } as const;

/** Losses that a handler catches. */
export type Failure = 'failed-read' | 'division-by-zero';

/** What `state` holds besides the number of the next round's block, plus 1: from `ended` on, the outcome of the whole function. */
export const LOOP_STATE = { entry: 0, ended: 0xfff0 } as const;

const FARTHEST_OFFSET = 32_000;
const BPF_NOEXIST = 1;

export class Emitter {
  readonly a: Assembler;
  readonly unit: ProgramContext;
  readonly plan: FunctionPlan;
  readonly mode: Mode;
  /** Of the probe whose body this is; undefined in a function that several may call. */
  readonly probeBody: UnitBody | undefined;
  readonly endLabel: string;
  readonly failLabel: string;
  /** The label that leads to a block from where code is emitted now; it may lead back. */
  failureLabelOf: (block: number) => string = (block) => this.blockLabel(block);
  readonly #deferred: (() => void)[] = [];
  readonly #failures = new Map<Loss, string>();
  readonly #answers = new Map<Failure | 'passed', string>();
  readonly #blocks: readonly string[];

  constructor(unit: ProgramContext, plan: FunctionPlan, mode: Mode, probeBody: UnitBody | undefined) {
    this.a = unit.assembler;
    this.unit = unit;
    this.plan = plan;
    this.mode = mode;
    this.probeBody = probeBody;
    this.endLabel = this.a.newLabel('end');
    this.failLabel = this.a.newLabel('fail');
    this.#blocks = plan.body.blocks.map((_, block) => this.a.newLabel(`block_${block}`));
  }

  get program(): Program {
    return this.unit.program;
  }

  get body(): IrFunction {
    return this.plan.body;
  }

  blockLabel(block: number): string {
    return this.#blocks[block]!;
  }

  diagnose(code: string, message: string, place: SourcePlace | undefined, hint?: string): void {
    this.unit.diagnose(code, message, place ?? this.body.place, hint);
  }

  /** Emits later, behind the function's last instruction: for what happens seldom. */
  defer(emit: () => void): void {
    this.#deferred.push(emit);
  }

  /** Emits all that was deferred, and the ends of hits that failed. */
  finish(): void {
    for (let next = this.#deferred.shift(); next !== undefined; next = this.#deferred.shift()) next();
    for (const [loss, label] of this.#failures) {
      this.a.label(label);
      this.count(loss);
      this.a.jump(this.failLabel);
    }
    for (const [why, label] of this.#answers) {
      this.a.label(label);
      if (why !== 'passed') this.a.moveImm(0, OUTCOME[why]);
      this.leave();
    }
  }

  /** Leaves a function that is called, or a round of its loop, with the outcome in r0. */
  leave(): void {
    if (this.mode === 'callback') {
      this.a.aluImm('add', 0, LOOP_STATE.ended);
      this.storeFrame(this.plan.state, 0, 1);
      this.a.moveImm(0, 1);
    }
    this.a.exit();
  }

  /** Where to jump to end the hit and count why. */
  failure(loss: Loss): string {
    const label = this.#failures.get(loss) ?? this.a.newLabel(loss);
    this.#failures.set(loss, label);
    return label;
  }

  /** The handler; without one the caller, which may have one; without a caller the end of the hit. */
  failureOf(onFail: number | undefined, loss: Failure): string {
    if (onFail !== undefined) return this.failureLabelOf(onFail);
    return this.plan.inline ? this.failure(loss) : this.#answer(loss);
  }

  /** Where to go with a callee's outcome, which is in r0 and not `done`. */
  failureOfCall(onFail: number | undefined): string {
    if (onFail === undefined && !this.plan.inline) return this.#answer('passed');
    const caught = onFail === undefined ? undefined : this.failureLabelOf(onFail);
    const here = this.a.newLabel('call_failed');
    this.defer(() => {
      this.a.label(here).jumpIfImm('eq', 0, OUTCOME.ended, this.failLabel);
      if (caught === undefined) this.a.jumpIfImm('eq', 0, OUTCOME['division-by-zero'], this.failure('division-by-zero'));
      this.a.jump(caught ?? this.failure('failed-read'));
    });
    return here;
  }

  #answer(why: Failure | 'passed'): string {
    const label = this.#answers.get(why) ?? this.a.newLabel(`answer_${why}`);
    this.#answers.set(why, label);
    return label;
  }

  /** Where to jump to count a loss and go on at the label. r0–r5 are lost. */
  lossThen(loss: Loss, label: string): string {
    const here = this.a.newLabel(loss);
    this.defer(() => {
      this.a.label(here);
      this.count(loss);
      this.a.jump(label);
    });
    return here;
  }

  /** Counts a loss here. r0–r5 are lost. */
  count(loss: Loss): void {
    emitCount(this.a, loss);
  }

  /** r0 = process id in the upper half, thread id in the lower, of the thread that the hit is about. `STACK.a` and r1–r5 are lost. */
  emitProcessAndThread(): void {
    emitProcessAndThread(this.a, this.unit.request.task, this.unit.options.kernel);
  }

  /** Where memory of the frame is; `scratch` is used where the offset is too far. */
  frame(offset: number, scratch: Register): { readonly register: Register; readonly offset: number } {
    if (offset <= FARTHEST_OFFSET) return { register: 9, offset };
    this.a.move(scratch, 9).aluImm('add', scratch, offset);
    return { register: scratch, offset: 0 };
  }

  loadFrame(register: Register, offset: number): void {
    const at = this.frame(offset, register);
    this.a.load(8, register, at.register, at.offset);
  }

  /** `scratch` must differ from `value`. */
  storeFrame(offset: number, value: Register, scratch: Register): void {
    const at = this.frame(offset, scratch);
    this.a.store(8, at.register, at.offset, value);
  }

  storeFrameImm(offset: number, value: number, scratch: Register): void {
    const at = this.frame(offset, scratch);
    this.a.storeImm(8, at.register, at.offset, value);
  }

  loadConstant(register: Register, value: bigint): void {
    const signed = BigInt.asIntN(64, value);
    if (fitsImmediate(signed)) this.a.moveImm(register, Number(signed));
    else this.a.loadImm64(register, signed);
  }

  load(register: Register, operand: Operand): void {
    if ('constant' in operand) return this.loadConstant(register, operand.constant);
    const home = this.plan.homes[operand.register];
    assert(home !== undefined, `register ${operand.register} of ${this.body.name} has no place`);
    if (home.kind === 'frame') this.loadFrame(register, home.offset);
    else if (home.kind === 'stack') this.a.load(8, register, 10, home.offset);
    else if (home.register !== register) this.a.move(register, home.register);
  }

  /** The register that holds the operand already, or `scratch`, loaded with it. */
  inRegister(operand: Operand, scratch: Register): Register {
    const home = 'register' in operand ? this.plan.homes[operand.register] : undefined;
    if (home?.kind === 'register') return home.register;
    this.load(scratch, operand);
    return scratch;
  }

  /** The register to compute a result in; `store` it afterwards. */
  target(to: number, scratch: Register): Register {
    const home = this.plan.homes[to];
    return home?.kind === 'register' ? home.register : scratch;
  }

  store(to: number, value: Register): void {
    const home = this.plan.homes[to];
    if (home === undefined) return;
    if (home.kind === 'frame') this.storeFrame(home.offset, value, value === 5 ? 4 : 5);
    else if (home.kind === 'stack') this.a.store(8, 10, home.offset, value);
    else if (home.register !== value) this.a.move(home.register, value);
  }

  /** Puts the address of a place into a register. */
  address(register: Register, place: Place, extra = 0): void {
    if (place.kind === 'map') {
      this.a.loadMapValue(register, place.map, place.offset + extra);
      return;
    }
    if (place.kind === 'pointer') this.a.load(8, register, 10, place.slot);
    else if (place.register !== register) this.a.move(register, place.register);
    const offset = place.offset + extra;
    if (offset !== 0) this.a.aluImm('add', register, offset);
  }

  /** A base register and an offset for `bytes` bytes at a place; `scratch` is used where it must be. */
  base(place: Place, bytes: number, scratch: Register): { readonly register: Register; readonly offset: number } {
    if (place.kind === 'register' && place.offset + bytes <= FARTHEST_OFFSET) return place;
    this.address(scratch, place);
    return { register: scratch, offset: 0 };
  }

  /** A text to read from. A `_thread` or per-CPU one is looked up: r0–r5 are lost then, and its pointer is in `STACK.pointer`. */
  text(place: TextPlace): TextAt {
    const capacity = capacityOf(this.program, this.body, place);
    if ('local' in place) return { place: this.localText(place.local), capacity };
    if ('literal' in place)
      return { place: { kind: 'map', map: MAPS.constants, offset: this.unit.storage.literals[place.literal]! }, capacity };
    const layout = this.unit.storage.globals[place.global];
    assert(layout !== undefined && layout.kind !== 'aggregate', 'a text global without a place');
    return { place: this.findGlobal(layout, false), capacity };
  }

  /** The same to write into. */
  writableText(place: TextPlace): TextAt {
    if ('local' in place || 'literal' in place) return this.text(place);
    const layout = this.unit.storage.globals[place.global];
    assert(layout !== undefined && layout.kind !== 'aggregate', 'a text global without a place');
    return { place: this.findGlobal(layout, true), capacity: capacityOf(this.program, this.body, place) };
  }

  localText(local: number): Place {
    const home = this.plan.texts[local]!;
    return { kind: 'register', register: home.kind === 'stack' ? 10 : 9, offset: home.offset };
  }

  /** Looking its text up takes a helper call. */
  isDistant(place: TextPlace): boolean {
    if (!('global' in place)) return false;
    return this.unit.storage.globals[place.global]?.kind !== 'value';
  }

  /**
   * Finds a global; r0–r5 are lost unless it lies at a fixed place. A per-CPU or `_thread` one is behind the pointer in `STACK.pointer`
   * afterwards: for reading, a thread without variables gets the first values; for writing, they are made. A table that is full ends the hit:
   * a variable that forgets would lie.
   */
  findGlobal(layout: Exclude<GlobalLayout, { kind: 'aggregate' }>, write: boolean): Place {
    const { a } = this;
    const { map, offset } = layout;
    if (layout.kind === 'value') return { kind: 'map', map, offset };
    const found = a.newLabel('found');
    if (layout.kind === 'percpu') {
      a.storeImm(4, 10, STACK.c, 0);
      this.#lookup(map);
      // A per-CPU array has its only entry always: the verifier alone does not know.
      a.jumpIfImm('ne', 0, 0, found).jump(this.failure('scratch-busy'));
    } else {
      this.emitProcessAndThread();
      a.store(4, 10, STACK.c, 0);
      this.#lookup(map);
      a.jumpIfImm('ne', 0, 0, found);
      if (write) this.#makeThread(map);
      else a.loadMapValue(0, MAPS.constants, this.unit.storage.threadTemplate);
    }
    a.label(found).store(8, 10, STACK.pointer, 0);
    return { kind: 'pointer', slot: STACK.pointer, offset };
  }

  /** r0 = the entry for the 4 bytes in `STACK.c`. */
  #lookup(map: string): void {
    this.a.loadMap(1, map).move(2, 10).aluImm('add', 2, STACK.c).call('map_lookup_elem');
  }

  #makeThread(map: string): void {
    this.a.loadMap(1, map).move(2, 10).aluImm('add', 2, STACK.c).loadMapValue(3, MAPS.constants, this.unit.storage.threadTemplate);
    this.a.moveImm(4, BPF_NOEXIST).call('map_update_elem');
    this.#lookup(map);
    this.a.jumpIfImm('eq', 0, 0, this.failure('array-full'));
  }

  /** Zero-extended from memory; makes a signed integer of `size` bytes of it. */
  extend(register: Register, size: AccessSize, signed: boolean): void {
    if (!signed || size === 8) return;
    this.a.aluImm('lsh', register, 64 - 8 * size).aluImm('arsh', register, 64 - 8 * size);
  }
}

export function chunksOf(capacity: number): number {
  return roundUp(Math.max(capacity, 1), 8) / 8;
}

export function textEnd(capacity: number): number {
  return TEXT_HEADER_BYTES + 8 * chunksOf(capacity);
}

export function fitsImmediate(value: bigint): boolean {
  return value >= -(2n ** 31n) && value < 2n ** 31n;
}

/** Adds 1 to a counter of this CPU. r0–r5 are lost. */
export function emitCount(a: Assembler, loss: Loss): void {
  const none = a.newLabel('none');
  a.storeImm(4, 10, STACK.a, 0).loadMap(1, MAPS.losses).move(2, 10).aluImm('add', 2, STACK.a).call('map_lookup_elem');
  a.jumpIfImm('eq', 0, 0, none).moveImm(1, 1);
  a.atomic('add', 8, 0, 8 * LOSSES.indexOf(loss), 1).label(none);
}
