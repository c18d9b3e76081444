/**
 * One program of the object: filter, bodies of its probes in order, and the functions that they call.
 *
 * A hit that needs memory beyond the stack owns a frame while it runs: one of a few that belong to its CPU, taken by an atomic exchange. A hit
 * that comes in between (an interrupt, another thread, a probe in what we call) takes the next one, or is counted as `scratch-busy`.
 */
import { assert } from '../../../base/index.ts';
import { Assembler, type MapSpec, type ProgramSpec, type Register } from '../../../bpf/index.ts';
import type { Instruction, IrFunction, Program, SourcePlace } from '../../ir/program.ts';
import { CONTROL, type PrintLayout } from './ebpf-program.ts';
import { emitFunctionBody } from './emit-function.ts';
import { MATCH_BYTES } from './emit-match.ts';
import { printsFromFrame } from './emit-output.ts';
import { comparesInLoop } from './emit-text.ts';
import { chunksOf, emitCount, Emitter, LOOP_STATE, OUTCOME } from './emitter.ts';
import { FIXED_STACK_BYTES, FRAME, localTextBytes, planFunction, STACK, type FunctionPlan } from './function-plan.ts';
import { emitControlGroup, emitProcessAndThread, findOutOfReach, type HitTask } from './hit-task.ts';
import type { EbpfOptions } from './options.ts';
import type { ObjectState, ProgramContext, ScratchText, UnitBody, UnitRequest } from './program-context.ts';
import { capacityOf, encodeText, MAPS, roundUp, textBytes, type StoragePlan } from './storage-plan.ts';
import { hasLoop, instructionsOf, longestTextOf, reachableFrom, withBigInts } from './walk.ts';

/** Frames of each CPU: hits that may be under way there at one time. */
const FRAMES_PER_CPU = 4;
const MOST_STACK = 512;
/** MAX_CALL_FRAMES (include/linux/bpf_verifier.h). */
const MOST_CALLS = 8;

const CONTEXT_USERS: ReadonlySet<Instruction['op']> = new Set(['argument', 'return-value', 'register', 'context', 'context-text', 'stack']);

export class Unit implements ProgramContext {
  readonly assembler = new Assembler();
  readonly program: Program;
  readonly options: EbpfOptions;
  readonly storage: StoragePlan;
  readonly request: UnitRequest;
  readonly usesContext: boolean;
  usesFrame = false;
  takesUserStacks = false;
  readonly longestText: number;
  matchOffset = 0;
  keyOffset = 0;
  readonly namesMap = 'names';
  readonly #object: ObjectState;
  readonly #plans = new Map<number, FunctionPlan>();
  readonly #queue: (() => void)[] = [];
  readonly #functions: readonly number[];
  readonly #named = new Map<string, string>();
  #scratch: readonly [number, number, number] = [0, 0, 0];
  #record = 0;
  #recordBytes = 0;

  constructor(object: ObjectState, request: UnitRequest) {
    this.#object = object;
    this.program = object.program;
    this.options = object.options;
    this.storage = object.storage;
    this.request = request;
    this.#functions = reachableFrom(
      this.program,
      request.bodies.map((body) => body.function),
    );
    const instructions = this.#bodies().flatMap(instructionsOf);
    this.longestText = longestTextOf(this.program, this.#bodies());
    this.usesContext =
      request.task !== undefined ||
      request.bodies.some(({ guard }) => guard !== undefined) ||
      instructions.some(
        ({ op, ...rest }) => CONTEXT_USERS.has(op) || (op === 'builtin-text' && 'name' in rest && rest.name === 'probe-function'),
      );
    const outOfReach = request.task === undefined ? undefined : findOutOfReach(this.options, instructions);
    if (outOfReach !== undefined) this.diagnose('other-thread', outOfReach.message, outOfReach.place, outOfReach.hint);
    this.#plan();
  }

  get takesStacks(): boolean {
    return this.#object.takesStacks;
  }

