/** Unit headers (DWARF 5, 7.5.1) of `.debug_info` and `.debug_types`, and what a unit's root entry says about reading the rest. */
import { UnitType } from './constants.ts';
import type { Cursor } from './cursor.ts';
import type { Unit, UnitFile } from './die.ts';

/**
 * Reads the header at `start`.
 *
 * @throws FormatFault when the header cannot be read; `end` of the damaged unit is not known then
 */
export function parseUnit(file: UnitFile, cursor: Cursor, base: number, start: number, index: number): Unit {
  cursor.seek(start);
  const { end, offsetSize } = cursor.unitEnd();
  cursor.end = end;
  const version = cursor.u16();
  if (version < 2 || version > 5) {
    return { ...BLANK, file, cursor, base, start, end, index, offsetSize, version, root: end };
  }
  let type: number = cursor.section.startsWith('.debug_types') ? UnitType.type : UnitType.compile;
  let addressSize: number;
  let abbreviationsAt: number;
  if (version >= 5) {
    type = cursor.u8();
    addressSize = cursor.u8();
    abbreviationsAt = cursor.unsigned(offsetSize);
  } else {
    abbreviationsAt = cursor.unsigned(offsetSize);
    addressSize = cursor.u8();
  }
  if (addressSize !== 4 && addressSize !== 8) cursor.fail(`addresses of ${addressSize} bytes`);
  const isType = type === UnitType.type || type === UnitType.splitType;
  const hasDwoId = type === UnitType.skeleton || type === UnitType.splitCompile;
  const dwoId = hasDwoId ? cursor.bigU64() : undefined;
  const signature = isType ? cursor.bigU64() : undefined;
  const typeOffset = isType ? cursor.unsigned(offsetSize) : 0;
  const shape = { version, addressSize: addressSize as 4 | 8, offsetSize };
  const place = { file, cursor, base, start, end, index, root: cursor.pos };
  return { ...shape, ...place, type, abbreviationsAt, signature, typeOffset, dwoId };
}

/** A unit of a version that we do not know: it is passed over, having no entries. */
const BLANK = { addressSize: 8 as const, type: 0, abbreviationsAt: 0, signature: undefined, typeOffset: 0, dwoId: undefined };
