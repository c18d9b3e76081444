/** Regular expressions: the program's automata over a text's bytes. */
import { assert } from '../../../base/index.ts';
import type { Instruction } from '../../ir/program.ts';
import { runRegex } from '../../regex/index.ts';
import { copyOf } from './bytes.ts';
import { NEXT, type Step } from './step.ts';
import { compileTextSink, compileTextSource, type Unit } from './unit.ts';

type Match = Extract<Instruction, { op: 'match' }>;

/** Groups are written only when it matches; one that took no part becomes the empty text. */
export function compileMatch(unit: Unit, { to, regex, subject, groups }: Match): Step {
  const program = unit.machine.program.regexes[regex];
  assert(program !== undefined, `no regular expression ${regex}`);
  const text = compileTextSource(unit, subject);
  const sinks = groups.map((place) => (place === undefined ? undefined : compileTextSink(unit, place)));
  const wanted = sinks.findLastIndex((sink) => sink !== undefined) + 1;
  assert(wanted <= program.captures, `${program.source} finds ${program.captures} groups, and ${wanted} are wanted`);
  return (frame) => {
    const bytes = text(frame);
    const positions = runRegex(program, bytes);
    frame.num[to] = positions === undefined ? 0 : 1;
    if (positions === undefined || wanted === 0) return NEXT;
    // A group may be written over the subject.
    const subject = copyOf(bytes);
    for (const [group, sink] of sinks.entries()) {
      const end = positions[2 * group + 1]!;
      sink?.(frame, end < 0 ? subject.subarray(0, 0) : subject.subarray(positions[2 * group], end));
    }
    return NEXT;
  };
}
