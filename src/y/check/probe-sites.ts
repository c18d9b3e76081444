/** Probe points to places: which functions, lines, system calls and events a point as written means. */
import { type CType, type FunctionType, spell } from '../../ctypes/index.ts';
import { COUNTER_EVENTS } from '../counter-events.ts';
import type { ProbePoint } from '../ir/program.ts';
import type { FunctionSite, LineSite, Tracepoint, UsdtSite } from '../knowledge.ts';
import {
  nearest,
  type FunctionPattern,
  type Identifier,
  type Expression as Node,
  type ParameterNode,
  type PointNode,
  type ProbeDeclaration,
  type Span,
  type StringLiteral,
} from '../syntax/index.ts';

import { constantInteger } from './resolve-type.ts';
import { type CheckState, checkExpression, report, snippet } from './state.ts';

/** One body to make: a point, and what is known of what it is called with. */
export interface Target {
  readonly point: ProbePoint;
  readonly where: 'hit' | 'host';
  /** How the parameters are passed: `words` one after the other, as system calls and static probes have them. */
  readonly passing: 'none' | 'function' | 'words' | 'result';
  readonly type: FunctionType | undefined;
  readonly space: 'user' | 'kernel';
  readonly parameters: readonly ParameterNode[] | undefined;
  readonly result: ParameterNode | undefined;
  readonly tracepoint: Tracepoint | undefined;
}

const PLAIN = { passing: 'none', type: undefined, space: 'user', parameters: undefined, result: undefined, tracepoint: undefined } as const;

/** Everything that a point stands for; empty after a mistake, or when an optional point has no match. */
export function findTargets(c: CheckState, probe: ProbeDeclaration, point: PointNode): Target[] {
  const host = (made: ProbePoint): Target[] => [{ ...PLAIN, point: made, where: 'host' }];
  const hit = (made: ProbePoint): Target[] => [{ ...PLAIN, point: made, where: 'hit' }];
  switch (point.kind) {
    case 'begin':
    case 'end':
    case 'oneshot':
      return host({ kind: point.kind });
    case 'timer': {
      const periodNs = timerPeriod(c, point.amount, point.unit);
      return periodNs === undefined ? [] : host({ kind: 'timer', periodNs });
    }
    case 'profile': {
      const hz = positive(c, point.hz, 'a rate', 1, 10_000);
      return hz === undefined ? [] : hit({ kind: 'profile', hz });
    }
    case 'pmu': {
      const period = positive(c, point.period, 'a period', 1, Number.MAX_SAFE_INTEGER);
      if (!COUNTER_EVENTS.some((known) => known === point.event.text)) return unknownCounter(c, point.event);
      return period === undefined ? [] : hit({ kind: 'pmu', event: point.event.text, period });
    }
    case 'cpu':
      return hit({ kind: 'cpu', direction: point.direction });
    case 'life':
      return hit({ kind: 'life', event: point.event });
    case 'page-fault':
      return [{ ...PLAIN, point: { kind: 'page-fault' }, where: 'hit', passing: 'words', parameters: point.parameters }];
    case 'error-point':
      return [];
    default:
      return findCode(c, probe, point);
  }
}

function unknownCounter(c: CheckState, event: StringLiteral): [] {
  const guessed = nearest(event.text, COUNTER_EVENTS);
  const message = `there is no counter \`${event.text}\`${guessed === undefined ? '' : `; did you mean \`${guessed}\`?`}`;
  report(c, 'unknown-counter', event.span, message, `there are ${COUNTER_EVENTS.join(', ')}`);
  return [];
}

type CodePoint = Exclude<
  PointNode,
  { kind: 'begin' | 'end' | 'oneshot' | 'timer' | 'profile' | 'pmu' | 'cpu' | 'life' | 'page-fault' | 'error-point' }
>;

function findCode(c: CheckState, probe: ProbeDeclaration, point: CodePoint): Target[] {
  const none = (what: string, hint?: string) => missing(c, probe, point.span, what, hint);
  switch (point.kind) {
    case 'function-entry':
    case 'function-return':
      return findFunctionTargets(c, probe, point);
    case 'instruction': {
      const sites = findFunctions(c, probe, point.function, point.span).map((site) => shift(c, site, point.offset, point.span));
      const found = sites.filter((site) => site !== undefined);
      return found.length === 0 ? [] : [{ ...PLAIN, point: { kind: 'instruction', sites: found }, where: 'hit' }];
    }
    case 'address': {
      const address = constantInteger(c, point.address, 'an address');
      if (address === undefined) return [];
      const sites = c.knowledge.findAddress?.(address) ?? [];
      if (sites.length === 0) return none(`0x${address.toString(16)} is in no code of the target`);
      return [{ ...PLAIN, point: { kind: 'instruction', sites }, where: 'hit' }];
    }
    case 'line': {
      const sites: readonly LineSite[] = c.knowledge.findLine(point.file.text, point.line);
      if (sites.length === 0)
        return none(
          `no code of the target comes from line ${point.line} of \`${point.file.text}\``,
          'only a module with debug information has lines',
        );
      return [{ ...PLAIN, point: { kind: 'instruction', sites }, where: 'hit' }];
    }
    case 'usdt': {
      const sites = c.knowledge.findUsdt(point.provider.text, point.name.text);
      if (sites.length === 0) return none(`the target has no static probe \`${point.provider.text}:${point.name.text}\``);
      const made: ProbePoint = { kind: 'usdt', sites, name: `${point.provider.text}:${point.name.text}` };
      return [{ ...PLAIN, point: made, where: 'hit', passing: 'words', parameters: point.parameters, type: operandTypes(sites) }];
    }
    case 'syscall':
    case 'syscall-return':
      return findSyscallTargets(c, probe, point);
    case 'kfunc':
    case 'kfunc-return':
      return findKernelFunction(c, probe, point);
    case 'tracepoint': {
      const tracepoint = c.knowledge.findTracepoint(point.category.text, point.name.text);
      const shown = `${point.category.text}.${point.name.text}`;
      if (tracepoint === undefined) {
        const call = /^syscalls\.sys_(?:enter|exit)_(\w+)$/.exec(shown)?.[1];
        const hint = call === undefined ? undefined : `\`_syscall.${call}\` takes a system call also where tracefs cannot be read`;
        return none(`the kernel has no tracepoint \`${shown}\`${guess(c, shown, 'tracepoint')}`, hint);
      }
      return [{ ...PLAIN, point: { kind: 'tracepoint', tracepoint }, where: 'hit', space: 'kernel', tracepoint }];
    }
  }
}

