import { expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { existsSync } from 'node:fs';
import { KernelKnowledge } from './kernel-knowledge.ts';

test('without tracefs the kernel knows its tracepoints, and not their records', (context) => {
  requireOrSkip(context, existsSync('/sys/kernel/btf/vmlinux'), 'the kernel has no types (CONFIG_DEBUG_INFO_BTF)');
  const nothing = new KernelKnowledge('x86-64', { read: () => undefined, list: () => [] });
  expect(nothing.findTracepoint('sched', 'sched_switch')).toEqual({ category: 'sched', name: 'sched_switch', id: 0, fields: [] });
  expect(nothing.findTracepoint('syscalls', 'sys_enter_read')).toBeUndefined();
  const other = new KernelKnowledge('x86-64', { read: () => undefined, list: () => ['sched'] });
  expect(other.findTracepoint('sched', 'sched_switch')).toBeUndefined();
});
