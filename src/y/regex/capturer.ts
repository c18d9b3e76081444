/**
 * The automaton that finds the match and its groups: Laurikari's construction. A state is a list of the nondeterministic automaton's nodes in
 * order of preference, each with what it knows of the tags: the register that holds each, or none. Registers are numbered by first
 * appearance, so that lists which differ only in registers are one state; moves between registers are on the transitions.
 */
import { err, ok, type Result } from '../../base/index.ts';
import type { CaptureProgram } from '../ir/program.ts';
import type { Nfa } from './automaton.ts';
import { MAX_STATES, MAX_WORK } from './matcher.ts';
import { findBlocks, renumber, type Labelled } from './minimise.ts';
import { beforeOf, beforeStart, holds, type Before } from './place.ts';

/** Registers of a program, results included. */
export const MAX_REGISTERS = 64;
/** Lists of moves: they have 16-bit numbers. */
const MAX_LISTS = 60_000;
/** What a register gets: the position, or -1. In `actions` as in this file. */
const POSITION = 254;
const NONE = 255;

/** A node that was reached, and where each tag is: a scratch register from 0, POSITION or NONE. */
interface Thread {
  readonly node: number;
  readonly tags: readonly number[];
}

interface State {
  readonly threads: readonly Thread[];
  readonly before: Before;
}

type Move = readonly [to: number, from: number];

/** Makes the automaton for the tags of `nfa`. The error says which bound was passed. */
export function buildCapturer(nfa: Nfa): Result<CaptureProgram, 'states' | 'registers'> {
  const builder = new Builder(nfa);
  const passed = builder.explore();
  return passed === undefined ? ok(builder.finish()) : err(passed);
}

class Builder {
  private readonly nfa: Nfa;
  private readonly next: number[] = [];
  private readonly actionOf: number[] = [];
  private readonly actionAtEnd: number[] = [0];
  private readonly lists = new Map<string, number>([['', 0]]);
  private readonly numbers = new Map<string, number>();
  private readonly waiting: State[] = [];
  private readonly representative: readonly number[];
  private readonly seen: Uint32Array;
  private round = 0;
  private work = 0;
  /** Scratch registers in use at once, at most. */
  private scratch = 0;

  constructor(nfa: Nfa) {
    this.nfa = nfa;
    this.seen = new Uint32Array(nfa.nodes.length);
    this.representative = Array.from({ length: nfa.classes }, (_, index) => nfa.classOf.indexOf(index));
    for (let at = 0; at < nfa.classes; at++) {
      this.next.push(0);
      this.actionOf.push(0);
    }
  }

  /** Finds all states; says which bound was passed, if one was. */
  explore(): 'states' | 'registers' | undefined {
    const none = Array.from({ length: this.nfa.tags }, () => NONE);
    this.number([{ node: this.nfa.start, tags: none }], beforeStart(this.nfa.assertions));
    for (let at = 0; at < this.waiting.length; at++) {
      const state = this.waiting[at] as State;
      for (const byte of this.representative) this.step(state, byte);
      this.actionAtEnd.push(this.addList(this.close(state, undefined).moves));
      if (this.numbers.size > MAX_STATES || this.work > MAX_WORK || this.lists.size > MAX_LISTS) return 'states';
      // One more register than are held: cycles of moves need it.
      if (this.nfa.tags + this.scratch + 1 > MAX_REGISTERS) return 'registers';
    }
    return undefined;
  }

  /** Adds the transition of `state` by `byte`. */
  private step(state: State, byte: number): void {
    const { threads, moves } = this.close(state, byte);
    const { kept, renamed } = this.rename(threads);
    this.next.push(this.number(kept, beforeOf(byte, this.nfa.assertions)));
    this.actionOf.push(this.addList([...moves, ...order(renamed, this.nfa.tags)]));
  }

  /** The state of these threads; 0 when there are none. */
  private number(threads: readonly Thread[], before: Before): number {
    if (threads.length === 0) return 0;
    const key = `${before} ${threads.map((thread) => `${thread.node}:${thread.tags.join(',')}`).join(' ')}`;
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const made = this.numbers.size + 1;
    this.numbers.set(key, made);
    this.waiting.push({ threads, before });
    return made;
  }

