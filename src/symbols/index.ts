export type { DebugLines, DebugPlace, SourcePlace } from './debug-lines.ts';
export { debuginfodUrls } from './debuginfod.ts';
export { demangle } from './demangle.ts';
export { matchGlob } from './glob.ts';
export type { KernelSymbols, KernelSymbolsState } from './kernel-symbols.ts';
export type { ModuleSymbols, OpenLines, SymbolSource } from './module-symbols.ts';
export { Symbolizer, type FetchReport, type Frame, type SymbolizerOptions, type SymbolLocation } from './symbolizer.ts';
