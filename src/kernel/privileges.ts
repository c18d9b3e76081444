/** What this process may do, and what the machine allows: facts from /proc, none of them proof (see `features.ts`, which tries). */
import { release } from 'node:os';
import { callBpf, errnoOf, loadPageSize, pokePerfEvent } from '../native/index.ts';
import { readText } from './tracefs.ts';

/** Bits of CapEff (include/uapi/linux/capability.h). */
const CAPABILITIES = { SYS_PTRACE: 19, SYS_ADMIN: 21, PERFMON: 38, BPF: 39 } as const;

export type Capability = keyof typeof CAPABILITIES;

const NO_SUCH_COMMAND = 9999;
const EPERM = 1;
const ENOSYS = 38;

export interface Privileges {
  readonly capabilities: ReadonlySet<Capability>;
  /** Root here is nobody outside: capabilities do not count for the kernel. */
  readonly inUserNamespace: boolean;
  /** Which of the two system calls do not reach the kernel: a filter (seccomp) refuses them, or the kernel was built without. */
  readonly blockedCalls: readonly { readonly call: 'bpf' | 'perf_event_open'; readonly reason: 'filter' | 'absent' }[];
}

/** Facts for the report; undefined where a file cannot be read. */
export interface SystemFacts {
  readonly kernel: string;
  /** `none`, `integrity`, `confidentiality`. */
  readonly lockdown: string | undefined;
  readonly perfEventParanoid: number | undefined;
  readonly unprivilegedBpfDisabled: number | undefined;
  readonly kptrRestrict: number | undefined;
  readonly ptraceScope: number | undefined;
  readonly hasTypes: boolean;
}

/** Why the kernel cannot be called at all from here; undefined when it can. */
export function findCallTrouble(): string | undefined {
  const loaded = loadPageSize();
  return loaded.ok ? undefined : loaded.error.message;
}

export function readPrivileges(): Privileges {
  const effective = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(readText('/proc/self/status') ?? '')?.[1] ?? '0'}`);
  const names = Object.keys(CAPABILITIES) as Capability[];
  const held = names.filter((name) => ((effective >> BigInt(CAPABILITIES[name])) & 1n) === 1n);
  // CAP_SYS_ADMIN stood for both before Linux 5.8, and still does.
  const implied: Capability[] = held.includes('SYS_ADMIN') ? ['BPF', 'PERFMON'] : [];
  return {
    capabilities: new Set([...held, ...implied]),
    inUserNamespace: !/^\s*0\s+0\s+4294967295\s*$/.test(readText('/proc/self/uid_map') ?? '0 0 4294967295'),
    blockedCalls: findBlockedCalls(),
  };
}

/** A call that cannot succeed tells by its error whether it got to the kernel. */
function findBlockedCalls(): Privileges['blockedCalls'] {
  const bpf = callBpf('', NO_SUCH_COMMAND, 16, () => undefined);
  const perf = pokePerfEvent();
  const answers = [
    { call: 'bpf', errno: bpf.ok ? 0 : errnoOf(bpf.error) },
    { call: 'perf_event_open', errno: perf.ok ? 0 : errnoOf(perf.error) },
  ] as const;
  return answers
    .filter(({ errno }) => errno === EPERM || errno === ENOSYS)
    .map(({ call, errno }) => ({ call, reason: errno === EPERM ? 'filter' : 'absent' }));
}

export function readSystemFacts(): SystemFacts {
  const number = (path: string) => {
    const text = readText(path);
    return text === undefined ? undefined : Number(text);
  };
  return {
    kernel: release(),
    lockdown: /\[(\w+)\]/.exec(readText('/sys/kernel/security/lockdown') ?? '')?.[1],
    perfEventParanoid: number('/proc/sys/kernel/perf_event_paranoid'),
    unprivilegedBpfDisabled: number('/proc/sys/kernel/unprivileged_bpf_disabled'),
    kptrRestrict: number('/proc/sys/kernel/kptr_restrict'),
    ptraceScope: number('/proc/sys/kernel/yama/ptrace_scope'),
    hasTypes: readText('/sys/kernel/btf/vmlinux') !== undefined,
  };
}
