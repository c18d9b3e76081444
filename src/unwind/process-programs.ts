// Programs that keep the table of processes right between two looks of user space: a child has its parent's mappings from its first
// instruction on, a process that executes another program has none, and what ends makes room.
import { Assembler, type ProgramSpec } from '../bpf/index.ts';
import { PROCESS, UNWIND_MAPS } from './layout.ts';

/** Offsets in the kernel's structs (by BTF). */
export interface ProcessProgramOffsets {
  /** `task_struct.tgid`, `.signal`; `signal_struct.live`. */
  readonly taskTgid: number;
  readonly taskSignal: number;
  readonly signalLive: number;
}

/** Names of the maps that the programs write, which are the caller's: hashes of 4 bytes (a process id) to 4 bytes. */
export interface ProcessProgramMaps {
  /** A child's parent, when that is in the tables. Entries are never deleted: best a `lruHash`. */
  readonly parents: string;
  /** Processes that executed another program, with the value 2 (`UNWIND_STATUS.noProcess`). */
  readonly unknown: string;
}

/** A program, and the raw tracepoint that it belongs on. */
export interface ProcessProgram {
  readonly spec: ProgramSpec;
  readonly tracepoint: string;
}

const CLONE_THREAD = 0x10000;
const NO_PROCESS = 2;
/** Places on the stack: a process id, another, a copied entry. */
const PID = -4;
const OTHER = -8;
const ENTRY = -24;

/** The three programs, for an object that has the maps of `unwindMaps`. */
export function processPrograms(offsets: ProcessProgramOffsets, maps: ProcessProgramMaps): readonly ProcessProgram[] {
  const program = (name: string, tracepoint: string, a: Assembler): ProcessProgram => ({
    spec: { name, type: 'rawTracepoint', ...a.assemble() },
    tracepoint,
  });
  return [
    program('unwind_fork', 'task_newtask', onFork(offsets, maps)),
    program('unwind_exec', 'sched_process_exec', onExec(maps)),
    program('unwind_exit', 'sched_process_exit', onExit(offsets)),
  ];
}

/** r0 = what `map` has for the number at `place` of the stack. */
function lookUp(a: Assembler, map: string, place: number): Assembler {
  return a.loadMap(1, map).move(2, 10).aluImm('add', 2, place).call('map_lookup_elem');
}

function set(a: Assembler, map: string, key: number, value: number): Assembler {
  a.loadMap(1, map).move(2, 10).aluImm('add', 2, key).move(3, 10).aluImm('add', 3, value).moveImm(4, 0);
  return a.call('map_update_elem');
}

function remove(a: Assembler, map: string, key: number): Assembler {
  return a.loadMap(1, map).move(2, 10).aluImm('add', 2, key).call('map_delete_elem');
}

/** The current process's id to `place`. */
function storePid(a: Assembler, place: number): Assembler {
  return a.call('get_current_pid_tgid').aluImm('rsh', 0, 32).store(4, 10, place, 0);
}

/** task_newtask(task, clone_flags) */
function onFork({ taskTgid }: ProcessProgramOffsets, { parents }: ProcessProgramMaps): Assembler {
  const a = new Assembler();
  const out = a.newLabel('out');
  a.move(6, 1).load(8, 0, 6, 8).aluImm('and', 0, CLONE_THREAD).jumpIfImm('ne', 0, 0, out);
  storePid(a, OTHER);
  lookUp(a, UNWIND_MAPS.processes, OTHER).jumpIfImm('eq', 0, 0, out);
  for (let at = 0; at < PROCESS.bytes; at += 8) a.load(8, 1, 0, at).store(8, 10, ENTRY + at, 1);
  a.load(8, 3, 6, 0).aluImm('add', 3, taskTgid).move(1, 10).aluImm('add', 1, PID).moveImm(2, 4);
  a.call('probe_read_kernel').jumpIfImm('ne', 0, 0, out);
  set(a, UNWIND_MAPS.processes, PID, ENTRY);
  set(a, parents, PID, OTHER);
  return a.label(out).moveImm(0, 0).exit();
}

/** sched_process_exec: the old mappings are gone already. */
function onExec({ parents, unknown }: ProcessProgramMaps): Assembler {
  const a = new Assembler();
  const out = a.newLabel('out');
  storePid(a, PID);
  remove(a, UNWIND_MAPS.processes, PID).jumpIfImm('ne', 0, 0, out).storeImm(4, 10, OTHER, NO_PROCESS);
  set(a, unknown, PID, OTHER);
  remove(a, parents, PID);
  return a.label(out).moveImm(0, 0).exit();
}

/** sched_process_exit, with the last thread: `signal->live` is 0 then (do_exit, kernel/exit.c). */
function onExit({ taskSignal, signalLive }: ProcessProgramOffsets): Assembler {
  const a = new Assembler();
  const out = a.newLabel('out');
  a.load(8, 6, 1, 0);
  storePid(a, PID);
  lookUp(a, UNWIND_MAPS.processes, PID).jumpIfImm('eq', 0, 0, out);
  const read = (offset: number, bytes: number): void => {
    a.aluImm('add', 3, offset).move(1, 10).aluImm('add', 1, ENTRY).moveImm(2, bytes);
    a.call('probe_read_kernel').jumpIfImm('ne', 0, 0, out);
  };
  a.move(3, 6);
  read(taskSignal, 8);
  a.load(8, 3, 10, ENTRY);
  read(signalLive, 4);
  a.load(4, 0, 10, ENTRY).jumpIfImm('ne', 0, 0, out);
  remove(a, UNWIND_MAPS.processes, PID);
  return a.label(out).moveImm(0, 0).exit();
}
