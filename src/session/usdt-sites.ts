/** Static probes of a file as the compiler wants them. */
import { readUsdtProbes, type ElfFile, type UsdtArgument } from '../elf/index.ts';
import type { UsdtOperand, UsdtSite } from '../y/index.ts';

const WIDTHS = [1, 2, 4, 8] as const;

/** All sites of `provider:name` in a file. An operand that is not understood reads as the constant 0. */
export function findUsdtSites(elf: ElfFile, file: Pick<UsdtSite, 'module' | 'buildId'>, provider: string, name: string): UsdtSite[] {
  return readUsdtProbes(elf)
    .filter((probe) => probe.provider === provider && probe.name === name && probe.fileOffset !== undefined)
    .map((probe) => ({
      ...file,
      address: BigInt(probe.location),
      fileOffset: probe.fileOffset!,
      semaphore: probe.semaphoreFileOffset,
      operands: probe.arguments.map(toOperand),
    }));
}

function toOperand({ operand, sizeBytes, signed }: UsdtArgument): UsdtOperand {
  const size = WIDTHS.find((width) => width === sizeBytes) ?? 8;
  if (operand.kind === 'register') return { kind: 'register', size, signed, register: operand.register.name };
  if (operand.kind !== 'memory') return { kind: 'constant', size, signed, value: operand.kind === 'constant' ? operand.value : 0n };
  const scale = WIDTHS.find((width) => width === operand.scale) ?? 1;
  const { base, index, displacement } = operand;
  return { kind: 'memory', size, signed, base: base?.name ?? '', index: index?.name, scale, displacement: BigInt(displacement) };
}