  set takesStacks(takes: boolean) {
    this.#object.takesStacks = takes;
  }

  diagnose(code: string, message: string, place: SourcePlace | undefined, hint: string | undefined): void {
    const known = this.#object.diagnostics.some((other) => other.code === code && other.place === place);
    if (!known) this.#object.diagnostics.push({ code, message, place, hint });
  }

  planOf(index: number): FunctionPlan {
    const plan = this.#plans.get(index);
    assert(plan !== undefined, `function ${index} has no plan`);
    return plan;
  }

  functionLabel(index: number): string {
    return `function_${index}`;
  }

  addPrint(print: PrintLayout): number {
    const known = this.#object.prints.findIndex((other) => JSON.stringify(other, withBigInts) === JSON.stringify(print, withBigInts));
    if (known > 0) return known;
    return this.#object.prints.push(print) - 1;
  }

  addMap(map: MapSpec): void {
    this.#object.maps.set(map.name, map);
  }

  /** A text in the map of names. */
  addConstantText(text: string): { readonly offset: number; readonly length: number } {
    const bytes = new TextEncoder().encode(text);
    const encoded = encodeText(bytes, bytes.length);
    const offset = this.#object.names.length;
    const grown = new Uint8Array(offset + encoded.length);
    grown.set(this.#object.names);
    grown.set(encoded, offset);
    this.#object.names = grown;
    return { offset, length: bytes.length };
  }

  /** A text in the frame for the moment: areas 0 and 1 hold any text of the program, area 2 two of them. */
  scratchText(capacity: number, area: 0 | 1 | 2 = 0): ScratchText {
    assert(this.usesFrame, `${this.request.name} has no frame for a scratch text`);
    return { place: { kind: 'register', register: 9, offset: this.#scratch[area] }, capacity };
  }

  /** Offset in the frame of `bytes` bytes for the moment. */
  scratchRecord(bytes: number): number {
    this.#recordBytes = Math.max(this.#recordBytes, roundUp(bytes, 8));
    return this.#record;
  }

  /** A function of (index, context): r9 and r6 are set, and falling off its end goes on; `stop` ends the loop. */
  addCallback(name: string, emit: (stop: string) => void): string {
    return this.addFunction(name, ['index', 'context'], () => {
      const a = this.assembler;
      const stop = a.newLabel('stop');
      this.#enterCallback();
      emit(stop);
      a.moveImm(0, 0).exit().label(stop).moveImm(0, 1).exit();
    });
  }

  addFunction(name: string, parameters: readonly string[], emit: () => void): string {
    const label = `${name.replaceAll(/\W/g, '_')}_${this.#named.size}`;
    this.#named.set(label, label);
    this.#queue.push(() => {
      this.assembler.function(
        label,
        parameters.map((parameter, index) => ({ name: parameter, type: index === 0 && parameter === 'index' ? 'u32' : 'pointer' })),
      );
      emit();
    });
    return label;
  }

  /** A function for bpf_for_each_map_elem that deletes what it is shown. */
  clearCallback(): string {
    const known = this.#named.get('clear');
    if (known !== undefined) return known;
    const label = this.addFunction('clear', ['map', 'key', 'value', 'context'], () => {
      this.assembler.call('map_delete_elem').moveImm(0, 0).exit();
    });
    this.#named.set('clear', label);
    return label;
  }

  /** Calls a function of (index, context) up to `count` times. r0–r5 are lost. */
  emitLoop(count: number, callback: string): void {
    const a = this.assembler;
    a.store(8, 10, STACK.frame, 9);
    if (this.usesContext) a.store(8, 10, STACK.context, 6);
    if (this.options.features.loop) {
      a.moveImm(1, count).loadFunction(2, callback).move(3, 10).aluImm('add', 3, STACK.frame).moveImm(4, 0).call('loop');
      return;
    }
    const [again, out] = [a.newLabel('again'), a.newLabel('out')];
    a.storeImm(8, 10, STACK.c, 0).label(again).load(8, 1, 10, STACK.c).move(2, 10).aluImm('add', 2, STACK.frame).callFunction(callback);
    a.jumpIfImm('ne', 0, 0, out).load(8, 1, 10, STACK.c).aluImm('add', 1, 1).store(8, 10, STACK.c, 1).jumpIfImm('lt', 1, count, again);
    a.label(out);
  }

  /** Jumps to the label of the site's variant, by its cookie. */
  emitVariantSwitch(labels: readonly string[]): void {
    const a = this.assembler;
    if (labels.length > 1) {
      if (!this.options.features.cookies)
        this.diagnose(
          'cookies',
          'this kernel cannot tell the places of one probe apart (bpf_get_attach_cookie, Linux 5.15)',
          undefined,
          'name one place',
        );
      a.move(1, 6).call('get_attach_cookie');
    }
    for (const [variant, label] of labels.entries()) if (variant > 0) a.jumpIfImm('eq', 0, variant, label);
    a.jump(labels[0]!);
  }

  /** The program. */
  emit(): ProgramSpec {
    const a = this.assembler;
    const { name, type, attach, attachTo } = this.request;
    a.function(name.replaceAll(/\W/g, '_'), [{ name: 'context', type: 'pointer' }]);
    this.#emitMain();
    for (const index of this.#functions) if (this.#calls(index)) this.#queue.push(() => this.#emitSubprogram(index));
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
    if (this.takesUserStacks) this.options.stacks?.emitFunctions(a, type);
    if (this.usesFrame) this.#object.frameBytes = Math.max(this.#object.frameBytes, this.#record + this.#recordBytes);
    return {
      name,
      type,
      ...(attach === undefined ? {} : { attach }),
      ...(attachTo === undefined ? {} : { attachTo }),
      ...a.assemble({ reachableOnly: true }),
    };
  }

  #bodies(): IrFunction[] {
    return this.#functions.map((index) => this.program.functions[index]!);
  }

  /** Whether some function calls it, so that it must be one of its own. */
  #calls(index: number): boolean {
    return this.#bodies().some((body) =>
      instructionsOf(body).some((instruction) => instruction.op === 'call' && instruction.function === index),
    );
  }

  #plan(): void {
    const depth = Math.max(1, ...this.request.bodies.map((body) => this.#depth(body.function)));
    const takesStack =
      this.options.stacks !== undefined && this.#bodies().some((body) => instructionsOf(body).some(({ op }) => op === 'stack'));
    const calls = depth + (takesStack ? (this.options.stacks?.callDepth ?? 0) : 0);
    if (calls > MOST_CALLS)
      this.diagnose(
        'call-depth',
        `functions and loops nest ${calls} deep; the kernel allows ${MOST_CALLS}`,
        undefined,
        'write a function out where it is called',
      );
    const reserved = takesStack ? (this.options.stacks?.stackBytes ?? 0) : 0;
    const share = Math.floor((MOST_STACK - reserved) / depth / 32) * 32;
    const stackLimit = Math.max(share, FIXED_STACK_BYTES);
    this.#planAll(stackLimit);
    if (this.#needsFrame()) {
      this.usesFrame = true;
      this.#planAll(stackLimit);
    }
  }

  #depth(index: number): number {
    const body = this.program.functions[index]!;
    const inner = instructionsOf(body).map((instruction) => {
      if (instruction.op === 'call') return this.#depth(instruction.function);
      if (instruction.op === 'match') return 2;
      if (instruction.op === 'compare-text') return this.#isFrameUser(body, instruction) ? 1 : 0;
      return instruction.op === 'array-clear' ? 1 : 0;
    });
    return 1 + (hasLoop(body) ? 1 : 0) + Math.max(0, ...inner);
  }

  #planAll(stackLimit: number): void {
    this.#plans.clear();
    const registers: Register[] = [...(this.usesContext ? [] : [6 as const]), ...(this.usesFrame ? [] : [9 as const]), 8, 7];
    const keyBytes = Math.max(0, ...this.#bodies().map((body) => this.#keyBytes(body)));
    let next: number = FRAME.first;
    const take = (bytes: number): number => (next += roundUp(bytes, 8)) - roundUp(bytes, 8);
    this.matchOffset = take(this.#bodies().some((body) => instructionsOf(body).some(({ op }) => op === 'match')) ? MATCH_BYTES : 0);
    this.keyOffset = take(keyBytes);
    const text = localTextBytes(this.longestText);
    this.#scratch = [take(text), take(text), take(textBytes(16 * chunksOf(this.longestText)) + 8)];
    const starts = new Map<number, number>();
    // Callers come before those they call.
    for (const index of this.#functions) {
      const body = this.program.functions[index]!;
      const plan = planFunction({
        program: this.program,
        index,
        registers,
        stackLimit,
        frameStart: starts.get(index) ?? next,
        inline: !this.#calls(index),
        keyBytes: this.#keyBytes(body),
      });
      this.#plans.set(index, plan);
      for (const instruction of instructionsOf(body))
        if (instruction.op === 'call') starts.set(instruction.function, Math.max(starts.get(instruction.function) ?? 0, plan.frameEnd));
    }
    this.#record = Math.max(next, ...[...this.#plans.values()].map(({ frameEnd }) => frameEnd));
  }

  #keyBytes(body: IrFunction): number {
    const arrays = instructionsOf(body).flatMap((instruction) => {
      if ('array' in instruction && 'keys' in instruction) return [instruction.array];
      return instruction.op === 'aggregate' && 'array' in instruction.into ? [instruction.into.array] : [];
    });
    return Math.max(0, ...arrays.map((array) => (this.storage.arrays[array]?.keyBytes ?? 0) + 4));
  }

  #needsFrame(): boolean {
    return [...this.#plans.values()].some((plan) => {
      const { body } = plan;
      if (plan.looped || body.objects.length > 0 || (this.#keyBytes(body) > 0 && plan.stackKey === undefined)) return true;
      if (plan.texts.some(({ kind }) => kind === 'frame') || plan.homes.some((home) => home?.kind === 'frame')) return true;
      return instructionsOf(body).some((instruction) => this.#isFrameUser(body, instruction));
    });
  }

  #isFrameUser(body: IrFunction, instruction: Instruction): boolean {
    const isLocal = (place: unknown): boolean => typeof place === 'object' && place !== null && 'local' in place;
    switch (instruction.op) {
      case 'call':
      case 'concatenate':
      case 'substring':
      case 'match':
      case 'context-text':
        return true;
      case 'compare-text':
        return (
          this.#anyDistant(instruction) ||
          comparesInLoop(capacityOf(this.program, body, instruction.left), capacityOf(this.program, body, instruction.right))
        );
      case 'read-text':
        return !isLocal(instruction.to);
      case 'builtin-text':
        return !('local' in instruction.to) || body.texts[instruction.to.local]! < 16;
      case 'print': {
        const texts = instruction.values.flatMap((value) => (value.kind === 'text' ? [value.text] : []));
        const chunks = texts.reduce((sum, text) => sum + chunksOf(capacityOf(this.program, body, text)), 0);
        return printsFromFrame(chunks, this.#anyDistant(instruction));
      }
      default:
        return this.#anyDistant(instruction);
    }
  }

  /** Whether it touches a text of a thread or a CPU. */
  #anyDistant(instruction: Instruction): boolean {
    return this.program.globals.some(
      ({ kind, sharing }, global) =>
        kind === 'text' && sharing !== 'shared' && JSON.stringify(instruction, withBigInts).includes(`{"global":${global}}`),
    );
  }

  #enterCallback(): void {
    this.assembler.load(8, 9, 2, 0);
    if (this.usesContext) this.assembler.load(8, 6, 2, STACK.context - STACK.frame);
  }

  #emitMain(): void {
    const a = this.assembler;
    const out = a.newLabel('out');
    const { bodies } = this.request;
    if (this.usesContext) a.move(6, 1);
    a.loadMapValue(1, MAPS.control, CONTROL.stopped).load(4, 2, 1).jumpIfImm('ne', 2, 0, out);
    const mixed = bodies.some(({ global }) => global);
    if (!mixed) emitFilter(a, this.options, this.request.task, out);
    if (this.usesFrame) this.#emitAcquire(out);
    for (const body of bodies) {
      const skip = a.newLabel('skip');
      if (mixed && !body.global) emitFilter(a, this.options, this.request.task, skip);
      body.guard?.(a, skip);
      this.#emitBody(body);
      a.label(skip);
    }
    if (this.usesFrame) a.storeImm(8, 9, FRAME.busy, 0);
    a.label(out).moveImm(0, 0).exit();
  }

  #emitBody(body: UnitBody): void {
    const a = this.assembler;
    const plan = this.planOf(body.function);
    const { measure } = this.options;
    if (measure === 'time') a.call('ktime_get_ns').store(8, 10, STACK.startTime, 0);
    if (this.usesFrame) {
      a.loadImm64(1, BigInt(this.#budget())).store(8, 9, FRAME.budget, 1).storeImm(8, 9, FRAME.probe, body.probe);
    }
    const e = new Emitter(this, plan, 'inline', body);
    if (plan.looped) this.#emitLaunch(e, plan, body);
    else emitFunctionBody(e);
    a.label(e.endLabel).label(e.failLabel);
    if (measure !== 'nothing') this.#emitMeasure(body.probe);
  }

  /** Without bpf_loop the verifier walks every round, and of nested loops every round of each in every round of the other. */
  #budget(): number {
    const { limits, features } = this.options;
    if (features.loop) return limits.loopBudget;
    const nesting = Math.max(1, ...this.request.bodies.map((body) => this.#nesting(body.function)));
    return Math.max(2, Math.floor(limits.smallLoopBudget ** (1 / nesting)));
  }

  /** How many loops of ours, and of matches, go on within each other. */
  #nesting(index: number): number {
    const body = this.program.functions[index]!;
    const inner = instructionsOf(body).map((instruction) => {
      if (instruction.op === 'call') return this.#nesting(instruction.function);
      return instruction.op === 'match' ? 1 : 0;
    });
    return (hasLoop(body) ? 1 : 0) + Math.max(0, ...inner);
  }

  /** Runs a function with loops; part of the main function, it falls through or jumps to the end label; else it leaves, or falls through when it failed. */
  #emitLaunch(e: Emitter, plan: FunctionPlan, body: UnitBody | undefined): void {
    const a = this.assembler;
    e.storeFrameImm(plan.state, LOOP_STATE.entry, 1);
    this.emitLoop(
      this.#budget() + 1,
      this.addFunction(`rounds_${plan.index}`, ['index', 'context'], () => {
        const inner = new Emitter(this, plan, 'callback', body);
        this.#enterCallback();
        emitFunctionBody(inner);
        a.label(inner.failLabel);
        inner.storeFrameImm(plan.state, LOOP_STATE.ended + OUTCOME.ended, 1);
        a.moveImm(0, 1).exit();
      }),
    );
    e.loadFrame(0, plan.state);
    if (e.mode === 'inline') a.jumpIfImm('ge', 0, LOOP_STATE.ended, e.endLabel);
    else {
      const spent = a.newLabel('spent');
      a.jumpIfImm('lt', 0, LOOP_STATE.ended, spent).aluImm('sub', 0, LOOP_STATE.ended).exit().label(spent);
    }
    e.count('loop-budget');
  }

  #emitSubprogram(index: number): void {
    const a = this.assembler;
    const plan = this.planOf(index);
    a.function(this.functionLabel(index), [
      { name: 'context', type: 'pointer' },
      { name: 'frame', type: 'pointer' },
    ]);
    if (this.usesContext) a.move(6, 1);
    a.move(9, 2);
    const e = new Emitter(this, plan, 'subprogram', this.#onlyBody());
    if (plan.looped) this.#emitLaunch(e, plan, this.#onlyBody());
    else emitFunctionBody(e);
    a.label(e.failLabel).moveImm(0, OUTCOME.ended).exit();
  }

  /** The body that a function was called by, when there is but one. */
  #onlyBody(): UnitBody | undefined {
    return this.request.bodies.length === 1 ? this.request.bodies[0] : undefined;
  }

  /** r9 = a frame that nobody else has, or counts and jumps to `out`. */
  #emitAcquire(out: string): void {
    const a = this.assembler;
    const [got, busy] = [a.newLabel('got'), a.newLabel('busy')];
    a.call('get_smp_processor_id').alu32Imm('mul', 0, FRAMES_PER_CPU).store(4, 10, STACK.a, 0);
    for (let frame = 0; frame < FRAMES_PER_CPU; frame++) {
      a.move(2, 10).aluImm('add', 2, STACK.a).loadMap(1, MAPS.frames).call('map_lookup_elem').jumpIfImm('eq', 0, 0, busy);
      a.moveImm(1, 1).atomic('xchg', 8, 0, FRAME.busy, 1).jumpIfImm('eq', 1, 0, got);
      a.load(4, 1, 10, STACK.a).aluImm('add', 1, 1).store(4, 10, STACK.a, 1);
    }
    a.label(busy);
    emitCount(a, 'scratch-busy');
    a.jump(out).label(got).move(9, 0);
  }

  #emitMeasure(probe: number): void {
    const a = this.assembler;
    const none = a.newLabel('none');
    if (this.options.measure === 'time')
      a.call('ktime_get_ns').load(8, 1, 10, STACK.startTime).alu('sub', 0, 1).store(8, 10, STACK.startTime, 0);
    a.storeImm(4, 10, STACK.a, probe).loadMap(1, MAPS.measures).move(2, 10).aluImm('add', 2, STACK.a).call('map_lookup_elem');
    a.jumpIfImm('eq', 0, 0, none).load(8, 1, 0).aluImm('add', 1, 1).store(8, 0, 0, 1);
    if (this.options.measure === 'time') a.load(8, 1, 0, 8).load(8, 2, 10, STACK.startTime).alu('add', 1, 2).store(8, 0, 8, 1);
    a.label(none);
  }
}

