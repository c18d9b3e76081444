export { findLastNotAbove } from './binary-search.ts';
export { parseCoreNotes, type CoreMappedFile, type CoreNotes, type CoreProcess, type CoreSignal, type CoreThread } from './core-notes.ts';
export { findDebugAltLink, findDebugLink, matchesDebugLink, type DebugAltLink, type DebugLink } from './debug-link.ts';
export {
  findBytesAt,
  findFileOffset,
  findSection,
  MACHINE,
  parseElf,
  SEGMENT,
  type ElfFile,
  type Section,
  type Segment,
} from './elf-file.ts';
export { type FormatError } from './format-error.ts';
export { readFrameStarts, type FrameStarts } from './frame-starts.ts';
export { parseGoTable, type GoFrame, type GoStackRows, type GoTable } from './go-table.ts';
export { readMiniDebugInfo } from './mini-debug-info.ts';
export { findBuildId, readNotes, type Note } from './notes.ts';
export { readPltSymbols } from './plt.ts';
export { readRelativeValues, type Relocation, type RelocationKind } from './relocations.ts';
export { findSectionBytes, readSection } from './section-bytes.ts';
export { findImageBase, findSymbolAt, readRawSymbols, readSymbols, type RawSymbols, type SymbolTable } from './symbol-table.ts';
export { type OperandRegister, type UsdtArgument, type UsdtOperand } from './usdt-operand.ts';
export { readUsdtProbes, type UsdtProbe } from './usdt.ts';
export { unpackXz } from './xz.ts';
