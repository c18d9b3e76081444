/** Samples into aggregates: this CPU's record, without locks. `aggregate-layout.ts` says what a record holds. */
import { assert } from '../../../base/index.ts';
import { LOG_BUCKETS, LOG_ZERO_BUCKET, type AggregateLayout, type HistogramLayout } from '../aggregate-layout.ts';
import type { Instruction, Operand } from '../../ir/program.ts';
import type { ArrayLayout, BucketsLayout } from './ebpf-program.ts';
import { fitsImmediate, type Emitter } from './emitter.ts';
import { arrayOf, emitKey, emitLookup, emitLookupOrMake, keyPlace } from './emit-storage.ts';
import { STACK } from './function-plan.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

const EEXIST = -17;
const BPF_NOEXIST = 1;

export function emitAggregate(e: Emitter, { into, value }: Of<'aggregate'>): void {
  if ('array' in into) return emitIntoArray(e, arrayOf(e, into.array), into.keys, value);
  const { a } = e;
  const global = e.unit.storage.globals[into.global];
  assert(global?.kind === 'aggregate', `global ${into.global} is no aggregate`);
  const none = a.newLabel('none');
  a.storeImm(4, 10, STACK.c, 0).loadMap(1, global.map).move(2, 10).aluImm('add', 2, STACK.c).call('map_lookup_elem');
  a.jumpIfImm('eq', 0, 0, none);
  emitRecord(e, global.layout, value);
  for (const histogram of global.layout.histograms) emitDenseBucket(e, histogram, value);
  a.label(none);
}

function emitIntoArray(e: Emitter, array: ArrayLayout, keys: Parameters<typeof emitKey>[2], value: Operand): void {
  const { a } = e;
  assert(array.value.kind === 'aggregate', `${array.map} holds no aggregates`);
  const { layout, buckets } = array.value;
  const done = a.newLabel('done');
  const full = e.lossThen('array-full', done);
  emitKey(e, array, keys);
  emitLookupOrMake(e, array.map, full);
  emitRecord(e, layout, value);
  if (buckets !== undefined)
    for (const [index, histogram] of layout.histograms.entries()) emitSparseBucket(e, buckets, index, histogram, value, full);
  a.label(done);
}

/** r0 = the record, kept; r1 = the sample, kept; r2–r5 are lost. */
function emitRecord(e: Emitter, layout: AggregateLayout, value: Operand): void {
  const { a } = e;
  e.load(1, value);
  a.load(8, 2, 0, layout.count);
  if (layout.minimum !== undefined && layout.maximum !== undefined) {
    const [first, notLess, done] = [a.newLabel('first'), a.newLabel('not_less'), a.newLabel('done')];
    a.jumpIfImm('eq', 2, 0, first);
    a.load(8, 3, 0, layout.minimum).jumpIf('sge', 1, 3, notLess).store(8, 0, layout.minimum, 1).label(notLess);
    a.load(8, 3, 0, layout.maximum).jumpIf('sle', 1, 3, done).store(8, 0, layout.maximum, 1).label(done);
    e.defer(() => {
      a.label(first).store(8, 0, layout.minimum!, 1).store(8, 0, layout.maximum!, 1).jump(done);
    });
  }
  a.aluImm('add', 2, 1).store(8, 0, layout.count, 2);
  a.load(8, 2, 0, layout.sum).alu('add', 2, 1).store(8, 0, layout.sum, 2);
  if (layout.squares !== undefined) emitSquare(e, layout.squares);
}

/** Adds the square of r1 to the 128 bits at r0. */
function emitSquare(e: Emitter, offset: number): void {
  const { a } = e;
  const [noCarry, noCarryAgain] = [a.newLabel('no_carry'), a.newLabel('no_carry')];
  // r2 = magnitude, in halves: r3 lower, r2 upper.
  a.move(2, 1).move(3, 1).aluImm('arsh', 3, 63).alu('xor', 2, 3).alu('sub', 2, 3);
  a.alu32('mov', 3, 2).aluImm('rsh', 2, 32);
  // r4:r5 = upper², then both products in the middle, then lower².
  a.move(5, 2).alu('mul', 5, 3).move(4, 2).alu('mul', 4, 2).alu('mul', 3, 3);
  a.move(2, 5).aluImm('rsh', 2, 31).alu('add', 4, 2).aluImm('lsh', 5, 33).alu('add', 5, 3);
  a.jumpIf('ge', 5, 3, noCarry).aluImm('add', 4, 1).label(noCarry);
  a.load(8, 2, 0, offset).alu('add', 2, 5).store(8, 0, offset, 2).jumpIf('ge', 2, 5, noCarryAgain).aluImm('add', 4, 1).label(noCarryAgain);
  a.load(8, 2, 0, offset + 8)
    .alu('add', 2, 4)
    .store(8, 0, offset + 8, 2);
}

