/** Probes: their bodies, with the parameters of what they are called for as locals. */
import { type CType, spell, strip } from '../../ctypes/index.ts';
import type { ParameterNode, PointNode, ProbeDeclaration, Span } from '../syntax/index.ts';

import { convertRaw } from './builtins.ts';
import { FLOAT_HINT, type Passed, passParameters, passResult } from './calling-convention.ts';
import { toCondition, toY } from './convert.ts';
import { remote, whole } from './places.ts';
import { type Target, findTargets } from './probe-sites.ts';
import { resolveType, variableType } from './resolve-type.ts';
import {
  type CheckState,
  type HitArguments,
  type Name,
  checkBlock,
  checkExpression,
  declareName,
  inScope,
  newFunctionState,
  newLocal,
  place,
  report,
} from './state.ts';
import type { Expression, Statement, Word } from './typed.ts';
import { INT, UNSIGNED_LONG, VOID } from './ytype.ts';

export function checkProbe(c: CheckState, probe: ProbeDeclaration): void {
  for (const point of probe.points) {
    for (const target of findTargets(c, probe, point)) makeProbe(c, probe, point, target);
  }
}

function makeProbe(c: CheckState, probe: ProbeDeclaration, point: PointNode, target: Target): void {
  const index = c.functions.push(undefined) - 1;
  c.needs.push({ needs: [], calls: new Set() });
  const fn = newFunctionState('', { tracepoint: target.tracepoint, hit: hitArguments(c, target), space: target.space });
  c.fn = fn;
  const body = inScope(c, () => {
    const parameters = target.passing === 'result' ? bindResult(c, target) : bindParameters(c, target);
    const condition = probe.condition && toCondition(c, checkExpression(c, probe.condition), probe.condition.span);
    return [...parameters, ...guard(condition), ...checkBlock(c, probe.body)];
  });
  c.fn = undefined;
  c.needs[index] = { needs: fn.needs, calls: fn.calls };
  c.functions[index] = {
    name: point.text,
    result: VOID,
    locals: fn.locals,
    parameters: 0,
    iterators: fn.iterators,
    body,
    place: place(point.span),
  };
  c.probes.push({
    point: target.point,
    body: index,
    where: target.where,
    global: probe.global,
    place: place(point.span),
    text: point.text,
  });
  c.probeSpans.push(point.span);
}

function guard(condition: Expression | undefined): Statement[] {
  if (condition === undefined || condition.type.kind === 'error') return [];
  const { at } = condition;
  const not: Expression = { kind: 'not', operand: condition, type: INT, at };
  return [{ kind: 'if', condition: not, yes: [{ kind: 'return', value: undefined, at }], no: [], at }];
}

/** Types of the parameters as the script or the debug information gives them; undefined where neither does. */
function parameterTypes(c: CheckState, target: Target): (CType | undefined)[] {
  const known = target.type?.parameters ?? [];
  const count = Math.max(known.length, target.parameters?.length ?? 0);
  return Array.from({ length: count }, (_, index) => {
    const node = target.parameters?.[index]?.type;
    if (node === undefined) return known[index]?.type;
    const resolved = resolveType(c, node, target.space);
    if (resolved.kind === 'c') return strip(resolved.type).kind === 'array' ? undefined : resolved.type;
    if (resolved.kind !== 'error')
      report(c, 'bad-parameter', node.span, 'a parameter of the target has a C type', 'take a `char *`, and read it with `_ustr`');
    return undefined;
  });
}

const WORD: CType = UNSIGNED_LONG.type;

function passing(c: CheckState, target: Target, types: readonly (CType | undefined)[]): (Passed | undefined)[] {
  if (target.passing === 'words') return types.map((_, index) => ({ kind: 'word', index }));
  return passParameters(
    c.knowledge.architecture,
    types.map((type) => type ?? WORD),
  );
}

function hitArguments(c: CheckState, target: Target): HitArguments | undefined {
  if (target.where === 'host') return undefined;
  const { type, space } = target;
  if (target.passing === 'result') return { kind: 'return', argument: () => undefined, result: type?.result, space };
  const { kind } = target.point;
  if (kind === 'instruction' || kind === 'profile' || kind === 'pmu' || kind === 'life') {
    return { kind: 'other', argument: (index) => ({ index, type: undefined }), result: undefined, space };
  }
  if (target.passing === 'none') return { kind: 'other', argument: () => undefined, result: undefined, space };
  const types = (type?.parameters ?? []).map((parameter) => parameter.type);
  const passed = passing(c, target, types);
  const argument = (index: number) => {
    if (index >= types.length) return type === undefined || type.variadic ? { index: index + extra(passed), type: undefined } : undefined;
    const where = passed[index];
    return { index: where?.kind === 'word' ? where.index : undefined, type: types[index] };
  };
  return { kind: 'entry', argument, result: undefined, space };
}

