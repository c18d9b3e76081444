/**
 * Texts. Bytes behind a text's length are zeros up to the end of its place, always: so copies, keys and comparisons go by whole words,
 * without loops, and a byte beyond the end reads as 0. Long runs go through bpf_probe_read_kernel, which copies our own memory as well
 * (and fills with zeros when told to read from address 0, which never works).
 */
import type { Register } from '../../../bpf/index.ts';
import type { Instruction, TextPlace } from '../../ir/program.ts';
import { TEXT_HEADER_BYTES } from './ebpf-program.ts';
import { chunksOf, textEnd, type Emitter, type Place, type TextAt } from './emitter.ts';
import { FRAME, STACK } from './function-plan.ts';
import { capacityOf } from './storage-plan.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

/** Above so many words a helper is shorter, and not slower. */
const UNROLLED_CHUNKS = 16;

/** Zeros from byte `from` to byte `to` of a place, both multiples of 8. r0–r5 are lost. */
export function emitZero(e: Emitter, place: Place, from: number, to: number): void {
  if (to <= from) return;
  if (to - from > 8 * UNROLLED_CHUNKS) {
    e.address(1, place, from);
    e.a
      .moveImm(2, to - from)
      .moveImm(3, 0)
      .call('probe_read_kernel');
    return;
  }
  const base = e.base(place, to, 1);
  for (let at = from; at < to; at += 8) e.a.storeImm(8, base.register, base.offset + at, 0);
}

/** Copies, cut at the capacity of `to`. Neither may be off r0, r2 or r3. r0–r5 are lost. */
export function emitCopy(e: Emitter, to: TextAt, from: TextAt): void {
  const { a } = e;
  const chunks = Math.min(chunksOf(to.capacity), chunksOf(from.capacity));
  const cut = from.capacity > to.capacity;
  if (chunks > UNROLLED_CHUNKS) {
    e.address(3, from.place, TEXT_HEADER_BYTES);
    e.address(1, to.place, TEXT_HEADER_BYTES);
    a.moveImm(2, 8 * chunks).call('probe_read_kernel');
  } else {
    const source = e.base(from.place, textEnd(from.capacity), 2);
    const target = e.base(to.place, textEnd(to.capacity), 1);
    for (let at = TEXT_HEADER_BYTES; at < TEXT_HEADER_BYTES + 8 * chunks; at += 8)
      a.load(8, 0, source.register, source.offset + at).store(8, target.register, target.offset + at, 0);
  }
  emitLength(e, to, from, cut);
  if (cut) emitMask(e, to);
  emitZero(e, to.place, TEXT_HEADER_BYTES + 8 * chunks, textEnd(to.capacity));
}

function emitLength(e: Emitter, to: TextAt, from: TextAt, cut: boolean): void {
  const source = e.base(from.place, 8, 2);
  e.a.load(8, 0, source.register, source.offset);
  if (cut) emitAtMost(e, 0, to.capacity);
  const target = e.base(to.place, 8, 1);
  e.a.store(8, target.register, target.offset, 0);
}

export function emitAtMost(e: Emitter, register: Register, limit: number): void {
  const small = e.a.newLabel('small');
  e.a.jumpIfImm('le', register, limit, small).moveImm(register, limit).label(small);
}

/** Clears what lies behind the capacity in the last word. r0–r3 are lost. */
export function emitMask(e: Emitter, { place, capacity }: TextAt): void {
  const rest = capacity % 8;
  if (rest === 0) return;
  const at = TEXT_HEADER_BYTES + capacity - rest;
  const base = e.base(place, at + 8, 1);
  e.a.load(8, 0, base.register, base.offset + at).loadImm64(2, (1n << BigInt(8 * rest)) - 1n);
  e.a.alu('and', 0, 2).store(8, base.register, base.offset + at, 0);
}

export function emitCopyText(e: Emitter, { to, from }: Of<'copy-text'>): void {
  if (samePlace(to, from)) return;
  const source = e.text(from);
  if (!e.isDistant(to) || source.place.kind !== 'pointer') return emitCopy(e, e.writableText(to), source);
  // One pointer at a time: by way of the scratch area.
  const between = e.unit.scratchText(source.capacity);
  emitCopy(e, between, source);
  emitCopy(e, e.writableText(to), between);
}

function samePlace(a: TextPlace, b: TextPlace): boolean {
  if ('local' in a && 'local' in b) return a.local === b.local;
  if ('global' in a && 'global' in b) return a.global === b.global;
  return false;
}

/** A text that stays where it is while other texts are looked up: a distant one is copied to a scratch area. */
export function emitNear(e: Emitter, place: TextPlace, area: 0 | 1): TextAt {
  const text = e.text(place);
  if (text.place.kind !== 'pointer') return text;
  const near = e.unit.scratchText(text.capacity, area);
  emitCopy(e, near, text);
  return near;
}

