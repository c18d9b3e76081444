/**
 * Compiled programs as files (`.yo`): a header of 16 bytes, then one value.
 *
 *     0  "FLYO"     4  version, u16     6  zero, u16     8  length of the value, u32     12  CRC-32 of the value, u32
 *
 * All little-endian. Functions' types are left out: nobody needs them after compilation.
 */
import { err, ok, type Result } from '../../../base/index.ts';
import type { CType } from '../../../ctypes/index.ts';
import type { Probe, Program } from '../program.ts';
import { verifyIr } from '../verify.ts';
import { ValueError, ValueReader } from './read-value.ts';
import { ValueWriter } from './write-value.ts';

/** Changes with every change of `Program` that an older reader would misread. */
export const PROGRAM_FILE_VERSION = 2;
const MAGIC = 0x4f594c46;
const HEADER = 16;

export interface ProgramFileError {
  readonly kind: 'not-a-program' | 'other-version' | 'damaged';
  readonly message: string;
}

export function encodeProgram(program: Program): Uint8Array {
  const writer = new ValueWriter();
  writer.value(toPlain(program));
  const body = writer.finish();
  const bytes = new Uint8Array(HEADER + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, PROGRAM_FILE_VERSION, true);
  view.setUint32(8, body.length, true);
  view.setUint32(12, crc32(body), true);
  bytes.set(body, HEADER);
  return bytes;
}

/** Reads a program back; the bytes may be from anywhere. */
export function decodeProgram(bytes: Uint8Array): Result<Program, ProgramFileError> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEADER || view.getUint32(0, true) !== MAGIC) {
    return fail('not-a-program', 'this is not a compiled program: it does not begin with "FLYO"');
  }
  const version = view.getUint16(4, true);
  if (version !== PROGRAM_FILE_VERSION) {
    return fail(
      'other-version',
      `the program was compiled by another version (format ${version}, and this one reads ${PROGRAM_FILE_VERSION}): compile it again`,
    );
  }
  const body = bytes.subarray(HEADER);
  if (body.length !== view.getUint32(8, true))
    return fail('damaged', `the program has ${body.length} bytes, and ${view.getUint32(8, true)} were written`);
  if (crc32(body) !== view.getUint32(12, true)) return fail('damaged', 'the checksum of the program is wrong: the file is damaged');
  return readBody(body);
}

function readBody(body: Uint8Array): Result<Program, ProgramFileError> {
  let program: Program;
  try {
    program = new ValueReader(body).whole() as Program;
  } catch (thrown) {
    if (thrown instanceof ValueError) return fail('damaged', `the program cannot be read: ${thrown.message}`);
    throw thrown;
  }
  const problem = findProblem(program);
  return problem === undefined ? ok(program) : fail('damaged', `the program is not well-formed: ${problem}`);
}

/** A wrong shape shows as a wrong index or as a missing field. */
function findProblem(program: Program): string | undefined {
  try {
    return verifyIr(program)[0];
  } catch (thrown) {
    if (thrown instanceof TypeError) return thrown.message;
    throw thrown;
  }
}

function fail(kind: ProgramFileError['kind'], message: string): Result<never, ProgramFileError> {
  return err({ kind, message });
}

/** Without functions' types, which may be the half of a program's debug information; enumerations copied out of lazy readers. */
function toPlain(program: Program): Program {
  const type = (one: CType | undefined): CType | undefined => (one?.kind === 'enum' ? { ...one, enumerators: [...one.enumerators] } : one);
  const spec = <T extends object>(one: T): T => ('type' in one ? { ...one, type: type(one.type as CType | undefined) } : one);
  return {
    ...program,
    probes: program.probes.map(withoutTypes),
    arrays: program.arrays.map((array) => ({ ...array, keys: array.keys.map(spec), value: spec(array.value) })),
  };
}

function withoutTypes(probe: Probe): Probe {
  const { point } = probe;
  if (point.kind !== 'function' && point.kind !== 'return' && point.kind !== 'instruction') return probe;
  const sites = point.sites.map((site) => ('type' in site ? { ...site, type: undefined } : site));
  return { ...probe, point: { ...point, sites } as typeof point };
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

/** CRC-32 as of ISO 3309, as in gzip. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!;
  return (crc ^ 0xffffffff) >>> 0;
}