function guess(c: CheckState, name: string, what: 'function' | 'tracepoint' | 'syscall'): string {
  const [near] = c.knowledge.similar(name, what);
  return near === undefined ? '' : `; did you mean \`${near}\`?`;
}

function missing(c: CheckState, probe: ProbeDeclaration, span: Span, message: string, hint = '`_probe?` makes it optional'): [] {
  if (!probe.optional) report(c, 'no-match', span, message, hint);
  return [];
}

function positive(c: CheckState, node: Node, what: string, low: number, high: number): number | undefined {
  const value = constantInteger(c, node, what);
  if (value === undefined) return undefined;
  if (value >= BigInt(low) && value <= BigInt(high)) return Number(value);
  report(c, 'out-of-range', node.span, `${what} of ${value}: it must be from ${low} to ${high}`);
  return undefined;
}

const UNITS = { s: 1_000_000_000, ms: 1_000_000, us: 1_000 } as const;
const LONGEST_NS = 86_400_000_000_000 * 365;

function timerPeriod(c: CheckState, node: Node, unit: 's' | 'ms' | 'us' | 'hz'): number | undefined {
  const value = checkExpression(c, node);
  if (value.type.kind === 'error') return undefined;
  const amount = value.kind === 'float' ? value.value : value.kind === 'integer' ? Number(value.value) : undefined;
  if (amount === undefined) {
    report(
      c,
      'not-constant',
      node.span,
      value.type.kind === 'integer' || value.type.kind === 'float'
        ? `the period of a timer must be a constant, and \`${snippet(c, node.span)}\` is known only when the program runs`
        : `the period of a timer must be a constant, and \`${snippet(c, node.span)}\` is no number`,
    );
    return undefined;
  }
  const periodNs = Math.round(unit === 'hz' ? 1e9 / amount : amount * UNITS[unit]);
  if (amount > 0 && periodNs >= 1000 && periodNs <= LONGEST_NS) return periodNs;
  report(c, 'out-of-range', node.span, `a timer of ${amount} ${unit}: periods are from 1 us to a year`);
  return undefined;
}

// ---------------------------------------------------------------- functions of the target

function findFunctions(c: CheckState, probe: ProbeDeclaration, pattern: FunctionPattern, span: Span): readonly FunctionSite[] {
  const sites = c.knowledge.findFunctions(pattern.name.text, pattern.scope?.text);
  if (sites.length > 0) return sites;
  const where = pattern.scope === undefined ? 'of the target' : `of \`${pattern.scope.text}\``;
  const shown = pattern.glob
    ? `no function ${where} matches \`${pattern.name.text}\``
    : `there is no function \`${pattern.name.text}\` ${pattern.scope === undefined ? 'in the target' : `in \`${pattern.scope.text}\``}`;
  return missing(c, probe, span, `${shown}${guess(c, pattern.name.text, 'function')}`);
}

function shift(c: CheckState, site: FunctionSite, offset: bigint, span: Span): FunctionSite | undefined {
  if (offset < 0n || (site.size > 0 && offset >= BigInt(site.size))) {
    report(c, 'out-of-range', span, `\`${site.name}\` has ${site.size} bytes, and +0x${offset.toString(16)} is outside`);
    return undefined;
  }
  return { ...site, address: site.address + offset, fileOffset: site.fileOffset + Number(offset) };
}

type FunctionPoint = Extract<PointNode, { kind: 'function-entry' | 'function-return' }>;

