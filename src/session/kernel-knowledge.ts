/** What may be asked about the running kernel: its types, functions, tracepoints, system calls. */
import { readFileSync } from 'node:fs';
import { BtfTypes } from '../btf/index.ts';
import type { CType } from '../ctypes/index.ts';
import type { TracingFiles } from '../kernel/index.ts';
import { matchGlob } from '../symbols/index.ts';
import { findSimilar, type Knowledge, type Tracepoint } from '../y/index.ts';
import { readSyscalls, type Syscall } from './syscalls.ts';
import { parseTracepointFormat } from './tracepoint-format.ts';

const TAGS = { struct: ['struct'], union: ['union'], enum: ['enum'], any: ['typedef', 'integer', 'struct', 'union', 'enum'] } as const;

/** Where tracefs cannot be read, the kernel's types tell which tracepoints there are, and not what their records hold. */
const UNDESCRIBED = 0;

export class KernelKnowledge {
  readonly #architecture: Knowledge['architecture'];
  readonly #tracing: TracingFiles;
  readonly #btfPath: string;
  #types: BtfTypes | 'none' | undefined;
  #syscalls: readonly Syscall[] | undefined;

  constructor(architecture: Knowledge['architecture'], tracing: TracingFiles, btfPath = '/sys/kernel/btf/vmlinux') {
    this.#architecture = architecture;
    this.#tracing = tracing;
    this.#btfPath = btfPath;
  }

  findType(name: string, tag: 'struct' | 'union' | 'enum' | 'any'): CType | undefined {
    const types = this.#loadTypes();
    for (const kind of TAGS[tag]) {
      const type = types?.findType(name, kind);
      if (type !== undefined) return type;
    }
    return undefined;
  }

  findEnumerator(name: string): { readonly value: bigint; readonly type: CType } | undefined {
    const found = this.#loadTypes()?.findEnumerators(name)[0];
    return found && { value: found.value, type: found.type };
  }

  findFunction(name: string): ReturnType<Knowledge['findKernelFunction']> {
    const found = this.#loadTypes()?.findFunction(name);
    return found && { name: found.name, type: found.type };
  }

  findTracepoint(category: string, name: string): Tracepoint | undefined {
    const text = this.#tracing.read(`${category}/${name}/format`);
    if (text !== undefined) return parseTracepointFormat(category, text);
    if (this.#tracing.list('.').length > 0 || this.#loadTypes()?.findType(`btf_trace_${name}`, 'typedef') === undefined) return undefined;
    return { category, name, id: UNDESCRIBED, fields: [] };
  }

  findSyscalls(pattern: string): readonly Syscall[] {
    const matches = matchGlob(pattern);
    return this.#allSyscalls().filter(({ name }) => matches(name));
  }

  /** Tracepoints are given, and named, as `category.name`. */
  similar(name: string, what: 'tracepoint' | 'syscall'): readonly string[] {
    if (what === 'syscall')
      return findSimilar(
        name,
        this.#allSyscalls().map((call) => call.name),
      );
    const tracepoints = this.#tracing.list('.').flatMap((category) => this.#tracing.list(category).map((one) => `${category}.${one}`));
    return findSimilar(name, tracepoints);
  }

  #allSyscalls(): readonly Syscall[] {
    this.#syscalls ??= readSyscalls(this.#architecture, (name, tag) => this.findType(name, tag));
    return this.#syscalls;
  }

  #loadTypes(): BtfTypes | undefined {
    this.#types ??= readTypes(this.#btfPath) ?? 'none';
    return this.#types === 'none' ? undefined : this.#types;
  }
}

function readTypes(path: string): BtfTypes | undefined {
  try {
    const types = BtfTypes.open(readFileSync(path));
    return types.ok ? types.value : undefined;
  } catch {
    return undefined;
  }
}
