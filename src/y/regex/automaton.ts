/**
 * A regular expression as a nondeterministic automaton over bytes, with preferences (a split's earlier branch is preferred), tags
 * (positions that a group needs) and conditions on the place (borders).
 */
import type { Assertion, RegexError, RegexNode } from './node.ts';
import { toByteSequences } from './utf8.ts';
import { err, ok, type Result } from '../../base/index.ts';

export type NfaNode =
  | { readonly kind: 'byte'; readonly low: number; readonly high: number; readonly next: number }
  /** Filled after it is made: loops lead back to it. */
  | { readonly kind: 'split'; readonly to: number[] }
  | { readonly kind: 'tag'; readonly tag: number; readonly next: number }
  | { readonly kind: 'place'; readonly what: Assertion; readonly next: number }
  | { readonly kind: 'match' };

export interface Nfa {
  readonly nodes: readonly NfaNode[];
  readonly start: number;
  /** Tags: group n begins at tag 2n and ends at 2n + 1. The end of group 0 is the match itself and has none. */
  readonly tags: number;
  /** Byte to class: bytes of a class are alike to every node and border. */
  readonly classOf: Uint8Array;
  readonly classes: number;
  readonly assertions: ReadonlySet<Assertion>;
}

/** Nodes of the automaton before it is made deterministic. */
export const MAX_NODES = 20_000;

/** Builds the automaton that finds the pattern anywhere. Groups below `captures` get tags. */
export function buildNfa(root: RegexNode, captures: number): Result<Nfa, RegexError> {
  const builder = new Builder(captures);
  const start = builder.buildSearch(root);
  if (start === undefined) return err(tooLarge(root, `more than ${MAX_NODES} nodes`));
  const { classOf, classes } = toClasses(builder.nodes, builder.assertions);
  return ok({ nodes: builder.nodes, start, tags: 2 * captures, classOf, classes, assertions: builder.assertions });
}

/** Says that a bound was passed, and blames the repetition that makes the most copies. */
export function tooLarge(root: RegexNode, bound: string): RegexError {
  const worst = findLargest(root);
  if (worst === undefined) {
    return { message: `this regular expression needs ${bound}`, hint: 'split it into several, joined by ||', start: 0, end: 0 };
  }
  const times = worst.max ?? worst.min;
  const hint = `ask for fewer than ${times} repetitions, anchor the pattern with ^, or check the length with _len()`;
  return { message: `this repetition makes ${times} copies: the regular expression needs ${bound}`, hint, start: worst.at, end: worst.end };
}

type Repeat = Extract<RegexNode, { kind: 'repeat' }>;

function findLargest(node: RegexNode): Repeat | undefined {
  const inner = childrenOf(node).map((child) => findLargest(child));
  const own = node.kind === 'repeat' && copies(node) > 1 ? [node] : [];
  let largest: Repeat | undefined;
  for (const one of [...own, ...inner]) if (one !== undefined && copies(one) > (largest === undefined ? 0 : copies(largest))) largest = one;
  return largest;
}

function copies({ min, max }: Repeat): number {
  return max ?? min;
}

function childrenOf(node: RegexNode): readonly RegexNode[] {
  if (node.kind === 'sequence' || node.kind === 'choice') return node.items;
  return node.kind === 'repeat' || node.kind === 'group' ? [node.body] : [];
}

class TooLarge extends Error {}

class Builder {
  readonly nodes: NfaNode[] = [];
  readonly assertions = new Set<Assertion>();
  private readonly captures: number;

  constructor(captures: number) {
    this.captures = captures;
  }

  /** `.*?` before the pattern, of any bytes. Undefined when there are too many nodes. */
  buildSearch(root: RegexNode): number | undefined {
    try {
      const match = this.add({ kind: 'match' });
      const pattern = this.build(root, match);
      const search: number[] = [];
      const start = this.add({ kind: 'split', to: search });
      search.push(this.captures > 0 ? this.add({ kind: 'tag', tag: 0, next: pattern }) : pattern);
      search.push(this.add({ kind: 'byte', low: 0, high: 255, next: start }));
      return start;
    } catch (failure) {
      if (failure instanceof TooLarge) return undefined;
      throw failure;
    }
  }

  private add(node: NfaNode): number {
    if (this.nodes.length >= MAX_NODES) throw new TooLarge();
    return this.nodes.push(node) - 1;
  }

