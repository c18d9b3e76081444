export { compile, checkSource, type CompileFailure, type CompileOptions, type Compiled, type SourceText } from './compile.ts';
export {
  addAggregate,
  addToBucket,
  emptyAggregate,
  mergeRecord,
  type AggregateLayout,
  type AggregateValue,
} from './engines/aggregate-layout.ts';
export {
  compileEbpf,
  CONTROL,
  decodeEvent,
  decodeInteger,
  decodeKey,
  decodeText,
  DEFAULT_LIMITS,
  encodeKey,
  encodeStoredText,
  LOSSES,
  splitStackId,
  type ArrayLayout,
  type Attachment,
  type BucketsLayout,
  type EbpfDiagnostic,
  type EbpfProgram,
  type EventLayout,
  type GlobalLayout,
  type KernelFeatures,
  type KernelOffsets,
  type PrintLayout,
  type StackEmitter,
  type StorageLayout,
  type TargetFilter,
  type UprobeSite,
} from './engines/ebpf/index.ts';
export {
  describeInteger,
  MemoryStorage,
  SnapshotEngine,
  type AggregateTarget,
  type ArrayEntry,
  type DescribedFrame,
  type Describer,
  type HostIdentity,
  type Key,
  type KeyPart,
  type OutputSink,
  type SnapshotEnvironment,
  type SnapshotMemory,
  type Storage,
} from './engines/snapshot/index.ts';
export { dumpTyped } from './check/index.ts';
export { dumpIr } from './ir/dump.ts';
export { decodeProgram, encodeProgram } from './ir/file/index.ts';
export { applyOptions, type OptionError } from './ir/options.ts';
export type { Description, Loss, Program, SourcePlace } from './ir/program.ts';
export type {
  FunctionSite,
  Knowledge,
  LineSite,
  MappedFile,
  Site,
  Tracepoint,
  TracepointField,
  UsdtOperand,
  UsdtSite,
  VariableSite,
} from './knowledge.ts';
export { drawChart, formatText, type Chart, type PrintValue } from './output/index.ts';
export { dumpAst, findSimilar, includeFrom, parse, renderDiagnostics, type Diagnostic } from './syntax/index.ts';
