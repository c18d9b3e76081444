/** The built-ins of sections 7 to 9 of the language: how many arguments each takes, where it runs, what it becomes. */
import { sizeOf } from '../../ctypes/index.ts';
import type { AggregateReader, IntegerBuiltin, TextBuiltin } from '../ir/program.ts';
import { nearest, type CallExpression } from '../syntax/index.ts';
import { given, make, wrongArgument } from './builtin-arguments.ts';
import { FLOAT_HINT } from './calling-convention.ts';
import { type Chart, checkChart, histogram, quantile, readAggregate } from './charts.ts';

import { assignTo, commonType, constant, convert, promote, showType, toY } from './convert.ts';
import { checkFormat, defaultPiece } from './format.ts';
import { json } from './json.ts';
import { asText } from './operands.ts';
import { arrayOf } from './places.ts';
import { constantInteger } from './resolve-type.ts';
import { type CheckState, NAMING, broken, checkExpression, mistake, need, pardon, place, report, snippet } from './state.ts';
import type { Expression } from './typed.ts';
import { DEFAULT_TEXT, INT, LONG, STACK, type TextY, UNSIGNED_INT, UNSIGNED_LONG, VOID_TYPE, type YType } from './ytype.ts';

interface Builtin {
  readonly min: number;
  readonly max: number;
  readonly where: 'any' | 'hit' | 'host' | 'thread';
  readonly check: (c: CheckState, node: CallExpression, name: string) => Expression;
}

const ANY = Number.POSITIVE_INFINITY;
const INT_NUMBER = (name: IntegerBuiltin, where: Builtin['where'], type: YType): Builtin => ({
  min: 0,
  max: 0,
  where,
  check: (_c, node) => make(node, type, { kind: 'number-builtin', name }),
});
const TEXT_VALUE = (name: TextBuiltin, where: Builtin['where'], capacity: number): Builtin => ({
  min: 0,
  max: 0,
  where,
  check: (_c, node) => make(node, { kind: 'text', capacity }, { kind: 'text-builtin', name }),
});
const STACK_OF = (form: 'user' | 'kernel' | 'both' | 'mixed'): Builtin => ({
  min: 0,
  max: 0,
  where: 'thread',
  check: (_c, node) => make(node, STACK, { kind: 'stack', form }),
});
const READER = (reader: AggregateReader): Builtin => ({
  min: 1,
  max: 1,
  where: 'host',
  check: (c, node) => readAggregate(c, node, reader, undefined),
});
const PRINT = (stream: 'out' | 'warn' | 'error'): Builtin => ({
  min: 1,
  max: ANY,
  where: 'any',
  check: (c, node, name) => print(c, node, name, stream),
});
const CHART = (chart: Chart, min: number, max: number): Builtin => ({
  min,
  max,
  where: 'host',
  check: (c, node) => checkChart(c, node, chart),
});

