/** Regular expressions: the automata of the program, run over a text's bytes in one pass. `ir/program.ts` says how they work. */
import { assert } from '../../../base/index.ts';
import type { CaptureProgram, Instruction, RegexProgram } from '../../ir/program.ts';
import { copyOf } from './bytes.ts';
import { NEXT, type Step } from './step.ts';
import { compileTextSink, compileTextSource, type Unit } from './unit.ts';

type Match = Extract<Instruction, { op: 'match' }>;

const POSITION = 254;
const NOWHERE = 255;

/** Groups are written only when it matches; one that took no part becomes the empty text. */
export function compileMatch(unit: Unit, { to, regex, subject, groups }: Match): Step {
  const program = unit.machine.program.regexes[regex];
  assert(program !== undefined, `no regular expression ${regex}`);
  const text = compileTextSource(unit, subject);
  const sinks = groups.map((place) => (place === undefined ? undefined : compileTextSink(unit, place)));
  if (sinks.every((sink) => sink === undefined)) {
    return (frame) => {
      frame.num[to] = isMatch(program, text(frame)) ? 1 : 0;
      return NEXT;
    };
  }
  const { capturing } = program;
  assert(capturing !== undefined, `the regular expression ${program.source} has no automaton for groups`);
  return (frame) => {
    // A group may be written over the subject.
    const bytes = copyOf(text(frame));
    const positions = findMatch(capturing, bytes);
    frame.num[to] = positions === undefined ? 0 : 1;
    if (positions === undefined) return NEXT;
    for (const [group, sink] of sinks.entries()) {
      const end = positions[2 * group + 1]!;
      sink?.(frame, end < 0 ? bytes.subarray(0, 0) : bytes.subarray(positions[2 * group], end));
    }
    return NEXT;
  };
}

function isMatch({ classes, classOf, next, accepting, acceptingAtEnd }: RegexProgram, bytes: Uint8Array): boolean {
  let state = 1;
  for (let at = 0; accepting[state] !== 1; at++) {
    if (state === 0) return false;
    if (at === bytes.length) return acceptingAtEnd[state] === 1;
    state = next[state * classes + classOf[bytes[at]!]!]!;
  }
  return true;
}

/** Begin and end of each group, -1 for none; undefined without a match. */
function findMatch(program: CaptureProgram, bytes: Uint8Array): Int32Array | undefined {
  const { classes, classOf, next, actionOf, actionAtEnd } = program;
  const registers = new Int32Array(program.registers).fill(-1);
  let state = 1;
  for (let at = 0; at < bytes.length && state !== 0; at++) {
    const transition = state * classes + classOf[bytes[at]!]!;
    act(program, actionOf[transition]!, registers, at);
    state = next[transition]!;
  }
  if (state !== 0) act(program, actionAtEnd[state]!, registers, bytes.length);
  return registers[1] === -1 ? undefined : registers;
}

function act({ actions, actionStart }: CaptureProgram, list: number, registers: Int32Array, position: number): void {
  const end = actionStart[list + 1]!;
  for (let at = actionStart[list]!; at < end; at += 2) {
    const from = actions[at + 1]!;
    registers[actions[at]!] = from === POSITION ? position : from === NOWHERE ? -1 : registers[from]!;
  }
}
