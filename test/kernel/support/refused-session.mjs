// Tries to look at the process PID, and at itself, and prints how that is refused: refused-session.mjs PID
import { openSubject, startLiveSession } from '../../../dist/session/index.js';
import { compile } from '../../../dist/y/index.js';

const other = openSubject({ kind: 'process', pid: Number(process.argv[2]), freeze: false });
const subject = openSubject({ kind: 'process', pid: process.pid, freeze: false });
if (!subject.ok) throw new Error(subject.error.message);
const text = 'long n; _probe _syscall.write(unsigned fd) { n++; }';
const compiled = compile({ file: 'x.y', text, resolveInclude: () => undefined }, subject.value.knowledge);
if (!compiled.ok) throw new Error(compiled.error.diagnostics[0].message);
const output = { write: () => undefined, chart: () => undefined };
const own = await startLiveSession(compiled.value.program, subject.value, { output, timeoutMs: 1000, endWithTarget: true });
process.stdout.write(JSON.stringify({ other: other.error, own: own.error }));
