/**
 * Regular expressions: the automaton's tables in a map, one callback a byte. `RegexProgram` says what the tables mean. The state of a match
 * is in the frame: were it on the stack, the verifier would follow every one of its values.
 */
import { assert } from '../../../base/index.ts';
import type { MapSpec } from '../../../bpf/index.ts';
import type { CaptureProgram, Instruction, RegexProgram } from '../../ir/program.ts';
import { TEXT_HEADER_BYTES } from './ebpf-program.ts';
import { emitCopy, emitNear, emitSlice, emitZero } from './emit-text.ts';
import { textEnd, type Emitter, type TextAt } from './emitter.ts';
import { roundUp } from './storage-plan.ts';
import type { ProgramContext } from './program-context.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

/** Offsets in the frame's part for matches. */
const MATCH = { state: 0, result: 8, registers: 16 } as const;
const REGISTERS = 64;
/** Bytes of the frame that a match takes. */
export const MATCH_BYTES = MATCH.registers + 8 * REGISTERS;

interface Tables {
  readonly bytes: Uint8Array;
  readonly offsets: readonly number[];
}

/** Tables one behind another, each aligned to 8 bytes. */
function join(tables: readonly ArrayBufferView[]): Tables {
  const offsets: number[] = [];
  let next = 0;
  for (const table of tables) {
    offsets.push(next);
    next += roundUp(table.byteLength, 8);
  }
  const bytes = new Uint8Array(Math.max(next, 8));
  for (const [index, table] of tables.entries())
    bytes.set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength), offsets[index]);
  return { bytes, offsets };
}

function plainTables({ classOf, next, accepting, acceptingAtEnd }: RegexProgram): Tables {
  return join([classOf, next, accepting, acceptingAtEnd]);
}

function captureTables({ classOf, next, actionOf, actionAtEnd, actionStart, actions }: CaptureProgram): Tables {
  return join([classOf, next, actionOf, actionAtEnd, actionStart, actions]);
}

function tableMap(name: string, { bytes }: Tables): MapSpec {
  const entries = [{ key: new Uint8Array(4), value: bytes }];
  return { name, type: 'array', keyBytes: 4, valueBytes: bytes.length, maxEntries: 1, entries };
}

export function emitMatch(e: Emitter, instruction: Of<'match'>): void {
  const { regex, to, groups } = instruction;
  const program = e.program.regexes[regex];
  assert(program !== undefined, `no regular expression ${regex}`);
  if (!e.unit.options.features.loop && e.mode !== 'inline')
    e.diagnose(
      'old-kernel',
      'this kernel cannot match a regular expression in a loop or a function (bpf_loop, Linux 5.17)',
      instruction.at,
      'match in the body of the probe itself, before the loop',
    );
  const wanted = groups.some((group) => group !== undefined);
  const subject = emitSubject(e, instruction);
  if (wanted && program.capturing !== undefined) return emitCapturing(e, instruction, program.capturing, subject);
  if (program.accepting[1] === 1) {
    e.a.moveImm(0, 1);
    e.store(to, 0);
    return;
  }
  emitPlain(e, instruction, program, subject);
}

/** Where it stays while groups are written. */
function emitSubject(e: Emitter, { subject, groups }: Of<'match'>): TextAt {
  const near = emitNear(e, subject, 0);
  const written = groups.some(
    (group) => group !== undefined && !('literal' in subject) && JSON.stringify(group) === JSON.stringify(subject),
  );
  if (!written) return near;
  const copy = e.unit.scratchText(near.capacity, 0);
  emitCopy(e, copy, near);
  return copy;
}

function emitPlain(e: Emitter, { regex, to }: Of<'match'>, program: RegexProgram, subject: TextAt): void {
  const { a, unit } = e;
  const { states, classes } = program;
  const map = `regex_${regex}`;
  const tables = plainTables(program);
  const [, next, accepting, acceptingAtEnd] = tables.offsets as readonly [number, number, number, number];
  unit.addMap(tableMap(map, tables));
  const { state, result } = matchOffsets(unit);
  e.storeFrameImm(state, 1, 1);
  e.storeFrameImm(result, 0, 1);
  const callback = unit.addCallback('match', (stop) => {
    emitClass(e, subject, map, stop);
    // r4 = class, r5 = state.
    a.aluImm('mul', 5, classes)
      .alu('add', 5, 4)
      .jumpIfImm('ge', 5, states * classes, stop)
      .aluImm('lsh', 5, 1);
    a.loadMapValue(0, map, next).alu('add', 0, 5).load(2, 0, 0);
    emitNextState(unit, states, stop);
    a.loadMapValue(4, map, accepting).alu('add', 4, 0).load(1, 4, 4).store(8, 9, result, 4).jumpIfImm('ne', 4, 0, stop);
    a.jumpIfImm('eq', 0, 0, stop);
  });
  unit.emitLoop(subject.capacity + 1, callback);
  const done = a.newLabel('done');
  e.loadFrame(0, result);
  a.jumpIfImm('ne', 0, 0, done);
  e.loadFrame(1, state);
  a.jumpIfImm('ge', 1, states, done).loadMapValue(0, map, acceptingAtEnd).alu('add', 0, 1).load(1, 0, 0).label(done);
  e.store(to, 0);
}

