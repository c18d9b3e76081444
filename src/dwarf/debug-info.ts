/**
 * Debug information of one program, by name and by address. All addresses are the file's own, as in its program headers.
 *
 * Opening reads unit headers. The first question by name makes the name index (one pass over everything); the first by address, a
 * table of the units' ranges. Everything else is read when it is asked for.
 */
import { err, ok, type Result } from '../base/index.ts';
import type { CType, EnumType } from '../ctypes/index.ts';
import { CodeMap } from './code-map.ts';
import { At, Tag } from './constants.ts';
import { DebugFile } from './debug-file.ts';
import type { Die, UnitFile } from './die.ts';
import { orUndefined, type FormatError } from './format-error.ts';
import { describeFunction, type FunctionInfo } from './functions.ts';
import { findInlinedCopies, type InlinedCopy } from './inlined-copies.ts';
import { LineIndex, type FoundLine } from './line-index.ts';
import { Category, lastPart, NameIndex } from './name-index.ts';
import type { DebugSections } from './sections.ts';
import { SourceFiles } from './source-files.ts';
import { readAltLink, SplitUnits, type DebugProviders } from './split-units.ts';
import { recordForm, TypeReader } from './type-reader.ts';
import { plainTypeName } from './type-spelling.ts';
import { describeVariable, type VariableInfo } from './variables.ts';

export type TypeKind = 'struct' | 'union' | 'class' | 'enum' | 'typedef' | 'any';

export interface EnumeratorInfo {
  readonly name: string;
  readonly qualifiedName: string;
  readonly value: bigint;
  readonly type: EnumType;
}

/** A place in the source. `file` is empty and `line` 0 where the compiler did not say. */
export interface SourcePlace {
  /** Name as the source has it, without namespace or class; undefined for code that belongs to no function. */
  readonly function: string | undefined;
  /** As the linker knows it, where that is another. */
  readonly linkageName: string | undefined;
  readonly file: string;
  readonly line: number;
}

/**
 * What is at an address. The place itself is that of the function whose code it is: where code was inlined into it, the line of
 * the call. `inlined` has the functions that were inlined there, innermost first; the first one's line is the address's own.
 */
export interface FoundAddress extends SourcePlace {
  readonly inlined: readonly SourcePlace[];
}

/** How much was read, and what could not be. */
export interface DebugCounts {
  readonly units: number;
  /** Units of a version or shape that is not known. */
  readonly skippedUnits: number;
  /** Units that the name index has only in part. */
  readonly damagedUnits: number;
  /** Skeletons without their split unit. */
  readonly missingSplitUnits: number;
  /** Entries in the name index, and bytes that it takes. */
  readonly indexed: number;
  readonly indexBytes: number;
}

const TYPE_CATEGORIES: Readonly<Record<TypeKind, readonly number[]>> = {
  struct: [Category.struct, Category.class],
  class: [Category.class, Category.struct],
  union: [Category.union],
  enum: [Category.enum],
  typedef: [Category.typedef],
  any: [Category.struct, Category.class, Category.union, Category.enum, Category.typedef, Category.base],
};

/** Categories whose names have template arguments. */
const TEMPLATES: readonly number[] = [
  Category.struct,
  Category.class,
  Category.union,
  Category.typedef,
  Category.function,
  Category.variable,
];

/** Blocks in blocks of a function. */
const MAX_BLOCKS = 64;

interface Hit {
  readonly index: NameIndex;
  readonly entry: number;
}

export class DebugInfo {
  readonly #main: DebugFile;
  readonly #split: SplitUnits;
  readonly #types: TypeReader;
  readonly #sources: SourceFiles;
  #indices: readonly NameIndex[] | undefined;
  #byFile: ReadonlyMap<UnitFile, NameIndex> | undefined;
  /** Entries with template arguments by the plain spelling of their last part; made when a name is not found as it is spelled. */
  #templates: ReadonlyMap<string, readonly Hit[]> | undefined;
  #code: CodeMap | undefined;
  #lineIndex: LineIndex | undefined;

