/** Where control goes: the ends of blocks, and calls. */
import type { Instruction, TextPlace, KeyArgument, Terminator } from '../../ir/program.ts';
import { copyOf } from './bytes.ts';
import type { Frame } from './frame.ts';
import { HitEnded, LEAVE, NEXT, type Step } from './step.ts';
import { compileTextSink, compileTextSource, registerOf, type Callable, type Unit } from './unit.ts';

type Call = Extract<Instruction, { op: 'call' }>;
/** Moves a value between the frames of caller and callee. */
type Pass = (caller: Frame, callee: Frame) => void;

export function compileCall(unit: Unit, call: Call): Step {
  const { machine } = unit;
  const { parameters } = machine.program.functions[call.function]!;
  let texts = 0;
  const passes = call.arguments.map((argument, index) => {
    if (parameters[index] === 'text') return compilePassText(unit, argument, texts++);
    return compilePassNumber(unit, argument, index);
  });
  const take = call.to === undefined ? undefined : compileTake(unit, call.to);
  return (frame) => {
    const callable = machine.callable(call.function);
    const callee = callable.acquire();
    for (const pass of passes) pass(frame, callee);
    const next = run(callable, callee, call.onFail);
    if (next === NEXT) take?.(frame, callee);
    callable.release(callee);
    return next;
  };
}

/** Runs the callee to its end; where it failed and there is a handler, control goes on there. */
function run(callable: Callable, callee: Frame, onFail: number | undefined): number {
  if (onFail === undefined) {
    callable.run(callee);
    return NEXT;
  }
  try {
    callable.run(callee);
    return NEXT;
  } catch (error) {
    if (error instanceof HitEnded && error.caught) return onFail;
    throw error;
  }
}

function compilePassText(unit: Unit, argument: KeyArgument, local: number): Pass {
  if (!('text' in argument)) throw new Error('Bug: a text parameter got a number');
  const text = compileTextSource(unit, argument.text);
  return (caller, callee) => callee.texts[local]!.set(text(caller));
}

function compilePassNumber(unit: Unit, argument: KeyArgument, to: number): Pass {
  if ('text' in argument) throw new Error('Bug: a number parameter got a text');
  const from = registerOf(unit, argument);
  return (caller, callee) => {
    callee.num[to] = caller.num[from]!;
    callee.big[to] = caller.big[from]!;
  };
}

function compileTake(unit: Unit, to: number | TextPlace): Pass {
  if (typeof to === 'number') {
    return (caller, callee) => {
      caller.num[to] = callee.resultNum;
      caller.big[to] = callee.resultBig;
    };
  }
  const write = compileTextSink(unit, to);
  return (caller, callee) => write(caller, callee.resultText);
}

/** Terminators: each answers the next block, or `LEAVE`. */
export function compileTerminator(unit: Unit, end: Exclude<Terminator, { op: 'fail' }>): Step {
  switch (end.op) {
    case 'jump':
      return () => end.to;
    case 'branch': {
      const condition = registerOf(unit, end.condition);
      const { then, else: otherwise } = end;
      // NaN stands for a large integer, which is not 0 either.
      return (frame) => (frame.num[condition] === 0 ? otherwise : then);
    }
    case 'return':
      return compileReturn(unit, end);
    case 'next': {
      const { iterator, body, done } = end;
      return (frame) => {
        const target = frame.iterators[iterator]!;
        target.at += 1;
        return target.at < target.entries.length ? body : done;
      };
    }
  }
}

function compileReturn(unit: Unit, { value }: Extract<Terminator, { op: 'return' }>): Step {
  if (value === undefined) return () => LEAVE;
  if ('text' in value) {
    const text = compileTextSource(unit, value.text);
    return (frame) => {
      frame.resultText = copyOf(text(frame));
      return LEAVE;
    };
  }
  const from = registerOf(unit, value);
  return (frame) => {
    frame.resultNum = frame.num[from]!;
    frame.resultBig = frame.big[from]!;
    return LEAVE;
  };
}