/** How many more words than parameters there are before the unknown ones. */
function extra(passed: readonly (Passed | undefined)[]): number {
  return passed.reduce((sum, one) => sum + (one?.kind === 'pieces' ? one.pieces.length - 1 : one?.kind === 'float' ? -1 : 0), 0);
}

function bindParameters(c: CheckState, target: Target): Statement[] {
  const types = parameterTypes(c, target);
  const passed = passing(c, target, types);
  const known = target.type?.parameters ?? [];
  const given = target.parameters;
  if (
    given !== undefined &&
    target.type !== undefined &&
    given.length > known.length &&
    !target.type.variadic &&
    target.passing === 'function'
  ) {
    report(
      c,
      'argument-count',
      given[known.length]!.span,
      `it has ${known.length} ${known.length === 1 ? 'parameter' : 'parameters'} by debug information, and this is number ${known.length + 1}`,
    );
  }
  const nodes = given ?? [];
  if (given === undefined) return known.flatMap((one, index) => implicit(c, target, one.name, types[index], passed[index]));
  return nodes.flatMap((node, index) => {
    if (node.name === undefined) return [];
    const type = types[index];
    if (type === undefined) {
      const missing = target.type !== undefined && index >= known.length && node.type === undefined;
      if (missing) report(c, 'no-type', node.span, `the type of \`${node.name.text}\` is not known`, `write \`long ${node.name.text}\``);
      declareName(c, node.name.text, node.name.span, { kind: 'broken' });
      return [];
    }
    return bind(c, node.name.text, node.name.span, pointerSpace(c, node, type, target), passed[index]);
  });
}

/** Without parentheses the parameters have the names of the debug information, where the script has no such name itself. */
function implicit(
  c: CheckState,
  target: Target,
  name: string | undefined,
  type: CType | undefined,
  passed: Passed | undefined,
): Statement[] {
  if (name === undefined || type === undefined || c.top.names.has(name) || c.scope.names.has(name)) return [];
  const span: Span = { file: '', start: 0, end: 0, line: 0, column: 0 };
  return bind(c, name, span, { type, space: target.space }, passed);
}

interface Bound {
  readonly type: CType;
  readonly space: 'user' | 'kernel';
}

function pointerSpace(c: CheckState, node: ParameterNode, type: CType, target: Target): Bound {
  if (node.type === undefined || target.space === 'kernel') return { type, space: target.space };
  const resolved = resolveType(c, node.type, target.space);
  if (resolved.kind === 'c' && resolved.space === 'kernel') {
    report(
      c,
      'space-mix',
      node.span,
      `\`${spell(type)}\` is a type of the kernel, and parameters of the target point into the target's memory`,
      'declare the type in the script, or name one of the target',
    );
  }
  return { type, space: target.space };
}

function bind(c: CheckState, name: string, span: Span, { type, space }: Bound, passed: Passed | undefined): Statement[] {
  const at = place(span);
  const unusable = (message: string, hint: string): Statement[] => {
    declareName(c, name, span, { kind: 'unusable', message, hint });
    return [];
  };
  if (passed?.kind === 'float')
    return unusable(`\`${name}\` of type \`${spell(type)}\` is passed in a floating-point register`, FLOAT_HINT);
  if (passed === undefined)
    return unusable(`\`${name}\` of type \`${spell(type)}\` is too large to be taken from the stack`, 'read its fields from `_reg("sp")`');
  const argument = (index: number): Expression => ({ kind: 'argument', index, type: UNSIGNED_LONG, at });
  if (passed.kind === 'address') {
    const pointer: Expression = { ...argument(passed.index), type: { kind: 'pointer', space, target: type } };
    return bindPlace(c, name, span, remote(c, whole(pointer, space), type, span));
  }
  const bare = strip(type);
  if (passed.kind === 'pieces') {
    if (bare.kind !== 'record')
      return unusable(`\`${name}\` of type \`${spell(type)}\` cannot be computed with`, 'read its halves with `_arg`');
    const words = passed.pieces.flatMap((piece) => split(piece.offset, piece.size, argument(piece.index)));
    return bindRecord(c, name, span, { type, space }, words);
  }
  if (bare.kind === 'pointer' && bare.form !== 'pointer') {
    const pointer: Expression = { ...argument(passed.index), type: { kind: 'pointer', space, target: bare.target } };
    return bindPlace(c, name, span, remote(c, whole(pointer, space), bare.target, span));
  }
  if (bare.kind === 'record') return bindRecord(c, name, span, { type, space }, split(0, bare.size, argument(passed.index)));
  return bindScalar(c, name, span, { type, space }, argument(passed.index));
}