/** r0 = the record, kept. */
function emitDenseBucket(e: Emitter, histogram: HistogramLayout, value: Operand): void {
  const { a } = e;
  const outside = a.newLabel('outside');
  emitBucket(e, histogram, value);
  a.jumpIfImm('ge', 2, histogram.buckets, outside).aluImm('lsh', 2, 3).move(1, 0).alu('add', 1, 2);
  a.load(8, 2, 1, histogram.offset).aluImm('add', 2, 1).store(8, 1, histogram.offset, 2).label(outside);
}

/** The key is in place; the bucket goes behind it. */
function emitSparseBucket(
  e: Emitter,
  { map, offset }: BucketsLayout,
  index: number,
  histogram: HistogramLayout,
  value: Operand,
  full: string,
): void {
  const { a } = e;
  const [missing, found, done] = [a.newLabel('missing'), a.newLabel('found'), a.newLabel('done')];
  emitBucket(e, histogram, value);
  a.aluImm('and', 2, 0xffff);
  if (index > 0) a.aluImm('or', 2, index << 16);
  const base = e.base(keyPlace(e), offset + 4, 1);
  a.store(4, base.register, base.offset + offset, 2);
  emitLookup(e, map);
  a.jumpIfImm('eq', 0, 0, missing).label(found).load(8, 1, 0).aluImm('add', 1, 1).store(8, 0, 0, 1).label(done);
  e.defer(() => {
    a.label(missing).storeImm(8, 10, STACK.a, 1);
    e.address(2, keyPlace(e));
    a.loadMap(1, map).move(3, 10).aluImm('add', 3, STACK.a).moveImm(4, BPF_NOEXIST).call('map_update_elem');
    a.jumpIfImm('eq', 0, 0, done).jumpIfImm('ne', 0, EEXIST, full);
    emitLookup(e, map);
    a.jumpIfImm('ne', 0, 0, found).jump(full);
  });
}

/** r2 = the sample's bucket; r1 and r3–r5 are lost, r0 stays. */
function emitBucket(e: Emitter, { scale, buckets }: HistogramLayout, value: Operand): void {
  e.load(1, value);
  if (scale.kind === 'log') return emitLogBucket(e);
  const { a } = e;
  const [low, high, done] = [a.newLabel('low'), a.newLabel('high'), a.newLabel('done')];
  jumpIfConstant(e, 'slt', scale.low, low);
  jumpIfConstant(e, 'sge', scale.high, high);
  e.loadConstant(2, scale.low);
  a.alu('sub', 1, 2).move(2, 1);
  if (fitsImmediate(scale.step)) a.aluImm('div', 2, Number(scale.step));
  else {
    e.loadConstant(3, scale.step);
    a.alu('div', 2, 3);
  }
  a.aluImm('add', 2, 1).label(done);
  e.defer(() => {
    a.label(low).moveImm(2, 0).jump(done);
    a.label(high)
      .moveImm(2, buckets - 1)
      .jump(done);
  });
}

function jumpIfConstant(e: Emitter, condition: 'slt' | 'sge', constant: bigint, label: string): void {
  if (fitsImmediate(constant)) {
    e.a.jumpIfImm(condition, 1, Number(constant), label);
    return;
  }
  e.loadConstant(2, constant);
  e.a.jumpIf(condition, 1, 2, label);
}

/** Branches are cheaper here than arithmetic: most samples of one program have about the same size. */
function emitLogBucket(e: Emitter): void {
  const { a } = e;
  const small = a.newLabel('small');
  // r5 = mask of the sign, r2 = magnitude, r3 = what is left of it, r4 = its power of two.
  a.move(5, 1).aluImm('arsh', 5, 63).move(2, 1).alu('xor', 2, 5).alu('sub', 2, 5).jumpIfImm('lt', 2, 16, small);
  a.move(3, 2).moveImm(4, 0);
  for (const step of [32, 16, 8, 4, 2, 1]) {
    const below = a.newLabel('below');
    a.move(1, 3).aluImm('rsh', 1, step).jumpIfImm('eq', 1, 0, below).move(3, 1).aluImm('add', 4, step).label(below);
  }
  a.move(3, 4).aluImm('sub', 3, 3).alu('rsh', 2, 3).aluImm('and', 2, 7);
  a.aluImm('sub', 4, 2).aluImm('lsh', 4, 3).alu('add', 2, 4).label(small);
  a.alu('xor', 2, 5).alu('sub', 2, 5).aluImm('add', 2, LOG_ZERO_BUCKET);
  assert(LOG_BUCKETS < 0x10000, 'a bucket has 16 bits');
}
