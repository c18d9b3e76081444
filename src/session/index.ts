export { disassembleProgram } from './kernel-program.ts';
export { startLiveSession, type LiveError, type LiveOptions } from './live-session.ts';
export { relocateProgram } from './relocate-program.ts';
export { describeLosses, type EndReason, type LossReport, type ProbeReport, type SessionReport } from './report.ts';
export { startSnapshotSession, type Session, type SnapshotOptions } from './snapshot-session.ts';
export { openSubject, Subject, type SubjectChoice } from './subject.ts';
export { splitWords, StartedCommand, type CommandError, type CommandOutcome } from './started-command.ts';
