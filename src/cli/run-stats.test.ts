import { expect, test } from 'vitest';
import type { SessionReport } from '../session/index.ts';
import { describeStats } from './run-stats.ts';

test('describeStats() says why it ended, what probes did, and how stacks ended', () => {
  type Stacks = NonNullable<SessionReport['stacks']>;
  const stacks: Stacks = {
    processes: 1,
    modules: 2,
    rows: 10,
    rules: 1,
    rowShards: 1,
    mappingShards: 1,
    failedModules: new Map([['/lib/x.so', 'damaged']]),
    unsupportedRows: 0,
    stacks: { complete: 3, maxFrames: 0, noTable: 1 } as Stacks['stacks'],
    frames: 20,
    framePointerFrames: 2,
  };
  const probes = [
    { text: 'malloc', sites: 1, hits: 1, detached: undefined },
    { text: '_syscall.read', sites: 2, hits: 30, detached: 'too costly' },
    { text: '_end', sites: 0, hits: 0, detached: undefined },
  ];
  expect(describeStats({ reason: 'timeout', durationMs: 1234, losses: [], probes, stacks, outputFailure: undefined })).toEqual([
    'ended after 1.23 s: its time was up',
    '  malloc         1 place   1 hit',
    '  _syscall.read  2 places  30 hits  taken off: too costly',
    '  _end',
    'backtraces of the user: 4: complete 75.0%, no table 25.0%',
    '  20 frames, 2 of them by the frame pointer; tables of 2 files',
    '  no table of /lib/x.so: damaged',
  ]);
});