  /** The node where `node` begins if `next` comes after it. */
  private build(node: RegexNode, next: number): number {
    switch (node.kind) {
      case 'empty':
        return next;
      case 'set':
        return this.buildSet(node, next);
      case 'sequence':
        return node.items.reduceRight((after, item) => this.build(item, after), next);
      case 'choice':
        return this.add({ kind: 'split', to: node.items.map((item) => this.build(item, next)) });
      case 'repeat':
        return this.buildRepeat(node, next);
      case 'group': {
        if (node.index >= this.captures) return this.build(node.body, next);
        const close = this.add({ kind: 'tag', tag: 2 * node.index + 1, next });
        return this.add({ kind: 'tag', tag: 2 * node.index, next: this.build(node.body, close) });
      }
      case 'assertion':
        this.assertions.add(node.what);
        return this.add({ kind: 'place', what: node.what, next });
    }
  }

  private buildSet(node: Extract<RegexNode, { kind: 'set' }>, next: number): number {
    const sequences = node.bytes ? node.ranges.map((range) => [range]) : toByteSequences(node.ranges);
    // Sequences that end alike share their ends: continuation bytes repeat a lot.
    const shared = new Map<string, number>();
    const starts = sequences.map((sequence) =>
      sequence.reduceRight((after, [low, high]) => {
        const key = `${low} ${high} ${after}`;
        const known = shared.get(key) ?? this.add({ kind: 'byte', low, high, next: after });
        shared.set(key, known);
        return known;
      }, next),
    );
    return starts.length === 1 ? (starts[0] as number) : this.add({ kind: 'split', to: starts });
  }

  private buildRepeat(node: Repeat, next: number): number {
    const { body, min, max, lazy } = node;
    let after = next;
    const optional = (into: number): number[] => (lazy ? [next, into] : [into, next]);
    if (max === undefined) {
      const to: number[] = [];
      after = this.add({ kind: 'split', to });
      const start = this.build(body, after);
      to.push(...optional(start));
      // `x+` of one copy, where going round without a byte is impossible.
      if (min > 0 && !isNullable(body)) return this.repeat(body, min - 1, start);
    } else {
      for (let left = max - min; left > 0; left--) after = this.add({ kind: 'split', to: optional(this.build(body, after)) });
    }
    return this.repeat(body, min, after);
  }

  private repeat(body: RegexNode, times: number, next: number): number {
    let after = next;
    for (let left = times; left > 0; left--) after = this.build(body, after);
    return after;
  }
}

/** Whether it can match without a byte. */
function isNullable(node: RegexNode): boolean {
  switch (node.kind) {
    case 'empty':
    case 'assertion':
      return true;
    case 'set':
      return false;
    case 'sequence':
      return node.items.every(isNullable);
    case 'choice':
      return node.items.some(isNullable);
    case 'repeat':
      return node.min === 0 || isNullable(node.body);
    case 'group':
      return isNullable(node.body);
  }
}

/** Parts the bytes into as few classes as the nodes can tell apart. */
function toClasses(nodes: readonly NfaNode[], assertions: ReadonlySet<Assertion>): { classOf: Uint8Array; classes: number } {
  // A class may lie apart: bytes are alike when the same node ranges hold them.
  const ranges = new Map<string, readonly [number, number]>();
  for (const node of nodes) if (node.kind === 'byte') ranges.set(`${node.low} ${node.high}`, [node.low, node.high]);
  const marks = Array.from({ length: 256 }, (_, byte) => {
    const word = hasWordBorder(assertions) && isWordByte(byte) ? 'w' : '';
    const line = assertions.has('line-start') || assertions.has('line-end') ? (byte === 10 ? 'n' : '') : '';
    return [word, line];
  });
  let index = 0;
  for (const [low, high] of ranges.values()) {
    for (let byte = low; byte <= high; byte++) marks[byte]?.push(String(index));
    index++;
  }
  const known = new Map<string, number>();
  const classOf = Uint8Array.from(marks, (mark) => {
    const key = mark.join(' ');
    const found = known.get(key) ?? known.size;
    known.set(key, found);
    return found;
  });
  return { classOf, classes: known.size };
}

export function hasWordBorder(assertions: ReadonlySet<Assertion>): boolean {
  return assertions.has('word-border') || assertions.has('no-word-border');
}

/** `[0-9A-Za-z_]` */
export function isWordByte(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || byte === 95 || (byte >= 97 && byte <= 122);
}
