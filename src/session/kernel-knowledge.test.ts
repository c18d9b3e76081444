import { existsSync } from 'node:fs';
import { expect, test, type TestContext } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { EMPTY_KNOWLEDGE } from '../../test/support/y-knowledge.ts';
import { compile } from '../y/index.ts';
import { KernelKnowledge } from './kernel-knowledge.ts';

function withoutTracefs(context: TestContext): KernelKnowledge {
  requireOrSkip(context, existsSync('/sys/kernel/btf/vmlinux'), 'the kernel has no types (CONFIG_DEBUG_INFO_BTF)');
  return new KernelKnowledge('x86-64', { read: () => undefined, list: () => [] });
}

test('without tracefs the kernel knows its tracepoints, and not their records', (context) => {
  const nothing = withoutTracefs(context);
  expect(nothing.findTracepoint('sched', 'sched_switch')).toEqual({ category: 'sched', name: 'sched_switch', id: 0, fields: [] });
  expect(nothing.findTracepoint('syscalls', 'sys_enter_read')).toBeUndefined();
  const other = new KernelKnowledge('x86-64', { read: () => undefined, list: () => ['sched'] });
  expect(other.findTracepoint('sched', 'sched_switch')).toBeUndefined();
});

test.for<[string, [string, string][]]>([
  ['long n; _probe _tracepoint.sched.sched_switch { n++; }', []],
  ['_probe _tracepoint.sched.sched_switch { printf("%d", _args->prev_pid); }', [['tracefs', 'run as root, or mount tracefs']]],
  ['long n; _probe _tracepoint.syscalls.sys_enter_read { n++; }', [['no-match', '`_syscall.read` takes a system call']]],
])('without tracefs: %s', ([text, expected], context) => {
  const nothing = withoutTracefs(context);
  const knowledge = { ...EMPTY_KNOWLEDGE, findTracepoint: (category: string, name: string) => nothing.findTracepoint(category, name) };
  const compiled = compile({ file: 'test.y', text, resolveInclude: () => undefined }, knowledge);
  const said = compiled.ok ? [] : compiled.error.diagnostics.map(({ code, hint }) => [code, hint]);
  expect(said).toEqual(expected.map(([code, hint]) => [code, expect.stringContaining(hint)]));
});
