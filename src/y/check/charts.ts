/** Readers of aggregates, histograms and charts. */
import type { AggregateReader } from '../ir/program.ts';
import { nearest, type CallExpression, type Expression as Node, type Span } from '../syntax/index.ts';
import { given, make, wrongArgument } from './builtin-arguments.ts';
import { getArray } from './operands.ts';

import { arrayOf } from './places.ts';
import { constantInteger } from './resolve-type.ts';
import { type CheckState, broken, checkExpression, mistake, report, snippet } from './state.ts';
import type { Expression, Place } from './typed.ts';
import { DOUBLE, LONG, TEXT } from './ytype.ts';

export type Chart = 'flame' | 'histogram' | 'table' | 'pie' | 'bar' | 'line';

const READERS: Readonly<Record<string, AggregateReader>> = {
  _count: 'count',
  _sum: 'sum',
  _min: 'min',
  _max: 'max',
  _avg: 'avg',
  _variance: 'variance',
  _stddev: 'stddev',
};

function aggregateArgument(c: CheckState, node: CallExpression): Place | undefined {
  const value = checkExpression(c, node.arguments[0]!);
  if (value.type.kind === 'error') return undefined;
  if (value.kind === 'load' && value.type.kind === 'aggregate') return value.place;
  wrongArgument(c, node, 0, 'an `_agg`', value.type, 'declare it as `_agg` and add samples with `<<<`');
  return undefined;
}

export function readAggregate(c: CheckState, node: CallExpression, reader: AggregateReader, argument: number | undefined): Expression {
  const from = aggregateArgument(c, node);
  if (from === undefined) return broken(node.span);
  const type = reader === 'variance' || reader === 'stddev' ? DOUBLE : LONG;
  return make(node, type, { kind: 'aggregate-read', place: from, reader, argument });
}

export function quantile(c: CheckState, node: CallExpression): Expression {
  const value = given(c, node, 1);
  const fraction = value?.kind === 'float' ? value.value : value?.kind === 'integer' ? Number(value.value) : undefined;
  if (fraction === undefined || !(fraction >= 0 && fraction <= 1)) {
    checkExpression(c, node.arguments[0]!);
    return value === undefined
      ? broken(node.span)
      : mistake(c, 'out-of-range', node.arguments[1]!.span, 'a quantile is a constant from 0 to 1', '`_quantile(x, 0.99)`');
  }
  return readAggregate(c, node, 'quantile', Math.round(fraction * 1_000_000));
}

export function histogram(c: CheckState, node: CallExpression): Expression {
  const from = aggregateArgument(c, node);
  if (node.arguments.length === 1) {
    return from === undefined ? broken(node.span) : make(node, TEXT, { kind: 'histogram', place: from, scale: { kind: 'log' } });
  }
  const [low, high, step] = [1, 2, 3].map((index) => constantInteger(c, node.arguments[index]!, 'a bound of a histogram'));
  if (from === undefined || low === undefined || high === undefined || step === undefined) return broken(node.span);
  if (high <= low || step <= 0n || (high - low) / step > 1000n) {
    return mistake(c, 'out-of-range', node.span, `a histogram from ${low} to ${high} by ${step} has no bars, or more than 1000`);
  }
  return make(node, TEXT, { kind: 'histogram', place: from, scale: { kind: 'linear', low, high, step } });
}

function textConstant(c: CheckState, node: Node | undefined, what: string): Uint8Array | undefined {
  if (node === undefined) return undefined;
  if (node.kind === 'string') return node.bytes;
  report(c, 'argument-type', node.span, `${what} of a chart is a text in quotes`);
  return undefined;
}

export function checkChart(c: CheckState, node: CallExpression, chart: Chart): Expression {
  const [first, second, third] = node.arguments;
  const source = chartSource(c, first!, chart, node.span);
  let rest = [second, third].filter((one) => one !== undefined);
  let reader: AggregateReader | undefined;
  const [next] = rest;
  if (next?.kind === 'name' && READERS[next.name.text] !== undefined) {
    reader = READERS[next.name.text];
    rest = rest.slice(1);
  } else if (chart === 'flame' && next?.kind === 'name') {
    const guess = nearest(next.name.text, Object.keys(READERS));
    return mistake(
      c,
      'argument-type',
      next.span,
      `\`${next.name.text}\` is not a reader of aggregates${guess === undefined ? '' : `; did you mean \`${guess}\`?`}`,
      'one of `_count _sum _min _max _avg`',
    );
  }
  const text = textConstant(c, rest[0], chart === 'table' ? 'the title' : 'the unit');
  if (source === undefined) return broken(node.span);
  const aggregate = 'array' in source && c.arrayTypes[source.array]!.value.kind === 'aggregate';
  if (reader !== undefined && !aggregate)
    report(c, 'argument-type', next!.span, `\`${snippet(c, first!.span)}\` holds no aggregates to read with \`${snippet(c, next!.span)}\``);
  return make(
    node,
    { kind: 'void' },
    { kind: 'chart', chart, source, reader, unit: chart === 'table' ? undefined : text, title: chart === 'table' ? text : undefined },
  );
}

function chartSource(
  c: CheckState,
  node: Node,
  chart: Chart,
  span: Span,
): { readonly array: number } | { readonly global: number } | undefined {
  if (chart !== 'histogram') {
    const array = getArray(c, node);
    if (array === undefined) return undefined;
    const stack = c.arrayTypes[array]!.keys.some((key) => key.kind === 'stack');
    if (chart === 'flame' && !stack) {
      report(
        c,
        'argument-type',
        node.span,
        `a flame graph needs backtraces, and \`${snippet(c, node.span)}\` has no \`_bt\` key`,
        `declare it: \`_agg ${snippet(c, node.span)}[_bt];\``,
      );
      return undefined;
    }
    return { array };
  }
  const array = arrayOf(c, node);
  if (array !== undefined && c.arrayTypes[array]!.value.kind === 'aggregate') return { array };
  const value = array === undefined ? checkExpression(c, node) : undefined;
  if (value?.type.kind === 'error') return undefined;
  if (value?.kind === 'load' && value.type.kind === 'aggregate' && value.place.kind === 'global') return { global: value.place.global };
  report(c, 'argument-type', span, '`_histogram` draws a global `_agg`, or an array of them');
  return undefined;
}
