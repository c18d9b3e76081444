export { parseCoreNotes, type CoreMappedFile, type CoreNotes, type CoreProcess, type CoreSignal, type CoreThread } from './core-notes.ts';
export {
  findBytesAt,
  findFileOffset,
  findSection,
  isElf,
  MACHINE,
  parseElf,
  SECTION,
  SECTION_FLAG,
  SEGMENT,
  type ElfFile,
  type Section,
  type Segment,
} from './elf-file.ts';
export { type FormatError } from './format-error.ts';
export { findBuildId, findGoBuildId, parseNotes, readNotes, type Note } from './notes.ts';
export { findSectionBytes, readRawSection, readSection } from './section-bytes.ts';
