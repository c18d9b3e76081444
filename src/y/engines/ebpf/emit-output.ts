/** Events to the ring: what `print` writes, and the wish to end. */
import type { Register } from '../../../bpf/index.ts';
import type { Instruction, OutputValue } from '../../ir/program.ts';
import { CONTROL, EVENT, TEXT_HEADER_BYTES, type PrintValue } from './ebpf-program.ts';
import { chunksOf, textEnd, type Emitter } from './emitter.ts';
import { emitAtMost } from './emit-text.ts';
import { FRAME, STACK } from './function-plan.ts';
import { capacityOf, MAPS } from './storage-plan.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

/** Texts of a print that together have no more words than these go into a record of fixed size, without a copy on the way. */
const DIRECT_CHUNKS = 24;

/** Whether a print is put together in the frame. */
export function printsFromFrame(chunks: number, anyDistant: boolean): boolean {
  return anyDistant || chunks > DIRECT_CHUNKS;
}

export function emitPrint(e: Emitter, instruction: Of<'print'>): void {
  const { stream, format, values, at } = instruction;
  const id = e.unit.addPrint({ stream, format, values: values.map((value) => describe(e, value, at)), place: at });
  const texts = values.flatMap((value) => (value.kind === 'text' ? [value.text] : []));
  const chunks = texts.reduce((sum, text) => sum + chunksOf(capacityOf(e.program, e.body, text)), 0);
  const anyDistant = texts.some((text) => e.isDistant(text));
  if (printsFromFrame(chunks, anyDistant)) emitFromFrame(e, id, values);
  else emitDirect(e, id, values, chunks);
}

function describe(e: Emitter, value: OutputValue, at: Instruction['at']): PrintValue {
  if (value.kind === 'described') return { kind: 'described', as: value.as };
  if (value.kind === 'histogram') {
    e.diagnose('kernel-histogram', 'a histogram cannot be drawn in a probe that runs in the kernel', at, 'draw it in _end or in a timer');
    return { kind: 'integer' };
  }
  return { kind: value.kind };
}

/** What helpers give of the header, on the stack: `a` time, `b` process and thread, `c` CPU. */
function emitHeaderFacts(e: Emitter): void {
  const { a } = e;
  e.emitProcessAndThread();
  a.store(8, 10, STACK.b, 0).call('ktime_get_ns').store(8, 10, STACK.a, 0);
  a.call('get_smp_processor_id').store(8, 10, STACK.c, 0);
}

/** At r`base`; r1 is lost. */
function emitHeader(e: Emitter, id: number, base: Register, offset: number): void {
  const { a } = e;
  a.storeImm(4, base, offset + EVENT.id, id);
  if (e.probeBody === undefined) {
    e.loadFrame(1, FRAME.probe);
    a.store(4, base, offset + EVENT.probe, 1);
  } else a.storeImm(4, base, offset + EVENT.probe, e.probeBody.probe);
  a.load(8, 1, 10, STACK.a).store(8, base, offset + EVENT.time, 1);
  a.load(8, 1, 10, STACK.b)
    .store(4, base, offset + EVENT.tid, 1)
    .aluImm('rsh', 1, 32)
    .store(4, base, offset + EVENT.pid, 1);
  a.load(8, 1, 10, STACK.c)
    .store(4, base, offset + EVENT.cpu, 1)
    .storeImm(4, base, offset + EVENT.tid + 4, 0);
}

function emitReserve(e: Emitter, bytes: number, full: string): void {
  e.a.loadMap(1, MAPS.events).moveImm(2, bytes).moveImm(3, 0).call('ringbuf_reserve').jumpIfImm('eq', 0, 0, full);
}

/** r0 = the record, from its reservation to its end. */
function emitDirect(e: Emitter, id: number, values: readonly OutputValue[], chunks: number): void {
  const { a } = e;
  const done = a.newLabel('done');
  let next = EVENT.values + 8 * values.length;
  emitHeaderFacts(e);
  emitReserve(e, next + 8 * chunks, e.lossThen('ring-full', done));
  emitHeader(e, id, 0, 0);
  for (const [index, value] of values.entries()) {
    const slot = EVENT.values + 8 * index;
    if (value.kind === 'text') {
      const text = e.text(value.text);
      const source = e.base(text.place, textEnd(text.capacity), 2);
      a.storeImm(4, 0, slot, next)
        .load(8, 1, source.register, source.offset)
        .store(4, 0, slot + 4, 1);
      for (let chunk = 0; chunk < chunksOf(text.capacity); chunk++, next += 8)
        a.load(8, 1, source.register, source.offset + TEXT_HEADER_BYTES + 8 * chunk).store(8, 0, next, 1);
    } else emitScalar(e, value, 0, slot);
  }
  a.move(1, 0).moveImm(2, 0).call('ringbuf_submit').label(done);
}

function emitScalar(e: Emitter, value: Exclude<OutputValue, { kind: 'text' }>, base: Register, offset: number): void {
  if (value.kind === 'histogram') e.a.storeImm(8, base, offset, 0);
  else e.a.store(8, base, offset, e.inRegister(value.kind === 'float' ? { register: value.register } : value.value, 1));
}

/** The texts one behind another, each as long as it is. */
function emitFromFrame(e: Emitter, id: number, values: readonly OutputValue[]): void {
  const { a } = e;
  const done = a.newLabel('done');
  const full = e.lossThen('ring-full', done);
  let most = EVENT.values + 8 * values.length;
  const record = e.unit.scratchRecord(
    most + values.reduce((sum, value) => sum + (value.kind === 'text' ? 8 * chunksOf(capacityOf(e.program, e.body, value.text)) : 0), 0),
  );
  const place = { kind: 'register', register: 9, offset: record } as const;
  emitHeaderFacts(e);
  e.address(2, place);
  emitHeader(e, id, 2, 0);
  a.storeImm(8, 10, STACK.b, most);
  for (const [index, value] of values.entries()) {
    const slot = EVENT.values + 8 * index;
    if (value.kind !== 'text') {
      e.address(2, place);
      emitScalar(e, value, 2, slot);
      continue;
    }
    const text = e.text(value.text);
    e.address(3, text.place);
    a.load(8, 5, 3, 0);
    emitAtMost(e, 5, text.capacity);
    a.load(8, 4, 10, STACK.b);
    emitAtMost(e, 4, most);
    e.address(1, place);
    a.store(4, 1, slot, 4)
      .store(4, 1, slot + 4, 5)
      .alu('add', 1, 4)
      .alu('add', 5, 4)
      .store(8, 10, STACK.b, 5);
    a.aluImm('add', 3, TEXT_HEADER_BYTES)
      .moveImm(2, 8 * chunksOf(text.capacity))
      .call('probe_read_kernel');
    most += 8 * chunksOf(text.capacity);
  }
  a.load(8, 3, 10, STACK.b);
  emitAtMost(e, 3, most);
  e.address(2, place);
  a.loadMap(1, MAPS.events).moveImm(4, 0).call('ringbuf_output').jumpIfImm('ne', 0, 0, full).label(done);
}

/** All later hits return at once; the session reads the record and ends. */
export function emitExit(e: Emitter): void {
  const { a } = e;
  const done = a.newLabel('done');
  a.loadMapValue(1, MAPS.control, CONTROL.stopped).storeImm(4, 1, 0, 1);
  emitHeaderFacts(e);
  emitReserve(e, EVENT.values, done);
  emitHeader(e, 0, 0, 0);
  a.move(1, 0).moveImm(2, 0).call('ringbuf_submit').label(done);
}
