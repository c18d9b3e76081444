/** Whether the kernel has links of many uprobes. */
import { ATTACH_TYPES, Assembler } from '../bpf/index.ts';
import { callBpf, closeDescriptor, errnoOf } from '../native/index.ts';
import { Command } from './commands.ts';
import { loadProgram } from './program-load.ts';
import { kernelError } from './error.ts';
import { err } from '../base/index.ts';

const EBADF = 9;

/** Tries a link on a directory: a kernel that knows the link says EBADF, another EINVAL (as libbpf finds out). False without rights too. */
export function hasUprobeLink(attach: 'uprobeMulti' | 'uprobeSession'): boolean {
  const spec = { name: 'probe', type: 'kprobe', attach, ...new Assembler().moveImm(0, 0).exit().assemble() } as const;
  const types = () => err(kernelError('unsupported', 'not asked for'));
  const program = loadProgram(spec, { findMap: () => undefined, types, uprobes: 'multi' });
  if (!program.ok) return false;
  const link = callBpf('LINK_CREATE uprobe_multi', Command.LINK_CREATE, 64, (attributes) => {
    attributes.setU32(0, program.value.fd);
    attributes.setU32(8, ATTACH_TYPES[attach]);
    attributes.pointToText(16, '/');
    attributes.pointToNumbers(24, [0]);
    attributes.setU32(48, 1);
  });
  closeDescriptor(program.value.fd);
  if (link.ok) closeDescriptor(link.value);
  return link.ok || errnoOf(link.error) === EBADF;
}
