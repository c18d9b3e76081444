/** The typed tree as text: what each name and operator came to mean. */
import { showType } from './convert.ts';

import type { Expression, Place, Statement, TypedFunction, TypedProgram } from './typed.ts';
import type { YType } from './ytype.ts';

export function dumpTyped(program: TypedProgram): string {
  const probes = program.probes.map((probe) => `probe ${probe.text} -> f${probe.body} ${probe.where}${probe.global ? ' global' : ''}`);
  const functions = program.functions.map((fn, index) => new TypedDumper(program, fn).whole(index));
  return [...(probes.length === 0 ? [] : [probes.join('\n')]), ...functions].join('\n\n') + '\n';
}

class TypedDumper {
  readonly program: TypedProgram;
  readonly fn: TypedFunction;

  constructor(program: TypedProgram, fn: TypedFunction) {
    this.program = program;
    this.fn = fn;
  }

  whole(index: number): string {
    const parameters = this.fn.locals.slice(0, this.fn.parameters).map((local) => `${spaced(local.type)} ${local.name}`);
    const head = `f${index} ${this.fn.name}${parameters.length === 0 ? '' : `(${parameters.join(', ')})`}: ${showType(this.fn.result)}`;
    return [head, ...this.statements(this.fn.body, '  ')].join('\n');
  }

  statements(list: readonly Statement[], indent: string): string[] {
    return list.flatMap((statement) => this.statement(statement, indent));
  }

  statement(s: Statement, indent: string): string[] {
    const deeper = `${indent}  `;
    switch (s.kind) {
      case 'block':
        return this.statements(s.body, indent);
      case 'expression':
        return [indent + this.show(s.expression)];
      case 'declare':
        return [
          `${indent}${spaced(this.fn.locals[s.local]!.type)} ${this.local(s.local)}${s.initial === undefined ? '' : ` = ${this.show(s.initial)}`}`,
        ];
      case 'words':
        return s.words.map(
          (word) => `${indent}${this.local(s.local)}+${word.offset} = ${this.show(word.from)} >> ${word.shift * 8}, ${word.size} bytes`,
        );
      case 'if': {
        const otherwise = s.no.length === 0 ? [] : [`${indent}else`, ...this.statements(s.no, deeper)];
        return [`${indent}if ${this.show(s.condition)}`, ...this.statements(s.yes, deeper), ...otherwise];
      }
      case 'loop': {
        const head = s.condition === undefined ? 'forever' : this.show(s.condition);
        const step = s.step === undefined ? '' : ` step ${this.show(s.step)}`;
        return [`${indent}${s.bodyFirst ? 'do while' : 'while'} ${head}${step}`, ...this.statements(s.body, deeper)];
      }
      case 'switch': {
        const labels = s.labels.map(({ low, high, label }) => `${low}${low === high ? '' : `..${high}`}:${label}`);
        if (s.otherwise !== undefined) labels.push(`default:${s.otherwise}`);
        return [`${indent}switch ${this.show(s.subject)} ${labels.join(' ')}`, ...this.statements(s.body, deeper)];
      }
      case 'label':
        return [`${indent}label ${s.label}`];
      case 'break':
      case 'continue':
        return [indent + s.kind];
      case 'return':
        return [`${indent}return${s.value === undefined ? '' : ` ${this.show(s.value)}`}`];
      case 'foreach': {
        const keys = s.keys.map((key) => this.local(key)).join(', ');
        const by =
          s.order === undefined
            ? ''
            : `; ${s.order.descending ? 'desc' : 'asc'} by ${typeof s.order.by === 'string' ? s.order.by : `f${s.order.by.function}`}`;
        const limit = s.limit === undefined ? '' : `; limit ${this.show(s.limit)}`;
        return [`${indent}foreach ${keys} in ${this.array(s.array)}${by}${limit}`, ...this.statements(s.body, deeper)];
      }
      case 'keys':
        return [`${indent}${s.keys.map((key) => this.local(key)).join(', ')} = keys of i${s.iterator}`];
      case 'try':
        return [`${indent}try`, ...this.statements(s.body, deeper), `${indent}catch`, ...this.statements(s.handler, deeper)];
    }
  }

  local(index: number): string {
    const { name } = this.fn.locals[index]!;
    return name === '' ? `%${index}` : name;
  }

  array(index: number): string {
    return this.program.arrays[index]!.name;
  }

  place(place: Place): string {
    const bits = 'bits' in place && place.bits !== undefined ? `:${place.bits.offset}+${place.bits.size}` : '';
    const offset = place.offset === 0 ? '' : `+${place.offset}`;
    switch (place.kind) {
      case 'local':
        return this.local(place.local) + offset + bits;
      case 'global':
        return this.program.globals[place.global]!.name + offset + bits;
      case 'element':
        return `${this.array(place.array)}[${place.keys.map((key) => this.show(key)).join(', ')}]${offset}${bits}`;
      case 'remote':
        return `${place.space}*(${this.show(place.address)}${offset})${bits}`;
      case 'context':
        return `context+${place.offset}`;
    }
  }

  show(e: Expression): string {
    switch (e.kind) {
      case 'integer':
        return e.value.toString();
      case 'float':
        return e.value.toString();
      case 'literal':
        return JSON.stringify(new TextDecoder().decode(e.bytes));
      case 'load':
        return this.place(e.place);
      case 'address':
        return `&${this.place(e.place)}`;
      case 'convert':
        return `(${spaced(e.type)})${this.show(e.operand)}`;
      case 'target-variable':
        return `@${e.site.name}`;
      case 'target-literal':
        return `@${JSON.stringify(new TextDecoder().decode(e.bytes))}`;
      case 'assign':
        return `${this.place(e.place)} = ${this.show(e.value)}`;
      case 'compound':
        return `${this.place(e.place)} ${e.operator}= ${this.show(e.operand)} in ${showType(e.compute)}${e.gives === 'before' ? ', before' : ''}`;
      case 'call':
        return `f${e.function}(${e.arguments.map((one) => this.show(one)).join(', ')})`;
      default:
        return this.other(e);
    }
  }

  /** The rest in one form: the kind, then every expression and place in it. */
  other(e: Expression): string {
    const parts: string[] = [];
    for (const [name, value] of Object.entries(e)) {
      if (name === 'kind' || name === 'type' || name === 'at' || value === undefined) continue;
      parts.push(this.part(name, value));
    }
    return `${e.kind}(${parts.filter((part) => part !== '').join(', ')})`;
  }

  part(name: string, value: unknown): string {
    if (Array.isArray(value)) return value.map((one) => this.part(name, one)).join(', ');
    if (name === 'array') return this.array(value as number);
    if (name === 'place') return this.place(value as Place);
    if (isExpression(value)) return this.show(value);
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? `${name} ${value}` : '';
  }
}

function isExpression(value: unknown): value is Expression {
  return typeof value === 'object' && value !== null && 'kind' in value && 'type' in value && 'at' in value;
}

function spaced(type: YType): string {
  return type.kind === 'pointer' ? `${type.space} ${showType(type)}` : showType(type);
}
