/**
 * Names and types of a whole program: the syntax tree to the typed tree, or what is wrong with it.
 * As many mistakes as possible are said in one run; each is said once.
 */
import { type Result, err, ok } from '../../base/index.ts';
import type { Knowledge } from '../knowledge.ts';
import type { Diagnostic, Header, Unit } from '../syntax/index.ts';
import { declareItems } from './declarations.ts';
import { expressionRule } from './expressions.ts';
import { checkUncalled } from './functions.ts';
import { checkProbe } from './probes.ts';
import { type CheckState, type Need, newScope, report } from './state.ts';
import { blockRule } from './statements.ts';
import type { Probe } from '../ir/program.ts';
import type { TypedFunction, TypedProgram } from './typed.ts';

export interface Checked {
  readonly program: TypedProgram;
  readonly warnings: readonly Diagnostic[];
}

/** Checks a program. Errors come with the warnings, in the order of the source. */
export function check(unit: Unit, sources: ReadonlyMap<string, string>, knowledge: Knowledge): Result<Checked, readonly Diagnostic[]> {
  const c = newState(sources, knowledge);
  declareItems(c, unit.items);
  for (const item of unit.items) if (item.kind === 'probe') checkProbe(c, item);
  for (const item of unit.items) if (item.kind === 'function') checkUncalled(c, item);
  checkPlaces(c);
  if (!unit.items.some((item) => item.kind === 'probe') && c.diagnostics.length === 0) {
    report(c, 'no-probe', unit.span, 'the program has no probe: nothing would run', 'begin with `_probe _oneshot { … }`');
  }
  const diagnostics = c.diagnostics.toSorted(inSource);
  if (diagnostics.some(({ severity }) => severity === 'error')) return err(diagnostics);
  return ok({ program: finish(c, unit), warnings: diagnostics });
}

/** A state without anything declared. */
export function newState(sources: ReadonlyMap<string, string>, knowledge: Knowledge): CheckState {
  const top = newScope(undefined);
  return {
    rules: { expression: expressionRule, block: blockRule },
    knowledge,
    sources,
    diagnostics: [],
    top,
    scope: top,
    globals: [],
    arrays: [],
    arrayTypes: [],
    options: [],
    regexes: [],
    functions: [],
    needs: [],
    instances: new Map(),
    probes: [],
    probeSpans: [],
    unknown: new Set(),
    openRecords: new Set(),
    fn: undefined,
  };
}

function inSource(a: Diagnostic, b: Diagnostic): number {
  const [left, right] = [a.span, b.span];
  if (left === undefined || right === undefined) return left === right ? 0 : left === undefined ? -1 : 1;
  return left.file === right.file ? left.start - right.start : left.file < right.file ? -1 : 1;
}

function finish(c: CheckState, unit: Unit): TypedProgram {
  return {
    file: unit.file,
    options: c.options,
    globals: c.globals,
    arrays: c.arrays,
    regexes: c.regexes,
    functions: c.functions.filter((one): one is TypedFunction => one !== undefined),
    probes: c.probes,
    header: unit.header && toRecord(unit.header),
    sources: c.sources,
  };
}

function toRecord(header: Header): Readonly<Record<string, string>> {
  return Object.fromEntries(header.tags.map(({ name, value }) => [name, value]));
}

/** What stands in a probe, and in the functions it calls, must be possible where the probe runs. */
function checkPlaces(c: CheckState): void {
  c.probes.forEach((probe, index) => {
    for (const need of reachableNeeds(c, probe.body)) {
      if (isPossible(need, probe)) continue;
      const { where, what, span, hint } = need;
      const direct = c.needs[probe.body]!.needs.includes(need);
      const notes = direct ? [] : [{ message: `called from \`${probe.text}\``, span: c.probeSpans[index] }];
      report(
        c,
        where === 'host' ? 'host-only' : 'hit-only',
        span,
        `${what} is only possible ${PLACES[where]}, not in \`${probe.text}\``,
        hint,
        notes,
      );
    }
  });
}

const PLACES: Readonly<Record<Need['where'], string>> = {
  host: 'in `_begin`, `_end`, `_oneshot` and timers',
  hit: 'where an event of the target is seen',
  thread: 'where an event of the target is seen, and in `_oneshot`',
};

function isPossible({ where }: Need, probe: Probe): boolean {
  if (where === 'thread') return probe.where === 'hit' || probe.point.kind === 'oneshot';
  return where === probe.where;
}

function reachableNeeds(c: CheckState, from: number): Need[] {
  const seen = new Set([from]);
  const needs: Need[] = [];
  for (const index of seen) {
    const { needs: own, calls } = c.needs[index]!;
    needs.push(...own);
    for (const callee of calls) seen.add(callee);
  }
  return needs;
}
