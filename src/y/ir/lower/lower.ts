/**
 * The typed tree to the intermediate form: reads become instructions, conditions become branches, texts get places.
 * Nothing is asked and nothing can fail: what the checker let through has a form here.
 */
import type { Local, TypedFunction, TypedProgram, YType } from '../../check/index.ts';
import type { IrFunction, Program } from '../program.ts';
import { FunctionBuilder, Tables } from './builder.ts';
import { type Context, type Home, type Rules, parameterOrder } from './context.ts';
import { effectRule, emptyResult } from './effects.ts';
import { floatRule } from './floats.ts';
import { numberRule } from './numbers.ts';
import { lowerStatements } from './statements.ts';
import { textRule } from './texts.ts';

const RULES: Rules = { number: numberRule, float: floatRule, text: textRule, effect: effectRule };

export function lower(program: TypedProgram): Program {
  const tables = new Tables();
  const functions = program.functions.map((fn) => lowerFunction(program, fn, tables));
  return {
    file: program.file,
    options: program.options,
    globals: program.globals,
    arrays: program.arrays,
    literals: tables.literals,
    formats: tables.formats,
    regexes: program.regexes,
    functions,
    probes: program.probes,
    header: program.header,
    sources: program.sources,
  };
}

function lowerFunction(program: TypedProgram, fn: TypedFunction, tables: Tables): IrFunction {
  const b = new FunctionBuilder();
  const homes: Home[] = [];
  const order = parameterOrder(fn);
  for (const index of order) homes[index] = makeHome(b, fn.locals[index]!);
  fn.locals.forEach((local, index) => (homes[index] ??= makeHome(b, local)));
  const context: Context = { rules: RULES, program, fn, b, tables, homes, loops: [], labels: new Map() };
  lowerStatements(context, fn.body);
  b.end({ op: 'return', value: emptyResult(context) });
  return b.finish(fn.name, fn.place, {
    parameters: order.map((index) => kindOf(fn.locals[index]!.type)),
    result: fn.result.kind === 'void' || fn.result.kind === 'error' ? 'none' : kindOf(fn.result),
    iterators: fn.iterators,
  });
}

function kindOf(type: YType): 'integer' | 'float' | 'text' {
  return type.kind === 'float' || type.kind === 'text' ? type.kind : 'integer';
}

function makeHome(b: FunctionBuilder, { type }: Local): Home {
  if (type.kind === 'text') return { kind: 'text', text: b.text(type.capacity) };
  if (type.kind === 'struct') return { kind: 'object', object: b.object(type.type.size) };
  return type.kind === 'float' ? { kind: 'float', register: b.float() } : { kind: 'integer', register: b.integer() };
}