export function emitTextLength(e: Emitter, { to, from }: Of<'text-length'>): void {
  const base = e.base(e.text(from).place, 8, 1);
  e.a.load(4, 0, base.register, base.offset);
  e.store(to, 0);
}

export function emitTextAt(e: Emitter, { to, from, index }: Of<'text-at'>): void {
  const { a } = e;
  const text = e.text(from);
  const outside = a.newLabel('outside');
  e.load(1, index);
  a.moveImm(0, 0).jumpIfImm('ge', 1, Math.max(text.capacity, 1), outside);
  e.address(2, text.place, TEXT_HEADER_BYTES);
  a.alu('add', 2, 1).load(1, 0, 2).label(outside);
  e.store(to, 0);
}

/** Common words above which a comparison is a loop: so many branches one after another are more than the verifier keeps in mind. */
const UNROLLED_COMPARISONS = 32;

/** Whether comparing texts of these capacities takes the frame. */
export function comparesInLoop(left: number, right: number): boolean {
  return Math.min(chunksOf(left), chunksOf(right)) > UNROLLED_COMPARISONS;
}

/** Both are compared word by word, the first byte weighing most; where all common words are equal, the longer one is greater. */
export function emitCompareText(e: Emitter, { to, left, right }: Of<'compare-text'>): void {
  const { a } = e;
  const first = emitNear(e, left, 0);
  const second = emitNear(e, right, 1);
  const [differ, compare, less, done] = [a.newLabel('differ'), a.newLabel('compare'), a.newLabel('less'), a.newLabel('done')];
  const looped = e.unit.options.features.loop && comparesInLoop(first.capacity, second.capacity);
  if (looped) emitCompareLoop(e, first, second, done);
  const x = e.base(first.place, textEnd(first.capacity), 1);
  const y = e.base(second.place, textEnd(second.capacity), 2);
  const chunks = looped ? 0 : Math.min(chunksOf(first.capacity), chunksOf(second.capacity));
  for (let at = TEXT_HEADER_BYTES; at < TEXT_HEADER_BYTES + 8 * chunks; at += 8)
    a.load(8, 3, x.register, x.offset + at)
      .load(8, 4, y.register, y.offset + at)
      .jumpIf('ne', 3, 4, differ);
  a.load(8, 3, x.register, x.offset).load(8, 4, y.register, y.offset).moveImm(0, 0).jumpIf('eq', 3, 4, done).jump(compare);
  a.label(differ).toByteOrder('be', 64, 3).toByteOrder('be', 64, 4);
  a.label(compare).moveImm(0, 1).jumpIf('lt', 3, 4, less).jump(done).label(less).moveImm(0, -1).label(done);
  e.store(to, 0);
}

/** Jumps to `done` with the result in r0 when some common word differs. */
function emitCompareLoop(e: Emitter, first: TextAt, second: TextAt, done: string): void {
  const { a } = e;
  const chunks = Math.min(chunksOf(first.capacity), chunksOf(second.capacity));
  e.storeFrameImm(FRAME.compared, 0, 1);
  const callback = e.unit.addCallback('compare', (stop) => {
    const [same, less] = [a.newLabel('same'), a.newLabel('less')];
    a.move(5, 1).jumpIfImm('ge', 5, chunks, stop).aluImm('lsh', 5, 3);
    e.address(2, first.place, TEXT_HEADER_BYTES);
    e.address(3, second.place, TEXT_HEADER_BYTES);
    a.alu('add', 2, 5).alu('add', 3, 5).load(8, 2, 2).load(8, 3, 3).jumpIf('eq', 2, 3, same);
    a.toByteOrder('be', 64, 2).toByteOrder('be', 64, 3).storeImm(8, 9, FRAME.compared, 1).jumpIf('lt', 2, 3, less).jump(stop);
    a.label(less).storeImm(8, 9, FRAME.compared, -1).jump(stop).label(same);
  });
  e.unit.emitLoop(chunks, callback);
  e.loadFrame(0, FRAME.compared);
  a.jumpIfImm('ne', 0, 0, done);
}

/** Put together in a scratch area, since the result may be one of the operands. */
export function emitConcatenate(e: Emitter, { to, left, right }: Of<'concatenate'>): void {
  const { a } = e;
  const first = emitNear(e, left, 0);
  const second = emitNear(e, right, 1);
  const capacity = 8 * (chunksOf(first.capacity) + chunksOf(second.capacity));
  const joined = e.unit.scratchText(capacity, 2);
  emitCopy(e, joined, first);
  const x = e.base(joined.place, 8, 1);
  a.load(8, 4, x.register, x.offset);
  emitAtMost(e, 4, first.capacity);
  e.address(1, joined.place, TEXT_HEADER_BYTES);
  e.address(3, second.place, TEXT_HEADER_BYTES);
  a.alu('add', 1, 4)
    .moveImm(2, 8 * chunksOf(second.capacity))
    .call('probe_read_kernel');
  const y = e.base(second.place, 8, 2);
  a.load(8, 0, y.register, y.offset);
  const z = e.base(joined.place, 8, 1);
  a.load(8, 3, z.register, z.offset).alu('add', 0, 3).store(8, z.register, z.offset, 0);
  emitCopy(e, e.writableText(to), joined);
}

