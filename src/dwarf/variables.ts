/** What a variable's entry says: its type, and where it is when that is a fixed place. */
import type { CType } from '../ctypes/index.ts';
import { At } from './constants.ts';
import { Cursor } from './cursor.ts';
import type { Die, Unit } from './die.ts';
import { orUndefined } from './format-error.ts';
import type { SourceFiles } from './source-files.ts';
import type { TypeReader } from './type-reader.ts';

export interface VariableInfo {
  readonly name: string;
  readonly linkageName: string | undefined;
  readonly qualifiedName: string;
  readonly type: CType;
  /** Undefined for a thread's own, one that is only declared, and one that was optimised away. */
  readonly address: number | undefined;
  /** Of a thread's own variable: bytes from the start of the module's block of such. */
  readonly tlsOffset: number | undefined;
  readonly file: string;
  readonly line: number;
  readonly external: boolean;
}

/** DW_OP_* (table 7.9) of which fixed places are made, and GNU's older ones. */
const Op = {
  addr: 0x03,
  const4u: 0x0c,
  const8u: 0x0e,
  constu: 0x10,
  plusUconst: 0x23,
  formTlsAddress: 0x9b,
  addrx: 0xa1,
  constx: 0xa2,
  gnuPushTlsAddress: 0xe0,
  gnuAddrIndex: 0xfb,
  gnuConstIndex: 0xfc,
} as const;

/** @throws FormatFault when the entry is damaged */
export function describeVariable(die: Die, qualifiedName: string, types: TypeReader, sources: SourceFiles): VariableInfo {
  const chain = die.chain();
  const text = (attribute: number): string | undefined => chain.map((one) => one.text(attribute)).find((one) => one !== undefined);
  // The definition's type is the better one: it knows an array's length.
  const typed = chain.find((one) => one.has(At.type));
  const place = chain.map((one) => one.block(At.location)).find((one) => one !== undefined);
  const located = place === undefined ? undefined : orUndefined(() => fixedPlace(place, die.unit));
  return {
    name: text(At.name) ?? '',
    linkageName: text(At.linkageName) ?? text(At.mipsLinkageName),
    qualifiedName,
    type: typed === undefined ? { kind: 'void' } : types.typeOf(typed),
    address: located?.tls === false ? located.value : undefined,
    tlsOffset: located?.tls === true ? located.value : undefined,
    ...sources.declaration(chain),
    external: chain.some((one) => one.flag(At.external)),
  };
}

/** An expression that is one address, or one offset in a thread's block; undefined for any other. */
function fixedPlace(bytes: Uint8Array, unit: Unit): { readonly value: number; readonly tls: boolean } | undefined {
  const cursor = new Cursor(bytes, 'DW_AT_location', unit.file.sections.littleEndian);
  let value: number | undefined;
  let tls = false;
  while (cursor.pos < cursor.end) {
    const op = cursor.u8();
    if (value === undefined) value = firstValue(op, cursor, unit);
    else if (op === Op.plusUconst) value += cursor.uleb();
    else if (op === Op.formTlsAddress || op === Op.gnuPushTlsAddress) tls = true;
    else return undefined;
    if (value === undefined) return undefined;
  }
  // A variable of code that the linker dropped is at address 0.
  return value === undefined || (value === 0 && !tls) ? undefined : { value, tls };
}

function firstValue(op: number, cursor: Cursor, unit: Unit): number | undefined {
  switch (op) {
    case Op.addr:
      return cursor.unsigned(unit.addressSize);
    case Op.const4u:
      return cursor.u32();
    case Op.const8u:
      return cursor.u64();
    case Op.constu:
      return cursor.uleb();
    case Op.addrx:
    case Op.constx:
    case Op.gnuAddrIndex:
    case Op.gnuConstIndex:
      return unit.file.addressAt(unit, cursor.uleb());
    default:
      return undefined;
  }
}