function findFunctionTargets(c: CheckState, probe: ProbeDeclaration, point: FunctionPoint): Target[] {
  const sites = findFunctions(c, probe, point.function, point.span);
  const exit = point.kind === 'function-return';
  const parameters = exit ? undefined : point.parameters;
  const result = exit ? point.result : undefined;
  const untyped = exit ? result !== undefined && result.type === undefined : (parameters?.some((one) => one.type === undefined) ?? false);
  return groupByType(sites, untyped).map(({ type, group }) => {
    if (type === undefined && untyped) noTypes(c, point, group[0]!);
    const made: ProbePoint = { kind: exit ? 'return' : 'function', sites: group };
    return { ...PLAIN, point: made, where: 'hit', passing: exit ? 'result' : 'function', type, parameters, result };
  });
}

function noTypes(c: CheckState, point: FunctionPoint, site: FunctionSite): void {
  const hint =
    point.kind === 'function-entry'
      ? `write \`${site.name}(long ${point.parameters?.[0]?.name?.text ?? 'a'})\``
      : `write \`${site.name}() -> long ${point.result?.name?.text ?? 'r'}\``;
  report(c, 'no-type', point.span, `\`${site.name}\` of ${site.module} has no debug information: its types must be given`, hint);
}

/** Sites that are called alike. One without debug information is taken to be like its namesake that has it. */
function groupByType(
  sites: readonly FunctionSite[],
  fill: boolean,
): { readonly type: FunctionType | undefined; readonly group: FunctionSite[] }[] {
  const byName = new Map<string, FunctionType>();
  for (const { name, type } of sites) if (type !== undefined && !byName.has(name)) byName.set(name, type);
  const groups = new Map<string, { readonly type: FunctionType | undefined; readonly group: FunctionSite[] }>();
  for (const site of sites) {
    const type = site.type ?? (fill ? byName.get(site.name) : undefined);
    const key = type === undefined ? '' : `${spell(type)} ${type.parameters.map((one) => one.name ?? '').join()}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { type, group: [site] });
    else known.group.push(site);
  }
  return [...groups.values()];
}

// ---------------------------------------------------------------- the kernel's

type CallPoint = PointNode &
  (
    | { readonly kind: 'syscall' | 'kfunc'; readonly name: Identifier; readonly parameters: readonly ParameterNode[] | undefined }
    | { readonly kind: 'syscall-return' | 'kfunc-return'; readonly name: Identifier; readonly result: ParameterNode | undefined }
  );

function findSyscallTargets(c: CheckState, probe: ProbeDeclaration, point: CallPoint): Target[] {
  const pattern = point.name.text;
  const exit = point.kind === 'syscall-return' || point.kind === 'kfunc-return';
  const found = c.knowledge.findSyscalls(pattern);
  if (found.length === 0) return missing(c, probe, point.span, `there is no system call \`${pattern}\`${guess(c, pattern, 'syscall')}`);
  const made: ProbePoint = {
    kind: 'syscall',
    names: found.map((one) => one.name),
    numbers: found.map((one) => one.number),
    exit,
    all: pattern === '*',
  };
  const type = found.length === 1 ? found[0]!.type : undefined;
  const parameters = 'parameters' in point ? point.parameters : undefined;
  const untyped = parameters?.find((one) => one.type === undefined);
  if (untyped !== undefined && type === undefined)
    report(c, 'no-type', untyped.span, `\`${pattern}\` matches ${found.length} system calls: the types must be given`);
  return [
    { ...PLAIN, point: made, where: 'hit', passing: exit ? 'result' : 'words', type, parameters, result: exit ? point.result : undefined },
  ];
}

function findKernelFunction(c: CheckState, probe: ProbeDeclaration, point: CallPoint): Target[] {
  const name = point.name.text;
  const exit = point.kind === 'syscall-return' || point.kind === 'kfunc-return';
  if (/[*?]/.test(name)) return missing(c, probe, point.span, `\`_kfunc.${name}\`: kernel functions are given by their whole name`);
  const found = c.knowledge.findKernelFunction(name);
  if (found === undefined)
    return missing(c, probe, point.span, `the kernel has no function \`${name}\` that can be probed${guess(c, name, 'function')}`);
  const parameters = 'parameters' in point ? point.parameters : undefined;
  const result = exit ? point.result : undefined;
  return [
    {
      ...PLAIN,
      point: { kind: 'kfunc', name, exit },
      where: 'hit',
      passing: exit ? 'result' : 'function',
      type: found.type,
      space: 'kernel',
      parameters,
      result,
    },
  ];
}

/** What the operands of a static probe are, by their sizes alone. */
function operandTypes(sites: readonly UsdtSite[]): FunctionType {
  const parameters = sites[0]!.operands.map(({ size, signed }) => {
    const type: CType = { kind: 'integer', name: `${signed ? '' : 'u'}int${size * 8}_t`, size, signed, role: 'number' };
    return { name: undefined, type };
  });
  return { kind: 'function', result: { kind: 'void' }, parameters, variadic: false };
}
