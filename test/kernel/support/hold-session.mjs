// Prepares a session with probes of all kinds on a process, starts it when it is told a line, and looks until it is killed:
// hold-session.mjs PID [quiet]; a quiet one prints nothing, so that it has no ring
import { once } from 'node:events';
import { openSubject, startLiveSession } from '../../../dist/session/index.js';
import { compile } from '../../../dist/y/index.js';

const subject = openSubject({ kind: 'process', pid: Number(process.argv[2]), freeze: false });
if (!subject.ok) throw new Error(subject.error.message);
const print = process.argv[3] === 'quiet' ? '' : 'if (i % 1000 == 0) printf("%ld\\n", i);';
const text = `
long steps, returns, marks;
long samples[_bt];
_probe "lively*"::step(long sum) { steps++; }
_probe "lively*"::step() -> long r { returns++; }
_probe _profile.hz(199) { samples[_ubt()]++; }
_probe _usdt("lively", "mark")(long i) { marks++; ${print} }
_probe _end { printf("%ld\\n", steps); }
`;
const compiled = compile({ file: 'held.y', text, resolveInclude: () => undefined }, subject.value.knowledge);
if (!compiled.ok) throw new Error(compiled.error.diagnostics[0].message);
const output = { write: () => undefined, chart: () => undefined };
process.stdout.write('prepared\n');
await once(process.stdin, 'data');
const session = await startLiveSession(compiled.value.program, subject.value, {
  output,
  timeoutMs: undefined,
  endWithTarget: true,
  maxOverhead: 1,
});
if (!session.ok) throw new Error(JSON.stringify(session.error));
process.stdout.write('looking\n');
