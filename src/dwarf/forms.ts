/** How attributes' values are written (DWARF 5, 7.5.6): passing over them, and where each kind of value lies. */
import { Form } from './constants.ts';
import type { Cursor } from './cursor.ts';

/** What the size of a value depends on, besides its form. */
export interface UnitShape {
  readonly version: number;
  readonly addressSize: 4 | 8;
  readonly offsetSize: 4 | 8;
}

/** In `SIZES`: the value's size is in the value, or depends on the unit. */
const VARIABLE = -1;
const ADDRESS = -2;
const OFFSET = -3;
const UNKNOWN = -4;

const SIZES = new Int8Array(0x30).fill(UNKNOWN);
for (const form of [Form.flagPresent, Form.implicitConst]) SIZES[form] = 0;
for (const form of [Form.data1, Form.flag, Form.ref1, Form.strx1, Form.addrx1]) SIZES[form] = 1;
for (const form of [Form.data2, Form.ref2, Form.strx2, Form.addrx2]) SIZES[form] = 2;
for (const form of [Form.strx3, Form.addrx3]) SIZES[form] = 3;
for (const form of [Form.data4, Form.ref4, Form.strx4, Form.addrx4, Form.refSup4]) SIZES[form] = 4;
for (const form of [Form.data8, Form.ref8, Form.refSig8, Form.refSup8]) SIZES[form] = 8;
SIZES[Form.data16] = 16;
SIZES[Form.addr] = ADDRESS;
for (const form of [Form.strp, Form.secOffset, Form.strpSup, Form.lineStrp, Form.refAddr]) SIZES[form] = OFFSET;
const VARIABLE_FORMS = [Form.block, Form.block1, Form.block2, Form.block4, Form.exprloc, Form.string, Form.sdata, Form.udata];
for (const form of [...VARIABLE_FORMS, Form.refUdata, Form.strx, Form.addrx, Form.loclistx, Form.rnglistx, Form.indirect])
  SIZES[form] = VARIABLE;

/** Bytes of a value of `form`, or -1 when only the value itself tells (or the form is not known). */
export function fixedSize(form: number, shape: UnitShape): number {
  if (form === Form.gnuRefAlt || form === Form.gnuStrpAlt) return shape.offsetSize;
  const size = SIZES[form] ?? UNKNOWN;
  if (size >= 0) return size;
  if (size === ADDRESS) return shape.addressSize;
  if (size !== OFFSET) return -1;
  // DWARF 2 wrote references to other units as addresses.
  return form === Form.refAddr && shape.version === 2 ? shape.addressSize : shape.offsetSize;
}

/** Passes over a value. @throws FormatFault for a form that is not known, or a value that is cut short */
export function skipForm(cursor: Cursor, form: number, shape: UnitShape): void {
  const size = fixedSize(form, shape);
  if (size >= 0) return cursor.skip(size);
  switch (form) {
    case Form.string:
      cursor.skipText();
      return;
    case Form.block:
    case Form.exprloc:
      return cursor.skip(cursor.uleb());
    case Form.block1:
      return cursor.skip(cursor.u8());
    case Form.block2:
      return cursor.skip(cursor.u16());
    case Form.block4:
      return cursor.skip(cursor.u32());
    case Form.sdata:
    case Form.udata:
    case Form.refUdata:
    case Form.strx:
    case Form.addrx:
    case Form.loclistx:
    case Form.rnglistx:
    case Form.gnuAddrIndex:
    case Form.gnuStrIndex:
      return cursor.skipLeb();
    case Form.indirect: {
      const inner = cursor.uleb();
      if (inner === Form.indirect || inner === Form.implicitConst) cursor.fail(`form 0x${inner.toString(16)} named in the data`);
      return skipForm(cursor, inner, shape);
    }
    default:
      return cursor.fail(`attribute form 0x${form.toString(16)} is not known`);
  }
}