/** Of a callback: r1 = index of the byte. r4 = its class, r5 = the state; jumps to `stop` behind the last byte. r3 = index. */
function emitClass(e: Emitter, subject: TextAt, map: string, stop: string): void {
  const { a } = e;
  a.move(3, 1);
  const base = e.base(subject.place, 8, 2);
  a.load(8, 4, base.register, base.offset).jumpIf('ge', 3, 4, stop).jumpIfImm('ge', 3, Math.max(subject.capacity, 1), stop);
  e.address(2, subject.place, TEXT_HEADER_BYTES);
  a.alu('add', 2, 3).load(1, 2, 2).loadMapValue(4, map, 0).alu('add', 4, 2).load(1, 4, 4);
  a.load(8, 5, 9, matchOffsets(e.unit).state);
}

/** r0 = the next state, which is kept. */
function emitNextState(unit: ProgramContext, states: number, stop: string): void {
  unit.assembler.jumpIfImm('ge', 0, states, stop).store(8, 9, matchOffsets(unit).state, 0);
}

function matchOffsets(unit: ProgramContext): { readonly state: number; readonly result: number; readonly registers: number } {
  const start = unit.matchOffset;
  return { state: start + MATCH.state, result: start + MATCH.result, registers: start + MATCH.registers };
}

function emitCapturing(e: Emitter, { regex, to, groups }: Of<'match'>, program: CaptureProgram, subject: TextAt): void {
  const { a, unit } = e;
  const { states, classes } = program;
  const map = `groups_${regex}`;
  const tables = captureTables(program);
  const [, next, actionOf, actionAtEnd] = tables.offsets as readonly [number, number, number, number];
  unit.addMap(tableMap(map, tables));
  const { state, registers } = matchOffsets(unit);
  e.storeFrameImm(state, 1, 1);
  for (let register = 0; register < program.registers; register++) e.storeFrameImm(registers + 8 * register, -1, 1);
  const runList = addListRunner(unit, map, program, tables);
  const callback = unit.addCallback('match', (stop) => {
    emitClass(e, subject, map, stop);
    a.aluImm('mul', 5, classes)
      .alu('add', 5, 4)
      .jumpIfImm('ge', 5, states * classes, stop)
      .aluImm('lsh', 5, 1);
    a.move(7, 5).loadMapValue(2, map, actionOf).alu('add', 2, 5).load(2, 2, 2).move(1, 9).callFunction(runList);
    a.loadMapValue(0, map, next).alu('add', 0, 7).load(2, 0, 0);
    emitNextState(unit, states, stop);
    a.jumpIfImm('eq', 0, 0, stop);
  });
  unit.emitLoop(subject.capacity + 1, callback);
  const [ended, none, done] = [a.newLabel('ended'), a.newLabel('none'), a.newLabel('done')];
  e.loadFrame(2, state);
  a.jumpIfImm('eq', 2, 0, ended);
  a.jumpIfImm('ge', 2, states, ended).aluImm('lsh', 2, 1).loadMapValue(1, map, actionAtEnd).alu('add', 1, 2).load(2, 2, 1);
  const base = e.base(subject.place, 8, 3);
  a.load(8, 3, base.register, base.offset).move(1, 9).callFunction(runList).label(ended);
  e.loadFrame(0, registers + 8);
  a.jumpIfImm('eq', 0, -1, none);
  for (const [group, place] of groups.entries()) if (place !== undefined) emitGroup(e, place, registers + 16 * group, subject);
  a.moveImm(0, 1).jump(done).label(none).moveImm(0, 0).label(done);
  e.store(to, 0);
}

function emitGroup(e: Emitter, to: NonNullable<Of<'match'>['groups'][number]>, registers: number, subject: TextAt): void {
  const { a } = e;
  const [absent, done] = [a.newLabel('absent'), a.newLabel('done')];
  e.loadFrame(5, registers);
  e.loadFrame(1, registers + 8);
  a.jumpIfImm('eq', 1, -1, absent).alu('sub', 1, 5);
  emitSlice(e, to, subject);
  a.jump(done).label(absent);
  const text = e.writableText(to);
  emitZero(e, text.place, 0, textEnd(text.capacity));
  a.label(done);
}

/** A function (frame, list, position) that runs a list of actions. */
function addListRunner(unit: ProgramContext, map: string, program: CaptureProgram, tables: Tables): string {
  return unit.addFunction(map, ['frame', 'list', 'position'], () => {
    const a = unit.assembler;
    const [, , , , starts, actions] = tables.offsets as readonly [number, number, number, number, number, number];
    const { registers } = matchOffsets(unit);
    const end = a.newLabel('end');
    a.move(9, 1)
      .move(8, 3)
      .jumpIfImm('ge', 2, program.actionStart.length - 1, end);
    a.aluImm('lsh', 2, 2).loadMapValue(1, map, starts).alu('add', 1, 2).load(4, 6, 1).load(4, 7, 1, 4);
    for (let pair = 0; pair < program.longestAction; pair++) {
      const have = a.newLabel('have');
      a.jumpIf('ge', 6, 7, end).jumpIfImm('gt', 6, program.actions.length - 2, end);
      a.loadMapValue(1, map, actions).alu('add', 1, 6).load(1, 2, 1).load(1, 3, 1, 1).aluImm('add', 6, 2);
      a.move(4, 8).jumpIfImm('eq', 3, 254, have).moveImm(4, -1).jumpIfImm('eq', 3, 255, have);
      a.aluImm('and', 3, REGISTERS - 1)
        .aluImm('lsh', 3, 3)
        .move(5, 9)
        .alu('add', 5, 3)
        .load(8, 4, 5, registers);
      a.label(have)
        .aluImm('and', 2, REGISTERS - 1)
        .aluImm('lsh', 2, 3)
        .move(5, 9)
        .alu('add', 5, 2)
        .store(8, 5, registers, 4);
    }
    a.label(end).moveImm(0, 0).exit();
  });
}
