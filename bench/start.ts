// How long a start takes: ./fluoro with nothing stale, the built program without the launcher, and Node alone.

import { parseArgs } from 'node:util';
import { compareCommands, describeMachine, formatSummary, formatTable, saveSection } from './harness/index.ts';

const { values } = parseArgs({ options: { repeat: { type: 'string', default: '15' }, save: { type: 'boolean', default: false } } });

const summaries = await compareCommands(
  {
    './fluoro --version': ['./fluoro', '--version'],
    'node dist/cli/main.js --version': ['node', 'dist/cli/main.js', '--version'],
    'node --eval ""': ['node', '--eval', ''],
  },
  { repeat: Number(values.repeat) },
);

const rows = Object.entries(summaries).map(([name, { wallMs }]) => [`\`${name}\``, formatSummary(wallMs)]);
const table = formatTable(['command', 'ms: median (range)'], rows);
const body = `## Start\n\n\`npm run bench -- start\` on ${describeMachine()}\n\n${table}`;
console.log(body);
if (values.save) await saveSection('start', body);
