/** Loading programs: relocation of maps, BTF, the verifier's verdict. */
import { err, ok, type Result } from '../base/index.ts';
import {
  ATTACH_TYPES,
  encodeProgramBtf,
  FUNCTION_INFO_BYTES,
  LINE_INFO_BYTES,
  PROGRAM_TYPES,
  SLOT_BYTES,
  type LineInfo,
  type ProgramBtf,
  type ProgramSpec,
} from '../bpf/index.ts';
import { callBpf, closeDescriptor, Errno, errnoOf, type NativeError } from '../native/index.ts';
import { Command, encodeName } from './commands.ts';
import { kernelError, toKernelError, type KernelError } from './error.ts';
import { loadBtf, type KernelMap } from './kernel-map.ts';
import type { BtfKind, BtfTypes } from '../btf/index.ts';

const BPF_F_SLEEPABLE = 16;
const ATTRIBUTE_BYTES = 144;
const LOG_BYTES = 4 << 20;
const LOG_LINES = 12;
const PSEUDO_MAP_FD = 1;
const PSEUDO_MAP_VALUE = 2;

/** What the kernel names when it is asked for the types it may attach to. */
const ATTACH_PREFIX: Readonly<Record<string, { readonly prefix: string; readonly kind: BtfKind }>> = {
  traceRawTracepoint: { prefix: 'btf_trace_', kind: 'typedef' },
  traceIterator: { prefix: 'bpf_iter_', kind: 'function' },
  traceEntry: { prefix: '', kind: 'function' },
  traceExit: { prefix: '', kind: 'function' },
};

export interface LoadContext {
  readonly findMap: (name: string) => KernelMap | undefined;
  /** The kernel's types; asked for when a program of type `tracing` is loaded. */
  readonly types: () => Result<BtfTypes, KernelError>;
  /** Whether uprobes are attached through one link for many (`multi`) or one perf event each. */
  readonly uprobes: 'multi' | 'perf';
  /** Also return the verifier's log when it let the program pass. */
  readonly verbose?: boolean;
}

export interface LoadedProgram {
  readonly fd: number;
  /** The verifier's log; empty unless asked for. */
  readonly log: string;
}

/** Loads one program: first without a log, which is quicker; when refused, again with one. The descriptor is the caller's. */
export function loadProgram(spec: ProgramSpec, context: LoadContext): Result<LoadedProgram, KernelError> {
  const code = relocate(spec, context.findMap);
  if (!code.ok) return code;
  const attachId = findAttachId(spec, context);
  if (!attachId.ok) return attachId;
  const btf = loadProgramBtf(spec);
  if (!btf.ok) return btf;
  const load = { spec, code: code.value, attachId: attachId.value, btf: btf.value, expected: expectedAttach(spec, context) };
  const quick = context.verbose === true ? tryLoad(load, LOG_BYTES, 2) : tryLoad(load, 0);
  let log = quick.log;
  let result = quick.result;
  if (!result.ok && context.verbose !== true) ({ result, log } = tryLoad(load, LOG_BYTES));
  if (btf.value !== undefined) closeDescriptor(btf.value.fd);
  return result.ok ? ok({ fd: result.value, log }) : err(explainRefusal(spec, result.error, log));
}

interface Load {
  readonly spec: ProgramSpec;
  readonly code: Uint8Array;
  readonly attachId: number;
  readonly btf: (ProgramBtf & { readonly fd: number }) | undefined;
  readonly expected: number;
}

/** A signal to our thread interrupts the verifier (kernel/bpf/verifier.c, `do_check`): the same again, so often. */
const MOST_TRIES = 20;

function tryLoad(load: Load, logBytes: number, level = 1): { result: Result<number, NativeError>; log: string } {
  let tried = loadOnce(load, logBytes, level);
  for (let tries = 1; tries < MOST_TRIES && !tried.result.ok && errnoOf(tried.result.error) === Errno.EAGAIN; tries++) {
    tried = loadOnce(load, logBytes, level);
  }
  return tried;
}

/** `level` 1 logs what leads to a refusal, 2 every instruction. */
function loadOnce(load: Load, logBytes: number, level: number): { result: Result<number, NativeError>; log: string } {
  const { spec, code, attachId, btf, expected } = load;
  let log: Uint8Array | undefined;
  const result = callBpf('PROG_LOAD', Command.PROG_LOAD, ATTRIBUTE_BYTES, (attributes) => {
    attributes.setU32(0, PROGRAM_TYPES[spec.type]);
    attributes.setU32(4, code.length / SLOT_BYTES);
    attributes.pointToCopy(8, code);
    attributes.pointToText(16, 'GPL');
    if (logBytes > 0) {
      attributes.setU32(24, level);
      attributes.setU32(28, logBytes);
      log = attributes.pointToRoom(32, logBytes);
    }
    attributes.setU32(44, spec.sleepable === true || spec.type === 'syscall' ? BPF_F_SLEEPABLE : 0);
    attributes.setBytes(48, encodeName(spec.name));
    attributes.setU32(68, expected);
    if (btf !== undefined) {
      attributes.setU32(72, btf.fd);
      attributes.setU32(76, FUNCTION_INFO_BYTES);
      attributes.pointToCopy(80, btf.functionInfo);
      attributes.setU32(88, btf.functionInfo.length / FUNCTION_INFO_BYTES);
      if (btf.lineInfo.length > 0) {
        attributes.setU32(92, LINE_INFO_BYTES);
        attributes.pointToCopy(96, btf.lineInfo);
        attributes.setU32(104, btf.lineInfo.length / LINE_INFO_BYTES);
      }
    }
    attributes.setU32(108, attachId);
  });
  const end = log?.indexOf(0) ?? 0;
  return { result, log: log === undefined ? '' : new TextDecoder().decode(log.slice(0, end < 0 ? undefined : end)) };
}

