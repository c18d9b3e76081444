/** The automaton that tells whether there is a match: subset construction, then the minimum. */
import { err, ok, type Result } from '../../base/index.ts';
import type { RegexProgram } from '../ir/program.ts';
import type { Nfa } from './automaton.ts';
import { findBlocks, renumber, type Labelled } from './minimise.ts';
import { beforeOf, beforeStart, holds, type Before } from './place.ts';

/** States of a deterministic automaton. */
export const MAX_STATES = 4096;
/** Nodes that the construction of one automaton may visit: a second's work, and a bound on its memory. */
export const MAX_WORK = 10_000_000;

type Matcher = Pick<RegexProgram, 'states' | 'classes' | 'classOf' | 'next' | 'accepting' | 'acceptingAtEnd'>;

const DEAD = 0;
const MATCHED = 1;

/** Makes the minimal automaton, or says that there are too many states. */
export function buildMatcher(nfa: Nfa): Result<Matcher, 'states'> {
  const subsets = new Subsets(nfa);
  if (!subsets.explore()) return err('states');
  const matcher = minimise(nfa, subsets);
  return matcher.states > MAX_STATES ? err('states') : ok(matcher);
}

class Subsets {
  /** `states * classes` entries. */
  readonly next: number[] = [];
  readonly atEnd: boolean[] = [false, true];
  start = DEAD;
  private readonly nfa: Nfa;
  private readonly numbers = new Map<string, number>();
  private readonly waiting: { readonly nodes: readonly number[]; readonly before: Before }[] = [];
  private readonly representative: readonly number[];
  private readonly seen: Uint32Array;
  private round = 0;
  private work = 0;

  constructor(nfa: Nfa) {
    this.nfa = nfa;
    this.seen = new Uint32Array(nfa.nodes.length);
    this.representative = Array.from({ length: nfa.classes }, (_, index) => nfa.classOf.indexOf(index));
    for (const state of [DEAD, MATCHED]) for (let at = 0; at < nfa.classes; at++) this.next.push(state);
  }

  /** False when there are too many states. */
  explore(): boolean {
    this.start = this.number([this.nfa.start], beforeStart(this.nfa.assertions));
    for (let at = 0; at < this.waiting.length; at++) {
      const { nodes, before } = this.waiting[at] as (typeof this.waiting)[number];
      for (const byte of this.representative) this.next.push(this.step(nodes, before, byte));
      this.atEnd.push(this.close(nodes, before, undefined) === undefined);
      // Before it is made minimal it may have some more.
      if (this.numbers.size > MAX_STATES * 2 || this.work > MAX_WORK) return false;
    }
    return true;
  }

  private number(nodes: readonly number[], before: Before): number {
    if (nodes.length === 0) return DEAD;
    const key = `${before} ${nodes.join(' ')}`;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const made = this.numbers.size + 2;
    this.numbers.set(key, made);
    this.waiting.push({ nodes, before });
    return made;
  }

  private step(nodes: readonly number[], before: Before, byte: number): number {
    const reached = this.close(nodes, before, byte);
    return reached === undefined ? MATCHED : this.number(reached, beforeOf(byte, this.nfa.assertions));
  }

  /** The nodes behind `byte`, sorted; undefined when the pattern matches before it. */
  private close(nodes: readonly number[], before: Before, byte: number | undefined): readonly number[] | undefined {
    const round = ++this.round;
    const stack = [...nodes];
    const reached = new Set<number>();
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      this.work++;
      if (this.seen[at] === round) continue;
      this.seen[at] = round;
      const node = this.nfa.nodes[at];
      if (node === undefined) continue;
      if (node.kind === 'match') return undefined;
      if (node.kind === 'split') for (const to of node.to) stack.push(to);
      else if (node.kind === 'tag') stack.push(node.next);
      else if (node.kind === 'place') {
        if (holds(node.what, before, byte)) stack.push(node.next);
      } else if (byte !== undefined && byte >= node.low && byte <= node.high) reached.add(node.next);
    }
    return [...reached].sort((a, b) => a - b);
  }
}

function minimise({ classes, classOf }: Nfa, { next, atEnd, start }: Subsets): Matcher {
  const accepts = atEnd.map((end, state) => end && next.slice(state * classes, (state + 1) * classes).every((to) => to === MATCHED));
  const labelled: Labelled = { classes, next, labels: atEnd.map((end, state) => `${end} ${accepts[state]}`) };
  const { representatives, numberOf } = renumber(labelled, findBlocks(labelled), DEAD, start);
  const table = new Uint16Array(representatives.length * classes);
  for (const [state, old] of representatives.entries()) {
    for (let at = 0; at < classes; at++) table[state * classes + at] = numberOf[next[old * classes + at] as number] as number;
  }
  return {
    states: representatives.length,
    classes,
    classOf,
    next: table,
    accepting: Uint8Array.from(representatives, (old) => (accepts[old] === true ? 1 : 0)),
    acceptingAtEnd: Uint8Array.from(representatives, (old) => (atEnd[old] === true ? 1 : 0)),
  };
}
