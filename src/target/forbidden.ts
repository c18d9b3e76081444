import { readFileSync } from 'node:fs';
import type { TargetError } from './target.ts';

/** What decides whether one process may look into another (kernel/ptrace.c `__ptrace_may_access`, security/yama). */
export interface AccessFacts {
  readonly ourUid: number;
  readonly targetUid: number;
  /** CAP_SYS_PTRACE in our effective set. */
  readonly hasPtraceCapability: boolean;
  /** /proc/sys/kernel/yama/ptrace_scope; undefined without Yama. */
  readonly ptraceScope: number | undefined;
  /** Our user namespace is the first one: capabilities count outside of it. */
  readonly isInitialUserNamespace: boolean;
  /** Another process already traces the target; 0 for none. */
  readonly tracerPid: number;
}

const CAP_SYS_PTRACE = 19;

/** Says why looking into `pid` is not permitted and what would help. */
export function explainForbidden(pid: number, what: string, facts: AccessFacts): TargetError {
  return { kind: 'forbidden', message: `${what} of process ${pid} is not permitted: ${reasonOf(facts)}` };
}

function reasonOf(facts: AccessFacts): string {
  if (facts.tracerPid > 0) return `process ${facts.tracerPid} traces it already (a debugger, or strace?); end that one first`;
  if (facts.hasPtraceCapability && !facts.isInitialUserNamespace)
    return 'our capabilities count only inside of our user namespace; run on the host, or in a container with the host’s user namespace';
  if (facts.hasPtraceCapability) return 'we hold CAP_SYS_PTRACE, so a security module (AppArmor, SELinux) forbids it; see its log';
  if (facts.ourUid !== facts.targetUid)
    return `it belongs to user ${facts.targetUid} and we run as ${facts.ourUid}; run as root, as that user, or with CAP_SYS_PTRACE`;
  if (facts.ptraceScope !== undefined && facts.ptraceScope > 0)
    return `kernel.yama.ptrace_scope is ${facts.ptraceScope}; run as root, with CAP_SYS_PTRACE, or set it to 0 with sysctl`;
  return 'it has raised its privileges or is not dumpable (prctl PR_SET_DUMPABLE); run as root or with CAP_SYS_PTRACE';
}

/** Collects the facts from /proc. */
export function loadAccessFacts(targetUid: number, tracerPid: number): AccessFacts {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readText('/proc/self/status') ?? '')?.[1] ?? '0';
  const scope = readText('/proc/sys/kernel/yama/ptrace_scope');
  return {
    ourUid: process.geteuid?.() ?? -1,
    targetUid,
    hasPtraceCapability: ((BigInt(`0x${capabilities}`) >> BigInt(CAP_SYS_PTRACE)) & 1n) === 1n,
    ptraceScope: scope === undefined ? undefined : Number(scope),
    isInitialUserNamespace: /^\s*0\s+0\s+4294967295\s*$/.test(readText('/proc/self/uid_map') ?? ''),
    tracerPid,
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
