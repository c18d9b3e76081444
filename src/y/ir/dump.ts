/** The intermediate form as text: one line an instruction, for people and for golden tests. */
import { spell } from '../../ctypes/index.ts';
import type {
  AggregatePlace,
  ArraySpec,
  Block,
  Description,
  Format,
  GlobalSpec,
  Instruction,
  IrFunction,
  KeyArgument,
  KeySpec,
  Operand,
  OutputValue,
  Probe,
  Program,
  Terminator,
  TextPlace,
  ValueSpec,
} from './program.ts';

/** Registers are `r0`, texts `t0`, objects `o0`, globals and arrays by name, literals in quotes, blocks `b0`. */
export function dumpIr(program: Program): string {
  const lines = [
    ...program.globals.map((global) => dumpGlobal(global)),
    ...program.arrays.map((array) => dumpArray(array)),
    ...program.probes.map(
      (probe) => `probe ${probe.text} -> f${probe.body}${probe.global ? ' global' : ''} ${probe.where}${dumpSites(probe)}`,
    ),
  ];
  const functions = program.functions.map((fn, index) => dumpFunction(program, fn, index));
  return [...(lines.length === 0 ? [] : [lines.join('\n')]), ...functions].join('\n\n') + '\n';
}

function dumpGlobal(global: GlobalSpec): string {
  const sharing = global.sharing === 'shared' ? '' : `${global.sharing} `;
  const initial = global.initial === undefined ? '' : ` = ${Buffer.from(global.initial).toString('hex')}`;
  return `global ${sharing}${global.name}: ${global.kind} ${global.size}${global.kind === 'integer' && global.signed ? ' signed' : ''}${initial}`;
}

function dumpArray(array: ArraySpec): string {
  const storage = array.storage === 'shared' ? '' : `${array.storage} `;
  return `array ${storage}${array.name}[${array.keys.map(dumpKeySpec).join(', ')}]: ${dumpValueSpec(array.value)}, ${array.capacity} entries`;
}

function dumpKeySpec(key: KeySpec): string {
  if (key.kind === 'integer') return `${key.signed ? 's' : 'u'}${key.size * 8}`;
  return key.kind === 'text' ? `text ${key.capacity}` : 'stack';
}

function dumpValueSpec(value: ValueSpec): string {
  if (value.kind === 'integer') return `${value.signed ? 's' : 'u'}${value.size * 8}`;
  if (value.kind === 'text') return `text ${value.capacity}`;
  return value.kind === 'struct' ? `struct ${value.size}` : value.kind;
}

function dumpSites({ point }: Probe): string {
  if (!('sites' in point)) return '';
  return ` (${point.sites.length} ${point.sites.length === 1 ? 'site' : 'sites'})`;
}

export function dumpFunction(program: Program, fn: IrFunction, index: number): string {
  const shape = [
    fn.parameters.length === 0 ? '' : `(${fn.parameters.join(', ')})`,
    fn.result === 'none' ? '' : ` -> ${fn.result}`,
    fn.texts.length === 0 ? '' : ` texts ${fn.texts.join(' ')}`,
    fn.objects.length === 0 ? '' : ` objects ${fn.objects.join(' ')}`,
  ];
  const dumper = new Dumper(program, fn);
  return [`f${index} ${fn.name}${shape.join('')}`, ...fn.blocks.flatMap((block, at) => dumper.block(block, at))].join('\n');
}

class Dumper {
  readonly program: Program;
  readonly fn: IrFunction;

  constructor(program: Program, fn: IrFunction) {
    this.program = program;
    this.fn = fn;
  }

  block(block: Block, index: number): string[] {
    const lines = block.instructions.map(
      (one) => `    ${this.instruction(one)}${one.relocate === undefined ? '' : `  ; ${this.relocation(one)}`}`,
    );
    return [`  b${index}:`, ...lines, `    ${this.end(block.end)}`];
  }

