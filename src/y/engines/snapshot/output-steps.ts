/** What a program prints, describes and draws. */
import { assert } from '../../../base/index.ts';
import type { Description, Instruction, OutputValue } from '../../ir/program.ts';
import { buildChart, describeEnum, drawHistogram, formatText, toHistogramRows, type PrintValue } from '../../output/index.ts';
import { emptyAggregate } from '../aggregate-layout.ts';
import type { Describer } from './describer.ts';
import { getInteger, type Frame } from './frame.ts';
import { NEXT, type Step } from './step.ts';
import { findLayout } from './storage-steps.ts';
import { compileAggregateTarget, compileTextSink, compileTextSource, kindOf, registerOf, type Unit } from './unit.ts';

type Of<Op extends Instruction['op']> = Extract<Instruction, { op: Op }>;

export function compilePrint(unit: Unit, { stream, format, values }: Of<'print'>): Step {
  const { program, environment } = unit.machine;
  const parsed = program.formats[format];
  assert(parsed !== undefined, `no format ${format}`);
  const sources = values.map((value) => compileValue(unit, value));
  return (frame) => {
    environment.output.write(
      stream,
      formatText(
        parsed,
        sources.map((source) => source(frame)),
      ),
    );
    return NEXT;
  };
}

function compileValue(unit: Unit, value: OutputValue): (frame: Frame) => PrintValue {
  switch (value.kind) {
    case 'integer': {
      const register = registerOf(unit, value.value);
      return (frame) => ({ kind: 'integer', value: getInteger(frame, register) });
    }
    case 'float': {
      const { register } = value;
      return (frame) => ({ kind: 'float', value: frame.num[register]! });
    }
    case 'text': {
      const text = compileTextSource(unit, value.text);
      return (frame) => ({ kind: 'text', bytes: text(frame) });
    }
    case 'described': {
      const text = compileDescription(unit, value.value, value.as);
      return (frame) => ({ kind: 'string', text: text(frame) });
    }
    case 'histogram': {
      const text = compileHistogram(unit, value);
      return (frame) => ({ kind: 'string', text: text(frame) });
    }
  }
}

function compileHistogram(unit: Unit, { from, scale }: Extract<OutputValue, { kind: 'histogram' }>): (frame: Frame) => string {
  const { storage } = unit.machine;
  const target = compileAggregateTarget(unit, from);
  const layout = findLayout(unit.machine, from);
  return (frame) => drawHistogram(toHistogramRows(layout, storage.loadAggregate(target(frame)) ?? emptyAggregate(layout), scale));
}

export function compileDescribe(unit: Unit, { to, from, as }: Of<'describe'>): Step {
  const text = compileDescription(unit, from, as);
  const write = compileTextSink(unit, to);
  return (frame) => {
    write(frame, Buffer.from(text(frame)));
    return NEXT;
  };
}

function compileDescription(unit: Unit, from: Of<'describe'>['from'], as: Description): (frame: Frame) => string {
  const { describe } = unit.machine.environment;
  const register = registerOf(unit, from);
  assert(!('register' in from) || kindOf(unit, from.register) === 'integer', 'a double has no description');
  return (frame) => describeInteger(describe, as, getInteger(frame, register));
}

/** What an integer means to a reader. */
export function describeInteger(describe: Describer, as: Description, value: bigint): string {
  switch (as.kind) {
    case 'symbol':
      return describe.symbol(BigInt.asUintN(64, value), as.space);
    case 'source':
      return describe.source(BigInt.asUintN(64, value));
    case 'stack':
      return describe
        .stack(BigInt.asUintN(64, value))
        .map(({ text }) => `${text}\n`)
        .join('');
    case 'enum':
      return describeEnum(as.type, value);
  }
}

export function compileChart(unit: Unit, instruction: Of<'chart'>): Step {
  const { environment } = unit.machine;
  const context = { ...unit.machine, describe: environment.describe };
  return () => {
    environment.output.chart(buildChart(context, instruction));
    return NEXT;
  };
}