/** The map of frames, when some program needs one. */
export function framesMap({ cpus }: EbpfOptions, frameBytes: number): MapSpec {
  return { name: MAPS.frames, type: 'array', keyBytes: 4, valueBytes: frameBytes, maxEntries: cpus * FRAMES_PER_CPU };
}

/** Jumps to `out` for a process outside of the target. r0–r5 are lost. */
function emitFilter(a: Assembler, { filter, kernel }: EbpfOptions, task: HitTask, out: string): void {
  const inside = a.newLabel('inside');
  if (filter.kind === 'all') return;
  if (filter.kind === 'pid') {
    emitProcessAndThread(a, task, kernel);
    a.aluImm('rsh', 0, 32).loadMapValue(1, MAPS.control).load(4, 2, 1, CONTROL.firstTarget);
    a.jumpIf('eq', 0, 2, inside).load(4, 2, 1, CONTROL.otherTargets).jumpIfImm('eq', 2, 0, out).store(4, 10, STACK.a, 0);
    a.loadMap(1, MAPS.targets);
  } else {
    emitControlGroup(a, task, kernel);
    a.store(8, 10, STACK.a, 0).loadMap(1, MAPS.cgroups);
  }
  a.move(2, 10).aluImm('add', 2, STACK.a).call('map_lookup_elem').jumpIfImm('eq', 0, 0, out).label(inside);
}