function expectedAttach(spec: ProgramSpec, context: LoadContext): number {
  if (spec.attach === undefined) return 0;
  // A program meant for the link of many probes cannot be put on a perf event.
  return spec.attach === 'uprobeMulti' && context.uprobes === 'perf' ? 0 : ATTACH_TYPES[spec.attach];
}

/** Puts the maps' descriptors into a copy of the code. */
function relocate(spec: ProgramSpec, findMap: LoadContext['findMap']): Result<Uint8Array, KernelError> {
  const code = spec.code.slice();
  const data = new DataView(code.buffer);
  for (const { slot, map: name, kind, offset } of spec.maps) {
    const map = findMap(name);
    if (map === undefined) return err(kernelError('failed', `program ${spec.name} uses the map ${name}, which the object lacks`));
    const at = slot * SLOT_BYTES;
    data.setUint8(at + 1, (data.getUint8(at + 1) & 0xf) | ((kind === 'map' ? PSEUDO_MAP_FD : PSEUDO_MAP_VALUE) << 4));
    data.setInt32(at + 4, map.fd, true);
    data.setInt32(at + SLOT_BYTES + 4, kind === 'map' ? 0 : offset, true);
  }
  return ok(code);
}

function findAttachId(spec: ProgramSpec, context: LoadContext): Result<number, KernelError> {
  const rule = ATTACH_PREFIX[spec.attach ?? ''];
  if (spec.type !== 'tracing' || rule === undefined) return ok(0);
  const types = context.types();
  if (!types.ok) return types;
  const name = `${rule.prefix}${spec.attachTo ?? ''}`;
  const id = types.value.idOf(name, rule.kind);
  if (id === undefined) return err(kernelError('not-found', `program ${spec.name}: this kernel has no ${spec.attachTo ?? ''} (${name})`));
  return ok(id);
}

function loadProgramBtf(spec: ProgramSpec): Result<Load['btf'], KernelError> {
  const functions = spec.functions.length > 0 || spec.lines.length === 0 ? spec.functions : [{ slot: 0, name: 'main', parameters: [] }];
  if (functions.length === 0) return ok(undefined);
  const btf = encodeProgramBtf(functions, spec.lines);
  const fd = loadBtf(btf.btf);
  return fd.ok ? ok({ ...btf, fd: fd.value }) : fd;
}

/** The verifier's last lines, and the line of the source at the instruction where it stopped. */
function explainRefusal(spec: ProgramSpec, error: NativeError, log: string): KernelError {
  const lines = log.split('\n').filter((line) => line !== '' && !line.startsWith('processed ') && !line.startsWith('verification time'));
  const errno = errnoOf(error);
  if (lines.length === 0) return explainSilence(spec, error, errno);
  const line = findStop(spec.lines, lines);
  const reason = lines.at(-1) ?? error.message;
  const place = line === undefined ? '' : `; at ${line.file}:${line.line}: ${line.text.trim()}`;
  const message = `the kernel refuses program ${spec.name}: ${reason}${place}`;
  return { kind: 'refused', program: spec.name, message, log: lines.slice(-LOG_LINES), line, errno };
}

/** Refused before the verifier: a right, or a policy. */
function explainSilence(spec: ProgramSpec, error: NativeError, errno: number): KernelError {
  const isHook = spec.attach === 'traceEntry' || spec.attach === 'traceExit' || spec.type === 'lsm';
  if (errno === Errno.EPERM && isHook) {
    const message = `program ${spec.name}: this kernel's policy, probably its lockdown, does not let functions of the kernel be hooked (EPERM before verification); use tracepoints or uprobes instead`;
    return { kind: 'forbidden', message, errno };
  }
  return toKernelError(error, `program ${spec.name}`);
}

function findStop(info: readonly LineInfo[], log: readonly string[]): LineInfo | undefined {
  const last = log.findLast((line) => /^\d+: \([0-9a-f]{2}\)/.test(line));
  const slot = last === undefined ? undefined : Number.parseInt(last, 10);
  return slot === undefined ? undefined : info.findLast((line) => line.slot <= slot);
}
