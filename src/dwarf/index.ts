export { findFrameRow, findFrameRule, readCallFrames, type FrameCounts, type FrameTable, type LoadAddresses } from './call-frames.ts';
export type { FormatError } from './format-error.ts';
export { parseFrameHeader, type FrameHeader } from './frame-pointers.ts';
export type { CfaRule, FrameArchitecture, FrameRule, RegisterRule } from './frame-rules.ts';
export type { DebugSections } from './sections.ts';