/** `start` and `length` are cut to what there is; below zero they count as zero. */
export function emitSubstring(e: Emitter, { to, from, start, length }: Of<'substring'>): void {
  const { a } = e;
  const source = emitNear(e, from, 0);
  e.load(1, length);
  a.store(8, 10, STACK.a, 1);
  e.load(5, start);
  const base = e.base(source.place, 8, 2);
  a.load(8, 4, base.register, base.offset).load(8, 1, 10, STACK.a);
  emitNotNegative(e, 5);
  emitNotNegative(e, 1);
  // r4 = what is left behind the start; r1 = how many bytes.
  const inside = a.newLabel('inside');
  const short = a.newLabel('short');
  a.jumpIf('le', 5, 4, inside).move(5, 4).label(inside).alu('sub', 4, 5).jumpIf('le', 1, 4, short).move(1, 4).label(short);
  emitSlice(e, to, source);
}

/** `to` = the r1 bytes from byte r5 on of a text; both must be within it. */
export function emitSlice(e: Emitter, to: TextPlace, source: TextAt): void {
  const { a } = e;
  const cut = e.unit.scratchText(source.capacity, 2);
  emitAtMost(e, 1, source.capacity);
  a.store(8, 10, STACK.a, 1).store(8, 10, STACK.b, 5);
  emitZero(e, cut.place, TEXT_HEADER_BYTES, textEnd(cut.capacity));
  e.address(3, source.place, TEXT_HEADER_BYTES);
  e.address(1, cut.place, TEXT_HEADER_BYTES);
  a.load(8, 5, 10, STACK.b);
  emitAtMost(e, 5, source.capacity);
  a.alu('add', 3, 5).load(8, 2, 10, STACK.a);
  emitAtMost(e, 2, source.capacity);
  a.call('probe_read_kernel');
  const base = e.base(cut.place, 8, 1);
  a.load(8, 0, 10, STACK.a).store(8, base.register, base.offset, 0);
  emitCopy(e, e.writableText(to), cut);
}

function emitNotNegative(e: Emitter, register: Register): void {
  const positive = e.a.newLabel('positive');
  e.a.jumpIfImm('sge', register, 0, positive).moveImm(register, 0).label(positive);
}

/** Reads the target's or the kernel's memory. */
export function emitReadText(e: Emitter, { to, space, address, length, onFail }: Of<'read-text'>): void {
  const { a } = e;
  const failed = e.failureOf(onFail, 'failed-read');
  // Only a local text has room for the NUL that the kernel puts behind it.
  const direct = 'local' in to;
  const text = direct ? e.text(to) : e.unit.scratchText(capacityOf(e.program, e.body, to), 2);
  emitZero(e, text.place, 0, textEnd(text.capacity));
  if (length === undefined) {
    e.load(3, address);
    e.address(1, text.place, TEXT_HEADER_BYTES);
    a.moveImm(2, text.capacity + 1).call(space === 'user' ? 'probe_read_user_str' : 'probe_read_kernel_str');
    a.jumpIfImm('sle', 0, 0, failed).aluImm('sub', 0, 1);
  } else {
    e.load(2, length);
    emitNotNegative(e, 2);
    emitAtMost(e, 2, text.capacity);
    a.store(8, 10, STACK.a, 2);
    e.load(3, address);
    e.address(1, text.place, TEXT_HEADER_BYTES);
    a.call(space === 'user' ? 'probe_read_user' : 'probe_read_kernel');
    a.jumpIfImm('ne', 0, 0, failed).load(8, 0, 10, STACK.a);
  }
  const base = e.base(text.place, 8, 1);
  a.store(8, base.register, base.offset, 0);
  if (!direct) emitCopy(e, e.writableText(to), text);
}

/** Length of a text of at most 16 bytes without NUL inside, zeros behind: the number of bytes that are not zero. r0–r5 are lost. */
export function emitCountBytes(e: Emitter, { place }: TextAt): void {
  const { a } = e;
  const base = e.base(place, 24, 1);
  a.loadImm64(3, 0x7f7f7f7f7f7f7f7fn).moveImm(0, 0);
  for (const at of [TEXT_HEADER_BYTES, TEXT_HEADER_BYTES + 8]) {
    // The top bit of each byte that is not zero.
    a.load(8, 4, base.register, base.offset + at)
      .move(5, 4)
      .alu('and', 5, 3)
      .alu('add', 5, 3)
      .alu('or', 5, 4)
      .aluImm('rsh', 5, 7);
    a.loadImm64(4, 0x0101010101010101n).alu('and', 5, 4).alu('add', 0, 5);
  }
  a.alu('mul', 0, 4).aluImm('rsh', 0, 56).store(8, base.register, base.offset, 0);
}
