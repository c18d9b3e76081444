/** What a function's entry says. */
import type { CType } from '../ctypes/index.ts';
import { At, Tag } from './constants.ts';
import type { Die } from './die.ts';
import { RangeReader, type AddressRange } from './ranges.ts';
import type { SourceFiles } from './source-files.ts';
import type { TypeReader } from './type-reader.ts';

export interface FunctionInfo {
  readonly name: string;
  readonly linkageName: string | undefined;
  /** With namespaces and classes: `ns::Class::name`. */
  readonly qualifiedName: string;
  /** Where it is entered; undefined when it is only declared, or inlined everywhere. */
  readonly lowPc: number | undefined;
  /** All its code; more than one range when the compiler moved cold parts away. */
  readonly ranges: readonly AddressRange[];
  /** Where it was defined (or declared); empty and 0 when not said. */
  readonly file: string;
  readonly line: number;
  /** As the source has them, `this` included. */
  readonly parameters: readonly { readonly name: string | undefined; readonly type: CType }[];
  readonly variadic: boolean;
  readonly result: CType;
  /** Seen by other files. */
  readonly external: boolean;
  /** Said by the compiler to be inlined (link-time optimisation inlines without saying so): `findInlinedCopies` finds where. */
  readonly inlined: boolean;
}

/** DW_INL_inlined, DW_INL_declared_inlined (table 7.20). */
const INLINED = [1, 3];
const MAX_RANGES = 65_536;

/** @throws FormatFault when the entry is damaged */
export function describeFunction(die: Die, qualifiedName: string, types: TypeReader, sources: SourceFiles): FunctionInfo {
  const chain = die.chain();
  const text = (attribute: number): string | undefined => chain.map((one) => one.text(attribute)).find((one) => one !== undefined);
  const typed = chain.find((one) => one.has(At.type));
  const ranges = new RangeReader(MAX_RANGES).of(die);
  const linkageName = text(At.linkageName) ?? text(At.mipsLinkageName);
  // A copy that was optimised may lack parameters; what it is a copy of has them all.
  const signature = chain.find((one) => !one.has(At.abstractOrigin)) ?? die;
  const children = signature.children();
  return {
    name: text(At.name) ?? linkageName ?? '',
    linkageName,
    qualifiedName,
    lowPc: entryOf(die, ranges),
    ranges,
    ...sources.declaration(chain),
    parameters: children.filter((child) => child.tag === Tag.formalParameter).map((child) => describeParameter(child, types)),
    variadic: children.some((child) => child.tag === Tag.unspecifiedParameters),
    result: typed === undefined ? { kind: 'void' } : types.typeOf(typed),
    external: chain.some((one) => one.flag(At.external)),
    inlined: chain.some((one) => INLINED.includes(one.unsigned(At.inline) ?? 0)),
  };
}

function entryOf(die: Die, ranges: readonly AddressRange[]): number | undefined {
  if (ranges.length === 0) return undefined;
  return die.address(At.entryPc) ?? die.address(At.lowPc) ?? ranges[0]!.start;
}

function describeParameter(child: Die, types: TypeReader): { readonly name: string | undefined; readonly type: CType } {
  const chain = child.chain();
  const typed = chain.find((one) => one.has(At.type));
  return {
    name: chain.map((one) => one.name()).find((one) => one !== undefined),
    type: typed === undefined ? { kind: 'void' } : types.typeOf(typed),
  };
}
