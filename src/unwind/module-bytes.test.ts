import { existsSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { requireOrSkip } from '../../test/support/require-or-skip.ts';
import { ok } from '../base/index.ts';
import type { TargetModule } from '../target/index.ts';
import { compileModule } from './compact-table.ts';
import { readModuleBytes } from './module-bytes.ts';

function moduleOf(path: string): TargetModule {
  const made: Partial<TargetModule> = { path, hostPath: path, bytes: () => ok(readFileSync(path)) };
  return made as TargetModule;
}

test.for([process.execPath, '/bin/true'])('readModuleBytes() gives the same rows as all of %s', { timeout: 60_000 }, (path, context) => {
  requireOrSkip(context, existsSync(path), `no ${path}; install it: apt-get install coreutils`);
  const read = readModuleBytes(moduleOf(path));
  if (!read.ok) throw new Error(read.error.message);
  expect(read.value.length).toBe(statSync(path).size);
  expect(compileModule(read.value)).toEqual(compileModule(readFileSync(path)));
});

test('readModuleBytes() leaves what unwinding does not need unread', (context) => {
  requireOrSkip(context, statSync(process.execPath).size > 16 << 20, 'node is a small program here');
  const read = readModuleBytes(moduleOf(process.execPath));
  const whole = readFileSync(process.execPath);
  const middle = Math.floor(whole.length / 4);
  expect(read.ok && Buffer.from(read.value).equals(whole)).toBe(false);
  expect(read.ok && read.value.subarray(middle, middle + 4096).some((byte) => byte !== 0)).toBe(false);
});