const BUILTINS: Readonly<Record<string, Builtin>> = {
  _pid: INT_NUMBER('pid', 'any', INT),
  _tid: INT_NUMBER('tid', 'thread', INT),
  _ppid: INT_NUMBER('ppid', 'any', INT),
  _pgid: INT_NUMBER('pgid', 'any', INT),
  _nspid: INT_NUMBER('nspid', 'any', INT),
  _uid: INT_NUMBER('uid', 'any', UNSIGNED_INT),
  _gid: INT_NUMBER('gid', 'any', UNSIGNED_INT),
  _cpu: INT_NUMBER('cpu', 'hit', INT),
  _cgroup: INT_NUMBER('cgroup', 'any', UNSIGNED_LONG),
  _now_ns: INT_NUMBER('now-ns', 'any', LONG),
  _now_us: INT_NUMBER('now-us', 'any', LONG),
  _now_ms: INT_NUMBER('now-ms', 'any', LONG),
  _now_s: INT_NUMBER('now-s', 'any', LONG),
  _wall_ns: INT_NUMBER('wall-ns', 'any', LONG),
  _tls: INT_NUMBER('thread-pointer', 'thread', UNSIGNED_LONG),
  _comm: TEXT_VALUE('comm', 'any', 16),
  _exe: TEXT_VALUE('exe', 'any', 128),
  _container: TEXT_VALUE('container', 'any', 128),
  _trace_id: TEXT_VALUE('trace-id', 'hit', 36),
  _func: TEXT_VALUE('probe-function', 'hit', 128),
  _ubt: STACK_OF('user'),
  _kbt: STACK_OF('kernel'),
  _bt: STACK_OF('both'),
  _mbt: STACK_OF('mixed'),
  _lbt: { min: 1, max: 1, where: 'thread', check: languageStack },
  _arg: { min: 1, max: 1, where: 'hit', check: argument },
  _ret: { min: 0, max: 0, where: 'hit', check: returnValue },
  _reg: { min: 1, max: 1, where: 'thread', check: register },
  _sym_ubt: { min: 1, max: 1, where: 'any', check: symbolStack },
  _sym: { min: 1, max: 1, where: 'any', check: (c, node) => symbol(c, node, false) },
  _src: { min: 1, max: 1, where: 'any', check: (c, node) => symbol(c, node, true) },
  _ustr: { min: 1, max: 2, where: 'any', check: readText },
  _valid: { min: 1, max: 2, where: 'any', check: valid },
  _hex: { min: 2, max: 2, where: 'any', check: hex },
  _len: { min: 1, max: 1, where: 'any', check: textLength },
  _substr: { min: 2, max: 3, where: 'any', check: substring },
  printf: PRINT('out'),
  _warn: PRINT('warn'),
  _error: PRINT('error'),
  _print: { min: 1, max: ANY, where: 'any', check: printPlain },
  _json: { min: 1, max: 1, where: 'any', check: (c, node) => json(c, node) },
  _exit: { min: 0, max: 0, where: 'any', check: (_c, node) => make(node, { kind: 'void' }, { kind: 'exit' }) },
  _log2: { min: 1, max: 1, where: 'any', check: logarithm },
  _abs: { min: 1, max: 1, where: 'any', check: absolute },
  _min2: { min: 2, max: 2, where: 'any', check: (c, node) => extreme(c, node, 'least') },
  _max2: { min: 2, max: 2, where: 'any', check: (c, node) => extreme(c, node, 'greatest') },
  _rand: { min: 0, max: 1, where: 'any', check: random },
  _count: READER('count'),
  _sum: READER('sum'),
  _min: READER('min'),
  _max: READER('max'),
  _avg: READER('avg'),
  _variance: READER('variance'),
  _stddev: READER('stddev'),
  _quantile: { min: 2, max: 2, where: 'host', check: quantile },
  _hist_log: { min: 1, max: 1, where: 'host', check: (c, node) => histogram(c, node) },
  _hist_linear: { min: 4, max: 4, where: 'host', check: (c, node) => histogram(c, node) },
  _flame: CHART('flame', 1, 3),
  _histogram: CHART('histogram', 1, 2),
  _table: CHART('table', 1, 3),
  _pie: CHART('pie', 1, 3),
  _bar: CHART('bar', 1, 3),
  _line: CHART('line', 1, 3),
};

/** A call of a built-in by its name, which must be one of `BUILTIN_NAMES`. */
export function checkBuiltin(c: CheckState, name: string, node: CallExpression): Expression {
  if (name === '_user' || name === '_kernel' || name === '_read') {
    return mistake(
      c,
      'bad-cast',
      node.span,
      `\`${name}\` takes a type and an address`,
      name === '_read' ? '`_read(long, p)`' : `\`${name}(struct conn *, p)\``,
    );
  }
  const builtin = BUILTINS[name]!;
  const given = node.arguments.length;
  if (given < builtin.min || given > builtin.max) {
    for (const argument of node.arguments) if (arrayOf(c, argument) === undefined) checkExpression(c, argument);
    return mistake(
      c,
      'argument-count',
      node.span,
      `\`${name}\` takes ${showCount(builtin)}, and ${given === 0 ? 'none' : given} ${given === 1 ? 'is' : 'are'} given`,
    );
  }
  if (builtin.where !== 'any') {
    const hint =
      builtin.where === 'host'
        ? 'call it in `_end`, `_oneshot` or a timer'
        : 'call it in a probe of a function or an event, and keep it in a global';
    need(c, builtin.where, `\`${name}\``, node.span, hint);
  }
  return builtin.check(c, node, name);
}

function showCount({ min, max }: Builtin): string {
  const many = (number: number) => `${number === 0 ? 'no' : number} argument${number === 1 ? '' : 's'}`;
  if (min === max) return many(min);
  return max === ANY ? `at least ${many(min)}` : `${min} or ${many(max)}`;
}

