import { describe, expect, test } from 'vitest';
import { expectGolden } from '../../../test/support/golden.ts';
import type { Chart, FlameChart, TableChart } from './chart.ts';
import { drawChart } from './draw.ts';
import { widthOf } from './terminal.ts';

const FILE = { columns: 80, rows: undefined, colours: false };
const HEAD = { unit: '', ver: 1 } as const;

const SHARES = [
  { name: 'palloc', value: 7_000_000 },
  { name: 'a name that is rather long, longer than half of the line may be', value: 1_500_000.5 },
  { name: '日本', value: 1 },
  { name: 'none', value: 0 },
];

const flame: FlameChart = {
  type: 'flame',
  title: 'CPU time',
  unit: 'samples',
  ver: 1,
  series: {
    name: 'hits',
    frames: ['main', 'loop', 'parse', 'std::vector<int>::push_back', 'write', 'idle'],
    data: [
      { stack: [0, 1, 2, 3], value: 400 },
      { stack: [0, 1, 2], value: 350 },
      { stack: [0, 1, 4], value: 200 },
      { stack: [0, 5], value: 49 },
      { stack: [5], value: 1 },
    ],
  },
  summary: { total: 1000, count: 5 },
};

const table: TableChart = {
  type: 'table',
  title: 'Connections',
  ...HEAD,
  series: {
    name: 'connections',
    keys: 2,
    data: [
      ['key 1', 'key 2', 'count', 'avg'],
      ['nginx: worker process', 12345, 123456, 1.5],
      ['curl\nwith a newline', 7, 3, 12345.6789],
      [`${'x'.repeat(60)}end`, 1, 0, -1],
    ],
  },
  summary: { count: 3 },
};

const PICTURES: readonly [name: string, chart: Chart][] = [
  [
    'pie',
    {
      type: 'pie',
      title: 'Memory',
      ...HEAD,
      unit: 'bytes',
      series: { name: 'm', data: SHARES },
      summary: { total: 8_500_001.5, count: 4 },
    },
  ],
  ['bar', { type: 'bar', title: 'Memory', ...HEAD, series: { name: 'm', data: SHARES }, summary: { total: 8_500_001.5, count: 4 } }],
  [
    'histogram',
    {
      type: 'dist-bar',
      title: 'Latency',
      ...HEAD,
      unit: 'us',
      series: { name: 'l', data: { '0': 3, '1': 0, '2': 40, '1024': 1, '-4': 17, '512': 1000 } },
      summary: { min: -6, max: 1500, avg: 800, cnt: 1061 },
    },
  ],
  ['table', table],
  [
    'line',
    {
      type: 'line',
      title: 'Rates',
      ...HEAD,
      series: {
        name: 'r',
        data: [
          { name: 'ramp', points: Array.from({ length: 200 }, (_value, x) => [x, x] as const) },
          { name: 'gap', points: [[0, 5], [1, 3], [9, -4]] }, // prettier-ignore
          { name: 'one', points: [[5, 5]] },
          { name: 'flat', points: [[0, 2], [1, 2], [2, 2]] }, // prettier-ignore
        ],
      },
      summary: { count: 4 },
    },
  ],
  ['flame', flame],
];

describe('drawChart()', () => {
  test.each(PICTURES)('draws a %s', (name, chart) => {
    const text = drawChart(chart, FILE);
    expectGolden(`y-output/${name}.txt`, text);
    expect(Math.max(...text.split('\n').map(widthOf))).toBeLessThanOrEqual(80);
  });

  test.each(PICTURES)('draws a %s in colours that are gone without them', (_name, chart) => {
    const coloured = drawChart(chart, { ...FILE, colours: true });
    expect(coloured).toContain('\x1b[1m');
    // oxlint-disable-next-line no-control-regex -- takes the colours away
    expect(coloured.replace(/\x1b\[\d+m/g, '')).toBe(drawChart(chart, FILE));
  });

  test('cuts a table and a flame graph at the height of the terminal, and says so', () => {
    const rows = Array.from({ length: 50 }, (_value, index) => [`row ${index}`, index]);
    const long = { ...table, series: { name: 't', keys: 1, data: [['key', 'n'], ...rows] } };
    const lines = drawChart(long, { ...FILE, rows: 20 })
      .trimEnd()
      .split('\n');
    expect(lines.length).toBeLessThanOrEqual(19);
    expect(lines.at(-1)).toBe('… 35 more rows');
    const deep = Array.from({ length: 100 }, (_value, index) => index);
    const tower = { ...flame, series: { name: 't', frames: deep.map((index) => `f${index}`), data: [{ stack: deep, value: 1 }] } };
    const picture = drawChart(tower, { ...FILE, rows: 20 })
      .trimEnd()
      .split('\n');
    expect(picture.length).toBeLessThanOrEqual(19);
    expect(picture.at(-1)).toBe('… 85 smaller frames are not shown');
  });

  test('says when there is nothing', () => {
    const series = { name: 'n', data: [] };
    const summary = { total: 0, count: 0 };
    const charts: Chart[] = [
      { type: 'pie', title: 'T', ...HEAD, series, summary },
      { type: 'table', title: 'T', ...HEAD, series: { name: 'n', keys: 1, data: [['key']] }, summary },
      { type: 'line', title: 'T', ...HEAD, series, summary },
      { type: 'flame', title: 'T', ...HEAD, series: { ...series, frames: [] }, summary },
      { type: 'dist-bar', title: 'T', ...HEAD, series: { name: 'n', data: {} }, summary: { min: 0, max: 0, avg: 0, cnt: 0 } },
    ];
    expect(charts.map((chart) => drawChart(chart, FILE))).toEqual(
      ['entries', 'rows', 'points', 'stacks', 'samples'].map((what) => `T\n(no ${what})\n`),
    );
  });
});