  private constructor(main: DebugFile, providers: DebugProviders) {
    this.#main = main;
    this.#split = new SplitUnits(providers);
    this.#sources = new SourceFiles();
    this.#types = new TypeReader({
      qualifiedName: (die) => this.#qualifiedName(die),
      findDefinition: (name, tag) => this.#findDefinition(name, tag),
    });
  }

  /**
   * Opens a program's debug information.
   *
   * @param sections kept and read for as long as this is used
   * @returns an error when there is none, or not one unit of it can be read
   */
  static open(sections: DebugSections, providers: DebugProviders = {}): Result<DebugInfo, FormatError> {
    const info = sections.section('.debug_info');
    const problem = (message: string): Result<never, FormatError> => err({ kind: 'damaged', section: '.debug_info', offset: 0, message });
    if (info === undefined || info.length === 0) return problem('there is no debug information');
    if (info.length + (sections.section('.debug_types')?.length ?? 0) > 0xffff_ffff) return problem('more than 4 GiB of debug information');
    const link = readAltLink(sections);
    const other = link === undefined ? undefined : providers.supplementary?.(link.path, link.buildId);
    const main = new DebugFile(sections, { supplementary: other === undefined ? undefined : new DebugFile(other) });
    if (main.units.every((unit) => unit.type === 0))
      return main.firstDamage === undefined ? problem('no unit can be read') : err(main.firstDamage.detail);
    return ok(new DebugInfo(main, providers));
  }

  /** Counts of what has been read so far; the index's are 0 until the first question by name. */
  get counts(): DebugCounts {
    const indices = this.#indices ?? [];
    const sum = (of: (index: NameIndex) => number): number => indices.reduce((total, index) => total + of(index), 0);
    return {
      units: this.#main.units.length,
      skippedUnits: this.#main.skipped,
      damagedUnits: sum((index) => index.damaged),
      missingSplitUnits: this.#split.missing,
      indexed: sum((index) => index.count),
      indexBytes: sum((index) => index.sizeBytes),
    };
  }

  /**
   * The type of a qualified name (`ns::Type`, `struct node`, `unsigned int`), a definition before a declaration. Templates' arguments may
   * be spelled in any of the ways that compilers have, without default ones of the standard library (`std::map<int, std::string>`).
   * Undefined when there is none.
   */
  findType(name: string, kind: TypeKind = 'any'): CType | undefined {
    const tagged = /^(struct|union|enum|class)\s+(.+)$/.exec(name);
    if (tagged) return this.findType(tagged[2]!, tagged[1] as TypeKind);
    const hits = this.#exact(name, TYPE_CATEGORIES[kind]);
    const best = hits.find((hit) => !hit.index.isDeclaration(hit.entry)) ?? hits[0];
    const die = best?.index.die(best.entry);
    return die === undefined ? undefined : this.#types.read(die);
  }

  /**
   * Functions of a name: qualified exactly so; if there are none, those whose qualified name ends in it (`Class::method`). A function's
   * declarations are given only when the program has nothing else of it.
   */
  findFunctions(name: string): FunctionInfo[] {
    const hits = this.#named(name, [Category.function]);
    const real = hits.filter((hit) => hit.index.hasCode(hit.entry));
    const infos = (real.length > 0 ? real : hits.slice(0, 1)).flatMap((hit) => {
      const die = hit.index.die(hit.entry);
      const found = die && orUndefined(() => describeFunction(die, hit.index.qualifiedName(hit.entry), this.#types, this.#sources));
      return found === undefined ? [] : [found];
    });
    // The abstract entry of a function that also stands by itself says nothing more.
    const placed = infos.filter((info) => info.lowPc !== undefined);
    const places = new Set(placed.map((info) => `${info.qualifiedName} ${info.file}:${info.line}`));
    return infos.filter((info) => info.lowPc !== undefined || !places.has(`${info.qualifiedName} ${info.file}:${info.line}`));
  }

  /** Qualified names of all functions that the program has code of, or inlines; some more than once. */
  *functionNames(): Iterable<string> {
    for (const index of this.#index()) {
      for (const entry of index.all(Category.function)) if (index.hasCode(entry)) yield index.qualifiedName(entry);
    }
  }

  /** Qualified names of all types; some more than once. */
  *typeNames(): Iterable<string> {
    for (const index of this.#index())
      for (const category of TYPE_CATEGORIES.any) for (const entry of index.all(category)) yield index.qualifiedName(entry);
  }

  /** Qualified names of all variables with static storage; some more than once. */
  *variableNames(): Iterable<string> {
    for (const index of this.#index()) for (const entry of index.all(Category.variable)) yield index.qualifiedName(entry);
  }

  /** Where functions of that name were inlined. Reads all code of the program: seconds for a large one. */
  findInlinedCopies(name: string): InlinedCopy[] {
    const abstract = new Set<string>();
    for (const { index, entry } of this.#named(name, [Category.function])) {
      const die = index.die(entry);
      if (die !== undefined) abstract.add(identityOf(die));
    }
    const units = this.#main.units.flatMap((unit) => this.#split.unitOf(unit) ?? unit);
    return findInlinedCopies(units, this.#codeMap(), this.#sources, (die) => abstract.has(identityOf(die)));
  }

  /**
   * Variables of a name, as `findFunctions` finds functions. Of one that is declared and defined, the definition. A static variable of a
   * function is `function::name`.
   */
  findVariables(name: string): VariableInfo[] {
    const named = this.#namedVariables(name);
    return named.length > 0 ? named : this.#staticLocals(name);
  }

  #staticLocals(name: string): VariableInfo[] {
    const plain = lastPart(name);
    if (plain === name) return [];
    const found = new Map<number, VariableInfo>();
    for (const { index, entry } of this.#named(name.slice(0, -plain.length - 2), [Category.function])) {
      const die = index.die(entry);
      const holder = index.qualifiedName(entry);
      const locals = (die && orUndefined(() => findLocals(die, plain))) ?? [];
      for (const local of locals) {
        const info = orUndefined(() => describeVariable(local, `${holder}::${plain}`, this.#types, this.#sources));
        const place = info?.address ?? info?.tlsOffset;
        if (info !== undefined && place !== undefined && !found.has(place)) found.set(place, info);
      }
    }
    return [...found.values()];
  }

  #namedVariables(name: string): VariableInfo[] {
    const infos = this.#named(name, [Category.variable]).flatMap((hit) => {
      const die = hit.index.die(hit.entry);
      const found = die && orUndefined(() => describeVariable(die, hit.index.qualifiedName(hit.entry), this.#types, this.#sources));
      return found === undefined ? [] : [found];
    });
    const placed = infos.filter((info) => info.address !== undefined || info.tlsOffset !== undefined);
    return placed.length > 0 ? placed : infos.slice(0, 1);
  }

  /**
   * Enumerators of a name, qualified by their enum or (as unscoped ones are) by what that is in; if there are none, those whose
   * qualified name ends in it (`Book` and `Kind::Book` for `shop::Kind::Book`).
   */
  findEnumerators(name: string): EnumeratorInfo[] {
    const hits = this.#candidates(name, [Category.enumerator]);
    const exact = hits.filter((hit) => enumeratorNames(hit).some((one) => sameName(one, name)));
    const ending = `::${name}`;
    const chosen = exact.length > 0 ? exact : hits.filter((hit) => enumeratorNames(hit).some((one) => one.endsWith(ending)));
    const found = new Map<string, EnumeratorInfo>();
    for (const hit of chosen) {
      const one = this.#enumerator(hit, lastPart(name));
      if (one !== undefined && !found.has(`${one.qualifiedName} ${one.value}`)) found.set(`${one.qualifiedName} ${one.value}`, one);
    }
    return [...found.values()];
  }

  #enumerator({ index, entry }: Hit, plain: string): EnumeratorInfo | undefined {
    const die = index.die(index.parent(entry));
    const type = die && this.#types.read(die);
    const one = type?.kind === 'enum' ? type.enumerators.find((candidate) => sameName(candidate.name, plain)) : undefined;
    if (type?.kind !== 'enum' || one === undefined) return undefined;
    return { name: one.name, qualifiedName: index.qualifiedName(entry), value: one.value, type };
  }

  /**
   * Addresses at which a line begins, the lowest in each function and inlined copy, ascending.
   *
   * @param file the end of a path, whole parts: `b.c` and `a/b.c` find `/x/a/b.c`
   * @param line if no code is of this line, the nearest following line that has some; the answer says which
   */
  findLine(file: string, line: number): FoundLine | undefined {
    this.#lineIndex ??= new LineIndex(this.#main, this.#codeMap());
    return this.#lineIndex.find(file, line);
  }

  /** What is at an address of the program; undefined where no unit has code. */
  find(address: number): FoundAddress | undefined {
    const code = this.#codeMap();
    const unit = code.unitAt(address);
    if (unit === undefined) return undefined;
    const chain = orUndefined(() => code.chainAt(unit, address)) ?? [];
    let place = orUndefined(() => code.lineAt(unit, address)) ?? { file: '', line: 0 };
    if (chain.length === 0) return place.line === 0 ? undefined : { function: undefined, linkageName: undefined, ...place, inlined: [] };
    const inlined: SourcePlace[] = [];
    for (const die of chain.slice(1).reverse()) {
      inlined.push({ ...nameOf(die), ...place });
      place = orUndefined(() => this.#sources.callPlace(die)) ?? { file: '', line: 0 };
    }
    return { ...nameOf(chain[0]!), ...place, inlined };
  }

  #codeMap(): CodeMap {
    this.#code ??= new CodeMap(this.#main, (unit) => this.#split.unitOf(unit));
    return this.#code;
  }

  #index(): readonly NameIndex[] {
    if (this.#indices !== undefined) return this.#indices;
    const { supplementary } = this.#main;
    const other = supplementary === undefined ? undefined : new NameIndex(supplementary);
    const indices = [new NameIndex(this.#main, other)];
    if (other !== undefined) indices.push(other);
    for (const unit of this.#main.units) {
      const file = this.#split.fileOf(unit);
      if (file !== undefined) indices.push(new NameIndex(file));
    }
    const [anyUnit] = this.#main.units;
    if (anyUnit !== undefined) for (const file of this.#split.typeFiles(anyUnit)) indices.push(new NameIndex(file));
    this.#indices = indices;
    for (const index of indices) index.file.abbreviations.liftBudget();
    return indices;
  }

  #indexOf(file: UnitFile): NameIndex | undefined {
    this.#byFile ??= new Map<UnitFile, NameIndex>(this.#index().map((index) => [index.file, index]));
    return this.#byFile.get(file);
  }

  #qualifiedName(die: Die): string | undefined {
    const index = this.#indexOf(die.unit.file);
    const entry = index?.entryAt(die.number) ?? 0;
    return entry === 0 ? die.name() : index!.qualifiedName(entry);
  }

  #findDefinition(name: string, tag: number): Die | undefined {
    const form = recordForm(tag);
    const hit = this.#exact(name, TYPE_CATEGORIES[form]).find((one) => !one.index.isDeclaration(one.entry));
    return hit?.index.die(hit.entry);
  }

  /** Entries of exactly that qualified name, those of earlier categories first. */
  #exact(name: string, categories: readonly number[]): Hit[] {
    const spelled = this.#candidates(name, categories).filter((hit) => sameName(qualifiedNameOf(hit), name));
    const hits = spelled.length > 0 ? spelled : this.#spelledOtherwise(name, categories);
    const rank = (hit: Hit): number => categories.indexOf(hit.index.category(hit.entry));
    return hits.sort((left, right) => rank(left) - rank(right));
  }

  /** Entries whose last part is that of `name`. */
  #candidates(name: string, categories: readonly number[]): Hit[] {
    const plain = lastPart(name);
    return this.#index().flatMap((index) =>
      index
        .find(plain)
        .filter((entry) => categories.includes(index.category(entry)))
        .map((entry) => ({ index, entry })),
    );
  }

  /** Entries of a name with template arguments, however those are spelled. */
  #spelledOtherwise(name: string, categories: readonly number[]): Hit[] {
    const plain = plainTypeName(name);
    if (!plain.includes('<')) return [];
    const last = lastPart(plain);
    const candidates = last.includes('<') ? (this.#templateMap().get(last) ?? []) : this.#candidates(last, categories);
    return candidates.filter((hit) => categories.includes(hit.index.category(hit.entry)) && plainTypeName(qualifiedNameOf(hit)) === plain);
  }

  #templateMap(): ReadonlyMap<string, readonly Hit[]> {
    if (this.#templates !== undefined) return this.#templates;
    const templates = new Map<string, Hit[]>();
    for (const index of this.#index())
      for (const category of TEMPLATES)
        for (const entry of index.all(category)) {
          const name = index.nameOf(entry);
          if (!name.includes('<')) continue;
          const plain = plainTypeName(name);
          const kept = templates.get(plain);
          if (kept === undefined) templates.set(plain, [{ index, entry }]);
          else kept.push({ index, entry });
        }
    this.#templates = templates;
    return templates;
  }

  /** Entries of exactly that qualified name, or else those whose name ends in it. */
  #named(name: string, categories: readonly number[]): Hit[] {
    const exact = this.#exact(name, categories);
    if (exact.length > 0) return exact;
    const ending = `::${name.replaceAll(' ', '')}`;
    return this.#candidates(name, categories).filter((hit) => qualifiedNameOf(hit).replaceAll(' ', '').endsWith(ending));
  }
}