  relocation({ relocate }: Instruction): string {
    if (relocate?.kind === 'kernel-field')
      return `${relocate.type}.${relocate.path}${relocate.addend === 0 ? '' : ` + ${relocate.addend}`}`;
    if (relocate?.kind === 'variable') return `&${relocate.name} of ${relocate.module}`;
    return relocate === undefined ? '' : `literal ${quote(relocate.bytes)}`;
  }

  register(index: number): string {
    return `${this.fn.registers[index] === 'float' ? 'd' : 'r'}${index}`;
  }

  operand(operand: Operand): string {
    return 'register' in operand ? this.register(operand.register) : operand.constant.toString();
  }

  text(place: TextPlace): string {
    if ('local' in place) return `t${place.local}`;
    if ('global' in place) return this.program.globals[place.global]?.name ?? `global ${place.global}`;
    return quote(this.program.literals[place.literal] ?? new Uint8Array());
  }

  argument(argument: KeyArgument): string {
    return 'text' in argument ? this.text(argument.text) : this.operand(argument);
  }

  element(array: number, keys: readonly KeyArgument[]): string {
    return `${this.array(array)}[${keys.map((key) => this.argument(key)).join(', ')}]`;
  }

  array(index: number): string {
    return this.program.arrays[index]?.name ?? `array ${index}`;
  }

  global(index: number): string {
    return this.program.globals[index]?.name ?? `global ${index}`;
  }

  aggregate(place: AggregatePlace): string {
    return 'array' in place ? this.element(place.array, place.keys) : this.global(place.global);
  }

  end(end: Terminator): string {
    switch (end.op) {
      case 'jump':
        return `jump b${end.to}`;
      case 'branch':
        return `branch ${this.operand(end.condition)} ? b${end.then} : b${end.else}`;
      case 'return':
        return end.value === undefined ? 'return' : `return ${this.argument(end.value)}`;
      case 'fail':
        return `fail ${end.why}`;
      case 'next':
        return `next i${end.iterator} ? b${end.body} : b${end.done}`;
    }
  }

  instruction(i: Instruction): string {
    const to = 'to' in i && i.to !== undefined ? `${typeof i.to === 'number' ? this.register(i.to) : this.text(i.to)} = ` : '';
    const fail = 'onFail' in i && i.onFail !== undefined ? ` else b${i.onFail}` : '';
    return `${to}${this.body(i)}${fail}`;
  }

  body(i: Instruction): string {
    switch (i.op) {
      case 'move':
        return this.operand(i.from);
      case 'binary':
        return `${i.operator} ${this.operand(i.left)}, ${this.operand(i.right)}`;
      case 'extend':
        return `extend ${i.signed ? 's' : 'u'}${i.bits} ${this.operand(i.from)}`;
      case 'extract':
        return `extract ${i.signed ? 's' : 'u'} ${this.operand(i.from)} bits ${i.shift}+${i.bits}`;
      case 'float':
        return `float ${i.value}`;
      case 'float-binary':
        return `f${i.operator} ${this.register(i.left)}, ${this.register(i.right)}`;
      case 'convert':
        return `${i.form} ${this.operand(i.from)}`;
      case 'log2':
      case 'popcount':
        return `${i.op} ${this.operand(i.from)}`;
      default:
        return this.storage(i);
    }
  }

