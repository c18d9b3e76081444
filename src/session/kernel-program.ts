/** A program compiled for this machine's kernel and for a subject. */
import { err, ok, type Result } from '../base/index.ts';
import { disassemble } from '../bpf/index.ts';
import { listCpus } from '../kernel/index.ts';
import { compileEbpf, DEFAULT_LIMITS, type EbpfDiagnostic, type EbpfProgram, type Program } from '../y/index.ts';
import { examineMachine, type Machine } from './machine.ts';
import { chooseFilter } from './membership.ts';
import type { Subject } from './subject.ts';
import { tableFollowers, takesUserStacks, UnwoundStacks } from './unwound-stacks.ts';

/** The whole object of a session: the program and, when it takes user stacks, those that keep the unwinder's table of processes. */
export function compileForSession(program: Program, subject: Subject): Result<EbpfProgram, readonly EbpfDiagnostic[]> {
  const machine = examineMachine();
  const compiled = compileForKernel(program, subject, machine);
  return compiled.ok ? ok(withTableFollowers(compiled.value, machine)) : compiled;
}

function compileForKernel(program: Program, subject: Subject, machine: Machine): Result<EbpfProgram, readonly EbpfDiagnostic[]> {
  const { architecture } = subject.knowledge;
  return compileEbpf(program, {
    architecture,
    cpus: listCpus('possible').length,
    filter: chooseFilter(subject),
    features: machine.features,
    limits: DEFAULT_LIMITS,
    kernel: machine.offsets,
    pidNamespace: machine.pidNamespace,
    measure: 'hits',
    stacks: new UnwoundStacks(DEFAULT_LIMITS.stacks, { architecture, taskRegisters: machine.taskRegisters }),
  });
}

function withTableFollowers(compiled: EbpfProgram, { offsets }: Machine): EbpfProgram {
  if (!takesUserStacks(compiled.object)) return compiled;
  const followers = tableFollowers(offsets);
  const attachments = followers.map(({ spec, tracepoint }): EbpfProgram['attachments'][number] => ({
    program: spec.name,
    probes: [],
    point: { kind: 'raw-tracepoint', name: tracepoint },
  }));
  return {
    ...compiled,
    object: { ...compiled.object, programs: [...compiled.object.programs, ...followers.map(({ spec }) => spec)] },
    attachments: [...attachments, ...compiled.attachments],
  };
}

/** The kernel's instructions of a program as text, under the lines of the source that they come from. */
export function disassembleProgram(program: Program, subject: Subject): Result<string, readonly EbpfDiagnostic[]> {
  const compiled = compileForKernel(program, subject, examineMachine());
  if (!compiled.ok) return err(compiled.error);
  const programs = compiled.value.object.programs.map(
    (spec) => `; program ${spec.name} (${spec.type})\n${disassemble(spec, { source: true })}`,
  );
  return ok(programs.join('\n'));
}