function number(c: CheckState, node: CallExpression, index: number, type: YType = LONG): Expression | undefined {
  const value = given(c, node, index);
  const purpose = { name: `argument ${index + 1} of \`${snippet(c, node.callee.span)}\``, span: node.arguments[index]!.span };
  const converted = value && assignTo(c, value, type, purpose);
  return converted?.type.kind === 'error' ? undefined : converted;
}

function languageStack(c: CheckState, node: CallExpression): Expression {
  const [language] = node.arguments;
  if (language!.kind !== 'string') return mistake(c, 'argument-type', language!.span, '`_lbt` takes a language in quotes', '`_lbt("lua")`');
  return make(node, STACK, { kind: 'stack', form: { language: language.text } });
}

/** A pointer or an address as a pointer. */
function address(c: CheckState, node: CallExpression, index = 0): Expression | undefined {
  const value = given(c, node, index);
  if (value === undefined) return undefined;
  if (value.type.kind === 'pointer') {
    if (value.type.space === 'kernel') need(c, 'hit', "the kernel's memory", node.span, 'read it in a probe that runs in the kernel');
    return value;
  }
  if (value.type.kind === 'integer') return convert(convert(value, UNSIGNED_LONG), { kind: 'pointer', space: 'user', target: VOID_TYPE });
  wrongArgument(c, node, index, 'an address', value.type);
  return undefined;
}

function spaceOf(value: Expression): 'user' | 'kernel' {
  return value.type.kind === 'pointer' && value.type.space === 'kernel' ? 'kernel' : 'user';
}

function argument(c: CheckState, node: CallExpression): Expression {
  const index = constantInteger(c, node.arguments[0]!, 'the number of an argument');
  if (index === undefined) return broken(node.span);
  if (index < 0n || index > 31n) return mistake(c, 'out-of-range', node.span, `arguments count from 0, and there is no number ${index}`);
  const hit = c.fn?.hit;
  if (hit?.kind === 'return')
    return mistake(
      c,
      'no-arguments',
      node.span,
      '`_arg` at the return of a function: the registers no longer hold the arguments',
      'keep it at the entry in a `_thread` variable',
    );
  const known = hit === undefined ? { index: Number(index), type: undefined } : hit.argument(Number(index));
  if (known === undefined) return mistake(c, 'no-arguments', node.span, `there is no argument ${index} here`);
  if (known.index === undefined)
    return mistake(c, 'float-argument', node.span, `argument ${index} is not in an integer register`, FLOAT_HINT);
  const y = known.type === undefined || hit === undefined ? LONG : toY(known.type, hit.space);
  const raw = make(node, UNSIGNED_LONG, { kind: 'argument', index: known.index });
  return y.kind === 'integer' || y.kind === 'pointer' ? convertRaw(raw, y) : { ...raw, type: LONG };
}

/** A register's 64 bits as a value of `type`. */
export function convertRaw(raw: Expression, type: YType): Expression {
  return type.kind === 'pointer' || (type.kind === 'integer' && type.size === 8) ? { ...raw, type } : convert(raw, type);
}

function returnValue(c: CheckState, node: CallExpression): Expression {
  const hit = c.fn?.hit;
  if (hit !== undefined && hit.kind !== 'return') {
    return mistake(
      c,
      'no-return-value',
      node.span,
      '`_ret` is only there at the return of a function',
      'write the probe as `_probe fn() -> r { … }`',
    );
  }
  const raw = make(node, UNSIGNED_LONG, { kind: 'return-value' });
  const y = hit?.result === undefined ? LONG : toY(hit.result, hit.space);
  return y.kind === 'integer' || y.kind === 'pointer' ? convertRaw(raw, y) : { ...raw, type: LONG };
}