  storage(
    i: Exclude<Instruction, { op: 'move' | 'binary' | 'extend' | 'extract' | 'float' | 'float-binary' | 'convert' | 'log2' | 'popcount' }>,
  ): string {
    switch (i.op) {
      case 'load-global':
        return `load ${this.global(i.global)}${part(i)}`;
      case 'store-global':
        return `store ${this.global(i.global)}${part({ ...i, signed: false })} = ${this.operand(i.value)}`;
      case 'add-global':
        return `add ${this.global(i.global)}${part({ ...i, signed: false })} += ${this.operand(i.value)}`;
      case 'load-object':
        return `load o${i.object}${part(i)}`;
      case 'store-object':
        return `store o${i.object}${part({ ...i, signed: false })} = ${this.operand(i.value)}`;
      case 'read':
        return `read ${i.space} ${this.operand(i.address)}${part(i)}`;
      case 'read-object':
        return `read-object o${i.object}+${i.offset} = ${i.space} ${this.operand(i.address)}, ${i.size} bytes`;
      case 'read-text':
        return `read-text ${i.space} ${this.operand(i.address)}${i.length === undefined ? '' : `, ${this.operand(i.length)} bytes`}`;
      case 'valid':
        return `valid ${i.space} ${this.operand(i.address)}, ${this.operand(i.size)} bytes`;
      default:
        return this.rest(i);
    }
  }

  rest(i: Rest): string {
    switch (i.op) {
      case 'builtin':
      case 'builtin-text':
        return i.name;
      case 'argument':
        return `argument ${i.index}`;
      case 'return-value':
        return 'return-value';
      case 'register':
        return `register ${i.name}`;
      case 'context':
        return `context${part(i)}`;
      case 'context-text':
        return `context-text +${i.offset} ${i.size} bytes${i.dataLoc ? ' data-loc' : ''}`;
      case 'stack':
        return `stack ${typeof i.form === 'string' ? i.form : i.form.language}`;
      case 'copy-text':
        return `copy ${this.text(i.from)}`;
      case 'concatenate':
        return `concatenate ${this.text(i.left)}, ${this.text(i.right)}`;
      case 'substring':
        return `substring ${this.text(i.from)}, ${this.operand(i.start)}, ${this.operand(i.length)}`;
      case 'compare-text':
        return `compare ${this.text(i.left)}, ${this.text(i.right)}`;
      case 'text-length':
        return `length ${this.text(i.from)}`;
      case 'text-at':
        return `at ${this.text(i.from)}, ${this.operand(i.index)}`;
      case 'match': {
        const { source, flags } = this.program.regexes[i.regex] ?? { source: '', flags: '' };
        const groups = i.groups.map((group) => (group === undefined ? '_' : this.text(group)));
        return `match ${this.text(i.subject)} rx/${source}/${flags}${groups.length === 0 ? '' : ` groups ${groups.join(' ')}`}`;
      }
      case 'describe':
        return `describe ${this.operand(i.from)} ${describe(i.as)}`;
      default:
        return this.tables(i);
    }
  }

  tables(i: Tables): string {
    switch (i.op) {
      case 'array-load':
        return `load ${this.element(i.array, i.keys)}${part(i)}`;
      case 'array-store':
        return `store ${this.element(i.array, i.keys)}${part({ ...i, signed: false })} = ${this.operand(i.value)}`;
      case 'array-add':
        return `add ${this.element(i.array, i.keys)}${i.field === undefined ? '' : part({ ...i.field, signed: false })} += ${this.operand(i.value)}`;
      case 'array-load-text':
        return `load-text ${this.element(i.array, i.keys)}`;
      case 'array-store-text':
        return `store-text ${this.element(i.array, i.keys)} = ${this.text(i.value)}`;
      case 'array-has':
        return `has ${this.element(i.array, i.keys)}`;
      case 'array-delete':
        return `delete ${this.element(i.array, i.keys)}`;
      case 'array-clear':
        return `clear ${this.array(i.array)}`;
      case 'aggregate':
        return `sample ${this.aggregate(i.into)} <<< ${this.operand(i.value)}`;
      case 'aggregate-read':
        return `${i.reader}${i.argument === undefined ? '' : ` ${i.argument}`} of ${this.aggregate(i.from)}`;
      case 'array-count':
        return `count of ${this.array(i.array)}`;
      case 'iterate': {
        const { order, limit } = i;
        const by =
          order === undefined
            ? ''
            : ` ${order.descending ? 'desc' : 'asc'} by ${typeof order.by === 'string' ? order.by : `f${order.by.function}`}`;
        return `iterate i${i.iterator} ${this.array(i.array)}${by}${limit === undefined ? '' : ` limit ${this.operand(limit)}`}`;
      }
      case 'iterator-key':
        return `key ${i.index} of i${i.iterator}`;
      case 'call':
        return `call f${i.function}(${i.arguments.map((one) => this.argument(one)).join(', ')})`;
      case 'print':
        return `print ${i.stream} ${dumpFormat(this.program.formats[i.format])}${i.values.map((value) => `, ${this.value(value)}`).join('')}`;
      case 'chart':
        return `chart ${i.chart} ${'array' in i.source ? this.array(i.source.array) : this.global(i.source.global)}${i.reader === undefined ? '' : ` ${i.reader}`}${this.literal(' unit', i.unit)}${this.literal(' title', i.title)}`;
      case 'exit':
        return 'exit';
    }
  }