  /**
   * The threads behind `byte` in order of preference, and what to do when one of them matches before it: the results are set, and
   * threads that are less preferred end.
   */
  private close(state: State, byte: number | undefined): { readonly threads: readonly Thread[]; readonly moves: readonly Move[] } {
    const round = ++this.round;
    const reached = new Set<number>();
    const threads: Thread[] = [];
    const stack = state.threads.toReversed();
    for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
      const { node: at, tags } = thread;
      this.work++;
      if (this.seen[at] === round) continue;
      this.seen[at] = round;
      const node = this.nfa.nodes[at];
      if (node === undefined) continue;
      if (node.kind === 'match') return { threads, moves: this.toResults(tags) };
      if (node.kind === 'split') for (const to of node.to.toReversed()) stack.push({ node: to, tags });
      else if (node.kind === 'tag') stack.push({ node: node.next, tags: tags.with(node.tag, POSITION) });
      else if (node.kind === 'place') {
        if (holds(node.what, state.before, byte)) stack.push({ node: node.next, tags });
      } else if (byte !== undefined && byte >= node.low && byte <= node.high && !reached.has(node.next)) {
        reached.add(node.next);
        threads.push({ node: node.next, tags });
      }
    }
    return { threads, moves: [] };
  }

  /** Sets the result registers, which are the first ones. */
  private toResults(tags: readonly number[]): readonly Move[] {
    return tags.map((from, tag) => [tag, tag === 1 ? POSITION : from < POSITION ? from + this.nfa.tags : from]);
  }

  /** Gives the threads' tags registers from 0 in order of appearance; `renamed` is what each register gets, by old names. */
  private rename(threads: readonly Thread[]): { readonly kept: readonly Thread[]; readonly renamed: readonly number[] } {
    const renamed: number[] = [];
    const names = new Map<number, number>();
    const kept = threads.map(({ node, tags }) => ({
      node,
      tags: tags.map((old) => {
        if (old === NONE) return NONE;
        const name = names.get(old) ?? renamed.push(old) - 1;
        names.set(old, name);
        return name;
      }),
    }));
    this.scratch = Math.max(this.scratch, renamed.length);
    return { kept, renamed };
  }

  private addList(moves: readonly Move[]): number {
    const key = moves.join(' ');
    const known = this.lists.get(key) ?? this.lists.size;
    this.lists.set(key, known);
    return known;
  }

  finish(): CaptureProgram {
    const { classes, classOf, tags } = this.nfa;
    const { next, actionOf, actionAtEnd } = this;
    const labels = actionAtEnd.map((end, state) => `${end} ${actionOf.slice(state * classes, (state + 1) * classes).join(' ')}`);
    const labelled: Labelled = { classes, next, labels };
    const { representatives, numberOf } = renumber(labelled, findBlocks(labelled), 0, 1);
    const size = representatives.length * classes;
    const table = new Uint16Array(size);
    const actions = new Uint16Array(size);
    for (const [state, old] of representatives.entries()) {
      for (let at = 0; at < classes; at++) {
        table[state * classes + at] = numberOf[next[old * classes + at] as number] as number;
        actions[state * classes + at] = actionOf[old * classes + at] as number;
      }
    }
    const lists = [...this.lists.keys()].map((key) =>
      key
        .split(/[ ,]/)
        .filter((part) => part !== '')
        .map(Number),
    );
    const spare = tags + this.scratch;
    const flat = lists.flat().map((register) => (register === SPARE ? spare : register));
    const starts = [0];
    for (const list of lists) starts.push((starts.at(-1) ?? 0) + list.length);
    return {
      states: representatives.length,
      classes,
      classOf,
      next: table,
      actionOf: actions,
      actionAtEnd: Uint16Array.from(representatives, (old) => actionAtEnd[old] ?? 0),
      actions: Uint8Array.from(flat),
      actionStart: Uint32Array.from(starts),
      longestAction: Math.max(...lists.map((list) => list.length / 2)),
      registers: flat.includes(spare) ? spare + 1 : spare,
    };
  }
}

/** Stands for the register behind the others until their number is known. */
const SPARE = 253;

/** Moves that happen at once, as moves one after another. Register n gets `sources[n]`; real registers begin at `base`. */
function order(sources: readonly number[], base: number): readonly Move[] {
  const waiting = new Map<number, number>();
  for (const [to, from] of sources.entries()) if (to !== from) waiting.set(to, from);
  const real = (register: number): number => (register < SPARE ? register + base : register);
  const moves: Move[] = [];
  while (waiting.size > 0) {
    // A register that no other move still reads may be written.
    const free = [...waiting.keys()].find((to) => ![...waiting.values()].includes(to));
    if (free !== undefined) {
      moves.push([real(free), real(waiting.get(free) as number)]);
      waiting.delete(free);
      continue;
    }
    // Only cycles are left: one of their registers goes to the spare one, whose reader then reads that.
    const cycled = waiting.keys().next().value as number;
    moves.push([SPARE, real(cycled)]);
    for (const [to, from] of waiting) if (from === cycled) waiting.set(to, SPARE);
  }
  return moves;
}