/** What an enumerator may be called by: with its enum, and as an unscoped one. */
function enumeratorNames({ index, entry }: Hit): readonly string[] {
  const outer = index.parent(index.parent(entry));
  const name = index.nameOf(entry);
  return [index.qualifiedName(entry), outer === 0 ? name : `${index.qualifiedName(outer)}::${name}`];
}

function qualifiedNameOf({ index, entry }: Hit): string {
  return index.qualifiedName(entry);
}

function sameName(left: string, right: string): boolean {
  return left === right || left.replaceAll(' ', '') === right.replaceAll(' ', '');
}

/** Variables of a name in a function and its blocks. @throws FormatFault when an entry is damaged */
function findLocals(holder: Die, name: string, depth = 0): Die[] {
  if (depth > MAX_BLOCKS) return [];
  return holder.children().flatMap((child) => {
    if (child.tag === Tag.lexicalBlock) return findLocals(child, name, depth + 1);
    return child.tag === Tag.variable && child.chain().some((one) => one.name() === name) ? [child] : [];
  });
}

/** An entry as a key: in one file numbers are unique, and a program has few files. */
function identityOf(die: Die): string {
  const { file } = die.unit;
  return `${file.isSplit ? `split ${file.skeleton!.index}` : file.supplementary === undefined ? 'one' : 'main'} ${die.number}`;
}

function nameOf(die: Die): { readonly function: string | undefined; readonly linkageName: string | undefined } {
  return (
    orUndefined(() => {
      const chain = die.chain();
      const text = (attribute: number): string | undefined => chain.map((one) => one.text(attribute)).find((one) => one !== undefined);
      const linkageName = text(At.linkageName) ?? text(At.mipsLinkageName);
      return { function: text(At.name) ?? linkageName, linkageName };
    }) ?? { function: undefined, linkageName: undefined }
  );
}