  literal(name: string, index: number | undefined): string {
    return index === undefined ? '' : `${name} ${this.text({ literal: index })}`;
  }

  value(value: OutputValue): string {
    switch (value.kind) {
      case 'integer':
        return this.operand(value.value);
      case 'float':
        return this.register(value.register);
      case 'text':
        return this.text(value.text);
      case 'described':
        return `${this.operand(value.value)} as ${describe(value.as)}`;
      case 'histogram': {
        const { scale } = value;
        return `histogram of ${this.aggregate(value.from)} ${scale.kind === 'log' ? 'log' : `${scale.low}..${scale.high} by ${scale.step}`}`;
      }
    }
  }
}

type Tables = Extract<
  Instruction,
  {
    op:
      | 'array-load'
      | 'array-store'
      | 'array-add'
      | 'array-load-text'
      | 'array-store-text'
      | 'array-has'
      | 'array-delete'
      | 'array-clear'
      | 'aggregate'
      | 'aggregate-read'
      | 'array-count'
      | 'iterate'
      | 'iterator-key'
      | 'call'
      | 'print'
      | 'chart'
      | 'exit';
  }
>;
type Rest =
  | Tables
  | Extract<
      Instruction,
      {
        op:
          | 'builtin'
          | 'builtin-text'
          | 'argument'
          | 'return-value'
          | 'register'
          | 'context'
          | 'context-text'
          | 'stack'
          | 'copy-text'
          | 'concatenate'
          | 'substring'
          | 'compare-text'
          | 'text-length'
          | 'text-at'
          | 'match'
          | 'describe';
      }
    >;

function part({ offset, size, signed }: { readonly offset: number; readonly size: number; readonly signed: boolean }): string {
  return `+${offset} ${signed ? 's' : 'u'}${size * 8}`;
}

function describe(as: Description): string {
  if (as.kind === 'symbol') return `symbol ${as.space}`;
  return as.kind === 'enum' ? spell(as.type) : as.kind;
}

function quote(bytes: Uint8Array): string {
  return JSON.stringify(new TextDecoder().decode(bytes));
}

function dumpFormat(format: Format | undefined): string {
  const text = (format?.pieces ?? []).map((piece) => {
    if ('text' in piece) return piece.text.replaceAll('%', '%%');
    const flags = `${piece.minus ? '-' : ''}${piece.plus ? '+' : ''}${piece.space ? ' ' : ''}${piece.zero ? '0' : ''}${piece.alternate ? '#' : ''}`;
    const width = `${piece.width ?? ''}${piece.precision === undefined ? '' : `.${piece.precision}`}`;
    const size = 'csefgp'.includes(piece.verb) ? '' : { 1: 'hh', 2: 'h', 4: '', 8: 'l' }[piece.size];
    return `%${flags}${width}${size}${piece.verb}${piece.encoding === undefined ? '' : `<${piece.encoding}>`}`;
  });
  return JSON.stringify(text.join(''));
}
