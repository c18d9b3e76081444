export { compareCommands, type CommandSummary } from './command.ts';
export { describeMachine } from './machine.ts';
export { measure, measureInTurn, type MeasureOptions } from './measure.ts';
export { listProcessTree, readCommandLine, readCpuTimeMs, readMemory, readPeakMemory } from './process-usage.ts';
export { replaceSection, saveSection } from './report.ts';
export { quantile, summarize, type Summary } from './statistics.ts';
export { formatMegabytes, formatNumber, formatSummary, formatTable } from './table.ts';
