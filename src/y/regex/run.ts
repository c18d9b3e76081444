import type { CaptureProgram, RegexProgram } from '../ir/program.ts';

/**
 * Runs a compiled regular expression. Undefined when it does not match; otherwise where each group that the program reads is: group n
 * from entry 2n to entry 2n + 1 (exclusive), both -1 when it took no part. Empty when the program reads no group.
 */
export function runRegex(program: RegexProgram, subject: Uint8Array): Int32Array | undefined {
  if (program.capturing !== undefined) return runCapturing(program.capturing, 2 * program.captures, subject);
  return isMatch(program, subject) ? new Int32Array() : undefined;
}

function isMatch({ next, classes, classOf, accepting, acceptingAtEnd }: RegexProgram, subject: Uint8Array): boolean {
  let state = 1;
  for (const byte of subject) {
    if (state === 0) return false;
    if (accepting[state] === 1) return true;
    state = next[state * classes + (classOf[byte] as number)] as number;
  }
  return accepting[state] === 1 || acceptingAtEnd[state] === 1;
}

function runCapturing(program: CaptureProgram, results: number, subject: Uint8Array): Int32Array | undefined {
  const { next, classes, classOf, actionOf, actionAtEnd } = program;
  const registers = new Int32Array(program.registers).fill(-1);
  let state = 1;
  for (let at = 0; at < subject.length && state !== 0; at++) {
    const entry = state * classes + (classOf[subject[at] as number] as number);
    act(program, actionOf[entry] as number, registers, at);
    state = next[entry] as number;
  }
  if (state !== 0) act(program, actionAtEnd[state] as number, registers, subject.length);
  return registers[1] === -1 ? undefined : registers.slice(0, results);
}

function act({ actions, actionStart }: CaptureProgram, list: number, registers: Int32Array, position: number): void {
  const end = actionStart[list + 1] as number;
  for (let at = actionStart[list] as number; at < end; at += 2) {
    const from = actions[at + 1] as number;
    registers[actions[at] as number] = from === 254 ? position : from === 255 ? -1 : (registers[from] as number);
  }
}
