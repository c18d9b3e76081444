/** The running kernel's types, by which tracing programs name what they attach to. */
import { readFileSync } from 'node:fs';
import { err, type Result } from '../base/index.ts';
import { BtfTypes } from '../btf/index.ts';
import { kernelError, type KernelError } from './error.ts';

const PATH = '/sys/kernel/btf/vmlinux';

export function loadKernelTypes(): Result<BtfTypes, KernelError> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(PATH);
  } catch (cause) {
    return err(
      kernelError('unsupported', `the kernel's types cannot be read (${(cause as Error).message}); it needs CONFIG_DEBUG_INFO_BTF`),
    );
  }
  const types = BtfTypes.open(bytes);
  return types.ok ? types : err(kernelError('failed', `${PATH}: ${types.error.message}`));
}