const X86 = ['ax', 'bx', 'cx', 'dx', 'si', 'di', 'bp', 'sp', 'ip', 'flags', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const ARM = [...Array.from({ length: 31 }, (_, index) => `x${index}`), 'sp', 'pc'];

function register(c: CheckState, node: CallExpression): Expression {
  const [literal] = node.arguments;
  if (literal!.kind !== 'string') return mistake(c, 'argument-type', literal!.span, '`_reg` takes a register in quotes', '`_reg("ip")`');
  const name = registerName(c.knowledge.architecture, literal.text);
  if (name !== undefined) return make(node, UNSIGNED_LONG, { kind: 'register', name });
  const known = c.knowledge.architecture === 'x86-64' ? X86 : ARM;
  const guess = nearest(literal.text, known);
  const tail = guess === undefined ? '' : `; did you mean \`${guess}\`?`;
  return mistake(
    c,
    'unknown-register',
    literal!.span,
    `${c.knowledge.architecture} has no register \`${literal.text}\`${tail}`,
    guess ? undefined : `there are ${known.join(' ')}`,
  );
}

function registerName(architecture: 'x86-64' | 'aarch64', text: string): string | undefined {
  const lower = text.toLowerCase();
  if (architecture === 'aarch64') {
    const alias: Readonly<Record<string, string>> = { ip: 'pc', fp: 'x29', lr: 'x30' };
    const name = alias[lower] ?? lower;
    return ARM.includes(name) ? name : undefined;
  }
  const name = lower === 'pc' ? 'ip' : /^[re](?=[a-z])/.test(lower) ? lower.slice(1) : lower;
  return X86.includes(name) ? name : undefined;
}

const NAMING_HINT = 'print it with `%s`, or keep the address and name it later';

function symbolStack(c: CheckState, node: CallExpression): Expression {
  need(c, 'host', NAMING, node.span, NAMING_HINT);
  const value = given(c, node);
  if (value === undefined) return broken(node.span);
  if (value.type.kind !== 'stack') return wrongArgument(c, node, 0, 'a backtrace', value.type, '`_sym_ubt(_ubt())`');
  return make(node, { kind: 'text', capacity: 1024 }, { kind: 'describe', operand: value, as: { kind: 'stack' } });
}

function symbol(c: CheckState, node: CallExpression, source: boolean): Expression {
  need(c, 'host', NAMING, node.span, NAMING_HINT);
  const value = given(c, node);
  if (value === undefined) return broken(node.span);
  if (value.type.kind !== 'pointer' && value.type.kind !== 'integer') return wrongArgument(c, node, 0, 'an address', value.type);
  const as = source ? ({ kind: 'source' } as const) : ({ kind: 'symbol', space: spaceOf(value) } as const);
  return make(node, { kind: 'text', capacity: 256 }, { kind: 'describe', operand: convert(value, UNSIGNED_LONG), as });
}

function readText(c: CheckState, node: CallExpression): Expression {
  const value = checkExpression(c, node.arguments[0]!);
  const length = node.arguments.length > 1 ? number(c, node, 1) : undefined;
  if (value.type.kind === 'error' || (node.arguments.length > 1 && length === undefined)) return broken(node.span);
  if (value.type.kind === 'text') return wrongArgument(c, node, 0, 'an address in the target', value.type, 'it is a `_str` already');
  const from = address(c, node);
  if (from === undefined) return broken(node.span);
  const capacity = length?.kind === 'integer' && length.value > 0n && length.value <= 4096n ? Number(length.value) : DEFAULT_TEXT;
  return make(node, { kind: 'text', capacity }, { kind: 'read-text', address: from, length, space: spaceOf(from) });
}

function valid(c: CheckState, node: CallExpression): Expression {
  const from = address(c, node);
  const size = node.arguments.length > 1 ? number(c, node, 1, UNSIGNED_LONG) : undefined;
  if (from === undefined || (node.arguments.length > 1 && size === undefined)) return broken(node.span);
  const target = from.type.kind === 'pointer' ? from.type.target : VOID_TYPE;
  const bytes = size ?? constant(BigInt(sizeOf(target) ?? 1), UNSIGNED_LONG, from);
  return make(node, INT, { kind: 'valid', address: from, size: bytes, space: spaceOf(from) });
}

function hex(c: CheckState, node: CallExpression): Expression {
  const from = address(c, node);
  const length = number(c, node, 1);
  if (from === undefined || length === undefined) return broken(node.span);
  const capacity = length.kind === 'integer' ? Math.min(Math.max(Number(length.value), 1), 1024) : DEFAULT_TEXT;
  const type: TextY = { kind: 'text', capacity };
  const text = make(node, type, { kind: 'read-text', address: from, length, space: spaceOf(from) });
  return make(node, type, { kind: 'hex', text });
}

function textLength(c: CheckState, node: CallExpression): Expression {
  const array = arrayOf(c, node.arguments[0]!);
  if (array !== undefined) {
    need(c, 'host', '`_len` of an array', node.span, 'call it in `_end`, `_oneshot` or a timer');
    return make(node, INT, { kind: 'array-count', array });
  }
  const text = textArgument(c, node);
  return text === undefined ? broken(node.span) : make(node, INT, { kind: 'text-length', text });
}

function textArgument(c: CheckState, node: CallExpression): Expression | undefined {
  const value = checkExpression(c, node.arguments[0]!);
  if (value.type.kind === 'error') return undefined;
  const text = asText(value);
  if (text === undefined) wrongArgument(c, node, 0, 'a `_str`', value.type);
  return text;
}

function substring(c: CheckState, node: CallExpression): Expression {
  const text = textArgument(c, node);
  const start = number(c, node, 1);
  const length = node.arguments.length > 2 ? number(c, node, 2) : constant(0x7fff_ffffn, LONG, { at: place(node.span) });
  if (text === undefined || start === undefined || length === undefined) return broken(node.span);
  const most = text.type.kind === 'text' ? text.type.capacity : DEFAULT_TEXT;
  const capacity = length.kind === 'integer' ? Math.min(Math.max(Number(length.value), 1), most) : most;
  return make(node, { kind: 'text', capacity }, { kind: 'substring', text, start, length });
}

function print(c: CheckState, node: CallExpression, name: string, stream: 'out' | 'warn' | 'error'): Expression {
  const formatted = checkFormat(c, node.arguments, node.span, name);
  return formatted === undefined ? broken(node.span) : make(node, { kind: 'void' }, { kind: 'print', stream, ...formatted });
}

function printPlain(c: CheckState, node: CallExpression): Expression {
  const pieces = [];
  const values: Expression[] = [];
  for (const argument of node.arguments) {
    if (argument.kind === 'string') {
      pieces.push({ text: argument.text });
      continue;
    }
    const value = checkExpression(c, argument);
    if (value.type.kind === 'error') continue;
    if (value.kind === 'describe') pardon(c, argument.span);
    const printed = defaultPiece(value);
    if (printed === undefined) {
      report(
        c,
        'format-type',
        argument.span,
        `\`${snippet(c, argument.span)}\` of type \`${showType(value.type)}\` cannot be printed`,
        'print its fields',
      );
      continue;
    }
    pieces.push(printed.piece);
    values.push(printed.value);
  }
  return make(node, { kind: 'void' }, { kind: 'print', stream: 'out', format: { pieces }, values });
}

function logarithm(c: CheckState, node: CallExpression): Expression {
  const operand = number(c, node, 0, UNSIGNED_LONG);
  return operand === undefined ? broken(node.span) : make(node, INT, { kind: 'log2', operand });
}

function absolute(c: CheckState, node: CallExpression): Expression {
  const value = given(c, node);
  if (value === undefined) return broken(node.span);
  const operand = promote(value);
  if (operand.type.kind !== 'integer' && operand.type.kind !== 'float') return wrongArgument(c, node, 0, 'a number', value.type);
  return make(node, operand.type, { kind: 'absolute', operand });
}

function extreme(c: CheckState, node: CallExpression, kind: 'least' | 'greatest'): Expression {
  const [left, right] = [given(c, node, 0), given(c, node, 1)];
  if (left === undefined || right === undefined) return broken(node.span);
  const type = commonType(left.type, right.type);
  if (type.kind === 'error')
    return wrongArgument(
      c,
      node,
      left.type.kind === 'integer' || left.type.kind === 'float' ? 1 : 0,
      'numbers',
      left.type.kind === 'integer' ? right.type : left.type,
    );
  return make(node, type, { kind, left: convert(promote(left), type), right: convert(promote(right), type) });
}

function random(c: CheckState, node: CallExpression): Expression {
  const raw = make(node, UNSIGNED_LONG, { kind: 'number-builtin', name: 'random' });
  if (node.arguments.length === 0) return raw;
  const below = number(c, node, 0, UNSIGNED_LONG);
  return below === undefined ? broken(node.span) : make(node, UNSIGNED_LONG, { kind: 'binary', operator: 'mod', left: raw, right: below });
}