function bindScalar(c: CheckState, name: string, span: Span, { type, space }: Bound, raw: Expression): Statement[] {
  const y = toY(type, space);
  if (y.kind !== 'integer' && y.kind !== 'pointer') {
    declareName(c, name, span, {
      kind: 'unusable',
      message: `\`${name}\` of type \`${spell(type)}\` cannot be computed with`,
      hint: 'give it another type',
    });
    return [];
  }
  const local = newLocal(c, name, y);
  declareName(c, name, span, { kind: 'local', local, type: y });
  return [{ kind: 'declare', local, initial: convertRaw(raw, y), at: raw.at }];
}

function bindPlace(c: CheckState, name: string, span: Span, value: Expression): Statement[] {
  const meaning: Name = value.kind === 'load' ? { kind: 'place', place: value.place, type: value.type } : { kind: 'broken' };
  declareName(c, name, span, meaning);
  return [];
}

function bindRecord(c: CheckState, name: string, span: Span, { type, space }: Bound, words: readonly Word[]): Statement[] {
  const y = variableType(c, { kind: 'c', type, space: undefined }, space, span);
  if (y.kind === 'error') return [];
  const local = newLocal(c, name, y);
  declareName(c, name, span, { kind: 'local', local, type: y });
  return [
    { kind: 'declare', local, initial: undefined, at: place(span) },
    { kind: 'words', local, words, at: place(span) },
  ];
}

/** A register's bytes as stores of 8, 4, 2 and 1 bytes. */
function split(offset: number, size: number, from: Expression): Word[] {
  const words: Word[] = [];
  let done = 0;
  for (const part of [8, 4, 2, 1] as const) {
    for (; size - done >= part; done += part) words.push({ offset: offset + done, size: part, shift: done, from });
  }
  return words;
}

// ---------------------------------------------------------------- returns

function bindResult(c: CheckState, target: Target): Statement[] {
  const node = target.result;
  if (node?.name === undefined) return [];
  const { text, span } = node.name;
  const resolved = node.type === undefined ? undefined : resolveType(c, node.type, target.space);
  const type = resolved === undefined ? target.type?.result : resolved.kind === 'c' ? resolved.type : undefined;
  if (type === undefined) {
    if (resolved === undefined && target.type === undefined && target.point.kind === 'syscall')
      report(c, 'no-type', node.span, `the type of \`${text}\` must be given`, `write \`-> long ${text}\``);
    declareName(c, text, span, { kind: 'broken' });
    return [];
  }
  if (strip(type).kind === 'void') {
    report(c, 'no-return-value', node.span, 'it returns nothing by debug information', `write \`() -> void\`, or give \`${text}\` a type`);
    declareName(c, text, span, { kind: 'broken' });
    return [];
  }
  return bindReturned(c, text, span, { type, space: target.space });
}

function bindReturned(c: CheckState, name: string, span: Span, bound: Bound): Statement[] {
  const at = place(span);
  const { type, space } = bound;
  const raw: Expression = { kind: 'return-value', type: UNSIGNED_LONG, at };
  const returned = passResult(c.knowledge.architecture, type);
  const bare = strip(type);
  switch (returned.kind) {
    case 'float':
      declareName(c, name, span, {
        kind: 'unusable',
        message: `\`${name}\` of type \`${spell(type)}\` is returned in a floating-point register`,
        hint: FLOAT_HINT,
      });
      return [];
    case 'lost':
      declareName(c, name, span, {
        kind: 'unusable',
        message: `where \`${name}\` of type \`${spell(type)}\` was put is not known at the return`,
        hint: 'keep the address at the entry: `_reg("x8")`',
      });
      return [];
    case 'address':
      return bindPlace(c, name, span, remote(c, whole({ ...raw, type: { kind: 'pointer', space, target: type } }, space), type, span));
    case 'pieces': {
      const second: Expression = { kind: 'register', name: returned.second, type: UNSIGNED_LONG, at };
      const words = [...split(0, Math.min(8, returned.size), raw), ...(returned.size > 8 ? split(8, returned.size - 8, second) : [])];
      return bindRecord(c, name, span, bound, words);
    }
    case 'word':
      if (bare.kind === 'pointer' && bare.form !== 'pointer') {
        return bindPlace(
          c,
          name,
          span,
          remote(c, whole({ ...raw, type: { kind: 'pointer', space, target: bare.target } }, space), bare.target, span),
        );
      }
      return bindScalar(c, name, span, bound, raw);
  }
}
